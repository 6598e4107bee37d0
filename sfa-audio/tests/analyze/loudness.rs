//! EBU Tech 3341 and 3342 and ITU-R BS.2217 test signals.

use std::fs;

use sfa_audio::analyze::Feature;

use crate::{analysis_of, decoded, shared_audio};

#[test]
fn ebu_and_itu_signals_read_what_the_standards_say() {
    let Some(table) = shared_audio("loudness/expected.csv") else { return };
    let mut checked = 0;
    for line in fs::read_to_string(table).unwrap().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let Some(file) = shared_audio(&format!("loudness/{}", cells[0])) else { continue };
        let loudness = analysis_of(&decoded(&file), Feature::Loudness).loudness.unwrap();
        // Where the standards give no target, what ffmpeg's independent meter reads, rounded to 0.1.
        let (integrated, tolerance) = match cells[1].parse::<f64>() {
            Ok(target) => (target, 0.1),
            Err(_) => (cells[3 + 1].parse().unwrap(), 0.15),
        };
        let measured = loudness.integrated_lufs.unwrap();
        assert!(
            (measured - integrated).abs() <= tolerance,
            "{}: {measured} LUFS, not {integrated}",
            cells[0]
        );
        // EBU Tech 3342 allows 1 LU.
        if let Ok(range) = cells[2].parse::<f64>() {
            let measured = loudness.range_lu.unwrap();
            assert!((measured - range).abs() <= 1.0, "{}: {measured} LU, not {range}", cells[0]);
        }
        checked += 1;
    }
    assert!(checked >= 16, "only {checked} files were there");
}
