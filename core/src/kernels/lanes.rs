//! What a vector unit does: a handful of operations on 32 numbers of 16 bits, which a host crate
//! supplies, so that this crate stays free of `unsafe`; those of vectors that every machine of a kind has are here, with the
//! feature `baseline` (`Baseline`).

use crate::random::{next_four, offsets_of};
use crate::trains::WORDS;

/// 32 numbers of 16 bits, and what a vector unit does with them.
pub trait Lanes: Copy {
    /// The numbers.
    type Block: Copy;
    /// The same number 32 times.
    fn splat(self, value: i16) -> Self::Block;
    /// From memory.
    fn load(self, from: &[i16; 32]) -> Self::Block;
    /// From memory, 8 bits each.
    fn load_bytes(self, from: &[i8; 32]) -> Self::Block;
    /// To memory.
    fn store(self, block: Self::Block, to: &mut [i16; 32]);
    /// To memory, each held within 8 bits.
    fn store_bytes(self, block: Self::Block, to: &mut [i8; 32]);
    /// Sum, modulo 2¹⁶.
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Difference, modulo 2¹⁶.
    fn subtract(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Adds two rows of 64 numbers of 8 bits to 64 sums, which stand in an order of the
    /// lanes' own.
    fn add_bytes(self, sums: [Self::Block; 2], one: &[i8; 64], other: &[i8; 64]) -> [Self::Block; 2];
    /// Those sums in the order of the numbers.
    fn in_order(self, sums: [Self::Block; 2]) -> [Self::Block; 2];
    /// Adds steps, which fit into 8 bits, to numbers of 8 bits, each sum held.
    fn move_bytes(self, numbers: &mut [i8; 64], steps: [Self::Block; 2]);
    /// Sum, held within 16 bits.
    fn add_held(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The smaller of each pair.
    fn min(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The larger of each pair.
    fn max(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Bits that both have.
    fn and(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Magnitudes; that of −2¹⁵ stays as it is.
    fn magnitude(self, a: Self::Block) -> Self::Block;
    /// ⌊a·b·2⁻¹⁵ + ½⌋.
    fn product(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// a·2^−shift toward −∞.
    fn shift_right(self, a: Self::Block, shift: u32) -> Self::Block;
    /// a·2^−shift of unsigned numbers.
    fn shift_right_unsigned(self, a: Self::Block, shift: u32) -> Self::Block;
    /// a·2^shift modulo 2¹⁶.
    fn shift_left(self, a: Self::Block, shift: u32) -> Self::Block;
    /// 16 sums of 32 bits.
    type Totals: Copy;
    /// All zero.
    fn no_totals(self) -> Self::Totals;
    /// Adds a number to each.
    fn add_totals(self, totals: Self::Totals, terms: &[i16; 16]) -> Self::Totals;
    /// Adds a number of 8 bits to each.
    #[inline(always)]
    fn add_totals_bytes(self, totals: Self::Totals, terms: &[i8; 16]) -> Self::Totals {
        self.add_totals(totals, &terms.map(i16::from))
    }
    /// To memory.
    fn store_totals(self, totals: Self::Totals, to: &mut [i32; 16]);
    /// From memory.
    fn load_totals(self, from: &[i32; 16]) -> Self::Totals;
    /// Bit i: whether number i of a is greater than number i of b.
    #[inline(always)]
    fn greater(self, a: Self::Block, b: Self::Block) -> u32 {
        self.bits(self.exceeding(a, b))
    }
    /// Calls `f` as a function of its own, compiled for this vector unit: a loop that needs
    /// all registers must not share them with its neighbours.
    fn apart<R>(self, f: impl FnOnce() -> R) -> R;
    /// Writes down the names whose bits are set, in order, those of the low 32 bits and then
    /// those of the high; what follows them does not matter.
    #[inline(always)]
    fn choose(self, bits: u64, names: &[u16; 32], to: &mut [u16; 128]) {
        let mut places = [0; 128];
        self.number(bits, 0, &mut places);
        for (to, &place) in to.iter_mut().zip(&places).take(bits.count_ones() as usize) {
            *to = names.get(usize::from(place) & 31).copied().unwrap_or(0);
        }
    }
    /// Writes down `first` + the places of the bits that are set, in order; what follows them
    /// does not matter.
    #[inline(always)]
    fn number(self, bits: u64, first: u16, to: &mut [u16; 128]) {
        let (low, high) = (bits as u32, (bits >> 32) as u32);
        for (word, first, at) in [(low, first, 0), (high, first.wrapping_add(32), low.count_ones() as usize)]
        {
            if let Some(to) = to.get_mut(at..).and_then(|to| to.first_chunk_mut()) {
                crate::spikes::name_set(word, first, to);
            }
        }
    }
    /// σ of each, in Q15 ([`crate::tables::sigmoid`]).
    #[inline(always)]
    fn sigmoids(self, potentials: Self::Block) -> Self::Block {
        self.load(&spill(self, potentials).map(crate::tables::sigmoid::sigmoid))
    }
    /// Adds factor times a number to each.
    fn add_products(self, totals: Self::Totals, terms: &[i16; 16], factor: i16) -> Self::Totals;
    /// (sum + half) · 2^−shift of each, toward −∞.
    fn shift_totals(self, totals: Self::Totals, half: i32, shift: u32) -> Self::Totals;
    /// 32 sums, each held within ±limit and 16 bits.
    fn held_totals(self, totals: [Self::Totals; 2], limit: i32) -> Self::Block;
    /// Bit i: whether sum i is beyond ±limit.
    fn beyond(self, totals: Self::Totals, limit: i32) -> u32;
    /// The same number of 32 bits 16 times.
    fn splat_totals(self, value: i32) -> Self::Totals;
    /// The numbers of a block with 32 bits each.
    fn widened(self, block: Self::Block) -> [Self::Totals; 2];
    /// Sum, modulo 2³².
    fn sum_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Difference, modulo 2³².
    fn subtract_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Product, modulo 2³².
    fn multiply_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// The smaller of each pair.
    fn min_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// The larger of each pair.
    fn max_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Bits that both have.
    fn and_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// Bits that one of them has.
    fn xor_totals(self, a: Self::Totals, b: Self::Totals) -> Self::Totals;
    /// a·2^shift modulo 2³².
    fn shift_totals_left(self, a: Self::Totals, shift: u32) -> Self::Totals;
    /// a·2^−shift of unsigned numbers.
    fn shift_totals_unsigned(self, a: Self::Totals, shift: u32) -> Self::Totals;
    /// a·2^−shift of unsigned numbers, each by its own shift below 32.
    #[inline(always)]
    fn shift_totals_by(self, a: Self::Totals, shifts: Self::Totals) -> Self::Totals {
        let (mut numbers, mut by) = ([0; 16], [0; 16]);
        self.store_totals(a, &mut numbers);
        self.store_totals(shifts, &mut by);
        for (number, by) in numbers.iter_mut().zip(by) {
            *number = (*number as u32).wrapping_shr(by as u32) as i32;
        }
        self.load_totals(&numbers)
    }
    /// Adds eight pairs of a, each with its pair of b beside it, to the four numbers from `first` on of
    /// each row.
    #[inline(always)]
    fn add_side_by_side(self, rows: &mut [[i32; 16]], first: usize, a: Self::Totals, b: Self::Totals) {
        let (mut ones, mut others) = ([0; 16], [0; 16]);
        self.store_totals(a, &mut ones);
        self.store_totals(b, &mut others);
        let pairs = ones.as_chunks::<2>().0.iter().zip(others.as_chunks::<2>().0);
        for (row, (one, other)) in rows.iter_mut().zip(pairs) {
            for (sum, &term) in row.iter_mut().skip(first).zip(one.iter().chain(other)) {
                *sum = sum.wrapping_add(term);
            }
        }
    }
    /// Bit i: whether number i of a is not number i of b.
    fn differing_totals(self, a: Self::Totals, b: Self::Totals) -> u32;
    /// Adds neighbours, the first two numbers to the first sum, and so on.
    fn add_neighbours(self, totals: Self::Totals, block: Self::Block) -> Self::Totals;
    /// Adds each number to its sum.
    fn accumulate(self, block: Self::Block, sums: &mut [i32; 32]);
    /// 16 generators of a dither, from memory.
    fn load_generators(self, from: &[u32; 16]) -> Self::Totals;
    /// To memory.
    fn store_generators(self, generators: Self::Totals, to: &mut [u32; 16]);
    /// The offsets of the next draws after the `last` four, which become those.
    #[inline(always)]
    fn next_offsets(self, last: &mut [u32; 4], to: &mut [[[u16; 2]; 4]]) {
        for to in to {
            *last = next_four(*last);
            *to = last.map(offsets_of);
        }
    }
    /// A step of each, and the 32 numbers it yields; see [`crate::random::Dither::draw`].
    fn next_generators(self, generators: Self::Totals) -> (Self::Totals, Self::Block);
    /// A choice of lanes.
    type Mask: Copy;
    /// The lanes where a is greater than b.
    fn exceeding(self, a: Self::Block, b: Self::Block) -> Self::Mask;
    /// A choice as bits.
    fn bits(self, mask: Self::Mask) -> u32;
    /// Bits as a choice.
    fn mask(self, bits: u32) -> Self::Mask;
    /// a + b modulo 2¹⁶ in the chosen lanes; a in the others.
    fn add_in(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block;
    /// Whether [`Self::splat_pair`] and [`Self::look_up`] are there.
    const LOOKS_UP: bool = false;
    /// The same two numbers 16 times.
    #[inline(always)]
    fn splat_pair(self, pair: [i16; 2]) -> Self::Block {
        self.splat(pair[0])
    }
    /// For each number of 32 bits the pair of the tables, side by side, that its lowest 5 bits name.
    #[inline(always)]
    fn look_up(self, tables: [Self::Block; 2], places: Self::Totals) -> Self::Block {
        let _ = places;
        tables[0]
    }
    /// Writes down the words that are not zero, and their places from `first` on; returns how
    /// many. What follows them does not matter.
    #[inline(always)]
    fn pick(self, words: &[u32; 16], first: u32, found: &mut [u32; 16], places: &mut [u32; 16]) -> usize {
        let mut end = 0usize;
        for (&word, place) in words.iter().zip(first..) {
            if let (Some(found), Some(at)) = (found.get_mut(end), places.get_mut(end)) {
                (*found, *at) = (word, place);
            }
            end = end.wrapping_add(usize::from(word != 0));
        }
        end
    }
    /// Bits that are set in the first `used` words.
    #[inline(always)]
    fn count_ones(self, words: &[u32; WORDS], used: usize) -> u32 {
        let (pairs, last) = words.get(..used).unwrap_or(words).as_chunks::<2>();
        let mut count = last.first().map_or(0, |word| word.count_ones());
        for &[one, other] in pairs {
            let both = u64::from(one) | u64::from(other) << 32;
            count = count.wrapping_add(both.count_ones());
        }
        count
    }
    /// a + b of unsigned numbers in the chosen lanes, held within 16 bits; a in the others.
    fn add_where(self, a: Self::Block, mask: Self::Mask, b: Self::Block) -> Self::Block;
    /// From memory, unsigned.
    fn load_unsigned(self, from: &[u16; 32]) -> Self::Block;
    /// To memory, unsigned.
    fn store_unsigned(self, block: Self::Block, to: &mut [u16; 32]);
    /// The smaller of each pair of unsigned numbers.
    fn min_unsigned(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// Bit i: whether number i of a is not number i of b.
    fn differing(self, a: Self::Block, b: Self::Block) -> u32;
    /// Whether any number of a is not that of b.
    fn differ(self, a: Self::Block, b: Self::Block) -> bool;
    /// `found`, and where a number of a is not that of b, not zero.
    fn differing_or(self, found: Self::Block, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The largest of all numbers, unsigned.
    fn largest(self, a: Self::Block) -> u16;
}

/// Something to be done on whatever lanes there are.
pub trait Job {
    /// What comes of it.
    type Outcome;
    /// Does it; inlined, so that the instructions of these lanes may be used.
    fn work<L: Lanes>(self, lanes: L) -> Self::Outcome;
}

#[inline(always)]
pub(super) fn spill<L: Lanes>(lanes: L, block: L::Block) -> [i16; 32] {
    let mut numbers = [0; 32];
    lanes.store(block, &mut numbers);
    numbers
}
