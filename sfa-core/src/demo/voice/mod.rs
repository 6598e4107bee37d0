//! The instruments: each turns one note or hit into stereo frames.

pub(crate) mod bass;
pub(crate) mod drums;
pub(crate) mod effects;
pub(crate) mod envelope;
pub(crate) mod filter;
pub(crate) mod keys;
pub(crate) mod lead;
pub(crate) mod oscillator;
pub(crate) mod pad;
pub(crate) mod plucked;
pub(crate) mod vowel;

/// Frames between two updates of slow controls such as filter cutoffs.
pub(crate) const CONTROL_FRAMES: usize = 16;

/// A note as an instrument sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tone {
    pub(crate) start_frame: usize,
    /// How long the key is held; the sound rings on.
    pub(crate) gate_frames: usize,
    pub(crate) hz: f32,
    /// The pitch to slide from, where the note is slurred to the one before.
    pub(crate) slide_from_hz: Option<f32>,
    /// `0.0..=1.0`.
    pub(crate) velocity: f32,
    /// How open the sound is at the start and at the end, `0.0..=1.0`.
    pub(crate) brightness: [f32; 2],
    /// `-1.0` is left, `1.0` right.
    pub(crate) pan: f32,
}

impl Tone {
    /// Pitch after `frame` frames: an exponential approach from the slide's start.
    fn hz_at(&self, frame: usize, rate_hz: f32) -> f32 {
        match self.slide_from_hz {
            None => self.hz,
            Some(from) => {
                let left = (-(frame as f32) / (0.03 * rate_hz)).exp();
                self.hz * (from / self.hz).powf(left)
            }
        }
    }

    fn brightness_at(&self, frame: usize) -> f32 {
        let share = (frame as f32 / self.gate_frames.max(1) as f32).min(1.0);
        self.brightness[0] + (self.brightness[1] - self.brightness[0]) * share
    }
}

/// Two channels, equally long.
#[derive(Debug, Clone)]
pub(crate) struct Stereo {
    pub(crate) left: Vec<f32>,
    pub(crate) right: Vec<f32>,
}

impl Stereo {
    pub(crate) fn silence(frames: usize) -> Self {
        Self { left: vec![0.0; frames], right: vec![0.0; frames] }
    }

    pub(crate) fn frames(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn channels_mut(&mut self) -> [&mut Vec<f32>; 2] {
        [&mut self.left, &mut self.right]
    }

    /// Both samples of every frame, for changing in place.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&mut f32, &mut f32)> {
        self.left.iter_mut().zip(&mut self.right)
    }

    /// Adds a sound that starts at `start_frame`; what reaches beyond the end is lost.
    pub(crate) fn play(&mut self, start_frame: usize, sound: impl Iterator<Item = [f32; 2]>) {
        let start = start_frame.min(self.frames());
        let frames = self.left[start..].iter_mut().zip(&mut self.right[start..]);
        for ((left, right), frame) in frames.zip(sound) {
            *left += frame[0];
            *right += frame[1];
        }
    }

    /// Adds `other` at `gain`.
    pub(crate) fn add_scaled(&mut self, other: &Self, gain: f32) {
        for ((left, right), (l, r)) in self.iter_mut().zip(other.left.iter().zip(&other.right)) {
            *left += l * gain;
            *right += r * gain;
        }
    }
}

/// Gains of left and right that keep the power the same at every place.
pub(crate) fn pan_gains(pan: f32) -> [f32; 2] {
    let angle = (pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
    [angle.cos(), angle.sin()]
}

/// A mono sound placed between the speakers.
pub(crate) fn panned(sound: impl Iterator<Item = f32>, pan: f32) -> impl Iterator<Item = [f32; 2]> {
    let [left, right] = pan_gains(pan);
    sound.map(move |sample| [sample * left, sample * right])
}
