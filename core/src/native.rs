//! The compiled-in arithmetic: 16-bit states, weights of 16 or 8 bits, of one type in hidden
//! layers and of one in the output layer.
//!
//! Its operations on single numbers stand here, once; what runs over whole layers is a
//! [`Kernels`], of which [`crate::kernels`] has a plain and a vectorised one with the same
//! bits.
//!
//! # Numerics
//! One narrowing per state variable, to nearest, of an exact product of 16 by 16 bits:
//! u (from the weights' binary point to the filters'), x₁, x₂, basal drive, soma, mean
//! PSP, mean apical potential, error, ΔW. The weight itself is narrowed as its layer's
//! [`Rounding`](crate::rounding::Rounding) says. Filters and somata stay within ±16383, so
//! that no difference overflows; see [`crate::formats`].

use crate::arithmetic::{Arithmetic, Columns, Dynamics, Neurons, Run, Scratch, Updates};
use crate::formats::{Change, Filter, Fraction, Potential, Variable};
use crate::kernels::{Kernels, Lanes};
use crate::layer::Layer;
use crate::losses::Losses;
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets};
use crate::readout::{self, Reading, Readout};
use crate::spikes::Spikes;
use crate::tables::sigmoid::sigmoid;
use crate::trains::Trains;
use core::fmt::Debug;
use core::marker::PhantomData;

/// A stored weight.
pub trait Weight: bytemuck::Pod + Default + PartialEq + Debug {
    /// Spikes whose columns can be added in 16 bits whatever the weights are.
    const EXACT_SPIKES: usize;
    /// As a 16-bit number of the same step.
    fn widen(self) -> i16;
    /// The nearest weight to a 16-bit number of the same step.
    fn saturate(value: i16) -> Self;
    /// Whether it is kept as an unsigned number, 2¹⁵ more than it stands for.
    const OFFSET: bool = false;
    /// The weight plus so many steps, saturated.
    #[inline(always)]
    fn moved(self, step: i32) -> Self {
        Self::saturate(i32::from(self.widen()).wrapping_add(step).clamp(-32768, 32767) as i16)
    }
    /// 32 of them, for a vector unit.
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self; 32]) -> L::Block {
        lanes.load(&from.map(Self::widen))
    }
    /// Adds 16 of them to sums of 32 bits.
    #[inline(always)]
    fn add_totals<L: Lanes>(lanes: L, totals: L::Totals, from: &[Self; 16]) -> L::Totals {
        lanes.add_totals(totals, &from.map(Self::widen))
    }
    /// Whether a vector unit adds two columns faster at once ([`Weight::add_pair`]).
    const IN_PAIRS: bool = false;
    /// Adds two rows of 64 to sums in an order of the lanes' own ([`Lanes::in_order`]).
    #[inline(always)]
    fn add_pair<L: Lanes>(
        lanes: L,
        sums: [L::Block; 2],
        one: &[Self; 64],
        other: &[Self; 64],
    ) -> [L::Block; 2] {
        let _ = (lanes, one, other);
        sums
    }
    /// Adds steps of 8 bits to 64 of them, each sum saturated.
    #[inline(always)]
    fn move_pair<L: Lanes>(lanes: L, weights: &mut [Self; 64], steps: [L::Block; 2]) {
        let _ = (lanes, weights, steps);
    }
    /// The other way round, each saturated.
    #[inline(always)]
    fn store<L: Lanes>(lanes: L, block: L::Block, to: &mut [Self; 32]) {
        let mut wide = [0; 32];
        lanes.store(block, &mut wide);
        *to = wide.map(Self::saturate);
    }
    /// For a vector unit: a sum without its limits, or the sum within those of a weight;
    /// whichever it is, it differs from `sum` (held within 16 bits) where the weight is held.
    fn exact_or_held<L: Lanes>(lanes: L, old: L::Block, step: L::Block, sum: L::Block) -> L::Block;
    /// Weights in a word of 32 bits.
    const PER_WORD: usize = 4 / size_of::<Self>();
    /// Memory as words of 32 bits, where it is a whole number of words and lies like words;
    /// the first weight in the lowest bits.
    #[inline(always)]
    fn words(weights: &[Self]) -> Option<&[u32]> {
        if cfg!(target_endian = "little") { bytemuck::try_cast_slice(weights).ok() } else { None }
    }
}

impl Weight for i16 {
    const EXACT_SPIKES: usize = 0;
    #[inline(always)]
    fn widen(self) -> i16 {
        self
    }
    #[inline(always)]
    fn saturate(value: i16) -> Self {
        value
    }
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self; 32]) -> L::Block {
        lanes.load(from)
    }
    #[inline(always)]
    fn add_totals<L: Lanes>(lanes: L, totals: L::Totals, from: &[Self; 16]) -> L::Totals {
        lanes.add_totals(totals, from)
    }
    #[inline(always)]
    fn store<L: Lanes>(lanes: L, block: L::Block, to: &mut [Self; 32]) {
        lanes.store(block, to);
    }
    #[inline(always)]
    fn exact_or_held<L: Lanes>(lanes: L, old: L::Block, step: L::Block, _: L::Block) -> L::Block {
        lanes.add(old, step)
    }
}

impl Weight for i8 {
    const EXACT_SPIKES: usize = 255;
    #[inline(always)]
    fn widen(self) -> i16 {
        i16::from(self)
    }
    #[inline(always)]
    fn saturate(value: i16) -> Self {
        value.clamp(-128, 127) as i8
    }
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self; 32]) -> L::Block {
        lanes.load_bytes(from)
    }
    #[inline(always)]
    fn add_totals<L: Lanes>(lanes: L, totals: L::Totals, from: &[Self; 16]) -> L::Totals {
        lanes.add_totals_bytes(totals, from)
    }
    const IN_PAIRS: bool = true;
    #[inline(always)]
    fn add_pair<L: Lanes>(lanes: L, sums: [L::Block; 2], one: &[i8; 64], other: &[i8; 64]) -> [L::Block; 2] {
        lanes.add_bytes(sums, one, other)
    }
    #[inline(always)]
    fn move_pair<L: Lanes>(lanes: L, weights: &mut [i8; 64], steps: [L::Block; 2]) {
        lanes.move_bytes(weights, steps);
    }
    #[inline(always)]
    fn store<L: Lanes>(lanes: L, block: L::Block, to: &mut [Self; 32]) {
        lanes.store_bytes(block, to);
    }
    #[inline(always)]
    fn exact_or_held<L: Lanes>(lanes: L, _: L::Block, _: L::Block, sum: L::Block) -> L::Block {
        lanes.max(lanes.splat(-128), lanes.min(lanes.splat(127), sum))
    }
}

/// 16-bit states with weights of type `W`, in the output layer of type `O`, run by the
/// kernels `K`. With `COUNT`, losses are counted; without, counting costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native<K, W, const COUNT: bool = false, O = W> {
    kernels: K,
    weights: PhantomData<(W, O)>,
}

impl<K, W, const COUNT: bool, O> Native<K, W, COUNT, O> {
    /// The arithmetic that runs on these kernels.
    pub const fn new(kernels: K) -> Self {
        Self { kernels, weights: PhantomData }
    }
}

/// What a neuron holds, as the fixed-point numbers they are.
impl<K: Kernels, W: Weight, O: Weight, const COUNT: bool> Layer<'_, Native<K, W, COUNT, O>> {
    /// Somatic potential C.
    #[must_use]
    pub fn soma_of(&self, unit: usize) -> Option<Potential> {
        self.soma.get(unit).map(|&raw| Potential::from_bits(raw))
    }

    /// Second filter of the PSP cascade, before the kernel's gain.
    #[must_use]
    pub fn psp_filter_of(&self, unit: usize) -> Option<Filter> {
        self.slow.get(unit).map(|&raw| Filter::from_bits(raw))
    }

    /// Bias times k_B.
    #[must_use]
    pub fn bias_of(&self, unit: usize) -> Option<Potential> {
        self.bias.get(unit).map(|&raw| Potential::from_bits(raw))
    }

    /// α^f of a hidden neuron, σ(⟨C⟩_f) of an output neuron.
    #[must_use]
    pub fn plateau_of(&self, unit: usize) -> Option<Fraction> {
        self.plateaus.get(unit).map(|&raw| Fraction::from_bits(raw))
    }

    /// Error e after an example.
    #[must_use]
    pub fn error_of(&self, unit: usize) -> Option<Change> {
        self.errors.get(unit).map(|&raw| Change::from_bits(raw))
    }
}

/// ⌊a·b·2⁻¹⁵ + ½⌋: one product, rounded once.
#[inline(always)]
#[must_use]
pub fn product(a: i16, b: i16) -> i16 {
    ((i32::from(a).wrapping_mul(i32::from(b)).wrapping_add(1 << 14)) >> 15) as i16
}

/// σ(1 − σ), Q15.
#[inline(always)]
#[must_use]
pub fn slope(rate: i16) -> i16 {
    rate.wrapping_sub(product(rate, rate))
}

/// Sum times 2²⁰/steps, to nearest.
#[inline(always)]
pub(crate) fn mean<const COUNT: bool>(
    sum: i32,
    reciprocal: i64,
    variable: Variable,
    losses: &mut Losses<'_>,
) -> i16 {
    let exact = i64::from(sum).wrapping_mul(reciprocal);
    narrow::<COUNT>(exact.wrapping_add(1 << 19) >> 20, variable, losses)
}

/// A sum of PSPs times 2²⁰/steps: 2⁻¹¹ · 2⁻²⁰ → 2⁻¹⁵, to nearest.
#[inline(always)]
pub(crate) fn mean_psp<const COUNT: bool>(sum: u16, reciprocal: i64, losses: &mut Losses<'_>) -> i16 {
    // The reciprocal has 21 bits. Its lower five go ahead, so that 32 bits are enough.
    let (sum, reciprocal) = (u32::from(sum), reciprocal as u32);
    let low = sum.wrapping_mul(reciprocal & 31).wrapping_add(1 << 15) >> 5;
    let mean = sum.wrapping_mul(reciprocal >> 5).wrapping_add(low) >> 11;
    let held = mean.min(const { i16::MAX as u32 });
    if COUNT && held != mean {
        losses.saturated(Variable::Psp, 1, 0);
    }
    held as i16
}

/// An output's sum of potentials over the window of a test, 2⁻⁸, from Σ W · credit: to nearest, plus the bias.
#[inline(always)]
pub(crate) fn potential_sum<const COUNT: bool>(
    layer: &Coefficients,
    exact: i64,
    bias: i16,
    readout: Readout,
    (unit, losses): (usize, &mut Losses<'_>),
) -> i32 {
    // From the weight's, the credit's and the share's fraction bits to the potential's 8.
    let fraction = 7i8.wrapping_sub(layer.sum_shift) as u32;
    let shift = fraction.wrapping_add(readout.fraction()).wrapping_add(7) & 63;
    let half = 1i64.wrapping_shl(shift) >> 1;
    // 2⁴⁶ at most, for 2¹⁶ units, times 2¹⁵.
    let driven = exact.wrapping_mul(layer.share.into()).wrapping_add(half) >> shift;
    let biased = i64::from(bias).wrapping_mul(readout.window().into());
    let sum = driven.saturating_add(biased);
    let held = sum.clamp(i32::MIN.into(), i32::MAX.into());
    if COUNT && held != sum {
        losses.saturated(Variable::Soma, 1, unit);
    }
    held as i32
}

/// Held within 16 bits.
#[inline(always)]
pub(crate) fn narrow<const COUNT: bool>(value: i64, variable: Variable, losses: &mut Losses<'_>) -> i16 {
    let held = value.clamp(i64::from(i16::MIN), i64::from(i16::MAX));
    if COUNT && held != value {
        losses.saturated(variable, 1, 0);
    }
    held as i16
}

/// 2²⁰/steps, rounded: the factor that makes a mean of a sum.
#[inline]
#[must_use]
pub fn reciprocal(steps: u32) -> i64 {
    i64::from(((1u32 << 20).wrapping_add(steps >> 1)).checked_div(steps).unwrap_or(0))
}

impl<K: Kernels, W: Weight, O: Weight, const COUNT: bool> Arithmetic for Native<K, W, COUNT, O> {
    type Weight = W;
    type State = i16;
    type Sum = i32;
    type Coefficients = Coefficients;
    type Output = Native<K, O, COUNT>;
    const READS_OUT: bool = true;

    #[inline(always)]
    fn output(&self) -> Native<K, O, COUNT> {
        Native::new(self.kernels)
    }

    #[inline(always)]
    fn sum_columns(
        &self,
        layer: &Coefficients,
        columns: Columns<'_, W>,
        spikes: &[u16],
        sums: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        self.kernels.sum_columns::<W, COUNT>(layer.sum_shift, columns, spikes, sums, losses);
    }

    #[inline(always)]
    fn advance(
        &self,
        layer: &Coefficients,
        state: Dynamics<'_, i16>,
        units: usize,
        label: Option<usize>,
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
        losses: &mut Losses<'_>,
    ) {
        self.kernels.advance::<COUNT>(layer, state, units, label, offsets, spikes, losses);
    }

    #[inline(always)]
    fn run(
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
        self.kernels.run::<W, COUNT>(layer, columns, neurons, run, draws, trains, scratch, losses)
    }

    #[inline(always)]
    fn reads_masks(
        &self,
        columns: Columns<'_, W>,
        steps: usize,
        trains: &Trains<'_>,
        scratch: &Scratch<'_>,
    ) -> bool {
        self.kernels.reads_masks(columns, steps, trains, scratch)
    }

    #[inline(always)]
    fn sum_masks(
        &self,
        columns: Columns<'_, W>,
        trains: &Trains<'_>,
        steps: usize,
        scratch: &mut Scratch<'_>,
    ) {
        self.kernels.sum_masks::<W>(columns, trains, steps, scratch);
    }

    #[inline(always)]
    fn read_out(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, W, i16>,
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        if COUNT {
            for (unit, &credit) in reading.credits.iter().enumerate() {
                if readout::held(credit) as u16 != credit {
                    losses.saturated(Variable::Psp, 1, unit);
                }
            }
        }
        self.kernels.read_out::<W, COUNT>(layer, reading, sums, losses);
    }

    #[inline(always)]
    fn find_active(&self, greys: &[u8], names: &mut [u16]) -> Option<usize> {
        self.kernels.find_active(greys, names)
    }

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
        self.kernels.fire_run(potentials, names, run, draws, trains, scratch)
    }

    #[inline(always)]
    fn fire_pixels(
        &self,
        potentials: &[i16],
        names: &[u16],
        offsets: Offsets<'_, Generator>,
        spikes: &mut Spikes<'_>,
    ) {
        self.kernels.fire(potentials, names, offsets, spikes);
    }

    #[inline(always)]
    fn accumulate(&self, somas: &[i16], sums: &mut [i32]) {
        self.kernels.accumulate(somas, sums);
    }

    #[inline(always)]
    fn add(&self, sum: i32, term: i16) -> i32 {
        sum.wrapping_add(i32::from(term))
    }

    #[inline(always)]
    fn mean(
        &self,
        _: &Coefficients,
        variable: Variable,
        sum: i32,
        steps: u32,
        losses: &mut Losses<'_>,
    ) -> i16 {
        mean::<COUNT>(sum, reciprocal(steps), variable, losses)
    }

    #[inline(always)]
    fn mean_psp(&self, _: &Coefficients, sum: u16, steps: u32, losses: &mut Losses<'_>) -> i16 {
        mean_psp::<COUNT>(sum, reciprocal(steps), losses)
    }

    #[inline(always)]
    fn rate(&self, _: &Coefficients, soma: i16) -> i16 {
        sigmoid(soma)
    }

    #[inline(always)]
    fn slope(&self, _: &Coefficients, rate: i16) -> i16 {
        slope(rate)
    }

    #[inline(always)]
    fn slopes(
        &self,
        _: &Coefficients,
        sums: &[i32],
        steps: u32,
        slopes: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        self.kernels.slopes::<COUNT>(sums, steps, slopes, losses);
    }

    #[inline(always)]
    fn plateaus(
        &self,
        layer: &Coefficients,
        feedback: Columns<'_, W>,
        psp: &[i16],
        plateaus: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        self.kernels.plateaus::<W, COUNT>(layer.sum_shift, feedback, psp, plateaus, losses);
    }

    #[inline(always)]
    fn errors(
        &self,
        layer: &Coefficients,
        targets: &[i16],
        forwards: &[i16],
        errors: &mut [i16],
        losses: &mut Losses<'_>,
    ) {
        self.kernels.errors::<COUNT>(layer, targets, forwards, errors, losses);
    }

    #[inline(always)]
    fn update_column(
        &self,
        layer: &Coefficients,
        weights: &mut [W],
        errors: &[i16],
        psp: i16,
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) -> u16 {
        self.kernels.update::<W, COUNT>(Variable::Weight, layer, weights, errors, psp, dither, losses)
    }

    #[inline(always)]
    fn learn(&self, layer: &Coefficients, updates: Updates<'_, W, i16>, losses: &mut Losses<'_>) {
        self.kernels.learn::<W, COUNT>(layer, updates, losses);
    }

    #[inline(always)]
    fn update_bias(
        &self,
        layer: &Coefficients,
        bias: &mut [i16],
        errors: &[i16],
        dither: &[u16; 32],
        losses: &mut Losses<'_>,
    ) {
        // The bias is a weight of 16 bits whose input is k_B, whatever the weights have.
        let layer = Coefficients { update_shift: 6, ..*layer };
        self.kernels.update::<i16, COUNT>(Variable::Bias, &layer, bias, errors, layer.share, dither, losses);
    }

    #[inline(always)]
    fn exceeds(&self, sum: i32, other: i32) -> bool {
        sum > other
    }

    fn initial_weight(&self, layer: &Coefficients, _: Variable, value: i64) -> W {
        let fraction = 7i8.wrapping_sub(layer.sum_shift);
        let shift = 32u32.wrapping_sub(fraction as u32) & 63;
        let rounded = value.wrapping_add(1i64.wrapping_shl(shift) >> 1) >> shift;
        W::saturate(rounded.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16)
    }

    fn initial_bias(&self, _: &Coefficients, value: i64) -> i16 {
        (value.wrapping_add(1 << 23) >> 24).clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
    }

    fn bound(&self, weights: &[W]) -> u16 {
        weights.iter().map(|w| w.widen().unsigned_abs()).max().unwrap_or(0)
    }

    fn weight_bits(&self, weight: W) -> u32 {
        weight.widen() as u16 as u32
    }

    fn state_bits(&self, state: i16) -> u32 {
        state as u16 as u32
    }

    fn sum_bits(&self, sum: i32) -> u32 {
        sum as u32
    }
}
