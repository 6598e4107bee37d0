//! What every `Separator` promises, checked on each engine that needs no model file; where Python has the demucs
//! package, on that too.
//!
//! A new engine joins by one more `#[test]` that calls [`keeps_the_contract`]; what only holds for engines that
//! are quick enough for long or unusual mixes stands in tests of its own.

#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

#[path = "python/packages.rs"]
mod packages;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sfa_audio::separate::StemSink;
use sfa_audio::separate::classic::Classic;
use sfa_audio::separate::python::PythonDemucs;
use sfa_audio::{AudioSource, AudioSpec, Clip, Progress, Result, Separator, Stage, StemKind, Stems, Watch};

#[test]
fn classic_keeps_the_contract() {
    keeps_the_contract(&Classic::new());
}

#[test]
fn classic_calls_itself_a_quick_preview() {
    let engine = Classic::new();
    assert_eq!(engine.info().name, "classic");
    assert_eq!(engine.info().stems, [StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals]);
    assert!(engine.info().description.starts_with("classic: quick preview quality, no model needed"));
}

#[test]
fn classic_brings_every_stem_nearer_to_its_source() {
    let rate = 22_050;
    let mix = band(rate, 2, 16.0);
    let stems = Classic::new().separate(&mix, &Watch::new()).unwrap();
    for ((kind, stem), source) in stems.iter().zip(sources(rate, 16.0)) {
        let (before, after) = (si_sdr_db(&mix.downmix(), &source), si_sdr_db(&stem.downmix(), &source));
        // Songs gain 5 to 13 dB; half the least of that is left for so small a band.
        assert!(after > before + 2.5, "{kind}: {before:.1} dB in the mix, {after:.1} dB in the stem");
    }
}

#[test]
fn classic_separates_ten_minutes_as_a_stream() {
    // 8 kHz mono keeps ten minutes quick; they span ten of the stretches the engine works in.
    separates_a_long_stream(&Classic::new(), 600);
}

#[test]
fn classic_does_not_depend_on_the_number_of_threads() {
    let mix = band(22_050, 2, 3.0);
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Classic::new().separate(&mix, &Watch::new()).unwrap())
    });
    assert!(one == three, "stems differ between 1 and 3 threads");
}

#[test]
fn a_python_package_that_copies_keeps_the_contract() {
    let Some(options) = packages::fake(&["fake"]) else { return };
    keeps_the_contract(&PythonDemucs::open("plain", options, &Watch::new()).unwrap());
}

#[test]
fn the_demucs_package_keeps_the_contract() {
    let Some(mut options) = packages::real() else { return };
    let models = packages::small_repository();
    options.repo = Some(models.path().to_owned());
    options.overlap = 0.0;
    keeps_the_contract(&PythonDemucs::open("small", options, &Watch::new()).unwrap());
}

fn keeps_the_contract(engine: &dyn Separator) {
    mixes_of_any_shape_come_apart(engine);
    silence_gives_silence(engine);
    harsh_signals_give_finite_stems(engine);
    the_same_mix_gives_the_same_stems(engine);
    a_source_that_was_read_before_is_read_from_its_start(engine);
    progress_never_falls_and_ends_complete(engine);
    a_stop_ends_the_work_at_the_next_report(engine);
    a_failing_sink_ends_the_work(engine);
}

fn mixes_of_any_shape_come_apart(engine: &dyn Separator) {
    for frames in [0, 1, 2, 4410] {
        let mut mix = band(44_100, 2, 0.1);
        mix.truncate(frames);
        separate_and_check(engine, &mix);
    }
    for (sample_rate_hz, channels) in
        [(44_100, 1), (44_100, 2), (8_000, 2), (96_000, 2), (48_000, 5), (1_000, 1)]
    {
        separate_and_check(engine, &band(sample_rate_hz, channels, 2.0));
    }
}

fn silence_gives_silence(engine: &dyn Separator) {
    let mix = Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 60_000);
    for (kind, stem) in separate_and_check(engine, &mix).iter() {
        assert_eq!(stem.peak(), 0.0, "{kind} of silence");
    }
}

fn harsh_signals_give_finite_stems(engine: &dyn Separator) {
    let mut random = random_samples();
    let noise: Vec<f32> = (0..30_000).map(|_| random().signum()).collect();
    let constant = vec![1.0; 30_000];
    let clicks: Vec<f32> = (0..30_000).map(|n| if n % 5000 == 0 { 1.0 } else { 0.0 }).collect();
    let faint: Vec<f32> = noise.iter().map(|sample| sample * 1e-20).collect();
    for signal in [noise, constant, clicks, faint] {
        let opposite = signal.iter().map(|sample| -sample).collect();
        separate_and_check(engine, &Clip::from_channels(44_100, vec![signal, opposite]).unwrap());
    }
}

fn the_same_mix_gives_the_same_stems(engine: &dyn Separator) {
    let mix = band(44_100, 2, 2.0);
    assert!(
        separate_and_check(engine, &mix) == separate_and_check(engine, &mix),
        "stems differ between two runs"
    );
}

fn a_source_that_was_read_before_is_read_from_its_start(engine: &dyn Separator) {
    let mix = band(22_050, 1, 1.0);
    let mut source = mix.source();
    source.read(&mut Clip::empty(mix.spec())).unwrap();
    let mut counter = Counter::default();
    engine.separate_into(&mut source, &mut counter, &Watch::new()).unwrap();
    assert_eq!(counter.frames, mix.frames());
}

fn progress_never_falls_and_ends_complete(engine: &dyn Separator) {
    let mix = band(22_050, 2, 5.0);
    let reports = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let heard = Arc::clone(&reports);
    let watch = Watch::with_sink(move |progress| heard.lock().unwrap().push(progress));
    engine.separate(&mix, &watch).unwrap();

    let reports = reports.lock().unwrap();
    let percents: Vec<u64> =
        reports.iter().map(|report| (report.fraction().unwrap() * 100.0) as u64).collect();
    assert!(reports.iter().all(|report| report.stage == Stage::Separate));
    assert!(reports.windows(2).all(|pair| pair[0].done <= pair[1].done), "progress fell: {reports:?}");
    assert!(percents[0] <= 1, "the first report is at {} %", percents[0]);
    let last = reports.last().unwrap();
    assert_eq!((last.done, last.total), (mix.frames() as u64, mix.frames() as u64));
}

fn a_stop_ends_the_work_at_the_next_report(engine: &dyn Separator) {
    let mix = band(22_050, 2, 5.0);
    let reports_of_a_whole_run = {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let watch = Watch::with_sink(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
        engine.separate(&mix, &watch).unwrap();
        count.load(Ordering::Relaxed)
    };
    for stop_at in [1, 2, reports_of_a_whole_run / 2, reports_of_a_whole_run - 1] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let quiet = Watch::new();
        let stopper = quiet.clone();
        let watch = quiet.forward_to(move |_| {
            if counted.fetch_add(1, Ordering::Relaxed) + 1 == stop_at {
                stopper.stop();
            }
        });
        let mut sink = Counter { forbidden: Some(watch.clone()), ..Counter::default() };
        let error = engine.separate_into(&mut mix.source(), &mut sink, &watch).unwrap_err();
        assert!(error.is_cancelled(), "stopped at report {stop_at}: {error}");
        let heard = count.load(Ordering::Relaxed);
        assert!(heard <= stop_at + 1, "{} reports after the stop at {stop_at}", heard - stop_at);
    }

    let stopped = Watch::new();
    stopped.stop();
    let mut sink = Counter::default();
    assert!(engine.separate_into(&mut mix.source(), &mut sink, &stopped).unwrap_err().is_cancelled());
    assert_eq!(sink.frames, 0, "a stopped run wrote something");
}

fn a_failing_sink_ends_the_work(engine: &dyn Separator) {
    struct Full(usize);
    impl StemSink for Full {
        fn write(&mut self, _: &[Clip]) -> Result<()> {
            self.0 += 1;
            Err(sfa_audio::Error::new(sfa_audio::ErrorKind::Io, "no space left"))
        }
    }
    let mut sink = Full(0);
    let error =
        engine.separate_into(&mut band(22_050, 1, 3.0).source(), &mut sink, &Watch::new()).unwrap_err();
    assert_eq!((error.kind(), sink.0), (sfa_audio::ErrorKind::Io, 1));
}

fn separates_a_long_stream(engine: &dyn Separator, secs: u64) {
    let spec = AudioSpec::new(8_000, 1).unwrap();
    let mut source = Loop { bar: band(spec.sample_rate_hz, 1, 2.0), bars: secs as usize / 2, played: 0 };
    let mut checker = SumChecker { mix: source.bar.clone(), worst: 0.0, frames: 0 };
    engine.separate_into(&mut source, &mut checker, &Watch::new()).unwrap();
    assert_eq!(checker.frames as u64, secs * u64::from(spec.sample_rate_hz));
    if let Some(bound) = engine.sum_error_bound() {
        assert!(checker.worst <= bound * source.bar.peak(), "the sum is off by {}", checker.worst);
    }
}

/// Separates and checks what holds for every mix.
fn separate_and_check(engine: &dyn Separator, mix: &Clip) -> Stems {
    let stems = engine.separate(mix, &Watch::new()).unwrap();
    let what = format!("{} frames at {:?}", mix.frames(), mix.spec());
    let kinds: Vec<StemKind> = stems.iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, engine.info().stems, "{what}");
    for (kind, stem) in stems.iter() {
        assert_eq!((stem.spec(), stem.frames()), (mix.spec(), mix.frames()), "{kind} of {what}");
        assert!(stem.channels().iter().flatten().all(|sample| sample.is_finite()), "{kind} of {what}");
    }
    if let Some(bound) = engine.sum_error_bound() {
        let all: Vec<&Clip> = stems.iter().map(|(_, stem)| stem).collect();
        let worst = worst_sum_error(&all, mix);
        assert!(worst <= bound * mix.peak(), "the sum of {what} is off by {worst}");
    }
    stems
}

fn worst_sum_error(stems: &[&Clip], mix: &Clip) -> f32 {
    let mut worst = 0.0_f32;
    for (channel, samples) in mix.channels().iter().enumerate() {
        for (frame, sample) in samples.iter().enumerate() {
            let sum: f32 = stems.iter().map(|stem| stem.channels()[channel][frame]).sum();
            worst = worst.max((sum - sample).abs());
        }
    }
    worst
}

/// The [`sources`] mixed down to `channels` channels, the chords louder in every other one.
fn band(sample_rate_hz: u32, channels: usize, secs: f64) -> Clip {
    let [drums, bass, chords, melody] = sources(sample_rate_hz, secs);
    let channel = |index: usize| {
        let side = if index.is_multiple_of(2) { 1.6 } else { 0.4 };
        (0..drums.len()).map(|n| drums[n] + bass[n] + side * chords[n] + melody[n]).collect()
    };
    Clip::from_channels(sample_rate_hz, (0..channels).map(channel).collect()).unwrap()
}

/// Drums, bass, chords and a melody: a hit every half second, a new chord every two seconds and a voice-like
/// tone with vibrato that never sings the same bar twice.
fn sources(sample_rate_hz: u32, secs: f64) -> [Vec<f32>; 4] {
    const ROOTS_HZ: [f64; 4] = [55.0, 43.65, 65.41, 49.0];
    const MELODY_HZ: [f64; 7] = [440.0, 523.25, 493.88, 659.26, 392.0, 587.33, 349.23];
    let mut random = random_samples();
    let rate = f64::from(sample_rate_hz);
    let tone = |hz: f64, t: f64| (std::f64::consts::TAU * hz * t).sin();
    let mut sources = [const { Vec::new() }; 4];
    for frame in 0..(secs * rate) as usize {
        let t = frame as f64 / rate;
        let since_beat = t % 0.5;
        let fall = (-since_beat * 20.0).exp();
        let root_hz = ROOTS_HZ[(t / 2.0) as usize % ROOTS_HZ.len()];
        let note_hz = MELODY_HZ[(t / 0.7) as usize % MELODY_HZ.len()];
        let vibrato =
            tone(note_hz, t + 0.0002 * tone(5.0, t)) + 0.5 * tone(2.0 * note_hz, t + 0.0002 * tone(5.0, t));
        let values = [
            0.4 * fall * (tone(50.0, since_beat + 0.02 * (1.0 - fall)) + 0.3 * f64::from(random())),
            0.2 * (tone(root_hz, t) + 0.4 * tone(2.0 * root_hz, t)),
            0.05 * (tone(4.0 * root_hz, t) + tone(5.0 * root_hz, t) + tone(6.0 * root_hz, t)),
            0.08 * vibrato,
        ];
        for (source, value) in sources.iter_mut().zip(values) {
            source.push(value as f32);
        }
    }
    sources
}

/// Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019).
fn si_sdr_db(estimate: &[f32], truth: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let wanted = dot(estimate, truth).powi(2) / dot(truth, truth);
    10.0 * (wanted / (dot(estimate, estimate) - wanted)).log10()
}

/// Numbers in -1..1 that are the same in every run.
fn random_samples() -> impl FnMut() -> f32 {
    let mut state = 1_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Counts frames; with a watch it allows no write once that was stopped.
#[derive(Default)]
struct Counter {
    frames: usize,
    forbidden: Option<Watch>,
}

impl StemSink for Counter {
    fn write(&mut self, blocks: &[Clip]) -> Result<()> {
        assert!(!self.forbidden.as_ref().is_some_and(Watch::is_stopped), "a stopped run went on writing");
        self.frames += blocks[0].frames();
        Ok(())
    }
}

/// One bar played again and again, without a length known beforehand.
struct Loop {
    bar: Clip,
    bars: usize,
    played: usize,
}

impl AudioSource for Loop {
    fn spec(&self) -> AudioSpec {
        self.bar.spec()
    }

    fn frames_hint(&self) -> Option<u64> {
        None
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        block.clear();
        if self.played < self.bars {
            self.played += 1;
            block.append(&self.bar);
        }
        Ok(block.frames())
    }

    fn rewind(&mut self) -> Result<()> {
        self.played = 0;
        Ok(())
    }
}

/// Compares the sum of the stems with a mix that repeats for ever.
struct SumChecker {
    mix: Clip,
    worst: f32,
    frames: usize,
}

impl StemSink for SumChecker {
    fn write(&mut self, blocks: &[Clip]) -> Result<()> {
        let samples = &self.mix.channels()[0];
        for frame in 0..blocks[0].frames() {
            let sum: f32 = blocks.iter().map(|block| block.channels()[0][frame]).sum();
            self.worst = self.worst.max((sum - samples[(self.frames + frame) % samples.len()]).abs());
        }
        self.frames += blocks[0].frames();
        Ok(())
    }
}
