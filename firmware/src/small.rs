//! The core's kernels where only spikes are found in assembly: Armv6-M and RV32. Same bits as [`Plain`](apical_core::kernels::Plain).

use crate::fire;
use apical_core::arithmetic::Dynamics;
use apical_core::kernels::{Kernels, plain};
use apical_core::losses::Losses;
use apical_core::parameters::Coefficients;
use apical_core::random::{Generator, Offsets};
use apical_core::spikes::Spikes;

/// Apart from a layer's step, whose stack would hold what it needs as well.
#[inline(never)]
fn fire_units(
    potentials: &[i16],
    names: Option<&[u16]>,
    offsets: Offsets<'_, Generator>,
    spikes: &mut Spikes<'_>,
) {
    fire::fire(potentials, names, offsets, spikes);
}

/// Kernels for small machines.
#[derive(Clone, Copy, Default)]
pub struct Small;

impl Kernels for Small {
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
        let Dynamics { sums, fast, slow, soma, bias, oldest } = state;
        let state = Dynamics { sums, fast, slow, soma: &mut *soma, bias, oldest };
        plain::integrate::<COUNT>(layer, state, units, label, losses);
        fire_units(soma.get(..units).unwrap_or(&[]), None, offsets, spikes);
    }

    #[inline(always)]
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        fire_units(potentials, Some(names), offsets, spikes);
    }
}
