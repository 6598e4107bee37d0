//! The one pass over the audio.

use super::chords;
use super::danceability;
use super::descriptors::DescriptorCollector;
use super::drums::{self, DrumCollector};
use super::energy::{self, EnergyCollector};
use super::feed::{Ear, Heard, MonoFeed, make_finite};
use super::form::{self, ChromaView};
use super::harmony::{Chroma, ChromaFrames, HarmonyCollector};
use super::key;
use super::loudness::LoudnessCollector;
use super::rhythm::{RhythmCollector, track_rhythm};
use super::signal::SignalCollector;
use super::stems::{StemSources, StemUse, hear_sum, with_drums};
use super::timbre::TimbreCollector;
use super::vocals::{self, VocalCollector};
use super::waveform::WaveformCollector;
use super::{Analysis, AnalyzeOptions, Feature};
use crate::{AudioSource, AudioSpec, Clip, Result, Stage, Watch};

/// Measures what `options` ask for, in one pass over `source` from where it stands to its end.
///
/// Only compact features are kept: a two-hour set needs about 60 MB. Samples that are not numbers count as
/// silence. Progress is [`Stage::Analyze`] in frames of the source.
///
/// ```
/// use sfa_audio::analyze::{Feature, analyze};
/// use sfa_audio::{AnalyzeOptions, Clip, Watch};
///
/// let tone = (0..88_200).map(|n| (n as f32 * 0.0627).sin() * 0.5).collect();
/// let clip = Clip::from_channels(44_100, vec![tone])?;
/// let options = AnalyzeOptions::default().features([Feature::Loudness]);
/// let analysis = analyze(&mut clip.source(), &options, &Watch::new())?;
/// assert!(analysis.loudness.unwrap().integrated_lufs.unwrap() < -6.0);
/// # Ok::<(), sfa_audio::Error>(())
/// ```
///
/// # Errors
/// Those of [`AudioSource::read`], `InvalidOption` for a tempo range that is none, and `Cancelled` when `watch` is stopped.
pub fn analyze(source: &mut dyn AudioSource, options: &AnalyzeOptions, watch: &Watch) -> Result<Analysis> {
    analyze_with_stems(source, StemSources::default(), options, watch)
}

/// [`analyze`] of a mix whose stems are there as well: beats and hits are read from the drums, the key from bass
/// and other, where somebody sings from the vocals.
///
/// [`Analysis::stems`] says what was read from them: drums that rest for half of the song are not asked. Which tempo is the
/// song's is heard in the mix, as drums alone do not tell a tempo from its double. Progress counts the mix only.
///
/// # Errors
/// Those of [`analyze`], for any of the sources.
pub fn analyze_with_stems(
    source: &mut dyn AudioSource,
    stems: StemSources<'_>,
    options: &AnalyzeOptions,
    watch: &Watch,
) -> Result<Analysis> {
    options.check()?;
    let spec = source.spec();
    let mut collectors = Collectors::new(spec, options);
    // Hits are not looked for in the mix where the drums are heard alone.
    let mut hits = if stems.drums.is_some() { collectors.drums.take() } else { None };
    let mut mono = MonoFeed::new(spec)?;
    let mut ear = Ear::new(collectors.want_slow());
    let (mut block, mut next) = (Clip::empty(spec), Clip::empty(spec));
    let mut native_mono = Vec::new();
    let total_frames = source.frames_hint().unwrap_or(0);
    let mut frames = 0;
    watch.report(Stage::Analyze, 0, total_frames)?;
    let mut has_more = source.read(&mut block)? > 0;
    while has_more {
        frames += block.frames() as u64;
        // While this block is heard, the next one is decoded.
        let (read, heard) = rayon::join(
            || source.read(&mut next),
            || -> Result<()> {
                make_finite(&mut block);
                native_mono.clear();
                block.downmix_into(&mut native_mono);
                let converted =
                    if collectors.want_mono() { mono.convert_mono(&native_mono)? } else { &[][..] };
                collectors.push(&block, &native_mono, ear.hear(converted));
                Ok(())
            },
        );
        heard?;
        has_more = read? > 0;
        std::mem::swap(&mut block, &mut next);
        watch.report(Stage::Analyze, frames, total_frames.max(frames))?;
    }
    if collectors.want_mono() {
        let nothing = Clip::empty(spec);
        collectors.push(&nothing, &[], ear.hear(mono.finish()?));
        collectors.push(&nothing, &[], ear.finish());
    }
    let mut used = Vec::new();
    if let Some(source) = stems.drums {
        let mut beats = collectors.rhythm.is_some().then(RhythmCollector::new);
        hear_sum(&mut [source], watch, |heard| {
            beats.iter_mut().for_each(|beats| beats.push(heard));
            hits.iter_mut().for_each(|hits| hits.push(heard.mono));
        })?;
        collectors.drum_stem = beats;
        if hits.is_some() {
            collectors.drums = hits;
            used.push(StemUse::HitsFromDrums);
        }
    }
    if let (Some(bass), Some(other), true) = (stems.bass, stems.other, collectors.harmony.is_some()) {
        let mut harmony = HarmonyCollector::new();
        hear_sum(&mut [bass, other], watch, |heard| harmony.push(heard.slow))?;
        collectors.pitched_stems = Some(harmony);
        used.push(StemUse::KeyFromBassAndOther);
    }
    if let (Some(source), true) = (stems.vocals, collectors.vocals.is_some()) {
        let mut vocals = VocalCollector::new();
        hear_sum(&mut [source], watch, |heard| vocals.push(heard.slow))?;
        collectors.vocal_stem = Some(vocals);
        used.push(StemUse::VocalsFromVocals);
    }
    collectors.decide(spec, frames, options, used, watch)
}

/// Whatever must hear the audio to answer the questions asked.
struct Collectors {
    loudness: Option<LoudnessCollector>,
    signal: Option<SignalCollector>,
    waveform: Option<WaveformCollector>,
    harmony: Option<HarmonyCollector>,
    /// Bass and other: the form is still read from the harmony of the mix.
    pitched_stems: Option<HarmonyCollector>,
    rhythm: Option<RhythmCollector>,
    drum_stem: Option<RhythmCollector>,
    energy: Option<EnergyCollector>,
    /// Hears the spectra of `rhythm`, without which it is deaf.
    timbre: Option<TimbreCollector>,
    descriptors: Option<DescriptorCollector>,
    drums: Option<DrumCollector>,
    vocals: Option<VocalCollector>,
    vocal_stem: Option<VocalCollector>,
    /// Whether what the rhythm is found in is asked how well it can be danced to.
    danceability: bool,
}

impl Collectors {
    fn new(spec: AudioSpec, options: &AnalyzeOptions) -> Self {
        let wanted = |features: &[Feature]| features.iter().any(|feature| options.features.contains(feature));
        use Feature::{Chords, Danceability, Drums, Energy, Form, Key, Loudness, Rhythm, Vocals, Waveform};
        Self {
            loudness: wanted(&[Loudness, Energy, Form])
                .then(|| LoudnessCollector::new(spec, wanted(&[Loudness]))),
            signal: wanted(&[Loudness]).then(|| SignalCollector::new(spec)),
            waveform: wanted(&[Waveform]).then(|| WaveformCollector::new(spec)),
            harmony: wanted(&[Key, Form, Chords]).then(HarmonyCollector::new),
            rhythm: wanted(&[Rhythm, Form, Chords, Vocals, Danceability]).then(RhythmCollector::new),
            pitched_stems: None,
            drum_stem: None,
            energy: wanted(&[Energy, Form]).then(EnergyCollector::new),
            timbre: wanted(&[Form]).then(TimbreCollector::new),
            descriptors: DescriptorCollector::new(
                spec.sample_rate_hz,
                &options.features,
                options.keep_frames,
            ),
            drums: wanted(&[Drums]).then(DrumCollector::new),
            vocals: wanted(&[Vocals]).then(VocalCollector::new),
            vocal_stem: None,
            danceability: wanted(&[Danceability]),
        }
    }

    /// Feeds everyone, side by side: `block` and its mean at the file's own rate, and what is heard of the mean.
    fn push(&mut self, block: &Clip, native_mono: &[f32], heard: Heard<'_>) {
        let Self {
            loudness,
            signal,
            waveform,
            harmony,
            rhythm,
            energy,
            timbre,
            descriptors,
            drums,
            vocals,
            ..
        } = self;
        rayon::scope(|scope| {
            if let Some(descriptors) = descriptors {
                scope.spawn(move |_| descriptors.push(native_mono));
            }
            if let Some(rhythm) = rhythm {
                scope.spawn(move |_| {
                    rhythm.push_and_share(heard, |spectrum| {
                        timbre.iter_mut().for_each(|timbre| timbre.hear(spectrum));
                    });
                });
            }
            if let Some(loudness) = loudness {
                scope.spawn(move |_| loudness.push(block));
            }
            if let Some(waveform) = waveform {
                scope.spawn(move |_| waveform.push(block));
            }
            if let Some(drums) = drums {
                scope.spawn(move |_| drums.push(heard.mono));
            }
            if let Some(vocals) = vocals {
                scope.spawn(move |_| vocals.push(heard.slow));
            }
            if let Some(energy) = energy {
                scope.spawn(move |_| energy.push(heard.mono));
            }
            if let Some(harmony) = harmony {
                scope.spawn(move |_| harmony.push(heard.slow));
            }
            if let Some(signal) = signal {
                signal.push(block);
            }
        });
    }

    fn want_mono(&self) -> bool {
        self.harmony.is_some() || self.rhythm.is_some() || self.energy.is_some() || self.drums.is_some()
    }

    fn want_slow(&self) -> bool {
        self.harmony.is_some() || self.rhythm.is_some() || self.vocals.is_some()
    }

    /// Turns what was collected into answers.
    fn decide(
        self,
        spec: AudioSpec,
        frames: u64,
        options: &AnalyzeOptions,
        mut stems: Vec<StemUse>,
        watch: &Watch,
    ) -> Result<Analysis> {
        let asked = |feature: Feature| options.features.contains(&feature);
        let duration_secs = spec.secs(frames);
        let loudness = self.loudness.map(LoudnessCollector::finish);
        let integrated_lufs = loudness.as_ref().and_then(|loudness| loudness.integrated_lufs);
        let chroma_of = |collector: HarmonyCollector| ChromaFrames::from_peaks(&collector.finish());
        let harmony = self.harmony.map(chroma_of);
        let pitched_stems = self.pitched_stems.map(chroma_of);
        let energy = self.energy.map(|collector| energy::judge(&collector.finish(), integrated_lufs));
        watch.checkpoint()?;
        let mut timbre = self.timbre;
        let mut danceability = None;
        let rhythm = match self.rhythm {
            Some(collector) => {
                let mix = collector.finish_and_share(|spectrum| {
                    timbre.iter_mut().for_each(|timbre| timbre.hear(spectrum));
                });
                let heard = track_rhythm(&mix, options.bpm_range, watch)?;
                let drums = self.drum_stem.and_then(|drums| with_drums(&mix, &drums.finish()));
                let in_drums = match (&heard, drums) {
                    (Some(heard), Some(drums)) => track_rhythm(&drums, Some(heard.tempo.nearby()), watch)?,
                    _ => None,
                };
                if in_drums.is_some() {
                    stems.insert(0, StemUse::BeatsFromDrums);
                }
                let rhythm = in_drums.or(heard);
                if self.danceability {
                    danceability = danceability::judge(&mix, rhythm.as_ref());
                }
                rhythm
            }
            None => None,
        };
        let form = match timbre {
            Some(collector) => {
                let chroma = harmony.as_ref().map(ChromaView::from);
                let curve = energy.as_ref().map(|energy| &energy.curve);
                Some(form::find(&collector.finish(), chroma, rhythm.as_ref(), curve, duration_secs, watch)?)
            }
            None => None,
        };
        let stem = self.vocal_stem.map(VocalCollector::finish);
        let vocals = self.vocals.map(VocalCollector::finish).and_then(|mix| match stem {
            Some(stem) => vocals::in_stem(&stem, &mix, rhythm.as_ref(), duration_secs),
            None => vocals::in_mix(&mix, rhythm.as_ref(), duration_secs),
        });
        let descriptors = match self.descriptors {
            Some(collector) => collector.finish(watch)?,
            None => None,
        };
        let (descriptors, feature_frames) = descriptors.unzip();
        let tonal = pitched_stems.as_ref().or(harmony.as_ref());
        let key = tonal.and_then(key::decide);
        let chords = tonal
            .filter(|_| asked(Feature::Chords) && key.is_some())
            .map(|frames| chords::find(frames, rhythm.as_ref(), key.map(|found| found.key), duration_secs));
        let asked_harmony = tonal.filter(|_| asked(Feature::Key));
        Ok(Analysis {
            duration_secs,
            sample_rate_hz: spec.sample_rate_hz,
            channels: spec.channels,
            features: options.features.clone(),
            key: key.filter(|_| asked(Feature::Key)),
            key_segments: asked_harmony
                .map(|frames| key::segments(frames, duration_secs))
                .filter(|segments| !segments.is_empty()),
            chroma: asked_harmony.map(Chroma::from_frames),
            rhythm: rhythm.filter(|_| asked(Feature::Rhythm)),
            loudness: loudness.filter(|_| asked(Feature::Loudness)),
            signal: self.signal.map(SignalCollector::finish),
            energy: energy.filter(|_| asked(Feature::Energy)),
            form,
            chords,
            drums: self.drums.map(|collector| drums::find(&collector.finish())),
            vocals,
            danceability,
            waveform: self.waveform.map(WaveformCollector::finish),
            descriptors,
            frames: feature_frames.flatten(),
            stems,
        })
    }
}
