//! An observer of the core that records a [`Trace`].

use crate::readable::Readable;
use apical_core::arithmetic::Columns;
use apical_core::formats::{STATE_LIMIT, Variable};
use apical_core::kernels::Kernels;
use apical_core::kernels::plain::basal_drive;
use apical_core::layer::Layer;
use apical_core::losses::Losses;
use apical_core::native::{Native, Weight, product};
use apical_core::network::Network;
use apical_core::observer::{Moment, Observer, Phase};
use apical_core::parameters::{BASAL_SHARE, SETTLING_STEPS};

use super::trace::{LayerTrace, Trace};

/// An arithmetic whose intermediate numbers, which no slice keeps, can be had again.
pub trait Traced: Readable {
    /// Basal drive k_B·B from the slow filter and the bias.
    fn basal(layer: &Self::Coefficients, slow: Self::State, bias: Self::State) -> Self::State;
    /// Mean apical potential of a unit.
    fn apical(
        layer: &Self::Coefficients,
        feedback: &Columns<'_, Self::Weight>,
        unit: usize,
        psp: &[Self::State],
    ) -> Self::State;
    /// ΔW from its two factors.
    fn delta(layer: &Self::Coefficients, error: Self::State, psp: Self::State) -> Self::State;

    /// Step of a variable in the units of a trace: a dendrite's B where the core keeps k_B·B.
    fn trace_lsb(layer: &Self::Coefficients, variable: Variable) -> f64 {
        let lsb = Self::lsb(layer, variable);
        match variable {
            Variable::Basal | Variable::Bias => lsb / BASAL_SHARE,
            _ => lsb,
        }
    }

    /// How far apart two neighbouring values of a variable are, in those units.
    fn trace_step(layer: &Self::Coefficients, variable: Variable) -> f64 {
        Self::trace_lsb(layer, variable)
    }
}

impl<K: Kernels, W: Weight + Into<i64>, O: Weight, const COUNT: bool> Traced for Native<K, W, COUNT, O> {
    fn basal(layer: &Self::Coefficients, slow: i16, bias: i16) -> i16 {
        basal_drive(layer, slow, bias).clamp(-STATE_LIMIT, STATE_LIMIT)
    }

    fn apical(layer: &Self::Coefficients, feedback: &Columns<'_, W>, unit: usize, psp: &[i16]) -> i16 {
        let weights = feedback.weights.iter().skip(unit).step_by(feedback.stride);
        let terms = weights.zip(psp).map(|(&weight, &psp)| weight.into() * i64::from(psp));
        // From the weight's and the mean PSP's 15 fraction bits to the potential's 8.
        let shift = Self::fraction(layer, Variable::Feedback) + 7;
        Self::to_state((terms.sum::<i64>() + (1 << (shift - 1))) >> shift)
    }

    fn delta(_: &Self::Coefficients, error: i16, psp: i16) -> i16 {
        product(error, psp)
    }

    fn trace_step(layer: &Self::Coefficients, variable: Variable) -> f64 {
        // Coarse errors are kept as multiples of their usual step.
        let coarser = if variable == Variable::Error { layer.error_shift } else { 0 };
        Self::trace_lsb(layer, variable) * f64::from(1u32 << coarser)
    }
}

/// Records one example of the core.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    /// What was recorded.
    pub trace: Trace,
}

impl Recorder {
    /// A recorder of layers of so many units.
    #[must_use]
    pub fn new(units: &[usize]) -> Self {
        Self { trace: Trace::new(units) }
    }

    fn step<A: Traced>(&mut self, network: &Network<'_, A>)
    where
        A::Output: Traced,
    {
        self.trace.input.push(sorted(network.input.spikes.as_slice()));
        let Some((output, hidden)) = self.trace.layers.split_last_mut() else { return };
        hidden.iter_mut().zip(&*network.hidden).for_each(|(trace, layer)| step(trace, layer));
        step(output, &network.output);
    }

    /// What the apical dendrites saw in a phase, and made of it.
    fn apical<A: Traced>(&mut self, target: bool, network: &Network<'_, A>) {
        let Some((output, hidden)) = self.trace.layers.split_last_mut() else { return };
        for (trace, layer) in hidden.iter_mut().zip(&*network.hidden) {
            let c = layer.coefficients;
            let columns =
                Columns { weights: &*layer.feedback, units: layer.units, stride: layer.stride, bounds: &[] };
            let means = (0..layer.units).map(|unit| A::apical(c, &columns, unit, network.means));
            trace.push(Variable::Apical, real::<A>(c, Variable::Apical, means));
            let plateaus = if target { &*layer.sums } else { &*layer.plateaus };
            let plateaus = plateaus.iter().copied().take(layer.units);
            trace.push(Variable::Plateau, real::<A>(c, Variable::Plateau, plateaus));
        }
        let (layer, c) = (&network.output, network.output.coefficients);
        let rates = if target { &*layer.sums } else { &*layer.plateaus };
        let rates = rates.iter().copied().take(layer.units);
        output.push(Variable::Rate, real::<A>(c, Variable::Rate, rates));
        output.push(Variable::Psp, real::<A>(c, Variable::Psp, network.means.iter().copied()));
    }

    fn update<A: Traced>(&mut self, network: &Network<'_, A>)
    where
        A::Output: Traced,
    {
        let window = self.trace.forward_steps as u32 - SETTLING_STEPS;
        let Some((output, hidden)) = self.trace.layers.split_last_mut() else { return };
        let mut below = &*network.input.psp;
        for (trace, layer) in hidden.iter_mut().zip(&*network.hidden) {
            update(trace, network.arithmetic, layer, (below, window));
            below = &*layer.psp;
        }
        update(output, &network.arithmetic.output(), &network.output, (below, window));
    }

    fn learnt<A: Traced>(&mut self, network: &Network<'_, A>)
    where
        A::Output: Traced,
    {
        let Some((output, hidden)) = self.trace.layers.split_last_mut() else { return };
        hidden.iter_mut().zip(&*network.hidden).for_each(|(trace, layer)| learnt(trace, layer));
        learnt(output, &network.output);
    }
}

fn step<A: Traced>(trace: &mut LayerTrace, layer: &Layer<'_, A>) {
    let (c, units) = (layer.coefficients, layer.units);
    let drives = layer.slow.iter().zip(&*layer.bias).map(|(&slow, &bias)| A::basal(c, slow, bias));
    trace.push(Variable::Basal, real::<A>(c, Variable::Basal, drives.take(units)));
    trace.push(Variable::Soma, real::<A>(c, Variable::Soma, layer.soma.iter().copied().take(units)));
    trace.spikes.push(sorted(layer.spikes.as_slice()));
}

/// What a layer is about to change, from the sums of the postsynaptic potentials below.
fn update<A: Traced>(
    trace: &mut LayerTrace,
    arithmetic: &A,
    layer: &Layer<'_, A>,
    (below, window): (&[u16], u32),
) {
    let c = layer.coefficients;
    let errors = &layer.errors[..layer.units];
    trace.push(Variable::Error, real::<A>(c, Variable::Error, errors.iter().copied()));
    for &sum in below {
        let psp = arithmetic.mean_psp(c, sum, window, &mut Losses::none());
        trace.push(Variable::Psp, real::<A>(c, Variable::Psp, [psp].into_iter()));
        let deltas = errors.iter().map(|&error| A::delta(c, error, psp));
        trace.push(Variable::Delta, real::<A>(c, Variable::Delta, deltas));
    }
}

fn learnt<A: Traced>(trace: &mut LayerTrace, layer: &Layer<'_, A>) {
    trace.push(Variable::Weight, weights::<A>(layer));
    let biases = layer.bias.iter().copied().take(layer.units);
    trace.push(Variable::Bias, real::<A>(layer.coefficients, Variable::Bias, biases));
}

impl<A: Traced> Observer<A> for Recorder
where
    A::Output: Traced,
{
    fn at(&mut self, moment: Moment, network: &mut Network<'_, A>) {
        match moment {
            Moment::Step { phase, .. } => {
                self.trace.forward_steps += usize::from(phase == Phase::Forward);
                self.step(network);
            }
            Moment::ForwardEnd => self.apical(false, network),
            Moment::TargetEnd => {
                self.apical(true, network);
                self.update(network);
            }
            Moment::Learnt => self.learnt(network),
        }
    }
}

/// Raw states as numbers in the units of a trace.
pub(super) fn real<A: Traced>(
    layer: &A::Coefficients,
    variable: Variable,
    states: impl Iterator<Item = A::State>,
) -> impl Iterator<Item = f64> {
    let lsb = A::trace_lsb(layer, variable);
    states.map(move |state| A::state(state) as f64 * lsb)
}

/// Feed-forward weights of a layer, column by column, without padding.
pub(super) fn weights<A: Traced>(layer: &Layer<'_, A>) -> impl Iterator<Item = f64> {
    let lsb = A::trace_lsb(layer.coefficients, Variable::Weight);
    let columns = layer.weights.chunks_exact(layer.stride).flat_map(|column| &column[..layer.units]);
    columns.map(move |&weight| A::weight(weight) as f64 * lsb)
}

/// Units that spiked, ascending, as often as each did.
pub(crate) fn sorted(spikes: &[u16]) -> Vec<u32> {
    let mut spikes: Vec<u32> = spikes.iter().map(|&unit| u32::from(unit)).collect();
    spikes.sort_unstable();
    spikes
}
