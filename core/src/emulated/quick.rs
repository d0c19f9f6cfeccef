//! The same operations without a branch in their loops, for the formats most people try.
//!
//! They apply where states are rounded toward −∞ or to nearest and saturate, and updates
//! are rounded so or stochastically; everything else takes the long way in [`super`], with
//! the same bits. A test compares the two.

use super::{EmulatedCoefficients, VariableFormat, weight_noise};
use crate::arithmetic::Dynamics;
use crate::formats::Variable;
use crate::parameters::TEACHER;
use crate::random::DITHER_STRIDE;
use crate::rounding::{Overflow, Rounding};

/// What is added before a shift to the right by `down` bits, where that is a constant.
const fn constant(rounding: Rounding, down: u32) -> Option<i64> {
    match rounding {
        Rounding::Floor => Some(0),
        Rounding::Nearest => Some(1i64.wrapping_shl(down) >> 1),
        _ => None,
    }
}

/// A rounding by shift: to the left, or to the right after adding a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    left: u32,
    down: u32,
    added: i64,
    lowest: i64,
    highest: i64,
}

impl Shift {
    /// From so many fraction bits to a variable, if its narrowing is that simple.
    fn new(to: &VariableFormat, from: i32) -> Option<Self> {
        let down = from.wrapping_sub(i32::from(to.format.fraction));
        let (left, down) = (down.wrapping_neg().max(0) as u32, down.max(0) as u32);
        let saturates = matches!(to.overflow, Overflow::Saturate);
        let added = constant(to.rounding, down).filter(|_| saturates && down < 63 && left < 63)?;
        Some(Self { left, down, added, lowest: to.lowest, highest: to.highest })
    }

    #[inline(always)]
    fn round(&self, exact: i64) -> i64 {
        exact.wrapping_shl(self.left).wrapping_add(self.added).wrapping_shr(self.down)
    }

    #[inline(always)]
    fn hold(&self, value: i64) -> i32 {
        value.clamp(self.lowest, self.highest) as i32
    }
}

/// x + narrow(gain · (target − x)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Approach {
    target: u32,
    own: u32,
    gain: i64,
    shift: Shift,
}

impl Approach {
    fn new(to: &VariableFormat, target: i32, gain: i32) -> Option<Self> {
        let own = i32::from(to.format.fraction);
        let common = own.max(target);
        Some(Self {
            target: common.wrapping_sub(target) as u32,
            own: common.wrapping_sub(own) as u32,
            gain: i64::from(gain),
            shift: Shift::new(to, common.wrapping_add(15))?,
        })
    }

    #[inline(always)]
    fn moved(&self, x: i32, target: i32) -> i64 {
        let target = i64::from(target).wrapping_shl(self.target);
        let from = i64::from(x).wrapping_shl(self.own);
        self.shift.round(target.wrapping_sub(from).wrapping_mul(self.gain))
    }

    #[inline(always)]
    fn step(&self, x: i32, target: i32) -> i32 {
        self.shift.hold(i64::from(x).wrapping_add(self.moved(x, target)))
    }
}

/// Neurons that are stepped together.
const LANES: usize = 32;

/// Their state.
struct Block {
    sums: [i32; LANES],
    fast: [i32; LANES],
    slow: [i32; LANES],
    soma: [i32; LANES],
    bias: [i32; LANES],
}

#[inline(always)]
fn copied(from: &[i32]) -> [i32; LANES] {
    from.first_chunk().copied().unwrap_or_else(|| {
        let mut copy = [0; LANES];
        copy.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        copy
    })
}

/// The narrowings of a step, if all of them are simple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickStep {
    fast: Approach,
    slow: Approach,
    basal: Shift,
    gain: i64,
    synaptic: u32,
    constant: u32,
    soma: Approach,
    soma_fraction: i32,
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

    /// One step of every neuron of an infinite kernel.
    #[inline(always)]
    pub(super) fn run(&self, state: &mut Dynamics<'_, i32>, label: Option<usize>) {
        let filters = state.fast.chunks_mut(LANES).zip(state.slow.chunks_mut(LANES));
        let somata = state.soma.chunks_mut(LANES).zip(state.bias.chunks(LANES));
        let blocks = state.sums.chunks(LANES).zip(filters).zip(somata);
        for (((sums, (fast, slow)), (soma, bias)), block) in blocks.zip(0usize..) {
            let first = block.wrapping_mul(LANES);
            let bases = label.map(|label| self.bases(label.wrapping_sub(first)));
            // Copies, so that the compiler sees that nothing overlaps.
            let mut block = Block {
                sums: copied(sums),
                fast: copied(fast),
                slow: copied(slow),
                soma: copied(soma),
                bias: copied(bias),
            };
            self.run_block(&mut block, bases.as_ref());
            for (to, from) in [(fast, &block.fast), (slow, &block.slow), (soma, &block.soma)] {
                match to.first_chunk_mut::<LANES>() {
                    Some(to) => *to = *from,
                    None => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }

    #[inline(always)]
    fn run_block(&self, block: &mut Block, bases: Option<&[i64; LANES]>) {
        for (fast, &sum) in block.fast.iter_mut().zip(&block.sums) {
            *fast = self.fast.step(*fast, sum);
        }
        for (slow, &fast) in block.slow.iter_mut().zip(&block.fast) {
            *slow = self.slow.step(*slow, fast);
        }
        let mut drives = [0i32; LANES];
        for ((drive, &slow), &bias) in drives.iter_mut().zip(&block.slow).zip(&block.bias) {
            let synaptic = i64::from(slow).wrapping_mul(self.gain).wrapping_shl(self.synaptic);
            let constant = i64::from(bias).wrapping_shl(self.constant);
            *drive = self.basal.hold(self.basal.round(synaptic.wrapping_add(constant)));
        }
        let somata = block.soma.iter_mut().zip(&drives);
        match bases {
            None => {
                for (soma, &drive) in somata {
                    *soma = self.soma.step(*soma, drive);
                }
            }
            Some(bases) => {
                for ((soma, &drive), &base) in somata.zip(bases) {
                    *soma = self.soma.shift.hold(base.wrapping_add(self.soma.moved(*soma, drive)));
                }
            }
        }
    }

    /// What the teaching current pulls the units of a block to.
    fn bases(&self, label: usize) -> [i64; LANES] {
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
}

impl QuickUpdate {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Option<Self> {
        let of = |variable| layer.table.of(variable);
        let fraction = |variable| i32::from(of(variable).format.fraction);
        let product = fraction(Variable::Error).wrapping_add(fraction(Variable::Psp));
        let weight = of(Variable::Weight);
        let stochastic = weight.rounding == Rounding::Stochastic;
        let floor = VariableFormat { rounding: Rounding::Floor, ..*weight };
        Some(Self {
            delta: Shift::new(of(Variable::Delta), product)?,
            weight: Shift::new(if stochastic { &floor } else { weight }, fraction(Variable::Delta))
                .filter(|shift| shift.down <= 32)?,
            stochastic,
        })
    }

    /// W += narrow(e · psp) for a column.
    #[inline(always)]
    pub(super) fn run(&self, weights: &mut [i16], errors: &[i32], psp: i32, dither: &[u16; 32]) {
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
}
