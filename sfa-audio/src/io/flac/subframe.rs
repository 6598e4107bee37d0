//! One channel of a FLAC frame (RFC 9639, section 9.2): a predictor, and what it misses.

use super::bits::Bits;

/// Reads a channel of so many bits per sample, 32 at most; `None` where the bits make no sense.
pub(super) fn read(bits: &mut Bits<'_>, bits_per_sample: u32, samples: &mut [i32]) -> Option<()> {
    if bits.number(1) != 0 {
        return None;
    }
    let kind = bits.number(6);
    let shift = if bits.number(1) == 1 { bits.zeros()? + 1 } else { 0 };
    // Low bits that are zero in all samples are left out.
    let width = bits_per_sample.checked_sub(shift).filter(|&width| width > 0)?;
    match kind {
        0 => samples.fill(bits.signed(width)),
        1 => samples.iter_mut().for_each(|sample| *sample = bits.signed(width)),
        8..=12 => {
            let order = kind as usize - 8;
            read_start(bits, width, samples.get_mut(..order)?);
            read_residual(bits, order, samples)?;
            add_fixed(order, samples);
        }
        32..=63 => read_linear(bits, kind as usize - 31, width, samples)?,
        _ => return None,
    }
    if shift > 0 {
        samples.iter_mut().for_each(|sample| *sample = sample.wrapping_shl(shift));
    }
    (!bits.is_past_end()).then_some(())
}

/// The first samples are stored as they are.
fn read_start(bits: &mut Bits<'_>, width: u32, samples: &mut [i32]) {
    samples.iter_mut().for_each(|sample| *sample = bits.signed(width));
}

fn read_linear(bits: &mut Bits<'_>, order: usize, width: u32, samples: &mut [i32]) -> Option<()> {
    const MOST: usize = 32;
    const RESERVED_PRECISION: u32 = 16;
    read_start(bits, width, samples.get_mut(..order)?);
    let precision = bits.number(4) + 1;
    if precision == RESERVED_PRECISION {
        return None;
    }
    let shift = u32::try_from(bits.signed(5)).ok()?;
    let mut coefficients = [0; MOST];
    for coefficient in &mut coefficients[..order] {
        *coefficient = bits.signed(precision);
    }
    read_residual(bits, order, samples)?;
    match order {
        1..=4 => add_linear::<4>(&coefficients, order, shift, samples),
        5..=6 => add_linear::<6>(&coefficients, order, shift, samples),
        7..=8 => add_linear::<8>(&coefficients, order, shift, samples),
        9..=10 => add_linear::<10>(&coefficients, order, shift, samples),
        11..=12 => add_linear::<12>(&coefficients, order, shift, samples),
        _ => add_linear::<MOST>(&coefficients, order, shift, samples),
    }
    Some(())
}

/// What the predictor of so many samples misses, in partitions of equal length of which the first lacks them.
fn read_residual(bits: &mut Bits<'_>, order: usize, samples: &mut [i32]) -> Option<()> {
    let width = match bits.number(2) {
        0 => 4,
        1 => 5,
        _ => return None,
    };
    let partitions = 1 << bits.number(4);
    let length = samples.len() / partitions;
    if length * partitions != samples.len() || length < order || length == 0 {
        return None;
    }
    let mut start = order;
    for end in (length..=samples.len()).step_by(length) {
        let residual = &mut samples[start..end];
        let parameter = bits.number(width);
        if parameter == (1 << width) - 1 {
            let width = bits.number(5);
            residual.iter_mut().for_each(|sample| *sample = bits.signed(width));
        } else {
            bits.rice(parameter, residual)?;
        }
        start = end;
    }
    Some(())
}

/// Adds the prediction of a polynomial through the samples before.
fn add_fixed(order: usize, samples: &mut [i32]) {
    let mut past = [0i32; 4];
    for (past, sample) in past.iter_mut().zip(samples[..order].iter().rev()) {
        *past = *sample;
    }
    let taps: [i32; 4] = match order {
        0 => return,
        1 => [1, 0, 0, 0],
        2 => [2, -1, 0, 0],
        3 => [3, -3, 1, 0],
        _ => [4, -6, 4, -1],
    };
    for sample in &mut samples[order..] {
        let products = taps.iter().zip(past).map(|(tap, past)| past.wrapping_mul(*tap));
        *sample = products.fold(*sample, i32::wrapping_add);
        past = [*sample, past[0], past[1], past[2]];
    }
}

/// Adds the prediction of weighted samples before, of which there may be fewer than `MOST`.
fn add_linear<const MOST: usize>(coefficients: &[i32], order: usize, shift: u32, samples: &mut [i32]) {
    let product = |(weight, sample): (&i32, &i32)| i64::from(*weight) * i64::from(*sample);
    let start = MOST.min(samples.len());
    for at in order..start {
        let sum: i64 = coefficients.iter().zip(samples[..at].iter().rev()).map(product).sum();
        samples[at] = samples[at].wrapping_add((sum >> shift) as i32);
    }
    // The oldest first, as the samples are. The newest stays in a register: only its product is waited for.
    let weights: [i32; MOST] = std::array::from_fn(|n| coefficients[MOST - 1 - n]);
    let mut newest = samples[start - 1];
    for at in start..samples.len() {
        let older: i64 = weights[..MOST - 1].iter().zip(&samples[at - MOST..at - 1]).map(product).sum();
        let sum = older + product((&weights[MOST - 1], &newest));
        newest = samples[at].wrapping_add((sum >> shift) as i32);
        samples[at] = newest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(digits: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            digits.bytes().filter(|digit| *digit != b' ').map(|digit| digit - b'0').collect();
        let byte = |digits: &[u8]| (0..8).fold(0, |byte, n| byte << 1 | digits.get(n).unwrap_or(&0));
        digits.chunks(8).map(byte).collect()
    }

    #[test]
    fn a_partition_may_hold_plain_numbers() {
        // Nothing is predicted; one partition of two numbers of 5 bits, one of two in Rice's code.
        let data = bytes("0 001000 0  00 0001  1111 00101 01111 10000  0000 1 001");
        let mut samples = [0; 4];
        read(&mut Bits::new(&data), 16, &mut samples).unwrap();
        assert_eq!(samples, [15, -16, 0, 1]);
    }

    #[test]
    fn low_bits_that_all_lack_are_put_back() {
        let mut samples = [0; 3];
        read(&mut Bits::new(&bytes("0 000000 1 001  11111")), 8, &mut samples).unwrap();
        assert_eq!(samples, [-8; 3]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for data in [
            // A first bit that is one, a reserved kind, a predictor of five samples, more low bits than there are.
            "1 000000 0  0",
            "0 000010 0  0",
            "0 001101 0  0",
            "0 000000 1 00000000 1",
            // An order beyond the block, a reserved code, partitions of less than a sample, an end too soon.
            "0 100111 0",
            "0 001000 0  10 0000",
            "0 001000 0  00 0011  0000 1111",
            "0 000001 0  1",
        ] {
            assert_eq!(read(&mut Bits::new(&bytes(data)), 8, &mut [0; 4]), None, "{data}");
        }
    }
}
