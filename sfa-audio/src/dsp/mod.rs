//! Small pure kernels: windows, short-time spectra, resampling, filters, peaks.

mod block_filter;
mod decimate;
mod filter;
mod halve;
mod median;
mod overlap_add;
mod power;
mod real_fft;
pub mod resample;
mod running_sum;
mod stft;
mod window;

pub(crate) use block_filter::{BLOCK, BlockFilter, step_in_series};
pub use decimate::Decimator;
pub use filter::{Biquad, LinkwitzRiley};
pub use halve::Halver;
pub use median::{median_along_row, median_of_rows};
pub use overlap_add::OverlapAdd;
pub(crate) use power::{dot, ln, ln_parts, power_of};
pub use realfft::num_complex::Complex32;
pub(crate) use running_sum::RunningSum;
pub use stft::{PreciseStft, ShortTimeSpectra, StreamingStft};
pub use window::hann;
pub(crate) use window::hann_weight;
