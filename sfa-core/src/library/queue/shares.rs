//! Who gets how many of the free slots.

/// Gives `slots` one by one to whoever has the fewest running, the first of equals first.
pub(crate) fn shares(slots: i64, running: &[i64]) -> Vec<i64> {
    let mut shares = vec![0; running.len()];
    for _ in 0..slots {
        let fewest = (0..running.len()).min_by_key(|&user| running[user] + shares[user]);
        if let Some(user) = fewest {
            shares[user] += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_go_to_those_who_have_least() {
        assert_eq!(shares(5, &[]), Vec::<i64>::new());
        assert_eq!(shares(0, &[1, 2]), [0, 0]);
        assert_eq!(shares(4, &[0, 0]), [2, 2]);
        assert_eq!(shares(3, &[0, 0]), [2, 1]);
        assert_eq!(shares(4, &[5, 0, 1]), [0, 3, 1].map(|share: i64| share));
    }
}
