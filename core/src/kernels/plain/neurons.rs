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
use crate::tables::noise::{BLOCK, candidates, count};

/// One step of every neuron where no kernel is cut and k_B · gain · 2 is below one.
/// Differences of states held within 15 bits need no second look.
#[inline(never)]
pub(super) fn advance_freely<const COUNT: bool>(
    layer: &Coefficients,
    state: Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
    offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
    losses: &mut Losses<'_>,
) {
    let somas = state.soma.get_mut(..units).unwrap_or(&mut []);
    match label {
        None => integrate::<COUNT>(layer, state.sums, state.fast, state.slow, state.bias, somas, losses),
        Some(label) => {
            let neurons = somas.iter_mut().zip(state.sums).zip(state.fast).zip(state.slow).zip(state.bias);
            let gains = Gains::of(layer);
            for (unit, ((((soma, &sum), fast), slow), &bias)) in neurons.enumerate() {
                let drive = gains.drive::<COUNT>(sum, fast, slow, bias, losses);
                let moved = scaled(drive.wrapping_sub(i32::from(*soma)), gains.soma, gains.half);
                let exact = pull(unit, label).saturating_add(moved as i16);
                if COUNT && held(exact) != exact {
                    losses.saturated(Variable::Soma, 1, unit);
                }
                *soma = held(exact);
            }
        }
    }
    fire(somas, None, offsets, spikes);
}

/// Coefficients in registers.
#[derive(Clone, Copy)]
struct Gains {
    fast: i32,
    slow: i32,
    basal: i32,
    soma: i32,
    half: i32,
}

impl Gains {
    #[inline(always)]
    fn of(layer: &Coefficients) -> Self {
        let [fast, slow, basal, soma] = [layer.fast, layer.slow, layer.basal, layer.soma].map(i32::from);
        Self { fast, slow, basal, soma, half: half() }
    }

    /// Both PSP filters and the basal drive of a neuron.
    #[inline(always)]
    fn drive<const COUNT: bool>(
        self,
        sum: i16,
        fast: &mut i16,
        slow: &mut i16,
        bias: i16,
        losses: &mut Losses<'_>,
    ) -> i32 {
        let toward = |from: i16, to: i32, gain: i32| {
            let from = i32::from(from);
            from.wrapping_add(scaled(to.wrapping_sub(from), gain, self.half))
        };
        let first = toward(*fast, i32::from(sum), self.fast);
        *fast = first as i16;
        let second = toward(*slow, first, self.slow);
        *slow = second as i16;
        let drive = i32::from(bias).wrapping_add(scaled(second, self.basal, self.half));
        // All within the limit and some that are not far from it, with numbers that an
        // instruction can hold.
        if drive.wrapping_add(0x3F00) as u32 > 0x7E00 {
            return hold_drive::<COUNT>(drive, losses);
        }
        drive
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

/// Filters, basal drive and soma of every neuron.
#[inline(always)]
fn integrate<const COUNT: bool>(
    layer: &Coefficients,
    sums: &[i16],
    fast: &mut [i16],
    slow: &mut [i16],
    bias: &[i16],
    somas: &mut [i16],
    losses: &mut Losses<'_>,
) {
    let gains = Gains::of(layer);
    for ((((soma, &sum), fast), slow), &bias) in somas.iter_mut().zip(sums).zip(fast).zip(slow).zip(bias) {
        let drive = gains.drive::<COUNT>(sum, fast, slow, bias, losses);
        let old = i32::from(*soma);
        *soma = old.wrapping_add(scaled(drive.wrapping_sub(old), gains.soma, gains.half)) as i16;
    }
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
pub(super) fn fire(
    potentials: &[i16],
    names: Option<&[u16]>,
    mut offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
) {
    spikes.clear();
    let mut first = 0usize;
    for potentials in potentials.chunks(BLOCK) {
        let offset = offsets.draw();
        for &candidate in candidates(offset) {
            let lane = usize::from(candidate.place.wrapping_sub(offset));
            let Some(&potential) = potentials.get(lane) else { break };
            if potential > candidate.threshold {
                let unit = first.wrapping_add(lane);
                let name = names.map_or(Some(unit as u16), |names| names.get(unit).copied());
                for _ in 0..count(potential, candidate.threshold) {
                    spikes.push(name.unwrap_or(0));
                }
            }
        }
        first = first.wrapping_add(BLOCK);
    }
}
