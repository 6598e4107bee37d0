//! The demo songs are what they claim: clean, in time, and true to their truth.

use std::f64::consts::PI;
use std::sync::LazyLock;

use sfa_core::audio::analyze::SectionKind;
use sfa_core::audio::{Clip, ErrorKind, StemKind};
use sfa_core::demo::{DemoOptions, DemoSong, DemoStyle, song};

/// A house track of a third of its usual length.
static HOUSE: LazyLock<DemoSong> = LazyLock::new(|| song(&short(DemoStyle::House)).unwrap());

fn short(style: DemoStyle) -> DemoOptions {
    DemoOptions::new(style).form_scale(0.25)
}

fn rms_db(clip: &Clip, start_secs: f64, end_secs: f64) -> f64 {
    let frames = [start_secs, end_secs].map(|secs| clip.spec().frame_at(secs) as usize);
    let samples = clip.channels().iter().flat_map(|channel| &channel[frames[0]..frames[1]]);
    let (sum, count) = samples.fold((0.0, 0), |(sum, count), &x| (sum + f64::from(x).powi(2), count + 1));
    10.0 * (sum / f64::from(count)).log10()
}

fn stem(song: &DemoSong, kind: StemKind) -> &Clip {
    &song.stems.iter().find(|(found, _)| *found == kind).unwrap().1
}

/// Power above 18 kHz of a signal at 44.1 kHz as a share of all of it, in dB.
fn ultrasonic_share_db(clip: &Clip) -> f64 {
    // A Hann-windowed sinc of 127 taps: the transition is 1.4 kHz wide, so everything above 19 kHz counts.
    let cutoff = 18_300.0 / 44_100.0;
    let taps: Vec<f64> = (-63..=63)
        .map(|n| {
            let n = f64::from(n);
            let low_pass = if n == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * n).sin() / (PI * n) };
            let delta = if n == 0.0 { 1.0 } else { 0.0 };
            (delta - low_pass) * (0.5 + 0.5 * (PI * n / 64.0).cos())
        })
        .collect();
    let samples = &clip.channels()[0];
    let power = |sum: f64, sample: f64| sum + sample * sample;
    let high = samples
        .windows(taps.len())
        .step_by(7)
        .map(|window| window.iter().zip(&taps).map(|(&x, tap)| f64::from(x) * tap).sum())
        .fold(0.0, power);
    let all = samples.iter().step_by(7).map(|&x| f64::from(x)).fold(0.0, power);
    10.0 * (high / all).log10()
}

#[test]
fn the_mix_is_the_sum_of_its_stems_to_the_last_bit() {
    for channel in 0..2 {
        let stems: Vec<&[f32]> =
            HOUSE.stems.iter().map(|(_, stem)| stem.channels()[channel].as_slice()).collect();
        for (frame, &mixed) in HOUSE.mix.channels()[channel].iter().enumerate() {
            let sum: f32 = stems.iter().map(|stem| stem[frame]).sum();
            assert_eq!(mixed, sum, "frame {frame}");
        }
    }
}

#[test]
fn every_style_makes_a_clean_song_that_agrees_with_its_truth() {
    for style in DemoStyle::ALL {
        let song = song(&short(style).sample_rate_hz(22_050)).unwrap();
        let truth = &song.truth;
        let name = style.name();

        // The limiter holds -1 dBTP; half a decibel is what is promised to people.
        assert!(song.mix.peak() < 0.944, "{name}: peak {}", song.mix.peak());
        for (kind, stem) in &song.stems {
            assert_eq!(stem.frames(), song.mix.frames());
            assert!(stem.peak() < 0.944, "{name} {kind}: peak {}", stem.peak());
        }
        let level_db = rms_db(&song.mix, 0.0, truth.duration_secs);
        assert!((-26.0..-9.0).contains(&level_db), "{name}: {level_db} dBFS");
        for channel in song.mix.channels() {
            let mean = channel.iter().map(|&x| f64::from(x)).sum::<f64>() / channel.len() as f64;
            assert!(mean.abs() < 0.001, "{name}: mean {mean}");
            assert!(channel.iter().all(|sample| sample.is_finite()));
            assert_eq!(channel.last(), Some(&0.0));
        }

        assert!((truth.duration_secs - song.mix.duration_secs()).abs() < 1e-9);
        let beat_secs = 60.0 / truth.bpm;
        for pair in truth.beats_secs.windows(2) {
            assert!((pair[1] - pair[0] - beat_secs).abs() < 1e-9);
        }
        let bars: Vec<f64> =
            truth.beats_secs.iter().copied().step_by(usize::from(truth.beats_per_bar)).collect();
        assert_eq!(truth.downbeats_secs, bars, "{name}");
        assert_eq!(truth.sections[0].start_secs, 0.0);
        assert_eq!(truth.sections.last().unwrap().end_secs, truth.duration_secs);
        for pair in truth.sections.windows(2) {
            assert_eq!(pair[0].end_secs, pair[1].start_secs);
            assert!(truth.downbeats_secs.contains(&pair[1].start_secs));
        }
        for pair in truth.chords.windows(2) {
            assert_eq!(pair[0].end_secs, pair[1].start_secs);
        }
        let drops: Vec<f64> = truth
            .sections
            .iter()
            .filter(|section| section.kind == SectionKind::Drop)
            .map(|section| section.start_secs)
            .collect();
        assert_eq!(truth.drops_secs, drops);
    }
}

#[test]
fn the_bass_drum_is_heard_where_the_truth_says() {
    let drums = stem(&HOUSE, StemKind::Drums);
    let samples = &drums.channels()[0];
    assert!(HOUSE.truth.kicks_secs.len() > 30);
    for &kick_secs in &HOUSE.truth.kicks_secs {
        assert!(HOUSE.truth.beats_secs.contains(&kick_secs), "every kick of house is on a beat");
        let frame = |secs: f64| drums.spec().frame_at(secs) as usize;
        let around = &samples[frame(kick_secs - 0.02)..frame(kick_secs + 0.03)];
        // Two one-pole low-passes at 250 Hz leave the drum; they delay it by some 1.3 ms.
        let (mut first, mut second) = (0.0_f32, 0.0_f32);
        let low: Vec<f32> = around
            .iter()
            .map(|&sample| {
                first += 0.035 * (sample - first);
                second += 0.035 * (first - second);
                second.abs()
            })
            .collect();
        let largest = |levels: &[f32]| levels.iter().copied().fold(0.0, f32::max);
        // A tom of a fill may still ring.
        let before = largest(&low[..750]);
        let threshold = before + 0.25 * (largest(&low) - before);
        let onset = low.iter().position(|&level| level > threshold).unwrap();
        let heard_secs = kick_secs - 0.02 + onset as f64 / 44_100.0;
        assert!((heard_secs - kick_secs).abs() < 0.003, "{kick_secs}: heard at {heard_secs}");
    }
}

#[test]
fn a_drop_hits_harder_than_the_build_up_before_it() {
    for style in [DemoStyle::House, DemoStyle::DrumAndBass] {
        let song = song(&short(style)).unwrap();
        let bar_secs = 60.0 / song.truth.bpm * f64::from(song.truth.beats_per_bar);
        assert_eq!(song.truth.drops_secs.len(), 2);
        for &drop_secs in &song.truth.drops_secs {
            let before_db = rms_db(&song.mix, drop_secs - bar_secs, drop_secs);
            let after_db = rms_db(&song.mix, drop_secs, drop_secs + bar_secs);
            assert!(after_db > before_db + 1.0, "{}: {before_db} -> {after_db} dB", style.name());
        }
    }
}

#[test]
fn synthesis_leaves_nothing_but_cymbals_near_the_nyquist_frequency() {
    // Naive saws would fold about -40 dB there; released music at this rate has -30 to -60 dB, mostly cymbals.
    let mix_db = ultrasonic_share_db(&HOUSE.mix);
    let pitched_db = ultrasonic_share_db(stem(&HOUSE, StemKind::Bass));
    assert!(mix_db < -30.0, "{mix_db} dB");
    assert!(pitched_db < -70.0, "{pitched_db} dB");
}

#[test]
fn bass_and_voice_never_click() {
    // A full-scale sine of 2 kHz, above what these stems hold at that level, moves by 0.28 per frame.
    for kind in [StemKind::Bass, StemKind::Vocals] {
        for channel in stem(&HOUSE, kind).channels() {
            let jump = channel.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            assert!(jump < 0.2, "{kind}: a step of {jump}");
        }
    }
}

#[test]
fn the_same_options_make_the_same_song_and_another_seed_another() {
    let options = short(DemoStyle::HipHop).sample_rate_hz(16_000);
    let first = song(&options).unwrap();
    assert_eq!(first.mix, song(&options).unwrap().mix);
    assert_ne!(first.mix, song(&options.seed(2)).unwrap().mix);
}

#[test]
fn a_wanted_duration_is_reached_and_not_exceeded_by_more_than_a_section() {
    for wanted_secs in [5.0, 60.0, 150.0] {
        let options = DemoOptions::new(DemoStyle::Ambient).sample_rate_hz(16_000).duration_secs(wanted_secs);
        let song = song(&options).unwrap();
        // Ambient needs intro, one section and outro at least: 16 bars of 3 s and the tail. Longest section: 24 s.
        let longest_secs = wanted_secs.max(27.0) + 25.0;
        assert!((wanted_secs..longest_secs).contains(&song.mix.duration_secs()), "{wanted_secs}");
    }
}

#[test]
fn impossible_songs_are_refused_with_a_reason() {
    let house = DemoOptions::default();
    for (options, word) in [
        (house.clone().bpm(f64::NAN), "bpm"),
        (house.clone().beats_per_bar(7), "beats_per_bar"),
        (house.clone().sample_rate_hz(0), "sample_rate_hz"),
        (house.clone().duration_secs(1e9), "duration_secs"),
        (house.clone().lead_in_secs(-1.0), "lead_in_secs"),
        (house.beats_per_bar(3).half_time(true), "half time"),
        (DemoOptions::new(DemoStyle::Waltz).beats_per_bar(4), "waltz"),
    ] {
        let error = song(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(word), "{error}");
    }
}
