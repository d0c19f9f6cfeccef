//! Steps and updates in numbers of 64 bits, without a branch in their loops.
//!
//! They do what is simple: everything saturates, states are rounded in any way but to even or by
//! steps of one, and updates toward −∞, to nearest or stochastically; everything else takes the long
//! way in [`super`], with the same bits. A test compares all ways.

use super::shift::{Approach, Shift};
use super::{EmulatedCoefficients, VariableFormat, state_noise, weight_noise};
use crate::arithmetic::Dynamics;
use crate::formats::Variable;
use crate::parameters::TEACHER;
use crate::random::DITHER_STRIDE;
use crate::rounding::{Overflow, Rounding};

/// Neurons of a block and the offset of its noise, for the dither of their states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    pub(super) offset: u32,
    pub(super) first: usize,
}

impl Draws {
    #[inline(always)]
    fn noise(self, lane: usize, site: Variable, exact: i64) -> u32 {
        state_noise(self.offset, self.first.wrapping_add(lane), site, exact)
    }
}

/// Sums of columns, taken to the filter's binary point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickSum {
    lowest: i32,
    highest: i32,
    shift: Shift,
}

impl QuickSum {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let (sum, filter) = (of(Variable::Accumulator), of(Variable::FilterFast));
        let known = matches!(sum.overflow, Overflow::Saturate) && sum.rounding != Rounding::Stochastic;
        let to = VariableFormat { rounding: sum.rounding, ..*filter };
        let shift = Shift::new(&to, i32::from(of(Variable::Weight).format.fraction))
            .filter(|shift| known && shift.is_simple())?;
        Some(Self { lowest: sum.lowest as i32, highest: sum.highest as i32, shift })
    }

    /// Narrows a tile of sums.
    #[inline(always)]
    pub(super) fn narrow(&self, totals: &[i32], sums: &mut [i32]) {
        for (sum, &total) in sums.iter_mut().zip(totals) {
            let total = i64::from(total.max(self.lowest).min(self.highest));
            *sum = self.shift.hold(self.shift.round(total));
        }
    }
}

/// Neurons that are stepped together.
const LANES: usize = 32;

/// Their state.
pub(super) struct Block {
    pub(super) sums: [i32; LANES],
    pub(super) fast: [i32; LANES],
    pub(super) slow: [i32; LANES],
    pub(super) soma: [i32; LANES],
    pub(super) bias: [i32; LANES],
}

#[inline(always)]
fn copied<T: Copy + Default>(from: &[T]) -> [T; LANES] {
    from.first_chunk().copied().unwrap_or_else(|| {
        let mut copy = [T::default(); LANES];
        copy.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        copy
    })
}

/// The narrowings of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickStep {
    pub(super) fast: Approach,
    pub(super) slow: Approach,
    pub(super) basal: Shift,
    gain: i64,
    pub(super) synaptic: u32,
    pub(super) constant: u32,
    pub(super) soma: Approach,
    pub(super) soma_fraction: i32,
}

impl QuickStep {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let fraction = |variable| i32::from(of(variable).format.fraction);
        let (fast, slow) = (fraction(Variable::FilterFast), fraction(Variable::FilterSlow));
        let synaptic = slow.wrapping_add(16);
        let drive = synaptic.max(fraction(Variable::Bias));
        Some(Self {
            fast: Approach::new(of(Variable::FilterFast), fast, layer.fast)?,
            slow: Approach::new(of(Variable::FilterSlow), fast, layer.slow)?,
            basal: Shift::new(of(Variable::Basal), drive)?,
            gain: i64::from(layer.basal),
            synaptic: drive.wrapping_sub(synaptic) as u32,
            constant: drive.wrapping_sub(fraction(Variable::Bias)) as u32,
            soma: Approach::new(of(Variable::Soma), fraction(Variable::Basal), layer.soma)?,
            soma_fraction: fraction(Variable::Soma),
        })
    }

    /// Whether all narrowings are simple, so that the methods below do them.
    pub(super) const fn is_simple(&self) -> bool {
        let filters = self.fast.shift.is_simple() && self.slow.shift.is_simple();
        filters && self.basal.is_simple() && self.soma.shift.is_simple()
    }

    /// Whether a state is rounded stochastically, so that offsets are asked for.
    pub(super) const fn is_noisy(&self) -> bool {
        let filters = self.fast.shift.dithered | self.slow.shift.dithered;
        filters | self.basal.dithered | self.soma.shift.dithered != 0
    }

    /// One step of every neuron of an infinite kernel, with the offset of each block's noise.
    #[inline(always)]
    pub(super) fn run<const NOISY: bool>(
        &self,
        state: &mut Dynamics<'_, i32>,
        label: Option<usize>,
        offsets: &[u16],
    ) {
        let filters = state.fast.chunks_mut(LANES).zip(state.slow.chunks_mut(LANES));
        let somata = state.soma.chunks_mut(LANES).zip(state.bias.chunks(LANES));
        let blocks = state.sums.chunks(LANES).zip(filters).zip(somata);
        for (((sums, (fast, slow)), (soma, bias)), block) in blocks.zip(0usize..) {
            let first = block.wrapping_mul(LANES);
            let offset = u32::from(offsets.get(block).copied().unwrap_or(0));
            let bases = label.map(|label| self.bases(label.wrapping_sub(first)));
            // Copies, so that the compiler sees that nothing overlaps.
            let mut block = Block {
                sums: copied(sums),
                fast: copied(fast),
                slow: copied(slow),
                soma: copied(soma),
                bias: copied(bias),
            };
            self.run_block::<NOISY>(&mut block, bases.as_ref(), Draws { offset, first });
            for (to, from) in [(fast, &block.fast), (slow, &block.slow), (soma, &block.soma)] {
                match to.first_chunk_mut::<LANES>() {
                    Some(to) => *to = *from,
                    None => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn run_block<const NOISY: bool>(
        &self,
        block: &mut Block,
        bases: Option<&[i64; LANES]>,
        draws: Draws,
    ) {
        use Variable::{Basal, FilterFast, FilterSlow, Soma};
        for ((fast, &sum), lane) in block.fast.iter_mut().zip(&block.sums).zip(0usize..) {
            *fast = self.fast.step::<NOISY>(*fast, sum, |exact| draws.noise(lane, FilterFast, exact));
        }
        for ((slow, &fast), lane) in block.slow.iter_mut().zip(&block.fast).zip(0usize..) {
            *slow = self.slow.step::<NOISY>(*slow, fast, |exact| draws.noise(lane, FilterSlow, exact));
        }
        let mut drives = [0i32; LANES];
        let inputs = block.slow.iter().zip(&block.bias);
        for ((drive, (&slow, &bias)), lane) in drives.iter_mut().zip(inputs).zip(0usize..) {
            let synaptic = i64::from(slow).wrapping_mul(self.gain).wrapping_shl(self.synaptic);
            let constant = i64::from(bias).wrapping_shl(self.constant);
            let exact = synaptic.wrapping_add(constant);
            let rounded = match NOISY {
                true => self.basal.round_with(exact, draws.noise(lane, Basal, exact)),
                false => self.basal.round(exact),
            };
            *drive = self.basal.hold(rounded);
        }
        let somata = block.soma.iter_mut().zip(&drives).zip(0usize..);
        match bases {
            None => {
                for ((soma, &drive), lane) in somata {
                    *soma = self.soma.step::<NOISY>(*soma, drive, |exact| draws.noise(lane, Soma, exact));
                }
            }
            Some(bases) => {
                for (((soma, &drive), lane), &base) in somata.zip(bases) {
                    let noise = |exact| draws.noise(lane, Soma, exact);
                    let moved = self.soma.moved::<NOISY>(*soma, drive, noise);
                    *soma = self.soma.shift.hold(base.wrapping_add(moved));
                }
            }
        }
    }

    /// What the teaching current pulls the units of a block to.
    pub(super) fn bases(&self, label: usize) -> [i64; LANES] {
        let pull = i64::from(TEACHER).wrapping_shl(self.soma_fraction.max(0) as u32);
        let mut bases = [pull.wrapping_neg(); LANES];
        if let Some(base) = bases.get_mut(label) {
            *base = pull;
        }
        bases
    }

    /// Somatic potentials in 8 fraction bits, rounded up; see [`super::comparable`].
    #[inline(always)]
    pub(super) fn comparable(&self, somas: &[i32], to: &mut [i16]) {
        for (to, &soma) in to.iter_mut().zip(somas) {
            *to = super::comparable(soma, self.soma_fraction);
        }
    }
}

/// The narrowings of an update, if all of them are simple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickUpdate {
    delta: Shift,
    weight: Shift,
    stochastic: bool,
    /// Whether 32 bits hold everything.
    half: bool,
}

impl QuickUpdate {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let fraction = |variable| i32::from(of(variable).format.fraction);
        let product = fraction(Variable::Error).wrapping_add(fraction(Variable::Psp));
        let weight = of(Variable::Weight);
        let stochastic = weight.rounding == Rounding::Stochastic;
        let simple = |to: &VariableFormat| {
            matches!((to.rounding, to.overflow), (Rounding::Floor | Rounding::Nearest, Overflow::Saturate))
        };
        let floor = VariableFormat { rounding: Rounding::Floor, ..*weight };
        let rounded = if stochastic { &floor } else { weight };
        let delta = Shift::new(of(Variable::Delta), product).filter(|_| simple(of(Variable::Delta)))?;
        let weight = Shift::new(rounded, fraction(Variable::Delta))
            .filter(|shift| simple(rounded) && shift.down <= 32)?;
        // Two factors of 16 bits and a half; a change of 16 bits, its dither, and a weight.
        let narrow = |variable| of(variable).format.bits <= 16;
        let half = [Variable::Error, Variable::Psp, Variable::Delta].into_iter().all(narrow)
            && (delta.left, weight.left) == (0, 0)
            && delta.down <= 29
            && weight.down <= 24;
        Some(Self { delta, weight, stochastic, half })
    }

    /// W += narrow(e · psp) for a column.
    #[inline(always)]
    pub(super) fn run(&self, weights: &mut [i16], errors: &[i32], psp: i32, dither: &[u16; 32]) {
        if self.half {
            return self.run_half(weights, errors, psp, dither);
        }
        let unused = 32u32.wrapping_sub(self.weight.down);
        let keep = if self.stochastic { u64::MAX } else { 0 };
        let mut weyl = 0u16;
        for (weights, errors) in weights.chunks_mut(32).zip(errors.chunks(32)) {
            for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(dither) {
                let exact = i64::from(error).wrapping_mul(i64::from(psp));
                let delta = i64::from(self.delta.hold(self.delta.round(exact)));
                let noise = u64::from(weight_noise(lane.wrapping_add(weyl))).wrapping_shr(unused) & keep;
                let step = self.weight.round(delta.wrapping_add(noise as i64));
                *weight = self.weight.hold(i64::from(*weight).wrapping_add(step)) as i16;
            }
            weyl = weyl.wrapping_add(DITHER_STRIDE);
        }
    }

    /// The same in 32 bits.
    #[inline(always)]
    fn run_half(&self, weights: &mut [i16], errors: &[i32], psp: i32, dither: &[u16; 32]) {
        let mut weyl = 0u16;
        for (weights, errors) in weights.chunks_mut(LANES).zip(errors.chunks(LANES)) {
            // A copy of known size: vectors without a branch, and nothing that may overlap.
            let mut block = copied(weights);
            self.run_block(&mut block, &copied(errors), psp, dither, weyl);
            match weights.first_chunk_mut::<LANES>() {
                Some(weights) => *weights = block,
                None => weights.iter_mut().zip(block).for_each(|(to, from)| *to = from),
            }
            weyl = weyl.wrapping_add(DITHER_STRIDE);
        }
    }

    #[inline(always)]
    fn run_block(
        &self,
        weights: &mut [i16; LANES],
        errors: &[i32; LANES],
        psp: i32,
        dither: &[u16; LANES],
        weyl: u16,
    ) {
        let unused = 32u32.wrapping_sub(self.weight.down) & 31;
        let keep = if self.stochastic && self.weight.down > 0 { u32::MAX } else { 0 };
        let (delta_added, delta_down) = (self.delta.added as i32, self.delta.down);
        let (lowest, highest) = (self.delta.lowest as i32, self.delta.highest as i32);
        let (added, down) = (self.weight.added as i32, self.weight.down);
        let (smallest, largest) = (self.weight.lowest as i32, self.weight.highest as i32);
        for ((weight, &error), &lane) in weights.iter_mut().zip(errors).zip(dither) {
            let exact = error.wrapping_mul(psp).wrapping_add(delta_added);
            // No `clamp`: its check of the bounds is a branch.
            let delta = exact.wrapping_shr(delta_down).max(lowest).min(highest);
            let noise = weight_noise(lane.wrapping_add(weyl)).wrapping_shr(unused) & keep;
            let step = delta.wrapping_add(noise as i32).wrapping_add(added).wrapping_shr(down);
            *weight = i32::from(*weight).wrapping_add(step).max(smallest).min(largest) as i16;
        }
    }
}
