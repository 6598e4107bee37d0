//! A feature over time: its mean and variance always, its frames where asked.

use super::frames::FrameMatrix;

/// Sums over frames of `width` numbers each, and the frames themselves where they are kept.
#[derive(Debug, Clone)]
pub(super) struct Series {
    name: &'static str,
    width: usize,
    count: u64,
    sums: Vec<f64>,
    squares: Vec<f64>,
    kept: Option<Vec<f32>>,
}

impl Series {
    pub(super) fn new(name: &'static str, width: usize, keep_frames: bool) -> Self {
        Self {
            name,
            width,
            count: 0,
            sums: vec![0.0; width],
            squares: vec![0.0; width],
            kept: keep_frames.then(Vec::new),
        }
    }

    /// Takes one frame of `width` values.
    pub(super) fn push(&mut self, frame: &[f32]) {
        debug_assert_eq!(frame.len(), self.width);
        self.count += 1;
        for ((sum, square), &value) in self.sums.iter_mut().zip(&mut self.squares).zip(frame) {
            let value = f64::from(value);
            *sum += value;
            *square += value * value;
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(frame);
        }
    }

    /// The mean of each value over time; 0 without frames.
    pub(super) fn means(&self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        self.sums.iter().map(|sum| sum / count).collect()
    }

    /// The population variance of each value over time.
    pub(super) fn variances(&self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        let pairs = self.sums.iter().zip(&self.squares);
        pairs.map(|(sum, square)| (square / count - (sum / count).powi(2)).max(0.0)).collect()
    }

    /// The mean of a series of single numbers.
    pub(super) fn mean(&self) -> f64 {
        self.means()[0]
    }

    /// The frames, where they were kept.
    pub(super) fn into_matrix(self) -> Option<FrameMatrix> {
        self.kept.map(|values| FrameMatrix::new(self.name, self.width, values))
    }
}
