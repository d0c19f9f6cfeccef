//! Sums of columns for many steps at once: what a large layer feeds a small one with.
//!
//! Half a thousand neurons spike fifty times a step, and each spike is added to ten sums: to
//! list the spikes takes longer than to add them, and ten sums leave most of a vector unit
//! idle. Here the lanes are steps. The masks of who fired when are turned by a quarter, so
//! that each step has five neighbours' bits in its lane; those are a place in a table of all
//! 32 sums of the five neighbours' weights, which a vector unit looks up in one instruction
//! for 32 steps. Sums are exact, so their order does not matter.

use super::lanes::Lanes;
use crate::arithmetic::Columns;
use crate::native::Weight;
use crate::tables::noise::BLOCK;
use crate::trains::{Fired, Masks, WORDS, pick_all};

/// Places for the sums of a step.
const PLACES: usize = 16;
/// Most units of a layer whose sums are made like this: what there are places for.
pub(super) const MOST_UNITS: usize = PLACES / OUTPUTS * OUTPUTS;
/// Sums that are made at once, …
const OUTPUTS: usize = 5;
/// each for so many times 32 steps: as many as there are registers for.
const PARTS: usize = 4;
/// Steps of that.
const STEPS: usize = 32 * PARTS;
/// Units that are gone through between two looks at what the sums may have reached.
const GROUP: usize = 16;
/// From the first weight of a group that counts to the last.
const SPAN: usize = (GROUP - 1) * BLOCK + OUTPUTS;
/// Sums within ±that are exact in 16 bits.
const SAFE: u32 = i16::MAX as u32;

/// What is added of each weight.
const WHOLE: u8 = 0;
/// Its lowest 8 bits, as if it had no sign, …
const LOW: u8 = 1;
/// and the others.
const HIGH: u8 = 2;

/// Σ of the columns that spiked in each of so many steps.
#[inline(always)]
pub(super) fn sum_by_time<L: Lanes, W: Weight>(
    l: L,
    columns: Columns<'_, W>,
    masks: &Masks<'_>,
    reaches: &mut [u16],
    sums: &mut [[i32; PLACES]],
) {
    let groups = masks.blocks.wrapping_mul(2);
    let reaches = reaches.get_mut(..groups).unwrap_or(&mut []);
    let narrow = l.apart(
        #[inline(always)]
        || find_reaches(l, columns, reaches),
    );
    let sums_of = Sums { lanes: l, columns, blocks: masks.blocks(), reaches };
    for (sums, from) in sums.chunks_mut(STEPS).zip((0..).step_by(STEPS)) {
        sums.fill([0; PLACES]);
        for first in (0..columns.units.min(MOST_UNITS)).step_by(OUTPUTS) {
            macro_rules! add {
                ($part:ident) => {
                    l.apart(
                        #[inline(always)]
                        || sums_of.add::<{ $part }>(from, first, sums),
                    )
                };
            }
            if narrow && !reaches.is_empty() {
                add!(WHOLE);
            } else {
                add!(LOW);
                add!(HIGH);
            }
        }
    }
    l.apart(
        #[inline(always)]
        || add_second_spikes(l, columns, masks, sums),
    );
}

/// For each group of units the most that their weights can add up to; false where that may
/// be beyond 16 bits.
#[inline(always)]
fn find_reaches<L: Lanes, W: Weight>(l: L, columns: Columns<'_, W>, reaches: &mut [u16]) -> bool {
    if W::EXACT_SPIKES >= GROUP {
        let most = SAFE.checked_div(W::EXACT_SPIKES as u32).unwrap_or(SAFE);
        reaches.fill(most.wrapping_mul(GROUP as u32) as u16);
        return true;
    }
    let most = l.splat(i16::MAX);
    let mut within = true;
    let groups = columns.weights.as_chunks::<BLOCK>().0.chunks(GROUP);
    for (reach, group) in reaches.iter_mut().zip(groups) {
        let mut sum = l.splat(0);
        for column in group {
            sum = l.add_held(sum, l.min_unsigned(l.magnitude(W::load(l, column)), most));
        }
        *reach = l.largest(sum);
        within &= u32::from(*reach) < SAFE;
    }
    within
}

/// Calls `f` for each sum, in one line after another, …
#[inline(always)]
fn each_output(mut f: impl FnMut(usize)) {
    f(0);
    f(1);
    f(2);
    f(3);
    f(4);
    const { assert!(OUTPUTS == 5) };
}

/// or for each 32 steps.
#[inline(always)]
fn each_part(mut f: impl FnMut(usize)) {
    f(0);
    f(1);
    f(2);
    f(3);
    const { assert!(PARTS == 4) };
}

struct Sums<'a, L, W> {
    lanes: L,
    columns: Columns<'a, W>,
    blocks: &'a [Fired],
    reaches: &'a [u16],
}

impl<L: Lanes, W: Weight> Sums<'_, L, W> {
    /// Adds what first spikes add to the sums of the units from `first` on, in the steps from
    /// `from` on.
    #[inline(always)]
    fn add<const PART: u8>(&self, from: usize, first: usize, sums: &mut [[i32; PLACES]]) {
        let l = self.lanes;
        let mut totals = [[[0i32; 32]; PARTS]; OUTPUTS];
        let mut narrow = [[l.splat(0); PARTS]; OUTPUTS];
        let mut reached = 0u32;
        // Beyond the last unit nothing is added.
        let whole = self.columns.weights.len() / (BLOCK * GROUP);
        let mut padded = [W::default(); BLOCK * GROUP];
        let last = self.columns.weights.get(whole.wrapping_mul(BLOCK * GROUP)..).unwrap_or(&[]);
        padded.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        for (block, [once, _, _]) in self.blocks.iter().enumerate() {
            let Some(words) = once.get(from..).and_then(|words| words.first_chunk::<STEPS>()) else { return };
            for half in 0..2usize {
                let group = block.wrapping_mul(2).wrapping_add(half);
                let reach = match PART {
                    WHOLE => self.reaches.get(group).copied().unwrap_or(0).into(),
                    _ => const { 255 * GROUP as u32 },
                };
                if reached.wrapping_add(reach) > SAFE {
                    widen(l, &mut narrow, &mut totals);
                    reached = 0;
                }
                reached = reached.wrapping_add(reach);
                let start = group.wrapping_mul(BLOCK * GROUP);
                let weights =
                    if group < whole { self.columns.weights.get(start..) } else { Some(&padded[..]) };
                let weights = weights.and_then(|weights| weights.get(first..)).and_then(<[W]>::first_chunk);
                let Some(weights) = weights else { return };
                self.add_group::<PART>(weights, words, half, &mut narrow);
                if group >= whole {
                    break;
                }
            }
        }
        widen(l, &mut narrow, &mut totals);
        let shift = if PART == HIGH { 8 } else { 0 };
        let totals = totals.each_ref().map(|totals| totals.as_flattened());
        for (step, sums) in sums.iter_mut().enumerate() {
            if let Some(sums) = sums.get_mut(first..).and_then(<[i32]>::first_chunk_mut) {
                let add = |sum: i32, totals: &[i32]| {
                    sum.wrapping_add(totals.get(step).map_or(0, |total| total.wrapping_shl(shift)))
                };
                let [a, b, c, d, e] = *sums;
                *sums = [
                    add(a, totals[0]),
                    add(b, totals[1]),
                    add(c, totals[2]),
                    add(d, totals[3]),
                    add(e, totals[4]),
                ];
            }
        }
    }

    /// The same of a group of units, whose spikes are the lower or upper half of the words.
    #[inline(always)]
    fn add_group<const PART: u8>(
        &self,
        weights: &[W; SPAN],
        words: &[u32; STEPS],
        half: usize,
        sums: &mut [[L::Block; PARTS]; OUTPUTS],
    ) {
        let l = self.lanes;
        let mut bits = [l.splat(0); PARTS];
        each_part(
            #[inline(always)]
            |part| {
                if let (Some(bits), Some(words)) = (bits.get_mut(part), words.as_chunks().0.get(part)) {
                    *bits = l.half(words, half);
                }
            },
        );
        self.add_five::<PART, 0, false>(weights, &mut bits, sums);
        self.add_five::<PART, 5, false>(weights, &mut bits, sums);
        self.add_five::<PART, 10, true>(weights, &mut bits, sums);
    }

    /// The same of the five units from `UNIT` on, or six, whose spikes are the lowest bits.
    #[inline(always)]
    fn add_five<const PART: u8, const UNIT: usize, const SIX: bool>(
        &self,
        weights: &[W; SPAN],
        bits: &mut [L::Block; PARTS],
        sums: &mut [[L::Block; PARTS]; OUTPUTS],
    ) {
        let l = self.lanes;
        each_output(
            #[inline(always)]
            |output| {
                let Some(sums) = sums.get_mut(output) else { return };
                macro_rules! weight {
                    ($unit:literal) => {
                        part_of::<L, W, PART>(l, weights, const { UNIT + $unit }, output)
                    };
                }
                // The places of a table whose bit 0 is set, bit 1, …
                let mut table = l.splat(0);
                table = l.add_in(table, l.mask(0xAAAA_AAAA), weight!(0));
                table = l.add_in(table, l.mask(0xCCCC_CCCC), weight!(1));
                table = l.add_in(table, l.mask(0xF0F0_F0F0), weight!(2));
                table = l.add_in(table, l.mask(0xFF00_FF00), weight!(3));
                table = l.add_in(table, l.mask(0xFFFF_0000), weight!(4));
                let upper = l.add(table, weight!(5));
                each_part(
                    #[inline(always)]
                    |part| {
                        if let (Some(sum), Some(&bits)) = (sums.get_mut(part), bits.get(part)) {
                            let found = match SIX {
                                true => l.look_up_in_two([table, upper], bits),
                                false => l.look_up(table, bits),
                            };
                            *sum = l.add(*sum, found);
                        }
                    },
                );
            },
        );
        if !SIX {
            each_part(
                #[inline(always)]
                |part| {
                    if let Some(bits) = bits.get_mut(part) {
                        *bits = l.shift_right_unsigned(*bits, 5);
                    }
                },
            );
        }
    }
}

/// What is added of a weight, in every lane.
#[inline(always)]
fn part_of<L: Lanes, W: Weight, const PART: u8>(
    l: L,
    weights: &[W; SPAN],
    unit: usize,
    output: usize,
) -> L::Block {
    let weight =
        weights.get(unit.wrapping_mul(BLOCK).wrapping_add(output)).map_or(0, |weight| weight.widen());
    l.splat(match PART {
        WHOLE => weight,
        LOW => weight & 255,
        _ => weight >> 8,
    })
}

/// Moves sums of 16 bits to those of 32.
#[inline(always)]
fn widen<L: Lanes>(
    l: L,
    narrow: &mut [[L::Block; PARTS]; OUTPUTS],
    totals: &mut [[[i32; 32]; PARTS]; OUTPUTS],
) {
    each_output(
        #[inline(always)]
        |output| {
            let (Some(narrow), Some(totals)) = (narrow.get_mut(output), totals.get_mut(output)) else {
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

/// Adds what second and third spikes add.
#[inline(always)]
fn add_second_spikes<L: Lanes, W: Weight>(
    l: L,
    columns: Columns<'_, W>,
    masks: &Masks<'_>,
    sums: &mut [[i32; PLACES]],
) {
    let columns = columns.weights.as_chunks::<BLOCK>().0;
    // Words with a second spike in them, one in six, and their steps.
    let (mut found, mut places) = ([0; WORDS], [0; WORDS]);
    for ([_, twice, _], columns) in masks.blocks().iter().zip(columns.chunks(BLOCK)) {
        let end = pick_all(l, twice, sums.len(), &mut found, &mut places);
        for (&word, &step) in found.iter().zip(&places).take(end) {
            if let Some(sums) = sums.get_mut(step as usize) {
                add_word(l, word, columns, sums);
            }
        }
    }
    masks.each_third(
        l,
        sums.len(),
        #[inline(always)]
        |step, block, word| {
            if let (Some(columns), Some(sums)) =
                (columns.get(block.wrapping_mul(BLOCK)..), sums.get_mut(step))
            {
                add_word(l, word, columns, sums);
            }
        },
    );
}

/// Adds the columns of the units of a block whose bits are set.
#[inline(always)]
fn add_word<L: Lanes, W: Weight>(l: L, mut word: u32, columns: &[[W; BLOCK]], sums: &mut [i32; PLACES]) {
    while word != 0 {
        if let Some(column) = columns.get(word.trailing_zeros() as usize).and_then(|c| c.first_chunk()) {
            let totals = W::add_totals(l, l.load_totals(sums), column);
            l.store_totals(totals, sums);
        }
        word &= word.wrapping_sub(1);
    }
}
