//! The core's kernels where only spikes are found in assembly: Armv6-M and RV32. Same bits as [`Plain`].

use crate::fire;
use apical_core::arithmetic::{Columns, ColumnsMut, Dynamics};
use apical_core::formats::Variable;
use apical_core::kernels::{Kernels, Plain, plain};
use apical_core::losses::Losses;
use apical_core::native::Weight;
use apical_core::parameters::Coefficients;
use apical_core::random::{Dither, Generator, Offsets};
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
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
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
    fn slopes<const COUNT: bool>(&self, sums: &[i32], steps: u32, to: &mut [i16], losses: &mut Losses<'_>) {
        Plain.slopes::<COUNT>(sums, steps, to, losses);
    }

    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        gain: i32,
        targets: &[i16],
        forwards: &[i16],
        to: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        Plain.errors::<COUNT>(gain, targets, forwards, to, losses);
    }
}
