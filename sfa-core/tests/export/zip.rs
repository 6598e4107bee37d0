use std::io::{Cursor, Read};
use std::process::Command;
use std::sync::{Arc, Mutex};

use sfa_core::audio::{ErrorKind, StemKind, Watch};
use sfa_core::export::{StemEntry, stems_zip};
use zip::ZipArchive;

fn entry(song: &str, kind: StemKind, bytes: &[u8]) -> StemEntry<Cursor<Vec<u8>>> {
    StemEntry {
        song: song.to_owned(),
        kind,
        extension: "flac".to_owned(),
        size_bytes: bytes.len() as u64,
        reader: Cursor::new(bytes.to_vec()),
    }
}

fn pack(entries: Vec<StemEntry<Cursor<Vec<u8>>>>) -> Vec<u8> {
    stems_zip(Cursor::new(Vec::new()), entries, &Watch::new()).unwrap().into_inner()
}

/// Names and contents in order.
fn unpack(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn stems_come_back_as_they_went_in() {
    let drums: Vec<u8> = (0..700_000).map(|byte| (byte % 251) as u8).collect();
    let bytes =
        pack(vec![entry("Ada - Run", StemKind::Drums, &drums), entry("Ada - Run", StemKind::Bass, b"")]);
    assert_eq!(
        unpack(&bytes),
        [("Ada - Run - drums.flac".to_owned(), drums), ("Ada - Run - bass.flac".to_owned(), Vec::new())]
    );
}

#[test]
fn the_same_stems_make_the_same_archive() {
    let make = || pack(vec![entry("夜 - 走る", StemKind::Vocals, b"la la")]);
    assert_eq!(make(), make());
}

#[test]
fn names_stay_in_the_folder_and_apart() {
    let bytes = pack(vec![
        entry("../../etc/cron.d/x", StemKind::Drums, b"1"),
        entry("Song", StemKind::Drums, b"2"),
        entry("SONG", StemKind::Drums, b"3"),
    ]);
    let names: Vec<_> = unpack(&bytes).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.contains(['/', '\\']) && !name.starts_with('.')), "{names:?}");
    assert_eq!(names[1..], ["Song - drums.flac", "SONG - drums (2).flac"]);
}

#[test]
fn a_stem_that_says_it_is_huge_gets_64_bit_records() {
    let mut huge = entry("Long set", StemKind::Other, b"short after all");
    huge.size_bytes = 5 << 30;
    let bytes = pack(vec![huge]);
    // Version 4.5 in the local header is the first that has ZIP64 (APPNOTE 4.4.3.2).
    assert_eq!(bytes[4], 45);
    assert_eq!(unpack(&bytes)[0].1, b"short after all");
}

#[test]
fn a_stopped_watch_stops_packing() {
    let watch = Watch::new();
    watch.stop();
    let result = stems_zip(Cursor::new(Vec::new()), [entry("a", StemKind::Bass, b"x")], &watch);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn progress_counts_bytes_up_to_their_sum() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let watch = Watch::with_sink(move |progress| sink.lock().unwrap().push((progress.done, progress.total)));
    let entries = [entry("a", StemKind::Bass, &[0; 600_000]), entry("a", StemKind::Drums, &[0; 100])];
    stems_zip(Cursor::new(Vec::new()), entries, &watch).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted() && seen.iter().all(|step| step.1 == 600_100));
    assert_eq!(seen.last(), Some(&(600_100, 600_100)));
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that skips says so")]
fn python_reads_the_archive_without_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stems.zip");
    std::fs::write(&path, pack(vec![entry("Motörhead - Ace", StemKind::Vocals, b"la la")])).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n\
                  assert z.testzip() is None\n\
                  assert [i.date_time[0] for i in z.infolist()] == [1980]\n\
                  sys.stdout.buffer.write(z.namelist()[0].encode())";
    let Ok(output) = Command::new("python3").args(["-c", script]).arg(&path).output() else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Motörhead - Ace - vocals.flac");
}
