//! What runs over whole layers, thousands of times an example.
//!
//! Two texts with the same bits: [`plain`] for any machine, in loops over single numbers,
//! and [`lanes`] for machines with vectors, 32 numbers at a time.

mod counted;
pub mod lanes;
mod note;
pub mod plain;
mod run;

use crate::arithmetic::{Columns, ColumnsMut, Dynamics, Neurons, Run, Scratch};
use crate::formats::{ACCUMULATOR_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::{Weight, mean_psp, reciprocal};
use crate::parameters::Coefficients;
use crate::random::{Dither, Generator, Offsets};
use crate::spikes::Spikes;
use crate::trains::Trains;

pub use lanes::{Lanes, Vector};
pub use plain::Plain;
pub use run::draw_places;

/// Operations of [`crate::native::Native`] over a layer; see
/// [`Arithmetic`](crate::arithmetic::Arithmetic) for what each one does.
pub trait Kernels: Copy {
    /// Calls `f` where the instructions of these kernels may be used.
    #[inline(always)]
    fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// u = narrow(Σ columns); `shift` leads from the weights' to the filters' point.
    fn sum_columns<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    );

    /// Filters, basal drive, soma, spikes of one step; with a label, under the teaching
    /// current.
    #[allow(clippy::too_many_arguments)] // those of `Arithmetic::advance`, and the label
    fn advance<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    );

    /// Spikes of units with fixed potentials: unit i of them is called `names[i]`.
    fn fire(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    );

    /// All steps of a run at once, for kernels that gain by it; see [`run`](self). False
    /// where the run must go step by step.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // a layer, what goes in, what comes out
    fn run<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, W>,
        neurons: Neurons<'_, i16, i32>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        let _ = (layer, columns, neurons, run, draws, trains, scratch, losses);
        false
    }

    /// The same of units with fixed potentials; what their spikes are credited with is left
    /// in the scratch memory, one sum a unit.
    #[inline(always)]
    fn fire_run(
        &self,
        potentials: &[i16],
        names: &[u16],
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        let _ = (potentials, names, run, draws, trains, scratch);
        false
    }

    /// Adds somatic potentials to their sums.
    #[inline(always)]
    fn accumulate(&self, somas: &[i16], sums: &mut [i32]) {
        plain::accumulate(somas, sums);
    }

    /// σ of the mean apical potentials.
    #[inline(always)]
    fn plateaus<W: Weight, const COUNT: bool>(
        &self,
        shift: i8,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plain::plateaus::<W, COUNT>(shift, feedback, psp, plateaus, losses);
    }

    /// σ′ of the means of somatic potentials.
    #[inline(always)]
    fn slopes<const COUNT: bool>(
        &self,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plain::slopes::<COUNT>(sums, steps, slopes, losses);
    }

    /// Errors from plateaus and slopes.
    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        gain: i32,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        plain::errors::<COUNT>(gain, targets, forwards, errors, losses);
    }

    /// W += narrow(e · psp) for a column; returns the largest magnitude in it.
    #[allow(clippy::too_many_arguments)] // a column, its two factors, its noise, its losses
    fn update<W: Weight, const COUNT: bool>(
        &self,
        variable: Variable,
        layer: &Coefficients,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16;

    /// The same for every column whose presynaptic unit has a mean PSP.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // a matrix, its two factors, its noise, its losses
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
        learn_columns::<W, COUNT>(matrix, presynaptic, steps, losses, |column, psp, _, losses| {
            let noise = dither.draw();
            self.update::<W, COUNT>(Variable::Weight, layer, column, errors, psp, &noise, losses)
        });
    }
}

/// The updates of all columns whose presynaptic unit has a mean PSP; see
/// [`Kernels::learn`]. `update` gets a column, its PSP, and its bound, where one is kept; it
/// returns the new bound.
#[inline(always)]
pub fn learn_columns<W: Weight, const COUNT: bool>(
    matrix: ColumnsMut<'_, W>,
    presynaptic: &[u16],
    steps: u32,
    losses: &mut Losses<'_>,
    mut update: impl FnMut(&mut [W], i16, Option<u16>, &mut Losses<'_>) -> u16,
) {
    let (reciprocal, stride) = (reciprocal(steps), matrix.stride);
    let mut next = 0usize;
    while let Some(rest) = presynaptic.get(next..)
        && let Some(&sum) = rest.first()
    {
        let input = next;
        if sum == 0 {
            // Most pixels are black, and lie together.
            let passed = if rest.first_chunk() == Some(&[0; 4]) { 4 } else { 1 };
            next = next.wrapping_add(passed);
            continue;
        }
        next = next.wrapping_add(1);
        if COUNT {
            losses.enter_column(input as u32);
        }
        let psp = mean_psp::<COUNT>(sum, reciprocal, losses);
        if psp == 0 {
            continue;
        }
        let start = input.wrapping_mul(stride);
        let Some(column) = matrix.weights.get_mut(start..start.wrapping_add(stride)) else { break };
        let bound = matrix.bounds.get_mut(input);
        let largest = update(column, psp, bound.as_deref().copied(), losses);
        if let Some(bound) = bound {
            *bound = largest;
        }
    }
    if COUNT {
        losses.enter_column(0);
    }
}

/// Whether these columns can be added up in 16 bits without a check: the sum is exact in
/// any order then, and equal to the checked one.
#[inline(always)]
fn fits<W: Weight>(bounds: &[u16], spikes: &[u16]) -> bool {
    if spikes.len() <= W::EXACT_SPIKES {
        return true;
    }
    let mut sum = 0i32;
    for &unit in spikes {
        let bound = bounds.get(usize::from(unit)).copied().unwrap_or(u16::MAX);
        sum = sum.saturating_add(i32::from(bound));
    }
    sum <= ACCUMULATOR_LIMIT
}
