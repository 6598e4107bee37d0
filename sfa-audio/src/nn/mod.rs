//! A small neural-network engine for the CPU: convolutions, attention, norms and recurrent layers on packed
//! weights, in one thread pool and one pool of buffers. It knows nothing of music.
//!
//! Every activation is a [`FeatureMap`]: `rows` matrices of `channels x width`, so that a spectrogram is one
//! matrix per frequency, a waveform is one matrix, and a list of tokens is whichever of the two it came from
//! (attention does not mind the order of its tokens). Convolutions of all kinds become products of packed
//! weights with panels of shifted columns that are gathered on the fly (K. Chellapilla et al., "High Performance
//! Convolutional Neural Networks for Document Processing", 2006; K. Goto, R. van de Geijn, "Anatomy of
//! High-Performance Matrix Multiplication", 2008).
//!
//! The work is cut into tiles whose borders depend on shapes alone, and every number is summed in one fixed
//! order: results are bit-identical for every number of threads.

mod attention;
mod context;
mod conv;
mod cpu;
mod local_attention;
mod map;
mod math;
mod matrix;
mod moments;
mod norm;
mod recurrent;
#[cfg(test)]
mod reference;
pub(crate) mod weights;

pub(crate) use attention::Attention;
pub(crate) use context::{Context, Scratch};
pub(crate) use conv::{Activation, Conv, ConvShape, FeedForward, Finish, TransposedConv};
pub(crate) use cpu::Cpu;
pub(crate) use local_attention::{LocalAttention, LocalAttentionWeights};
pub(crate) use map::FeatureMap;
pub(crate) use moments::OutputMoments;
pub(crate) use norm::{GroupNorm, LayerNorm, Over, Then, gelu_in_place, mean_and_std};
pub(crate) use recurrent::{BidirectionalLstm, Direction, DirectionWeights};
