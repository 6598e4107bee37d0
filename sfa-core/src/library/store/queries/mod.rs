//! The SQL of both databases. This folder is compiled once for each: the parent module says which database it is
//! and what that one spells differently.

mod accounts;
mod batches;
mod changes;
mod cues;
mod identities;
mod insight;
mod jobs;
mod lists;
mod notes;
mod operation;
mod pool;
mod reads;
mod requests;
mod rows;
mod schedules;
mod search;
mod timeline;
mod upkeep;
mod uploads;
mod vault;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::Value;
use sqlx::query::Query;

pub(super) use jobs::take;
pub(super) use pool::Connections;
use pool::Open;

use super::{
    ANNOUNCE, ANNOUNCE_TOPICS, BEGIN, DISK_FULL, Database, FOUND, INDEX_HINT, PACKED, SEARCH_COUNT, Scope,
    copy_rows, listen, pools, take_alone,
};
use crate::library::{Event, LibraryError, LibraryErrorKind, LibraryResult, UserId};

/// The most rows of a page.
const PAGE_LIMIT: i64 = 500;

type Connection = <Database as sqlx::Database>::Connection;
type Arguments = <Database as sqlx::Database>::Arguments;

/// A library's rows.
#[derive(Debug, Clone)]
pub struct Rows {
    pub(super) writer: Connections,
    pub(super) readers: Connections,
    /// For claims, which need not be on disk.
    pub(super) claims: Connections,
    /// Counts what makes some callers others than they were.
    pub(super) account_changes: Arc<AtomicU64>,
}

impl Rows {
    /// Runs one statement in a transaction of its own.
    async fn execute(&self, query: Query<'_, Database, Arguments>) -> LibraryResult<()> {
        query.execute(&self.writer).await.map(|_| ()).map_err(failed)
    }

    async fn begin(&self) -> LibraryResult<Open> {
        self.writer.begin().await.map_err(failed)
    }
}

/// What the database said, as an error of ours: constraints have names, and names have sentences.
pub(super) fn failed(error: sqlx::Error) -> LibraryError {
    let (kind, message) = match error.as_database_error() {
        Some(database) if database.code().is_some_and(|code| code == DISK_FULL) => (
            LibraryErrorKind::NoSpace,
            "the disk of the database is full; make room and try again".to_owned(),
        ),
        Some(database) if database.is_unique_violation() => {
            (LibraryErrorKind::Conflict, already_there(database).to_owned())
        }
        Some(database) if database.is_foreign_key_violation() => {
            (LibraryErrorKind::NotFound, "what this belongs to is not there any more".to_owned())
        }
        Some(database) if database.is_check_violation() => {
            (LibraryErrorKind::Invalid, out_of_range(database))
        }
        _ => (LibraryErrorKind::Database, format!("the database: {error}")),
    };
    LibraryError::new(kind, message).caused_by(error)
}

/// One database names the constraint, the other its columns.
fn already_there(error: &dyn sqlx::error::DatabaseError) -> &'static str {
    let named = error.constraint().unwrap_or_default().to_owned() + error.message();
    if named.contains("tracks_once_per_user") || named.contains("tracks.blob_hash") {
        "this file is in the library already"
    } else if named.contains("playlists_name_once") || named.contains("playlists.name") {
        "there is a playlist of this name already"
    } else if named.contains("identities_of_user") || named.contains("identities.user_id") {
        "this account is linked with another one of that provider"
    } else if named.contains("identities") {
        "somebody here is linked with this account of that provider already"
    } else if named.contains("users_email_once") || named.contains("users.email") {
        "there is an account with this address already"
    } else if named.contains("cues_pad_once") || named.contains("cues.pad") {
        "another cue of this song has this pad; change or remove that one first"
    } else {
        "it is there already"
    }
}

fn out_of_range(error: &dyn sqlx::error::DatabaseError) -> String {
    let named = error.constraint().unwrap_or_default().to_owned() + error.message();
    let sentence = [
        ("tracks_title_length", "a title has 1 to 500 characters"),
        ("tracks_duration", "a track is longer than nothing"),
        ("tracks_bpm", "a tempo is more than nothing"),
        ("tracks_energy", "an energy is 1 to 10"),
        ("playlists_name_length", "the name of a playlist has 1 to 500 characters"),
        ("playlists_rules_length", "the rules of a playlist have 1 to 1000 characters"),
        ("cues_start", "a cue lies after the start of its track"),
        ("cues_order", "a loop ends after it begins"),
        ("cues_pad", "a pad is 0 (A) to 7 (H)"),
        ("batches_total", "a batch has at least one track"),
        ("identities_length", "an issuer has 1 to 500 characters and a subject 1 to 255"),
        ("users_quota", "a quota is not negative"),
        ("users_email_shape", "an address for mail has up to 160 characters"),
        ("requests_key_length", "a key of a request has 1 to 255 characters"),
        ("uploads_size", "an upload is longer than nothing"),
        ("vault_name_length", "the name of a secret has 1 to 160 characters"),
        ("tokens_label_length", "the label of a token has up to 160 characters"),
        ("users_name_length", "the name of a user has 1 to 160 characters"),
        ("queues_limit", "the limit of a queue is at least 1"),
    ]
    .into_iter()
    .find(|(name, _)| named.contains(name));
    sentence.map_or_else(
        || format!("a value is out of its range: {}", error.message()),
        |(_, text)| text.to_owned(),
    )
}

pub(super) fn migration_failed(error: sqlx::migrate::MigrateError) -> LibraryError {
    LibraryError::new(
        LibraryErrorKind::Database,
        format!("the library cannot be brought up to date: {error}"),
    )
    .caused_by(error)
}

/// Writes an event into the log of its topic; the number comes from a row that stays locked to the end of the
/// transaction, so that numbers are published in their order.
async fn record(
    connection: &mut Connection,
    events: &mut Vec<Event>,
    user: UserId,
    topic: String,
    kind: &str,
    payload: Value,
) -> LibraryResult<()> {
    let seq: i64 = sqlx::query_scalar(
        "insert into topics (name, last_seq) values ($1, 1) \
         on conflict (name) do update set last_seq = topics.last_seq + 1 returning last_seq",
    )
    .bind(&topic)
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    sqlx::query(concat!(
        "insert into events (topic, seq, user_id, kind, payload, at_ms) values ($1, $2, $3, $4, $5, ",
        now_ms!(),
        ")"
    ))
    .bind(&topic)
    .bind(seq)
    .bind(user.to_string())
    .bind(kind)
    .bind(payload.to_string())
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    events.push(Event { topic, seq, user, kind: kind.to_owned(), payload });
    Ok(())
}

/// A pattern that finds `letters` anywhere.
fn contained(letters: &str) -> String {
    let mut pattern = String::from("%");
    for letter in letters.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// How many rows a list has whose query asks for `limit` of them; 0 asks for the usual number.
fn rows_of_list(limit: i64) -> i64 {
    if limit == 0 { 100 } else { limit.clamp(1, PAGE_LIMIT) }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
