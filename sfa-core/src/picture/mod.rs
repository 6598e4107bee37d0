//! What was measured, drawn: one picture per question, as SVG or PNG.
//!
//! A picture is a `Scene` of a few kinds of shapes, made by the chart that knows the question and rendered by the
//! format that was asked for. The pictures of one song share the look of its report page.

mod charts;
mod matrix;
mod png;
mod scene;
mod spectra;
mod svg;

use std::path::Path;

use sfa_audio::analyze::Feature;

use crate::song::SongReport;
use crate::{AnalyzeOptions, AudioSource, Error, ErrorKind, Result, Watch};
use scene::Scene;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureKind {
    /// The outline of the samples, coloured by what sounds: bass red, middle green, treble blue.
    Waveform,
    /// Loudness of every frequency over time, on a logarithmic scale of frequency.
    Spectrogram,
    /// Loudness in the 128 mel bands over time.
    Mel,
    /// Strength of the twelve pitch classes over time.
    Chroma,
    /// Strength of every tempo over time.
    Tempogram,
    /// How alike any two moments are.
    Ssm,
    /// The outline with beats and bars.
    Beats,
    /// Sections, energy, drops and build-ups.
    Structure,
    /// Loudness over time by EBU R128.
    Loudness,
}

impl PictureKind {
    /// What has to be measured for it.
    fn features(self) -> &'static [Feature] {
        match self {
            Self::Waveform => &[Feature::Waveform],
            Self::Spectrogram => &[],
            Self::Mel => &[Feature::Mfcc],
            Self::Chroma => &[Feature::Key],
            Self::Tempogram => &[Feature::Rhythm, Feature::Tempogram],
            Self::Ssm => &[Feature::Key, Feature::Rhythm],
            Self::Beats => &[Feature::Waveform, Feature::Rhythm],
            Self::Structure => &[Feature::Form, Feature::Energy, Feature::Rhythm],
            Self::Loudness => &[Feature::Loudness],
        }
    }

    /// What to measure before [`draw`].
    pub fn options(self) -> AnalyzeOptions {
        let needs_frames = matches!(self, Self::Mel | Self::Tempogram);
        AnalyzeOptions::default().features(self.features().iter().copied()).keep_frames(needs_frames)
    }
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Lines and letters, sharp at every size.
    Svg,
    /// Pixels.
    Png,
}

impl PictureFormat {
    /// By a file name's ending.
    ///
    /// # Errors
    /// `InvalidOption` for another ending than `.svg` and `.png`.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => {
                let message = "pictures are written as .svg or .png";
                Err(Error::new(ErrorKind::InvalidOption, message).about(path.display().to_string()))
            }
        }
    }
}

/// Draws one picture of a song: `report` was measured with [`PictureKind::options`], `audio` is the song again, read
/// only for pictures of spectra.
///
/// # Errors
/// `InvalidOption` when the song has no answer to the question, for example beats in silence; as
/// [`AudioSource::read`] while reading; `Cancelled` when stopped.
pub fn draw(
    kind: PictureKind,
    format: PictureFormat,
    report: &SongReport,
    audio: &mut dyn AudioSource,
    watch: &Watch,
) -> Result<Vec<u8>> {
    let scene = scene(kind, report, audio, watch)?;
    Ok(match format {
        PictureFormat::Svg => svg::render(&scene).into_bytes(),
        PictureFormat::Png => png::render(&scene)?,
    })
}

fn scene(
    kind: PictureKind,
    report: &SongReport,
    audio: &mut dyn AudioSource,
    watch: &Watch,
) -> Result<Scene> {
    let analysis = &report.analysis;
    let missing = |what: &str| Error::new(ErrorKind::InvalidOption, format!("there is {what} to draw"));
    let frames = |name: &str| {
        let all = analysis.frames.as_ref();
        let found = all.and_then(|frames| frames.matrices.iter().find(|matrix| matrix.name == name));
        found.ok_or_else(|| missing("nothing"))
    };
    Ok(match kind {
        PictureKind::Waveform => {
            charts::waveform(report, analysis.waveform.as_ref().ok_or_else(|| missing("no waveform"))?, &[])
        }
        PictureKind::Spectrogram => charts::spectrogram(report, spectra::spectrogram(audio, watch)?),
        PictureKind::Mel => charts::mel(report, spectra::mel(frames("mel_db")?)),
        PictureKind::Chroma => {
            charts::chroma(report, analysis.chroma.as_ref().ok_or_else(|| missing("nothing pitched"))?)
        }
        PictureKind::Tempogram => {
            let hop_frames = analysis.frames.as_ref().map_or(1, |frames| frames.hop_frames);
            let frames_per_minute = 60.0 * f64::from(analysis.sample_rate_hz) / hop_frames as f64;
            charts::tempogram(report, spectra::tempogram(frames("tempogram")?, frames_per_minute))
        }
        PictureKind::Ssm => {
            charts::similarity(report, analysis.chroma.as_ref().ok_or_else(|| missing("nothing pitched"))?)
        }
        PictureKind::Beats => {
            let rhythm = analysis.rhythm.as_ref().ok_or_else(|| missing("no pulse"))?;
            let waveform = analysis.waveform.as_ref().ok_or_else(|| missing("no waveform"))?;
            charts::waveform(report, waveform, &rhythm.beats)
        }
        PictureKind::Structure => {
            charts::structure(report, analysis.form.as_ref().ok_or_else(|| missing("no form"))?)
        }
        PictureKind::Loudness => {
            charts::loudness(report, analysis.loudness.as_ref().ok_or_else(|| missing("no loudness"))?)
        }
    })
}
