//! How fast work goes on after something has happened.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use sfa_core::library::Library;

use crate::crew::{Crew, Place, enqueue, left, settle, work_through};
use crate::partition::SOCKET;
use crate::{Failure, PATIENCE, PLAIN, postgres};

/// Jobs do nothing for so long: what is measured is the queue and not the machine.
const JOB_MS: u64 = 100;
const JOBS: u64 = 2400;
const WINDOW: Duration = Duration::from_secs(5);
/// Trouble comes so often, and goes on for so long.
const PAUSE: Duration = Duration::from_millis(500);
const TROUBLE: Duration = Duration::from_secs(4);
/// What must be reached again, as a share of the rate before.
const ENOUGH: f64 = 0.95;

/// Workers are killed twice a second.
pub(crate) async fn after_kills(place: &Place) -> Result<String, Failure> {
    recovered(place, async |crew, _| {
        let until = Instant::now() + TROUBLE;
        for index in 0.. {
            if Instant::now() >= until {
                break;
            }
            crew.replace(index)?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    })
    .await
}

/// The database is ended as by a power cut.
pub(crate) async fn after_crash(place: &Place, server: &mut postgres::Server) -> Result<String, Failure> {
    recovered(place, async |_, _| {
        server.crash(Duration::from_secs(1));
        Ok(())
    })
    .await
}

/// All connections are cut, again and again.
pub(crate) async fn after_cuts(
    place: &Place,
    server: &postgres::Server,
    database: &str,
) -> Result<String, Failure> {
    recovered(place, async |_, _| {
        let until = Instant::now() + TROUBLE;
        while Instant::now() < until {
            cut_all(server, database);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    })
    .await
}

/// Others hold all connections that the server has when those of the workers are cut.
pub(crate) async fn after_crowd(
    place: &Place,
    server: &postgres::Server,
    database: &str,
) -> Result<String, Failure> {
    recovered(place, async |_, library| {
        cut_all(server, database);
        let crowd = crowd(&server.socket(), database)?;
        tokio::time::sleep(TROUBLE).await;
        let outside = library.rows().queues().await;
        drop(crowd);
        if outside.is_ok() {
            return Err("a connection was left".into());
        }
        Ok(())
    })
    .await
}

fn cut_all(server: &postgres::Server, database: &str) {
    let statement = "select pg_terminate_backend(pid) from pg_stat_activity \
                     where datname = current_database() and pid <> pg_backend_pid()";
    server.execute(database, statement);
}

/// Opens connections until the server takes no more. They last as long as what is returned.
fn crowd(socket: &Path, database: &str) -> Result<Vec<UnixStream>, Failure> {
    const MORE_THAN_ALLOWED: usize = 210;
    const VERSION_3: u32 = 3 << 16;
    let mut hello = VERSION_3.to_be_bytes().to_vec();
    hello.extend(format!("user\0sfa\0database\0{database}\0\0").bytes());
    let length = u32::try_from(hello.len() + size_of::<u32>())?;
    let connect = || -> Result<UnixStream, Failure> {
        let mut stream = UnixStream::connect(socket.join(SOCKET))?;
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(&hello)?;
        Ok(stream)
    };
    (0..MORE_THAN_ALLOWED).map(|_| connect()).collect()
}

/// Compares the rate of work before `trouble` with that after it.
async fn recovered(
    place: &Place,
    trouble: impl AsyncFnOnce(&mut Crew, &Library) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, JOBS, JOB_MS).await?;
    let mut crew = Crew::hire(place)?;
    while left(&library).await == JOBS.cast_signed() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let calm = rate(&library).await;
    trouble(&mut crew, &library).await?;
    let over = Instant::now();
    let before = wait_for(&library, |_| true).await?;
    wait_for(&library, |left| left < before).await?;
    let pause = over.elapsed();
    // Jobs of workers that are gone come back when their leases have run out; the others must not wait for them.
    let after = rate(&library).await;
    let share = after / calm;
    work_through(&library, PATIENCE, |_| Ok(())).await?;
    let settled = settle(&library, JOBS).await?;
    if share < ENOUGH {
        return Err(format!("{after:.0} jobs a second after {calm:.0} before").into());
    }
    Ok(format!(
        "{:.0} % of the rate before, first job after {:.1} s; {settled}",
        100.0 * share,
        pause.as_secs_f64()
    ))
}

/// The number of jobs that are left, once the database answers and `is_it` says yes.
async fn wait_for(library: &Library, is_it: impl Fn(i64) -> bool) -> Result<i64, Failure> {
    let started = Instant::now();
    loop {
        let left = left(library).await;
        if left < i64::MAX && is_it(left) {
            return Ok(left);
        }
        if started.elapsed() > PATIENCE {
            return Err("no job is done any more".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Jobs done in a second.
async fn rate(library: &Library) -> f64 {
    let (started, before) = (Instant::now(), left(library).await);
    tokio::time::sleep(WINDOW).await;
    (before - left(library).await) as f64 / started.elapsed().as_secs_f64()
}
