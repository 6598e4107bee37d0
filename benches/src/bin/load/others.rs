//! Sockets, streams of files, logins, and the start.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::house::{EMAIL, House, PASSWORD, Person, Place};
use crate::wire::{Wire, request};
use crate::{Failure, Times, lists};

/// The most that one user may have open.
const SOCKETS_EACH: usize = 32;
const SOCKETS: usize = 5000;
pub(crate) const PEOPLE: usize = SOCKETS.div_ceil(SOCKETS_EACH);
const EVENTS_PER_SECOND: u64 = 100;
const EVENTS: u64 = 1000;
const LISTENERS: usize = 200;
/// Of 320 kbit/s, in a second.
const SECOND_BYTES: usize = 40_000;
const SECONDS: usize = 20;

/// Many sockets, each following its library, while songs are renamed; a time runs from the request to what a
/// socket hears of it.
pub(crate) async fn sockets(house: &House, people: &[Person]) -> Result<Value, Failure> {
    let before = house.memory_kib()?;
    let (heard, mut times) = mpsc::unbounded_channel();
    let began = Instant::now();
    let open = Arc::new(AtomicU64::new(0));
    for number in 0..SOCKETS {
        let person = &people[number / SOCKETS_EACH];
        let wire = Wire::open(house.address).await?.follow(&person.cookie, "library").await?;
        let (heard, open) = (heard.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            let mut wire = wire;
            if wire.hear().await.is_ok() {
                open.fetch_add(1, Ordering::Relaxed);
            }
            while let Ok(text) = wire.hear().await {
                if let Some(at) = marked(text) {
                    let now = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                    heard.send(now.saturating_sub(at)).ok();
                }
            }
        });
    }
    while open.load(Ordering::Relaxed) < SOCKETS as u64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (opening, busy) = (began.elapsed(), house.busy()?);
    let idle = house.memory_kib()?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idle_busy = (house.busy()? - busy).as_secs_f64() / 10.0;

    let mut wires = Vec::new();
    for person in people.iter().take(8) {
        wires.push((Wire::open(house.address).await?, person));
    }
    let due = Instant::now();
    let sending = async {
        for number in 0..EVENTS {
            let place = usize::try_from(number)? % wires.len();
            let (wire, person) = &mut wires[place];
            tokio::time::sleep_until(due + Duration::from_micros(number * 1_000_000 / EVENTS_PER_SECOND))
                .await;
            let title = format!("{{\"title\":\"at {}.\"}}", began.elapsed().as_micros());
            let path = format!("/api/v1/tracks/{}", person.track);
            let answer = wire.ask(&request("PATCH", &path, &person.cookie, &title)).await?;
            if answer.status != 200 {
                return Err::<(), Failure>(format!("renaming: {}", answer.status).into());
            }
        }
        Ok(())
    };
    let expected = usize::try_from(EVENTS)? * SOCKETS_EACH;
    let hearing = async {
        let mut all = Times::default();
        while all.0.len() < expected {
            let next = tokio::time::timeout(Duration::from_secs(30), times.recv()).await?;
            all.0.push(Duration::from_micros(next.ok_or("nobody listens")?));
        }
        Ok::<_, Failure>(all)
    };
    let ((), all) = tokio::try_join!(sending, hearing)?;
    Ok(json!({
        "sockets": SOCKETS, "opened_in_s": opening.as_secs_f64(), "events_per_s": EVENTS_PER_SECOND,
        "each_heard_by": SOCKETS_EACH, "latency": all.summary(),
        "idle_kib_per_socket": (idle - before) as f64 / SOCKETS as f64,
        "busy_kib_per_socket": (house.memory_kib()? - before) as f64 / SOCKETS as f64,
        "idle_share_of_a_core": idle_busy,
    }))
}

/// The moment that a title holds, if the text has one.
fn marked(text: &[u8]) -> Option<u64> {
    const MARK: &[u8] = b"\"title\":\"at ";
    let place = text.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = text[place..].split(|byte| *byte == b'.').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Listeners who take a second of a file every second; one that comes later than it is due is an underrun.
pub(crate) async fn streams(house: &House, person: &Person, hash: &str) -> Result<Value, Failure> {
    let (before, busy) = (house.memory_kib()?, house.busy()?);
    let began = Instant::now() + Duration::from_millis(200);
    let mut listeners = Vec::new();
    for number in 0..LISTENERS {
        let (mut wire, cookie) = (Wire::open(house.address).await?, person.cookie.clone());
        let path = format!("/api/v1/files/{hash}/song.mp3");
        listeners.push(tokio::spawn(async move {
            let (mut late, first) = (0, began + Duration::from_millis(number as u64 * 5));
            for second in 0..SECONDS {
                let due = first + Duration::from_secs(second as u64);
                tokio::time::sleep_until(due).await;
                let start = second * SECOND_BYTES;
                let range = format!("{cookie}\r\nrange: bytes={start}-{}", start + SECOND_BYTES - 1);
                let answer = wire.ask(&request("GET", &path, &range, "")).await;
                let answer = answer.map_err(|error| error.to_string())?;
                if answer.status != 206 || answer.body.len() != SECOND_BYTES {
                    return Err(format!("answered {}", answer.status));
                }
                late += u32::from(due.elapsed() > Duration::from_secs(1));
            }
            Ok(late)
        }));
    }
    let (mut underruns, mut most) = (0, before);
    for listener in listeners {
        underruns += listener.await??;
        most = most.max(house.memory_kib()?);
    }
    let busy = (house.busy()? - busy).as_secs_f64() / SECONDS as f64;
    Ok(json!({
        "listeners": LISTENERS, "underruns": underruns, "memory_mib": most as f64 / 1024.0,
        "memory_before_mib": before as f64 / 1024.0, "share_of_a_core": busy,
    }))
}

/// Lists at a slow pace, while nobody and while eight people sign in again and again.
pub(crate) async fn logins(house: &House, person: &Person) -> Result<Value, Failure> {
    const PACE: u64 = 100;
    const LASTING: Duration = Duration::from_secs(8);
    let quiet = lists::paced(house, &person.cookie, PACE, LASTING).await?;
    let until = Instant::now() + LASTING;
    let mut people = Vec::new();
    for _ in 0..8 {
        let mut wire = Wire::open(house.address).await?;
        let body = format!("{{\"email\":\"{EMAIL}\",\"password\":\"{PASSWORD}\"}}");
        people.push(tokio::spawn(async move {
            let mut count = 0;
            while Instant::now() < until {
                let answer = wire.ask(&request("POST", "/api/v1/login", "x-bench: 1", &body)).await;
                match answer.map(|answer| answer.status) {
                    Ok(200) => count += 1,
                    Ok(status) => return Err(format!("signing in: {status}")),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(count)
        }));
    }
    let beside = lists::paced(house, &person.cookie, PACE, LASTING - Duration::from_secs(1)).await?;
    let mut count = 0;
    for person in people {
        count += person.await??;
    }
    let per_second = f64::from(count) / LASTING.as_secs_f64();
    let (quiet, beside) = (quiet.summary(), beside.summary());
    Ok(json!({"logins_per_s": per_second, "lists_without": quiet, "lists_beside": beside}))
}

/// From the start of the program until it listens, on a library that is there.
pub(crate) fn start(program: &Path, place: &Place) -> Result<Value, Failure> {
    let mut times = Times::default();
    let mut memory = 0;
    for _ in 0..10 {
        let house = House::serve(program, place)?;
        times.0.push(house.start_time);
        memory = house.memory_kib()?;
    }
    let megabytes = std::fs::metadata(program)?.len() as f64 / 1e6;
    Ok(json!({"start": times.summary(), "memory_mib": memory as f64 / 1024.0, "binary_mb": megabytes}))
}
