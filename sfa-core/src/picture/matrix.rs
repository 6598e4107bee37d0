//! Values over time and something else, no finer than a picture can show.

/// `columns * rows` values from 0 to 1; column after column, row 0 first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) values: Vec<f32>,
}

/// The most columns of a picture.
pub(super) const MAX_COLUMNS: usize = 1200;

impl Matrix {
    pub(super) fn columns(&self) -> usize {
        self.values.len() / self.rows
    }

    pub(super) fn column(&self, index: usize) -> &[f32] {
        &self.values[index * self.rows..][..self.rows]
    }

    /// Scales everything so that `low` becomes 0 and `high` 1.
    pub(super) fn scaled(mut self, low: f32, high: f32) -> Self {
        let range = (high - low).max(f32::MIN_POSITIVE);
        self.values.iter_mut().for_each(|value| *value = ((*value - low) / range).clamp(0.0, 1.0));
        self
    }

    pub(super) fn highest(&self) -> f32 {
        self.values.iter().copied().filter(|value| value.is_finite()).fold(f32::NEG_INFINITY, f32::max)
    }
}

/// Takes columns one after the other, however many come, and keeps at most [`MAX_COLUMNS`]: when they are full,
/// neighbours become their mean.
pub(super) struct Shrinking {
    rows: usize,
    kept: Vec<f32>,
    /// Columns that one kept column is the mean of.
    share: usize,
    sum: Vec<f32>,
    summed: usize,
}

impl Shrinking {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, kept: Vec::new(), share: 1, sum: vec![0.0; rows], summed: 0 }
    }

    pub(super) fn push(&mut self, column: impl IntoIterator<Item = f32>) {
        self.sum.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
        self.summed += 1;
        if self.summed == self.share {
            self.keep();
        }
        if self.kept.len() == 2 * MAX_COLUMNS * self.rows {
            let rows = self.rows;
            for column in 0..MAX_COLUMNS {
                for row in 0..rows {
                    let pair = [2 * column, 2 * column + 1].map(|column| self.kept[column * rows + row]);
                    self.kept[column * rows + row] = (pair[0] + pair[1]) / 2.0;
                }
            }
            self.kept.truncate(MAX_COLUMNS * rows);
            self.share *= 2;
        }
    }

    fn keep(&mut self) {
        let count = self.summed as f32;
        self.kept.extend(self.sum.iter().map(|sum| sum / count));
        self.sum.fill(0.0);
        self.summed = 0;
    }

    /// What was kept; at least one column.
    pub(super) fn finish(mut self) -> Matrix {
        if self.summed > 0 || self.kept.is_empty() {
            self.summed = self.summed.max(1);
            self.keep();
        }
        Matrix { rows: self.rows, values: self.kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_columns_become_few_means() {
        let mut shrinking = Shrinking::new(2);
        for column in 0..10_000 {
            shrinking.push([column as f32, 1.0]);
        }
        let matrix = shrinking.finish();
        assert!((MAX_COLUMNS..=2 * MAX_COLUMNS).contains(&matrix.columns()));
        assert_eq!(matrix.column(0), [3.5, 1.0]);
        assert!(matrix.values.chunks(2).is_sorted_by(|a, b| a[0] < b[0]));
    }

    #[test]
    fn nothing_is_one_empty_column() {
        assert_eq!(Shrinking::new(3).finish().values, [0.0; 3]);
    }
}
