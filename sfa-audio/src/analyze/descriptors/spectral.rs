//! Level and shape of the spectrum over a whole signal.

use super::batch::SpectrumBatch;
use super::contrast::{BANDS, Bands};
use super::level::LevelCollector;
use super::report::SpectralSummary;
use super::series::Series;
use super::shape;
use super::top_db::TopDb;
use super::{BINS, FrameMatrix, horizon_frames};

/// Collects what a [`SpectralSummary`] is made of.
pub(super) struct SpectralCollector {
    bin_hz: f64,
    keep_frames: bool,
    level: LevelCollector,
    centroid: Series,
    bandwidth: Series,
    rolloff: Series,
    flatness: Series,
    contrast: Option<ContrastCollector>,
}

struct ContrastCollector {
    bands: Bands,
    peaks: TopDb,
    valleys: TopDb,
    contrast_series: Series,
    valley_series: Series,
}

impl SpectralCollector {
    pub(super) fn new(sample_rate_hz: u32, keep_frames: bool) -> Self {
        let horizon = horizon_frames(sample_rate_hz);
        let series = |name| Series::new(name, 1, keep_frames);
        Self {
            bin_hz: f64::from(sample_rate_hz) / 2.0 / (BINS - 1) as f64,
            keep_frames,
            level: LevelCollector::default(),
            centroid: series("spectral_centroid"),
            bandwidth: series("spectral_bandwidth"),
            rolloff: series("spectral_rolloff"),
            flatness: series("spectral_flatness"),
            contrast: Bands::new(BINS, sample_rate_hz).map(|bands| ContrastCollector {
                bands,
                peaks: TopDb::new(BANDS, horizon),
                valleys: TopDb::new(BANDS, horizon),
                contrast_series: Series::new("spectral_contrast", BANDS, keep_frames),
                valley_series: Series::new("spectral_valleys", BANDS, keep_frames),
            }),
        }
    }

    pub(super) fn push_audio(&mut self, mono: &[f32]) {
        self.level.push(mono);
    }

    pub(super) fn push_batch(&mut self, batch: &SpectrumBatch) {
        let shape = shape::measure(batch, self.bin_hz);
        for frame in 0..batch.frames() {
            self.centroid.push(&[shape.centroid_hz[frame]]);
            self.bandwidth.push(&[shape.bandwidth_hz[frame]]);
            self.rolloff.push(&[shape.rolloff_hz[frame]]);
            self.flatness.push(&[shape.flatness[frame]]);
        }
        if let Some(contrast) = &mut self.contrast {
            contrast.push(batch);
        }
    }

    /// The summary, and the frames where they were kept.
    pub(super) fn finish(mut self, matrices: &mut Vec<FrameMatrix>) -> SpectralSummary {
        let levels = self.level.finish();
        let mut rms = Series::new("rms", 1, self.keep_frames);
        let mut crossings = Series::new("zero_crossing_rate", 1, self.keep_frames);
        levels.rms.iter().for_each(|&value| rms.push(&[value]));
        levels.zero_crossing_rate.iter().for_each(|&value| crossings.push(&[value]));
        if let Some(contrast) = &mut self.contrast {
            contrast.finish();
        }
        let of_contrast = |series: fn(&ContrastCollector) -> &Series| {
            self.contrast.as_ref().map_or_else(Vec::new, |contrast| series(contrast).means())
        };
        let summary = SpectralSummary {
            rms: rms.mean(),
            rms_variance: rms.variances()[0],
            rms_max: levels.rms.iter().copied().fold(0.0, f32::max),
            rms_min: levels.rms.iter().copied().reduce(f32::min).unwrap_or(0.0),
            zero_crossing_rate: crossings.mean(),
            spectral_centroid: self.centroid.mean(),
            spectral_centroid_variance: self.centroid.variances()[0],
            spectral_bandwidth: self.bandwidth.mean(),
            spectral_rolloff: self.rolloff.mean(),
            spectral_flatness: self.flatness.mean(),
            spectral_contrast: of_contrast(|contrast| &contrast.contrast_series),
            spectral_valleys: of_contrast(|contrast| &contrast.valley_series),
        };
        let of_bands = self.contrast.map(|contrast| [contrast.contrast_series, contrast.valley_series]);
        let series = [rms, crossings, self.centroid, self.bandwidth, self.rolloff, self.flatness];
        matrices
            .extend(series.into_iter().chain(of_bands.into_iter().flatten()).filter_map(Series::into_matrix));
        summary
    }
}

impl ContrastCollector {
    fn push(&mut self, batch: &SpectrumBatch) {
        let frames = self.bands.measure(batch);
        for frame in &frames[..batch.frames()] {
            let (mut peaks, mut valleys) = (Vec::new(), Vec::new());
            self.peaks.push(&frame.peaks_db, |levels| peaks.extend_from_slice(levels));
            self.valleys.push(&frame.valleys_db, |levels| valleys.extend_from_slice(levels));
            self.settle(&peaks, &valleys);
        }
    }

    fn finish(&mut self) {
        let (mut peaks, mut valleys) = (Vec::new(), Vec::new());
        self.peaks.finish(|levels| peaks.extend_from_slice(levels));
        self.valleys.finish(|levels| valleys.extend_from_slice(levels));
        self.settle(&peaks, &valleys);
    }

    /// Takes levels whose floor is decided.
    fn settle(&mut self, peaks_db: &[f32], valleys_db: &[f32]) {
        let peaks = peaks_db.as_chunks::<BANDS>().0;
        for (peaks, valleys) in peaks.iter().zip(valleys_db.as_chunks::<BANDS>().0) {
            let contrast: [f32; BANDS] = std::array::from_fn(|band| peaks[band] - valleys[band]);
            self.contrast_series.push(&contrast);
            self.valley_series.push(valleys);
        }
    }
}
