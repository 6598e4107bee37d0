//! The library in one SQLite file: one writer, many readers, a write-ahead log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Pool, Sqlite as Database};
use tokio::sync::mpsc;

use super::{Claim, migrations};
use crate::library::{Job, LibraryResult, News, Scope, UserId};

/// The time by the database's clock, in milliseconds since 1970.
macro_rules! now_ms {
    () => {
        "cast(unixepoch('subsec') * 1000 as integer)"
    };
}
/// Ends a query whose rows nobody else may take at the same time. One writer needs nothing.
macro_rules! locking {
    () => {
        ""
    };
}
/// Whether what a job requires is among what a worker offers.
macro_rules! is_able {
    ($offered:literal) => {
        concat!(
            "not exists (select 1 from json_each(jobs.requires) as need where need.value not in \
             (select value from json_each(",
            $offered,
            ")))"
        )
    };
}
/// The texts of a list in JSON.
macro_rules! listed {
    ($list:literal) => {
        concat!("(select value from json_each(", $list, "))")
    };
}
/// The runs of a list of pairs in JSON, as a table of `run_job` and `run_number`.
macro_rules! runs {
    ($list:literal) => {
        concat!("(select value ->> 0 as run_job, value ->> 1 as run_number from json_each(", $list, "))")
    };
}
/// Begins an object in JSON.
macro_rules! object {
    () => {
        "json_object"
    };
}
/// Text as the JSON that it is.
macro_rules! as_json {
    ($text:literal) => {
        concat!("json(", $text, ")")
    };
}
/// Gives the jobs that are to be taken, as they will be then, as a list in JSON. One row of text and a second statement are
/// much faster here than a row for each job: every row wakes the thread that waits for it.
macro_rules! take {
    () => {
        concat!(
            "select json_group_array(",
            claimed_job!("attempt + 1", "run_lease + 1"),
            ") from (select * ",
            ready!(),
            ")"
        )
    };
}
/// Makes it true.
macro_rules! mark_taken {
    () => {
        Some(concat!("update jobs set ", claimed!("$2", "$3", "$4"), " where id in ", listed!("$1")))
    };
}
/// The values of a list in JSON, as a table of `item`.
macro_rules! items {
    ($list:literal) => {
        concat!("(select value as item from json_each(", $list, ")) as items")
    };
}
/// The comparison that ignores case.
macro_rules! like {
    () => {
        "like"
    };
}

mod copy;
#[path = "queries/mod.rs"]
mod queries;

pub use queries::Rows as SqliteStore;

use copy::copy_rows;
use queries::Connections;

/// A statement that waits longer than this for another process's write gives up.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the file at `path`, makes it where there is none, and brings it up to date.
    ///
    /// # Errors
    /// `Database` when it is not such a file, cannot be written, or comes from a newer version of this program.
    pub async fn open(path: &Path) -> LibraryResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_LIMIT)
            .foreign_keys(true);
        // Connections to a file do not get lost. But where a disk is full, the database ends a transaction by itself, and
        // the driver never stops believing in it.
        let pool = SqlitePoolOptions::new().test_before_acquire(false).before_acquire(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_free) })
        });
        let writer =
            pool.clone().max_connections(1).connect_with(options.clone()).await.map_err(queries::failed)?;
        migrations::sqlite().run(&writer).await.map_err(queries::migration_failed)?;
        let readers = pool.max_connections(READERS).connect_lazy_with(options.read_only(true));
        let (writer, readers) = (Connections::new(writer, 1), Connections::new(readers, READERS));
        let store = Self { claims: writer.clone(), writer, readers, account_changes: Arc::default() };
        super::Store::ensure_user(&store, UserId::LOCAL, "local").await?;
        Ok(store)
    }
}

/// What this database answers when its disk is full.
const DISK_FULL: &str = "13";

const BEGIN: &str = "begin immediate";

/// Takes jobs of the only user who waits.
async fn take_alone(rows: &SqliteStore, claim: &Claim) -> LibraryResult<Vec<Job>> {
    let mut transaction = rows.claims.begin().await.map_err(queries::failed)?;
    let jobs = queries::take(&mut transaction, claim, None, claim.slots).await?;
    transaction.commit().await.map_err(queries::failed)?;
    Ok(jobs)
}

/// How many tracks an index of letters finds, at most `$2`: the database does not know whether to ask it first.
const SEARCH_COUNT: Option<&str> =
    Some("select count(*) from (select 1 from search_index where search_index match $1 limit $2)");

/// Tracks `t` by a word in an index of letters, which stands in between. The cross join keeps the database from going
/// through all tracks.
const FOUND: [&str; 2] = [
    "(select n.track_id from search_numbers n where n.number in \
     (select rowid from search_index where search_index match ",
    ")) as found cross join tracks t on t.id = found.track_id",
];
/// Says by which index tracks are looked up: the database does not know how many each would find.
const INDEX_HINT: Option<&str> = Some(" indexed by ");

/// Around a query for tracks: one row of JSON is much faster here than a row for each, which wakes the thread that waits
/// for it. Numbers come with 15 digits.
const PACKED: Option<[&str; 2]> = Some([
    "select json_group_array(json_array(id, title, artist, album, file_name, blob_hash, size_bytes, duration_ms, \
     created_at_ms, analyzed_at_ms, bpm, key_place, energy, lufs, status)) from (",
    ")",
]);

/// Nothing tells other processes; their workers look every now and then.
const ANNOUNCE: Option<&str> = None;
const ANNOUNCE_TOPICS: Option<&str> = None;

/// Every pool, each once.
fn pools(rows: &SqliteStore) -> [&Connections; 2] {
    [&rows.writer, &rows.readers]
}

/// Says when any other connection has written, on one that does nothing else.
fn listen(pool: &Pool<Database>, news: mpsc::Sender<News>) {
    const LOOK: Duration = Duration::from_millis(500);
    let options = pool.connect_options();
    tokio::spawn(async move {
        let mut connection = None;
        let mut version = None;
        while !news.is_closed() {
            let now = version_of(&options, &mut connection).await.ok();
            // One that cannot be read may be any.
            if now.is_none() || now != version {
                version = now;
                news.send(News::Something).await.ok();
            }
            tokio::select! {
                () = news.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
}

/// A number that is another one after each change that another connection has made.
async fn version_of(
    options: &SqliteConnectOptions,
    connection: &mut Option<SqliteConnection>,
) -> sqlx::Result<i64> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => SqliteConnection::connect_with(options).await?,
    };
    let version = sqlx::query_scalar("pragma data_version").fetch_one(&mut open).await?;
    *connection = Some(open);
    Ok(version)
}
