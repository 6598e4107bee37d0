//! How well the `classic` engine separates songs whose stems are known.
//!
//! ```text
//! cargo run --release -p sfa-benches --bin separation FOLDER
//! ```
//!
//! Every folder in FOLDER with a `mix.flac` and `stems/{drums,bass,other,vocals}.flac` is one song; a
//! `stems/fx.flac` counts as part of `other`. Figures are the scale-invariant signal-to-distortion ratio (Le
//! Roux et al. 2019) in dB of the downmixed estimate against the downmixed stem, for the engine, for a plain
//! baseline, and for the mix itself as the estimate of everything.
//!
//! The baseline is the usual first try: harmonic-percussive separation by medians (Fitzgerald 2010; 4096-frame
//! window, 31 taps, squared soft masks), percussive to drums, harmonic below 200 Hz to bass. Nothing in it
//! tells voices from chords, so the rest stands for both, which the measure, blind to level, does not punish.

#![allow(clippy::print_stdout, reason = "the table is the purpose")]

use std::error::Error;
use std::path::{Path, PathBuf};

use sfa_core::audio::dsp::{OverlapAdd, StreamingStft, median_along_row, median_of_rows};
use sfa_core::audio::io::read_clip;
use sfa_core::audio::separate::classic::Classic;
use sfa_core::{Separator, StemKind, Watch};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder of songs?")?;
    let mut songs: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    songs.retain(|song| song.join("stems/vocals.flac").is_file());
    songs.sort();

    let engine = Classic::new();
    let kinds = engine.info().stems;
    println!(
        "{:<18} {:<8} {:>8} {:>9} {:>6} {:>12}",
        "song", "stem", "classic", "baseline", "mix", "gain on mix"
    );
    let mut sums = vec![([0.0; 3], 0.0); kinds.len()];
    for song in &songs {
        let mix = read_clip(&song.join("mix.flac"))?;
        let stems = engine.separate(&mix, &Watch::new())?;
        let plain = Baseline::separate(&mix.downmix(), mix.sample_rate_hz());
        let name = song.file_name().unwrap_or_default().to_string_lossy();
        for (index, &kind) in kinds.iter().enumerate() {
            let truth = read_truth(song, kind)?;
            let estimate = stems.get(kind).ok_or("a stem is missing")?.downmix();
            // The ratio says nothing about a source that does not sound.
            if truth.iter().all(|&sample| sample == 0.0) {
                continue;
            }
            let figures =
                [&estimate, plain.get(kind), &mix.downmix()].map(|signal| si_sdr_db(signal, &truth));
            print_row(&name, kind.name(), figures);
            let (sum, count) = &mut sums[index];
            sum.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
            *count += 1.0;
        }
    }
    let means: Vec<[f64; 3]> = sums.iter().map(|(sum, count)| sum.map(|sum| sum / count)).collect();
    for (kind, &mean) in kinds.iter().zip(&means) {
        print_row("mean", kind.name(), mean);
    }
    let mean = |column: usize| means.iter().map(|mean| mean[column]).sum::<f64>() / means.len() as f64;
    print_row("mean", "all", [0, 1, 2].map(mean));
    Ok(())
}

fn print_row(song: &str, stem: &str, [classic, baseline, mix]: [f64; 3]) {
    println!("{song:<18} {stem:<8} {classic:>8.2} {baseline:>9.2} {mix:>6.2} {:>12.2}", classic - mix);
}

/// Ratio of the part of `estimate` that is a multiple of `truth` to the rest of it, in dB.
fn si_sdr_db(estimate: &[f32], truth: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let scale = dot(estimate, truth) / dot(truth, truth).max(f64::MIN_POSITIVE);
    let wanted = scale * scale * dot(truth, truth);
    let all = dot(estimate, estimate);
    10.0 * (wanted.max(1e-20) / (all - wanted).max(1e-20)).log10()
}

fn read_truth(song: &Path, kind: StemKind) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut truth = read_clip(&song.join("stems").join(format!("{kind}.flac")))?.downmix();
    let effects = song.join("stems/fx.flac");
    if kind == StemKind::Other && effects.is_file() {
        for (sample, effect) in truth.iter_mut().zip(read_clip(&effects)?.downmix()) {
            *sample += effect;
        }
    }
    Ok(truth)
}

struct Baseline {
    percussive: Vec<f32>,
    low: Vec<f32>,
    rest: Vec<f32>,
}

impl Baseline {
    fn separate(mono: &[f32], sample_rate_hz: u32) -> Self {
        const WINDOW: usize = 4096;
        const HOP: usize = 1024;
        const TAPS: usize = 31;
        const BASS_HZ: f32 = 200.0;
        let mut spectra = Vec::new();
        let mut stft = StreamingStft::new(WINDOW, HOP);
        stft.push(mono, |spectrum| spectra.push(spectrum.to_vec()));
        stft.finish(|spectrum| spectra.push(spectrum.to_vec()));
        let levels: Vec<Vec<f32>> =
            spectra.iter().map(|row| row.iter().map(|bin| bin.norm()).collect()).collect();
        let bins = WINDOW / 2 + 1;
        let bass_bin = (BASS_HZ * WINDOW as f32 / sample_rate_hz as f32) as usize;

        let mut synthesis = [(); 3].map(|()| OverlapAdd::new(WINDOW, HOP));
        let mut out = [(); 3].map(|()| Vec::with_capacity(mono.len() + WINDOW));
        let (mut steady, mut broad) = (vec![0.0; bins], vec![0.0; bins]);
        for (index, spectrum) in spectra.iter().enumerate() {
            let near = |tap: usize| (index + tap).saturating_sub(TAPS / 2).min(levels.len() - 1);
            let around: Vec<&[f32]> = (0..TAPS).map(|tap| levels[near(tap)].as_slice()).collect();
            median_of_rows(&around, &mut steady);
            median_along_row(&levels[index], TAPS, &mut broad);
            let mut gains = [(); 3].map(|()| vec![0.0; bins]);
            for bin in 0..bins {
                let (harmonic, percussive) = (steady[bin].powi(2), broad[bin].powi(2));
                let share = percussive / (percussive + harmonic).max(f32::MIN_POSITIVE);
                gains[0][bin] = share;
                gains[if bin <= bass_bin { 1 } else { 2 }][bin] = 1.0 - share;
            }
            for ((synthesis, gains), out) in synthesis.iter_mut().zip(&gains).zip(&mut out) {
                synthesis.push(spectrum, gains, out);
            }
        }
        let [percussive, low, rest] = out.map(|samples| samples[WINDOW / 2..].to_vec());
        Self { percussive, low, rest }
    }

    fn get(&self, kind: StemKind) -> &[f32] {
        match kind {
            StemKind::Drums => &self.percussive,
            StemKind::Bass => &self.low,
            _ => &self.rest,
        }
    }
}
