//! Weights of 16 bits kept as unsigned numbers, 2¹⁵ more than they stand for.

use crate::kernels::Lanes;
use crate::native::Weight;

/// The same weight as an `i16`, with the same digest: two of them add up in one word
/// without a look at their signs, which saves a machine without vectors an instruction in
/// three ([`crate::kernels::plain`]). Memory that is all zero holds weights of −128.
///
/// ```
/// use apical_core::native::Weight;
/// use apical_core::offset::Offset16;
/// assert_eq!(Offset16::saturate(-7).widen(), -7);
/// assert_eq!(Offset16::saturate(32000).moved(1000).widen(), 32767);
/// ```
pub type Offset16 = u16;

const ZERO: u16 = 1 << 15;

impl Weight for Offset16 {
    const EXACT_SPIKES: usize = 0;
    const OFFSET: bool = true;
    #[inline(always)]
    fn widen(self) -> i16 {
        (self ^ ZERO) as i16
    }
    #[inline(always)]
    fn saturate(value: i16) -> Self {
        value as u16 ^ ZERO
    }
    #[inline(always)]
    fn moved(self, step: i32) -> Self {
        i32::from(self).wrapping_add(step).clamp(0, 65535) as u16
    }
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self; 32]) -> L::Block {
        lanes.load(&from.map(Self::widen))
    }
    #[inline(always)]
    fn add_totals<L: Lanes>(lanes: L, totals: L::Totals, from: &[Self; 16]) -> L::Totals {
        lanes.add_totals(totals, &from.map(Self::widen))
    }
    #[inline(always)]
    fn store<L: Lanes>(lanes: L, block: L::Block, to: &mut [Self; 32]) {
        let mut wide = [0; 32];
        lanes.store(block, &mut wide);
        *to = wide.map(Self::saturate);
    }
    #[inline(always)]
    fn exact_or_held<L: Lanes>(lanes: L, old: L::Block, step: L::Block, _: L::Block) -> L::Block {
        lanes.add(old, step)
    }
    #[inline(always)]
    fn words(weights: &[Self]) -> Option<&[u32]> {
        crate::native::as_words(weights)
    }
}
