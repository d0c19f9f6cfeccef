//! What a number format must be able to do for a network to run in it.
//!
//! The protocol (phases, spikes, order of updates) is written once, in
//! [`crate::network`]; whatever rounds is behind this trait. There are three texts of it
//! here and elsewhere: [`crate::native::Native`] (16-bit states, compiled-in formats),
//! [`crate::emulated::Emulated`] (32-bit states, formats chosen at run time), and float
//! ones outside this crate, for comparison.

use crate::formats::Variable;
use crate::kernels::{LISTED, PLACES};
use crate::losses::Losses;
use crate::random::{Dither, Generator, Offsets};
use crate::readout::Reading;
use crate::spikes::Spikes;
use crate::tables::noise::BLOCK;
use crate::trains::Trains;
use core::ops::Range;

/// A column-major matrix of weights: all units of input 0, then all of input 1, …
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a, W> {
    /// The weights, `stride` a column.
    pub weights: &'a [W],
    /// Entries of a column that are neurons; the rest is padding.
    pub units: usize,
    /// Distance from column to column; at least the number of units.
    pub stride: usize,
    /// For each column a bound of the magnitude of its raw weights (may be empty where
    /// the arithmetic does not need it).
    pub bounds: &'a [u16],
}

/// The same, to be changed.
#[derive(Debug)]
pub struct ColumnsMut<'a, W> {
    /// The weights, `stride` a column.
    pub weights: &'a mut [W],
    /// Distance from column to column.
    pub stride: usize,
    /// For each column a bound of the magnitude of its raw weights (may be empty).
    pub bounds: &'a mut [u16],
}

/// What changes the weights of a layer after an example.
#[derive(Debug)]
pub struct Updates<'a, W, S> {
    /// The weights.
    pub matrix: ColumnsMut<'a, W>,
    /// For each presynaptic unit the sum of its PSP over a window, 2⁻¹¹.
    pub presynaptic: &'a [u16],
    /// Steps of that window.
    pub steps: u32,
    /// The error of each neuron.
    pub errors: &'a [S],
    /// Noise for rounding.
    pub dither: &'a mut Dither,
}

impl<W, S: Copy + Default + PartialEq> Updates<'_, W, S> {
    /// Without the blocks of errors at the end that are all zero, as in padding: nothing moves without
    /// an error.
    #[inline(always)]
    #[must_use]
    pub(crate) fn trimmed(self) -> Self {
        let last = self.errors.iter().rposition(|&error| error != S::default());
        let used = last.map_or(0, |last| last.wrapping_add(1)).next_multiple_of(BLOCK);
        Self { errors: self.errors.get(..used).unwrap_or(self.errors), ..self }
    }
}

impl<W, S> Updates<'_, W, S> {
    /// The same, for somebody who may not want it.
    #[inline(always)]
    pub fn lend(&mut self) -> Updates<'_, W, S> {
        let ColumnsMut { weights, stride, bounds } = &mut self.matrix;
        Updates {
            matrix: ColumnsMut { weights, stride: *stride, bounds },
            presynaptic: self.presynaptic,
            steps: self.steps,
            errors: self.errors,
            dither: &mut *self.dither,
        }
    }
}

/// The part of a layer that moves each step; one entry a unit.
#[derive(Debug)]
pub struct Dynamics<'a, S> {
    /// Sum of the columns that spiked in this step.
    pub sums: &'a [S],
    /// First filter of the PSP cascade.
    pub fast: &'a mut [S],
    /// Second filter.
    pub slow: &'a mut [S],
    /// Somatic potential.
    pub soma: &'a mut [S],
    /// Bias, in units of the basal drive.
    pub bias: &'a [S],
    /// The sums of ten steps ago, to be replaced by today's; empty for an infinite kernel.
    pub oldest: &'a mut [S],
}

/// A stretch of steps that a layer goes through at once.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// Spikes of the layer below (of none, for the input).
    pub presynaptic: &'a Trains<'a>,
    /// Which of its steps is the first of the run.
    pub first: usize,
    /// Steps.
    pub steps: usize,
    /// What the teaching current says, in an output layer's target phase.
    pub label: Option<usize>,
    /// What a spike of each step adds to the sum of its potential over the window; shorter
    /// than the run where the rest counts for nothing.
    pub shares: &'a [u16],
    /// The steps whose potentials (of taught neurons: rates) are added up.
    pub window: Range<usize>,
    /// What is wanted of the spikes.
    pub wanted: Wanted,
}

/// What is wanted of the spikes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A list for each step: somebody hears them one by one.
    Lists,
    /// Masks, and how many they are; the sums of the columns that they select are made from these
    /// ([`Arithmetic::sum_masks`]) before the next layer runs, if there is one.
    Masks,
    /// Nothing beyond their credits: they need not be found, nor counted, though their noise is drawn.
    Nothing,
}

/// The neurons of a layer, as a run needs them; one entry a unit.
#[derive(Debug)]
pub struct Neurons<'a, S, T> {
    /// Neurons; the rest of each slice is padding.
    pub units: usize,
    /// First filter of the PSP cascade.
    pub fast: &'a mut [S],
    /// Second filter.
    pub slow: &'a mut [S],
    /// Somatic potential.
    pub soma: &'a mut [S],
    /// Bias, in units of the basal drive.
    pub bias: &'a [S],
    /// The sums of the last ten steps; empty for an infinite kernel.
    pub history: &'a mut [S],
    /// Which of them is the oldest.
    pub oldest: usize,
    /// Sums over the window.
    pub soma_sums: &'a mut [T],
    /// Sums of the neurons' own postsynaptic potentials.
    pub psp: &'a mut [u16],
}

/// Memory for what a run needs while it goes on.
#[derive(Debug)]
pub struct Scratch<'a> {
    /// Offsets into the noise, one for each block of 32 units and each step.
    pub places: &'a mut [u16],
    /// What the weights of a few units can add up to ([`reaches_of`](crate::kernels::reaches_of) so many blocks of 32).
    pub reaches: &'a mut [u16],
    /// Weights to up to 16 outputs, unit by unit ([`weights_of`](crate::kernels::weights_of) so many blocks).
    pub weights: &'a mut [[i16; PLACES]],
    /// Credits of the active pixels.
    pub psp: &'a mut [u16],
    /// Sums of columns of up to 16 outputs; one entry a step.
    pub sums: &'a mut [[i32; PLACES]],
    /// Masks of second spikes, and where they stand: two rows.
    pub listed: &'a mut [[u32; LISTED]],
}

/// A number format with its rounding, as a set of operations on slices and numbers.
pub trait Arithmetic {
    /// Stored weight.
    type Weight: bytemuck::Pod + Default + PartialEq + core::fmt::Debug;
    /// Potential, filter, fraction, error: whatever a neuron holds.
    type State: bytemuck::Pod + Default + PartialEq + core::fmt::Debug;
    /// Sum of states over the steps of a phase.
    type Sum: bytemuck::Pod + Default + PartialEq + core::fmt::Debug;
    /// Coefficients and formats of a layer; see `crate::parameters`.
    type Coefficients;
    /// The same with the weights of an output layer, which may be of another type.
    type Output: Arithmetic<
            State = Self::State,
            Sum = Self::Sum,
            Coefficients = Self::Coefficients,
            Output = Self::Output,
        >;

    /// Whether a test's outputs are read out ([`Self::read_out`]) instead of going step by step.
    const READS_OUT: bool = false;

    /// The arithmetic of the output layer.
    fn output(&self) -> Self::Output;

    /// u: the sum of the columns that spiked, narrowed once.
    fn sum_columns(
        &self,
        layer: &Self::Coefficients,
        columns: Columns<'_, Self::Weight>,
        spikes: &[u16],
        sums: &mut [Self::State],
        losses: &mut Losses<'_>,
    );

    /// One step of every neuron: filters, basal drive, soma, spikes; of output neurons under
    /// the teaching current that says `label`. `units` is how many of the entries are neurons;
    /// the rest is padding.
    #[allow(clippy::too_many_arguments)] // a layer, what goes in, what comes out
    fn advance(
        &self,
        layer: &Self::Coefficients,
        state: Dynamics<'_, Self::State>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    );

    /// All steps of a run at once; false, with nothing done, where the run must go step by
    /// step.
    #[allow(clippy::too_many_arguments)] // a layer, what goes in, what comes out
    #[inline(always)]
    fn run(
        &self,
        layer: &Self::Coefficients,
        columns: Columns<'_, Self::Weight>,
        neurons: Neurons<'_, Self::State, Self::Sum>,
        run: &Run<'_>,
        draws: &mut Generator,
        trains: &mut Trains<'_>,
        scratch: &mut Scratch<'_>,
        losses: &mut Losses<'_>,
    ) -> bool {
        let _ = (layer, columns, neurons, run, draws, trains, scratch, losses);
        false
    }

    /// Whether [`Self::sum_masks`] works for an output layer of these columns, and [`Self::run`]
    /// after it.
    #[inline(always)]
    fn reads_masks(
        &self,
        columns: Columns<'_, Self::Weight>,
        steps: usize,
        trains: &Trains<'_>,
        scratch: &Scratch<'_>,
    ) -> bool {
        let _ = (columns, steps, trains, scratch);
        false
    }

    /// Leaves in `scratch` Σ of the columns that spiked in each of so many steps, from masks.
    #[inline(always)]
    fn sum_masks(
        &self,
        columns: Columns<'_, Self::Weight>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        let _ = (columns, trains, steps, scratch);
    }

    /// The sums of an output layer's somatic potentials over the window of a test, from what the spikes below are
    /// worth ([`crate::readout`]).
    #[inline(always)]
    fn read_out(
        &self,
        layer: &Self::Coefficients,
        reading: Reading<'_, Self::Weight, Self::State>,
        sums: &mut [Self::Sum],
        losses: &mut Losses<'_>,
    ) {
        let _ = (layer, reading, sums, losses);
    }

    /// Names of the pixels that are not black, in order and as far as there is room, and how many they are;
    /// none where they are to be looked at one by one.
    #[inline(always)]
    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        let _ = (greys, names);
        None
    }

    /// [`Self::run`] of units with fixed potentials; their credits are left in `scratch`.
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

    /// Spikes of units with fixed potentials (8 fraction bits); unit i is called `names[i]`.
    fn fire_pixels(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    );

    /// Adds somatic potentials to their sums over the window.
    fn accumulate(&self, somas: &[Self::State], sums: &mut [Self::Sum]);

    /// Adds one number to a sum.
    fn add(&self, sum: Self::Sum, term: Self::State) -> Self::Sum;

    /// Mean of a sum over `steps` steps, as a `variable`.
    fn mean(
        &self,
        layer: &Self::Coefficients,
        variable: Variable,
        sum: Self::Sum,
        steps: u32,
        losses: &mut Losses<'_>,
    ) -> Self::State;

    /// Mean PSP of a presynaptic unit from its sum in 2⁻¹¹ ([`crate::tables::psp`]).
    fn mean_psp(
        &self,
        layer: &Self::Coefficients,
        sum: u16,
        steps: u32,
        losses: &mut Losses<'_>,
    ) -> Self::State;

    /// σ of a potential, as a rate.
    fn rate(&self, layer: &Self::Coefficients, soma: Self::State) -> Self::State;

    /// σ′ = σ(1 − σ) from σ.
    fn slope(&self, layer: &Self::Coefficients, rate: Self::State) -> Self::State;

    /// σ′ of each mean somatic potential, from its sum over `steps` steps.
    #[inline(always)]
    fn slopes(
        &self,
        layer: &Self::Coefficients,
        sums: &[Self::Sum],
        steps: u32,
        slopes: &mut [Self::State],
        losses: &mut Losses<'_>,
    ) {
        for (slope, &sum) in slopes.iter_mut().zip(sums) {
            let mean = self.mean(layer, Variable::Soma, sum, steps, losses);
            *slope = self.slope(layer, self.rate(layer, mean));
        }
    }

    /// σ of each hidden neuron's mean apical potential, from the mean PSPs of the outputs.
    fn plateaus(
        &self,
        layer: &Self::Coefficients,
        feedback: Columns<'_, Self::Weight>,
        psp: &[Self::State],
        plateaus: &mut [Self::State],
        losses: &mut Losses<'_>,
    );

    /// e = 20 η k (target − forward) σ′ of each neuron; `errors` holds σ′ on entry.
    fn errors(
        &self,
        layer: &Self::Coefficients,
        targets: &[Self::State],
        forwards: &[Self::State],
        errors: &mut [Self::State],
        losses: &mut Losses<'_>,
    );

    /// W += e · ⟨s⟩ for the column of one presynaptic unit; returns the column's new bound.
    #[allow(clippy::too_many_arguments)] // a column, its two factors, its noise, its losses
    fn update_column(
        &self,
        layer: &Self::Coefficients,
        weights: &mut [Self::Weight],
        errors: &[Self::State],
        psp: Self::State,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16;

    /// W += e · ⟨s⟩ for every column whose presynaptic unit has a mean PSP.
    ///
    /// # Draws
    /// One step of the dither a changed column.
    #[inline(always)]
    fn learn(
        &self,
        layer: &Self::Coefficients,
        updates: Updates<'_, Self::Weight, Self::State>,
        losses: &mut Losses<'_>,
    ) {
        learn_each(self, layer, updates, losses);
    }

    /// b += e, in the units of the basal drive.
    fn update_bias(
        &self,
        layer: &Self::Coefficients,
        bias: &mut [Self::State],
        errors: &[Self::State],
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    );

    /// Whether a potential is larger than another.
    fn exceeds(&self, sum: Self::Sum, other: Self::Sum) -> bool;

    /// An initial weight: mean plus spread times a number in [−1, 1), from its draw.
    fn initial_weight(&self, layer: &Self::Coefficients, variable: Variable, value: i64) -> Self::Weight;

    /// An initial bias, given in 2⁻³².
    fn initial_bias(&self, layer: &Self::Coefficients, value: i64) -> Self::State;

    /// Bound of a column's magnitude, where the arithmetic keeps one.
    fn bound(&self, weights: &[Self::Weight]) -> u16;

    /// The words of a weight and of a state for a digest.
    fn weight_bits(&self, weight: Self::Weight) -> u32;
    /// Likewise.
    fn state_bits(&self, state: Self::State) -> u32;
    /// Likewise.
    fn sum_bits(&self, sum: Self::Sum) -> u32;
}

/// The updates of all columns, one after another; see [`Arithmetic::learn`].
#[inline(always)]
pub(crate) fn learn_each<A: Arithmetic + ?Sized>(
    arithmetic: &A,
    layer: &A::Coefficients,
    updates: Updates<'_, A::Weight, A::State>,
    losses: &mut Losses<'_>,
) {
    let Updates { matrix, presynaptic, steps, errors, dither } = updates;
    let mut bounds = matrix.bounds.iter_mut();
    let columns = matrix.weights.chunks_exact_mut(matrix.stride.max(1));
    for ((column, &sum), input) in columns.zip(presynaptic).zip(0u32..) {
        let bound = bounds.next();
        if sum == 0 {
            continue;
        }
        losses.enter_column(input);
        let psp = arithmetic.mean_psp(layer, sum, steps, losses);
        if psp == A::State::default() {
            continue;
        }
        let noise = dither.draw();
        let largest = arithmetic.update_column(layer, column, errors, psp, &noise, losses);
        if let Some(bound) = bound {
            *bound = largest;
        }
    }
    losses.enter_column(0);
}
