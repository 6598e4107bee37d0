//! Writing: every [`Change`], one after the other, in one transaction.

use serde_json::{Value, json};
use sfa_audio::analyze::Key;

use super::notes::Notes;
use super::rows::{get, parsed};
use super::{ANNOUNCE, Connection, Rows, Scope, failed, millis, record};
use crate::library::fold::folded;
use crate::library::{
    AnalysisSummary, Batch, BatchId, Blob, Change, Enqueued, ExportFile, JobId, JobState, LibraryError,
    LibraryErrorKind, LibraryResult, LibraryStem, NewJob, NewTrack, NotificationId, Package, PlaylistId,
    Receipt, Settings, Step, Topic, TrackEdit, TrackId, TrackStatus,
};

/// The longest name of an artist or an album, as of a title.
const MOST_CHARACTERS: usize = 500;
/// A running job is further; nothing else has changed.
pub(super) const PROGRESS: &str = "job.progress";

impl Rows {
    pub(super) async fn apply_all(&self, scope: Scope, changes: Vec<Change>) -> LibraryResult<Receipt> {
        let mut receipt = Receipt::default();
        if changes.iter().all(|change| matches!(change, Change::Enqueue(job) if job.is_plain())) {
            // These become one statement, which is a transaction by itself.
            let mut connection = self.writer.lease().await.map_err(failed)?;
            Writer::new(&mut connection, scope, &mut receipt, &mut Notes::default()).apply(changes).await?;
            self.writer.keep(connection);
            return Ok(receipt);
        }
        let mut transaction = self.begin().await?;
        let mut notes = Notes::default();
        let applied = async {
            Writer::new(&mut transaction, scope, &mut receipt, &mut notes).apply(changes).await?;
            notes.write(&mut transaction, &mut receipt.events).await
        }
        .await;
        if let Err(error) = applied {
            // At once, and not when the connection is used again: nobody is to meet rows that are locked for nothing.
            transaction.rollback().await.ok();
            return Err(error);
        }
        transaction.commit().await.map_err(failed)?;
        Ok(receipt)
    }
}

/// One user's changes within a transaction.
pub(super) struct Writer<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) scope: Scope,
    pub(super) receipt: &'a mut Receipt,
    /// What the library's topic is told, once everything else is written.
    pub(super) notes: &'a mut Notes,
    /// Whether workers on other nodes have something to do or to stop.
    has_news: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        connection: &'a mut Connection,
        scope: Scope,
        receipt: &'a mut Receipt,
        notes: &'a mut Notes,
    ) -> Self {
        Self { connection, scope, receipt, notes, has_news: false }
    }

    pub(super) async fn apply(&mut self, changes: Vec<Change>) -> LibraryResult<()> {
        let mut changes = changes.into_iter().peekable();
        while let Some(change) = changes.next() {
            match change {
                Change::Enqueue(job) if job.is_plain() => {
                    let mut jobs = vec![job];
                    while let Some(Change::Enqueue(job)) =
                        changes.next_if(|next| matches!(next, Change::Enqueue(job) if job.is_plain()))
                    {
                        jobs.push(job);
                    }
                    self.enqueue_plain(&jobs).await?;
                }
                change => self.apply_one(change).await?,
            }
        }
        if let Some(statement) = ANNOUNCE.filter(|_| self.has_news) {
            sqlx::query(statement).execute(&mut *self.connection).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn apply_one(&mut self, change: Change) -> LibraryResult<()> {
        match change {
            Change::AddTrack(track) => self.add_track(track).await,
            Change::EditTrack(track, edit) => self.edit_track(track, edit).await,
            Change::RemoveTrack(track) => self.remove_track(track).await,
            Change::SetDuration(track, duration_ms) => self.set_duration(track, duration_ms).await,
            Change::ReplaceStems { track, engine, stems } => self.replace_stems(track, &engine, stems).await,
            Change::ReplaceAnalysis { track, summary, document } => {
                self.replace_analysis(track, &summary, &document).await
            }
            Change::AmendAnalysis { track, before, after } => {
                self.amend_analysis(track, &before, &after).await
            }
            Change::ReplaceCues { track, cues } => self.replace_cues(track, cues).await,
            Change::AddCue(track, id, cue) => self.add_cue(track, id, cue).await,
            Change::SetCue(track, id, cue) => self.set_cue(track, id, &cue).await,
            Change::RemoveCue(track, id) => self.remove_cue(track, id).await,
            Change::ReplaceExports { track, step, files } => self.replace_exports(track, step, files).await,
            Change::Enqueue(job) => self.enqueue(job).await,
            Change::CancelJobs(track) => self.cancel_jobs(track).await,
            Change::CancelJob(job) => self.cancel_job(job).await,
            Change::RetryJob(job) => self.retry_job(job).await,
            Change::NameTrack(job, track) => self.name_track(job, track).await,
            Change::AddBatch(batch) => self.add_batch(batch).await,
            Change::AddPlaylist(id, name) => self.add_playlist(id, &name).await,
            Change::RenamePlaylist(id, name) => self.rename_playlist(id, &name).await,
            Change::RemovePlaylist(id) => self.remove_playlist(id).await,
            Change::SetPlaylistRules(id, rules) => self.set_playlist_rules(id, &rules).await,
            Change::SetPlaylistTracks(id, tracks) => self.set_playlist_tracks(id, &tracks).await,
            Change::AddPackage(package) => self.add_package(package).await,
            Change::RemovePackage(id) => self.remove_package(id).await,
            Change::SetSettings(settings) => self.set_settings(&settings).await,
            Change::Notify { kind, text, track } => self.notify(&kind, &text, track).await,
            Change::Log(entries) => self.tell_log(entries).await,
            Change::MarkNotificationsRead => self.mark_read().await,
        }
    }

    pub(super) fn user(&self) -> String {
        self.scope.user.to_string()
    }

    /// Tells those who follow a track.
    pub(super) async fn tell_track(
        &mut self,
        track: TrackId,
        kind: &str,
        mut payload: Value,
    ) -> LibraryResult<()> {
        payload["track"] = json!(track);
        let Self { connection, scope, receipt, notes, .. } = self;
        if kind != PROGRESS {
            notes.track(scope.user, track);
        }
        record(connection, &mut receipt.events, scope.user, Topic::Track(track).name(), kind, payload).await
    }

    /// Tells those who follow the library, at the end of the transaction.
    async fn tell_library(&mut self, kind: &str, payload: Value) -> LibraryResult<()> {
        self.notes.tell(self.scope.user, kind, payload);
        Ok(())
    }

    async fn tell_log(&mut self, entries: Value) -> LibraryResult<()> {
        let Self { connection, scope, receipt, .. } = self;
        record(connection, &mut receipt.events, scope.user, Topic::Log.name(), "log", entries).await
    }

    /// Fails unless the track is the user's.
    pub(super) async fn own_track(&mut self, track: TrackId) -> LibraryResult<()> {
        self.own("select id from tracks where id = $1 and user_id = $2", "track", track).await
    }

    /// Fails unless `statement` finds the id, `$1`, among what is the user's, `$2`.
    async fn own(
        &mut self,
        statement: &'static str,
        what: &str,
        id: impl ToString + std::fmt::Display,
    ) -> LibraryResult<()> {
        let found: Option<String> = sqlx::query_scalar(statement)
            .bind(id.to_string())
            .bind(self.user())
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(failed)?;
        found.map(|_| ()).ok_or_else(|| LibraryError::not_found(what, id))
    }

    pub(super) async fn forget(&mut self, statement: &'static str, id: impl ToString) -> LibraryResult<()> {
        sqlx::query(statement)
            .bind(id.to_string())
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(failed)
    }

    async fn keep_blob(&mut self, blob: &Blob) -> LibraryResult<()> {
        sqlx::query(concat!(
            "insert into blobs (hash, size_bytes, created_at_ms) values ($1, $2, ",
            now_ms!(),
            ") on conflict (hash) do nothing"
        ))
        .bind(&blob.hash)
        .bind(blob.size_bytes)
        .execute(&mut *self.connection)
        .await
        .map(|_| ())
        .map_err(failed)
    }

    async fn add_track(&mut self, track: NewTrack) -> LibraryResult<()> {
        check_length("artist", track.artist.as_deref())?;
        check_length("album", track.album.as_deref())?;
        self.keep_blob(&track.blob).await?;
        sqlx::query(concat!(
            "insert into tracks (id, user_id, title, artist, album, file_name, blob_hash, search_text, \
             created_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, ",
            now_ms!(),
            ")"
        ))
        .bind(track.id.to_string())
        .bind(self.user())
        .bind(&track.title)
        .bind(&track.artist)
        .bind(&track.album)
        .bind(&track.file_name)
        .bind(&track.blob.hash)
        .bind(search_text(&track.title, track.artist.as_deref(), track.album.as_deref()))
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.notes.track(self.scope.user, track.id);
        self.tell_library("track.added", json!({"track": track.id, "title": track.title})).await
    }

    async fn edit_track(&mut self, track: TrackId, edit: TrackEdit) -> LibraryResult<()> {
        check_length("artist", edit.artist.as_deref())?;
        check_length("album", edit.album.as_deref())?;
        self.own_track(track).await?;
        let row = sqlx::query(
            "update tracks set title = coalesce($2, title), artist = coalesce($3, artist), \
             album = coalesce($4, album) where id = $1 returning title, artist, album",
        )
        .bind(track.to_string())
        .bind(&edit.title)
        .bind(&edit.artist)
        .bind(&edit.album)
        .fetch_one(&mut *self.connection)
        .await
        .map_err(failed)?;
        let (artist, album): (Option<String>, Option<String>) = (get(&row, "artist")?, get(&row, "album")?);
        sqlx::query("update tracks set search_text = $2 where id = $1")
            .bind(track.to_string())
            .bind(search_text(&get::<String>(&row, "title")?, artist.as_deref(), album.as_deref()))
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        self.tell_track(track, "track.edited", json!({})).await
    }

    async fn remove_track(&mut self, track: TrackId) -> LibraryResult<()> {
        self.own_track(track).await?;
        self.forget("delete from tracks where id = $1", track).await?;
        self.tell_library("track.removed", json!({"track": track})).await
    }

    async fn set_duration(&mut self, track: TrackId, duration_ms: i64) -> LibraryResult<()> {
        self.own_track(track).await?;
        self.notes.track(self.scope.user, track);
        sqlx::query("update tracks set duration_ms = $2 where id = $1")
            .bind(track.to_string())
            .bind(duration_ms)
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(failed)
    }

    async fn replace_stems(
        &mut self,
        track: TrackId,
        engine: &str,
        stems: Vec<LibraryStem>,
    ) -> LibraryResult<()> {
        self.own_track(track).await?;
        sqlx::query("delete from stems where track_id = $1 and engine = $2")
            .bind(track.to_string())
            .bind(engine)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        for stem in &stems {
            self.keep_blob(&stem.blob).await?;
            sqlx::query(concat!(
                "insert into stems (track_id, kind, engine, take, blob_hash, file_name, size_bytes, peak_dbfs, \
                 rms_dbfs, created_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, ",
                now_ms!(),
                ")"
            ))
            .bind(track.to_string())
            .bind(&stem.kind)
            .bind(&stem.engine)
            .bind(&stem.take)
            .bind(&stem.blob.hash)
            .bind(&stem.file_name)
            .bind(stem.blob.size_bytes)
            .bind(stem.peak_dbfs)
            .bind(stem.rms_dbfs)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        }
        self.forget(
            "update tracks set has_stems = exists (select 1 from stems where track_id = $1) where id = $1",
            track,
        )
        .await?;
        let kinds: Vec<&str> = stems.iter().map(|stem| stem.kind.as_str()).collect();
        self.tell_track(track, "track.separated", json!({"engine": engine, "stems": kinds})).await
    }

    async fn replace_analysis(
        &mut self,
        track: TrackId,
        summary: &AnalysisSummary,
        document: &str,
    ) -> LibraryResult<()> {
        self.own_track(track).await?;
        let key = summary.key.as_deref().map(str::parse::<Key>).transpose();
        let key = key.map_err(|message| LibraryError::new(LibraryErrorKind::Invalid, message))?;
        sqlx::query(concat!(
            "update tracks set bpm = $2, key_place = $3, energy = $4, lufs = $5, analyzed_at_ms = ",
            now_ms!(),
            " where id = $1"
        ))
        .bind(track.to_string())
        .bind(summary.bpm)
        .bind(key.and_then(|key| i64::try_from(key.wheel_place()).ok()))
        .bind(summary.energy)
        .bind(summary.lufs)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        sqlx::query(concat!(
            "insert into analyses (track_id, document, created_at_ms) values ($1, $2, ",
            now_ms!(),
            ") on conflict (track_id) do update set document = excluded.document, \
             created_at_ms = excluded.created_at_ms"
        ))
        .bind(track.to_string())
        .bind(document)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_track(track, "track.analyzed", json!({"summary": summary})).await
    }

    async fn amend_analysis(&mut self, track: TrackId, before: &str, after: &str) -> LibraryResult<()> {
        self.own_track(track).await?;
        let amended = sqlx::query("update analyses set document = $3 where track_id = $1 and document = $2")
            .bind(track.to_string())
            .bind(before)
            .bind(after)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        if amended.rows_affected() == 0 {
            let message = "the analysis was replaced while something was added to it";
            return Err(LibraryError::new(LibraryErrorKind::Database, message));
        }
        self.tell_track(track, "track.analysis_amended", json!({})).await
    }

    async fn replace_exports(
        &mut self,
        track: TrackId,
        step: Step,
        files: Vec<ExportFile>,
    ) -> LibraryResult<()> {
        self.own_track(track).await?;
        sqlx::query("delete from exports where track_id = $1 and step = $2")
            .bind(track.to_string())
            .bind(step.name())
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        for file in &files {
            self.keep_blob(&file.blob).await?;
            sqlx::query(concat!(
                "insert into exports (track_id, name, blob_hash, size_bytes, step, created_at_ms) \
                 values ($1, $2, $3, $4, $5, ",
                now_ms!(),
                ")"
            ))
            .bind(track.to_string())
            .bind(&file.name)
            .bind(&file.blob.hash)
            .bind(file.blob.size_bytes)
            .bind(step.name())
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        }
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        self.tell_track(track, "track.exported", json!({"step": step, "files": names})).await
    }

    /// Enqueues jobs that depend on nothing, all by one statement.
    async fn enqueue_plain(&mut self, jobs: &[NewJob]) -> LibraryResult<()> {
        let ids: Vec<JobId> = jobs.iter().map(|_| JobId::random()).collect();
        let rows: Vec<Value> = jobs
            .iter()
            .zip(&ids)
            .map(|(job, id)| {
                json!([
                    id,
                    job.queue,
                    job.kind,
                    job.args.to_string(),
                    job.batch,
                    waiting_state(job).name(),
                    job.priority,
                    millis(job.delay),
                    job.max_attempts,
                    json!(job.requires).to_string(),
                ])
            })
            .collect();
        sqlx::query(concat!(
            "insert into jobs (id, user_id, queue, kind, args, batch_id, state, priority, run_at_ms, max_attempts, \
             requires, created_at_ms) select item ->> 0, $1, item ->> 1, item ->> 2, item ->> 3, item ->> 4, \
             item ->> 5, cast(item ->> 6 as bigint), cast(item ->> 7 as bigint) + ",
            now_ms!(),
            ", cast(item ->> 8 as bigint), item ->> 9, ",
            now_ms!(),
            " from ",
            items!("$2")
        ))
        .bind(self.user())
        .bind(json!(rows).to_string())
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.receipt.enqueued.extend(ids.into_iter().map(Enqueued::Inserted));
        self.has_news = true;
        Ok(())
    }

    async fn enqueue(&mut self, job: NewJob) -> LibraryResult<()> {
        if let Some(track) = job.track {
            self.own_track(track).await?;
            self.join_batch(job.batch, track).await?;
        }
        let id = JobId::random();
        let state = waiting_state(&job);
        let inserted: Option<String> = sqlx::query_scalar(concat!(
            "insert into jobs (id, user_id, queue, kind, args, track_id, batch_id, state, priority, run_at_ms, \
             max_attempts, requires, unique_key, created_at_ms) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, ",
            now_ms!(),
            " + $10, $11, $12, $13, ",
            now_ms!(),
            ") on conflict do nothing returning id"
        ))
        .bind(id.to_string())
        .bind(self.user())
        .bind(&job.queue)
        .bind(&job.kind)
        .bind(job.args.to_string())
        .bind(job.track.map(|track| track.to_string()))
        .bind(job.batch.map(|batch| batch.to_string()))
        .bind(state.name())
        .bind(job.priority)
        .bind(millis(job.delay))
        .bind(job.max_attempts)
        .bind(json!(job.requires).to_string())
        .bind(&job.unique_key)
        .fetch_optional(&mut *self.connection)
        .await
        .map_err(failed)?;
        if inserted.is_some() {
            self.receipt.enqueued.push(Enqueued::Inserted(id));
            self.has_news = true;
            return self.tell_job(job.track, id, &job.kind, state).await;
        }
        let existing: Option<_> = sqlx::query(
            "select id from jobs where user_id = $2 and unique_key = $1 \
             and state in ('available', 'scheduled', 'retryable', 'executing')",
        )
        .bind(&job.unique_key)
        .bind(self.user())
        .fetch_optional(&mut *self.connection)
        .await
        .map_err(failed)?;
        let existing = existing.ok_or_else(|| {
            LibraryError::new(LibraryErrorKind::Conflict, "a job with the same key has just ended; try again")
        })?;
        self.receipt.enqueued.push(Enqueued::Existing(parsed(&existing, "id")?));
        Ok(())
    }

    pub(super) async fn tell_job(
        &mut self,
        track: Option<TrackId>,
        job: JobId,
        kind: &str,
        state: JobState,
    ) -> LibraryResult<()> {
        self.notes.job(self.scope.user, job);
        let Some(track) = track else { return Ok(()) };
        let payload = json!({"job": job, "job_kind": kind, "state": state});
        self.tell_track(track, &format!("job.{state}"), payload).await?;
        // Now that the topic is ours: of two jobs that end at once, the second to come here sees that the first has ended.
        self.note_status(track, state).await
    }

    /// Writes what the jobs of a track add up to, after one of them has come to `state`.
    async fn note_status(&mut self, track: TrackId, state: JobState) -> LibraryResult<()> {
        if !state.is_final() {
            let statement = "update tracks set status = 'working' where id = $1 and status <> 'working'";
            return self.forget(statement, track).await;
        }
        let ended = if state == JobState::Discarded { TrackStatus::Failed } else { TrackStatus::Ready };
        sqlx::query(
            "update tracks set status = case when exists (select 1 from jobs where track_id = $1 \
             and state in ('available', 'scheduled', 'retryable', 'executing')) then 'working' else $2 end \
             where id = $1",
        )
        .bind(track.to_string())
        .bind(ended.name())
        .execute(&mut *self.connection)
        .await
        .map(|_| ())
        .map_err(failed)
    }

    async fn cancel_jobs(&mut self, track: TrackId) -> LibraryResult<()> {
        self.own_track(track).await?;
        let rows = sqlx::query(
            "select id from jobs where track_id = $1 \
             and state in ('available', 'scheduled', 'retryable', 'executing')",
        )
        .bind(track.to_string())
        .fetch_all(&mut *self.connection)
        .await
        .map_err(failed)?;
        for row in &rows {
            self.cancel_job(parsed(row, "id")?).await?;
        }
        Ok(())
    }

    /// The job's track, kind and state, where the job is the user's; locked until the transaction ends.
    async fn own_job(&mut self, job: JobId) -> LibraryResult<(Option<TrackId>, String, JobState)> {
        // Writing a row as it is locks it in either database.
        let row = sqlx::query(
            "update jobs set priority = priority where id = $1 and user_id = $2 \
             returning track_id, kind, state",
        )
        .bind(job.to_string())
        .bind(self.user())
        .fetch_optional(&mut *self.connection)
        .await
        .map_err(failed)?
        .ok_or_else(|| LibraryError::not_found("job", job))?;
        Ok((
            super::rows::parsed_if_any(&row, "track_id")?,
            super::rows::get(&row, "kind")?,
            parsed(&row, "state")?,
        ))
    }

    async fn cancel_job(&mut self, job: JobId) -> LibraryResult<()> {
        let (track, kind, state) = self.own_job(job).await?;
        if state.is_final() {
            return Err(LibraryError::new(LibraryErrorKind::Conflict, format!("the job is {state} already")));
        }
        if state == JobState::Executing {
            self.forget("update jobs set cancel_requested = true where id = $1", job).await?;
            self.notes.job(self.scope.user, job);
            self.has_news = true;
            return Ok(());
        }
        self.forget(
            concat!("update jobs set state = 'cancelled', finished_at_ms = ", now_ms!(), " where id = $1"),
            job,
        )
        .await?;
        self.tell_job(track, job, &kind, JobState::Cancelled).await
    }

    async fn retry_job(&mut self, job: JobId) -> LibraryResult<()> {
        let (track, kind, state) = self.own_job(job).await?;
        if !matches!(state, JobState::Retryable | JobState::Discarded | JobState::Cancelled) {
            let message = format!("only a failed or cancelled job can be tried again; this one is {state}");
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        self.forget(
            concat!(
                "update jobs set state = 'available', attempt = 0, snoozes = 0, cancel_requested = false, \
                 progress = 0, stage = '', finished_at_ms = null, run_at_ms = ",
                now_ms!(),
                " where id = $1"
            ),
            job,
        )
        .await?;
        self.has_news = true;
        self.tell_job(track, job, &kind, JobState::Available).await
    }

    async fn name_track(&mut self, job: JobId, track: TrackId) -> LibraryResult<()> {
        self.own_track(track).await?;
        let named =
            sqlx::query("update jobs set track_id = $2 where id = $1 and user_id = $3 and track_id is null")
                .bind(job.to_string())
                .bind(track.to_string())
                .bind(self.user())
                .execute(&mut *self.connection)
                .await
                .map_err(failed)?;
        if named.rows_affected() == 0 {
            return Err(LibraryError::not_found("job without a track", job));
        }
        self.notes.job(self.scope.user, job);
        Ok(())
    }

    /// Counts a track towards a batch.
    async fn join_batch(&mut self, batch: Option<BatchId>, track: TrackId) -> LibraryResult<()> {
        let Some(batch) = batch else { return Ok(()) };
        sqlx::query("insert into batch_tracks (batch_id, track_id) values ($1, $2) on conflict do nothing")
            .bind(batch.to_string())
            .bind(track.to_string())
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(failed)
    }

    async fn add_batch(&mut self, batch: Batch) -> LibraryResult<()> {
        sqlx::query(concat!(
            "insert into batches (id, user_id, name, total, created_at_ms) values ($1, $2, $3, $4, ",
            now_ms!(),
            ")"
        ))
        .bind(batch.id.to_string())
        .bind(self.user())
        .bind(&batch.name)
        .bind(batch.total)
        .execute(&mut *self.connection)
        .await
        .map(|_| ())
        .map_err(failed)
    }

    async fn add_playlist(&mut self, id: PlaylistId, name: &str) -> LibraryResult<()> {
        sqlx::query(concat!(
            "insert into playlists (id, user_id, name, created_at_ms) values ($1, $2, $3, ",
            now_ms!(),
            ")"
        ))
        .bind(id.to_string())
        .bind(self.user())
        .bind(name)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_library("playlist.added", json!({"playlist": id, "name": name})).await
    }

    async fn rename_playlist(&mut self, id: PlaylistId, name: &str) -> LibraryResult<()> {
        let changed = sqlx::query("update playlists set name = $3 where id = $1 and user_id = $2")
            .bind(id.to_string())
            .bind(self.user())
            .bind(name)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        if changed.rows_affected() == 0 {
            return Err(LibraryError::not_found("playlist", id));
        }
        self.tell_library("playlist.renamed", json!({"playlist": id, "name": name})).await
    }

    async fn remove_playlist(&mut self, id: PlaylistId) -> LibraryResult<()> {
        self.own_playlist(id).await?;
        self.forget("delete from playlists where id = $1", id).await?;
        self.tell_library("playlist.removed", json!({"playlist": id})).await
    }

    async fn own_playlist(&mut self, id: PlaylistId) -> LibraryResult<()> {
        self.own("select id from playlists where id = $1 and user_id = $2", "playlist", id).await
    }

    async fn set_playlist_rules(&mut self, id: PlaylistId, rules: &str) -> LibraryResult<()> {
        self.own_playlist(id).await?;
        self.forget("delete from playlist_tracks where playlist_id = $1", id).await?;
        sqlx::query("update playlists set rules = $2 where id = $1")
            .bind(id.to_string())
            .bind(rules)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        self.tell_library("playlist.edited", json!({"playlist": id})).await
    }

    async fn set_playlist_tracks(&mut self, id: PlaylistId, tracks: &[TrackId]) -> LibraryResult<()> {
        let owned = "select id from playlists where id = $1 and user_id = $2 and rules is null";
        self.own(owned, "playlist without rules", id).await?;
        self.forget("delete from playlist_tracks where playlist_id = $1", id).await?;
        for (position, track) in (0_i64..).zip(tracks) {
            self.own_track(*track).await?;
            sqlx::query(
                "insert into playlist_tracks (playlist_id, track_id, position) values ($1, $2, $3) \
                 on conflict do nothing",
            )
            .bind(id.to_string())
            .bind(track.to_string())
            .bind(position)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        }
        self.tell_library("playlist.edited", json!({"playlist": id})).await
    }

    async fn add_package(&mut self, package: Package) -> LibraryResult<()> {
        self.keep_blob(&package.blob).await?;
        sqlx::query(concat!(
            "insert into packages (id, user_id, name, target, tracks, blob_hash, size_bytes, created_at_ms) \
             values ($1, $2, $3, $4, $5, $6, $7, ",
            now_ms!(),
            ")"
        ))
        .bind(package.id.to_string())
        .bind(self.user())
        .bind(&package.name)
        .bind(&package.target)
        .bind(package.tracks)
        .bind(&package.blob.hash)
        .bind(package.blob.size_bytes)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_library("package.added", json!({"package": package.id, "name": package.name})).await
    }

    async fn remove_package(&mut self, id: JobId) -> LibraryResult<()> {
        self.own("select id from packages where id = $1 and user_id = $2", "package", id).await?;
        self.forget("delete from packages where id = $1", id).await?;
        self.tell_library("package.removed", json!({"package": id})).await
    }

    async fn set_settings(&mut self, settings: &Value) -> LibraryResult<()> {
        sqlx::query(
            "insert into settings (user_id, document) values ($1, $2) \
             on conflict (user_id) do update set document = excluded.document",
        )
        .bind(self.user())
        .bind(settings.to_string())
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_library("settings.changed", json!({})).await
    }

    pub(super) async fn notify(
        &mut self,
        kind: &str,
        text: &str,
        track: Option<TrackId>,
    ) -> LibraryResult<()> {
        let id = NotificationId::random();
        sqlx::query(concat!(
            "insert into notifications (id, user_id, track_id, kind, text, created_at_ms) \
             values ($1, $2, $3, $4, $5, ",
            now_ms!(),
            ")"
        ))
        .bind(id.to_string())
        .bind(self.user())
        .bind(track.map(|track| track.to_string()))
        .bind(kind)
        .bind(text)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_library(
            "notification",
            json!({"notification": id, "kind": kind, "text": text, "track": track}),
        )
        .await
    }

    /// Tells how work ended, where its user wants to know.
    pub(super) async fn notify_of_end(
        &mut self,
        state: JobState,
        kind: &str,
        text: &str,
        track: Option<TrackId>,
    ) -> LibraryResult<()> {
        let document: Option<String> = sqlx::query_scalar("select document from settings where user_id = $1")
            .bind(self.user())
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(failed)?;
        // Settings that cannot be read silence nobody.
        let settings = document.and_then(|document| serde_json::from_str::<Settings>(&document).ok());
        if settings.unwrap_or_default().notifications.tell(state) {
            self.notify(kind, text, track).await?;
        }
        Ok(())
    }

    async fn mark_read(&mut self) -> LibraryResult<()> {
        sqlx::query(concat!(
            "update notifications set read_at_ms = ",
            now_ms!(),
            " where user_id = $1 and read_at_ms is null"
        ))
        .bind(self.user())
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_library("notifications.read", json!({})).await
    }
}

/// No index takes a text of any length.
fn check_length(what: &str, text: Option<&str>) -> LibraryResult<()> {
    if text.is_some_and(|text| text.chars().count() > MOST_CHARACTERS) {
        let message = format!("an {what} has up to {MOST_CHARACTERS} characters");
        return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
    }
    Ok(())
}

/// What a search of a track reads: words with a space before each.
fn search_text(title: &str, artist: Option<&str>, album: Option<&str>) -> String {
    let text = folded(&[title, artist.unwrap_or_default(), album.unwrap_or_default()].join(" "));
    text.split_whitespace().fold(String::new(), |text, word| text + " " + word)
}

/// Where a new job begins.
fn waiting_state(job: &NewJob) -> JobState {
    if job.delay.is_zero() { JobState::Available } else { JobState::Scheduled }
}
