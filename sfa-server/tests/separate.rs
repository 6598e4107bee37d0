//! `sfa separate` with a neural engine: a small network with random weights stands in for the official ones.

#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

mod desk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use sfa_core::audio::Clip;
use sfa_core::audio::io::read_clip;

use desk::{Desk, files_below, stderr, stdout, text};

/// A desk with a song, and a folder of models.
struct Studio {
    desk: Desk,
    song: PathBuf,
    models: PathBuf,
}

impl Studio {
    fn new() -> Self {
        let desk = Desk::new();
        let (song, models) = (desk.short_song("a.wav"), desk.path("models"));
        fs::create_dir(&models).unwrap();
        Self { desk, song, models }
    }

    /// Puts the small network under the name of an official one.
    fn with_network(self, small: &str, name: &str) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sfa-audio/tests/demucs");
        fs::copy(fixtures.join(small), self.models.join(name)).unwrap();
        self
    }

    fn separate(&self, arguments: &[&str]) -> Output {
        let mut command = desk::command();
        command.env("SFA_MODELS_DIR", &self.models).args(["separate", text(&self.song), "--out"]);
        command.arg(self.desk.path("out")).args(arguments).output().expect("the binary runs")
    }

    fn separated(&self, arguments: &[&str]) -> Output {
        let output = self.separate(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        output
    }

    fn files(&self) -> Vec<String> {
        files_below(&self.desk.path("out"))
    }

    fn sheet(&self) -> Value {
        serde_json::from_slice(&fs::read(self.desk.path("out/a/stems.json")).unwrap()).unwrap()
    }

    fn stem(&self, name: &str) -> Clip {
        read_clip(&self.desk.path(&format!("out/a/{name}.wav"))).unwrap()
    }
}

/// As exact as files can be: nothing is rounded or scaled.
const EXACT: [&str; 4] = ["--bit-depth", "32f", "--clip", "none"];

fn with_exact<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &EXACT].concat()
}

#[test]
fn a_model_makes_its_stems_and_the_sheet_tells_how() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    let output =
        studio.separated(&["--engine", "demucs", "--model", "htdemucs", "--shifts", "2", "--seed", "7"]);
    assert!(stderr(&output).contains("engine demucs, model htdemucs (as asked for)"), "{}", stderr(&output));
    assert_eq!(studio.files(), ["a/bass.wav", "a/drums.wav", "a/other.wav", "a/stems.json", "a/vocals.wav"]);
    let model = &studio.sheet()["separation"]["model"];
    assert_eq!(model["name"], "htdemucs");
    assert_eq!(model["options"]["seed"], 7);
    let network = &model["networks"][0];
    assert_eq!(network["file"], "955717e8.safetensors");
    assert_eq!(network["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(network["segment_frames"], 3001);
    assert_eq!(network["shift_offsets_frames"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_second_run_finds_the_stems_unless_something_that_decides_them_changed() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    let is_done = |arguments: &[&str]| stdout(&studio.separated(arguments)).contains("already done");
    assert!(!is_done(&["--engine", "demucs"]));
    assert!(is_done(&["--engine", "auto"]), "the same model by another word");
    assert!(is_done(&["--threads", "1"]), "threads decide nothing");
    assert!(!is_done(&["--overlap", "0.5"]));
    assert!(!is_done(&["--overlap", "0.5", "--stems", "bass"]));
    assert_eq!(studio.files(), ["a/bass.wav", "a/stems.json"]);
    let studio = studio.with_network("ht_other.safetensors", "955717e8.safetensors");
    assert!(!stdout(&studio.separated(&["--overlap", "0.5", "--stems", "bass"])).contains("already done"));
}

#[test]
fn an_archive_of_pytorch_gives_the_same_stems() {
    let [safetensors, archive] =
        [("ht.safetensors", "955717e8.safetensors"), ("ht.th", "955717e8-8726e21a.th")].map(
            |(small, name)| {
                let studio = Studio::new().with_network(small, name);
                studio.separated(&with_exact(&["--engine", "demucs"]));
                studio.stem("vocals")
            },
        );
    assert_eq!(safetensors, archive);
}

#[test]
fn two_stems_add_up_to_the_song_when_one_is_subtracted() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    studio.separated(&with_exact(&["--two-stems", "vocals", "--rest", "minus"]));
    assert_eq!(studio.files(), ["a/no_vocals.wav", "a/stems.json", "a/vocals.wav"]);
    let mix = read_clip(&studio.song).unwrap();
    let (vocals, rest) = (studio.stem("vocals"), studio.stem("no_vocals"));
    for ((mix, vocals), rest) in mix.channels().iter().zip(vocals.channels()).zip(rest.channels()) {
        for ((mix, vocals), rest) in mix.iter().zip(vocals).zip(rest) {
            // One rounding of the subtraction, one of this sum.
            assert!((vocals + rest - mix).abs() <= 4.0 * f32::EPSILON * (1.0 + vocals.abs()));
        }
    }
    studio.separated(&with_exact(&["--karaoke"]));
    assert_eq!(studio.files(), ["a/no_vocals.wav", "a/stems.json"]);
    assert_eq!(studio.stem("no_vocals"), rest);
}

#[test]
fn the_rest_can_be_the_sum_of_all_other_stems() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    studio.separated(&with_exact(&[]));
    let stems = ["drums", "bass", "other"].map(|name| studio.stem(name));
    studio.separated(&with_exact(&["--two-stems", "vocals"]));
    let rest = studio.stem("no_vocals");
    for (frame, found) in rest.channels()[0].iter().enumerate() {
        let [drums, bass, other] = stems.each_ref().map(|stem| stem.channels()[0][frame]);
        assert_eq!(*found, drums + bass + other);
    }
}

#[test]
fn one_stem_of_the_fine_tuned_bag_needs_its_specialist_alone() {
    let studio = Studio::new().with_network("ht.safetensors", "04573f0d.safetensors");
    studio.separated(&["--model", "htdemucs_ft", "--stems", "vocals"]);
    assert_eq!(studio.sheet()["separation"]["model"]["networks"].as_array().map(Vec::len), Some(1));
    let all = studio.separate(&["--model", "htdemucs_ft"]);
    assert_eq!(all.status.code(), Some(1));
    assert!(stderr(&all).contains("sfa models pull htdemucs_ft"), "{}", stderr(&all));
}

#[test]
fn a_missing_model_is_an_error_that_says_how_to_mend_it() {
    let studio = Studio::new();
    for arguments in
        [&["--engine", "demucs"][..], &["--model", "htdemucs"], &["--shifts", "1"], &["--stems", "piano"]]
    {
        let output = studio.separate(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains("sfa models pull htdemucs"), "{arguments:?}: {}", stderr(&output));
    }
    assert!(studio.files().is_empty());
}

#[test]
fn without_a_model_auto_says_that_it_takes_classic_and_why() {
    let studio = Studio::new();
    let output = studio.separated(&[]);
    assert!(
        stderr(&output)
            .contains("engine classic (no neural model is on this machine; `sfa models pull htdemucs`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(studio.sheet()["separation"]["engine"], "classic");
}

#[test]
fn what_an_engine_cannot_do_is_wrong_usage() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    for arguments in [
        &["--engine", "classic", "--overlap", "0.5"][..],
        &["--engine", "classic", "--model", "htdemucs"],
        &["--engine", "python"],
        &["--engine", "python", "--model", "mdx", "--seed", "1"],
        &["--repo", "folder"],
        &["--model", "htdemux"],
        &["--model", "htdemucs", "--stems", "piano"],
        &["--stems", "strings"],
        &["--two-stems", "no_vocals"],
        &["--karaoke", "--two-stems", "vocals"],
        &["--rest", "minus"],
        &["--device", "gpu"],
        &["--precision", "fp8"],
    ] {
        let output = studio.separate(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
    assert!(studio.files().is_empty());
}

#[test]
fn damaged_weights_and_options_out_of_range_fail_and_leave_nothing() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    for (arguments, word) in [
        (["--segment", "9"], "training"),
        (["--overlap", "1.5"], "overlap"),
        (["--threads", "0"], "threads"),
        (["--precision", "fp16"], "fp16"),
        (["--device", "cuda:0"], "cuda"),
    ] {
        let output = studio.separate(&arguments);
        assert!(
            !output.status.success() && stderr(&output).contains(word),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    let weights = studio.models.join("955717e8.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let output = studio.separate(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("955717e8.safetensors"), "{}", stderr(&output));
    assert!(studio.files().is_empty(), "{:?}", studio.files());
}

#[test]
fn a_report_tells_levels_and_what_stems_share() {
    let studio = Studio::new().with_network("ht.safetensors", "955717e8.safetensors");
    let output = studio.separated(&["--report"]);
    for word in ["rms", "drums", "shares at most", "song minus the sum of its stems"] {
        assert!(stdout(&output).contains(word), "{word}: {}", stdout(&output));
    }
    let quality = &studio.sheet()["separation"]["quality"];
    assert!(quality["residual_db"].is_f64() && quality["stems"].as_array().map(Vec::len) == Some(4));
    let again = studio.separated(&["--report"]);
    assert!(stdout(&again).contains("already done") && stdout(&again).contains("shares at most"));
}

#[test]
fn the_python_engine_runs_models_of_the_users_own() {
    let has_package = std::env::var_os("SFA_PYTHON").is_some();
    let studio = Studio::new();
    let repo = studio.models.join("repo");
    fs::create_dir(&repo).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sfa-audio/tests/demucs");
    fs::copy(fixtures.join("ht.th"), repo.join("5ma11ht0.th")).unwrap();
    let arguments = ["--engine", "python", "--model", "5ma11ht0", "--repo", text(&repo)];
    if !has_package {
        eprintln!("skipped: SFA_PYTHON names no Python with the demucs package");
        return;
    }
    studio.separated(&with_exact(&arguments));
    let model = &studio.sheet()["separation"]["model"];
    assert!(model["package"].as_str().is_some_and(|package| package.starts_with("demucs ")), "{model}");
    let vocals = studio.stem("vocals");
    let native = Studio::new().with_network("ht.th", "955717e8.th");
    native.separated(&with_exact(&["--engine", "demucs"]));
    for (python, native) in vocals.channels()[0].iter().zip(&native.stem("vocals").channels()[0]) {
        // Both count in single precision.
        assert!((python - native).abs() < 1e-4, "{python} {native}");
    }
}
