//! The descriptors as they are reported.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BeatTrack;

/// Means of librosa's features over a whole signal, one part per feature that was asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Descriptors {
    /// Frames that the means are taken over.
    pub frames: u64,
    /// Samples from one frame to the next: 512.
    pub hop_frames: usize,
    /// Level, zero crossings and the shape of the spectrum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spectral: Option<SpectralSummary>,
    /// Mel-frequency cepstral coefficients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfcc: Option<MfccSummary>,
    /// Pitch classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma: Option<ChromaMeans>,
    /// Where something begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onsets: Option<OnsetSummary>,
    /// Periodicity of the onsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tempogram: Option<TempogramSummary>,
    /// Tempo and beats as librosa finds them; absent where nothing begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beat_track: Option<BeatTrack>,
    /// How much sounds on and how much strikes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hpss: Option<HarmonicShare>,
    /// How the song repeats itself; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<RecurrenceSummary>,
}

/// Means over time of `librosa.feature.rms`, `zero_crossing_rate` and the `spectral_*` functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SpectralSummary {
    /// Root mean square level, full scale 1.
    pub rms: f64,
    /// Variance of the level.
    pub rms_variance: f64,
    /// The loudest frame's level.
    pub rms_max: f32,
    /// The softest frame's level.
    pub rms_min: f32,
    /// Share of samples at which the sign changes.
    pub zero_crossing_rate: f64,
    /// Centre of mass of the magnitudes in Hz.
    pub spectral_centroid: f64,
    /// Variance of the centroid in Hz².
    pub spectral_centroid_variance: f64,
    /// Spread of the magnitudes around the centroid in Hz.
    pub spectral_bandwidth: f64,
    /// Frequency below which 85 % of the magnitude lies, in Hz.
    pub spectral_rolloff: f64,
    /// Geometric over arithmetic mean of the power: 0 a tone, 1 white noise.
    pub spectral_flatness: f64,
    /// Peaks over valleys in dB: below 200 Hz, five octaves, above 6.4 kHz. Empty at sample rates that have no
    /// such band.
    pub spectral_contrast: Vec<f64>,
    /// The valleys in dB (`10 log10` of the magnitude).
    pub spectral_valleys: Vec<f64>,
}

/// `librosa.feature.mfcc(n_mfcc=13)` over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MfccSummary {
    /// The mean of every coefficient.
    pub mfcc: Vec<f64>,
    /// The variance of every coefficient.
    pub mfcc_variance: Vec<f64>,
}

/// Mean chroma, 12 pitch classes from C.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChromaMeans {
    /// `librosa.feature.chroma_stft`.
    pub chroma_stft: Vec<f64>,
    /// `librosa.feature.chroma_cqt`; absent below a sample rate of about 8.5 kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma_cqt: Option<Vec<f64>>,
    /// `librosa.feature.chroma_cens`; absent below a sample rate of about 8.5 kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma_cens: Option<Vec<f64>>,
    /// Tuning in shares of a semitone, `-0.5..0.5`, as `chroma_stft` estimates it.
    pub tuning: f64,
    /// Tuning in shares of a third of a semitone, `-0.5..0.5`, as `chroma_cqt` estimates it.
    pub tuning_cqt: f64,
}

/// `librosa.onset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OnsetSummary {
    /// Mean of `onset_strength` in dB.
    pub onset_strength_mean: f64,
    /// Mean of `onset_strength(aggregate=median)` in dB.
    pub onset_strength_median_mean: f64,
    /// `onset_detect` in seconds.
    pub onset_times: Vec<f64>,
}

/// `librosa.feature.tempogram`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TempogramSummary {
    /// Mean over time at every lag, from 0 frames on.
    pub tempogram_mean: Vec<f64>,
}

/// `librosa.decompose.hpss` of the magnitudes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HarmonicShare {
    /// Energy of the percussive part over that of the whole.
    pub percussive_ratio: f64,
    /// Energy of the harmonic part over that of the whole.
    pub harmonic_ratio: f64,
}

/// `librosa.segment.recurrence_matrix` on `chroma_cqt` at a hop of 4096 samples, or a multiple of it where that is
/// more than 4000 frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RecurrenceSummary {
    /// Frames that were compared.
    pub frames: usize,
    /// Samples from one to the next.
    pub hop_frames: usize,
    /// Neighbours of every frame.
    pub neighbours: usize,
    /// Cosine distance at which the affinity has fallen to 1/e.
    pub bandwidth: f32,
    /// Mean affinity of all pairs.
    pub mean_affinity: f64,
}
