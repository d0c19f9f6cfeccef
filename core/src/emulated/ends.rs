//! What happens to a whole layer at the end of a phase in emulated formats, in lanes of 32 bits:
//! plateaus, slopes, errors.

use super::EmulatedCoefficients;
use super::narrow::{ANY, Interval, Narrowing, noise_of, spread};
use super::run::{Counting, mask};
use super::shift::Shift;
use super::{mean, state_noise};
use crate::arithmetic::Columns;
use crate::formats::Variable;
use crate::kernels::{Job, Lanes};
use crate::losses::Losses;
use crate::native::reciprocal;
use crate::rounding::Overflow;
use crate::tables::noise::BLOCK;

/// σ of 16 numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sigmoid {
    /// To 8 fraction bits.
    left: u32,
    down: u32,
    from: Variable,
    to: Variable,
    result: Narrowing,
}

impl Sigmoid {
    fn new(layer: &EmulatedCoefficients, from: Variable, to: Variable) -> Option<Self> {
        let potential = layer.table.of(from);
        let down = i32::from(potential.format.fraction).wrapping_sub(8);
        let (left, down) = (down.wrapping_neg().max(0) as u32, down.max(0) as u32);
        let raised = Interval::of(potential).raised(left).plus(Interval(0, 1).raised(down));
        let shift = Shift::new(layer.table.of(to), 15)?;
        let (result, _) = Narrowing::new(&shift, Interval(0, 1 << 15))?;
        (raised.fits() && left <= 30 && down <= 30).then_some(Self { left, down, from, to, result })
    }

    /// Of the two halves of a block; see [`EmulatedCoefficients::sigmoid`].
    #[inline(always)]
    fn of<L: Lanes>(&self, l: L, potentials: [L::Totals; 2]) -> [L::Totals; 2] {
        let half = (1i32 << (self.down & 31)) >> 1;
        let [low, high] = potentials;
        let [low, high] = [l.shift_totals_left(low, self.left), l.shift_totals_left(high, self.left)];
        let [low, high] = [l.shift_totals(low, half, self.down), l.shift_totals(high, half, self.down)];
        // Beyond ±16 nothing changes.
        let [low, high] = l.widened(l.sigmoids(l.held_totals([low, high], 32767)));
        [self.narrowed(l, low, potentials[0]), self.narrowed(l, high, potentials[1])]
    }

    #[inline(always)]
    fn narrowed<L: Lanes>(&self, l: L, exact: L::Totals, potential: L::Totals) -> L::Totals {
        let rounded = self.result.round::<L, ANY>(
            l,
            exact,
            #[inline(always)]
            || noise_of(l, 0, l.splat_totals(0), self.to, potential),
        );
        self.result.hold::<L, ANY>(l, rounded, l.splat_totals(0))
    }
}

/// The narrowings at the end of a phase, each if 32 bits hold its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuickEnds {
    plateaus: Option<(Narrowing, Sigmoid)>,
    /// The mean if it is simple, the rate, its square.
    slopes: Option<(Option<Shift>, Sigmoid, Narrowing)>,
    errors: Option<Shift>,
}

/// Apical sums that are narrowed in 32 bits.
const APICAL: Interval = Interval(-(1 << 30), 1 << 30);

impl QuickEnds {
    pub(super) fn new(layer: &EmulatedCoefficients) -> Self {
        let of = |variable| layer.table.of(variable);
        let fraction = |variable| i32::from(of(variable).format.fraction);
        let plateaus = || {
            let from = fraction(Variable::Feedback).wrapping_add(fraction(Variable::Psp));
            let (apical, _) = Narrowing::new(&Shift::new(of(Variable::Apical), from)?, APICAL)?;
            Some((apical, Sigmoid::new(layer, Variable::Apical, Variable::Plateau)?))
        };
        let slopes = || {
            let mean = Shift::new(of(Variable::Soma), fraction(Variable::Soma).wrapping_add(20));
            let mean = mean.filter(Shift::is_simple);
            let rate = of(Variable::Rate);
            // A rate is below zero where it wraps.
            let most = if rate.overflow == Overflow::Wrap { rate.lowest } else { rate.highest };
            let square = Interval(0, i128::from(most).saturating_mul(most.into()));
            let shift = Shift::new(rate, fraction(Variable::Rate).max(0).wrapping_mul(2))?;
            let (square, _) = Narrowing::new(&shift, square)?;
            Some((mean, Sigmoid::new(layer, Variable::Soma, Variable::Rate)?, square))
        };
        let kind = if layer.is_output { Variable::Rate } else { Variable::Plateau };
        let from = fraction(kind).wrapping_add(fraction(Variable::Rate)).wrapping_add(11);
        let errors = Shift::new(of(Variable::Error), from).filter(Shift::is_simple);
        Self { plateaus: plateaus(), slopes: slopes(), errors }
    }
}

/// σ of each hidden neuron's mean apical potential.
pub(super) struct PlateausJob<'j, 'l, const COUNT: bool> {
    pub(super) layer: &'j EmulatedCoefficients,
    pub(super) feedback: Columns<'j, i16>,
    pub(super) psp: &'j [i32],
    pub(super) plateaus: &'j mut [i32],
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for PlateausJob<'_, '_, COUNT> {
    /// Whether it could be done.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, l: L) -> bool {
        let Self { layer, feedback, psp, plateaus, losses } = self;
        let Some((apical, sigmoid)) = layer.quick_ends.and_then(|ends| ends.plateaus) else { return false };
        let largest = layer.table.of(Variable::Feedback).lowest.unsigned_abs();
        let sum: u64 = psp.iter().map(|psp| u64::from(psp.unsigned_abs())).fold(0, u64::saturating_add);
        // They come in the format of the output layer, whatever that is.
        let short = psp.iter().all(|&psp| i32::from(psp as i16) == psp);
        if !short || sum.saturating_mul(largest) > 1 << 30 {
            return false;
        }
        let stride = feedback.stride.max(1);
        for (block, plateaus) in plateaus.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let unit = block.wrapping_mul(BLOCK);
            let live = mask(feedback.units.saturating_sub(unit));
            if live == 0 {
                break;
            }
            let mut totals = [l.no_totals(); 2];
            for (column, &psp) in feedback.weights.chunks_exact(stride).zip(psp) {
                if let Some(weights) = column.as_chunks::<BLOCK>().0.get(block) {
                    for (total, weights) in totals.iter_mut().zip(weights.as_chunks::<16>().0) {
                        *total = l.add_products(*total, weights, psp as i16);
                    }
                }
            }
            let mut means = totals;
            let mut counting = Counting::<COUNT> { losses: &mut *losses };
            for (half, mean) in means.iter_mut().enumerate() {
                let first = unit.wrapping_add(half.wrapping_mul(16));
                let total = *mean;
                let rounded = apical.round::<L, ANY>(
                    l,
                    total,
                    #[inline(always)]
                    || noise_of(l, 0, spread(l, first), Variable::Apical, total),
                );
                *mean = apical.hold::<L, ANY>(l, rounded, l.splat_totals(0));
                let live = live >> (half.wrapping_mul(16) & 31) & 0xFFFF;
                counting.held(
                    l,
                    (Variable::Apical, apical.overflow::<ANY>()),
                    (rounded, *mean),
                    (live, first),
                );
            }
            let [low, high] = sigmoid.of(l, means);
            let mut made = [0i32; BLOCK];
            if let [to_low, to_high] = made.as_chunks_mut::<16>().0 {
                l.store_totals(low, to_low);
                l.store_totals(high, to_high);
            }
            let units = feedback.units.saturating_sub(unit);
            plateaus.iter_mut().zip(made).take(units).for_each(|(to, from)| *to = from);
        }
        true
    }
}

/// σ′ of each mean somatic potential.
pub(super) struct SlopesJob<'j, 'l, const COUNT: bool> {
    pub(super) layer: &'j EmulatedCoefficients,
    pub(super) sums: &'j [i64],
    pub(super) steps: u32,
    pub(super) slopes: &'j mut [i32],
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for SlopesJob<'_, '_, COUNT> {
    /// Whether it could be done.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, l: L) -> bool {
        let Self { layer, sums, steps, slopes, losses } = self;
        let Some((simple, sigmoid, square)) = layer.quick_ends.and_then(|ends| ends.slopes) else {
            return false;
        };
        let (soma, reciprocal) = (layer.table.of(Variable::Soma), reciprocal(steps));
        for (slopes, sums) in slopes.as_chunks_mut::<BLOCK>().0.iter_mut().zip(sums.as_chunks::<BLOCK>().0) {
            let mut means = [0i32; BLOCK];
            let mut over = 0u32;
            for (to, &sum) in means.iter_mut().zip(sums) {
                let Some(shift) = simple else {
                    *to = mean::<COUNT>(soma, Variable::Soma, sum, steps, losses);
                    continue;
                };
                let exact = sum.wrapping_mul(reciprocal);
                let rounded = match shift.dithered {
                    0 => shift.round(exact),
                    _ => shift.round_with(exact, state_noise(steps, 0, Variable::Soma, sum)),
                };
                *to = shift.hold(rounded);
                over = over.wrapping_add(u32::from(i64::from(*to) != rounded));
            }
            if COUNT && over > 0 {
                losses.saturated(Variable::Soma, over, 0);
            }
            let ([low, high], [to_low, to_high]) =
                (means.as_chunks::<16>().0, slopes.as_chunks_mut::<16>().0)
            else {
                return false;
            };
            let rates = sigmoid.of(l, [l.load_totals(low), l.load_totals(high)]);
            for (rate, to) in rates.into_iter().zip([to_low, to_high]) {
                let exact = l.multiply_totals(rate, rate);
                let rounded = square.round::<L, ANY>(
                    l,
                    exact,
                    #[inline(always)]
                    || noise_of(l, 0, l.splat_totals(0), Variable::Rate, exact),
                );
                l.store_totals(l.subtract_totals(rate, rounded), to);
            }
        }
        true
    }
}

/// Errors from plateaus and slopes.
pub(super) struct ErrorsJob<'j, 'l, const COUNT: bool> {
    pub(super) layer: &'j EmulatedCoefficients,
    pub(super) targets: &'j [i32],
    pub(super) forwards: &'j [i32],
    pub(super) errors: &'j mut [i32],
    pub(super) losses: &'j mut Losses<'l>,
}

impl<const COUNT: bool> Job for ErrorsJob<'_, '_, COUNT> {
    /// Whether it could be done.
    type Outcome = bool;

    #[inline(always)]
    fn work<L: Lanes>(self, _: L) -> bool {
        let Self { layer, targets, forwards, errors, losses } = self;
        let Some(shift) = layer.quick_ends.and_then(|ends| ends.errors) else { return false };
        let gain = i64::from(layer.error);
        let blocks = errors.as_chunks_mut::<BLOCK>().0.iter_mut().zip(targets.as_chunks::<BLOCK>().0);
        let blocks = blocks.zip(forwards.as_chunks::<BLOCK>().0);
        for (((errors, targets), forwards), block) in blocks.zip(0usize..) {
            let first = block.wrapping_mul(BLOCK);
            let mut over = 0u32;
            for (((error, &target), &forward), lane) in
                errors.iter_mut().zip(targets).zip(forwards).zip(0u32..)
            {
                let difference = i64::from(target).wrapping_sub(i64::from(forward));
                let exact = difference.wrapping_mul(i64::from(*error)).wrapping_mul(gain);
                let unit = first.wrapping_add(lane as usize);
                let rounded = match shift.dithered {
                    0 => shift.round(exact),
                    _ => shift.round_with(exact, state_noise(0, unit, Variable::Error, exact)),
                };
                *error = shift.hold(rounded);
                over |= u32::from(i64::from(*error) != rounded) << lane;
            }
            if COUNT && over != 0 {
                super::run::note(losses, (Variable::Error, Overflow::Saturate), over, first);
            }
        }
        true
    }
}
