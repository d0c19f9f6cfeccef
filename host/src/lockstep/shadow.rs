//! A whole training run of the core with its losses counted, some of its examples compared
//! with the reference.

use crate::data::Split;
use crate::experiment::order::Order;
use crate::experiment::plan::Plan;
use crate::experiment::twin::settings;
use crate::model::Model;
use crate::network::OwnedNetwork;
use crate::reference;
use crate::vector::{Path, PathKernels};
use apical_core::formats::Variable;
use apical_core::losses::LayerTallies;
use apical_core::native::{Native, Weight};
use indicatif::ProgressBar;

use super::align::align;
use super::core_side::{Recorder, Traced};
use super::errors::Comparer;
use super::first::{Parting, first_difference};
use super::reference_side::Witness;

/// Examples of a free run after which no first difference is looked for any more.
const FREE_EXAMPLES: usize = 200;

/// What a shadowed run came to.
#[derive(Debug, Clone)]
pub struct Shadow {
    /// Errors, one example at a time.
    pub errors: Comparer,
    /// Losses of the whole run, by layer.
    pub losses: Vec<LayerTallies>,
    /// Fingerprint at the end; that of the same run without counting.
    pub digest: u64,
    /// Where two free runs part.
    pub parting: Parting,
}

/// Trains the core under a seed as the plan says, and compares `compared` of its examples,
/// spread evenly over the run.
#[must_use]
pub fn shadow(plan: &Plan, split: &Split, seed: u64, compared: usize, bar: &ProgressBar) -> Shadow {
    let bits = [false, true].map(|is_output| plan.width.of(is_output).bits);
    match bits {
        [16, _] => shadow_as::<i16, i16>(plan, split, seed, compared, bar),
        [_, 16] => shadow_as::<i8, i16>(plan, split, seed, compared, bar),
        [_, _] => shadow_as::<i8, i8>(plan, split, seed, compared, bar),
    }
}

fn shadow_as<W, O>(plan: &Plan, split: &Split, seed: u64, compared: usize, bar: &ProgressBar) -> Shadow
where
    W: Weight + Into<i64>,
    O: Weight + Into<i64>,
{
    let model = plan.model(seed);
    let mut order = Order::new(seed, split.len());
    let mut core = counting::<W, O>(plan, &model);
    let mut reference = twin(&model);
    let mut free = order.clone();
    let free = free.next_epoch(plan.examples.min(FREE_EXAMPLES));
    let parting = first_difference(&mut counting::<W, O>(plan, &model), &mut twin(&model), split, free);
    let layers = 0..model.layers();
    let lsb = |layer: usize| lsb::<Native<PathKernels, W, true, O>>(core.coefficients(layer));
    let mut errors = Comparer::new(layers.map(lsb).collect());
    let every = (plan.epochs * plan.examples / compared.max(1)).max(1);
    let mut next = 0;
    for epoch in 0..plan.epochs {
        let places = order.next_epoch(plan.examples);
        for (example, &index) in places.iter().enumerate() {
            if epoch * plan.examples + example == next {
                compare(&mut core, &mut reference, split, index as usize, &mut errors);
                next += every;
            } else {
                let (image, label) = (split.image(index as usize), split.labels[index as usize]);
                core.with(|network| network.train(image, usize::from(label), &mut ()));
            }
            bar.inc(1);
        }
    }
    Shadow { errors, losses: core.take_losses(), digest: core.digest(), parting }
}

/// A core network that counts its losses.
fn counting<W, O>(plan: &Plan, model: &Model) -> OwnedNetwork<Native<PathKernels, W, true, O>>
where
    W: Weight,
    O: Weight,
{
    OwnedNetwork::new(Native::new(Path::best().kernels()), model, |layer| {
        model.native(layer, plan.width, plan.rounding).coefficients()
    })
}

fn twin(model: &Model) -> reference::Network {
    reference::Network::new(&settings(model)).expect("a plan is checked before it runs")
}

/// Step of every variable of a layer, in the units of a trace.
#[must_use]
pub fn lsb<A: Traced>(layer: &A::Coefficients) -> [f64; Variable::COUNT] {
    Variable::ALL.map(|variable| A::trace_step(layer, variable))
}

/// One example of both, the reference from the core's state.
pub fn compare<A: Traced>(
    core: &mut OwnedNetwork<A>,
    reference: &mut reference::Network,
    split: &Split,
    index: usize,
    errors: &mut Comparer,
) where
    A::Output: Traced,
{
    let units = core.units();
    let (mut recorder, mut witness) = (Recorder::new(&units), Witness::new(&units));
    let (image, label) = (split.image(index), split.labels[index]);
    core.with(|network| {
        align(network, reference);
        network.train(image, usize::from(label), &mut recorder);
    });
    reference.train_watched(image, label, &mut witness);
    errors.record(&recorder.trace, &witness.trace);
}
