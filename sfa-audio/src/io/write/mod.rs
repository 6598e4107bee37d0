//! Clips into files.

mod atomic;
mod external;
mod peak;
mod quantize;
mod wav;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use flac_codec::encode::{FlacSampleWriter, Options as FlacOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use atomic::AtomicFile;
pub use peak::PeakPolicy;

use self::external::ExternalWriter;
use self::quantize::Quantizer;
use self::wav::WavWriter;
use super::tag_files;
use super::tags::Tags;
use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

/// The file formats that are written.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioFormat {
    /// RIFF WAVE; up to 4 GiB.
    #[default]
    Wav,
    /// FLAC: lossless, about half the size; 16 or 24 bits, up to 8 channels.
    Flac,
    /// MP3 through an installed `ffmpeg`; up to 2 channels.
    Mp3,
    /// AAC in M4A through an installed `ffmpeg`.
    M4aAac,
}

impl AudioFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Wav, Self::Flac, Self::Mp3, Self::M4aAac];

    /// The format of an extension, whatever its case.
    pub fn named(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(extension))
    }

    /// The format that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        Self::named(path.extension()?.to_str()?)
    }

    /// The usual file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::M4aAac => "m4a",
        }
    }
}

/// How samples are stored in WAV and FLAC; MP3 and AAC have no such depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BitDepth {
    /// 16-bit integers.
    #[default]
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floats, exactly as given: nothing is rounded, dithered or clamped. WAV only.
    Float32,
}

impl BitDepth {
    fn bits(self) -> u32 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float32 => 32,
        }
    }

    fn integer_bits(self) -> Option<u32> {
        (self != Self::Float32).then_some(self.bits())
    }
}

/// How to write a file.
///
/// Integers are rounded to the nearest step and clamped at full scale; how many samples were clamped is in
/// [`Written`]. Sample rate and channel count are those of the clips: resample before, with
/// [`dsp::resample`](crate::dsp::resample), and choose a [`PeakPolicy`] before.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EncodeOptions {
    /// The file format. Default: WAV.
    pub format: AudioFormat,
    /// How samples are stored. Default: 16 bits.
    pub bit_depth: BitDepth,
    /// Whether rounding to 16 bits is dithered (triangular, two steps wide, fixed seed, so that the same audio gives
    /// the same file). Samples that need no rounding get none. 24 bits are never dithered. Default: true.
    pub dither: bool,
    /// Bits per second of MP3 and AAC in thousands, in `32..=320`. Default: 320.
    pub bit_rate_kbps: u32,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { format: AudioFormat::Wav, bit_depth: BitDepth::Int16, dither: true, bit_rate_kbps: 320 }
    }
}

impl EncodeOptions {
    /// The defaults for `format`.
    pub fn new(format: AudioFormat) -> Self {
        Self { format, ..Self::default() }
    }

    /// Sets how samples are stored.
    #[must_use]
    pub fn bit_depth(mut self, bit_depth: BitDepth) -> Self {
        self.bit_depth = bit_depth;
        self
    }

    /// Sets whether rounding to 16 bits is dithered.
    #[must_use]
    pub fn dither(mut self, dither: bool) -> Self {
        self.dither = dither;
        self
    }

    /// Sets the bit rate of MP3 and AAC.
    #[must_use]
    pub fn bit_rate_kbps(mut self, bit_rate_kbps: u32) -> Self {
        self.bit_rate_kbps = bit_rate_kbps;
        self
    }

    /// Checks that the format can hold audio of this `spec`.
    ///
    /// # Errors
    /// `InvalidOption` naming what the format takes.
    pub fn check(&self, spec: AudioSpec) -> Result<()> {
        let AudioSpec { sample_rate_hz, channels } = spec;
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidOption, message));
        if !(32..=320).contains(&self.bit_rate_kbps) {
            return invalid(format!("a bit rate of {} kbit/s is outside 32..=320", self.bit_rate_kbps));
        }
        let lossy_rates: &[u32] = match self.format {
            AudioFormat::Wav => return Ok(()),
            AudioFormat::Flac => {
                return match () {
                    () if self.bit_depth == BitDepth::Float32 => {
                        invalid("FLAC stores integers: choose 16 or 24 bits, or WAV for floats".into())
                    }
                    () if channels > 8 => invalid(format!("FLAC takes up to 8 channels, not {channels}")),
                    () if sample_rate_hz > 655_350 => {
                        invalid(format!("FLAC takes up to 655350 Hz, not {sample_rate_hz}"))
                    }
                    () => Ok(()),
                };
            }
            AudioFormat::Mp3 if channels > 2 => {
                return invalid(format!("MP3 takes up to 2 channels, not {channels}"));
            }
            AudioFormat::Mp3 => &[8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
            AudioFormat::M4aAac if channels > 6 => {
                return invalid(format!("AAC takes up to 6 channels, not {channels}"));
            }
            AudioFormat::M4aAac => &[
                8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
            ],
        };
        if !lossy_rates.contains(&sample_rate_hz) {
            let name = self.format.extension();
            return invalid(format!("{name} takes {lossy_rates:?} Hz, not {sample_rate_hz}: resample first"));
        }
        Ok(())
    }
}

/// What became of a file.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Length in frames.
    pub frames: u64,
    /// Samples beyond full scale that integers could not hold.
    pub clamped_samples: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes a file block by block.
///
/// The file has a temporary name beside `path` until [`finish`](Self::finish) renames it; a writer that is dropped
/// before leaves nothing behind.
///
/// ```no_run
/// use sfa_audio::{Clip, io::{AudioFormat, AudioWriter, EncodeOptions}};
///
/// let clip = Clip::from_channels(44_100, vec![vec![0.0; 44_100]; 2])?;
/// let options = EncodeOptions::new(AudioFormat::Flac);
/// let mut writer = AudioWriter::create("silence.flac".as_ref(), clip.spec(), &options, None)?;
/// writer.write(&clip)?;
/// writer.finish()?;
/// # Ok::<(), sfa_audio::Error>(())
/// ```
pub struct AudioWriter {
    // Declared before the file, so that an encoder is gone before its file is removed.
    sink: Sink,
    file: AtomicFile,
    spec: AudioSpec,
    tags: Option<Tags>,
    frames: u64,
}

enum Sink {
    Wav(WavWriter),
    Flac(Box<FlacWriter>),
    External(ExternalWriter),
}

struct FlacWriter {
    encoder: FlacSampleWriter<BufWriter<File>>,
    quantizer: Quantizer,
    scratch: Vec<i32>,
}

impl AudioWriter {
    /// Starts the file that will be `path`, for blocks of `spec`; `tags` and their cover go along.
    ///
    /// # Errors
    /// `InvalidOption` for what the format cannot hold; `Io` when the folder cannot be written to;
    /// `ToolUnavailable` for MP3 and AAC without an installed `ffmpeg`.
    pub fn create(
        path: &Path,
        spec: AudioSpec,
        options: &EncodeOptions,
        tags: Option<&Tags>,
    ) -> Result<Self> {
        let name = || path.display().to_string();
        let spec = AudioSpec::new(spec.sample_rate_hz, spec.channels).map_err(|error| error.about(name()))?;
        options.check(spec).map_err(|error| error.about(name()))?;
        let file = AtomicFile::create(path)?;
        let dither = options.dither && options.bit_depth == BitDepth::Int16;
        let sink = match options.format {
            AudioFormat::Wav => {
                let wav = WavWriter::new(file.handle()?, spec, options.bit_depth, dither);
                Sink::Wav(wav.map_err(|error| Error::io(path, error))?)
            }
            AudioFormat::Flac => {
                let bits = options.bit_depth.bits();
                let encoder = FlacSampleWriter::new(
                    BufWriter::with_capacity(1 << 18, file.handle()?),
                    tag_files::flac_options(flac_effort(), tags),
                    spec.sample_rate_hz,
                    bits,
                    spec.channels as u8,
                    None,
                )
                .map_err(flac_error)?;
                let quantizer = Quantizer::new(bits, dither);
                Sink::Flac(Box::new(FlacWriter { encoder, quantizer, scratch: Vec::new() }))
            }
            format @ (AudioFormat::Mp3 | AudioFormat::M4aAac) => Sink::External(
                ExternalWriter::new(&file, spec, format, options.bit_rate_kbps)
                    .map_err(|error| error.about(name()))?,
            ),
        };
        Ok(Self { sink, file, spec, tags: tags.cloned(), frames: 0 })
    }

    /// Appends a block.
    ///
    /// # Errors
    /// `InvalidOption` for a block of another rate or channel count, or beyond the format's size; `Io` when
    /// writing fails; `ToolUnavailable` when an external encoder stops.
    pub fn write(&mut self, block: &Clip) -> Result<()> {
        if block.spec() != self.spec {
            return Err(self.blame(Error::new(
                ErrorKind::InvalidOption,
                format!("a block of {:?} does not fit a file of {:?}", block.spec(), self.spec),
            )));
        }
        let written = match &mut self.sink {
            Sink::Wav(wav) => wav.write(block),
            Sink::Flac(flac) => flac.write(block),
            Sink::External(external) => external.write(block),
        };
        written.map_err(|error| self.blame(error))?;
        self.frames += block.frames() as u64;
        Ok(())
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write); nothing is left behind then.
    pub fn finish(self) -> Result<Written> {
        let Self { sink, file, spec: _, tags, frames } = self;
        let path = file.path().to_owned();
        let name = path.display().to_string();
        let clamped_samples = match sink {
            Sink::Wav(wav) => {
                let id3 = tags.as_ref().and_then(tag_files::id3_bytes);
                wav.finish(id3.as_deref()).map_err(|error| Error::io(&path, error))?
            }
            Sink::Flac(flac) => {
                let clamped = flac.quantizer.clamped();
                flac.encoder.finalize().map_err(|error| flac_error(error).about(name.clone()))?;
                clamped
            }
            Sink::External(external) => {
                external.finish().map_err(|error| error.about(name.clone()))?;
                if let Some(tags) = &tags {
                    tag_files::write(file.temporary_path(), tags).map_err(|error| error.about(name))?;
                }
                0
            }
        };
        let bytes = std::fs::metadata(file.temporary_path()).map_err(|error| Error::io(&path, error))?.len();
        file.publish()?;
        Ok(Written { frames, clamped_samples, bytes })
    }

    fn blame(&self, error: Error) -> Error {
        error.about(self.file.path().display().to_string())
    }
}

impl FlacWriter {
    fn write(&mut self, block: &Clip) -> Result<()> {
        self.scratch.clear();
        for frame in 0..block.frames() {
            for channel in block.channels() {
                self.scratch.push(self.quantizer.quantize(channel[frame]));
            }
        }
        self.encoder.write(&self.scratch).map_err(flac_error)
    }
}

/// Writes a whole clip into a file.
///
/// # Errors
/// As [`AudioWriter::create`] and [`AudioWriter::write`].
pub fn write_clip(path: &Path, clip: &Clip, options: &EncodeOptions, tags: Option<&Tags>) -> Result<Written> {
    let mut writer = AudioWriter::create(path, clip.spec(), options, tags)?;
    writer.write(clip)?;
    writer.finish()
}

/// Trying every stereo coding in full would take twice the time for files 0.8 % smaller (pop song, 16 bits).
fn flac_effort() -> FlacOptions {
    FlacOptions::default().fast_channel_correlation(true)
}

fn write_error(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string()).caused_by(error)
}

fn too_long(message: &str) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}

fn flac_error(error: flac_codec::Error) -> Error {
    match error {
        flac_codec::Error::Io(error) => write_error(error),
        other => Error::new(ErrorKind::InvalidOption, format!("FLAC refuses this audio: {other}")),
    }
}
