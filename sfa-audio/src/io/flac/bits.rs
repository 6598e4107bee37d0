//! The bits of a FLAC frame.

use pulp::{Arch, Simd, WithSimd};

/// Bits that are surely at hand after [`Bits::refill`].
const AT_HAND: u32 = 56;

/// Reads numbers of any width, highest bit first. Beyond the end all bits are zero: whoever reads asks
/// [`is_past_end`](Self::is_past_end) now and then.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next bits from the highest on. Those below `count` may be there already; the rest are zero.
    window: u64,
    count: u32,
    /// The byte that the first bit after those counted lies in.
    next: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, window: 0, count: 0, next: 0 }
    }

    /// Whether more was read than there is.
    pub(super) fn is_past_end(&self) -> bool {
        self.next * 8 > self.bytes.len() * 8 + self.count as usize
    }

    /// A number of up to 32 bits.
    pub(super) fn number(&mut self, width: u32) -> u32 {
        self.refill();
        let value = (self.window >> 1 >> (63 - width)) as u32;
        self.skip(width);
        value
    }

    /// A number of up to 32 bits in two's complement.
    pub(super) fn signed(&mut self, width: u32) -> i32 {
        self.refill();
        let value = (self.window as i64 >> 1 >> (63 - width)) as i32;
        self.skip(width);
        if width == 0 { 0 } else { value }
    }

    /// The number of zeros before the next one, which is read as well; `None` where there is none.
    pub(super) fn zeros(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            self.refill();
            let run = self.window.leading_zeros();
            if run < AT_HAND {
                self.skip(run + 1);
                return Some(zeros + run);
            }
            self.skip(AT_HAND);
            zeros += AT_HAND;
            if self.is_past_end() {
                return None;
            }
        }
    }

    /// Numbers in Rice's code with `parameter` bits, less than 32, after the zeros.
    pub(super) fn rice(&mut self, parameter: u32, numbers: &mut [i32]) -> Option<()> {
        Arch::new().dispatch(Rice { bits: self, parameter, numbers })
    }

    #[inline(always)]
    fn refill(&mut self) {
        let word = match self.bytes.get(self.next..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => self.last_word(),
        };
        self.window |= word >> self.count;
        self.next += ((63 - self.count) / 8) as usize;
        self.count |= AT_HAND;
    }

    #[cold]
    fn last_word(&self) -> u64 {
        let mut last = [0; 8];
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        last[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(last)
    }

    #[inline(always)]
    fn skip(&mut self, width: u32) {
        self.window <<= width;
        self.count -= width;
    }
}

struct Rice<'a, 'b> {
    bits: &'a mut Bits<'b>,
    parameter: u32,
    numbers: &'a mut [i32],
}

impl WithSimd for Rice<'_, '_> {
    type Output = Option<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<()> {
        let Self { bits, parameter, numbers } = self;
        // What stands in locals may stay in registers.
        let mut local = bits.clone();
        for number in numbers {
            local.refill();
            let zeros = local.window.leading_zeros();
            let width = zeros + 1 + parameter;
            let folded = if width <= AT_HAND {
                let low = local.window << zeros << 1 >> 1 >> (63 - parameter);
                local.skip(width);
                zeros << parameter | low as u32
            } else {
                local.zeros()? << parameter | local.number(parameter)
            };
            // Even numbers are positive, odd ones negative.
            *number = (folded >> 1) as i32 ^ -((folded & 1) as i32);
        }
        *bits = local;
        (!bits.is_past_end()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_are_read_where_they_stand() {
        // 101 0011 1111 0000 0101 0101 1000 0000
        let mut bits = Bits::new(&[0b1010_0111, 0b1110_0000, 0b1010_1011, 0]);
        assert_eq!((bits.number(3), bits.number(0), bits.number(4)), (0b101, 0, 0b0011));
        assert_eq!((bits.signed(4), bits.signed(0)), (-1, 0));
        assert_eq!(bits.zeros(), Some(5));
        assert_eq!(bits.number(7), 0b010_1011);
        assert_eq!(bits.number(8), 0);
        assert!(!bits.is_past_end());
        assert_eq!(bits.number(32), 0);
        assert!(bits.is_past_end());
        assert_eq!(Bits::new(&[0; 20]).zeros(), None);
    }

    #[test]
    fn long_and_short_codes_are_read_alike() {
        for parameter in [0, 1, 7, 30] {
            let expected: Vec<u32> = [0, 1, 5, 40, 300, 2, 77].map(|zeros| zeros << parameter).to_vec();
            let mut text = String::new();
            for folded in &expected {
                let low = format!("{:b}", 1u64 << 32 | u64::from(folded & ((1 << parameter) - 1)));
                text += &"0".repeat((folded >> parameter) as usize);
                text += "1";
                text += &low[33 - parameter as usize..];
            }
            let digits: Vec<char> = text.chars().collect();
            let byte = |digits: &[char]| {
                let digits = digits.iter().chain(std::iter::repeat(&'0')).take(8);
                u8::from_str_radix(&digits.collect::<String>(), 2).unwrap()
            };
            let bytes: Vec<u8> = digits.chunks(8).map(byte).collect();
            let mut found = [0; 7];
            Bits::new(&bytes).rice(parameter, &mut found).unwrap();
            let unfolded = expected.iter().map(|&n| (n >> 1) as i32 ^ -((n & 1) as i32));
            assert_eq!(found.to_vec(), unfolded.collect::<Vec<_>>(), "{parameter}");
        }
    }
}
