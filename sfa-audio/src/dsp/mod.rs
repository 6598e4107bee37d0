//! Small pure kernels: windows, short-time spectra, resampling, filters, peaks.
