//! Rows into values.

use std::str::FromStr;

use serde::Deserialize;
use sfa_audio::analyze::Key;
use sqlx::Row as _;

use super::{Database, failed};
use crate::library::{
    AnalysisSummary, Blob, Event, ExportFile, Job, JobState, LibraryCue, LibraryError, LibraryErrorKind,
    LibraryResult, LibraryStem, Notification, Package, Step, Track, TrackId, TrackStatus,
};

pub(super) type Row = <Database as sqlx::Database>::Row;

/// The columns of [`job`].
macro_rules! job_columns {
    () => {
        "id, user_id, queue, kind, args, track_id, batch_id, state, priority, run_at_ms, attempt, max_attempts, \
         run_lease, progress, stage, cancel_requested, requires, error, created_at_ms, finished_at_ms"
    };
}
pub(super) use job_columns;

/// The value of a column.
pub(super) fn get<'r, T>(row: &'r Row, column: &str) -> LibraryResult<T>
where
    T: sqlx::Decode<'r, Database> + sqlx::Type<Database>,
{
    row.try_get(column).map_err(failed)
}

/// The value of a column of text that names something.
pub(super) fn parsed<T: FromStr>(row: &Row, column: &str) -> LibraryResult<T> {
    parse(&get::<String>(row, column)?, column)
}

pub(super) fn parsed_if_any<T: FromStr>(row: &Row, column: &str) -> LibraryResult<Option<T>> {
    get::<Option<String>>(row, column)?.map(|text| parse(&text, column)).transpose()
}

fn parse<T: FromStr>(text: &str, column: &str) -> LibraryResult<T> {
    text.parse().map_err(|_| {
        LibraryError::new(LibraryErrorKind::Database, format!("the database holds {text:?} for {column}"))
    })
}

pub(super) fn job(row: &Row) -> LibraryResult<Job> {
    let requires: serde_json::Value = parsed(row, "requires")?;
    Ok(Job {
        id: parsed(row, "id")?,
        user: parsed(row, "user_id")?,
        queue: get(row, "queue")?,
        kind: get(row, "kind")?,
        args: parsed(row, "args")?,
        track: parsed_if_any(row, "track_id")?,
        batch: parsed_if_any(row, "batch_id")?,
        state: parsed::<JobState>(row, "state")?,
        priority: get(row, "priority")?,
        run_at_ms: get(row, "run_at_ms")?,
        attempt: get(row, "attempt")?,
        max_attempts: get(row, "max_attempts")?,
        run_lease: get(row, "run_lease")?,
        progress: get(row, "progress")?,
        stage: get(row, "stage")?,
        cancel_requested: get(row, "cancel_requested")?,
        requires: serde_json::from_value(requires).unwrap_or_default(),
        error: get(row, "error")?,
        created_at_ms: get(row, "created_at_ms")?,
        finished_at_ms: get(row, "finished_at_ms")?,
    })
}

/// What is read of a track, in the order of the columns.
#[derive(Deserialize)]
struct TrackRow {
    id: TrackId,
    title: String,
    artist: Option<String>,
    album: Option<String>,
    file_name: String,
    blob_hash: String,
    size_bytes: i64,
    duration_ms: Option<i64>,
    created_at_ms: i64,
    analyzed_at_ms: Option<i64>,
    bpm: Option<f64>,
    key_place: Option<i64>,
    energy: Option<i64>,
    lufs: Option<f64>,
    status: TrackStatus,
}

impl From<TrackRow> for Track {
    fn from(row: TrackRow) -> Self {
        let TrackRow { bpm, energy, lufs, .. } = row;
        let key = row.key_place.and_then(|place| Key::at_wheel_place(usize::try_from(place).ok()?));
        let (key, camelot) = (key.map(|key| key.to_string()), key.map(Key::camelot));
        Self {
            id: row.id,
            title: row.title,
            artist: row.artist,
            album: row.album,
            file_name: row.file_name,
            blob: row.blob_hash,
            size_bytes: row.size_bytes,
            duration_ms: row.duration_ms,
            created_at_ms: row.created_at_ms,
            analysis: row.analyzed_at_ms.map(|_| AnalysisSummary { bpm, key, camelot, energy, lufs }),
            status: row.status,
        }
    }
}

pub(super) fn track(row: &Row) -> LibraryResult<Track> {
    let row = TrackRow {
        id: parsed(row, "id")?,
        title: get(row, "title")?,
        artist: get(row, "artist")?,
        album: get(row, "album")?,
        file_name: get(row, "file_name")?,
        blob_hash: get(row, "blob_hash")?,
        size_bytes: get(row, "size_bytes")?,
        duration_ms: get(row, "duration_ms")?,
        created_at_ms: get(row, "created_at_ms")?,
        analyzed_at_ms: get(row, "analyzed_at_ms")?,
        bpm: get(row, "bpm")?,
        key_place: get(row, "key_place")?,
        energy: get(row, "energy")?,
        lufs: get(row, "lufs")?,
        status: parsed(row, "status")?,
    };
    Ok(row.into())
}

/// Tracks that a database has packed into one row.
pub(super) fn packed_tracks(row: &Row) -> LibraryResult<Vec<Track>> {
    let text: String = row.try_get(0).map_err(failed)?;
    let rows: Vec<TrackRow> = serde_json::from_str(&text).map_err(|error| {
        let message = format!("the database holds a track that is none: {error}");
        LibraryError::new(LibraryErrorKind::Database, message)
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) fn blob(row: &Row) -> LibraryResult<Blob> {
    Ok(Blob { hash: get(row, "blob_hash")?, size_bytes: get(row, "size_bytes")? })
}

pub(super) fn stem(row: &Row) -> LibraryResult<LibraryStem> {
    Ok(LibraryStem {
        kind: get(row, "kind")?,
        engine: get(row, "engine")?,
        take: get(row, "take")?,
        file_name: get(row, "file_name")?,
        blob: blob(row)?,
        peak_dbfs: get(row, "peak_dbfs")?,
        rms_dbfs: get(row, "rms_dbfs")?,
    })
}

pub(super) fn export(row: &Row) -> LibraryResult<ExportFile> {
    let name: String = get(row, "step")?;
    let step = Step::named(&name).ok_or_else(|| {
        LibraryError::new(LibraryErrorKind::Database, format!("the database names a step {name:?}"))
    })?;
    Ok(ExportFile { name: get(row, "name")?, step, blob: blob(row)? })
}

pub(super) fn package(row: &Row) -> LibraryResult<Package> {
    Ok(Package {
        id: parsed(row, "id")?,
        name: get(row, "name")?,
        target: get(row, "target")?,
        tracks: get(row, "tracks")?,
        blob: blob(row)?,
        created_at_ms: get(row, "created_at_ms")?,
    })
}

pub(super) fn cue(row: &Row) -> LibraryResult<LibraryCue> {
    Ok(LibraryCue {
        id: parsed(row, "id")?,
        kind: get(row, "kind")?,
        label: get(row, "label")?,
        start_ms: get(row, "start_ms")?,
        end_ms: get(row, "end_ms")?,
        colour: get(row, "colour")?,
        pad: get::<Option<i64>>(row, "pad")?.and_then(|pad| u8::try_from(pad).ok()),
        confidence: get(row, "confidence")?,
        is_automatic: get(row, "is_automatic")?,
    })
}

pub(super) fn event(row: &Row) -> LibraryResult<Event> {
    Ok(Event {
        topic: get(row, "topic")?,
        seq: get(row, "seq")?,
        user: parsed(row, "user_id")?,
        kind: get(row, "kind")?,
        payload: parsed(row, "payload")?,
    })
}

pub(super) fn notification(row: &Row) -> LibraryResult<Notification> {
    Ok(Notification {
        id: parsed(row, "id")?,
        kind: get(row, "kind")?,
        text: get(row, "text")?,
        track: parsed_if_any(row, "track_id")?,
        created_at_ms: get(row, "created_at_ms")?,
        is_read: get::<Option<i64>>(row, "read_at_ms")?.is_some(),
    })
}
