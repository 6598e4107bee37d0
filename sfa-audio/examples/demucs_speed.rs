//! How long a network takes for a segment of noise.
//!
//! `demucs_speed WEIGHTS [SECONDS] [THREADS] [DEVICE] [PRECISION] [BATCH]` prints the wall-clock time and, on Linux, the
//! processor time of every thread together, which other programs on the machine disturb far less. On a GPU
//! (`--features cuda`, DEVICE `cuda`), give it a minute of noise, so that batches are full; the first round also
//! loads the kernels.

use std::time::Instant;

use sfa_audio::separate::demucs::{Demucs, DemucsOptions, Device, Precision};
use sfa_audio::{Clip, Separator, Watch};

const USAGE: &str = "usage: demucs_speed WEIGHTS [SECONDS] [THREADS] [DEVICE] [PRECISION] [BATCH]";

/// Processor seconds of this process so far; Linux counts them in hundredths.
fn processor_secs() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

#[allow(clippy::print_stdout, reason = "the output of a program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let weights = arguments.next().ok_or(USAGE)?;
    let secs: f64 = arguments.next().map_or(Ok(7.8), |text| text.parse())?;
    let threads: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let device: Device = arguments.next().map_or(Ok(Device::Cpu), |text| text.parse())?;
    let precision: Precision = arguments.next().map_or(Ok(Precision::Fp32), |text| text.parse())?;
    let mut options = DemucsOptions::default();
    options.threads = Some(threads);
    options.device = device;
    options.precision = precision;
    options.batch = arguments.next().map(|text| text.parse()).transpose()?;
    let started = Instant::now();
    let demucs = Demucs::from_files(&[weights.into()], None, options)?;
    println!("loaded in {:.3} s, {device}, {precision}", started.elapsed().as_secs_f64());
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 65_536.0 - 0.5
    };
    let frames = (secs * 44_100.0) as usize;
    let mix = Clip::from_channels(44_100, (0..2).map(|_| (0..frames).map(|_| noise()).collect()).collect())?;
    for _ in 0..3 {
        let (started, before) = (Instant::now(), processor_secs());
        demucs.separate(&mix, &Watch::new())?;
        let wall = started.elapsed().as_secs_f64();
        print!("{:.1} times as fast as the song: ", secs / wall);
        match before.zip(processor_secs()) {
            Some((before, after)) => println!("{wall:.3} s, {:.2} s of processor time", after - before),
            None => println!("{wall:.3} s"),
        }
    }
    Ok(())
}
