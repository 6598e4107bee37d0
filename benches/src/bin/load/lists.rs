//! Lists of songs: as many as there can be, and at a given pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::house::House;
use crate::wire::{Wire, request};
use crate::{Failure, PAGE, Times};

const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(2);
const LASTING: Duration = Duration::from_secs(10);
const PACE_PER_SECOND: u64 = 2000;

fn list(cookie: &str) -> Vec<u8> {
    request("GET", &format!("/api/v1/tracks?limit={PAGE}"), cookie, "")
}

/// Asks again as soon as there is an answer, and says what a request costs the server.
pub(crate) async fn full_load(house: &House, cookie: &str) -> Result<Value, Failure> {
    asked(house, cookie, WARM_UP).await?;
    let busy = house.busy()?;
    let started = Instant::now();
    let answers = asked(house, cookie, LASTING).await?;
    let per_second = answers as f64 / started.elapsed().as_secs_f64();
    let cost = (house.busy()? - busy).as_secs_f64() / answers as f64;
    Ok(json!({"per_s": per_second.round(), "server_us_per_request": (cost * 1e7).round() / 10.0}))
}

async fn asked(house: &House, cookie: &str, lasting: Duration) -> Result<u64, Failure> {
    let until = Instant::now() + lasting;
    let mut askers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (mut wire, question) = (Wire::open(house.address).await?, list(cookie));
        askers.push(tokio::spawn(async move {
            let mut answers = 0;
            while Instant::now() < until {
                let answer = wire.ask(&question).await.map_err(|error| error.to_string())?;
                if answer.status != 200 {
                    return Err(format!("answered {}", answer.status));
                }
                answers += 1;
            }
            Ok(answers)
        }));
    }
    let mut answers = 0;
    for asker in askers {
        answers += asker.await??;
    }
    Ok(answers)
}

/// Asks at a given pace, whether or not there were answers. A time begins when a request was due, so that waiting for a
/// server that stalls is counted.
pub(crate) async fn offered(house: &House, cookie: &str) -> Result<Value, Failure> {
    let times = paced(house, cookie, PACE_PER_SECOND, LASTING).await?;
    Ok(json!({"offered_per_s": PACE_PER_SECOND, "latency": times.summary()}))
}

pub(crate) async fn paced(
    house: &House,
    cookie: &str,
    per_second: u64,
    lasting: Duration,
) -> Result<Times, Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let count = per_second * lasting.as_secs();
    let began = Instant::now() + Duration::from_millis(100);
    let mut askers = Vec::new();
    for _ in 0..2 * CONNECTIONS {
        let (mut wire, question, next) = (Wire::open(house.address).await?, list(cookie), Arc::clone(&next));
        askers.push(tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, String>(times);
                }
                let due = began + Duration::from_micros(number * 1_000_000 / per_second);
                tokio::time::sleep_until(due).await;
                let answer = wire.ask(&question).await.map_err(|error| error.to_string())?;
                if answer.status != 200 {
                    return Err(format!("answered {}", answer.status));
                }
                times.push(due.elapsed());
            }
        }));
    }
    let mut all = Times::default();
    for asker in askers {
        all.0.extend(asker.await??);
    }
    Ok(all)
}
