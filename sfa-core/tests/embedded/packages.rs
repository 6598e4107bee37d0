//! What other programs get of some songs, packed.

use std::io::{Cursor, Read as _};
use std::time::Duration;

use sfa_core::audio::analyze::Feature;
use sfa_core::audio::io::{AudioReader, BitDepth};
use sfa_core::library::{Conversion, JobQuery, Library, PackageOrder, Step, Target, TrackId};
use zip::ZipArchive;

use crate::{ME, open, quickly, write_song};

fn order(target: Target, tracks: &[TrackId]) -> PackageOrder {
    PackageOrder {
        target,
        tracks: tracks.to_vec(),
        name: "friday".to_owned(),
        folder: Some("/Users/ann/SFA".to_owned()),
        stems: Conversion::default(),
    }
}

/// Has a package made, and reads what is in it.
async fn made(library: &Library, order: &PackageOrder) -> Vec<(String, Vec<u8>)> {
    let planned = library.plan_package(ME, order).await.unwrap();
    let id = library.order_package(ME, order).await.unwrap();
    let mut options = quickly();
    options.queues.retain(|(name, _)| name == "export");
    library.drained(&options).await.unwrap();
    let jobs = library.rows().jobs(ME, &JobQuery::default()).await.unwrap();
    let job = jobs.into_iter().find(|job| job.id == id).unwrap();
    assert_eq!((job.error, job.progress), (None, 100));
    let package = library.rows().packages(ME).await.unwrap().remove(0);
    assert_eq!((package.id, package.name.as_str()), (id, "friday.zip"));
    library.make_sure_of_content(ME, &package.blob.hash).await.unwrap();
    let size = u64::try_from(package.blob.size_bytes).unwrap();
    let bytes = library.files().read(&package.blob.hash, 0..size).await.unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.push((file.name().unwrap().into_owned(), content));
    }
    let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    let promised: Vec<_> = planned.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, promised, "what was shown is what is made");
    for ((path, content), file) in files.iter().zip(&planned.files) {
        assert!(file.size_bytes.is_none_or(|bytes| bytes == content.len() as i64), "{path}");
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_hold_what_their_programs_need() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = library.settings(ME).await.unwrap();
    settings.steps = vec![Step::Separate, Step::Analyze];
    settings.features = vec![Feature::Rhythm, Feature::Loudness, Feature::Form];
    library.set_settings(ME, &settings).await.unwrap();
    let path = write_song(desk.path(), "song.flac", 12.0);
    let song = std::fs::read(&path).unwrap();
    let id = library.import(ME, &path).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();

    let files = made(&library, &order(Target::Rekordbox, &[id])).await;
    assert_eq!(files[0], ("Music/song.flac".to_owned(), song.clone()));
    let xml = String::from_utf8(files[1].1.clone()).unwrap();
    assert!(xml.contains("Location=\"file://localhost/Users/ann/SFA/Music/song.flac\""), "{xml}");
    assert!(xml.contains("<TEMPO "), "{xml}");

    let files = made(&library, &order(Target::Traktor, &[id])).await;
    let nml = String::from_utf8(files[1].1.clone()).unwrap();
    assert!(nml.contains("KEY=\"Macintosh HD/:Users/:ann/:SFA/:Music/:song.flac\""), "{nml}");
    assert!(nml.contains("<GRID BPM="), "{nml}");

    let files = made(&library, &order(Target::Serato, &[id])).await;
    assert_eq!((files[0].0.as_str(), files[1].0.as_str()), ("Music/song.flac", "friday.m3u8"));
    let text = String::from_utf8_lossy(&files[0].1);
    assert!(text.contains("SERATO_MARKERS_V2=") && text.contains("SERATO_BEATGRID="), "tags are in the file");
    let hash = library.rows().track(ME, id).await.unwrap().blob;
    let kept = library.files().read(&hash, 0..song.len() as u64).await.unwrap();
    assert_eq!(kept, song, "the library's own file is as it was");

    let mut wanted = order(Target::Daw, &[id]);
    wanted.stems = Conversion {
        format: Some("wav".to_owned()),
        bit_depth: Some(BitDepth::Int24),
        sample_rate_hz: Some(48_000),
        loudness_lufs: Some(-23.0),
    };
    let files = made(&library, &wanted).await;
    let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert!(
        names.contains(&"song/classic drums.wav") && names.contains(&"song/tempo and sections.mid"),
        "{names:?}"
    );
    let drums = files.iter().find(|(path, _)| path.ends_with("drums.wav")).unwrap().1.clone();
    let reader = AudioReader::from_bytes(drums, Some("wav")).unwrap();
    assert_eq!((reader.info().sample_rate_hz, reader.info().bits_per_sample), (48_000, Some(24)));

    let files = made(&library, &order(Target::Report, &[id])).await;
    assert!(
        files[0].0.ends_with("report.html") && files[0].1.starts_with(b"<!doctype html>"),
        "{}",
        files[0].0
    );
    let plain = made(&library, &order(Target::Stems, &[id])).await;
    let stems = library.rows().stems(ME, id).await.unwrap();
    assert_eq!(plain.len(), stems.len());
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_nothing_is_refused_with_what_to_do() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap().track.id;
    let refused = library.order_package(ME, &order(Target::Stems, &[id])).await.unwrap_err();
    assert!(refused.to_string().contains("separate first"), "{refused}");
    assert!(library.order_package(ME, &order(Target::Playlist, &[TrackId::random()])).await.is_err());
}
