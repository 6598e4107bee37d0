//! The layers against their definitions, written as plainly as possible.

use super::attention::{Channels, attend};
use super::conv::{Activation, Conv, ConvShape, Finish, TransposedConv};
use super::{Context, Cpu, FeatureMap, GroupNorm, OutputMoments, Over, Scratch};
use crate::Watch;
use crate::nn::weights::Tensor;

struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }

    fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let data = (0..shape.iter().product()).map(|_| self.next()).collect();
        Tensor { shape: shape.to_vec(), data }
    }

    fn map<'a>(
        &mut self,
        context: &Context<'a>,
        rows: usize,
        channels: usize,
        width: usize,
    ) -> FeatureMap<'a> {
        let mut map = FeatureMap::new(context, rows, channels, width);
        map.data.iter_mut().for_each(|value| *value = self.next());
        map
    }
}

fn with_every_cpu(test: impl Fn(&Context<'_>)) {
    let (watch, scratch) = (Watch::new(), Scratch::default());
    for cpu in Cpu::all() {
        test(&Context { cpu, watch: &watch, scratch: &scratch });
    }
}

fn assert_close(expected: f64, found: f32, what: &str) {
    // Sums of some hundred products of numbers below one, in single precision.
    assert!((expected - f64::from(found)).abs() < 2e-5, "{what}: {found}, not {expected}");
}

/// The value at a place that may lie outside.
fn at(map: &FeatureMap<'_>, row: isize, channel: usize, col: isize) -> f64 {
    if row < 0 || col < 0 || row as usize >= map.rows || col as usize >= map.width {
        return 0.0;
    }
    f64::from(map.channel(row as usize, channel)[col as usize])
}

#[test]
fn convolutions_of_every_shape_follow_their_definition() {
    let shapes = [
        ConvShape::POINT,
        ConvShape { kernel: [3, 3], padding: [1, 1], ..ConvShape::POINT },
        ConvShape { kernel: [1, 3], padding: [0, 2], dilation: 2, ..ConvShape::POINT },
        ConvShape { kernel: [8, 1], stride: [4, 1], padding: [2, 0], ..ConvShape::POINT },
        ConvShape { kernel: [1, 8], stride: [1, 4], padding: [0, 2], ..ConvShape::POINT },
    ];
    with_every_cpu(|context| {
        let mut numbers = Numbers(1);
        for shape in shapes {
            // More inputs than one stretch of depth, more columns than one block.
            let (inputs, outputs) = (70, 10);
            let input = numbers.map(context, 8, inputs, 501);
            let [kernel_rows, kernel_cols] = shape.kernel;
            let weight = numbers.tensor(&[outputs, inputs, kernel_rows, kernel_cols]);
            let bias = numbers.tensor(&[outputs]);
            let scale = 1.0 / (inputs * kernel_rows * kernel_cols) as f32;
            let weight = Tensor { data: weight.data.iter().map(|value| value * scale).collect(), ..weight };
            let conv = Conv::new(context.cpu, &weight.data.clone().into(), &bias.data, inputs, shape);
            let rows = 8 / shape.stride[0];
            let mut output = FeatureMap::new(context, rows, outputs, 501_usize.div_ceil(shape.stride[1]));
            conv.run(context, &input, Activation::None, Finish::Store, &mut output).unwrap();
            for (row, col) in
                (0..rows).flat_map(|row| [0, 1, 47, 48, 100, output.width - 1].map(|col| (row, col)))
            {
                for channel in [0, 9] {
                    let mut expected = f64::from(bias.data[channel]);
                    for (index, weight) in weight.data[channel * inputs * kernel_rows * kernel_cols..]
                        [..inputs * kernel_rows * kernel_cols]
                        .iter()
                        .enumerate()
                    {
                        let (input_channel, tap) =
                            (index / (kernel_rows * kernel_cols), index % (kernel_rows * kernel_cols));
                        let in_row = row * shape.stride[0] + tap / kernel_cols;
                        let in_col = col * shape.stride[1] + tap % kernel_cols * shape.dilation;
                        expected += f64::from(*weight)
                            * at(
                                &input,
                                in_row as isize - shape.padding[0] as isize,
                                input_channel,
                                in_col as isize - shape.padding[1] as isize,
                            );
                    }
                    assert_close(
                        expected,
                        output.channel(row, channel)[col],
                        &format!("{shape:?} {row} {col}"),
                    );
                }
            }
        }
    });
}

#[test]
fn transposed_convolutions_spread_every_input_over_its_taps() {
    with_every_cpu(|context| {
        let mut numbers = Numbers(2);
        let (inputs, outputs, stride, crop) = (5, 3, 4, 2);
        let weight = numbers.tensor(&[inputs, outputs, 8]);
        let bias = numbers.tensor(&[outputs]);
        for over_rows in [true, false] {
            let input = if over_rows {
                numbers.map(context, 6, inputs, 7)
            } else {
                numbers.map(context, 1, inputs, 211)
            };
            let weights = weight.data.clone().into();
            let (conv, places) = if over_rows {
                (TransposedConv::over_rows(context.cpu, &weights, &bias.data, stride, crop), input.rows)
            } else {
                (TransposedConv::over_columns(context.cpu, &weights, &bias.data, stride, crop), input.width)
            };
            // One place less than there could be: the end is cropped further.
            let length = places * stride - usize::from(!over_rows);
            let (rows, width) = if over_rows { (length, input.width) } else { (1, length) };
            let other = numbers.map(context, rows, outputs, width);
            let mut output = other.duplicate(context);
            conv.run(context, &input, Activation::None, Finish::Add, &mut output).unwrap();
            for place in 0..length {
                for channel in 0..outputs {
                    let (row, col) = if over_rows { (place, 3) } else { (0, place) };
                    let mut expected =
                        f64::from(bias.data[channel]) + f64::from(other.channel(row, channel)[col]);
                    for from in 0..places {
                        let Some(tap) = (place + crop).checked_sub(from * stride).filter(|&tap| tap < 8)
                        else {
                            continue;
                        };
                        for input_channel in 0..inputs {
                            let value = if over_rows {
                                at(&input, from as isize, input_channel, 3)
                            } else {
                                at(&input, 0, input_channel, from as isize)
                            };
                            expected +=
                                value * f64::from(weight.data[(input_channel * outputs + channel) * 8 + tap]);
                        }
                    }
                    assert_close(
                        expected,
                        output.channel(row, channel)[col],
                        &format!("{over_rows} {place}"),
                    );
                }
            }
        }
    });
}

#[test]
fn attention_in_blocks_is_attention() {
    with_every_cpu(|context| {
        let mut numbers = Numbers(3);
        // Several rows, several chunks of keys, sizes that fill no panel.
        let (heads, head_size) = (2, 6);
        let query = numbers.map(context, 1, heads * head_size, 53);
        let both = numbers.map(context, 5, 2 * heads * head_size, 101);
        let mut output = FeatureMap::new(context, 1, heads * head_size, 53);
        let (keys, values) =
            (Channels { map: &both, from: 0 }, Channels { map: &both, from: heads * head_size });
        attend(context, &query, keys, values, heads, None, &mut output).unwrap();
        for (head, column) in [(0, 0), (1, 47), (0, 48), (1, 52)] {
            let line = |from: usize, key: usize, depth: usize| {
                at(&both, (key / 101) as isize, from + head * head_size + depth, (key % 101) as isize)
            };
            let weights: Vec<f64> = (0..505)
                .map(|key| {
                    (0..head_size)
                        .map(|depth| line(0, key, depth) * at(&query, 0, head * head_size + depth, column))
                        .sum::<f64>()
                        .exp()
                })
                .collect();
            let total: f64 = weights.iter().sum();
            for channel in 0..head_size {
                let sum: f64 =
                    weights.iter().enumerate().map(|(key, weight)| weight * line(12, key, channel)).sum();
                let found = output.channel(0, head * head_size + channel)[column as usize];
                assert_close(sum / total, found, &format!("head {head}, column {column}"));
            }
        }
    });
}

#[test]
fn gates_in_place_are_gates() {
    with_every_cpu(|context| {
        let mut numbers = Numbers(4);
        // More outputs than one part, more columns than one block.
        let (channels, width) = (130, 701);
        let weight = numbers.tensor(&[2 * channels, channels]);
        let weight: Vec<f32> = weight.data.iter().map(|value| value * 0.05).collect();
        let bias = numbers.tensor(&[2 * channels]);
        let conv = Conv::new(context.cpu, &weight.into(), &bias.data, channels, ConvShape::POINT);
        let mut map = numbers.map(context, 2, channels, width);
        let mut expected = FeatureMap::new(context, 2, channels, width);
        conv.run(context, &map, Activation::Glu, Finish::Store, &mut expected).unwrap();
        conv.gate_in_place(context, &mut map).unwrap();
        assert!(*map.data == *expected.data);
    });
}

#[test]
fn what_outputs_add_up_to_is_found_from_inputs_and_normalises_them() {
    with_every_cpu(|context| {
        let mut numbers = Numbers(5);
        // More columns than one stretch, inputs that fill no block.
        let (inputs, channels, rows, width) = (6, 12, 2, 9001);
        let weight = numbers.tensor(&[2 * channels, inputs]);
        let bias = numbers.tensor(&[2 * channels]);
        let conv = Conv::new(context.cpu, &weight.data.clone().into(), &bias.data, inputs, ConvShape::POINT);
        let norm = GroupNorm::new(
            numbers.tensor(&[2 * channels]),
            numbers.tensor(&[2 * channels]),
            1,
            Over::EachRow,
        );
        let input = numbers.map(context, rows, inputs, width);
        let mut outputs = FeatureMap::new(context, rows, 2 * channels, width);
        conv.run(context, &input, Activation::None, Finish::Store, &mut outputs).unwrap();
        let moments = OutputMoments::new(context.cpu, &weight.data, &bias.data);
        let totals = moments.of_rows(context, &input).unwrap();
        for (row, [sum, squares]) in totals.iter().enumerate() {
            let outputs = &outputs.data[row * 2 * channels * width..][..2 * channels * width];
            let expected: f64 = outputs.iter().map(|&value| f64::from(value)).sum();
            let expected_squares: f64 = outputs.iter().map(|&value| f64::from(value).powi(2)).sum();
            assert!((sum - expected).abs() < 1e-6 * expected_squares, "{sum}, not {expected}");
            let share = squares / expected_squares;
            assert!((share - 1.0).abs() < 1e-6, "{squares}, not {expected_squares}");
        }
        let mut gated = FeatureMap::new(context, rows, channels, width);
        norm.run_gated(context, &outputs, &mut gated).unwrap();
        let (mut map, scale) = (FeatureMap::new(context, rows, channels, width), numbers.tensor(&[channels]));
        map.data.fill(1.0);
        let affine = norm.affine_of_rows(&totals, width);
        conv.add_gated(context, &input, &affine, &scale.data, &mut map).unwrap();
        for row in 0..rows {
            for channel in 0..channels {
                for column in [0, 8191, 8192, width - 1] {
                    let expected = 1.0 + scale.data[channel] * gated.channel(row, channel)[column];
                    let what = format!("{row}, {channel}, {column}");
                    assert_close(f64::from(expected), map.channel(row, channel)[column], &what);
                }
            }
        }
    });
}
