//! The reference takes over the core's weights, state and generators.

use crate::reference;
use apical_core::formats::Variable;
use apical_core::layer::Layer;
use apical_core::network::Network;

use super::core_side::{Traced, real, weights};

/// Gives the reference everything that decides what the core will do next. The numbers are
/// taken over exactly: an f64 holds every one of them.
///
/// # Panics
/// If the two are not of one topology and kernel.
pub fn align<A: Traced>(core: &Network<'_, A>, reference: &mut reference::Network)
where
    A::Output: Traced,
{
    core.hidden.iter().enumerate().for_each(|(l, from)| layer(from, l, reference));
    layer(&core.output, core.hidden.len(), reference);
    let streams = reference.streams_mut();
    streams.phase = core.control.phase.clone();
    streams.input = core.input.control.draws.clone();
}

/// The layer of this number.
fn layer<A: Traced>(from: &Layer<'_, A>, number: usize, to: &mut reference::Network) {
    synapses(from, &mut to.layers_mut()[number]);
    state(from, &mut to.state_mut().neurons[number]);
    to.streams_mut().spikes[number] = from.control.draws.clone();
}

fn synapses<A: Traced>(from: &Layer<'_, A>, to: &mut reference::Layer) {
    let (c, units) = (from.coefficients, from.units);
    set(&mut to.weights, weights::<A>(from));
    set(&mut to.bias, real::<A>(c, Variable::Bias, from.bias.iter().copied().take(units)));
    let lsb = A::lsb(c, Variable::Feedback);
    let columns = from.feedback.chunks_exact(from.stride).flat_map(|column| &column[..units]);
    set(&mut to.feedback, columns.map(|&weight| A::weight(weight) as f64 * lsb));
}

fn state<A: Traced>(from: &Layer<'_, A>, to: &mut reference::Neurons) {
    let (c, units) = (from.coefficients, from.units);
    let entries = |states: &[A::State]| states[..units].to_vec();
    set(&mut to.x1, real::<A>(c, Variable::FilterFast, entries(from.fast).into_iter()));
    set(&mut to.x2, real::<A>(c, Variable::FilterSlow, entries(from.slow).into_iter()));
    set(&mut to.soma, real::<A>(c, Variable::Soma, entries(from.soma).into_iter()));
    // Sums that wait in the ring have the format of the filter they will be taken from.
    let rows = from.history.chunks_exact(from.stride).flat_map(entries);
    set(&mut to.past, real::<A>(c, Variable::FilterFast, rows));
    to.oldest = if to.past.is_empty() { 0 } else { from.control.oldest };
}

fn set(to: &mut [f64], values: impl Iterator<Item = f64>) {
    let mut count = 0;
    for (place, value) in to.iter_mut().zip(values) {
        *place = value;
        count += 1;
    }
    assert_eq!(count, to.len(), "core and reference are of one topology and kernel");
}
