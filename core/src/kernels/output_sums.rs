//! Sums of columns for many steps at once: what a large layer feeds a small one with.
//!
//! Half a thousand neurons spike fifty times a step, and each spike is added to ten sums: to
//! list the spikes takes longer than to add them, and ten sums leave most of a vector unit
//! idle. Here the lanes are steps. The mask of who fired in a step has five neighbours in five of
//! its bits; those are a place in a table of all 32 sums of the five neighbours' weights, two outputs side
//! by side, which a vector unit looks up in one instruction for 16 steps. Sums are exact, so
//! their order does not matter.

use super::lanes::Lanes;
use crate::arithmetic::{Columns, Scratch};
use crate::native::Weight;
use crate::tables::noise::BLOCK;
use crate::trains::{Fired, Masks, WORDS, pick_all};

/// Places for the sums of a step: the most units of a layer whose sums are made like this.
pub const PLACES: usize = 16;
/// Twice 16 sums that are made at once, if so many outputs are left, …
const MOST_PAIRS: usize = 2;
/// each for so many times 16 steps: as many as there are registers for.
const PARTS: usize = 8;
/// Steps of that.
const STEPS: usize = 16 * PARTS;
/// Neighbours in a table.
const FIVE: usize = 5;
/// Units that are gone through between two looks at what the sums may have reached: thrice five, …
const GROUP: usize = 3 * FIVE;
/// and what two of those leave of a block.
const LEFT: usize = BLOCK - 2 * GROUP;
/// Reaches of a block: of its two groups, and of what they leave.
const REACHES: usize = 3;
/// Sums within ±that are exact in 16 bits.
const SAFE: u32 = i16::MAX as u32;

/// What is added of each weight.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// Its lowest 8 bits, as if it had no sign, …
    Low,
    /// and the others.
    High,
}

/// Entries of [`Scratch::reaches`] for so many blocks.
#[must_use]
pub const fn reaches_of(blocks: usize) -> usize {
    blocks.wrapping_mul(REACHES)
}

/// Rows of [`Scratch::weights`] for so many blocks: one for each unit of an even number of them.
#[must_use]
pub const fn weights_of(blocks: usize) -> usize {
    blocks.next_multiple_of(2).wrapping_mul(BLOCK)
}

/// Whether there is memory for the sums of so many units, fed by so many blocks.
#[inline(always)]
pub(super) fn has_room(units: usize, blocks: usize, scratch: &Scratch<'_>) -> bool {
    units <= PLACES
        && reaches_of(blocks) <= scratch.reaches.len()
        && weights_of(blocks) <= scratch.weights.len()
        && scratch.listed.len() >= 2
}

/// Σ of the columns that spiked in each of so many steps; there is room for it.
#[inline(always)]
pub(super) fn sum_by_time<L: Lanes, W: Weight>(
    l: L,
    columns: Columns<'_, W>,
    masks: &Masks<'_>,
    steps: usize,
    scratch: &mut Scratch<'_>,
) {
    let Some(sums) = scratch.sums.get_mut(..steps) else { return };
    let (reaches, _) = scratch.reaches.as_chunks_mut();
    let reaches = reaches.get_mut(..masks.blocks).unwrap_or(&mut []);
    let narrow = l.apart(
        #[inline(always)]
        || find_reaches(l, columns, reaches),
    );
    if !narrow {
        reaches.fill(const { [255 * GROUP as u16; REACHES] });
    }
    sums.fill([0; PLACES]);
    let parts: &[Part] = if narrow { &[Part::Whole] } else { &[Part::Low, Part::High] };
    let (twos, _) = scratch.weights.as_chunks_mut::<TWO>();
    for &part in parts {
        l.apart(
            #[inline(always)]
            || set_side_by_side(columns, part, twos),
        );
        let shift = if let Part::High = part { 8 } else { 0 };
        let units = columns.weights.len() / BLOCK;
        let sums_of = Sums { lanes: l, twos, units, blocks: masks.blocks(), reaches, shift };
        let outputs = columns.units.min(PLACES);
        for (sums, from) in sums.chunks_mut(STEPS).zip((0..).step_by(STEPS)) {
            for first in (0..outputs).step_by(2 * MOST_PAIRS) {
                match outputs.wrapping_sub(first) {
                    ..=2 => l.apart(
                        #[inline(always)]
                        || sums_of.add::<1>(from, first, sums),
                    ),
                    _ => l.apart(
                        #[inline(always)]
                        || sums_of.add::<MOST_PAIRS>(from, first, sums),
                    ),
                }
            }
        }
    }
    l.apart(
        #[inline(always)]
        || add_second_spikes(l, columns, masks, scratch.listed, sums),
    );
}

/// For each group of units the most that their weights can add up to; false where that may
/// be beyond 16 bits.
#[inline(always)]
fn find_reaches<L: Lanes, W: Weight>(l: L, columns: Columns<'_, W>, reaches: &mut [[u16; REACHES]]) -> bool {
    if W::EXACT_SPIKES >= GROUP {
        let most = SAFE.checked_div(W::EXACT_SPIKES as u32).unwrap_or(SAFE);
        reaches.fill([most.wrapping_mul(GROUP as u32) as u16; REACHES]);
        return true;
    }
    let mut within = true;
    let blocks = columns.weights.as_chunks::<BLOCK>().0.chunks(BLOCK);
    for (reaches, block) in reaches.iter_mut().zip(blocks) {
        *reaches = [0; REACHES];
        for (reach, group) in reaches.iter_mut().zip(block.chunks(GROUP)) {
            let (mut above, mut below) = (l.splat(0), l.splat(0));
            for column in group {
                let weights = W::load(l, column);
                above = l.add_held(above, l.max(weights, l.splat(0)));
                below = l.add_held(below, l.min(weights, l.splat(0)));
            }
            *reach = l.largest(above).max(l.largest(l.magnitude(below)));
            // What groups leave of two blocks is added at once.
            within &= u32::from(*reach) < if group.len() < GROUP { SAFE / 2 } else { SAFE };
        }
    }
    within
}

/// A part of the weights with 16 bits each, those of a unit next to those of the next; zeros where a
/// unit is not there.
#[inline(always)]
fn set_side_by_side<W: Weight>(columns: Columns<'_, W>, part: Part, twos: &mut [[[i16; PLACES]; TWO]]) {
    let columns = columns.weights.as_chunks::<BLOCK>().0;
    let nothing = [W::default(); BLOCK];
    let used = columns.len().next_multiple_of(TWO);
    let columns = columns.iter().chain(core::iter::repeat(&nothing)).take(used);
    for (to, column) in twos.as_flattened_mut().iter_mut().zip(columns) {
        let weights = column.first_chunk::<PLACES>().copied().unwrap_or_default().map(W::widen);
        *to = match part {
            Part::Whole => weights,
            Part::Low => weights.map(|weight| weight & 255),
            Part::High => weights.map(|weight| weight >> 8),
        };
    }
}

/// Calls `f` for each pair of outputs, in one line after another, …
#[inline(always)]
fn each_pair<const PAIRS: usize>(mut f: impl FnMut(usize)) {
    f(0);
    if PAIRS > 1 {
        f(1);
    }
    const { assert!(PAIRS == 1 || PAIRS == 2) };
}

/// or for each 16 steps.
#[inline(always)]
fn each_part(mut f: impl FnMut(usize)) {
    f(0);
    f(1);
    f(2);
    f(3);
    f(4);
    f(5);
    f(6);
    f(7);
    const { assert!(PARTS == 8) };
}

/// Two blocks of units.
const TWO: usize = 2 * BLOCK;
/// From the first weight of two blocks that counts to the last.
const SPAN: usize = (TWO - 1) * PLACES + 2 * MOST_PAIRS;

/// The first bit of each five units of a block, once for each lane: a compiler that knows that
/// they are all the same takes three instructions for a shift.
static BITS: [[i32; 16]; 2 * GROUP / FIVE] = [[0; 16], [5; 16], [10; 16], [15; 16], [20; 16], [25; 16]];

struct Sums<'a, L> {
    lanes: L,
    /// Weights, two blocks of units after two.
    twos: &'a [[[i16; PLACES]; TWO]],
    /// How many units there are.
    units: usize,
    blocks: &'a [Fired],
    reaches: &'a [[u16; REACHES]],
    /// Bits that the weights leave out on the right.
    shift: u32,
}

impl<L: Lanes> Sums<'_, L> {
    /// Adds what first spikes add to `PAIRS` pairs of sums from `first` on, in the steps from
    /// `from` on.
    #[inline(always)]
    fn add<const PAIRS: usize>(&self, from: usize, first: usize, sums: &mut [[i32; PLACES]]) {
        let l = self.lanes;
        let mut totals = [[[0i32; 32]; PARTS]; PAIRS];
        let mut narrow = [[l.splat(0); PARTS]; PAIRS];
        let mut reached = 0u32;
        // Before what may add up to so much more, sums that have no room for it are moved.
        let mut make_room = |narrow: &mut _, reach: u32| {
            if reached.wrapping_add(reach) > SAFE {
                widen(l, narrow, &mut totals);
                reached = 0;
            }
            reached = reached.wrapping_add(reach);
        };
        let mut units = self.units;
        let reaches = self.reaches.chunks(2);
        for ((blocks, reaches), weights) in self.blocks.chunks(2).zip(reaches).zip(self.twos) {
            let weights = weights.as_flattened().get(first..).and_then(<[i16]>::first_chunk::<SPAN>);
            let Some(weights) = weights else { return };
            let mut left = [&[0; STEPS]; 2];
            let mut left_reach = 0u32;
            let halves = blocks.iter().zip(reaches).zip(&mut left).zip((0..).step_by(BLOCK * PLACES));
            for ((([once, _, _], reaches), left), at) in halves {
                let words = once.get(from..).and_then(|words| words.first_chunk::<STEPS>());
                let (Some(words), Some(weights)) = (words, weights.get(at..)) else { return };
                let [one, other, rest] = reaches.map(u32::from);
                for five in 0..units.div_ceil(FIVE).min(2 * GROUP / FIVE) {
                    match five {
                        0 => make_room(&mut narrow, one),
                        NEXT_GROUP => make_room(&mut narrow, other),
                        _ => {}
                    }
                    let unit = five.wrapping_mul(FIVE);
                    let weights = weights.get(unit.wrapping_mul(PLACES)..).and_then(<[i16]>::first_chunk);
                    let Some(weights) = weights else { return };
                    let Some(bits) = BITS.get(five) else { return };
                    self.add_five::<PAIRS>(weights, words, l.load_totals(bits), &mut narrow);
                }
                left_reach = left_reach.wrapping_add(rest);
                *left = words;
                units = units.saturating_sub(BLOCK);
            }
            make_room(&mut narrow, left_reach);
            self.add_left::<PAIRS>(weights, left, &mut narrow);
        }
        widen(l, &mut narrow, &mut totals);
        self.hand_out(&totals, first, sums);
    }

    /// Adds up to four totals of each step to its sums from `first` on.
    #[inline(always)]
    fn hand_out<const PAIRS: usize>(
        &self,
        totals: &[[[i32; 32]; PARTS]; PAIRS],
        first: usize,
        sums: &mut [[i32; PLACES]],
    ) {
        let l = self.lanes;
        let none = [[0; 32]; PARTS];
        let [one, other] = [0, 1].map(|pair| totals.get(pair).unwrap_or(&none).as_flattened().as_chunks().0);
        for ((sums, one), other) in sums.chunks_mut(8).zip(one).zip(other) {
            let shifted = |totals| l.shift_totals_left(l.load_totals(totals), self.shift);
            l.add_side_by_side(sums, first, shifted(one), shifted(other));
        }
    }

    /// The same of five units, whose spikes are the bits from `bits` on.
    #[inline(always)]
    fn add_five<const PAIRS: usize>(
        &self,
        weights: &[i16; SPAN_OF_FIVE],
        words: &[u32; STEPS],
        bits: L::Totals,
        sums: &mut [[L::Block; PARTS]; PAIRS],
    ) {
        let l = self.lanes;
        let mut tables = [[l.splat(0); 2]; PAIRS];
        each_pair::<PAIRS>(
            #[inline(always)]
            |pair| {
                macro_rules! weight {
                    ($unit:literal) => {
                        pair_of(l, weights, $unit, pair)
                    };
                }
                let low = self.table([weight!(0), weight!(1), weight!(2), weight!(3)]);
                if let Some(table) = tables.get_mut(pair) {
                    *table = [low, l.add(low, weight!(4))];
                }
            },
        );
        self.add_found(
            &tables,
            sums,
            #[inline(always)]
            |part| l.shift_totals_by(word_of(l, words, part), bits),
        );
    }

    /// The same of the units that groups leave of two blocks.
    #[inline(always)]
    fn add_left<const PAIRS: usize>(
        &self,
        weights: &[i16; SPAN],
        [one, other]: [&[u32; STEPS]; 2],
        sums: &mut [[L::Block; PARTS]; PAIRS],
    ) {
        let l = self.lanes;
        let mut tables = [[l.splat(0); 2]; PAIRS];
        each_pair::<PAIRS>(
            #[inline(always)]
            |pair| {
                macro_rules! weight {
                    ($unit:expr) => {
                        pair_of(l, weights, const { $unit }, pair)
                    };
                }
                const { assert!(LEFT == 2) };
                let units = [weight!(BLOCK - 2), weight!(BLOCK - 1), weight!(TWO - 2), weight!(TWO - 1)];
                if let Some(table) = tables.get_mut(pair) {
                    *table = [self.table(units); 2];
                }
            },
        );
        const FIRST: u32 = (2 * GROUP) as u32;
        self.add_found(
            &tables,
            sums,
            #[inline(always)]
            |part| {
                let one = l.shift_totals_unsigned(word_of(l, one, part), FIRST);
                let other = l.shift_totals_unsigned(word_of(l, other, part), FIRST);
                l.xor_totals(one, l.shift_totals_left(other, LEFT as u32))
            },
        );
    }

    /// All sums of four weights: in each place those whose bits its number has.
    #[inline(always)]
    fn table(&self, [a, b, c, d]: [L::Block; 4]) -> L::Block {
        let l = self.lanes;
        let mut table = l.splat(0);
        table = l.add_in(table, l.mask(0xCCCC_CCCC), a);
        table = l.add_in(table, l.mask(0xF0F0_F0F0), b);
        table = l.add_in(table, l.mask(0xFF00_FF00), c);
        l.add_in(table, l.mask(0xFFFF_0000), d)
    }

    /// Adds what stands in tables at the places of each 16 steps: what has no register of its own is
    /// worked out for every look.
    #[inline(always)]
    fn add_found<const PAIRS: usize>(
        &self,
        tables: &[[L::Block; 2]; PAIRS],
        sums: &mut [[L::Block; PARTS]; PAIRS],
        places: impl Fn(usize) -> L::Totals,
    ) {
        let l = self.lanes;
        each_part(
            #[inline(always)]
            |part| {
                let places = places(part);
                each_pair::<PAIRS>(
                    #[inline(always)]
                    |pair| {
                        if let (Some(sum), Some(&table)) =
                            (sums.get_mut(pair).and_then(|sums| sums.get_mut(part)), tables.get(pair))
                        {
                            *sum = l.add(*sum, l.look_up(table, places));
                        }
                    },
                );
            },
        );
    }
}

/// Who fired in each of 16 steps.
#[inline(always)]
fn word_of<L: Lanes>(l: L, words: &[u32; STEPS], part: usize) -> L::Totals {
    words.as_chunks().0.get(part).map_or(l.no_totals(), |words| l.load_generators(words))
}

/// From the first weight of five units that counts to the last.
const SPAN_OF_FIVE: usize = (FIVE - 1) * PLACES + 2 * MOST_PAIRS;
/// The five units that a block's second group begins with.
const NEXT_GROUP: usize = GROUP / FIVE;

/// A unit's weights to two neighbouring outputs, in every lane.
#[inline(always)]
fn pair_of<L: Lanes>(l: L, weights: &[i16], unit: usize, pair: usize) -> L::Block {
    let at = unit.wrapping_mul(PLACES).wrapping_add(pair.wrapping_mul(2));
    l.splat_pair(weights.get(at..).and_then(<[i16]>::first_chunk).copied().unwrap_or_default())
}

/// Moves sums of 16 bits to those of 32.
#[inline(always)]
fn widen<L: Lanes, const PAIRS: usize>(
    l: L,
    narrow: &mut [[L::Block; PARTS]; PAIRS],
    totals: &mut [[[i32; 32]; PARTS]; PAIRS],
) {
    each_pair::<PAIRS>(
        #[inline(always)]
        |pair| {
            let (Some(narrow), Some(totals)) = (narrow.get_mut(pair), totals.get_mut(pair)) else {
                return;
            };
            each_part(
                #[inline(always)]
                |part| {
                    if let (Some(narrow), Some(totals)) = (narrow.get_mut(part), totals.get_mut(part)) {
                        l.accumulate(*narrow, totals);
                        *narrow = l.splat(0);
                    }
                },
            );
        },
    );
}

/// Words with second spikes that are listed before they are added: what [`Scratch::listed`] has room for.
pub const LISTED: usize = 1024;

/// Adds what second and third spikes add.
#[inline(always)]
fn add_second_spikes<L: Lanes, W: Weight>(
    l: L,
    columns: Columns<'_, W>,
    masks: &Masks<'_>,
    listed: &mut [[u32; LISTED]],
    sums: &mut [[i32; PLACES]],
) {
    let columns = columns.weights.as_chunks::<BLOCK>().0;
    // Words with a second spike in them, one in six, and where they stand: block and step.
    let [words, places, ..] = listed else { return };
    let mut end = 0usize;
    for ([_, twice, _], block) in masks.blocks().iter().zip((0u32..).step_by(1 << STEP_BITS)) {
        if end > const { LISTED - WORDS } {
            add_listed(l, words, places, end, columns, sums);
            end = 0;
        }
        if let (Some(words), Some(places)) = (words.get_mut(end..), places.get_mut(end..)) {
            end = end.wrapping_add(pick_all(l, twice, sums.len(), block, words, places));
        }
    }
    add_listed(l, words, places, end, columns, sums);
    masks.each_third(
        l,
        sums.len(),
        #[inline(always)]
        |step, block, mut word| {
            while word != 0 {
                let unit = block.wrapping_mul(BLOCK).wrapping_add(word.trailing_zeros() as usize);
                add_column(l, unit, step, columns, sums);
                word &= word.wrapping_sub(1);
            }
        },
    );
}

/// A place is a block times 2 to this, and a step.
const STEP_BITS: u32 = 16;

/// Adds the columns of the units whose bits are set in these words: one bit of each word, then one of each that is
/// left, and so on, as nobody can guess how many bits a word has.
#[inline(always)]
fn add_listed<L: Lanes, W: Weight>(
    l: L,
    words: &mut [u32; LISTED],
    places: &mut [u32; LISTED],
    mut end: usize,
    columns: &[[W; BLOCK]],
    sums: &mut [[i32; PLACES]],
) {
    while end != 0 {
        let mut left = 0usize;
        for at in 0..end.min(LISTED) {
            let (Some(&word), Some(&place)) = (words.get(at), places.get(at)) else { return };
            let unit = (place >> STEP_BITS).wrapping_mul(BLOCK as u32).wrapping_add(word.trailing_zeros());
            let step = place & const { (1 << STEP_BITS) - 1 };
            add_column(l, unit as usize, step as usize, columns, sums);
            let rest = word & word.wrapping_sub(1);
            if let (Some(word), Some(to)) = (words.get_mut(left), places.get_mut(left)) {
                (*word, *to) = (rest, place);
            }
            left = left.wrapping_add(usize::from(rest != 0));
        }
        end = left;
    }
}

/// Adds the column of a unit to the sums of a step.
#[inline(always)]
fn add_column<L: Lanes, W: Weight>(
    l: L,
    unit: usize,
    step: usize,
    columns: &[[W; BLOCK]],
    sums: &mut [[i32; PLACES]],
) {
    let column = columns.get(unit).and_then(|column| column.first_chunk());
    if let (Some(column), Some(sums)) = (column, sums.get_mut(step)) {
        l.store_totals(W::add_totals(l, l.load_totals(sums), column), sums);
    }
}
