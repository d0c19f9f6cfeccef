//! A step of every neuron in two passes: filters and somata, then spikes.
//!
//! Four in five uniform numbers stand for no spike whatever the potential is; the second
//! pass only looks at the others ([`candidates`]).

use super::{held, pull};
use crate::arithmetic::Dynamics;
use crate::formats::{STATE_LIMIT, Variable};
use crate::losses::Losses;
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets};
use crate::spikes::Spikes;
use crate::tables::noise::{BLOCK, candidates, count, is_single};

/// Filters and somata of every neuron where no kernel is cut and k_B · gain · 2 is below one.
/// Differences of states held within 15 bits need no second look.
#[inline(never)]
pub(super) fn integrate_freely<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
    losses: &mut Losses<'_>,
) {
    let somas = state.soma.get_mut(..units).unwrap_or(&mut []);
    match label {
        None => {
            filter(layer, state.sums, state.fast, state.slow);
            integrate::<COUNT>(layer, state.slow, state.bias, somas, losses);
        }
        Some(label) => {
            filter(layer, state.sums, state.fast, state.slow);
            let gains = Gains::of(layer);
            for (unit, ((soma, &slow), &bias)) in
                somas.iter_mut().zip(&*state.slow).zip(state.bias).enumerate()
            {
                let drive = gains.drive::<COUNT>(slow, bias, losses);
                let moved = scaled(drive.wrapping_sub(i32::from(*soma)), gains.soma, gains.half);
                let exact = pull(unit, label).saturating_add(moved as i16);
                if COUNT && held(exact) != exact {
                    losses.saturated(Variable::Soma, 1, unit);
                }
                *soma = held(exact);
            }
        }
    }
}

/// Coefficients in registers.
#[derive(Clone, Copy)]
struct Gains {
    basal: i32,
    soma: i32,
    half: i32,
}

impl Gains {
    #[inline(always)]
    fn of(layer: &Coefficients) -> Self {
        Self { basal: i32::from(layer.basal), soma: i32::from(layer.soma), half: half() }
    }

    /// The basal drive of a neuron.
    #[inline(always)]
    fn drive<const COUNT: bool>(self, slow: i16, bias: i16, losses: &mut Losses<'_>) -> i32 {
        let drive = i32::from(bias).wrapping_add(scaled(i32::from(slow), self.basal, self.half));
        // Half of the range is all that occurs; a shift needs no limit in a register.
        if drive.wrapping_add(0x2000) >> 14 != 0 {
            return hold_drive::<COUNT>(drive, losses);
        }
        drive
    }
}

/// Both PSP filters of every neuron.
#[inline(always)]
fn filter(layer: &Coefficients, sums: &[i16], fast: &mut [i16], slow: &mut [i16]) {
    let (first_gain, second_gain, half) = (i32::from(layer.fast), i32::from(layer.slow), half());
    let toward = |from: i16, to: i32, gain: i32| {
        let from = i32::from(from);
        from.wrapping_add(scaled(to.wrapping_sub(from), gain, half))
    };
    let step = |sum: i16, fast: &mut i16, slow: &mut i16| {
        let first = toward(*fast, i32::from(sum), first_gain);
        *fast = first as i16;
        *slow = toward(*slow, first, second_gain) as i16;
    };
    let (sums, last_sums) = sums.as_chunks::<4>();
    let (fast, last_fast) = fast.as_chunks_mut::<4>();
    let (slow, last_slow) = slow.as_chunks_mut::<4>();
    for ((sums, fast), slow) in sums.iter().zip(fast).zip(slow) {
        for ((&sum, fast), slow) in sums.iter().zip(fast).zip(slow) {
            step(sum, fast, slow);
        }
    }
    for ((&sum, fast), slow) in last_sums.iter().zip(last_fast).zip(last_slow) {
        step(sum, fast, slow);
    }
}

/// Basal drive and soma of every neuron.
#[inline(always)]
fn integrate<const COUNT: bool>(
    layer: &Coefficients,
    slow: &[i16],
    bias: &[i16],
    somas: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let gains = Gains::of(layer);
    let mut step = |soma: &mut i16, slow: i16, bias: i16| {
        let old = i32::from(*soma);
        let drive = gains.drive::<COUNT>(slow, bias, losses);
        *soma = old.wrapping_add(scaled(drive.wrapping_sub(old), gains.soma, gains.half)) as i16;
    };
    let (somas, last_somas) = somas.as_chunks_mut::<4>();
    let (slow, last_slow) = slow.as_chunks::<4>();
    let (bias, last_bias) = bias.as_chunks::<4>();
    // What is left of the others may begin with whole fours: padding, beyond the units.
    let beyond = somas.len();
    for ((somas, slow), bias) in somas.iter_mut().zip(slow).zip(bias) {
        for ((soma, &slow), &bias) in somas.iter_mut().zip(slow).zip(bias) {
            step(soma, slow, bias);
        }
    }
    let rest = |fours: &'_ [[i16; 4]]| fours.get(beyond).copied();
    let (slow, bias) = (rest(slow), rest(bias));
    let others =
        slow.as_ref().map_or(last_slow, |four| four).iter().zip(bias.as_ref().map_or(last_bias, |four| four));
    for (soma, (&slow, &bias)) in last_somas.iter_mut().zip(others) {
        step(soma, slow, bias);
    }
}

/// ½ of a step in 2⁻¹⁵, in a register: an instruction that multiplies and adds takes no
/// constant, and the compiler would use two instructions if it knew this to be one.
#[inline(always)]
pub(super) fn half() -> i32 {
    core::hint::black_box(1 << 14)
}

/// ⌊value·gain·2⁻¹⁵ + ½⌋.
#[inline(always)]
pub(super) fn scaled(value: i32, gain: i32, half: i32) -> i32 {
    value.wrapping_mul(gain).wrapping_add(half) >> 15
}

#[cold]
#[inline(never)]
fn hold_drive<const COUNT: bool>(drive: i32, losses: &mut Losses<'_>) -> i32 {
    let limit = i32::from(STATE_LIMIT);
    let held = drive.clamp(limit.wrapping_neg(), limit);
    if COUNT && held != drive {
        losses.saturated(Variable::Basal, 1, 0);
    }
    held
}

/// Spikes of units with these potentials, called by their names or else by their numbers.
#[inline(never)]
pub fn fire(
    potentials: &[i16],
    names: Option<&[u16]>,
    mut offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
) {
    spikes.refill(|memory| {
        let mut length = 0;
        for (block, first) in potentials.chunks(BLOCK).zip((0u16..).step_by(BLOCK)) {
            let named = names.map(|names| names.get(usize::from(first)..).unwrap_or(&[]));
            length = fire_block(block, first, named, offsets.draw(), memory, length);
        }
        length
    });
}

/// Spikes of 32 units from the unit `first` on, written from place `length` on; returns
/// the place after the last.
#[inline(always)]
pub fn fire_block(
    potentials: &[i16],
    first: u16,
    names: Option<&[u16]>,
    offset: u16,
    memory: &mut [u16],
    mut length: usize,
) -> usize {
    for candidate in candidates(offset) {
        let lane = candidate.lane(offset);
        let Some(&potential) = potentials.get(usize::from(lane)) else { break };
        let threshold = candidate.threshold();
        if potential > threshold {
            let name = match names {
                Some(names) => names.get(usize::from(lane)).copied().unwrap_or(0),
                None => first.wrapping_add(lane),
            };
            let Some(place) = memory.get_mut(length) else { break };
            *place = name;
            length = length.wrapping_add(1);
            if !is_single(potential, threshold) {
                length = push_more(memory, length, name, potential, threshold);
            }
        }
    }
    length
}

/// The second and the third spike of a unit.
#[cold]
#[inline(never)]
pub fn push_more(memory: &mut [u16], mut length: usize, unit: u16, potential: i16, threshold: i16) -> usize {
    for _ in 1..count(potential, threshold) {
        let Some(place) = memory.get_mut(length) else { break };
        *place = unit;
        length = length.wrapping_add(1);
    }
    length
}
