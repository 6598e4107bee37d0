//! The signals of `tools/fixtures/librosa_goldens.py`, to the bit.

/// Full scale of the integers that signals are made of.
const FULL_SCALE: f32 = 65_536.0;

pub(crate) fn signal(name: &str, sample_rate_hz: u32, samples: usize) -> Vec<f32> {
    let integers = match name {
        "noise" => noise(samples).map(|value| value.div_euclid(4)).collect(),
        "silence" => vec![0; samples],
        "clicks" => (0..samples).map(|n| if n % 22_050 == 0 { 52_429 } else { 0 }).collect(),
        _ => song(i64::from(sample_rate_hz), samples),
    };
    integers.into_iter().map(|value: i64| value as f32 / FULL_SCALE).collect()
}

/// Values of -32768..=32767 from the highest half of a linear congruential generator.
fn noise(samples: usize) -> impl Iterator<Item = i64> {
    let mut state = 1u32;
    (0..samples).map(move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(state >> 16) - 32_768
    })
}

/// Two chords of triangle waves out of tune, a second each, and a burst of noise twice a second.
fn song(rate: i64, samples: usize) -> Vec<i64> {
    const CHORDS: [[i64; 4]; 2] = [[9_853, 11_718, 14_764, 4_927], [7_820, 9_853, 11_718, 3_910]];
    let waves = |n: i64| -> i64 {
        let triangle = |voice: i64| {
            let phase = (n * (voice * 44_100_000 / rate * 4)).rem_euclid(1 << 32);
            (((phase >> 16) - 32_768).abs() * 2 - 32_768).div_euclid(8)
        };
        CHORDS[(n / rate % 2) as usize].into_iter().map(triangle).sum()
    };
    let burst = |n: i64, noise: i64| (noise * (rate / 8 - n % (rate / 2)).max(0)).div_euclid(rate / 8);
    noise(samples).zip(0..).map(|(noise, n)| waves(n) + burst(n, noise)).collect()
}
