//! Formats that no crate reads or writes, through an `ffmpeg` child process where one is installed.
//!
//! The child gets its input by a `file:` URL with only local protocols allowed, answers with float samples over a
//! pipe, is killed when it goes silent, and never outlives the reader.

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::container::Opened;
use super::input::Input;
use super::reader::{Trim, TrimSource};
use super::stream::FrameStream;
use super::warnings::Warnings;
use crate::child::{Complaints, Leash};
use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

/// How long the child may take for the next piece of sound.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
const CHUNK_BYTES: usize = 1 << 16;
/// Chunks that wait between child and reader.
const CHUNKS_AHEAD: usize = 8;

/// Decodes `input`, whose codec is called `codec`, with `ffmpeg`.
///
/// # Errors
/// `ToolUnavailable` without the program; `UnsupportedFormat` when it finds no audio.
pub(super) fn open(input: &Input, codec: &str, warnings: &mut Warnings) -> Result<Opened> {
    let (path, copy) = match input {
        Input::Path(path) => (path.clone(), None),
        Input::Bytes { bytes, .. } => {
            let file = NamedTempFile::new().and_then(|mut file| file.write_all(bytes).map(|()| file));
            let file = file.map_err(|error| Error::new(ErrorKind::Io, error.to_string()).caused_by(error))?;
            (file.path().to_owned(), Some(file))
        }
    };
    let mut command = command();
    command.args(["-v", "error", "-protocol_whitelist", "file,pipe", "-i"]);
    command.arg(file_url(&path)?);
    command.args(["-map", "0:a:0", "-map_metadata", "-1", "-fflags", "+bitexact", "-c:a", "pcm_f32le"]);
    command.args(["-f", "wav", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = Leash::spawn(&mut command).map_err(|error| missing(&error, &format!("{codec} is read")))?;
    let mut stream = ChildStream::start(child, copy)?;
    if !stream.has_frames()? {
        let why = stream.complaint();
        return Err(Error::new(
            ErrorKind::UnsupportedFormat,
            format!("ffmpeg finds no audio in this {codec} file{why}"),
        ));
    }
    warnings.add(format!("{codec} was decoded by ffmpeg"));
    Ok(Opened {
        stream: Box::new(stream),
        container: codec.to_owned(),
        codec: codec.to_owned(),
        decoder: "ffmpeg",
        bits_per_sample: None,
        frames_hint: None,
        trim: Trim { source: TrimSource::External, ..Trim::default() },
        tags: None,
    })
}

/// `ffmpeg` without questions and banner.
pub(super) fn command() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner"]);
    command
}

/// `path` such that no part of it is taken for an option or a protocol.
pub(super) fn file_url(path: &Path) -> Result<std::ffi::OsString> {
    let absolute: PathBuf = std::path::absolute(path).map_err(|error| Error::io(path, error))?;
    let mut url = std::ffi::OsString::from("file:");
    url.push(absolute);
    Ok(url)
}

/// The error for an `ffmpeg` that does not start; `what` is said to need it.
pub(super) fn missing(error: &std::io::Error, what: &str) -> Error {
    let message = match error.kind() {
        IoErrorKind::NotFound => {
            format!("{what} through ffmpeg, which is not installed: install it or convert the file")
        }
        _ => format!("{what} through ffmpeg, which does not start: {error}"),
    };
    Error::new(ErrorKind::ToolUnavailable, message)
}

/// Float samples in a WAV stream from a child's standard output.
struct ChildStream {
    _child: Leash,
    chunks: Receiver<Vec<u8>>,
    complaints: Complaints,
    spec: AudioSpec,
    /// Bytes that came and are not yet frames.
    pending: Vec<u8>,
    _copy: Option<NamedTempFile>,
}

impl ChildStream {
    fn start(mut child: Leash, copy: Option<NamedTempFile>) -> Result<Self> {
        let complaints = Complaints::of(&mut child);
        let stdout = child.take_stdout();
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        if let Some(stdout) = stdout {
            std::thread::spawn(move || forward(stdout, &sender));
        }
        let unknown = AudioSpec { sample_rate_hz: 0, channels: 0 };
        let pending = Vec::new();
        let mut stream = Self { _child: child, chunks, complaints, spec: unknown, pending, _copy: copy };
        stream.read_header()?;
        Ok(stream)
    }

    /// Waits for the next bytes; `false` when the child has closed its end.
    fn receive(&mut self) -> Result<bool> {
        match self.chunks.recv_timeout(SILENCE_LIMIT) {
            Ok(chunk) => {
                self.pending.extend_from_slice(&chunk);
                Ok(true)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                Err(Error::new(ErrorKind::ToolUnavailable, "ffmpeg hangs on this file and was stopped"))
            }
        }
    }

    /// Reads up to the first sample; leaves the spec unknown when there is no header.
    fn read_header(&mut self) -> Result<()> {
        const LONGEST_HEADER: usize = 1 << 16;
        loop {
            if let Some((spec, start)) = parse_header(&self.pending) {
                self.spec = spec?;
                self.pending.drain(..start);
                return Ok(());
            }
            if self.pending.len() > LONGEST_HEADER || !self.receive()? {
                return Ok(());
            }
        }
    }

    fn has_frames(&mut self) -> Result<bool> {
        let frame_bytes = 4 * self.spec.channels;
        while frame_bytes > 0 && self.pending.len() < frame_bytes {
            if !self.receive()? {
                return Ok(false);
            }
        }
        Ok(frame_bytes > 0)
    }

    fn complaint(&self) -> String {
        self.complaints.take_last_line()
    }
}

impl FrameStream for ChildStream {
    fn spec(&self) -> AudioSpec {
        self.spec
    }

    fn next(&mut self, frames: &mut Clip, warnings: &mut Warnings) -> Result<bool> {
        if !self.has_frames()? {
            let why = self.complaint();
            if !why.is_empty() {
                warnings.add(format!("ffmpeg met damage{why}"));
            }
            return Ok(false);
        }
        let channels = self.spec.channels;
        let whole = self.pending.len() / (4 * channels) * (4 * channels);
        let sample = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let samples: Vec<f32> = self.pending[..whole].chunks_exact(4).map(sample).collect();
        self.pending.drain(..whole);
        let planes: Vec<Vec<f32>> = (0..channels)
            .map(|channel| samples.iter().skip(channel).step_by(channels).copied().collect())
            .collect();
        *frames = Clip::from_channels(self.spec.sample_rate_hz, planes)?;
        Ok(true)
    }
}

/// Hands the child's output on until either side closes.
fn forward(mut stdout: ChildStdout, sender: &SyncSender<Vec<u8>>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = stdout.read(&mut buffer) {
        if sender.send(buffer[..count].to_vec()).is_err() {
            break;
        }
    }
}

/// Spec and offset of the samples in a streamed WAV header; `None` while it is incomplete.
fn parse_header(bytes: &[u8]) -> Option<(Result<AudioSpec>, usize)> {
    let number = |at: usize, width: usize| {
        let digits = bytes.get(at..at + width)?;
        Some(digits.iter().rev().fold(0_u32, |value, &byte| value << 8 | u32::from(byte)))
    };
    let mut position = 12;
    let mut spec = None;
    loop {
        let id = bytes.get(position..position + 4)?;
        let size = number(position + 4, 4)? as usize;
        let body = position + 8;
        match id {
            b"fmt " => spec = Some(AudioSpec::new(number(body + 4, 4)?, number(body + 2, 2)? as usize)),
            b"data" => return spec.map(|spec| (spec, body)),
            _ => {}
        }
        position = body.checked_add(size)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_header_is_read_only_when_complete() {
        let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x03\0\x02\0\x44\xac\0\0".to_vec();
        header.extend([0; 8]);
        header.extend(b"LIST\x02\0\0\0xxdata\xff\xff\xff\xff");
        assert!((0..header.len()).all(|cut| parse_header(&header[..cut]).is_none()));
        let (spec, start) = parse_header(&header).unwrap();
        assert_eq!(spec.unwrap(), AudioSpec { sample_rate_hz: 44100, channels: 2 });
        assert_eq!(start, header.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_path_is_never_an_option_or_a_protocol() {
        for name in ["-y", "http://example.org/a.mp3", "concat:a|b"] {
            let url = file_url(Path::new(name)).unwrap().into_string().unwrap();
            assert!(url.starts_with("file:/"), "{url}");
        }
    }
}
