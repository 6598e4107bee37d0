//! The shape of a model, read from the options it was built with.

use crate::nn::weights::{Options, unusable};
use crate::{Result, StemKind};

/// Everything that decides the layers of a hybrid Demucs of the third or fourth generation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Architecture {
    pub(super) sources: Vec<StemKind>,
    pub(super) audio_channels: usize,
    pub(super) sample_rate_hz: u32,
    pub(super) segment_secs: f64,
    pub(super) channels: usize,
    pub(super) growth: usize,
    pub(super) depth: usize,
    pub(super) fft_frames: usize,
    /// Complex numbers as channels; otherwise magnitudes, with the phase of the mix.
    pub(super) complex_as_channels: bool,
    /// The padding of some models of 2021, which was a mistake that the weights have learnt.
    pub(super) old_padding: bool,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) time_stride: usize,
    pub(super) context: usize,
    pub(super) context_encoder: usize,
    pub(super) rewrite: bool,
    pub(super) frequency_embedding: f64,
    pub(super) embedding_scale: f64,
    pub(super) norm_starts: usize,
    pub(super) norm_groups: usize,
    pub(super) residual_in_encoder: bool,
    pub(super) residual_in_decoder: bool,
    pub(super) residual_depth: usize,
    pub(super) residual_compression: usize,
    /// The first layer whose residual branches listen further: by attention, and by memory.
    pub(super) attention_starts: usize,
    pub(super) memory_starts: usize,
    /// The fourth generation's middle; `None` in the third.
    pub(super) transformer: Option<Transformer>,
    /// The fourth generation always works on the segment it was trained with.
    pub(super) fixed_segment: bool,
}

/// The shape of the transformer between encoder and decoder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Transformer {
    /// Channels inside, where they differ from those around it.
    pub(super) bottom_channels: Option<usize>,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) hidden_scale: f64,
    pub(super) max_period: f64,
    pub(super) position_weight: f64,
    pub(super) cross_first: bool,
    pub(super) norm_in: bool,
    pub(super) norm_out: bool,
    pub(super) layer_scale: bool,
}

impl Architecture {
    /// Reads the options of `class`.
    ///
    /// # Errors
    /// `ModelUnavailable` naming an option that is unknown to us, out of range or not supported.
    pub(super) fn new(class: &str, options: &Options) -> Result<Self> {
        let fourth = match class {
            "HTDemucs" => true,
            "HDemucs" => false,
            other => return Err(unusable(format!("models of the class {other} are not supported"))),
        };
        refuse_unsupported(options, fourth)?;
        let sources = options.words("sources")?;
        let sources = sources.iter().map(|name| stem_kind(name)).collect::<Result<Vec<_>>>()?;
        if sources.is_empty() || (1..sources.len()).any(|index| sources[..index].contains(&sources[index])) {
            return Err(unusable("the list of sources is empty or names one twice"));
        }
        let residual_mode = options.count("dconv_mode", 1, 0..=3)?;
        let fft_frames = options.count("nfft", 4096, 16..=16_384)?;
        let stride = options.count("stride", 4, 2..=8)?;
        let architecture = Self {
            sources,
            audio_channels: options.count("audio_channels", 2, 1..=2)?,
            sample_rate_hz: options.count("samplerate", 44_100, 8_000..=192_000)? as u32,
            segment_secs: options.number("segment", if fourth { 10.0 } else { 40.0 })?,
            channels: options.count("channels", 48, 1..=1024)?,
            growth: options.count("growth", 2, 1..=4)?,
            depth: options.count("depth", if fourth { 4 } else { 6 }, 1..=8)?,
            fft_frames,
            complex_as_channels: options.flag("cac", true)?,
            old_padding: options.flag("hybrid_old", false)?,
            kernel: options.count("kernel_size", 8, 2..=16)?,
            stride,
            time_stride: options.count("time_stride", 2, 1..=8)?,
            context: options.count("context", 1, 0..=4)?,
            context_encoder: options.count("context_enc", 0, 0..=4)?,
            rewrite: options.flag("rewrite", true)?,
            frequency_embedding: options.number("freq_emb", 0.2)?,
            embedding_scale: options.number("emb_scale", 10.0)?,
            norm_starts: options.count("norm_starts", 4, 0..=1_000_000)?,
            norm_groups: options.count("norm_groups", 4, 1..=64)?,
            residual_in_encoder: residual_mode & 1 != 0,
            residual_in_decoder: residual_mode & 2 != 0,
            residual_depth: options.count("dconv_depth", 2, 0..=8)?,
            residual_compression: options.count("dconv_comp", if fourth { 8 } else { 4 }, 1..=64)?,
            attention_starts: if fourth {
                usize::MAX
            } else {
                options.count("dconv_attn", 4, 0..=1_000_000)?
            },
            memory_starts: if fourth { usize::MAX } else { options.count("dconv_lstm", 4, 0..=1_000_000)? },
            transformer: if fourth { Transformer::new(options)? } else { None },
            fixed_segment: fourth && options.flag("use_train_segment", true)?,
        };
        architecture.check()?;
        Ok(architecture)
    }

    /// Frames of the segment it was trained with.
    pub(super) fn segment_frames(&self) -> usize {
        // Fractions such as 39/5 are exact in the original; the double nearest to one may lie below it.
        (self.segment_secs * f64::from(self.sample_rate_hz) + 1e-6) as usize
    }

    fn check(&self) -> Result<()> {
        let problem = if !self.fft_frames.is_power_of_two() {
            "the spectrum's size is no power of two"
        } else if !(0.01..=600.0).contains(&self.segment_secs) {
            "the segment is not between 0.01 and 600 seconds"
        } else if self.kernel != 2 * self.stride {
            "the kernel is not twice the stride"
        } else if self.channels.saturating_mul(self.growth.saturating_pow(self.depth as u32)) > 1 << 14 {
            "there are absurdly many channels"
        } else if !self.channels.is_multiple_of(self.residual_compression) && self.residual_depth > 0 {
            "the channels cannot be compressed evenly"
        } else {
            return Ok(());
        };
        Err(unusable(problem))
    }
}

impl Transformer {
    fn new(options: &Options) -> Result<Option<Self>> {
        let layers = options.count("t_layers", 5, 0..=64)?;
        if layers == 0 {
            return Ok(None);
        }
        let bottom_channels = options.count("bottom_channels", 0, 0..=8192)?;
        let hidden_scale = options.number("t_hidden_scale", 4.0)?;
        if !(0.1..=16.0).contains(&hidden_scale) {
            return Err(unusable(format!("the option t_hidden_scale = {hidden_scale} is outside 0.1..=16")));
        }
        Ok(Some(Self {
            bottom_channels: (bottom_channels > 0).then_some(bottom_channels),
            layers,
            heads: options.count("t_heads", 8, 1..=64)?,
            hidden_scale,
            max_period: options.number("t_max_period", 10_000.0)?,
            position_weight: options.number("t_weight_pos_embed", 1.0)?,
            cross_first: options.flag("t_cross_first", false)?,
            norm_in: options.flag("t_norm_in", true)?,
            norm_out: options.flag("t_norm_out", true)?,
            layer_scale: options.flag("t_layer_scale", true)?,
        }))
    }
}

/// Refuses what no released model has and we therefore do not build.
fn refuse_unsupported(options: &Options, fourth: bool) -> Result<()> {
    let wrong = |name: &str| Err(unusable(format!("the value of the option {name} is not supported")));
    for (name, only) in [("wiener_iters", 0.0), ("end_iters", 0.0)] {
        if options.number(name, only)? != only {
            return wrong(name);
        }
    }
    if !options.is_empty_list("multi_freqs") {
        return wrong("multi_freqs");
    }
    let channels_time = options.count("channels_time", 0, 0..=1 << 20)?;
    if channels_time != 0 && channels_time != options.count("channels", 48, 1..=1024)? {
        return wrong("channels_time");
    }
    if options.flag("wiener_residual", false)? {
        return wrong("wiener_residual");
    }
    if !fourth {
        return if options.flag("hybrid", true)? { Ok(()) } else { wrong("hybrid") };
    }
    if options.text("t_emb", "sin")? != "sin" {
        return wrong("t_emb");
    }
    let flags = [
        ("t_norm_in_group", false),
        ("t_group_norm", false),
        ("t_norm_first", true),
        ("t_gelu", true),
        ("t_sparse_self_attn", false),
        ("t_sparse_cross_attn", false),
    ];
    for (name, only) in flags {
        if options.flag(name, only)? != only {
            return wrong(name);
        }
    }
    if options.number("t_sin_random_shift", 0.0)? != 0.0 {
        return wrong("t_sin_random_shift");
    }
    Ok(())
}

/// The source called `name`.
///
/// # Errors
/// `ModelUnavailable` for one that is not known.
pub(in crate::separate) fn stem_kind(name: &str) -> Result<StemKind> {
    use StemKind::{Bass, Drums, Guitar, Other, Piano, Vocals};
    [Drums, Bass, Other, Vocals, Guitar, Piano]
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| unusable(format!("the source \"{name}\" is unknown")))
}
