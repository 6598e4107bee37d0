//! Songs of our own: synthesised from nothing, free for any use, with every beat and chord known.
//!
//! [`song`] composes, plays and mixes a song and returns it with its stems and its [`DemoTruth`]. It is the
//! first song a newcomer hears, the honest test song where no recordings are at hand, and long material for
//! benches. The same options give the same song; whoever makes one may do with it what they like.
//!
//! A song passes through four hands: *arrange* lays out sections, *score* writes the notes, *voice* holds
//! the instruments and *mixdown* the desk.
//!
//! ```
//! use sfa_core::demo::{DemoOptions, DemoStyle};
//!
//! let options = DemoOptions::new(DemoStyle::Waltz).form_scale(0.25).sample_rate_hz(22_050);
//! let song = sfa_core::demo::song(&options)?;
//! assert_eq!(song.truth.beats_per_bar, 3);
//! assert_eq!(song.stems[0].1.frames(), song.mix.frames());
//! # Ok::<(), sfa_core::audio::Error>(())
//! ```

mod arrange;
mod mixdown;
mod random;
mod score;
mod style;
mod truth;
mod voice;

use sfa_audio::analyze::{Key, Mode, PitchClass};
use sfa_audio::{Clip, Error, ErrorKind, Result, StemKind};

pub use style::DemoStyle;
pub use truth::{DemoChord, DemoNote, DemoSection, DemoTruth};

use arrange::Plan;
use voice::Stereo;

/// What song to make.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DemoOptions {
    /// Form, patterns and instruments.
    pub style: DemoStyle,
    /// Beats per minute, `40.0..=240.0`. Default: the style's.
    pub bpm: f64,
    /// Default: A minor.
    pub key: Key,
    /// 3 or 4. Default: 3 for a waltz, which takes nothing else, and 4 for the other styles.
    pub beats_per_bar: u8,
    /// Where the second of two sixteenths falls between its neighbours, `0.5..=0.7`: 0.5 is straight, 0.667 a
    /// triplet. Default: the style's.
    pub swing: f64,
    /// Puts the backbeat on the third beat, which makes the song feel half as fast. Only in four. Default: no.
    pub half_time: bool,
    /// Chooses melodies, patterns and fills. Default: 1.
    pub seed: u64,
    /// `16_000..=192_000`. Default: 44 100.
    pub sample_rate_hz: u32,
    /// Factor on the bars of every section, `0.25..=4.0`; sections keep an even number of bars. Default: 1.
    pub form_scale: f64,
    /// At least this long, `1.0..=1800.0` s, by repeating or shortening the middle of the form. Needs about
    /// 3 MB per second of stereo at 44.1 kHz while it is made. Default: the style's own form, 90 to 110 s.
    pub duration_secs: Option<f64>,
    /// Silence before the first beat, `0.0..=10.0`. Default: 0.25.
    pub lead_in_secs: f64,
    /// How far the song is tuned from A = 440 Hz, in cents, `-50.0..=50.0`. Default: 0.
    pub tuning_cents: f64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self::new(DemoStyle::House)
    }
}

impl DemoOptions {
    /// The typical song of a style, in A minor.
    pub fn new(style: DemoStyle) -> Self {
        let sheet = style.sheet();
        Self {
            style,
            bpm: sheet.bpm,
            key: Key { tonic: PitchClass::new(9), mode: Mode::Minor },
            beats_per_bar: sheet.beats_per_bar,
            swing: sheet.swing,
            half_time: false,
            seed: 1,
            sample_rate_hz: 44_100,
            form_scale: 1.0,
            duration_secs: None,
            lead_in_secs: 0.25,
            tuning_cents: 0.0,
        }
    }

    /// Sets [`bpm`](Self::bpm).
    #[must_use]
    pub fn bpm(mut self, bpm: f64) -> Self {
        self.bpm = bpm;
        self
    }

    /// Sets [`key`](Self::key).
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    /// Sets [`beats_per_bar`](Self::beats_per_bar).
    #[must_use]
    pub fn beats_per_bar(mut self, beats_per_bar: u8) -> Self {
        self.beats_per_bar = beats_per_bar;
        self
    }

    /// Sets [`swing`](Self::swing).
    #[must_use]
    pub fn swing(mut self, swing: f64) -> Self {
        self.swing = swing;
        self
    }

    /// Sets [`half_time`](Self::half_time).
    #[must_use]
    pub fn half_time(mut self, half_time: bool) -> Self {
        self.half_time = half_time;
        self
    }

    /// Sets [`seed`](Self::seed).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets [`sample_rate_hz`](Self::sample_rate_hz).
    #[must_use]
    pub fn sample_rate_hz(mut self, sample_rate_hz: u32) -> Self {
        self.sample_rate_hz = sample_rate_hz;
        self
    }

    /// Sets [`form_scale`](Self::form_scale).
    #[must_use]
    pub fn form_scale(mut self, form_scale: f64) -> Self {
        self.form_scale = form_scale;
        self
    }

    /// Sets [`duration_secs`](Self::duration_secs).
    #[must_use]
    pub fn duration_secs(mut self, duration_secs: f64) -> Self {
        self.duration_secs = Some(duration_secs);
        self
    }

    /// Sets [`lead_in_secs`](Self::lead_in_secs).
    #[must_use]
    pub fn lead_in_secs(mut self, lead_in_secs: f64) -> Self {
        self.lead_in_secs = lead_in_secs;
        self
    }

    /// Sets [`tuning_cents`](Self::tuning_cents).
    #[must_use]
    pub fn tuning_cents(mut self, tuning_cents: f64) -> Self {
        self.tuning_cents = tuning_cents;
        self
    }

    fn check(&self) -> Result<()> {
        let within = |name: &str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::InvalidOption, format!("{name} is {value}, not in {low}..={high}")))
            }
        };
        within("bpm", self.bpm, 40.0, 240.0)?;
        within("beats_per_bar", f64::from(self.beats_per_bar), 3.0, 4.0)?;
        within("swing", self.swing, 0.5, 0.7)?;
        within("sample_rate_hz", f64::from(self.sample_rate_hz), 16_000.0, 192_000.0)?;
        within("form_scale", self.form_scale, 0.25, 4.0)?;
        within("duration_secs", self.duration_secs.unwrap_or(1.0), 1.0, 1800.0)?;
        within("lead_in_secs", self.lead_in_secs, 0.0, 10.0)?;
        within("tuning_cents", self.tuning_cents, -50.0, 50.0)?;
        let refused = if self.style == DemoStyle::Waltz && self.beats_per_bar != 3 {
            "a waltz has 3 beats in a bar"
        } else if self.half_time && self.beats_per_bar != 4 {
            "half time needs 4 beats in a bar"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidOption, refused))
    }
}

/// A song with everything that is known about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DemoSong {
    /// The song in stereo, limited to -1 dBTP.
    pub mix: Clip,
    /// Drums, bass, other and vocals after the limiter. Their sum in this order is the mix, sample by sample.
    pub stems: Vec<(StemKind, Clip)>,
    /// What analysis should find.
    pub truth: DemoTruth,
}

/// Composes, plays and mixes a song.
///
/// # Errors
/// `InvalidOption` for a value outside its documented range.
pub fn song(options: &DemoOptions) -> Result<DemoSong> {
    options.check()?;
    let plan = Plan::new(options);
    let score = score::compose(&plan);
    let truth = DemoTruth::of(&plan, &score);
    let (mix, stems) = mixdown::render(&plan, &score);
    let clip = |signal: Stereo| Clip::from_channels(options.sample_rate_hz, vec![signal.left, signal.right]);
    let stems =
        stems.into_iter().map(|(kind, signal)| Ok((kind, clip(signal)?))).collect::<Result<Vec<_>>>()?;
    Ok(DemoSong { mix: clip(mix)?, stems, truth })
}
