//! The one pass as a whole: blocks, rates, progress, hostile input.

use std::sync::{Arc, Mutex};

use sfa_audio::analyze::{Feature, Key, analyze};
use sfa_audio::{AnalyzeOptions, AudioSource, AudioSpec, Clip, Result, Stage, Watch};

use crate::song::{RATE_HZ, Song};

fn song_clip(secs: f64) -> Clip {
    let song = Song { secs, drums: 0.3, ..Song::in_key(Key::all().nth(21).unwrap()) };
    Clip::from_channels(RATE_HZ, vec![song.render()]).unwrap()
}

fn options() -> AnalyzeOptions {
    AnalyzeOptions::default().features([Feature::Key, Feature::Loudness, Feature::Energy, Feature::Waveform])
}

/// Reads a clip in blocks of another size than the clip's own source.
struct Blocks<'a> {
    clip: &'a Clip,
    position: usize,
    frames: usize,
}

impl AudioSource for Blocks<'_> {
    fn spec(&self) -> AudioSpec {
        self.clip.spec()
    }

    fn frames_hint(&self) -> Option<u64> {
        None
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        let end = (self.position + self.frames).min(self.clip.frames());
        block.clear();
        block.extend(self.clip.channels().iter().map(|channel| &channel[self.position..end]));
        let read = end - self.position;
        self.position = end;
        Ok(read)
    }

    fn rewind(&mut self) -> Result<()> {
        self.position = 0;
        Ok(())
    }
}

#[test]
fn block_sizes_change_nothing() {
    let clip = song_clip(6.0);
    let whole = analyze(&mut clip.source(), &options(), &Watch::new()).unwrap();
    for frames in [1, 333, 44_100, usize::MAX / 2] {
        let mut blocks = Blocks { clip: &clip, position: 0, frames };
        assert_eq!(whole, analyze(&mut blocks, &options(), &Watch::new()).unwrap());
    }
}

#[test]
fn the_same_samples_at_another_rate_are_the_same_song_transposed() {
    // Played at 48 kHz a song is 147 cents sharp: a semitone and 47 cents above A minor.
    let clip = song_clip(16.0);
    let faster = Clip::from_channels(48_000, clip.into_channels()).unwrap();
    let analysis = analyze(&mut faster.source(), &options(), &Watch::new()).unwrap();
    let key = analysis.key.unwrap();
    assert_eq!(key.key.to_string(), "A# minor");
    assert!((key.tuning_cents - 46.7).abs() < 3.0, "{key:?}");
    assert_eq!(analysis.waveform.unwrap().sample_rate_hz, 48_000);
}

#[test]
fn only_what_is_asked_for_is_answered() {
    let clip = song_clip(2.0);
    let only_energy = AnalyzeOptions::default().features([Feature::Energy]);
    let analysis = analyze(&mut clip.source(), &only_energy, &Watch::new()).unwrap();
    assert!(analysis.energy.is_some());
    assert!(analysis.loudness.is_none() && analysis.key.is_none() && analysis.chroma.is_none());
    assert!(analysis.waveform.is_none());
    assert_eq!((analysis.duration_secs, analysis.channels), (2.0, 1));
}

#[test]
fn progress_counts_frames_and_a_stop_is_obeyed() {
    let clip = song_clip(2.0);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let watch = Watch::with_sink(move |progress| sink.lock().unwrap().push(progress));
    analyze(&mut clip.source(), &options(), &watch).unwrap();
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().all(|progress| progress.stage == Stage::Analyze && progress.total == 88_200));
    assert!(seen.is_sorted_by_key(|progress| progress.done));
    assert_eq!(seen.last().unwrap().done, 88_200);

    watch.stop();
    assert!(analyze(&mut clip.source(), &options(), &watch).unwrap_err().is_cancelled());
}

#[test]
fn odd_shapes_and_broken_samples_give_finite_answers() {
    let broken: Vec<f32> = (0..30_000)
        .map(|n| match n % 7 {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => -1e30,
            _ => 0.1,
        })
        .collect();
    let clips = [
        Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 0),
        Clip::from_channels(44_100, vec![vec![1.0]]).unwrap(),
        Clip::from_channels(1_000, vec![vec![0.5; 5_000]]).unwrap(),
        Clip::from_channels(768_000, vec![vec![0.1; 100_000]; 2]).unwrap(),
        Clip::from_channels(48_000, vec![vec![0.1; 10_000]; 64]).unwrap(),
        Clip::from_channels(44_100, vec![broken.clone(), broken]).unwrap(),
    ];
    for clip in clips {
        let analysis = analyze(&mut clip.source(), &options(), &Watch::new()).unwrap();
        // JSON has no word for numbers that are none: they would come out as null.
        let curves =
            serde_json::to_value((&analysis.energy, &analysis.loudness.unwrap().momentary_lufs)).unwrap();
        assert!(!curves.to_string().contains("null"), "{:?}", clip.spec());
        let secs = analysis.duration_secs;
        assert_eq!(analysis.energy.unwrap().curve.values.len(), (secs * 2.0).ceil() as usize, "{secs} s");
    }
}
