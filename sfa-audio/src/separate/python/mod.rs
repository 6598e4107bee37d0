//! Demucs models that only the user's own `demucs` package knows, run by that package in a child process.
//!
//! The package (4.x, in any Python 3) is imported by a small worker that is part of this crate; nothing of the
//! package is. The worker loads a model once and keeps it for all songs. The mix goes to it at the model's sample
//! rate, normalised, and stems come back through the same code that serves the native [`Demucs`](super::demucs), so
//! both treat every mix alike.
//!
//! Unlike the native engine, the package holds a whole song with all its stems in memory, and a `.th` file of
//! weights can run any code when Python loads it: open only those whose origin you trust.

mod message;
mod samples;
mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use tempfile::TempDir;

use super::demucs::apply::Output;
use super::demucs::architecture::stem_kind;
use super::demucs::feed::{Feed, MixFacts};
use super::demucs::static_stems;
use super::{EngineInfo, Separator, StemSink};
use crate::{AudioSource, AudioSpec, Error, ErrorKind, Result, Stage, StemKind, Watch};
use message::Hello;
use samples::{SampleReader, SampleWriter};
use worker::{Patience, Request, Worker};

/// What all models of the package hear.
const CHANNELS: usize = 2;
/// Frames on their way to and from the worker at once.
const BLOCK_FRAMES: usize = 1 << 15;

/// How a [`PythonDemucs`] works on a mix.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PythonOptions {
    /// The interpreter. Where `None`, the environment variable `SFA_PYTHON` names it, or else it is the first of
    /// `python3` and `python` that has the package.
    pub python: Option<PathBuf>,
    /// Variables set for the interpreter beside those of this process, such as `HF_HOME` or `OMP_NUM_THREADS`.
    pub environment: Vec<(OsString, OsString)>,
    /// A folder with models of your own, as the package's `--repo` takes it. Where `None`, the package finds and
    /// fetches the model by itself.
    pub repo: Option<PathBuf>,
    /// What computes, by PyTorch's name for it, such as `cpu` or `cuda:1`. Where `None`, a CUDA card if there is
    /// one, else the processor.
    pub device: Option<String>,
    /// Seconds of audio per window; the model's own where `None`.
    pub segment_secs: Option<f64>,
    /// Share of a window repeated in the next, in `0.0..=0.95`. Default: 0.25.
    pub overlap: f64,
    /// Passes over a shifted mix to average, at most 100; each costs a whole run, and the same song gets the same
    /// shifts. Default: 0, one pass that is not shifted.
    pub shifts: u32,
    /// Where audio lies on its way to the package and back, about 40 MB per minute of it; the system's folder for
    /// temporary files where `None`.
    pub scratch_folder: Option<PathBuf>,
    /// How long loading the model may take, which may mean fetching it. Default: half an hour.
    pub load_limit: Duration,
    /// How long the package may work without finishing a window. Default: ten minutes.
    pub stall_limit: Duration,
    /// How long a song may take. Where `None`, half an hour and twenty times its length.
    pub time_limit: Option<Duration>,
}

impl Default for PythonOptions {
    fn default() -> Self {
        Self {
            python: None,
            environment: Vec::new(),
            repo: None,
            device: None,
            segment_secs: None,
            overlap: 0.25,
            shifts: 0,
            scratch_folder: None,
            load_limit: Duration::from_secs(30 * 60),
            stall_limit: Duration::from_secs(10 * 60),
            time_limit: None,
        }
    }
}

impl PythonOptions {
    fn check(&self) -> Result<()> {
        if !(0.0..=0.95).contains(&self.overlap) {
            return Err(invalid(format!("an overlap of {} is outside 0..=0.95", self.overlap)));
        }
        if let Some(secs) = self.segment_secs.filter(|secs| !(0.01..=600.0).contains(secs)) {
            return Err(invalid(format!("a segment of {secs} s is outside 0.01..=600")));
        }
        if self.shifts > 100 {
            return Err(invalid(format!("{} shifts are more than 100", self.shifts)));
        }
        Ok(())
    }

    /// The interpreters to try, in turn; at least one.
    pub fn interpreters(&self) -> Vec<PathBuf> {
        let chosen = std::env::var_os("SFA_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from);
        match self.python.clone().or(chosen) {
            Some(python) => vec![python],
            None => vec!["python3".into(), "python".into()],
        }
    }
}

/// Separates with a model of the user's own `demucs` package.
///
/// Channels and sample rates of mixes are treated as by [`Demucs`](super::demucs::Demucs). Songs that are separated
/// side by side wait for each other.
pub struct PythonDemucs {
    info: EngineInfo,
    hello: Hello,
    launch: Launch,
    // Ends before the folder it works in is removed.
    worker: Mutex<Option<Worker>>,
    folder: TempDir,
}

/// What starts a worker.
struct Launch {
    python: PathBuf,
    model: String,
    options: PythonOptions,
}

impl PythonDemucs {
    /// Loads `model`: a name that the package knows, or one of the repository in `options`. `watch` stops it.
    ///
    /// # Errors
    /// `ToolUnavailable` without Python or the package, saying what to install; `ModelUnavailable` with the
    /// package's own words, or for a model whose stems or channels are not known here; `InvalidOption`; `Io`;
    /// `Cancelled`.
    pub fn open(model: &str, options: PythonOptions, watch: &Watch) -> Result<Self> {
        options.check()?;
        let folder = private_folder(options.scratch_folder.as_deref())?;
        let script = folder.path().join("worker.py");
        std::fs::write(&script, include_str!("worker.py")).map_err(|error| Error::io(&script, error))?;
        let mut launch = Launch { python: PathBuf::new(), model: model.to_owned(), options };
        let (worker, hello) = launch.find(folder.path(), watch)?;
        let kinds = stems_of(&hello).map_err(|error| error.about(model))?;
        let info = EngineInfo {
            name: "python",
            description: "a model of your own demucs package, run by Python",
            stems: static_stems(&kinds),
        };
        Ok(Self { info, hello, launch, worker: Mutex::new(Some(worker)), folder })
    }

    /// The version of the package.
    pub fn demucs_version(&self) -> &str {
        &self.hello.demucs
    }

    /// The version of PyTorch.
    pub fn torch_version(&self) -> &str {
        &self.hello.torch
    }

    /// What computes, by PyTorch's name for it.
    pub fn device(&self) -> &str {
        &self.hello.device
    }

    /// The interpreter that was found.
    pub fn python(&self) -> &Path {
        &self.launch.python
    }

    /// Waits until no other song is at work.
    fn turn(&self, watch: &Watch) -> Result<MutexGuard<'_, Option<Worker>>> {
        loop {
            watch.checkpoint()?;
            match self.worker.try_lock() {
                Ok(worker) => return Ok(worker),
                // Whoever panicked has taken the worker along.
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Lays the mix down in `song`, has it separated and opens the stems in the order of `info`.
    fn have_separated(
        &self,
        mix: &mut Feed<'_>,
        facts: &MixFacts,
        song: &Path,
        watch: &Watch,
    ) -> Result<Vec<SampleReader>> {
        let mut writer = SampleWriter::create(&song.join("mix.f32"), facts.frames)?;
        for start in (0..facts.frames).step_by(BLOCK_FRAMES) {
            watch.checkpoint()?;
            let frames = (facts.frames - start).min(BLOCK_FRAMES as u64) as usize;
            let mut lines = vec![vec![0.0; frames]; CHANNELS];
            mix.stretch(start as i64, facts, &mut lines)?;
            mix.forget_before(start + frames as u64);
            writer.write(start, &lines)?;
        }
        drop(writer);
        let mut turn = self.turn(watch)?;
        let mut worker = match turn.take().and_then(Worker::if_alive) {
            Some(worker) => worker,
            None => self.launch.again(self.folder.path(), &self.hello, watch)?,
        };
        let folder = song.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let request = Request { folder, mix: "mix.f32", frames: facts.frames };
        let report = |percent| {
            let done = u128::from(facts.source_frames) * u128::from(percent) / 100;
            watch.report(Stage::Separate, done as u64, facts.source_frames)
        };
        // On an error the worker is dropped here, and with it all that it is still at.
        let files = worker.separate(&request, self.patience(facts), watch, report)?;
        *turn = Some(worker);
        drop(turn);
        self.open_stems(song, &files, facts.frames)
    }

    fn open_stems(
        &self,
        song: &Path,
        files: &BTreeMap<String, String>,
        frames: u64,
    ) -> Result<Vec<SampleReader>> {
        let open = |kind: &StemKind| {
            let file = files.get(kind.name()).filter(|file| {
                // A name and nothing else: no way out of the folder.
                Path::new(file.as_str()).file_name().is_some_and(|name| name == file.as_str())
            });
            let file = file.ok_or_else(|| {
                Error::new(ErrorKind::ToolUnavailable, "the demucs package returned no such stem")
                    .about(kind.name())
            })?;
            SampleReader::open(&song.join(file), kind.name(), frames, CHANNELS as u64)
        };
        self.info.stems.iter().map(open).collect()
    }

    fn patience(&self, facts: &MixFacts) -> Patience {
        let options = &self.launch.options;
        let song_secs = facts.frames as f64 / f64::from(self.hello.sample_rate_hz);
        let generous = || Duration::from_secs(30 * 60) + Duration::from_secs_f64(20.0 * song_secs);
        let whole = options.time_limit.unwrap_or_else(generous);
        Patience { stall: options.stall_limit, whole, then: "done" }
    }
}

impl Separator for PythonDemucs {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn sum_error_bound(&self) -> Option<f32> {
        None
    }

    fn separate_into(&self, mix: &mut dyn AudioSource, sink: &mut dyn StemSink, watch: &Watch) -> Result<()> {
        let rate = self.hello.sample_rate_hz;
        let facts = Feed::new(mix, rate, CHANNELS)?.facts(watch)?;
        let mut output = Output::new(sink, mix.spec(), self.info.stems.len(), CHANNELS, rate);
        if facts.frames > 0 {
            let song = tempfile::Builder::new().prefix("song-").tempdir_in(self.folder.path());
            let song = song.map_err(|error| Error::io(self.folder.path(), error))?;
            let mut mix = Feed::new(mix, rate, CHANNELS)?;
            let mut stems = self.have_separated(&mut mix, &facts, song.path(), watch)?;
            for start in (0..facts.frames).step_by(BLOCK_FRAMES) {
                let frames = (facts.frames - start).min(BLOCK_FRAMES as u64) as usize;
                let mut lines = vec![Vec::with_capacity(frames); stems.len() * CHANNELS];
                for (stem, lines) in stems.iter_mut().zip(lines.chunks_exact_mut(CHANNELS)) {
                    for (channel, line) in (0..).zip(lines) {
                        stem.read(channel, start, frames, line)?;
                    }
                }
                output.write(lines, &facts, watch)?;
            }
        }
        output.finish(facts.source_frames, watch)
    }
}

impl Launch {
    /// Starts a worker with the first interpreter that can load the model.
    fn find(&mut self, folder: &Path, watch: &Watch) -> Result<(Worker, Hello)> {
        let (mut refused, mut missing) = (None, None);
        for python in self.options.interpreters() {
            self.python = python;
            match self.start(folder) {
                Err(error) => _ = missing.get_or_insert(error),
                Ok(mut worker) => match self.hello(&mut worker, watch) {
                    Err(error) if error.kind() == ErrorKind::ToolUnavailable => {
                        refused.get_or_insert(error);
                    }
                    hello => return Ok((worker, hello?)),
                },
            }
        }
        // An interpreter that is there but lacks something says more than one that is not there.
        Err(refused.or(missing).unwrap_or_else(|| invalid("no interpreter is named")))
    }

    /// Starts another worker for the same model.
    fn again(&self, folder: &Path, first: &Hello, watch: &Watch) -> Result<Worker> {
        let mut worker = self.start(folder)?;
        if self.hello(&mut worker, watch)? != *first {
            let message = "the demucs package or its model was exchanged: open it again";
            return Err(Error::new(ErrorKind::ModelUnavailable, message).about(&self.model));
        }
        Ok(worker)
    }

    fn start(&self, folder: &Path) -> Result<Worker> {
        let options = serde_json::json!({
            "device": self.options.device,
            "segment": self.options.segment_secs,
            "overlap": self.options.overlap,
            "shifts": self.options.shifts,
        });
        let mut command = Command::new(&self.python);
        command.arg(folder.join("worker.py")).arg(folder).arg(options.to_string()).arg(&self.model);
        if let Some(repo) = &self.options.repo {
            command.arg(std::path::absolute(repo).map_err(|error| Error::io(repo, error))?);
        }
        command.envs(self.options.environment.iter().map(|(name, value)| (name, value)));
        let python = self.python.display().to_string();
        Worker::start(&mut command, python.clone()).map_err(|error| {
            let message = format!(
                "Python does not start as \"{python}\": install Python 3 with the demucs package, or set \
                 SFA_PYTHON to an interpreter that has it"
            );
            Error::new(ErrorKind::ToolUnavailable, message).caused_by(error)
        })
    }

    fn hello(&self, worker: &mut Worker, watch: &Watch) -> Result<Hello> {
        worker.hello(self.options.load_limit, watch).map_err(|error| match error.kind() {
            ErrorKind::ModelUnavailable => error.about(&self.model),
            _ => error,
        })
    }
}

/// The stems of a model, once it is clear that they and its audio can be handled.
fn stems_of(hello: &Hello) -> Result<Vec<StemKind>> {
    let unusable = |message: String| Error::new(ErrorKind::ModelUnavailable, message);
    let kinds = hello.sources.iter().map(|name| stem_kind(name)).collect::<Result<Vec<_>>>()?;
    if kinds.is_empty() || (1..kinds.len()).any(|index| kinds[..index].contains(&kinds[index])) {
        return Err(unusable("the model has no sources or names one twice".to_owned()));
    }
    if hello.channels != CHANNELS {
        return Err(unusable(format!("the model hears {} channels, not {CHANNELS}", hello.channels)));
    }
    AudioSpec::new(hello.sample_rate_hz, hello.channels)
        .map_err(|error| unusable(error.message().to_owned()))?;
    Ok(kinds)
}

/// A folder that nobody else can look into.
fn private_folder(parent: Option<&Path>) -> Result<TempDir> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    let parent = std::path::absolute(&parent).map_err(|error| Error::io(&parent, error))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix("sfa-demucs-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(&parent).map_err(|error| Error::io(&parent, error))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}

impl std::fmt::Debug for PythonDemucs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PythonDemucs")
            .field("model", &self.launch.model)
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}
