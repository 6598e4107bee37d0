//! The front door of a library.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use sfa_audio::io::AudioReader;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::apart::{ChildProgram, Crew};
use super::bus::{Bus, Follower, Listening};
use super::download::Guard;
use super::file_names::{self, FileNames};
use super::memory::MemoryBudget;
use super::nightly;
use super::package::{self, PackageOrder, PackagePlan};
use super::pipeline::{self, Pipeline};
use super::restore;
use super::vault::VaultKeys;
use super::worker::{self, Bench, Handler, Worker, WorkerOptions};
use super::{
    Batch, BatchId, Blob, Change, Database, Enqueued, JobId, JobState, LibraryError, LibraryErrorKind,
    LibraryResult, Link, LinkKeys, NewJob, NewTrack, PostgresStore, Receipt, Scope, Secret, Settings,
    SqliteStore, Staged, Step, Storage, StorageKeys, Topic, Track, TrackId, UserStatus,
};
use crate::{ErrorKind, Studio, naming};

pub(super) const DATABASE_FILE: &str = "library.sqlite";
/// Disk that is always left free, so that the database can still be written when songs have filled the rest.
const RESERVED_BYTES: u64 = 256 << 20;

/// A content that nothing has.
const NO_CONTENT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where a library is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibraryConfig {
    /// The folder of the files, and of the database unless that is elsewhere. Made where there is none.
    pub folder: PathBuf,
    /// "postgres://…", for a library that several machines share. Default: a file in the folder.
    pub database_url: Option<String>,
    /// "s3://bucket/folder?endpoint=…" for the files of a library that several machines share, see [`Storage::at`].
    /// Default: a folder in the folder.
    pub storage_url: Option<String>,
    /// What opens that store. Default: the environment.
    pub storage_keys: Option<StorageKeys>,
    /// What links to files are signed with, the secret in use first; the same on all machines that share a library.
    /// Default: one in a file in the folder, made at first.
    pub secrets: Vec<Secret>,
    /// What the secrets of users are sealed with, the one in use first; the same on all machines that share a library.
    /// Default: some in a file in the folder, made when they are first needed.
    pub vault_secrets: Vec<Secret>,
    /// Whether songs may also be fetched from this machine and those beside it, which no stranger should be able to have
    /// asked. Default: from the public internet alone.
    pub private_addresses: bool,
}

impl LibraryConfig {
    /// Everything in one folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            database_url: None,
            storage_url: None,
            storage_keys: None,
            secrets: Vec::new(),
            vault_secrets: Vec::new(),
            private_addresses: false,
        }
    }

    /// `SFA_DATA_DIR`, or this system's folder for the data of programs; the rows where `SFA_DATABASE_URL` says and
    /// the files where `SFA_STORAGE_URL` says, or in the folder; secrets from `SFA_SECRETS` and `SFA_VAULT_SECRETS`,
    /// separated by commas.
    ///
    /// # Errors
    /// `Invalid` where the system names no such folder, or for what is no secret.
    pub fn default_place() -> LibraryResult<Self> {
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = match named("SFA_DATA_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => directories::ProjectDirs::from("", "", "sound-forge-alchemy")
                .map(|folders| folders.data_dir().join("library"))
                .ok_or_else(|| {
                    let message = "this system names no folder for data; set SFA_DATA_DIR";
                    LibraryError::new(LibraryErrorKind::Invalid, message)
                })?,
        };
        let text = |name| named(name).map(|value| value.to_string_lossy().into_owned());
        let config = Self {
            database_url: text("SFA_DATABASE_URL"),
            storage_url: text("SFA_STORAGE_URL"),
            ..Self::in_folder(folder)
        };
        let config = config.vault_secrets(&text("SFA_VAULT_SECRETS").unwrap_or_default())?;
        config.secrets(&text("SFA_SECRETS").unwrap_or_default())
    }

    /// Whether there is a library already, as far as can be told without opening it.
    pub fn is_there(&self) -> bool {
        self.database_url.is_some() || self.folder.join(DATABASE_FILE).is_file()
    }

    /// The rows in a PostgreSQL database.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// The files in an object store.
    #[must_use]
    pub fn storage_url(mut self, url: impl Into<String>) -> Self {
        self.storage_url = Some(url.into());
        self
    }

    /// Songs fetched from machines of private networks as well, or not.
    #[must_use]
    pub fn private_addresses(mut self, are_allowed: bool) -> Self {
        self.private_addresses = are_allowed;
        self
    }

    /// Links signed with these secrets, separated by commas, the one in use first.
    ///
    /// # Errors
    /// `Invalid` for what is no secret.
    pub fn secrets(mut self, list: &str) -> LibraryResult<Self> {
        self.secrets = listed(list)?;
        Ok(self)
    }

    /// Secrets of users sealed with these, separated by commas, the one in use first.
    ///
    /// # Errors
    /// `Invalid` for what is no secret.
    pub fn vault_secrets(mut self, list: &str) -> LibraryResult<Self> {
        self.vault_secrets = listed(list)?;
        Ok(self)
    }
}

fn listed(list: &str) -> LibraryResult<Vec<Secret>> {
    list.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(str::parse).collect()
}

/// A studio that remembers: tracks, what was made of them, work to do, and what has happened.
///
/// Clones are the same library. Calls are for a tokio runtime and return quickly: work on audio is a job, and is
/// done where a worker was started, see [`start_worker`](Self::start_worker).
#[derive(Clone)]
pub struct Library {
    database: Arc<dyn Database>,
    storage: Storage,
    studio: Arc<Studio>,
    crew: Arc<dyn Crew>,
    folder: Arc<PathBuf>,
    links: Arc<LinkKeys>,
    vault_keys: Arc<VaultKeys>,
    guard: Guard,
    bus: Bus,
    wake: Arc<Notify>,
}

/// A song that was taken in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The track.
    pub track: Track,
    /// Whether it was not there before.
    pub is_new: bool,
    /// The first job on it, where there is something to do.
    pub job: Option<JobId>,
}

/// A file that is in the store and not yet in the library.
pub(super) struct Taken {
    pub(super) track: TrackId,
    /// Whether the user has it not yet.
    pub(super) is_new: bool,
    /// What makes it a track and asks for the first step of its work.
    pub(super) changes: Vec<Change>,
}

impl Studio {
    /// Opens the library at `config`, or makes one, with this studio to do its work.
    ///
    /// # Errors
    /// `Database` when the rows cannot be reached, `Storage` when the files cannot, `Conflict` where a backup was not
    /// brought back to its end.
    pub async fn open(self, config: LibraryConfig) -> LibraryResult<Library> {
        std::fs::create_dir_all(&config.folder)
            .map_err(|error| LibraryError::storage(&config.folder, error))?;
        restore::make_sure_of_whole(&config.folder)?;
        let storage = Storage::of_library(&config).await?;
        let folder = config.folder;
        let database: Arc<dyn Database> = match &config.database_url {
            Some(url) => Arc::new(PostgresStore::open(url).await?),
            None => Arc::new(SqliteStore::open(&folder.join(DATABASE_FILE)).await?),
        };
        let links = Arc::new(LinkKeys::of_library(&folder, &config.secrets)?);
        let vault_keys = Arc::new(VaultKeys::of_library(&folder, config.vault_secrets));
        let guard = if config.private_addresses { Guard::everywhere() } else { Guard::public() };
        let wake = Arc::new(Notify::new());
        let studio = Arc::new(self);
        Ok(Library {
            bus: Bus::start(&database, &wake),
            database,
            storage,
            crew: Arc::clone(&studio) as Arc<dyn Crew>,
            studio,
            folder: Arc::new(folder),
            links,
            vault_keys,
            guard,
            wake,
        })
    }
}

impl Library {
    /// The same library, whose workers do the work on audio in child processes: a file or a model that takes its
    /// process down fails its job and nothing else. Without this it is done in this process.
    #[must_use]
    pub fn with_children(mut self, program: ChildProgram) -> Self {
        self.crew = Arc::new(program);
        self
    }

    /// The rows, for reading.
    pub fn rows(&self) -> &dyn Database {
        &*self.database
    }

    /// The files, for reading.
    pub fn files(&self) -> &Storage {
        &self.storage
    }

    /// Whether rows and files can be read now.
    ///
    /// # Errors
    /// `Database` when the rows cannot, `Storage` when the files cannot.
    pub async fn reach(&self) -> LibraryResult<()> {
        self.database.queues().await?;
        // Whether the store answers is what counts.
        self.storage.size_bytes(NO_CONTENT).await.map(|_| ())
    }

    /// The studio that does its work.
    pub fn studio(&self) -> &Studio {
        &self.studio
    }

    /// The folder that everything is in which is nowhere else.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who does the work on audio.
    pub(super) fn crew(&self) -> &dyn Crew {
        &*self.crew
    }

    /// Which machines are asked for songs.
    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(super) fn vault_keys(&self) -> &VaultKeys {
        &self.vault_keys
    }

    /// Makes changes, all of them or none, and tells whoever listens.
    ///
    /// # Errors
    /// Those of each [`Change`].
    pub async fn apply(&self, scope: Scope, changes: Vec<Change>) -> LibraryResult<Receipt> {
        let receipt = self.database.apply(scope, changes).await?;
        self.bus.publish(&receipt.events);
        self.wake.notify_one();
        Ok(receipt)
    }

    /// Takes a song in and asks for the first step of its work. A file that the user has already is the track
    /// that it is.
    ///
    /// # Errors
    /// `Audio` when it is not a song, `NoSpace` when quota or disk are full, `Storage` when it cannot be read.
    pub async fn import(&self, scope: Scope, path: &Path) -> LibraryResult<Imported> {
        self.import_steps(scope, path, None, &Step::ALL).await
    }

    /// [`import`](Self::import), counted towards a batch.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn import_into(
        &self,
        scope: Scope,
        path: &Path,
        batch: Option<BatchId>,
    ) -> LibraryResult<Imported> {
        self.import_steps(scope, path, batch, &Step::ALL).await
    }

    /// Imports, and begins with the first step that is both wanted and `allowed`.
    pub(super) async fn import_steps(
        &self,
        scope: Scope,
        path: &Path,
        batch: Option<BatchId>,
        allowed: &[Step],
    ) -> LibraryResult<Imported> {
        let settings = self.settings(scope).await?;
        let Taken { track, is_new, changes } = self.take_in(scope, path, batch, &settings, allowed).await?;
        let mut job = None;
        if is_new {
            job = self.apply(scope, changes).await?.enqueued.first().map(|job| job.id());
        }
        Ok(Imported { track: self.database.track(scope, track).await?, is_new, job })
    }

    /// Puts a file into the store, and says what makes a track of it.
    pub(super) async fn take_in(
        &self,
        scope: Scope,
        path: &Path,
        batch: Option<BatchId>,
        settings: &Settings,
        allowed: &[Step],
    ) -> LibraryResult<Taken> {
        let size = tokio::fs::metadata(path).await.map_err(|error| LibraryError::storage(path, error))?.len();
        if let Some(limit) = settings.largest_import_bytes.filter(|&limit| size > limit) {
            let message = format!("this file has {size} bytes, and largest_import_bytes is {limit}");
            return Err(LibraryError::new(LibraryErrorKind::NoSpace, message));
        }
        self.make_sure_of_space(scope, size).await?;
        let tags = read_tags(path).await?;
        let file_name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let blob = self.publish(self.storage.stage_file(path).await?).await?;
        if let Some(track) = self.database.track_of_blob(scope, &blob.hash).await? {
            return Ok(Taken { track, is_new: false, changes: Vec::new() });
        }
        let title = naming::shown(tags.title.as_deref()).unwrap_or_else(|| naming::file_stem(&file_name));
        let track = NewTrack {
            id: TrackId::random(),
            title: shortened(title),
            artist: naming::shown(tags.artist.as_deref()).map(shortened),
            album: naming::shown(tags.album.as_deref()).map(shortened),
            file_name,
            blob,
        };
        let id = track.id;
        let mut first = settings.after(None);
        while let Some(step) = first.filter(|step| !allowed.contains(step)) {
            first = settings.after(Some(step));
        }
        let mut changes = vec![Change::AddTrack(track)];
        changes.extend(first.map(|step| Change::Enqueue(pipeline::job(step, id, batch, false))));
        Ok(Taken { track: id, is_new: true, changes })
    }

    /// Gives a staged content its name, which no sweep takes away before a row names it.
    pub(super) async fn publish(&self, staged: Staged) -> LibraryResult<Blob> {
        self.database.reserve_blob(staged.blob()).await?;
        self.storage.publish(staged).await
    }

    /// Opens a batch for so many tracks; import into it, or process with it.
    ///
    /// # Errors
    /// `Invalid` for none.
    pub async fn open_batch(&self, scope: Scope, name: &str, total: i64) -> LibraryResult<BatchId> {
        let id = BatchId::random();
        let batch = Batch { id, name: name.to_owned(), total, done: 0, failed: 0 };
        self.apply(scope, vec![Change::AddBatch(batch)]).await?;
        Ok(id)
    }

    /// The track whose id is `text`, or the one whose id begins or ends so.
    ///
    /// # Errors
    /// `NotFound`, or `Invalid` where there are several.
    pub async fn find_track(&self, scope: Scope, text: &str) -> LibraryResult<TrackId> {
        match text.parse() {
            Ok(id) => Ok(id),
            Err(_) => the_one("track", text, self.database.tracks_like(scope, text).await?),
        }
    }

    /// The job whose id is `text`, or the one whose id begins or ends so.
    ///
    /// # Errors
    /// `NotFound`, or `Invalid` where there are several.
    pub async fn find_job(&self, scope: Scope, text: &str) -> LibraryResult<JobId> {
        match text.parse() {
            Ok(id) => Ok(id),
            Err(_) => the_one("job", text, self.database.jobs_like(scope, text).await?),
        }
    }

    /// Asks for the steps of a track from `from` on, although they may be done already: what they make replaces
    /// what was there when it is finished, not before.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn process(&self, scope: Scope, track: TrackId, from: Step) -> LibraryResult<Enqueued> {
        self.process_with(scope, track, from, Map::new()).await
    }

    pub(super) async fn enqueue(&self, scope: Scope, job: NewJob) -> LibraryResult<Enqueued> {
        let receipt = self.apply(scope, vec![Change::Enqueue(job)]).await?;
        receipt.enqueued.first().copied().ok_or_else(|| {
            LibraryError::new(LibraryErrorKind::Internal, "the queue gave no answer; please report it")
        })
    }

    /// [`process`](Self::process) where some settings are others for the step `from`, and for it alone.
    ///
    /// # Errors
    /// And `Invalid` for what is no setting, or not a value of it.
    pub async fn process_with(
        &self,
        scope: Scope,
        track: TrackId,
        from: Step,
        settings: Map<String, Value>,
    ) -> LibraryResult<Enqueued> {
        let mut job = pipeline::job(from, track, None, true);
        if !settings.is_empty() {
            self.check_settings(&self.settings(scope).await?.with_all(&settings)?)?;
            job.args[pipeline::SETTINGS] = Value::Object(settings);
        }
        self.enqueue(scope, job).await
    }

    /// [`process`](Self::process) for each of several tracks, all of them or none, as a batch of this name.
    ///
    /// # Errors
    /// `NotFound`, and `Invalid` for no tracks.
    pub async fn process_all(
        &self,
        scope: Scope,
        tracks: &[TrackId],
        from: Step,
        name: &str,
    ) -> LibraryResult<BatchId> {
        let mut tracks = tracks.to_vec();
        tracks.sort_unstable();
        tracks.dedup();
        let total = i64::try_from(tracks.len()).unwrap_or(i64::MAX);
        let id = BatchId::random();
        let mut changes =
            vec![Change::AddBatch(Batch { id, name: name.to_owned(), total, done: 0, failed: 0 })];
        changes.extend(
            tracks.into_iter().map(|track| Change::Enqueue(pipeline::job(from, track, Some(id), true))),
        );
        self.apply(scope, changes).await?;
        Ok(id)
    }

    /// The user's settings.
    ///
    /// # Errors
    /// `Invalid` when what is kept cannot be used.
    pub async fn settings(&self, scope: Scope) -> LibraryResult<Settings> {
        Settings::from_json(self.database.settings(scope).await?)
    }

    /// Replaces the user's settings.
    ///
    /// # Errors
    /// `Invalid` for a value out of its range.
    pub async fn set_settings(&self, scope: Scope, settings: &Settings) -> LibraryResult<()> {
        self.check_settings(settings)?;
        let document = serde_json::to_value(settings).map_err(|error| {
            LibraryError::new(LibraryErrorKind::Internal, "settings cannot be written").caused_by(error)
        })?;
        self.apply(scope, vec![Change::SetSettings(document)]).await.map(|_| ())
    }

    fn check_settings(&self, settings: &Settings) -> LibraryResult<()> {
        settings.check()?;
        // What is missing here may be there where the work is done.
        match self.studio.choose_engine(&settings.separate_options()?) {
            Err(error) if error.kind() == ErrorKind::InvalidOption => {
                Err(LibraryError::new(LibraryErrorKind::Invalid, error.to_string()).caused_by(error))
            }
            _ => Ok(()),
        }
    }

    /// Gives the user the defaults, those of later versions too.
    ///
    /// # Errors
    /// `Database` when it cannot be written.
    pub async fn reset_settings(&self, scope: Scope) -> LibraryResult<()> {
        self.apply(scope, vec![Change::SetSettings(serde_json::json!({}))]).await.map(|_| ())
    }

    /// The events of a topic after number `after`, and then those to come.
    pub fn follow(&self, scope: Scope, topic: Topic, after: i64) -> Follower {
        self.bus.follow(Arc::clone(&self.database), scope, topic, after)
    }

    /// What those cost who follow something.
    pub fn listening(&self) -> Listening {
        self.bus.listening()
    }

    /// Waits until nothing is left to do for a track, and tells `on_progress` the step and its percentage.
    ///
    /// # Errors
    /// `Audio` with the reason when a step failed for good, `Cancelled` when it was stopped, `NotFound`.
    pub async fn wait(
        &self,
        scope: Scope,
        track: TrackId,
        mut on_progress: impl FnMut(&str, i64),
    ) -> LibraryResult<Track> {
        let topic = Topic::Track(track);
        // Events before this moment are not missed: the state that is read next contains them.
        let last = self.database.last_seq(scope, &topic.name()).await?;
        let mut events = self.follow(scope, topic, last);
        loop {
            let state = self.database.track(scope, track).await?;
            match state.status {
                super::TrackStatus::Ready => return Ok(state),
                super::TrackStatus::Failed => return Err(self.failure(scope, track).await?),
                super::TrackStatus::Working => {}
            }
            let event = events.next().await?;
            match event.kind.as_str() {
                "track.cancelled" => {
                    return Err(LibraryError::new(LibraryErrorKind::Cancelled, "stopped on request"));
                }
                "job.progress" => {
                    let payload = &event.payload;
                    on_progress(
                        payload["job_kind"].as_str().unwrap_or_default(),
                        payload["progress"].as_i64().unwrap_or(0),
                    );
                }
                _ => {}
            }
        }
    }

    async fn failure(&self, scope: Scope, track: TrackId) -> LibraryResult<LibraryError> {
        let query = super::JobQuery { state: Some(JobState::Discarded), track: Some(track), limit: 1 };
        let error = self.database.jobs(scope, &query).await?.pop().and_then(|job| job.error);
        let message = error.unwrap_or_else(|| "it failed, and the reason is not known any more".to_owned());
        Ok(LibraryError::new(LibraryErrorKind::Audio, message))
    }

    /// Starts doing the jobs of this library in this process, and has it tidied up each night.
    ///
    /// # Errors
    /// `Database` when it cannot be reached.
    pub async fn start_worker(&self, mut options: WorkerOptions) -> LibraryResult<Worker> {
        options.schedules.push(nightly::schedule(options.nightly.clone()));
        let handler =
            Pipeline { library: self.clone(), memory: MemoryBudget::default(), runtime: Handle::current() };
        self.start_worker_with(Arc::new(handler), options).await
    }

    /// Starts doing jobs of an app's own kinds, enqueued with [`Change::Enqueue`], in this process. Songs are worked on, and
    /// the library is tidied up, by [others](Self::start_worker).
    ///
    /// # Errors
    /// `Database` when it cannot be reached.
    pub async fn start_worker_with(
        &self,
        handler: Arc<dyn Handler>,
        options: WorkerOptions,
    ) -> LibraryResult<Worker> {
        let bench = Bench {
            database: Arc::clone(&self.database),
            bus: self.bus.clone(),
            wake: Arc::clone(&self.wake),
            handler,
        };
        worker::start(bench, options).await
    }

    /// Waits until nothing waits or runs in the queues of a worker.
    ///
    /// # Errors
    /// `Database` when it cannot be reached.
    pub async fn drained(&self, options: &WorkerOptions) -> LibraryResult<()> {
        loop {
            let queues = self.database.queues().await?;
            let busy = |name: &str| {
                queues.iter().any(|queue| queue.name == name && queue.waiting + queue.running > 0)
            };
            if !options.queues.iter().any(|(name, _)| busy(name)) {
                return Ok(());
            }
            tokio::time::sleep(options.poll / 4).await;
        }
    }

    /// Copies a track's song, stems and exports into `folder`, which is made where there is none, and returns
    /// where they are. Files of the same name are replaced.
    ///
    /// # Errors
    /// `NotFound`, or `Storage` when something cannot be written.
    pub async fn check_out(
        &self,
        scope: Scope,
        track: TrackId,
        folder: &Path,
    ) -> LibraryResult<Vec<PathBuf>> {
        let song = self.database.track(scope, track).await?;
        let stems = self.database.stems(scope, track).await?;
        let exports = self.database.exports(scope, track).await?;
        let names = FileNames::new(&self.settings(scope).await?.stem_names)?;
        let mut files = vec![(naming::safe_name(&song.file_name), song.blob.clone())];
        files.extend(stems.into_iter().map(|stem| (names.of(&song, &stem), stem.blob.hash)));
        files.extend(exports.into_iter().map(|file| (naming::safe_name(&file.name), file.blob.hash)));
        file_names::make_unique(&mut files);
        std::fs::create_dir_all(folder).map_err(|error| LibraryError::storage(folder, error))?;
        let mut paths = Vec::new();
        for (name, hash) in files {
            paths.push(self.storage.copy_out(&hash, folder, &name).await?);
        }
        Ok(paths)
    }

    /// What a package would hold.
    ///
    /// # Errors
    /// `NotFound` for songs that the user has not, `Invalid` for an order that nobody could fill.
    pub async fn plan_package(&self, scope: Scope, order: &PackageOrder) -> LibraryResult<PackagePlan> {
        package::plan(&*self.database, scope, order).await
    }

    /// Asks for a package. It is among the packages once the job is done.
    ///
    /// # Errors
    /// As [`plan_package`](Self::plan_package); `Invalid` where there is nothing to pack, `NoSpace`.
    pub async fn order_package(&self, scope: Scope, order: &PackageOrder) -> LibraryResult<JobId> {
        let plan = self.plan_package(scope, order).await?;
        if plan.files.is_empty() {
            let message = format!("there is nothing to pack: {}", plan.notes.join("; "));
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        let bytes: i64 = plan.files.iter().filter_map(|file| file.size_bytes).sum();
        self.make_sure_of_space(scope, u64::try_from(bytes).unwrap_or(0)).await?;
        Ok(self.enqueue(scope, pipeline::package::job(order)).await?.id())
    }

    /// The query of an address that lets anybody read one of the user's contents for so long. Whoever serves contents
    /// passes it to [`follow_link`](Self::follow_link). With a file name a browser saves the content under it.
    ///
    /// # Errors
    /// `NotFound` when the user has no such content.
    pub async fn link(
        &self,
        scope: Scope,
        hash: &str,
        file_name: &str,
        lifetime: Duration,
    ) -> LibraryResult<String> {
        self.make_sure_of_content(scope, hash).await?;
        let lifetime_ms = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        Ok(self.links.sign(&Link {
            hash: hash.to_owned(),
            user: scope.user,
            expires_at_ms: now_ms().saturating_add(lifetime_ms),
            file_name: file_name.to_owned(),
        }))
    }

    /// What the address of content `hash` with this query allows now. A link ends with the content, and when its
    /// user is not let in any more.
    ///
    /// # Errors
    /// `NotFound` for a link that is not valid, or is over.
    pub async fn follow_link(&self, hash: &str, query: &str) -> LibraryResult<Link> {
        let link = self.links.read(hash, query, now_ms())?;
        self.make_sure_of_content(Scope::of(link.user), hash).await?;
        if self.database.user(link.user).await?.status != UserStatus::Active {
            return Err(LibraryError::not_found("active user", link.user));
        }
        Ok(link)
    }

    /// Refuses a content that the user has not.
    ///
    /// # Errors
    /// `NotFound`, whether somebody else has it or nobody.
    pub async fn make_sure_of_content(&self, scope: Scope, hash: &str) -> LibraryResult<()> {
        let owners = self.database.tracks_with_blob(hash).await?;
        let is_theirs = owners.iter().any(|(owner, _)| *owner == scope)
            || self.database.packages(scope).await?.iter().any(|package| package.blob.hash == hash);
        if is_theirs { Ok(()) } else { Err(LibraryError::not_found("content", hash)) }
    }

    /// Refuses a file that there is no room for, and says how large one could be.
    pub(super) async fn make_sure_of_space(&self, scope: Scope, size: u64) -> LibraryResult<u64> {
        let usage = self.database.usage(scope).await?;
        let size_bytes = i64::try_from(size).unwrap_or(i64::MAX);
        if let Some(quota) = usage.quota_bytes
            && usage.used_bytes.saturating_add(size_bytes) > quota
        {
            let message = format!(
                "{} of {} MB are used; this file of {} MB does not fit",
                usage.used_bytes >> 20,
                quota >> 20,
                size_bytes >> 20
            );
            return Err(LibraryError::new(LibraryErrorKind::NoSpace, message));
        }
        // Elsewhere it is for that store to say that it is full; here the database needs room.
        let size = if self.storage.is_local() { size } else { 0 };
        let free = fs4::available_space(&*self.folder)
            .map_err(|error| LibraryError::storage(&self.folder, error))?;
        if free < size.saturating_add(RESERVED_BYTES) {
            let message = format!("only {} MB are free on the disk of {}", free >> 20, self.folder.display());
            return Err(LibraryError::new(LibraryErrorKind::NoSpace, message));
        }
        let of_quota = usage
            .quota_bytes
            .map_or(u64::MAX, |quota| u64::try_from(quota.saturating_sub(usage.used_bytes)).unwrap_or(0));
        // Whatever comes, comes to this disk first.
        Ok(of_quota.min(free - RESERVED_BYTES))
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The only one of those found by a part of their id.
fn the_one<T>(what: &str, part: &str, found: Vec<T>) -> LibraryResult<T> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            Err(LibraryError::not_found(what, format_args!("whose id begins or ends with {part:?}")))
        }
        _ => {
            let message = format!("the ids of several {what}s begin or end with {part:?}; give more of it");
            Err(LibraryError::new(LibraryErrorKind::Invalid, message))
        }
    }
}

pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// As much of a text as a library takes.
fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}

/// What a file says about itself; fails for what is no song.
async fn read_tags(path: &Path) -> LibraryResult<sfa_audio::io::Tags> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        AudioReader::open(&path).map(|reader| reader.info().tags.clone())
    });
    match reading.await {
        Ok(Ok(tags)) => Ok(tags),
        Ok(Err(error)) => Err(LibraryError::new(LibraryErrorKind::Audio, error.to_string()).caused_by(error)),
        Err(_) => Err(LibraryError::new(LibraryErrorKind::Audio, "this file could not be read")),
    }
}
