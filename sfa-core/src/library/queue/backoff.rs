//! How long a failed job waits.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// Five seconds after the first failure, twice as long after each further one, at most ten minutes; all of it
/// moved by up to a tenth, by `seed`, so that jobs that failed together do not come back together.
pub(crate) fn backoff(attempt: i64, seed: u128) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 30)).unwrap_or(0);
    let wait = FIRST.saturating_mul(1 << doublings.min(20)).min(LONGEST);
    // The low bits of a UUID of version 7 are random.
    let share = (seed & 0xffff) as f64 / 65_535.0;
    wait.mul_f64(0.9 + 0.2 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes_within_a_tenth() {
        for (attempt, secs) in
            [(0, 5.0), (1, 5.0), (2, 10.0), (3, 20.0), (7, 320.0), (9, 600.0), (1000, 600.0)]
        {
            for seed in [0, 0x1234, 0xffff, u128::MAX] {
                let wait = backoff(attempt, seed).as_secs_f64();
                assert!((0.9 * secs..=1.1 * secs).contains(&wait), "{attempt}: {wait}");
            }
        }
    }
}
