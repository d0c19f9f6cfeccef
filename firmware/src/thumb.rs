//! The core's kernels with one loop in assembly: the sum of columns, which is what a network spends most of its time
//! with. Same bits as [`Plain`]; for Armv7-M and later, not for the Cortex-M0.
//!
//! The compiler keeps five totals in registers and moves one of them to the stack all the same; written out, a spike
//! costs eleven instructions for ten neurons.

use apical_core::arithmetic::{Columns, ColumnsMut, Dynamics};
use apical_core::formats::{ACCUMULATOR_LIMIT, Variable};
use apical_core::kernels::{Kernels, Plain};
use apical_core::losses::Losses;
use apical_core::native::Weight;
use apical_core::parameters::Coefficients;
use apical_core::random::{Dither, Generator, Offsets};
use apical_core::spikes::Spikes;
use core::arch::asm;
use core::mem::MaybeUninit;

/// Kernels for Armv7-M.
#[derive(Clone, Copy, Default)]
pub struct Thumb;

/// Most spikes of a step that the fast way is for.
const MOST: usize = 96;
/// Words that are added up at a time, of two units each.
const TILE: usize = 5;

/// u of every unit, where the weights are [offset](apical_core::offset) and their sums fit in 16 bits; None elsewhere.
#[inline(always)]
fn sum_pairs<W: Weight>(columns: &Columns<'_, W>, spikes: &[u16], sums: &mut [i16]) -> Option<()> {
    let words = W::words(columns.weights)?;
    let stride = columns.stride / 2;
    let (tiles, rest) = sums.as_chunks_mut::<{ 2 * TILE }>();
    if spikes.is_empty() || spikes.len() > MOST || !rest.is_empty() || tiles.len() * TILE > stride {
        return None;
    }
    let mut places = [const { MaybeUninit::<*const u32>::uninit() }; MOST];
    let mut room = ACCUMULATOR_LIMIT;
    for (place, &unit) in places.iter_mut().zip(spikes) {
        room -= i32::from(*columns.bounds.get(usize::from(unit))?);
        let at = usize::from(unit) * stride;
        place.write(words.get(at..at + stride)?.as_ptr());
    }
    if room < 0 {
        return None;
    }
    // As many as there are spikes have been written.
    let places = places.get(..spikes.len())?.as_ptr_range();
    // What the weights' offsets add up to, and one more in each half for the rounding.
    let start = 0x0001_0001u32.wrapping_sub((spikes.len() as u32).wrapping_mul(0x8000_8000));
    for (number, tile) in tiles.iter_mut().enumerate() {
        let mut totals = [start; TILE];
        let [a, b, c, d, e] = &mut totals;
        // SAFETY: reads every place from the first to the last, and five words each from the tile's on: `stride` words
        // are there, and the tiles are no more than those.
        unsafe {
            asm!(
                "2:",
                "ldr {at}, [{next}], #4",
                "add {at}, {at}, {first}",
                "ldm {at}!, {{r0, r1, r2}}",
                "add {a}, {a}, r0",
                "add {b}, {b}, r1",
                "add {c}, {c}, r2",
                "ldrd r0, r1, [{at}]",
                "cmp {next}, {end}",
                "add {d}, {d}, r0",
                "add {e}, {e}, r1",
                "bne 2b",
                at = out(reg) _,
                next = inout(reg) places.start => _,
                first = in(reg) number * TILE * 4,
                end = in(reg) places.end,
                a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d, e = inout(reg) *e,
                out("r0") _, out("r1") _, out("r2") _,
                options(nostack, readonly),
            );
        }
        for (pair, total) in tile.as_chunks_mut::<2>().0.iter_mut().zip(totals) {
            *pair = [((total << 16) as i32 >> 17) as i16, (total.wrapping_add(0x8000) as i32 >> 17) as i16];
        }
    }
    Some(())
}

impl Kernels for Thumb {
    #[inline(never)]
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        if W::OFFSET && shift == -1 && sum_pairs(&columns, spikes, sums).is_some() {
            return;
        }
        Plain.sum_columns::<W, COUNT>(shift, columns, spikes, sums, losses);
    }

    #[inline(always)]
    fn advance<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        Plain.advance::<COUNT>(layer, state, units, label, offsets, spikes, losses);
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        Plain.fire(potentials, names, offsets, spikes);
    }

    #[inline(always)]
    fn update<W: Weight, const COUNT: bool>(
        &self,
        variable: Variable,
        layer: &Coefficients,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16 {
        Plain.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses)
    }

    #[inline(always)]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        matrix: ColumnsMut<'_, W>,
        presynaptic: &[u16],
        steps: u32,
        errors: &[i16],
        dither: &mut Dither,
        losses: &mut Losses<'_>,
    ) {
        Plain.learn::<W, COUNT>(layer, matrix, presynaptic, steps, errors, dither, losses);
    }

    #[inline(always)]
    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        Plain.plateaus::<W, COUNT>(shift, feedback, psp, plateaus, losses);
    }

    #[inline(always)]
    fn slopes<const COUNT: bool>(
        &self,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        Plain.slopes::<COUNT>(sums, steps, slopes, losses);
    }

    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        gain: i32,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        Plain.errors::<COUNT>(gain, targets, forwards, errors, losses);
    }
}
