//! Kernels and stages: `cargo bench -p sfa-benches`. Throughput is in frames per second; divided by the sample
//! rate it is times real time.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sfa_core::audio::analyze::{Feature, analyze};
use sfa_core::audio::dsp::StreamingStft;
use sfa_core::audio::dsp::resample::resample_clip;
use sfa_core::audio::io::{AudioFormat, AudioReader, AudioWriter, EncodeOptions};
use sfa_core::audio::separate::classic::Classic;
use sfa_core::demo::{DemoOptions, song};
use sfa_core::{AnalyzeOptions, AudioSource, Clip, Separator, Watch};

const SECS: usize = 20;

/// Twenty seconds from the middle of the demo song.
fn excerpt() -> Clip {
    let mix = song(&DemoOptions::default()).expect("the defaults are in range").mix;
    let rate_hz = mix.sample_rate_hz();
    let frames = rate_hz as usize * SECS;
    let channels = mix.channels().iter().map(|channel| channel[frames..2 * frames].to_vec()).collect();
    Clip::from_channels(rate_hz, channels).expect("a clip of the same spec")
}

fn kernels(c: &mut Criterion) {
    let clip = excerpt();
    let mono = clip.downmix();
    let mut group = c.benchmark_group("kernel");
    group.throughput(Throughput::Elements(clip.frames() as u64));
    for (window_frames, hop_frames) in [(2048, 441), (4096, 1024)] {
        let name = format!("window{window_frames}_hop{hop_frames}_mono");
        group.bench_function(BenchmarkId::new("stft", name), |b| {
            b.iter(|| {
                let mut energy = 0.0;
                let mut stft = StreamingStft::new(window_frames, hop_frames);
                stft.push(&mono, |spectrum| energy += spectrum[1].norm_sqr());
                stft.finish(|spectrum| energy += spectrum[1].norm_sqr());
                energy
            });
        });
    }
    group.bench_function("resample/44100_to_48000_stereo", |b| {
        b.iter(|| resample_clip(&clip, 48_000).expect("a rate in range"));
    });
    group.finish();
}

fn stages(c: &mut Criterion) {
    let clip = excerpt();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = c.benchmark_group("stage");
    group.sample_size(10).throughput(Throughput::Elements(clip.frames() as u64));
    let flac = folder.path().join("excerpt.flac");
    group.bench_function("encode/flac16_stereo", |b| {
        b.iter(|| {
            let options = EncodeOptions::new(AudioFormat::Flac);
            let mut writer =
                AudioWriter::create(&flac, clip.spec(), &options, None).expect("a writable folder");
            writer.write(&clip).expect("space on the disk");
            writer.finish().expect("space on the disk")
        });
    });
    group.bench_function("decode/flac16_stereo", |b| {
        b.iter(|| {
            AudioReader::open(&flac).and_then(|mut reader| reader.read_to_end()).expect("our own file")
        });
    });
    for feature in Feature::ALL {
        let options = AnalyzeOptions::default().features([feature]);
        group.bench_function(BenchmarkId::new("analyze", format!("{feature:?}").to_lowercase()), |b| {
            b.iter(|| analyze(&mut clip.source(), &options, &Watch::new()).expect("nobody stops it"));
        });
    }
    group.bench_function("analyze/all", |b| {
        b.iter(|| {
            analyze(&mut clip.source(), &AnalyzeOptions::default(), &Watch::new()).expect("nobody stops it")
        });
    });
    group.bench_function("separate/classic", |b| {
        let engine = Classic::new();
        b.iter(|| engine.separate(&clip, &Watch::new()).expect("nobody stops it"));
    });
    group.finish();
}

criterion_group!(benches, kernels, stages);
criterion_main!(benches);
