//! Medians of many short series at once.

/// Series whose medians are found together, one per SIMD lane.
const LANES: usize = 16;

/// The most values one median is taken of.
const MAX_TAPS: usize = 63;

type Lane = [f32; LANES];

/// The median over `rows` of every column: `out[k]` is the median of `rows[..][k]`.
///
/// With an even number of rows the lower of the two middle values is taken.
///
/// # Panics
/// When there is no row, more than 63, or one shorter than `out`.
pub fn median_of_rows(rows: &[&[f32]], out: &mut [f32]) {
    assert!((1..=MAX_TAPS).contains(&rows.len()), "1 to {MAX_TAPS} rows");
    let mut taps = [[0.0; LANES]; MAX_TAPS];
    let taps = &mut taps[..rows.len()];
    for (block, out) in out.chunks_mut(LANES).enumerate() {
        let start = block * LANES;
        for (tap, row) in taps.iter_mut().zip(rows) {
            tap[..out.len()].copy_from_slice(&row[start..start + out.len()]);
        }
        let median = select_median(taps);
        out.copy_from_slice(&median[..out.len()]);
    }
}

/// The running median along one row: `out[k]` is the median of the `taps` values centred on `row[k]`, where
/// the first and the last value go on for ever beyond the ends.
///
/// # Panics
/// When `taps` is even or above 63, or the lengths differ.
pub fn median_along_row(row: &[f32], taps: usize, out: &mut [f32]) {
    assert!(taps % 2 == 1 && taps <= MAX_TAPS, "an odd number of taps up to {MAX_TAPS}");
    assert_eq!(row.len(), out.len());
    let (Some(&first), Some(&last)) = (row.first(), row.last()) else { return };
    let half = taps / 2;
    let mut padded = Vec::with_capacity(row.len() + 2 * half);
    padded.resize(half, first);
    padded.extend_from_slice(row);
    padded.resize(row.len() + 2 * half, last);
    let mut shifted = [&padded[..0]; MAX_TAPS];
    for (offset, slice) in shifted[..taps].iter_mut().enumerate() {
        *slice = &padded[offset..offset + row.len()];
    }
    median_of_rows(&shifted[..taps], out);
}

/// Forgetful selection: among `n / 2 + 2` values neither the smallest nor the largest can be the median of all
/// `n`, so both are dropped, the next value joins, and the set shrinks until its middle is left. Compared to a
/// sorted window it branches on nothing, which lets all lanes run together.
fn select_median(taps: &mut [Lane]) -> Lane {
    let count = taps.len();
    let (mut start, mut end) = (0, (count / 2 + 2).min(count));
    let mut next = end;
    while end - start > 2 {
        for index in start + 1..end {
            sort_pair(taps, start, index);
        }
        for index in start + 1..end - 1 {
            sort_pair(taps, index, end - 1);
        }
        start += 1;
        if next < count {
            taps[end - 1] = taps[next];
            next += 1;
        } else {
            end -= 1;
        }
    }
    if end - start == 2 {
        sort_pair(taps, start, start + 1);
    }
    taps[start]
}

fn sort_pair(taps: &mut [Lane], low: usize, high: usize) {
    let (a, b) = (taps[low], taps[high]);
    for lane in 0..LANES {
        let ordered = a[lane] < b[lane];
        taps[low][lane] = if ordered { a[lane] } else { b[lane] };
        taps[high][lane] = if ordered { b[lane] } else { a[lane] };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_median_is_the_middle_of_the_sorted_values() {
        for count in 1..=MAX_TAPS {
            let rows: Vec<Vec<f32>> = (0..count).map(|row| noise(37, row as u32)).collect();
            let mut out = vec![0.0; 37];
            median_of_rows(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut out);
            for column in 0..37 {
                let mut values: Vec<f32> = rows.iter().map(|row| row[column]).collect();
                values.sort_by(f32::total_cmp);
                assert_eq!(out[column], values[(count - 1) / 2], "{count} rows");
            }
        }
    }

    #[test]
    fn a_running_median_removes_a_click_and_keeps_a_step() {
        let row = [1.0, 1.0, 9.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0];
        let mut out = [0.0; 9];
        median_along_row(&row, 3, &mut out);
        assert_eq!(out, [1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0]);
    }

    #[test]
    fn windows_longer_than_the_row_are_fine() {
        let mut out = [0.0; 2];
        median_along_row(&[1.0, 2.0], 31, &mut out);
        assert_eq!(out, [1.0, 2.0]);
        median_along_row(&[], 3, &mut []);
    }
}
