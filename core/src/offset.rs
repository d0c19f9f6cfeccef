//! Weights kept as unsigned numbers: of 16 bits 2¹⁵, of 8 bits 128 more than they stand for.

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
    fn exact_or_held<L: Lanes>(lanes: L, old: L::Block, step: L::Block, _: L::Block) -> L::Block {
        lanes.add(old, step)
    }
}

/// The same of 8 bits, beside an `i8`: four of them add up without a look at their signs.
///
/// ```
/// use apical_core::native::Weight;
/// use apical_core::offset::Offset8;
/// assert_eq!(Offset8::saturate(-7).widen(), -7);
/// assert_eq!(Offset8::saturate(120).moved(10).widen(), 127);
/// ```
pub type Offset8 = u8;

const ZERO_BYTE: u8 = 1 << 7;

impl Weight for Offset8 {
    const EXACT_SPIKES: usize = 255;
    const OFFSET: bool = true;
    #[inline(always)]
    fn widen(self) -> i16 {
        i16::from(self).wrapping_sub(i16::from(ZERO_BYTE))
    }
    #[inline(always)]
    fn saturate(value: i16) -> Self {
        value.clamp(-128, 127) as u8 ^ ZERO_BYTE
    }
    #[inline(always)]
    fn moved(self, step: i32) -> Self {
        i32::from(self).wrapping_add(step).clamp(0, 255) as u8
    }
    #[inline(always)]
    fn exact_or_held<L: Lanes>(lanes: L, old: L::Block, step: L::Block, sum: L::Block) -> L::Block {
        <i8 as Weight>::exact_or_held(lanes, old, step, sum)
    }
}
