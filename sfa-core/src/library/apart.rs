//! Work on audio in a process of its own: a file or a model that takes it down fails its job, and nothing else.
//!
//! The parent starts a program that calls [`work_for_parent`] and writes one line of JSON, what to do, into it. Back
//! come lines of progress and a last one with the result or what went wrong. A child whose input ends stops: it was
//! told to, or its parent is no more.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sfa_audio::child::{Complaints, Leash};
use sfa_audio::io::AudioReader;
use sfa_audio::transcribe::{Note, TranscribeKind, transcribe};

use super::{Settings, memory};
use crate::song::{SongReport, StemSheet};
use crate::{Error, ErrorKind, Result, Stage, Studio, Watch};

/// How often the wish to stop and the memory are looked at.
const TICK: Duration = Duration::from_millis(50);
/// A child that was told to stop gets this long to tidy up.
const GRACE: Duration = Duration::from_secs(2);
/// Without a line for so long a child hangs.
const SILENCE: Duration = Duration::from_secs(20 * 60);
/// Lines of a child that were not read yet.
const LINES: usize = 64;
/// A report of two hours has some megabytes.
const LONGEST_LINE: u64 = 256 << 20;

/// Who does the work on audio.
pub(crate) trait Crew: Send + Sync {
    /// Splits a song; returns where the stems are, and what they are.
    fn separate(&self, file: &Path, folder: &Path, settings: &Settings, watch: &Watch) -> Result<Stems>;

    /// Measures a song, and reads its stems in a folder where there is one.
    fn analyze(
        &self,
        file: &Path,
        stems: Option<&Path>,
        settings: &Settings,
        watch: &Watch,
    ) -> Result<SongReport>;

    /// Writes down the notes of a recording.
    fn transcribe(&self, file: &Path, kind: TranscribeKind, watch: &Watch) -> Result<Vec<Note>>;
}

/// Stems that were made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stems {
    pub(crate) folder: PathBuf,
    pub(crate) sheet: StemSheet,
}

impl Crew for Studio {
    fn separate(&self, file: &Path, folder: &Path, settings: &Settings, watch: &Watch) -> Result<Stems> {
        let options = settings
            .separate_options()
            .map_err(|error| Error::new(ErrorKind::InvalidOption, error.to_string()))?;
        let separated = Self::separate(self, file, folder, &options, true, watch)?;
        Ok(Stems { folder: separated.folder, sheet: separated.sheet })
    }

    fn analyze(
        &self,
        file: &Path,
        stems: Option<&Path>,
        settings: &Settings,
        watch: &Watch,
    ) -> Result<SongReport> {
        let options = settings.analyze_options();
        match stems {
            Some(stems) => self.analyze_with_stems(file, stems, &options, watch),
            None => Self::analyze(self, file, &options, watch),
        }
    }

    fn transcribe(&self, file: &Path, kind: TranscribeKind, watch: &Watch) -> Result<Vec<Note>> {
        let named = |error: Error| error.about(file.display().to_string());
        transcribe(&mut AudioReader::open(file)?, kind, watch).map_err(named)
    }
}

/// A program that calls [`work_for_parent`], and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildProgram {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// A child that needs more memory than this is ended, where the system tells how much it has. Default: no limit.
    pub memory_limit_bytes: Option<u64>,
}

impl ChildProgram {
    /// This program with these arguments.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            memory_limit_bytes: None,
        }
    }
}

/// What a child is to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Separate { file: PathBuf, folder: PathBuf, settings: Settings },
    Analyze { file: PathBuf, stems: Option<PathBuf>, settings: Settings },
    Transcribe { file: PathBuf, kind: TranscribeKind },
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    /// Percent of the whole.
    Progress(u64),
    Separated(Box<Stems>),
    Analyzed(Box<SongReport>),
    Transcribed(Vec<Note>),
    Failed {
        kind: String,
        subject: Option<String>,
        message: String,
    },
}

impl Crew for ChildProgram {
    fn separate(&self, file: &Path, folder: &Path, settings: &Settings, watch: &Watch) -> Result<Stems> {
        let request = Request::Separate {
            file: file.to_owned(),
            folder: folder.to_owned(),
            settings: settings.clone(),
        };
        match self.ask(&request, Stage::Separate, watch)? {
            Reply::Separated(stems) => Ok(*stems),
            _ => Err(misunderstood()),
        }
    }

    fn analyze(
        &self,
        file: &Path,
        stems: Option<&Path>,
        settings: &Settings,
        watch: &Watch,
    ) -> Result<SongReport> {
        let request = Request::Analyze {
            file: file.to_owned(),
            stems: stems.map(Path::to_owned),
            settings: settings.clone(),
        };
        match self.ask(&request, Stage::Analyze, watch)? {
            Reply::Analyzed(report) => Ok(*report),
            _ => Err(misunderstood()),
        }
    }

    fn transcribe(&self, file: &Path, kind: TranscribeKind, watch: &Watch) -> Result<Vec<Note>> {
        match self.ask(&Request::Transcribe { file: file.to_owned(), kind }, Stage::Analyze, watch)? {
            Reply::Transcribed(notes) => Ok(notes),
            _ => Err(misunderstood()),
        }
    }
}

impl ChildProgram {
    fn ask(&self, request: &Request, stage: Stage, watch: &Watch) -> Result<Reply> {
        let failed = |error| Error::io(&self.program, error);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Leash::spawn(&mut command).map_err(failed)?;
        let complaints = Complaints::of(&mut child);
        let (Some(mut input), Some(output)) = (child.take_stdin(), child.take_stdout()) else {
            return Err(misunderstood());
        };
        // A child that is dead already is found out below, with what it said last.
        writeln!(input, "{}", json(request)?).ok();
        let lines = lines_of(output);
        let mut heard = Instant::now();
        loop {
            if watch.is_stopped() {
                drop(input);
                wait_for_end(&mut child, &lines);
                return Err(Error::cancelled());
            }
            if let Some(limit) = self.memory_limit_bytes
                && memory::of_process(child.id()).is_some_and(|bytes| bytes > limit)
            {
                let message =
                    format!("it needs more than the {} MB of memory that a job may have", limit >> 20);
                return Err(Error::new(ErrorKind::Internal, message));
            }
            match lines.recv_timeout(TICK) {
                Ok(line) => {
                    heard = Instant::now();
                    match serde_json::from_str(&line) {
                        // A stop is seen at the next look.
                        Ok(Reply::Progress(percent)) => {
                            watch.report(stage, percent.min(100), 100).ok();
                        }
                        Ok(Reply::Failed { kind, subject, message }) => {
                            let kind = ErrorKind::named(&kind).unwrap_or(ErrorKind::Internal);
                            let error = Error::new(kind, message);
                            return Err(match subject {
                                Some(subject) => error.about(subject),
                                None => error,
                            });
                        }
                        Ok(reply) => {
                            // Its files are whole by now; its end is waited for so that none is left behind.
                            drop(input);
                            wait_for_end(&mut child, &lines);
                            return Ok(reply);
                        }
                        Err(_) => return Err(misunderstood()),
                    }
                }
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > SILENCE => {
                    let message = format!("nothing was heard of it for {} minutes", SILENCE.as_secs() / 60);
                    return Err(Error::new(ErrorKind::Internal, message));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.kill().map_or_else(String::new, |status| format!(" ({status})"));
                    let last = complaints.take_last_line();
                    let message = format!("the process that worked on it died{status}{last}");
                    return Err(Error::new(ErrorKind::Internal, message));
                }
            }
        }
    }
}

/// Gives a child the time to end by itself. What it still says is not heard.
fn wait_for_end(child: &mut Leash, lines: &Receiver<String>) {
    let started = Instant::now();
    while started.elapsed() < GRACE && !matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
        lines.recv_timeout(Duration::from_millis(5)).ok();
    }
    child.kill();
}

/// The lines of a child, read on the side; the channel closes with its output, or at a line that is too long.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES);
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = String::new();
            match (&mut output).take(LONGEST_LINE).read_line(&mut line) {
                Ok(1..) if line.ends_with('\n') && sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("no message can be made: {error}")))
}

fn misunderstood() -> Error {
    Error::new(ErrorKind::Internal, "the process that worked on it said something else than was asked for")
}

/// The child's side: reads from `input` what to do, does it in `studio`, and says on `output` how it goes. Stops when
/// `input` ends or `watch` says so. Returns whether it could be done; why not has been said.
///
/// # Errors
/// `Io` when nobody listens any more, `InvalidOption` for what is no request.
pub fn work_for_parent(
    studio: &Studio,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    watch: &Watch,
) -> Result<bool> {
    let mut input = BufReader::new(input);
    let mut line = String::new();
    input.read_line(&mut line).map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
    let request = serde_json::from_str(&line).map_err(|error| {
        Error::new(ErrorKind::InvalidOption, format!("this is not for people; a program asks here: {error}"))
    })?;
    std::thread::spawn({
        let watch = watch.clone();
        move || {
            // Nothing more is said; what counts is the end.
            std::io::copy(&mut input, &mut std::io::sink()).ok();
            watch.stop();
        }
    });
    let output = Arc::new(Mutex::new(output));
    let say = {
        let output = Arc::clone(&output);
        move |reply: &Reply| -> Result<()> {
            let line = json(reply)?;
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(output, "{line}")
                .and_then(|()| output.flush())
                .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
        }
    };
    let told = AtomicU64::new(0);
    let watch = watch.clone().forward_to({
        let say = say.clone();
        move |news| {
            let percent = news.fraction().map_or(0, |fraction| (fraction * 100.0) as u64);
            if told.fetch_max(percent, Ordering::Relaxed) < percent {
                // A parent that is gone ends the input as well.
                say(&Reply::Progress(percent)).ok();
            }
        }
    });
    let done = match request {
        Request::Separate { file, folder, settings } => {
            Crew::separate(studio, &file, &folder, &settings, &watch)
                .map(|stems| Reply::Separated(Box::new(stems)))
        }
        Request::Analyze { file, stems, settings } => {
            Crew::analyze(studio, &file, stems.as_deref(), &settings, &watch)
                .map(|report| Reply::Analyzed(Box::new(report)))
        }
        Request::Transcribe { file, kind } => {
            Crew::transcribe(studio, &file, kind, &watch).map(Reply::Transcribed)
        }
    };
    let reply = done.unwrap_or_else(|error| Reply::Failed {
        kind: error.kind().name().to_owned(),
        subject: error.subject().map(str::to_owned),
        message: error.message().to_owned(),
    });
    say(&reply)?;
    Ok(!matches!(reply, Reply::Failed { .. }))
}
