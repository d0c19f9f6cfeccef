//! Lists of what is not zero.

use super::lanes::Lanes;
use crate::tables::noise::BLOCK;

/// Numbers that are looked through at once.
pub(super) const SECTION: usize = 1024;

/// Places of set bits, in order.
pub(super) struct Listed {
    places: [u16; SECTION + 128],
    end: usize,
}

impl Listed {
    /// Where bits are set in so many blocks of 32.
    #[inline(always)]
    fn of<L: Lanes>(l: L, blocks: usize, bits: impl Fn(usize) -> u32) -> Self {
        let (mut places, mut end) = ([0; SECTION + 128], 0usize);
        for block in (0..blocks.min(SECTION / BLOCK)).step_by(2) {
            let next = block.wrapping_add(1);
            let other = if next < blocks { bits(next) } else { 0 };
            let both = u64::from(bits(block)) | u64::from(other) << 32;
            if let Some(room) = places.get_mut(end..).and_then(<[u16]>::first_chunk_mut) {
                l.number(both, block.wrapping_mul(BLOCK) as u16, room);
            }
            end = end.wrapping_add(both.count_ones() as usize);
        }
        Self { places, end }
    }

    /// The first [`SECTION`] sums that are not zero.
    #[inline(always)]
    pub(super) fn of_sums<L: Lanes>(l: L, sums: &[u16]) -> Self {
        Self::of(
            l,
            sums.len().div_ceil(BLOCK),
            #[inline(always)]
            |block| l.differing(l.load_unsigned(&block_of(sums, block)), l.splat(0)),
        )
    }

    /// The first [`SECTION`] pixels that are not black.
    #[inline(always)]
    pub(super) fn of_greys<L: Lanes>(l: L, greys: &[u8]) -> Self {
        Self::of(
            l,
            greys.len().div_ceil(BLOCK),
            #[inline(always)]
            |block| l.differing(l.load_bytes(&block_of(greys, block).map(|grey| grey as i8)), l.splat(0)),
        )
    }

    /// The places.
    #[inline(always)]
    pub(super) fn places(&self) -> &[u16] {
        self.places.get(..self.end).unwrap_or(&self.places)
    }
}

/// A block of numbers, with zeros where there are none any more.
#[inline(always)]
fn block_of<T: Copy + Default>(numbers: &[T], block: usize) -> [T; BLOCK] {
    let rest = numbers.get(block.wrapping_mul(BLOCK)..).unwrap_or(&[]);
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut last = [T::default(); BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, &number)| *to = number);
        last
    })
}
