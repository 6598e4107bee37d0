//! Pitch classes over a whole signal, at the tuning it turns out to have.

use super::batch::{LANES, Lanes, SpectrumBatch};
use super::cens::CensCollector;
use super::cqt::{ChromaCqt, CqtPlan, EarlyHalver};
use super::folding::{CLASSES, OPEN_WIDTH, OpenFolder, Settler, TunedFolder, scale_to_largest};
use super::report::ChromaMeans;
use super::series::Series;
use super::tuning::{Spectrum, TuningCollector};
use super::{BINS, FrameMatrix, horizon_frames};

/// Samples that go into the transform at once, so that what it makes of them stays small.
const CHUNK_FRAMES: usize = 1 << 16;

/// Collects chroma from spectra and from the audio itself.
///
/// Until the tuning is known, spectra wait folded at twelve tunings, and audio at half its rate.
pub(super) struct ChromaCollector {
    sample_rate_hz: u32,
    horizon_frames: usize,
    frames: usize,
    tuning: TuningCollector,
    tuning_cqt: TuningCollector,
    /// What was estimated, once that was done.
    tunings: Option<[f64; 2]>,
    folding: Folding,
    stft: Series,
    cqt: Option<CqtCollector>,
}

enum Folding {
    Open { folder: OpenFolder, waiting: Vec<Lanes> },
    Tuned(TunedFolder),
}

struct CqtCollector {
    plan: CqtPlan,
    early: EarlyHalver,
    waiting: Vec<f32>,
    transform: Option<ChromaCqt>,
    readers: CqtReaders,
}

struct CqtReaders {
    scaled: Series,
    cens: CensCollector,
}

/// What a [`ChromaCollector`] found.
pub(super) struct FoundChroma {
    pub(super) means: ChromaMeans,
    /// `chroma_cqt` frame by frame, where that was kept.
    pub(super) cqt_frames: Option<FrameMatrix>,
}

impl ChromaCollector {
    pub(super) fn new(sample_rate_hz: u32, keep_frames: bool, keep_cqt_frames: bool) -> Self {
        let tuning =
            |spectrum, bins_per_octave| TuningCollector::new(spectrum, bins_per_octave, BINS, sample_rate_hz);
        Self {
            sample_rate_hz,
            horizon_frames: horizon_frames(sample_rate_hz),
            frames: 0,
            tuning: tuning(Spectrum::Power, 12),
            tuning_cqt: tuning(Spectrum::Magnitude, 36),
            tunings: None,
            folding: Folding::Open { folder: OpenFolder::new(sample_rate_hz), waiting: Vec::new() },
            stft: Series::new("chroma_stft", CLASSES, keep_frames),
            cqt: CqtPlan::new(sample_rate_hz).map(|plan| CqtCollector {
                plan,
                early: EarlyHalver::new(plan),
                waiting: Vec::new(),
                transform: None,
                readers: CqtReaders {
                    scaled: Series::new("chroma_cqt", CLASSES, keep_cqt_frames),
                    cens: CensCollector::default(),
                },
            }),
        }
    }

    pub(super) fn push_audio(&mut self, mono: &[f32]) {
        if let Some(cqt) = &mut self.cqt {
            cqt.early.push(mono, &mut cqt.waiting);
            cqt.transform_waiting();
        }
    }

    pub(super) fn push_batch(&mut self, batch: &SpectrumBatch) {
        self.frames += batch.frames();
        match &mut self.folding {
            Folding::Open { folder, waiting } => {
                folder.open(batch.power(), waiting);
                for frame in 0..batch.frames() {
                    self.tuning.push(batch.row(frame), batch.loudest(frame));
                    self.tuning_cqt.push(batch.row(frame), batch.loudest(frame));
                }
                if self.frames >= self.horizon_frames {
                    self.settle();
                }
            }
            Folding::Tuned(folder) => {
                let classes = folder.fold(batch.power());
                for frame in 0..batch.frames() {
                    push_scaled(&mut self.stft, classes.map(|class| class[frame]));
                }
            }
        }
    }

    /// Decides about the tuning, and works off what waited for it.
    fn settle(&mut self) -> [f64; 2] {
        if let Some(tunings) = self.tunings {
            return tunings;
        }
        let tunings = [self.tuning.estimate(), self.tuning_cqt.estimate()];
        self.tunings = Some(tunings);
        let tuned = Folding::Tuned(TunedFolder::new(self.sample_rate_hz, tunings[0]));
        if let Folding::Open { waiting, .. } = std::mem::replace(&mut self.folding, tuned) {
            let settler = Settler::new(self.sample_rate_hz, tunings[0]);
            // Only the last batch may hold fewer spectra than it has lanes.
            let mut left = self.frames;
            for open in waiting.chunks_exact(OPEN_WIDTH) {
                let classes = settler.settle(open);
                for lane in 0..left.min(LANES) {
                    push_scaled(&mut self.stft, classes.map(|class| class[lane]));
                }
                left = left.saturating_sub(LANES);
            }
        }
        if let Some(cqt) = &mut self.cqt {
            cqt.transform = Some(ChromaCqt::new(cqt.plan, tunings[1]));
            cqt.transform_waiting();
        }
        tunings
    }

    /// The means, and the frames where they were kept.
    pub(super) fn finish(mut self, keep_frames: bool, matrices: &mut Vec<FrameMatrix>) -> FoundChroma {
        let [tuning, tuning_cqt] = self.settle();
        let mut cens = Series::new("chroma_cens", CLASSES, keep_frames);
        let readers = self.cqt.map(CqtCollector::finish);
        if let Some(readers) = &readers {
            readers.cens.finish(|frame| cens.push(&frame));
        }
        let means = ChromaMeans {
            chroma_stft: self.stft.means(),
            chroma_cqt: readers.as_ref().map(|readers| readers.scaled.means()),
            chroma_cens: readers.as_ref().map(|_| cens.means()),
            tuning,
            tuning_cqt,
        };
        matrices.extend([self.stft, cens].into_iter().filter_map(Series::into_matrix));
        FoundChroma { means, cqt_frames: readers.and_then(|readers| readers.scaled.into_matrix()) }
    }
}

impl CqtCollector {
    fn transform_waiting(&mut self) {
        let Some(transform) = &mut self.transform else { return };
        for chunk in self.waiting.chunks(CHUNK_FRAMES) {
            transform.push(chunk, |chroma| self.readers.read(chroma));
        }
        self.waiting.clear();
        // Ten minutes of audio are not held on to.
        self.waiting.shrink_to(CHUNK_FRAMES);
    }

    fn finish(mut self) -> CqtReaders {
        let early = std::mem::replace(&mut self.early, EarlyHalver::new(self.plan));
        early.finish(&mut self.waiting);
        self.transform_waiting();
        if let Some(transform) = self.transform.take() {
            transform.finish(|chroma| self.readers.read(chroma));
        }
        self.readers
    }
}

impl CqtReaders {
    fn read(&mut self, chroma: [f32; CLASSES]) {
        self.cens.push(&chroma);
        push_scaled(&mut self.scaled, chroma);
    }
}

fn push_scaled(series: &mut Series, mut chroma: [f32; CLASSES]) {
    scale_to_largest(&mut chroma);
    series.push(&chroma);
}
