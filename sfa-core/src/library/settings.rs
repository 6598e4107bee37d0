//! What a user has decided about the work on new songs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sfa_audio::analyze::Feature;
use sfa_audio::io::{AudioFormat, BitDepth, EncodeOptions, PeakPolicy};
use sfa_audio::separate::demucs::{Device, Precision};

use super::file_names::FileNames;
use super::{JobState, LibraryError, LibraryErrorKind, LibraryResult, Step};
use crate::engine::as_text;
use crate::{AnalyzeOptions, EngineRequest, ModelOptions, SeparateOptions, StemOptions, StemSelection};

/// More passes over a song than this make no stem better.
const MOST_SHIFTS: u32 = 20;
/// The most of a segment that can be repeated in the next.
const MOST_OVERLAP: f64 = 0.95;

/// What a user has decided; what was never set has the defaults below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// What is done to a new song. Default: [`Step::DEFAULT`].
    pub steps: Vec<Step>,

    /// Who separates. Default: "auto".
    pub engine: String,
    /// With which model. Default: the best on this machine.
    pub model: Option<String>,
    /// Seconds of audio that a network sees at once. Default: the model's own.
    pub segment_secs: Option<f64>,
    /// Share of a segment that is repeated in the next, 0 to 0.95. Default: 0.25.
    pub overlap: f64,
    /// Passes over a randomly shifted song that are averaged, up to 20: a little better, each costs a whole run.
    /// Default: 0.
    pub shifts: u32,
    /// Numbers that a network counts with: "fp32", "bf16" or "fp16". Default: "fp32".
    #[serde(with = "as_text")]
    pub precision: Precision,
    /// Where a network runs: "cpu" or "cuda:N". Default: "cpu".
    #[serde(with = "as_text")]
    pub device: Device,

    /// Which stems are kept. Default: all.
    pub stems: StemSelection,
    /// Container of the stems: "wav", "flac", "mp3" or "m4a". Default: "flac".
    pub stem_format: String,
    /// Bits of a sample in WAV and FLAC: "int16", "int24", and for WAV "float32". Default: "int16".
    pub stem_bit_depth: BitDepth,
    /// What happens to stems louder than full scale. Default: "rescale", one factor for all.
    pub stem_peaks: PeakPolicy,
    /// How a stem is called when it is copied out: text with `{stem}`, and `{engine}`, `{title}`, `{artist}`, `{album}`,
    /// `{bpm}`, `{key}` or `{camelot}`. Default: "{engine} {stem}".
    pub stem_names: String,

    /// What is measured. Default: [`Feature::DEFAULT`], and what pictures of a song show besides: its spectrum and MFCC.
    pub features: Vec<Feature>,
    /// The slowest and the fastest tempo to consider. Default: 54 to 216.
    pub bpm_range: Option<(f64, f64)>,
    /// Whether the analysis also reads stems. Default: yes.
    pub hear_stems: bool,
    /// At most so many cues are suggested, those that matter most. Default: all.
    pub most_cues: Option<usize>,
    /// At most so many loops, the best. Default: all.
    pub most_loops: Option<usize>,

    /// How ends of the work on a song are told. Default: all of them.
    pub notifications: Notifications,
    /// Finished jobs and notifications are forgotten after so many days. Jobs are after 7 days and failed ones after 30,
    /// whatever is set here. Default: notifications never.
    pub keep_days: Option<u32>,
    /// The largest file that is taken in. Default: as large as the quota allows.
    pub largest_import_bytes: Option<u64>,
    /// The longest that a step may take. Default: as long as the worker allows.
    pub step_timeout_secs: Option<u64>,
}

/// Which ends of the work on a song are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notifications {
    /// All of them.
    #[default]
    All,
    /// Failures alone.
    Failures,
    /// None.
    Off,
}

impl Notifications {
    /// Whether it is told that a job came to `state`.
    pub(crate) fn tell(self, state: JobState) -> bool {
        match self {
            Self::All => true,
            Self::Failures => state == JobState::Discarded,
            Self::Off => false,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let ModelOptions { segment_secs, overlap, shifts, seed: _, precision, device } =
            ModelOptions::default();
        Self {
            steps: Step::DEFAULT.to_vec(),
            engine: crate::AUTO.to_owned(),
            model: None,
            segment_secs,
            overlap,
            shifts,
            precision,
            device,
            stems: StemSelection::All,
            stem_format: AudioFormat::Flac.extension().to_owned(),
            stem_bit_depth: BitDepth::default(),
            stem_peaks: PeakPolicy::default(),
            stem_names: FileNames::DEFAULT.to_owned(),
            features: [&Feature::DEFAULT[..], &[Feature::Spectral, Feature::Mfcc]].concat(),
            bpm_range: None,
            hear_stems: true,
            most_cues: None,
            most_loops: None,
            notifications: Notifications::All,
            keep_days: None,
            largest_import_bytes: None,
            step_timeout_secs: None,
        }
    }
}

fn invalid(message: impl Into<String>) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, message)
}

impl Settings {
    /// The defaults, but only with these steps.
    pub fn of_steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// The same, but for one value, by its name.
    ///
    /// # Errors
    /// `Invalid` for a name that there is not, or a value of another kind.
    pub fn with(&self, name: &str, value: Value) -> LibraryResult<Self> {
        let mut document = serde_json::to_value(self).map_err(|error| invalid(error.to_string()))?;
        let Some(place) = document.get_mut(name) else {
            let names = document.as_object().into_iter().flat_map(|settings| settings.keys());
            let names = names.map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(invalid(format!("there is no setting {name:?}; there are {names}")));
        };
        *place = value;
        serde_json::from_value(document).map_err(|error| invalid(format!("{name}: {error}")))
    }

    /// The same, but for several values, by their names.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn with_all<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a String, &'a Value)>,
    ) -> LibraryResult<Self> {
        let change = |settings: Self, (name, value): (&String, &Value)| settings.with(name, value.clone());
        values.into_iter().try_fold(self.clone(), change)
    }

    /// Reads what the database holds.
    pub(crate) fn from_json(document: Value) -> LibraryResult<Self> {
        serde_json::from_value(document)
            .map_err(|error| invalid(format!("these settings cannot be used: {error}")))
    }

    /// # Errors
    /// `Invalid` for a value out of its range, and for values that contradict each other.
    pub(crate) fn check(&self) -> LibraryResult<()> {
        let needy = self.steps.iter().find(|step| step.needs_analysis());
        if let Some(step) = needy
            && !self.steps.contains(&Step::Analyze)
        {
            return Err(invalid(format!("the step {} works on what analyze finds: add that", step.name())));
        }
        if self.features.is_empty() && self.steps.contains(&Step::Analyze) {
            return Err(invalid("features is empty: name what is measured, or leave out the step analyze"));
        }
        self.analyze_options().check().map_err(|error| invalid(error.to_string()))?;
        self.separate_options()?;
        FileNames::new(&self.stem_names)?;
        if !(0.0..=MOST_OVERLAP).contains(&self.overlap) {
            return Err(invalid(format!("overlap is 0 to {MOST_OVERLAP}, not {}", self.overlap)));
        }
        if self.shifts > MOST_SHIFTS {
            return Err(invalid(format!("shifts is 0 to {MOST_SHIFTS}, not {}", self.shifts)));
        }
        if self.segment_secs.is_some_and(|secs| !(secs.is_finite() && secs > 0.0)) {
            return Err(invalid("segment_secs is more than 0"));
        }
        for (name, is_none) in [
            ("keep_days", self.keep_days == Some(0)),
            ("largest_import_bytes", self.largest_import_bytes == Some(0)),
            ("step_timeout_secs", self.step_timeout_secs == Some(0)),
        ] {
            if is_none {
                return Err(invalid(format!("{name} is at least 1; null is without limit")));
            }
        }
        Ok(())
    }

    /// # Errors
    /// `Invalid` for a container that there is not, or that has no such samples.
    pub(crate) fn separate_options(&self) -> LibraryResult<SeparateOptions> {
        let format = AudioFormat::named(&self.stem_format).ok_or_else(|| {
            let names = AudioFormat::ALL.map(AudioFormat::extension).join(", ");
            invalid(format!("stems cannot be {:?}; there are {names}", self.stem_format))
        })?;
        if format != AudioFormat::Wav && self.stem_bit_depth == BitDepth::Float32 {
            return Err(invalid("stems with samples of float32 are WAV: set stem_format to wav"));
        }
        let engine = EngineRequest {
            engine: self.engine.clone(),
            model: self.model.clone(),
            options: ModelOptions {
                segment_secs: self.segment_secs,
                overlap: self.overlap,
                shifts: self.shifts,
                precision: self.precision,
                device: self.device,
                ..ModelOptions::default()
            },
            ..EngineRequest::default()
        };
        let stems = StemOptions {
            selection: self.stems.clone(),
            encode: EncodeOptions::new(format).bit_depth(self.stem_bit_depth),
            peaks: self.stem_peaks,
            ..StemOptions::default()
        };
        Ok(SeparateOptions { engine, stems })
    }

    pub(crate) fn analyze_options(&self) -> AnalyzeOptions {
        let mut options = AnalyzeOptions::default().features(self.features.iter().copied());
        options.bpm_range = self.bpm_range;
        options
    }

    /// The step after `step` among those wanted.
    pub(crate) fn after(&self, step: Option<Step>) -> Option<Step> {
        Step::ALL.into_iter().find(|next| step.is_none_or(|step| *next > step) && self.steps.contains(next))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sfa_audio::StemKind;

    use super::*;

    #[test]
    fn every_value_can_be_set_by_its_name() {
        let settings = Settings::default();
        for (name, value) in [
            ("steps", json!(["separate", "midi"])),
            ("engine", json!("classic")),
            ("model", json!("htdemucs")),
            ("segment_secs", json!(5.5)),
            ("overlap", json!(0.5)),
            ("shifts", json!(2)),
            ("precision", json!("bf16")),
            ("device", json!("cuda:1")),
            ("stems", json!({"two": {"stem": "vocals", "rest": "minus"}})),
            ("stem_format", json!("wav")),
            ("stem_bit_depth", json!("int24")),
            ("stem_peaks", json!("clamp")),
            ("stem_names", json!("{artist} - {title} ({stem})")),
            ("features", json!(["key", "rhythm"])),
            ("bpm_range", json!([88.0, 176.0])),
            ("hear_stems", json!(false)),
            ("most_cues", json!(8)),
            ("most_loops", json!(0)),
            ("notifications", json!("failures")),
            ("keep_days", json!(30)),
            ("largest_import_bytes", json!(100_000_000)),
            ("step_timeout_secs", json!(600)),
        ] {
            let changed = settings.with(name, value.clone()).unwrap();
            assert_ne!(changed, settings, "{name}");
            assert_eq!(serde_json::to_value(&changed).unwrap()[name], value, "{name}");
            changed.check().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let names = serde_json::to_value(&settings).unwrap().as_object().unwrap().len();
        assert_eq!(names, 22, "each is tried above");
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        let settings = Settings::default();
        for (name, value, expected) in [
            ("stem_format", json!("aiff"), "wav, flac, mp3, m4a"),
            ("stem_bit_depth", json!("float32"), "set stem_format to wav"),
            ("overlap", json!(1.0), "0 to 0.95"),
            ("shifts", json!(21), "0 to 20"),
            ("segment_secs", json!(0.0), "more than 0"),
            ("steps", json!(["cues"]), "add that"),
            ("features", json!([]), "features is empty"),
            ("bpm_range", json!([120.0, 90.0]), "must rise"),
            ("stem_names", json!("{title}"), "{stem}"),
            ("stem_names", json!("{stem} {mood}"), "mood"),
            ("keep_days", json!(0), "keep_days is at least 1"),
        ] {
            let error = settings.with(name, value).unwrap().check().unwrap_err();
            assert_eq!(error.kind(), LibraryErrorKind::Invalid);
            assert!(error.to_string().contains(expected), "{name}: {error}");
        }
        for (name, value, expected) in [
            ("volume", json!(11), "there are bpm_range"),
            ("shifts", json!("many"), "shifts: "),
            ("features", json!(["mood"]), "features: "),
            ("device", json!("abacus"), "device: "),
        ] {
            let error = settings.with(name, value).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn options_are_what_the_settings_say() {
        let settings = Settings {
            stems: StemSelection::Only(vec![StemKind::NoVocals]),
            stem_format: "wav".to_owned(),
            stem_bit_depth: BitDepth::Float32,
            shifts: 3,
            features: vec![Feature::Key],
            bpm_range: Some((88.0, 176.0)),
            ..Settings::default()
        };
        let separate = settings.separate_options().unwrap();
        assert_eq!(separate.engine.options.shifts, 3);
        assert_eq!(separate.stems.selection, settings.stems);
        assert_eq!(separate.stems.encode, EncodeOptions::new(AudioFormat::Wav).bit_depth(BitDepth::Float32));
        let analyze = settings.analyze_options();
        assert_eq!((analyze.features, analyze.bpm_range), (vec![Feature::Key], Some((88.0, 176.0))));
    }

    #[test]
    fn a_step_is_followed_by_the_next_that_is_wanted() {
        let settings = Settings::of_steps([Step::Export, Step::Analyze, Step::Midi]);
        assert_eq!(settings.after(None), Some(Step::Analyze));
        assert_eq!(settings.after(Some(Step::Analyze)), Some(Step::Midi));
        assert_eq!(settings.after(Some(Step::Cues)), Some(Step::Midi));
        assert_eq!(settings.after(Some(Step::Export)), None);
    }
}
