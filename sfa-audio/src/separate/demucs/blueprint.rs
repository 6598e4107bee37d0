//! Which layers an [`Architecture`] has, under which names and of which shapes: the same for every implementation.

use crate::Result;
use crate::nn::weights::unusable;

use super::architecture::Architecture;
use super::layers::LayerShape;
use super::residual::ResidualShape;

/// All layers of both U-nets.
pub(super) struct Blueprint {
    /// From the outermost to the innermost.
    pub(super) levels: Vec<Level>,
    /// Frequencies and channels after the outermost encoder layer, where a table of frequencies is added to them.
    pub(super) frequency_embedding: Option<[usize; 2]>,
    /// Channels of the innermost layers.
    pub(super) inner_channels: usize,
}

/// The layers of one depth.
pub(super) struct Level {
    pub(super) frequency: Pair,
    /// The partner in the time branch; only levels that still see more than one frequency have one.
    pub(super) time: Option<Pair>,
}

/// An encoder layer and the decoder layer that undoes it.
pub(super) struct Pair {
    pub(super) encoder: LayerShape,
    pub(super) encoder_name: String,
    pub(super) decoder: LayerShape,
    pub(super) decoder_name: String,
    /// Whether the decoder layer is the last to run.
    pub(super) last: bool,
}

impl Blueprint {
    /// # Errors
    /// `ModelUnavailable` where the layers do not fit each other.
    pub(super) fn new(arch: &Architecture) -> Result<Self> {
        let audio = arch.audio_channels;
        let complex = if arch.complex_as_channels { 2 } else { 1 };
        // Channels into the encoder layer and out of the decoder layer of the same depth, for both branches.
        let (mut inner, mut time_inner) = (audio * complex, audio);
        let (mut outer, mut time_outer) = (inner * arch.sources.len(), time_inner * arch.sources.len());
        let mut channels = arch.channels;
        let mut frequencies = arch.fft_frames / 2;
        let time_layers = time_layers(arch);
        let mut levels = Vec::with_capacity(arch.depth);
        let mut frequency_embedding = None;
        for index in 0..arch.depth {
            let over_rows = frequencies > 1;
            let merging = over_rows && frequencies <= arch.kernel;
            let stride = if over_rows { arch.stride } else { arch.time_stride };
            let kernel = 2 * stride;
            if merging && (frequencies != kernel || arch.transformer.is_some())
                || over_rows && !frequencies.is_multiple_of(stride)
            {
                return Err(unusable(format!("layer {index} cannot work on {frequencies} frequencies")));
            }
            let shape = LayerShape {
                inputs: inner,
                outputs: channels,
                over_rows,
                kernel,
                stride,
                padding: if merging { 0 } else { kernel / 4 },
                norm_groups: (index >= arch.norm_starts).then_some(arch.norm_groups),
                rewrite_context: arch.rewrite.then_some(arch.context_encoder),
                residual: None,
                bare: false,
                merging,
            };
            let residual = ResidualShape {
                depth: arch.residual_depth,
                compression: arch.residual_compression,
                memory: index >= arch.memory_starts,
                attention: index >= arch.attention_starts,
            };
            let encoding = LayerShape { residual: arch.residual_in_encoder.then_some(residual), ..shape };
            let decoding = |shape: LayerShape, outputs: usize| LayerShape {
                inputs: channels,
                outputs,
                rewrite_context: arch.rewrite.then_some(arch.context),
                residual: arch.residual_in_decoder.then_some(residual),
                ..shape
            };
            let time = over_rows.then(|| {
                let in_time = |shape: LayerShape| LayerShape {
                    over_rows: false,
                    kernel: arch.kernel,
                    stride: arch.stride,
                    padding: arch.kernel / 4,
                    bare: merging,
                    ..shape
                };
                Pair {
                    encoder: in_time(LayerShape { inputs: time_inner, ..encoding }),
                    encoder_name: format!("tencoder.{index}"),
                    decoder: in_time(decoding(shape, time_outer)),
                    decoder_name: format!("tdecoder.{}", time_layers - 1 - index),
                    last: index == 0,
                }
            });
            let frequency = Pair {
                encoder: encoding,
                encoder_name: format!("encoder.{index}"),
                decoder: decoding(shape, outer),
                decoder_name: format!("decoder.{}", arch.depth - 1 - index),
                last: index == 0,
            };
            levels.push(Level { frequency, time });
            (inner, time_inner, outer, time_outer) = (channels, channels, channels, channels);
            if over_rows {
                frequencies = if merging { 1 } else { frequencies / arch.stride };
            }
            if index == 0 && arch.frequency_embedding != 0.0 {
                frequency_embedding = Some([frequencies, channels]);
            }
            if index + 1 < arch.depth {
                channels *= arch.growth;
            }
        }
        Ok(Self { levels, frequency_embedding, inner_channels: channels })
    }
}

/// How many layers of the frequency branch have a partner in the time branch: those that still have more than one
/// frequency before them.
fn time_layers(arch: &Architecture) -> usize {
    let mut frequencies = arch.fft_frames / 2;
    (0..arch.depth)
        .take_while(|_| {
            let before = frequencies;
            frequencies = if before <= arch.kernel { 1 } else { before / arch.stride };
            before > 1
        })
        .count()
}
