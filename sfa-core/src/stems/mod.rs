//! From an engine's blocks to finished stem files.
//!
//! Engines hand over stems block by block, but a joint gain is known only at the end. So stems are first
//! spooled as 32-bit float WAV, which keeps memory flat for a set of any length, and then written in the
//! wanted format with that gain.

mod selection;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sfa_audio::analyze::{WaveformCollector, WaveformLevel};
use sfa_audio::io::{AudioFormat, AudioReader, AudioWriter, BitDepth, EncodeOptions, PeakPolicy, Tags};
use sfa_audio::separate::{QualityMeter, SeparationQuality, StemSink};

use crate::export::{StemEntry, stems_zip};
use crate::folder::ZIP_FILE;
use crate::song::StemFile;
use crate::{AudioSource, AudioSpec, Clip, Error, ErrorKind, Result, Separator, Stage, StemKind, Watch};
use selection::Remix;
pub use selection::{Rest, StemSelection};

/// Which stems are made of a song, and how they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StemOptions {
    /// Which stems. Default: all that the engine makes.
    pub selection: StemSelection,
    /// Container, bit depth and dither. Default: 16-bit WAV.
    pub encode: EncodeOptions,
    /// What happens to stems louder than full scale. Default: one gain for all stems.
    pub peaks: PeakPolicy,
    /// Whether all stems are also packed into `stems.zip`. Default: no.
    pub zip: bool,
    /// Whether it is measured how clean the stems are. Default: no.
    pub measure: bool,
}

/// What [`write_stems`] made.
pub(crate) struct WrittenStems {
    /// One per stem in output order, with paths relative to the folder.
    pub(crate) files: Vec<StemFile>,
    /// The factor that all were multiplied by.
    pub(crate) gain: f32,
    /// Their common length.
    pub(crate) frames: u64,
    /// How clean they are, where that was measured.
    pub(crate) quality: Option<SeparationQuality>,
}

/// Separates all of `mix` and writes one file per stem into `folder`, named after the stem.
///
/// `mix_again` opens the mix a second time, to be read beside the stems where something is made from both.
/// `separating` hears about the engine's work, `encoding` about the writing.
pub(crate) fn write_stems(
    engine: &dyn Separator,
    (mix, mix_again): (&mut dyn AudioSource, impl FnOnce() -> Result<AudioReader>),
    tags: &Tags,
    folder: &Path,
    options: &StemOptions,
    (separating, encoding): (&Watch, &Watch),
) -> Result<WrittenStems> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let recipes = options.selection.recipes(engine.info().stems)?;
    let kinds: Vec<StemKind> = recipes.iter().map(|(kind, _)| *kind).collect();
    // An encoder that is missing should say so before hours of work, not after them.
    drop(AudioWriter::create(&folder.join("encoder"), mix.spec(), &options.encode, None)?);
    let mut spool = Spool::create(&kinds, mix.spec(), folder)?;
    let meter = options.measure.then(|| QualityMeter::new(engine.info().stems));
    let is_whole = options.selection.needs_all();
    let needs_mix = meter.is_some() && is_whole || recipes.iter().any(|(_, recipe)| recipe.needs_mix());
    let mut mix_again = if needs_mix { Some(mix_again()?) } else { None };
    let mix_again = mix_again.as_mut().map(|reader| reader as &mut dyn AudioSource);
    let recipes = recipes.into_iter().map(|(_, recipe)| recipe).collect();
    let mut remix = Remix::new(recipes, mix_again, meter, &mut spool)?;
    engine.separate_into(mix, &mut remix, separating)?;
    let quality = remix.finish();
    let stems = spool.finish()?;
    let frames = stems.iter().map(|stem| stem.frames).max().unwrap_or(0);
    let peak = stems.iter().map(|stem| stem.peak).fold(0.0, f32::max);
    let encoder = Encoder {
        folder,
        options,
        tags,
        joint_peak: peak,
        watch: encoding,
        done_frames: AtomicU64::new(0),
        total_frames: stems.iter().map(|stem| stem.frames).sum(),
    };
    let files = std::thread::scope(|scope| {
        let threads: Vec<_> = stems.into_iter().map(|stem| scope.spawn(|| encoder.encode(stem))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("encoding does not panic"))
            .collect::<Result<_>>()
    })?;
    let gain = if options.peaks == PeakPolicy::RescaleEach { 1.0 } else { options.peaks.gain(peak, peak) };
    Ok(WrittenStems { files, gain, frames, quality })
}

/// Packs stems that are below `folder` into an archive there.
pub(crate) fn write_zip(folder: &Path, song: &str, stems: &[StemFile], watch: &Watch) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::io(&path, error)
    };
    let entry = |stem: &StemFile| {
        let path = folder.join(&stem.file);
        let reader = fs::File::open(&path).map_err(failed(&path))?;
        let size_bytes = reader.metadata().map_err(failed(&path))?.len();
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        Ok(StemEntry { song: song.to_owned(), kind: stem.kind, extension, size_bytes, reader })
    };
    let entries = stems.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let path = folder.join(ZIP_FILE);
    let file = fs::File::create(&path).map_err(failed(&path))?;
    stems_zip(file, entries, watch)?;
    Ok(())
}

/// Takes an engine's blocks to disk.
struct Spool {
    lanes: Vec<Lane>,
}

struct Lane {
    kind: StemKind,
    path: PathBuf,
    writer: AudioWriter,
    waveform: WaveformCollector,
    channels: usize,
    frames: u64,
    peak: f32,
    square_sum: f64,
}

/// One whole stem as float WAV.
struct SpooledStem {
    kind: StemKind,
    path: PathBuf,
    waveform: Option<WaveformLevel>,
    frames: u64,
    peak: f32,
    rms: f64,
}

impl Spool {
    fn create(kinds: &[StemKind], spec: AudioSpec, folder: &Path) -> Result<Self> {
        let lane = |&kind: &StemKind| {
            let path = folder.join(format!("{kind}.spool.wav"));
            let writer = AudioWriter::create(
                &path,
                spec,
                &EncodeOptions::new(AudioFormat::Wav).bit_depth(BitDepth::Float32),
                None,
            )?;
            let waveform = WaveformCollector::new(spec);
            Ok(Lane {
                kind,
                path,
                writer,
                waveform,
                channels: spec.channels,
                frames: 0,
                peak: 0.0,
                square_sum: 0.0,
            })
        };
        Ok(Self { lanes: kinds.iter().map(lane).collect::<Result<_>>()? })
    }

    fn finish(self) -> Result<Vec<SpooledStem>> {
        self.lanes.into_iter().map(Lane::finish).collect()
    }
}

impl StemSink for Spool {
    fn write(&mut self, blocks: &[Clip]) -> Result<()> {
        self.lanes.iter_mut().zip(blocks).try_for_each(|(lane, block)| lane.write(block))
    }
}

impl Lane {
    fn write(&mut self, block: &Clip) -> Result<()> {
        self.frames += block.frames() as u64;
        self.peak = self.peak.max(block.peak());
        self.square_sum += block
            .channels()
            .iter()
            .flatten()
            .map(|&sample| f64::from(sample) * f64::from(sample))
            .sum::<f64>();
        self.waveform.push(block);
        self.writer.write(block)
    }

    fn finish(self) -> Result<SpooledStem> {
        self.writer.finish()?;
        let samples = (self.frames * self.channels as u64).max(1);
        // The report draws lanes a few hundred pixels wide: the coarsest zoom is enough.
        let waveform = self.waveform.finish().levels.pop();
        let rms = (self.square_sum / samples as f64).sqrt();
        Ok(SpooledStem {
            kind: self.kind,
            path: self.path,
            waveform,
            frames: self.frames,
            peak: self.peak,
            rms,
        })
    }
}

/// Turns spooled stems into files, several at a time.
struct Encoder<'a> {
    folder: &'a Path,
    options: &'a StemOptions,
    tags: &'a Tags,
    joint_peak: f32,
    watch: &'a Watch,
    done_frames: AtomicU64,
    total_frames: u64,
}

impl Encoder<'_> {
    fn encode(&self, stem: SpooledStem) -> Result<StemFile> {
        let file = format!("{}.{}", stem.kind, self.options.encode.format.extension());
        let mut reader = AudioReader::open(&stem.path)?;
        let mut tags = self.tags.clone();
        tags.title = tags.title.map(|title| format!("{title} ({})", stem.kind));
        let mut writer =
            AudioWriter::create(&self.folder.join(&file), reader.spec(), &self.options.encode, Some(&tags))?;
        let peaks = self.options.peaks;
        let gain = peaks.gain(stem.peak, self.joint_peak);
        let mut block = Clip::empty(reader.spec());
        while reader.read(&mut block)? > 0 {
            peaks.apply(gain, &mut block);
            writer.write(&block)?;
            let done = self.done_frames.fetch_add(block.frames() as u64, Ordering::Relaxed);
            self.watch.report(Stage::Encode, done + block.frames() as u64, self.total_frames)?;
        }
        writer.finish()?;
        drop(reader);
        fs::remove_file(&stem.path).map_err(|error| Error::io(&stem.path, error))?;
        Ok(StemFile {
            kind: stem.kind,
            file,
            peak_dbfs: dbfs(f64::from(stem.peak) * f64::from(gain)),
            rms_dbfs: dbfs(stem.rms * f64::from(gain)),
            gain: (peaks == PeakPolicy::RescaleEach).then_some(gain),
            waveform: stem.waveform,
        })
    }
}

/// A level in dB below full scale; none for silence.
fn dbfs(level: f64) -> Option<f64> {
    (level > 0.0).then(|| 20.0 * level.log10())
}

/// What is said when a worker thread ended in a panic: one song fails, the others go on.
pub(crate) fn panicked(what: &str) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("a fault in this program while {what} this song; please report it"),
    )
}
