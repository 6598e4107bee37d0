//! Small pure kernels: windows, short-time spectra, resampling, filters, peaks.

mod decimate;
mod filter;
mod halve;
mod median;
mod overlap_add;
pub mod resample;
mod stft;
mod window;

pub use decimate::Decimator;
pub use filter::{Biquad, LinkwitzRiley};
pub use halve::Halver;
pub use median::{median_along_row, median_of_rows};
pub use overlap_add::OverlapAdd;
pub use realfft::num_complex::Complex32;
pub use stft::{PreciseStft, ShortTimeSpectra, StreamingStft};
pub use window::hann;
