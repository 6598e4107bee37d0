//! Warping measured by what it promises: length, pitch, level, attacks in place, channels alike.

use std::f64::consts::TAU;

use sfa_audio::warp::{WarpOptions, Warped};
use sfa_audio::{AudioSource, Clip, ErrorKind};

const RATE_HZ: u32 = 44_100;

fn warp(clip: &Clip, stretch: f64, semitones: f64) -> Clip {
    Warped::new(clip.source(), WarpOptions { stretch, semitones }).unwrap().read_to_end().unwrap()
}

fn tone(frequency_hz: f64, secs: f64) -> Vec<f32> {
    let step = TAU * frequency_hz / f64::from(RATE_HZ);
    (0..(secs * f64::from(RATE_HZ)) as usize).map(|n| (0.5 * (step * n as f64).sin()) as f32).collect()
}

/// Strokes of noise that die away, one each `every_secs`.
fn strokes(every_secs: f64, secs: f64) -> Vec<f32> {
    let every = (every_secs * f64::from(RATE_HZ)) as usize;
    let mut state = 1u32;
    (0..(secs * f64::from(RATE_HZ)) as usize)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            noise * (-((n % every) as f32) / 400.0).exp()
        })
        .collect()
}

fn mono(samples: Vec<f32>) -> Clip {
    Clip::from_channels(RATE_HZ, vec![samples]).unwrap()
}

/// The share of the energy in the middle of `samples` that a tone of this frequency holds.
fn share_of_tone(samples: &[f32], frequency_hz: f64) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let step = TAU * frequency_hz / f64::from(RATE_HZ);
    let (mut cosine, mut sine, mut energy) = (0.0, 0.0, 0.0);
    for (n, &sample) in middle.iter().enumerate() {
        // A window keeps neighbours apart.
        let window = 0.5 - 0.5 * (TAU * n as f64 / middle.len() as f64).cos();
        let sample = f64::from(sample) * window;
        cosine += sample * (step * n as f64).cos();
        sine += sample * (step * n as f64).sin();
        energy += sample * sample;
    }
    // What a tone alone would give under this window.
    (cosine * cosine + sine * sine) / (energy * middle.len() as f64 / 3.0)
}

fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

#[test]
fn lengths_are_exact_and_neutral_changes_nothing() {
    for frames in [0, 1, 700, 50_000] {
        let clip = mono(tone(330.0, 2.0)[..frames].to_vec());
        assert_eq!(warp(&clip, 1.0, 0.0), clip);
        for (stretch, semitones) in [(0.25, 0.0), (0.93, 0.0), (1.5, 3.0), (4.0, -24.0), (1.0, 7.3)] {
            let expected = (frames as f64 * stretch).round() as usize;
            assert_eq!(warp(&clip, stretch, semitones).frames(), expected, "{frames} {stretch} {semitones}");
        }
    }
}

#[test]
fn a_tone_keeps_its_pitch_and_level_while_time_changes() {
    let clip = mono(tone(440.0, 3.0));
    for stretch in [0.5, 0.9, 1.1, 2.0] {
        let out = warp(&clip, stretch, 0.0);
        let samples = &out.channels()[0];
        let share = share_of_tone(samples, 440.0);
        assert!(share > 0.99, "{stretch}: {share}");
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let change_db = 20.0 * (rms(middle) / rms(&clip.channels()[0])).log10();
        assert!(change_db.abs() < 0.2, "{stretch}: {change_db} dB");
    }
}

#[test]
fn a_tone_keeps_its_length_while_pitch_changes() {
    let clip = mono(tone(440.0, 3.0));
    for semitones in [-12.0, -1.0, 0.5, 7.0] {
        let out = warp(&clip, 1.0, semitones);
        let share = share_of_tone(&out.channels()[0], 440.0 * (semitones / 12.0_f64).exp2());
        assert!(share > 0.99, "{semitones}: {share}");
    }
}

#[test]
fn strokes_lie_where_the_new_tempo_wants_them_and_stay_sharp() {
    let every_secs = 0.25;
    let clip = mono(strokes(every_secs, 6.0));
    for stretch in [0.75, 1.08, 1.5] {
        let out = warp(&clip, stretch, 0.0);
        let samples = &out.channels()[0];
        for beat in 2..20 {
            let at = (f64::from(beat) * every_secs * stretch * f64::from(RATE_HZ)) as usize;
            // Two steps of the search for attacks: 6 ms.
            let loudest =
                (at - 2000..at + 2000).max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs()));
            let off_ms = (loudest.unwrap() as f64 - at as f64) * 1000.0 / f64::from(RATE_HZ);
            assert!(off_ms.abs() < 9.0, "{stretch}, stroke {beat}: {off_ms} ms off");
            let before = rms(&samples[at - 1500..at - 500]);
            let after = rms(&samples[at..at + 500]);
            assert!(before < 0.1 * after, "{stretch}, stroke {beat}: smeared, {before} before {after}");
        }
    }
}

#[test]
fn channels_stay_as_they_lie() {
    let both: Vec<f32> = tone(220.0, 2.0).iter().zip(strokes(0.3, 2.0)).map(|(a, b)| a + b).collect();
    let right: Vec<f32> = both.iter().map(|sample| -0.5 * sample).collect();
    let clip = Clip::from_channels(RATE_HZ, vec![both, right]).unwrap();
    let out = warp(&clip, 1.2, 2.0);
    let [left, right] = out.channels() else { panic!("two channels") };
    // Halving and turning round is exact but for rounding in the transforms.
    assert!(left.iter().zip(right).all(|(left, right)| (left + 2.0 * right).abs() < 1e-4));
}

#[test]
fn blocks_change_nothing_and_a_second_reading_is_the_same() {
    let clip = mono(strokes(0.2, 3.0));
    let mut warped = Warped::new(clip.source(), WarpOptions { stretch: 1.3, semitones: -2.0 }).unwrap();
    let first = warped.read_to_end().unwrap();
    warped.rewind().unwrap();
    assert_eq!(warped.read_to_end().unwrap(), first);
}

#[test]
fn silence_noise_and_nonsense_are_taken() {
    let nonsense = [f32::NAN, f32::INFINITY, 1e30, 0.1, -0.1];
    for samples in [vec![0.0; 30_000], nonsense.repeat(5_000), strokes(0.01, 0.5)] {
        let out = warp(&mono(samples), 1.7, 5.0);
        assert!(out.channels()[0].iter().all(|sample| sample.is_finite()));
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    let clip = mono(vec![0.0; 10]);
    for (stretch, semitones) in [(0.2, 0.0), (5.0, 0.0), (f64::NAN, 0.0), (1.0, 25.0), (1.0, f64::NAN)] {
        let refused = Warped::new(clip.source(), WarpOptions { stretch, semitones }).err();
        assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::InvalidOption));
    }
}
