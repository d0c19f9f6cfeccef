//! What runs over whole layers, thousands of times an example.
//!
//! Two texts with the same bits: [`plain`] for any machine, in loops over single numbers,
//! and [`Vector`] for machines with vectors, 32 numbers at a time in [`lanes`].

#[cfg(feature = "baseline")]
mod baseline;
mod change;
mod columns;
mod counted;
mod feedback;
mod fire;
pub mod lanes;
mod listed;
mod neurons;
mod output_sums;
mod pixels;
pub mod plain;
mod readout;
mod run;
mod vector;
mod watch;

use crate::arithmetic::{Columns, ColumnsMut, Dynamics, Neurons, Run, Scratch, Updates};
use crate::formats::{ACCUMULATOR_LIMIT, Variable};
use crate::losses::Losses;
use crate::native::{Weight, mean_psp, reciprocal};
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets};
use crate::readout::Reading;
use crate::spikes::Spikes;
use crate::trains::Trains;

#[cfg(feature = "baseline")]
pub use baseline::Baseline;
pub(crate) use columns::{TileOf, Width, add_some, each, width_of};
pub(crate) use fire::fire;
pub use fire::{THRICE, draw_places, places_of};
pub use lanes::{Job, Lanes};
pub use output_sums::{LISTED, PLACES, reaches_of, weights_of};
pub use plain::Plain;
pub(crate) use run::{has_room, tile_mut};
pub use vector::Vector;

/// Operations of [`crate::native::Native`] over a layer; see
/// [`Arithmetic`](crate::arithmetic::Arithmetic) for what each one does. What kernels have not
/// of their own, [`Plain`] does.
pub trait Kernels: Copy {
    /// Calls `f` where the instructions of these kernels may be used.
    #[inline(always)]
    fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Does a job on the lanes of these kernels, where they have any.
    #[inline(always)]
    fn on_lanes<J: Job>(&self, job: J) -> Option<J::Outcome> {
        let _ = job;
        None
    }

    /// u = narrow(Σ columns); `shift` leads from the weights' to the filters' point.
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

    /// See [`Arithmetic::reads_masks`](crate::arithmetic::Arithmetic::reads_masks).
    #[inline(always)]
    fn reads_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        steps: usize,
        trains: &Trains<'_>,
        scratch: &Scratch<'_>,
    ) -> bool {
        let _ = (columns, steps, trains, scratch);
        false
    }

    /// See [`Arithmetic::sum_masks`](crate::arithmetic::Arithmetic::sum_masks).
    #[inline(always)]
    fn sum_masks<W: Weight>(
        &self,
        columns: Columns<'_, W>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        let _ = (columns, trains, steps, scratch);
    }

    /// See [`Arithmetic::read_out`](crate::arithmetic::Arithmetic::read_out).
    #[inline(always)]
    fn read_out<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, W, i16>,
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        plain::read_out::<W, COUNT>(layer, reading, sums, losses);
    }

    /// See [`Arithmetic::find_active`](crate::arithmetic::Arithmetic::find_active).
    #[inline(always)]
    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        let _ = (greys, names);
        None
    }

    /// [`Self::run`] of units with fixed potentials; what their spikes are credited with is left
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
        Plain.plateaus::<W, COUNT>(shift, feedback, psp, plateaus, losses);
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
        Plain.slopes::<COUNT>(sums, steps, slopes, losses);
    }

    /// Errors from plateaus and slopes.
    #[inline(always)]
    fn errors<const COUNT: bool>(
        &self,
        layer: &Coefficients,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        Plain.errors::<COUNT>(layer, targets, forwards, errors, losses);
    }

    /// W += narrow(e · psp) for a column; returns the largest magnitude in it.
    #[inline(always)]
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
    ) -> u16 {
        Plain.update::<W, COUNT>(variable, layer, weights, errors, psp, dither, losses)
    }

    /// The same for every column whose presynaptic unit has a mean PSP.
    #[inline(always)]
    fn learn<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        updates: Updates<'_, W, i16>,
        losses: &mut Losses<'_>,
    ) {
        Plain.learn::<W, COUNT>(layer, updates, losses);
    }
}

/// The updates of all columns whose presynaptic unit has a mean PSP; see
/// [`Kernels::learn`]. `update` gets a column, its PSP, and its bound, where one is kept; it
/// returns the new bound.
#[inline(always)]
pub fn learn_columns<W: Weight, const COUNT: bool>(
    mut matrix: ColumnsMut<'_, W>,
    presynaptic: &[u16],
    steps: u32,
    losses: &mut Losses<'_>,
    mut update: impl FnMut(&mut [W], i16, Option<u16>, &mut Losses<'_>) -> u16,
) {
    let reciprocal = reciprocal(steps);
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
        if !learn_column::<W, COUNT>(&mut matrix, input, sum, reciprocal, losses, &mut update) {
            break;
        }
    }
    if COUNT {
        losses.enter_column(0);
    }
}

/// The same of one column, whose unit has this sum of PSPs; false where there is no such column.
#[inline(always)]
fn learn_column<W: Weight, const COUNT: bool>(
    matrix: &mut ColumnsMut<'_, W>,
    input: usize,
    sum: u16,
    reciprocal: i64,
    losses: &mut Losses<'_>,
    update: &mut impl FnMut(&mut [W], i16, Option<u16>, &mut Losses<'_>) -> u16,
) -> bool {
    if COUNT {
        losses.enter_column(input as u32);
    }
    let psp = mean_psp::<COUNT>(sum, reciprocal, losses);
    if psp == 0 {
        return true;
    }
    let start = input.wrapping_mul(matrix.stride);
    let Some(column) = matrix.weights.get_mut(start..start.wrapping_add(matrix.stride)) else { return false };
    let bound = matrix.bounds.get_mut(input);
    let largest = update(column, psp, bound.as_deref().copied(), losses);
    if let Some(bound) = bound {
        *bound = largest;
    }
    true
}

/// How far the weights of a layer can move when it learns.
#[derive(Clone, Copy)]
struct Reach {
    shift: u32,
    error: u32,
    limit: u32,
}

impl Reach {
    /// Under these errors.
    #[inline(always)]
    fn new<W: Weight>(layer: &Coefficients, errors: &[i16]) -> Self {
        let error = errors.iter().map(|error| error.unsigned_abs()).max().unwrap_or(0);
        let limit = W::saturate(i16::MAX).widen().unsigned_abs().into();
        Self { shift: u32::from(layer.update_shift) & 15, error: error.into(), limit }
    }

    /// Steps that a weight moves at most when its input has this mean PSP, whatever the noise.
    #[inline(always)]
    fn steps(self, psp: i16) -> u32 {
        let change = self.error.wrapping_mul(psp.unsigned_abs().into()) >> 15;
        (change.wrapping_add(1) >> self.shift).wrapping_add(1)
    }

    /// Whether weights of a magnitude stay within their range then.
    #[inline(always)]
    fn is_within(self, magnitude: u16, psp: i16) -> bool {
        self.steps(psp).wrapping_add(magnitude.into()) <= self.limit
    }
}

/// The bound of a column whose weights moved by so many steps at most: measured anew when it
/// passes a multiple of 2^grain; until then it is enough to know how far a weight can have moved.
#[inline(always)]
fn grown_bound(bound: u16, steps: u32, grain: u32, measure: impl FnOnce() -> u16) -> u16 {
    let grown = steps.wrapping_add(bound.into());
    if grown >> grain == u32::from(bound) >> grain { grown as u16 } else { measure() }
}

/// The grain of narrow weights.
const NARROW_GRAIN: u32 = 4;

/// Whether nothing can be held within its range when a layer learns whose losses are counted.
#[inline(always)]
fn nothing_is_held<W: Weight>(updates: &Updates<'_, W, i16>, reach: Reach) -> bool {
    let Updates { matrix, presynaptic, steps, .. } = updates;
    let bound = match &*matrix.bounds {
        [] => matrix.weights.iter().map(|weight| weight.widen().unsigned_abs()).max(),
        bounds => bounds.iter().copied().max(),
    };
    let sum = presynaptic.iter().copied().max().unwrap_or(0);
    let mean = (i64::from(sum).wrapping_mul(reciprocal(*steps)) >> 16).wrapping_add(1);
    mean <= i64::from(i16::MAX) && reach.is_within(bound.unwrap_or(0), i16::MAX)
}

/// Largest sum of bounds that is safe in 16 bits.
const SAFE_SUM: u64 = ACCUMULATOR_LIMIT as u64;

/// Whether these columns can be added up in 16 bits without a check: the sum is exact in
/// any order then, and equal to the checked one.
#[inline(always)]
fn fits<W: Weight>(bounds: &[u16], spikes: &[u16]) -> bool {
    spikes.len() <= W::EXACT_SPIKES || sum_of_bounds::<W>(bounds, spikes) <= SAFE_SUM
}

/// Sum of the bounds of some columns; where no bounds are kept because the weights are
/// narrow, as if each were at its limit.
#[inline(always)]
fn sum_of_bounds<W: Weight>(bounds: &[u16], spikes: &[u16]) -> u64 {
    if let Some(most) = SAFE_SUM.checked_div(W::EXACT_SPIKES as u64) {
        return most.wrapping_mul(spikes.len() as u64);
    }
    let mut sum = 0u64;
    for &unit in spikes {
        let Some(&bound) = bounds.get(usize::from(unit)) else { return u64::MAX };
        sum = sum.wrapping_add(u64::from(bound));
    }
    sum
}
