//! Reading what belongs to one user.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::rows::{self, get, job_columns, parsed};
use super::{ANNOUNCE_TOPICS, PAGE_LIMIT, Rows, Scope, copy_rows, failed, listen, millis, rows_of_list};
use crate::library::store::{Connections, RowsCopy, Store, Usage};
use crate::library::{
    Batch, BatchId, Blob, Change, Event, ExportFile, Job, JobId, JobMoment, JobQuery, LibraryCue,
    LibraryError, LibraryResult, LibraryStem, News, Notification, Package, Playlist, PlaylistId, Reached,
    Receipt, Storage, Track, TrackId, TrackQuery, UserId,
};

/// The most events read at once.
const EVENTS_LIMIT: i64 = 1000;
/// Topics of one announcement, which has up to 8,000 bytes.
const ANNOUNCED_AT_ONCE: usize = 50;
/// Contents removed by one transaction.
const SWEPT_AT_ONCE: i64 = 100;

#[async_trait]
impl Store for Rows {
    async fn apply(&self, scope: Scope, changes: Vec<Change>) -> LibraryResult<Receipt> {
        self.apply_all(scope, changes).await
    }

    async fn ensure_user(&self, user: UserId, name: &str) -> LibraryResult<()> {
        let query = sqlx::query(concat!(
            "insert into users (id, name, created_at_ms) values ($1, $2, ",
            now_ms!(),
            ") on conflict (id) do nothing"
        ))
        .bind(user.to_string())
        .bind(name);
        self.execute(query).await
    }

    async fn usage(&self, scope: Scope) -> LibraryResult<Usage> {
        let row = sqlx::query(
            "select cast(coalesce(sum(b.size_bytes), 0) as bigint) as used_bytes, \
             (select quota_bytes from users where id = $1) as quota_bytes \
             from blobs b where b.hash in (\
                 select blob_hash from tracks where user_id = $1 \
                 union select s.blob_hash from stems s join tracks t on t.id = s.track_id where t.user_id = $1 \
                 union select e.blob_hash from exports e join tracks t on t.id = e.track_id where t.user_id = $1 \
                 union select blob_hash from packages where user_id = $1)",
        )
        .bind(scope.user.to_string())
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        Ok(Usage { used_bytes: get(&row, "used_bytes")?, quota_bytes: get(&row, "quota_bytes")? })
    }

    async fn set_quota(&self, user: UserId, bytes: Option<i64>) -> LibraryResult<()> {
        let changed = sqlx::query("update users set quota_bytes = $2 where id = $1")
            .bind(user.to_string())
            .bind(bytes)
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        self.note_account_change();
        if changed.rows_affected() == 0 { Err(LibraryError::not_found("user", user)) } else { Ok(()) }
    }

    async fn track(&self, scope: Scope, id: TrackId) -> LibraryResult<Track> {
        self.one_track(scope, id).await
    }

    async fn track_of_blob(&self, scope: Scope, hash: &str) -> LibraryResult<Option<TrackId>> {
        let row = sqlx::query("select id from tracks where user_id = $1 and blob_hash = $2")
            .bind(scope.user.to_string())
            .bind(hash)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.map(|row| parsed(&row, "id")).transpose()
    }

    async fn tracks(&self, scope: Scope, query: &TrackQuery) -> LibraryResult<Vec<Track>> {
        self.page(scope, query).await
    }

    async fn count_tracks(&self, scope: Scope) -> LibraryResult<i64> {
        sqlx::query_scalar("select count(*) from tracks where user_id = $1")
            .bind(scope.user.to_string())
            .fetch_one(&self.readers)
            .await
            .map_err(failed)
    }

    async fn stems(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<LibraryStem>> {
        let found = sqlx::query(
            "select s.kind, s.engine, s.take, s.file_name, s.blob_hash, s.size_bytes, s.peak_dbfs, s.rms_dbfs \
             from stems s join tracks t on t.id = s.track_id where t.user_id = $1 and t.id = $2 \
             order by s.engine, s.kind, s.take",
        )
        .bind(scope.user.to_string())
        .bind(track.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::stem).collect()
    }

    async fn analysis(&self, scope: Scope, track: TrackId) -> LibraryResult<Option<String>> {
        sqlx::query_scalar(
            "select a.document from analyses a join tracks t on t.id = a.track_id \
             where t.user_id = $1 and t.id = $2",
        )
        .bind(scope.user.to_string())
        .bind(track.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)
    }

    async fn cues(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<LibraryCue>> {
        let found = sqlx::query(
            "select c.id, c.kind, c.label, c.start_ms, c.end_ms, c.colour, c.pad, c.confidence, c.is_automatic \
             from cues c join tracks t on t.id = c.track_id where t.user_id = $1 and t.id = $2 \
             order by c.start_ms, c.id",
        )
        .bind(scope.user.to_string())
        .bind(track.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::cue).collect()
    }

    async fn exports(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<ExportFile>> {
        let found = sqlx::query(
            "select e.name, e.step, e.blob_hash, e.size_bytes from exports e join tracks t on t.id = e.track_id \
             where t.user_id = $1 and t.id = $2 order by e.name",
        )
        .bind(scope.user.to_string())
        .bind(track.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::export).collect()
    }

    async fn playlists(&self, scope: Scope) -> LibraryResult<Vec<Playlist>> {
        let found = sqlx::query(
            "select p.id, p.name, p.rules, (select count(*) from playlist_tracks l where l.playlist_id = p.id) as tracks \
             from playlists p where p.user_id = $1 order by p.name",
        )
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        let playlist = |row| {
            Ok(Playlist {
                id: parsed(row, "id")?,
                name: get(row, "name")?,
                rules: get(row, "rules")?,
                tracks: get(row, "tracks")?,
            })
        };
        found.iter().map(playlist).collect()
    }

    async fn playlist_tracks(&self, scope: Scope, playlist: PlaylistId) -> LibraryResult<Vec<TrackId>> {
        let found = sqlx::query(
            "select l.track_id from playlist_tracks l join playlists p on p.id = l.playlist_id \
             where p.user_id = $1 and p.id = $2 order by l.position",
        )
        .bind(scope.user.to_string())
        .bind(playlist.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| parsed(row, "track_id")).collect()
    }

    async fn packages(&self, scope: Scope) -> LibraryResult<Vec<Package>> {
        let found = sqlx::query(
            "select id, name, target, tracks, blob_hash, size_bytes, created_at_ms from packages \
             where user_id = $1 order by created_at_ms desc, id desc",
        )
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::package).collect()
    }

    async fn settings(&self, scope: Scope) -> LibraryResult<Value> {
        let row = sqlx::query("select document from settings where user_id = $1")
            .bind(scope.user.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.map_or_else(|| Ok(Value::Object(serde_json::Map::new())), |row| parsed(&row, "document"))
    }

    async fn notifications(&self, scope: Scope, limit: i64) -> LibraryResult<Vec<Notification>> {
        let found = sqlx::query(
            "select id, kind, text, track_id, created_at_ms, read_at_ms from notifications where user_id = $1 \
             order by created_at_ms desc, id desc limit $2",
        )
        .bind(scope.user.to_string())
        .bind(limit.clamp(0, PAGE_LIMIT))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::notification).collect()
    }

    async fn job(&self, scope: Scope, id: JobId) -> LibraryResult<Job> {
        let row =
            sqlx::query(concat!("select ", job_columns!(), " from jobs where user_id = $1 and id = $2"))
                .bind(scope.user.to_string())
                .bind(id.to_string())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed)?;
        rows::job(&row.ok_or_else(|| LibraryError::not_found("job", id))?)
    }

    async fn job_timeline(&self, scope: Scope, id: JobId) -> LibraryResult<Vec<JobMoment>> {
        self.timeline_of(scope, id).await
    }

    async fn jobs(&self, scope: Scope, query: &JobQuery) -> LibraryResult<Vec<Job>> {
        let found = sqlx::query(concat!(
            "select ",
            job_columns!(),
            " from jobs where user_id = $1 and (cast($2 as text) is null or state = $2) \
             and (cast($3 as text) is null or track_id = $3) order by created_at_ms desc, id desc limit $4"
        ))
        .bind(scope.user.to_string())
        .bind(query.state.map(|state| state.name()))
        .bind(query.track.map(|track| track.to_string()))
        .bind(rows_of_list(query.limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::job).collect()
    }

    async fn unfinished_jobs(&self, scope: Scope) -> LibraryResult<Vec<Job>> {
        let found = sqlx::query(concat!(
            "select ",
            job_columns!(),
            " from jobs where user_id = $1 and state in ('available', 'scheduled', 'retryable', 'executing') \
             order by created_at_ms, id limit $2"
        ))
        .bind(scope.user.to_string())
        .bind(PAGE_LIMIT)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::job).collect()
    }

    async fn batch(&self, scope: Scope, id: BatchId) -> LibraryResult<Batch> {
        self.one_batch(scope, id).await
    }

    async fn batches(&self, scope: Scope, limit: i64) -> LibraryResult<Vec<Batch>> {
        self.newest_batches(scope, limit).await
    }

    async fn tracks_like(&self, scope: Scope, part: &str) -> LibraryResult<Vec<TrackId>> {
        self.ids_like(
            "select id from tracks where user_id = $1 and (id like $2 or id like $3) limit 2",
            scope,
            part,
        )
        .await
    }

    async fn jobs_like(&self, scope: Scope, part: &str) -> LibraryResult<Vec<JobId>> {
        self.ids_like(
            "select id from jobs where user_id = $1 and (id like $2 or id like $3) limit 2",
            scope,
            part,
        )
        .await
    }

    async fn forget_old(&self) -> LibraryResult<u64> {
        self.forget_by_settings().await
    }

    async fn events(&self, scope: Scope, topic: &str, seq: i64) -> LibraryResult<Vec<Event>> {
        let found = sqlx::query(
            "select topic, seq, user_id, kind, payload from events \
             where topic = $1 and seq > $2 and user_id = $3 order by seq limit $4",
        )
        .bind(topic)
        .bind(seq)
        .bind(scope.user.to_string())
        .bind(EVENTS_LIMIT)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::event).collect()
    }

    async fn last_seq(&self, scope: Scope, topic: &str) -> LibraryResult<i64> {
        // Events are forgotten after a while, their numbers are not.
        sqlx::query_scalar(
            "select coalesce((select last_seq from topics where name = $1 and $2 = coalesce(\
                 (select user_id from events where topic = $1 order by seq desc limit 1), $2)), 0)",
        )
        .bind(topic)
        .bind(scope.user.to_string())
        .fetch_one(&self.readers)
        .await
        .map_err(failed)
    }

    async fn last_seqs(&self, topics: &[&str]) -> LibraryResult<Vec<(String, i64)>> {
        let found = sqlx::query(concat!("select name, last_seq from topics where name in ", listed!("$1")))
            .bind(json!(topics).to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        found.iter().map(|row| Ok((get(row, "name")?, get(row, "last_seq")?))).collect()
    }

    async fn announce(&self, topics: &[Reached]) -> LibraryResult<()> {
        let Some(statement) = ANNOUNCE_TOPICS else { return Ok(()) };
        for part in topics.chunks(ANNOUNCED_AT_ONCE) {
            self.execute(sqlx::query(statement).bind(json!(part).to_string())).await?;
        }
        Ok(())
    }

    fn listen(&self, news: mpsc::Sender<News>) {
        listen(self.writer.pool(), news);
    }

    async fn reserve_blob(&self, blob: &Blob) -> LibraryResult<()> {
        let query = sqlx::query(concat!(
            "insert into blobs (hash, size_bytes, created_at_ms) values ($1, $2, ",
            now_ms!(),
            ") on conflict (hash) do update set created_at_ms = excluded.created_at_ms, missing_since_ms = null"
        ))
        .bind(&blob.hash)
        .bind(blob.size_bytes);
        self.execute(query).await
    }

    async fn blobs(&self) -> LibraryResult<Vec<Blob>> {
        let found = sqlx::query("select hash as blob_hash, size_bytes from blobs order by hash")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        found.iter().map(rows::blob).collect()
    }

    async fn sweep_blobs(&self, storage: &Storage, age: Duration) -> LibraryResult<usize> {
        let mut swept = 0;
        loop {
            // The rows stay locked until the files are gone: whoever reserves one of them waits, and then finds
            // that it must be written again.
            let mut transaction = self.begin().await?;
            let unused: Vec<String> = sqlx::query_scalar(concat!(
                "delete from blobs where hash in (select hash from blobs where created_at_ms <= ",
                now_ms!(),
                " - $1 and not exists (select 1 from tracks t where t.blob_hash = blobs.hash) \
                 and not exists (select 1 from stems s where s.blob_hash = blobs.hash) \
                 and not exists (select 1 from exports e where e.blob_hash = blobs.hash) \
                 and not exists (select 1 from packages p where p.blob_hash = blobs.hash) limit $2) returning hash"
            ))
            .bind(millis(age))
            .bind(SWEPT_AT_ONCE)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
            for hash in &unused {
                storage.remove(hash).await?;
            }
            transaction.commit().await.map_err(failed)?;
            if unused.is_empty() {
                return Ok(swept);
            }
            swept += unused.len();
        }
    }

    async fn tracks_with_blob(&self, hash: &str) -> LibraryResult<Vec<(Scope, TrackId)>> {
        let found = sqlx::query(
            "select t.id, t.user_id from tracks t where t.blob_hash = $1 \
             or exists (select 1 from stems s where s.track_id = t.id and s.blob_hash = $1) \
             or exists (select 1 from exports e where e.track_id = t.id and e.blob_hash = $1)",
        )
        .bind(hash)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| Ok((Scope::of(parsed(row, "user_id")?), parsed(row, "id")?))).collect()
    }

    async fn mark_missing(&self, hash: &str) -> LibraryResult<()> {
        let statement = concat!(
            "update blobs set missing_since_ms = ",
            now_ms!(),
            " where hash = $1 and missing_since_ms is null"
        );
        self.execute(sqlx::query(statement).bind(hash)).await
    }

    async fn set_missing(&self, hashes: &[String], as_of_ms: i64) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        for statement in [
            concat!(
                "update blobs set missing_since_ms = null where missing_since_ms <= $2 and hash not in ",
                listed!("$1")
            ),
            concat!(
                "update blobs set missing_since_ms = $2 where missing_since_ms is null and created_at_ms <= $2 \
                 and hash in ",
                listed!("$1")
            ),
        ] {
            let query = sqlx::query(statement).bind(json!(hashes).to_string()).bind(as_of_ms);
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn missing_contents(&self, scope: Scope) -> LibraryResult<Vec<(TrackId, bool)>> {
        let found = sqlx::query(
            "select t.id, cast(1 as bigint) as is_song from blobs b join tracks t on t.blob_hash = b.hash \
             where b.missing_since_ms is not null and t.user_id = $1 \
             union all select t.id, 0 from blobs b join stems s on s.blob_hash = b.hash \
             join tracks t on t.id = s.track_id where b.missing_since_ms is not null and t.user_id = $1 \
             union all select t.id, 0 from blobs b join exports e on e.blob_hash = b.hash \
             join tracks t on t.id = e.track_id where b.missing_since_ms is not null and t.user_id = $1",
        )
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| Ok((parsed(row, "id")?, get::<i64>(row, "is_song")? == 1))).collect()
    }

    async fn copy_rows(&self, folder: &Path) -> LibraryResult<RowsCopy> {
        copy_rows(self, folder).await
    }

    async fn clock_ms(&self) -> LibraryResult<i64> {
        let clock = sqlx::query_scalar(concat!("select ", now_ms!()));
        clock.fetch_one(&self.readers).await.map_err(failed)
    }

    fn connections(&self) -> Connections {
        self.connections_counted()
    }
}

impl Rows {
    /// The first ids that begin with `part` or end with it.
    async fn ids_like<T: FromStr>(
        &self,
        statement: &'static str,
        scope: Scope,
        part: &str,
    ) -> LibraryResult<Vec<T>> {
        // Anything else could mean something in a pattern, and is in no id.
        if !part.bytes().all(|letter| letter.is_ascii_hexdigit() || letter == b'-') {
            return Ok(Vec::new());
        }
        let part = part.to_ascii_lowercase();
        let found = sqlx::query(statement)
            .bind(scope.user.to_string())
            .bind(format!("{part}%"))
            .bind(format!("%{part}"))
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        found.iter().map(|row| parsed(row, "id")).collect()
    }
}
