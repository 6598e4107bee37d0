use serde_json::{Value, json};
use sfa_core::audio::io::Cover;
use sfa_core::export::report_html;
use sfa_core::song::SongReport;

use crate::fixture;

/// Everything that a browser could fetch is inside.
#[track_caller]
fn assert_self_contained(html: &str) {
    for outside in
        ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest", "<iframe", "<object"]
    {
        assert!(!html.contains(outside), "the page holds {outside:?}");
    }
    for source in html.split(" src=\"").skip(1) {
        assert!(source.starts_with("data:image/"), "{}", &source[..40]);
    }
}

/// The page between its style and its data.
fn body(html: &str) -> &str {
    html.split("</style>").nth(1).unwrap().split("<script").next().unwrap()
}

/// The JSON that the script reads.
fn data(html: &str) -> Value {
    let data = html.split("id=\"song\">").nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let html = report_html(&fixture::song());
    assert_self_contained(&html);
    assert!(html.contains(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    ));
}

#[test]
fn the_page_says_what_was_measured() {
    let html = report_html(&fixture::song());
    let expected = [
        "Marble Run",
        "Nils &amp; Ada",
        "Small Machines",
        "128.00",
        "94 % sure",
        "64.0 / 256.0",
        "A minor",
        ">8A<",
        ">1m<",
        "C major",
        "\u{2212}8.7",
        "range 6.3 LU",
        "true peak +0.2 dBTP",
        "4/4",
        "3:32",
        "Breakdown",
        "Drop 2",
        "Mix out",
        "1:15.350",
        "41.1",
        "the file ends 12 frames before its header says",
        "classic",
    ];
    for text in expected {
        assert!(body(&html).contains(text), "the page does not say {text:?}");
    }
    for stem in ["drums", "bass", "vocals", "other"] {
        assert!(body(&html).contains(&format!("lane stem s-{stem}")), "no lane for {stem}");
    }
}

#[test]
fn a_hostile_song_is_only_text() {
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}</style></title>";
    let mut song = fixture::song_json();
    for pointer in [
        "/tags/title",
        "/tags/artist",
        "/tags/album",
        "/tags/genre",
        "/tags/date",
        "/file/name",
        "/file/codec",
        "/file/container",
        "/file/warnings/0",
        "/generator",
        "/cues/0/label",
        "/loops/0/section",
        "/stems/0/file",
        "/separation/engine",
        "/separation/description",
    ] {
        *song.pointer_mut(pointer).expect(pointer) = json!(hostile);
    }
    let mut report: SongReport = serde_json::from_value(song).unwrap();
    report.tags.cover = Some(Cover { media_type: hostile.to_owned(), bytes: vec![1, 2, 3] });
    let html = report_html(&report);
    let clean = report_html(&fixture::song());
    for tag in ["<script", "</script", "<img", "<style", "</style", "<title>", "</title"] {
        // The fixture has a title of its own in the wheels, and so does every page.
        assert_eq!(html.matches(tag).count(), clean.matches(tag).count(), "{tag}");
    }
    assert!(!body(&html).contains("onerror=alert(1)>"));
    assert_self_contained(&html);
}

#[test]
fn a_cover_is_in_the_page() {
    let mut report = fixture::song();
    report.tags.cover = Some(Cover { media_type: "image/png".to_owned(), bytes: b"foobar".to_vec() });
    let html = report_html(&report);
    assert!(html.contains("src=\"data:image/png;base64,Zm9vYmFy\""));
    assert_self_contained(&html);
}

#[test]
fn a_song_of_which_nothing_is_known_still_has_a_page() {
    let mut song = fixture::song_json();
    for part in ["rhythm", "key", "chroma", "loudness", "energy", "form", "waveform"] {
        song["analysis"].as_object_mut().unwrap().remove(part);
    }
    (song["tags"], song["cues"], song["loops"], song["stems"]) = (json!({}), json!([]), json!([]), json!([]));
    let html = report_html(&serde_json::from_value(song).unwrap());
    assert!(body(&html).contains("<bdi>Marble Run</bdi>"), "the file's name stands in for the title");
    assert_eq!(data(&html)["beats"], json!([]));
}

#[test]
fn an_empty_file_has_a_page() {
    let mut song = fixture::song_json();
    song["analysis"] =
        json!({ "duration_secs": 0.0, "sample_rate_hz": 44_100, "channels": 1, "features": [] });
    let html = report_html(&serde_json::from_value(song).unwrap());
    assert!(!html.contains("NaN") && !html.contains(":inf"));
}

#[test]
fn the_cursor_reads_every_beat() {
    let report = fixture::song();
    let data = data(&report_html(&report));
    let beats = &report.analysis.rhythm.as_ref().unwrap().beats;
    assert_eq!(data["beats"].as_array().unwrap().len(), beats.len());
    assert_eq!((&data["beats"][5], &data["places"][5]), (&json!(2694), &json!("2.2")));
    assert_eq!(data["sections"][3], json!([75.35, "Drop"]));
}

#[test]
fn four_minutes_fit_into_a_megabyte_and_a_half() {
    // As fine as the analysis draws: 256 frames per point, every point different from its neighbours.
    let mut song = fixture::song_json();
    let points = 240 * 44_100 / 256;
    let wave: Vec<_> = (0..points).map(|point| point * 37 % 128).collect();
    let negative: Vec<_> = wave.iter().map(|value| -value).collect();
    song["analysis"]["waveform"]["levels"] = json!([
        { "frames_per_point": 256, "min": negative, "max": wave, "low": wave, "mid": wave, "high": wave }
    ]);
    let report: SongReport = serde_json::from_value(song).unwrap();
    let mut with_stems = fixture::song();
    let level = report.analysis.waveform.as_ref().unwrap().levels[0].clone();
    with_stems.analysis = report.analysis;
    for stem in &mut with_stems.stems {
        stem.waveform = Some(level.clone());
    }
    let html = report_html(&with_stems);
    assert!(html.len() < 1_500_000, "{} bytes", html.len());
}

#[test]
fn text_stands_out_from_what_it_stands_on() {
    let html = report_html(&fixture::song());
    let color = |name: &str| {
        let value = html.split(&format!("--{name}: #")).nth(1).unwrap_or_else(|| panic!("no {name}"));
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    };
    for ground in ["page", "card", "raised"] {
        for text in ["text", "second", "muted", "accent", "warn"] {
            let (text_luminance, ground_luminance) = (color(text), color(ground));
            let contrast = (text_luminance + 0.05) / (ground_luminance + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }
}
