//! The core's kernels with their loops in assembly, for Armv7-M and later; with `cfg(dsp)` (Armv7E-M, Cortex-M33) all of
//! them, two numbers in a register. Same bits as [`Plain`](plain::Plain), which does whatever is not usual: other roundings, other
//! kernels, an odd number of neurons, and whatever counts what is lost.

#[cfg(dsp)]
mod change;
#[cfg(dsp)]
mod neurons;
mod sums;

use crate::fire;
use apical_core::arithmetic::{Columns, Dynamics, Updates};
use apical_core::formats::Variable;
#[cfg(dsp)]
use apical_core::kernels::learn_columns;
use apical_core::kernels::{Kernels, plain};
use apical_core::losses::Losses;
use apical_core::native::Weight;
use apical_core::parameters::Coefficients;
use apical_core::random::{Generator, Offsets};
#[cfg(dsp)]
use apical_core::rounding::Rounding;
use apical_core::spikes::Spikes;

/// The first line of a function with DSP instructions: of Armv8-M, only some machines have them.
#[cfg(armv8m)]
macro_rules! machine {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(armv8m))]
macro_rules! machine {
    () => {
        ""
    };
}
use machine;

/// Kernels for Armv7-M.
#[derive(Clone, Copy, Default)]
pub struct Thumb;

/// Whether numbers of 16 bits lie in whole words.
fn is_words(numbers: &[i16]) -> bool {
    numbers.len().is_multiple_of(2) && numbers.as_ptr().addr().is_multiple_of(4)
}

/// Sums that are not those of pairs of weights, or are larger.
#[inline(never)]
fn sum_otherwise<W: Weight, const COUNT: bool>(
    shift: i8,
    columns: Columns<'_, W>,
    spikes: &[u16],
    sums: &mut [i16],
    losses: &mut Losses<'_>,
) {
    if !COUNT && sums::of_many_pairs(&columns, spikes, sums).is_some()
        || sums::of_bytes(&columns, spikes, sums).is_some()
    {
        return plain::narrow_sums::<COUNT>(shift, sums, losses);
    }
    plain::sum_columns::<W, COUNT, true>(shift, columns, spikes, sums, losses);
}

impl Kernels for Thumb {
    #[inline(always)]
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        if shift == -1 && sums::of_pairs(&columns, spikes, sums).is_some() {
            return;
        }
        sum_otherwise::<W, COUNT>(shift, columns, spikes, sums, losses);
    }

    #[inline(always)]
    #[cfg_attr(not(dsp), allow(unused_mut))]
    fn advance<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        mut state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        #[cfg(dsp)]
        {
            if COUNT || neurons::advance(layer, &mut state, units, label).is_none() {
                let Dynamics { sums, fast, slow, ref mut soma, bias, ref mut oldest } = state;
                let state = Dynamics { sums, fast, slow, soma, bias, oldest };
                // The smallest text that does it.
                plain::integrate_any::<COUNT>(layer, state, units, label, losses);
            }
            fire::fire(state.soma.get(..units).unwrap_or(&[]), None, offsets, spikes);
        }
        #[cfg(not(dsp))]
        {
            let Dynamics { sums, fast, slow, ref mut soma, bias, ref mut oldest } = state;
            let passed = Dynamics { sums, fast, slow, soma, bias, oldest };
            plain::integrate::<COUNT>(layer, passed, units, label, losses);
            fire::fire(state.soma.get(..units).unwrap_or(&[]), None, offsets, spikes);
        }
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        fire::fire(potentials, Some(names), offsets, spikes);
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
        #[cfg(dsp)]
        return plain::update_any::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses);
        #[cfg(not(dsp))]
        plain::Plain.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses)
    }

    #[inline(never)]
    #[cfg_attr(not(dsp), allow(unused_mut))]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        mut updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        #[cfg(dsp)]
        {
            let errors = updates.errors;
            let update = |column: &mut [W], psp, noise: &_, losses: &mut Losses<'_>| {
                let weight = Variable::Weight;
                plain::update_any::<W, COUNT>(weight, layer, column, errors, psp, noise, losses)
            };
            let usual = !COUNT && layer.rounding == Rounding::Stochastic;
            let shift = u32::from(layer.update_shift);
            if !usual || !change::learn(shift, updates.lend(), update) {
                let Updates { matrix, presynaptic, steps, dither, .. } = updates;
                learn_columns::<W, COUNT>(matrix, presynaptic, steps, losses, |column, psp, _, losses| {
                    update(column, psp, &dither.draw(), losses)
                });
            }
        }
        #[cfg(not(dsp))]
        plain::Plain.learn::<W, COUNT>(layer, updates, losses);
    }

    #[inline(always)]
    fn accumulate(&self, somas: &[i16], sums: &mut [i32]) {
        // Two at a time: half of the loop is its counting.
        if somas.len() != sums.len() {
            return plain::accumulate(somas, sums);
        }
        let (somas, last_somas) = somas.as_chunks::<2>();
        let (sums, last_sums) = sums.as_chunks_mut::<2>();
        for ([first, second], &pair) in sums.iter_mut().zip(somas) {
            let pair: i32 = bytemuck::cast(pair);
            *first = first.wrapping_add(i32::from(pair as i16));
            *second = second.wrapping_add(pair >> 16);
        }
        plain::accumulate(last_somas, last_sums);
    }
}
