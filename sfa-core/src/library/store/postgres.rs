//! The library in a PostgreSQL database that several nodes share.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use sqlx::{Connection as _, Pool, Postgres as Database};
use tokio::sync::mpsc;

use super::{Claim, TRUSTED, migrations};
use crate::library::{Job, LibraryResult, News, Scope, UserId};

/// The time by the database's clock, in milliseconds since 1970.
macro_rules! now_ms {
    () => {
        "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"
    };
}
/// Ends a query whose rows nobody else may take at the same time.
macro_rules! locking {
    () => {
        " for update skip locked"
    };
}
/// Whether what a job requires is among what a worker offers.
macro_rules! is_able {
    ($offered:literal) => {
        concat!("cast(jobs.requires as jsonb) <@ cast(", $offered, " as jsonb)")
    };
}
/// The texts of a list in JSON.
macro_rules! listed {
    ($list:literal) => {
        concat!("(select jsonb_array_elements_text(cast(", $list, " as jsonb)))")
    };
}
/// The runs of a list of pairs in JSON, as a table of `run_job` and `run_number`. The limit tells the planner how many they
/// are: it would reckon with a hundred, and rather read all jobs there are than so many by their id.
macro_rules! runs {
    ($list:literal) => {
        concat!(
            "(select pair ->> 0 as run_job, cast(pair ->> 1 as bigint) as run_number \
             from jsonb_array_elements(cast(",
            $list,
            " as jsonb)) as pair limit (select jsonb_array_length(cast(",
            $list,
            " as jsonb))))"
        )
    };
}
/// Begins an object in JSON.
macro_rules! object {
    () => {
        "json_build_object"
    };
}
/// Text as the JSON that it is.
macro_rules! as_json {
    ($text:literal) => {
        concat!("cast(", $text, " as json)")
    };
}
/// Takes jobs, and gives them as a list in JSON. What is taken is marked by the same statement.
macro_rules! take {
    () => {
        concat!(
            "with picked as materialized (select id as picked_id ",
            ready!(),
            " for update skip locked), taken as (update jobs set ",
            claimed!("$6", "$7", "$8"),
            " where id in (select picked_id from picked) returning ",
            claimed_job!("attempt", "run_lease"),
            " as job) select cast(json_agg(job) as text) from taken"
        )
    };
}
macro_rules! mark_taken {
    () => {
        None
    };
}
/// The values of a list in JSON, as a table of `item`.
macro_rules! items {
    ($list:literal) => {
        concat!("jsonb_array_elements(cast(", $list, " as jsonb)) as item")
    };
}
/// The comparison that ignores case.
macro_rules! like {
    () => {
        "ilike"
    };
}

mod copy;
#[path = "queries/mod.rs"]
mod queries;

pub use queries::Rows as PostgresStore;

use copy::copy_rows;
use queries::Connections;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECTIONS: u32 = 16;
/// Of those, the one that hears what is announced.
const LISTENING: u32 = 1;
const CLAIMING_CONNECTIONS: u32 = 2;

impl PostgresStore {
    /// Opens the database at `url`, for example "postgres://sfa@localhost/sfa", and brings it up to date.
    ///
    /// # Errors
    /// `Database` when it cannot be reached, or comes from a newer version of this program.
    pub async fn open(url: &str) -> LibraryResult<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(queries::failed)?
            .application_name("sfa")
            .options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")]);
        // A connection that was in use a moment ago is hardly gone, and to ask it each time would double its work.
        let pool = PgPoolOptions::new()
            .acquire_timeout(CONNECT_LIMIT)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        let writer = pool
            .clone()
            .max_connections(CONNECTIONS)
            .connect_with(options.clone())
            .await
            .map_err(queries::failed)?;
        migrations::postgres().run(&writer).await.map_err(queries::migration_failed)?;
        // Nobody waits until a claim is on disk. If the server crashes before it is, the job is claimed once more, and
        // of its two runs the first that ends counts: what they leave is written with their ends.
        let claims = pool
            .max_connections(CLAIMING_CONNECTIONS)
            .connect_lazy_with(options.options([("synchronous_commit", "off")]));
        let account_changes = Arc::default();
        let (writer, claims) = (
            Connections::new(writer, CONNECTIONS - LISTENING),
            Connections::new(claims, CLAIMING_CONNECTIONS),
        );
        let store = Self { readers: writer.clone(), writer, claims, account_changes };
        super::Store::ensure_user(&store, UserId::LOCAL, "local").await?;
        Ok(store)
    }
}

/// What this database answers when its disk is full.
const DISK_FULL: &str = "53100";

const BEGIN: &str = "begin";

/// Takes jobs of the only user who waits. One statement is a transaction by itself.
async fn take_alone(rows: &PostgresStore, claim: &Claim) -> LibraryResult<Vec<Job>> {
    let mut connection = rows.claims.lease().await.map_err(queries::failed)?;
    let jobs = queries::take(&mut connection, claim, None, claim.slots).await?;
    rows.claims.keep(connection);
    Ok(jobs)
}

/// This database knows by itself whether to ask its index of letters.
const SEARCH_COUNT: Option<&str> = None;

/// Never asked for, since no word is counted.
const FOUND: [&str; 2] = ["tracks t", ""];
/// This database knows by itself which index finds the fewest tracks.
const INDEX_HINT: Option<&str> = None;

/// Rows come as fast by themselves.
const PACKED: Option<[&str; 2]> = None;

/// Tells workers on all nodes, at the end of the transaction, that there is news of jobs. The same news twice in one
/// transaction is told once.
const ANNOUNCE: Option<&str> = Some("select pg_notify('sfa_jobs', '')");

/// Tells all nodes how far topics have come.
const ANNOUNCE_TOPICS: Option<&str> = Some("select pg_notify('sfa_topics', $1)");

/// Hears what is announced, on a connection of its own.
fn listen(pool: &Pool<Database>, news: mpsc::Sender<News>) {
    const RETRY: Duration = Duration::from_secs(1);
    let pool = pool.clone();
    tokio::spawn(async move {
        while !news.is_closed() {
            tokio::select! {
                () = news.closed() => return,
                _ = hear(&pool, &news) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    });
}

/// Every pool, each once.
fn pools(rows: &PostgresStore) -> [&Connections; 2] {
    [&rows.writer, &rows.claims]
}

/// Returns when the connection is lost and there is no other.
async fn hear(pool: &Pool<Database>, news: &mpsc::Sender<News>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(["sfa_jobs", "sfa_topics"]).await?;
    loop {
        // What was announced while nobody listened may be anything.
        for missed in [News::Jobs, News::Something] {
            news.send(missed).await.ok();
        }
        while let Some(notification) = listener.try_recv().await? {
            news.send(meaning(&notification)).await.ok();
        }
    }
}

fn meaning(notification: &PgNotification) -> News {
    if notification.channel() == "sfa_jobs" {
        return News::Jobs;
    }
    // A newer version may say it in another way.
    serde_json::from_str(notification.payload()).map_or(News::Something, News::Topics)
}
