//! How long a failed job waits.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// Five seconds after the first failure, twice as long after each further one, at most ten minutes; and then up to as
/// long again, by `seed`. Jobs that were lost together do not come back together, or the one that took their worker down
/// would take the others along each time.
pub(crate) fn backoff(attempt: i64, seed: u128) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 30)).unwrap_or(0);
    let wait = FIRST.saturating_mul(1 << doublings.min(20)).min(LONGEST);
    // The low 62 bits of a UUID of version 7 are random; every attempt looks at others.
    let share = (seed >> (16 * (doublings % 3)) & 0xffff) as f64 / 65_535.0;
    wait.mul_f64(1.0 + share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes_and_are_spread_by_as_much() {
        for (attempt, secs) in
            [(0, 5.0), (1, 5.0), (2, 10.0), (3, 20.0), (7, 320.0), (9, 600.0), (1000, 600.0)]
        {
            for seed in [0, 0x1234, 0xffff, u128::MAX] {
                let wait = backoff(attempt, seed).as_secs_f64();
                assert!((secs..=2.0 * secs).contains(&wait), "{attempt}: {wait}");
            }
        }
    }

    #[test]
    fn jobs_that_meet_once_do_not_meet_again() {
        let (one, other) = (0x1111_2222_3333, 0x4444_5555_3333);
        assert_eq!(backoff(1, one), backoff(1, other));
        assert_ne!(backoff(2, one), backoff(2, other));
        assert_ne!(backoff(3, one), backoff(3, other));
    }
}
