//! Sums over signals that arrive in pieces.

/// Sums that are made side by side.
const LANES: usize = 8;

/// A sum in double precision of which every eighth addend goes to the same part. Parts are independent of each other, so
/// that a processor adds several at once; and how a signal is cut into pieces changes not one bit of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RunningSum {
    lanes: [f64; LANES],
    next: usize,
}

impl RunningSum {
    /// Adds the samples.
    pub(crate) fn add(&mut self, samples: &[f32]) {
        let (first, samples) = samples.split_at(self.until_aligned(samples.len()));
        first.iter().for_each(|&sample| self.add_one(f64::from(sample)));
        let (chunks, last) = samples.as_chunks::<LANES>();
        for chunk in chunks {
            self.lanes.iter_mut().zip(chunk).for_each(|(sum, &sample)| *sum += f64::from(sample));
        }
        last.iter().for_each(|&sample| self.add_one(f64::from(sample)));
    }

    /// Adds the products of samples at the same place.
    ///
    /// # Panics
    /// When there are not as many of one as of the other.
    pub(crate) fn add_products(&mut self, a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len(), "as many samples");
        let aligned = self.until_aligned(a.len());
        let ((a_first, a), (b_first, b)) = (a.split_at(aligned), b.split_at(aligned));
        let ((a_chunks, a_last), (b_chunks, b_last)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        a_first.iter().zip(b_first).for_each(|(&a, &b)| self.add_one(f64::from(a) * f64::from(b)));
        for (a, b) in a_chunks.iter().zip(b_chunks) {
            for lane in 0..LANES {
                self.lanes[lane] += f64::from(a[lane]) * f64::from(b[lane]);
            }
        }
        a_last.iter().zip(b_last).for_each(|(&a, &b)| self.add_one(f64::from(a) * f64::from(b)));
    }

    /// Adds the squares of the samples.
    pub(crate) fn add_squares(&mut self, samples: &[f32]) {
        self.add_products(samples, samples);
    }

    /// The sum of all that was added.
    pub(crate) fn total(&self) -> f64 {
        self.lanes.iter().sum()
    }

    fn until_aligned(&self, most: usize) -> usize {
        ((LANES - self.next) % LANES).min(most)
    }

    fn add_one(&mut self, addend: f64) {
        self.lanes[self.next] += addend;
        self.next = (self.next + 1) % LANES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_add_up_to_the_same_bits() {
        let samples: Vec<f32> = (0..1_000).map(|n| (n as f32 * 0.37).sin()).collect();
        let sums_of = |piece: usize| {
            let (mut sum, mut squares) = (RunningSum::default(), RunningSum::default());
            for part in samples.chunks(piece) {
                sum.add(part);
                squares.add_squares(part);
            }
            (sum.total(), squares.total())
        };
        let whole = sums_of(1_000);
        let expected: f64 = samples.iter().map(|&sample| f64::from(sample)).sum();
        assert!((whole.0 - expected).abs() < 1e-12 && (whole.1 - 500.0).abs() < 2.0);
        for piece in [1, 3, 7, 8, 9, 333] {
            assert_eq!(sums_of(piece), whole);
        }
    }
}
