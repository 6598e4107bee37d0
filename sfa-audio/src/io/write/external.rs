//! MP3 and AAC through an `ffmpeg` child process, so that no encoder under another licence is linked in.

use std::io::Write;
use std::process::Stdio;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::AudioFormat;
use super::atomic::AtomicFile;
use crate::child::{Complaints, Leash};
use crate::io::ffmpeg;
use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

/// How long the encoder may take for one block, and for its last ones.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// Samples on their way into an encoder that writes the file by itself.
pub(super) struct ExternalWriter {
    child: Leash,
    blocks: Option<SyncSender<Vec<u8>>>,
    feeder: Option<JoinHandle<()>>,
    complaints: Complaints,
}

impl ExternalWriter {
    pub(super) fn new(
        file: &AtomicFile,
        spec: AudioSpec,
        format: AudioFormat,
        bit_rate_kbps: u32,
    ) -> Result<Self> {
        let (codec, muxer, name) = match format {
            AudioFormat::Mp3 => ("libmp3lame", "mp3", "MP3 is written"),
            _ => ("aac", "ipod", "AAC is written"),
        };
        let mut command = ffmpeg::command();
        command.args(["-v", "error", "-y", "-f", "f32le"]);
        command.args(["-ar", &spec.sample_rate_hz.to_string(), "-ac", &spec.channels.to_string()]);
        command.args(["-i", "pipe:0", "-c:a", codec, "-b:a", &format!("{bit_rate_kbps}k")]);
        command.args(["-fflags", "+bitexact", "-f", muxer]);
        command.arg(ffmpeg::file_url(file.temporary_path())?);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Leash::spawn(&mut command).map_err(|error| ffmpeg::missing(&error, name))?;
        let complaints = Complaints::of(&mut child);
        let stdin = child.take_stdin();
        let (blocks, queue) = sync_channel::<Vec<u8>>(4);
        let feeder = std::thread::spawn(move || {
            let Some(mut stdin) = stdin else { return };
            // A child that ended early is noticed by its exit status.
            while let Ok(block) = queue.recv() {
                if stdin.write_all(&block).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, blocks: Some(blocks), feeder: Some(feeder), complaints })
    }

    pub(super) fn write(&mut self, clip: &Clip) -> Result<()> {
        let mut bytes = Vec::with_capacity(clip.frames() * clip.channels().len() * 4);
        for frame in 0..clip.frames() {
            for channel in clip.channels() {
                bytes.extend_from_slice(&channel[frame].to_le_bytes());
            }
        }
        let started = Instant::now();
        let mut waiting = bytes;
        while let Some(blocks) = &self.blocks {
            match blocks.try_send(waiting) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(block)) if started.elapsed() < PATIENCE => {
                    waiting = block;
                    std::thread::sleep(POLL);
                }
                Err(TrySendError::Full(_)) => return Err(failed("hangs and was stopped")),
                Err(TrySendError::Disconnected(_)) => break,
            }
        }
        Err(failed(&format!("stopped early{}", self.complaints.take_last_line())))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.blocks = None;
        let started = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(POLL),
                Ok(None) => return Err(failed("hangs and was stopped")),
                Err(error) => return Err(failed("was lost").caused_by(error)),
            }
        };
        if let Some(feeder) = self.feeder.take() {
            // The child is gone, so its pipe is closed and the feeder ends at once.
            let _ = feeder.join();
        }
        if status.success() {
            Ok(())
        } else {
            Err(failed(&format!("failed{}", self.complaints.take_last_line())))
        }
    }
}

fn failed(how: &str) -> Error {
    Error::new(ErrorKind::ToolUnavailable, format!("the ffmpeg encoder {how}"))
}
