//! Where networks run, and how exactly they count there.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// The processor that networks run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Device {
    /// The processor that runs everything else.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number, counted from 0. Needs a build with the feature `cuda`.
    Cuda(usize),
}

/// The numbers that networks count with. Means, deviations and what attention weighs by stay in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Precision {
    /// Single precision, the numbers of the original.
    #[default]
    Fp32,
    /// The upper half of single precision: its range, three digits.
    Bf16,
    /// Half precision: four digits, nothing above 65 504.
    Fp16,
}

/// Who computes the layers of networks.
#[derive(Debug, Clone)]
pub(super) enum Backend {
    /// Our own engine, on the CPU.
    Native,
    /// The tensor library candle, on a device of its own.
    #[cfg(feature = "candle")]
    #[cfg_attr(not(any(test, feature = "cuda")), expect(dead_code, reason = "needs a GPU outside of tests"))]
    Candle(super::candle::Place),
}

/// Frames of all windows that are on a GPU at the same time.
const MOST_FRAMES: usize = 2 << 20;

impl Device {
    /// Who runs networks here with these numbers.
    ///
    /// # Errors
    /// `ToolUnavailable` for a device that this build or this machine lacks; `InvalidOption` for numbers that the
    /// device does not count with.
    pub(super) fn open(self, precision: Precision) -> Result<Backend> {
        match (self, precision) {
            (Self::Cpu, Precision::Fp32) => Ok(Backend::Native),
            (Self::Cpu, Precision::Bf16 | Precision::Fp16) => Err(Error::new(
                ErrorKind::InvalidOption,
                format!("the precision {precision} needs a GPU; choose a cuda device or the precision fp32"),
            )),
            #[cfg(feature = "cuda")]
            (Self::Cuda(number), _) => super::candle::Place::cuda(number, precision)
                .map(Backend::Candle)
                .map_err(|error| error.about(self.to_string())),
            #[cfg(not(feature = "cuda"))]
            (Self::Cuda(_), _) => Err(Error::new(
                ErrorKind::ToolUnavailable,
                "this build cannot use NVIDIA GPUs; make one that can by `cargo install --path sfa-server --features \
                 cuda`, which needs the CUDA toolkit, or choose the device cpu",
            )
            .about(self.to_string())),
        }
    }

    /// How many windows of `frames` frames are best handed to a network at once.
    pub(super) fn usual_batch(self, frames: usize) -> usize {
        match self {
            Self::Cpu => 1,
            // Small layers leave a GPU idle; long windows fill it, and its memory, by themselves.
            Self::Cuda(_) => (MOST_FRAMES / frames.max(1)).clamp(1, 4),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => Some(0),
            other => other
                .strip_prefix("cuda:")
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok()),
        };
        number.map(Self::Cuda).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOption,
                format!("the device \"{text}\" is unknown; it is cpu, cuda or cuda:N"),
            )
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Fp32, Self::Bf16, Self::Fp16]
            .into_iter()
            .find(|precision| precision.to_string() == text)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidOption,
                    format!("the precision \"{text}\" is unknown; it is fp32, bf16 or fp16"),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_and_precisions_are_read_as_they_are_written() {
        for device in [Device::Cpu, Device::Cuda(0), Device::Cuda(12)] {
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
        }
        assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
        for precision in [Precision::Fp32, Precision::Bf16, Precision::Fp16] {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:99999999999999999999"]
        {
            assert_eq!(text.parse::<Device>().unwrap_err().kind(), ErrorKind::InvalidOption, "{text}");
        }
        for text in ["", "f32", "FP32", "int8"] {
            assert_eq!(text.parse::<Precision>().unwrap_err().kind(), ErrorKind::InvalidOption, "{text}");
        }
    }

    #[test]
    fn the_cpu_counts_in_single_precision_only() {
        assert!(Device::Cpu.open(Precision::Fp32).is_ok());
        for precision in [Precision::Bf16, Precision::Fp16] {
            assert_eq!(Device::Cpu.open(precision).unwrap_err().kind(), ErrorKind::InvalidOption);
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_cuda_says_how_to_get_one() {
        let error = Device::Cuda(1).open(Precision::Fp32).unwrap_err();
        assert_eq!((error.kind(), error.subject()), (ErrorKind::ToolUnavailable, Some("cuda:1")));
        assert!(error.message().contains("--features cuda`"), "{error}");
    }
}
