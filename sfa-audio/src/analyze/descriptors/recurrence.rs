//! Which moments of a song sound alike.

/// For every frame its nearest others and how near they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    /// Per frame the indices of its nearest frames, nearest first, each with its affinity `0.0..=1.0`.
    pub links: Vec<Vec<(usize, f32)>>,
    /// The cosine distance at which affinity has fallen to 1/e: the median distance of the last neighbours.
    pub bandwidth: f32,
}

impl Recurrence {
    /// The matrix whose entry `[a][b]` is the affinity of frame `a` as a neighbour of frame `b`, row by row.
    pub fn to_dense(&self) -> Vec<f32> {
        let frames = self.links.len();
        let mut dense = vec![0.0; frames * frames];
        for (frame, links) in self.links.iter().enumerate() {
            for &(neighbour, affinity) in links {
                dense[neighbour * frames + frame] = affinity;
            }
        }
        dense
    }
}

/// `librosa.segment.recurrence_matrix(data, metric="cosine", mode="affinity")` on frames of `width` values: every
/// frame is linked to its `2 * ceil(sqrt(frames - 1))` nearest others.
///
/// Takes time in the square of the number of frames. `None` for fewer than four frames, or where all frames are
/// equal.
///
/// # Panics
/// When `width` is 0.
pub fn recurrence_matrix(frames: &[f32], width: usize) -> Option<Recurrence> {
    let unit: Vec<Vec<f32>> = frames.chunks_exact(width).map(of_unit_length).collect();
    let count = unit.len();
    if count < 4 {
        return None;
    }
    let neighbours = 2 * ((count - 1) as f64).sqrt().ceil() as usize;
    // librosa looks at two more than it keeps, and drops those at no distance at all.
    let looked_at = (neighbours + 2).min(count - 1);
    let mut links: Vec<Vec<(usize, f32)>> = (0..count)
        .map(|frame| {
            let distance = |other: &usize| {
                let dot: f32 = unit[frame].iter().zip(&unit[*other]).map(|(a, b)| a * b).sum();
                (*other, (1.0 - dot).clamp(0.0, 2.0))
            };
            let by_distance = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
            let mut others: Vec<_> =
                (0..count).filter(|&other| other != frame).map(|other| distance(&other)).collect();
            if looked_at < others.len() {
                others.select_nth_unstable_by(looked_at, by_distance);
                others.truncate(looked_at);
            }
            others.retain(|&(_, distance)| distance > 0.0);
            others.sort_unstable_by(by_distance);
            others.truncate(neighbours);
            others
        })
        .collect();
    let mut farthest: Vec<f32> = links.iter().filter_map(|links| links.last()).map(|link| link.1).collect();
    if farthest.is_empty() {
        return None;
    }
    farthest.sort_unstable_by(f32::total_cmp);
    let middle = farthest.len() / 2;
    let bandwidth = if farthest.len().is_multiple_of(2) {
        (farthest[middle - 1] + farthest[middle]) / 2.0
    } else {
        farthest[middle]
    };
    for (_, value) in links.iter_mut().flatten() {
        *value = (-*value / bandwidth).exp();
    }
    Some(Recurrence { links, bandwidth })
}

/// The frame over its Euclidean length; silence stays silence.
fn of_unit_length(frame: &[f32]) -> Vec<f32> {
    let length = frame.iter().map(|value| value * value).sum::<f32>().sqrt();
    let length = if length > 0.0 { length } else { 1.0 };
    frame.iter().map(|value| value / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_linked_to_what_was() {
        // Four passages that turn by less and less; frame 9 repeats frame 0 almost.
        let mut frames: Vec<f32> =
            (0..9).flat_map(|n| [(n as f32 * 0.3).cos(), (n as f32 * 0.3).sin()]).collect();
        frames.extend([0.999, 0.001]);
        let found = recurrence_matrix(&frames, 2).unwrap();
        assert_eq!(found.links[9][0].0, 0);
        assert!(found.links[9][0].1 > 0.99);
        assert_eq!(found.to_dense()[9], found.links[9][0].1);
        assert!(recurrence_matrix(&frames[..6], 2).is_none());
        assert!(recurrence_matrix(&[1.0, 0.0].repeat(20), 2).is_none());
    }
}
