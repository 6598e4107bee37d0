//! The child process that has the model, and how long it is trusted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::message::{Hello, Message, PROTOCOL, listen};
use crate::child::{Complaints, Leash, last_lines};
use crate::{Error, ErrorKind, Result, Watch};

/// How often a stop and the limits are looked at.
const POLL: Duration = Duration::from_millis(20);

/// A running worker. After an error it is of no more use and must be dropped.
pub(super) struct Worker {
    leash: Leash,
    /// Held open: the worker takes its end for ours.
    requests: ChildStdin,
    messages: Receiver<Message>,
    complaints: Complaints,
    python: String,
}

/// Asks for one song.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    /// The song's own folder in that of the worker.
    pub(super) folder: &'a str,
    /// The file of the mix in it.
    pub(super) mix: &'a str,
    pub(super) frames: u64,
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Without any sign of life.
    pub(super) stall: Duration,
    /// In all.
    pub(super) whole: Duration,
    /// What the worker is by then.
    pub(super) then: &'static str,
}

impl Worker {
    /// Starts `command`, whose interpreter is called `python`.
    pub(super) fn start(command: &mut Command, python: String) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut leash = Leash::spawn(command)?;
        let complaints = Complaints::of(&mut leash);
        match (leash.take_stdin(), leash.take_stdout()) {
            (Some(requests), Some(output)) => {
                Ok(Self { leash, requests, messages: listen(output), complaints, python })
            }
            _ => Err(io::Error::other("its pipes are missing")),
        }
    }

    /// This worker, unless it has ended while nobody was looking.
    pub(super) fn if_alive(mut self) -> Option<Self> {
        matches!(self.leash.try_wait(), Ok(None)).then_some(self)
    }

    /// Waits for the model.
    ///
    /// # Errors
    /// `ToolUnavailable`, `ModelUnavailable`, `InvalidOption`; `Cancelled`.
    pub(super) fn hello(&mut self, limit: Duration, watch: &Watch) -> Result<Hello> {
        let started = Instant::now();
        match self.next(started, Patience { stall: Duration::MAX, whole: limit, then: "ready" }, watch)? {
            Message::Hello(hello) if hello.protocol == PROTOCOL => Ok(hello),
            Message::Error { kind, message } => Err(self.refused(&kind, message)),
            _ => Err(self.failed("spoke out of turn")),
        }
    }

    /// Has one song separated and hands the percentage done, which never falls, to `report`; returns the names of
    /// the stems' files.
    ///
    /// # Errors
    /// `ToolUnavailable`; `Cancelled`; those of `report`.
    pub(super) fn separate(
        &mut self,
        request: &Request<'_>,
        patience: Patience,
        watch: &Watch,
        mut report: impl FnMut(u8) -> Result<()>,
    ) -> Result<BTreeMap<String, String>> {
        let started = Instant::now();
        let mut line = serde_json::to_vec(request)
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()).caused_by(error))?;
        line.push(b'\n');
        if self.requests.write_all(&line).is_err() {
            return Err(self.ended());
        }
        let mut reached = 0;
        loop {
            match self.next(started, patience, watch)? {
                Message::Progress { percent } => {
                    reached = percent.min(100).max(reached);
                    report(reached)?;
                }
                Message::Result { stems } => return Ok(stems),
                Message::Error { kind, message } => return Err(self.refused(&kind, message)),
                Message::Hello(_) => return Err(self.failed("spoke out of turn")),
            }
        }
    }

    fn next(&mut self, started: Instant, patience: Patience, watch: &Watch) -> Result<Message> {
        let heard = Instant::now();
        loop {
            watch.checkpoint()?;
            if started.elapsed() > patience.whole {
                let Patience { whole, then, .. } = patience;
                return Err(self.failed(&format!("was not {then} within {} s and was stopped", secs(whole))));
            }
            match self.messages.recv_timeout(POLL) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if heard.elapsed() > patience.stall {
                let stall = secs(patience.stall);
                return Err(self.failed(&format!("made no progress for {stall} s and was stopped")));
            }
            if let Ok(Some(_)) = self.leash.try_wait() {
                // Its last words may still be on their way.
                let last = self.messages.recv_timeout(Duration::from_secs(1));
                return last.map_err(|_| self.ended());
            }
        }
    }

    /// The worker has said why it cannot.
    fn refused(&mut self, kind: &str, message: String) -> Error {
        let python = &self.python;
        let message = if kind == "missing" {
            format!(
                "\"{python}\" has no demucs package: run \"{python} -m pip install demucs\", or set SFA_PYTHON to \
                 an interpreter that has it"
            )
        } else {
            let (_, complaints) = self.end();
            // The package explains some refusals in a few lines on standard error only.
            let why = last_lines(&message, usize::MAX).or_else(|| last_lines(&complaints, 4));
            let why = why.unwrap_or_else(|| "it does not say why".to_owned());
            let why = why.trim_end_matches('.');
            match kind {
                "package" => format!("the demucs package of \"{}\" cannot be used: {why}", self.python),
                "model" => format!("the demucs package cannot load this model: {why}"),
                "device" => format!("this device cannot be used by the demucs package: {why}"),
                "option" => why.to_owned(),
                _ => format!("the demucs package failed: {why}"),
            }
        };
        let kind = match kind {
            "model" => ErrorKind::ModelUnavailable,
            "device" | "option" => ErrorKind::InvalidOption,
            _ => ErrorKind::ToolUnavailable,
        };
        Error::new(kind, message)
    }

    /// The worker is gone without an answer.
    fn ended(&mut self) -> Error {
        let (status, complaints) = self.end();
        failure(&format!("ended early{status}"), complaints)
    }

    fn failed(&mut self, how: &str) -> Error {
        let (_, complaints) = self.end();
        failure(how, complaints)
    }

    /// Ends the worker; returns how it had ended and what it complained about.
    fn end(&mut self) -> (String, String) {
        let status = self.leash.kill().map_or_else(String::new, |status| format!(" ({status})"));
        (status, self.complaints.take())
    }
}

fn failure(how: &str, complaints: String) -> Error {
    let why = last_lines(&complaints, 1).map_or_else(String::new, |line| format!(": {line}"));
    let error = Error::new(ErrorKind::ToolUnavailable, format!("the demucs worker {how}{why}"));
    if complaints.is_empty() { error } else { error.caused_by(complaints) }
}

fn secs(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}
