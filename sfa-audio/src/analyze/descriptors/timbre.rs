//! Mel levels, and what is read from them: cepstral coefficients and onsets.

use super::batch::{Lanes, SpectrumBatch};
use super::mel::{COEFFICIENTS, Cepstrum, MEL_BANDS, MelBank};
use super::onset::{OnsetCollector, OnsetStrengths};
use super::report::MfccSummary;
use super::series::Series;
use super::top_db::TopDb;
use super::{BINS, FrameMatrix, horizon_frames};

/// Collects everything that begins with mel levels.
pub(super) struct TimbreCollector {
    bank: MelBank,
    levels: Box<[Lanes; MEL_BANDS]>,
    top_db: TopDb,
    readers: Readers,
}

/// Those who read levels whose floor is decided.
struct Readers {
    mel: Option<Series>,
    mfcc: Option<(Cepstrum, Series)>,
    onsets: Option<OnsetCollector>,
}

impl TimbreCollector {
    pub(super) fn new(sample_rate_hz: u32, want_mfcc: bool, want_onsets: bool, keep_frames: bool) -> Self {
        let series = |name, width| Series::new(name, width, keep_frames);
        Self {
            bank: MelBank::new(BINS, sample_rate_hz),
            levels: Box::new([Lanes::ZERO; MEL_BANDS]),
            top_db: TopDb::new(MEL_BANDS, horizon_frames(sample_rate_hz)),
            readers: Readers {
                mel: (want_mfcc && keep_frames).then(|| series("mel_db", MEL_BANDS)),
                mfcc: want_mfcc.then(|| (Cepstrum::new(), series("mfcc", COEFFICIENTS))),
                onsets: want_onsets.then(OnsetCollector::new),
            },
        }
    }

    pub(super) fn push_batch(&mut self, batch: &SpectrumBatch) {
        self.bank.levels_db(batch, &mut self.levels);
        for lane in 0..batch.frames() {
            let frame: [f32; MEL_BANDS] = std::array::from_fn(|band| self.levels[band][lane]);
            self.top_db.push(&frame, |levels_db| self.readers.read(levels_db));
        }
    }

    /// The summary and the strengths, where they were asked for, and the frames where they were kept.
    pub(super) fn finish(
        mut self,
        matrices: &mut Vec<FrameMatrix>,
    ) -> (Option<MfccSummary>, Option<OnsetStrengths>) {
        self.top_db.finish(|levels_db| self.readers.read(levels_db));
        let Readers { mel, mfcc, onsets } = self.readers;
        let mfcc = mfcc.map(|(_, series)| series);
        let summary = mfcc
            .as_ref()
            .map(|series| MfccSummary { mfcc: series.means(), mfcc_variance: series.variances() });
        matrices.extend([mel, mfcc].into_iter().flatten().filter_map(Series::into_matrix));
        (summary, onsets.map(OnsetCollector::finish))
    }
}

impl Readers {
    fn read(&mut self, levels_db: &[f32]) {
        if let Some(mel) = &mut self.mel {
            mel.push(levels_db);
        }
        if let Some((cepstrum, series)) = &mut self.mfcc {
            series.push(&cepstrum.of(levels_db));
        }
        if let Some(onsets) = &mut self.onsets {
            onsets.push(levels_db);
        }
    }
}
