//! Where two free runs part: the first spike that differs, and the first variable that is
//! further off than it should be.

use crate::data::Split;
use crate::network::OwnedNetwork;
use crate::reference;
use apical_core::formats::Variable;
use serde::Serialize;

use super::COMPARED;
use super::core_side::{Recorder, Traced};
use super::reference_side::Witness;
use super::trace::Trace;

/// What a variable may be off, in LSB, as long as all spikes agree, at 784-100-10 from initial
/// weights that were narrowed to the core's formats.
///
/// The initial weights alone are off by up to ½ LSB each; some 20 columns meet in a step.
#[must_use]
pub const fn tolerance(variable: Variable) -> f64 {
    match variable {
        Variable::Basal | Variable::Soma => 8.0,
        Variable::Apical => 2.0,
        Variable::Plateau | Variable::Rate | Variable::Psp => 128.0,
        Variable::Error => 64.0,
        Variable::Delta => 16.0,
        _ => 2.0,
    }
}

/// The first spike that only one of the two fired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FirstSpike {
    /// Examples before.
    pub example: usize,
    /// `forward` or `target`.
    pub phase: &'static str,
    /// Step of the phase.
    pub step: usize,
    /// 0 for the inputs, then the layers.
    pub level: usize,
    /// Unit of that layer.
    pub unit: u32,
    /// Spikes of the core's unit in this step, and of the reference's.
    pub spikes: [usize; 2],
    /// Their somatic potentials; none for inputs.
    pub somas: Option<[f64; 2]>,
}

/// The first value that was beyond its [`tolerance`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exceeded {
    /// Examples before.
    pub example: usize,
    /// The layer, from 0, output last.
    pub layer: usize,
    /// The variable.
    pub variable: &'static str,
    /// Its place in a [`Trace`].
    pub index: usize,
    /// Its error, in LSB.
    pub lsb: f64,
}

/// Where two free runs part.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Parting {
    /// Examples that were run.
    pub examples: usize,
    /// The first spike that differs.
    pub spike: Option<FirstSpike>,
    /// The first variable beyond its tolerance, at the latest in the example of that spike.
    pub exceeded: Option<Exceeded>,
}

/// Trains both on the same examples until a spike differs.
pub fn first_difference<A: Traced>(
    core: &mut OwnedNetwork<A>,
    reference: &mut reference::Network,
    split: &Split,
    order: &[u32],
) -> Parting
where
    A::Output: Traced,
{
    let units = core.units();
    let mut parting = Parting::default();
    for (example, &index) in order.iter().enumerate() {
        let (image, label) = (split.image(index as usize), split.labels[index as usize]);
        let (mut recorder, mut witness) = (Recorder::new(&units), Witness::new(&units));
        core.with(|network| network.train(image, usize::from(label), &mut recorder));
        reference.train_watched(image, label, &mut witness);
        parting.examples += 1;
        let lsb = |layer: usize, variable| A::trace_lsb(core.coefficients(layer), variable);
        parting.exceeded =
            parting.exceeded.or_else(|| exceeded(example, &recorder.trace, &witness.trace, lsb));
        parting.spike = first_spike(example, &recorder.trace, &witness.trace);
        if parting.spike.is_some() {
            break;
        }
    }
    parting
}

fn first_spike(example: usize, core: &Trace, reference: &Trace) -> Option<FirstSpike> {
    let levels = 0..=core.layers.len();
    let places = (0..core.steps()).flat_map(|step| levels.clone().map(move |level| (step, level)));
    let (step, level) = places
        .into_iter()
        .find(|&(step, level)| core.spikes(level)[step] != reference.spikes(level)[step])?;
    let lists = [core, reference].map(|trace| &trace.spikes(level)[step]);
    let count = |unit| lists.map(|spikes| spikes.iter().filter(|&&spike| spike == unit).count());
    let units = lists.into_iter().flatten().copied();
    let unit = units.filter(|&unit| count(unit)[0] != count(unit)[1]).min()?;
    let soma = |trace: &Trace| {
        let layer = &trace.layers[level - 1];
        layer.of(Variable::Soma)[step * layer.units + unit as usize]
    };
    let (phase, step_of_phase) = match step.checked_sub(core.forward_steps) {
        None => ("forward", step),
        Some(step) => ("target", step),
    };
    Some(FirstSpike {
        example,
        phase,
        step: step_of_phase,
        level,
        unit,
        spikes: count(unit),
        somas: (level > 0).then(|| [soma(core), soma(reference)]),
    })
}

fn exceeded(
    example: usize,
    core: &Trace,
    reference: &Trace,
    lsb: impl Fn(usize, Variable) -> f64,
) -> Option<Exceeded> {
    let places = COMPARED.into_iter().flat_map(|variable| (0..core.layers.len()).map(move |l| (variable, l)));
    for (variable, layer) in places {
        let lsb = lsb(layer, variable);
        let pairs = core.layers[layer].of(variable).iter().zip(reference.layers[layer].of(variable));
        let errors = pairs.map(|(core, reference)| (core - reference) / lsb);
        let beyond = errors.enumerate().find(|(_, error)| error.abs() > tolerance(variable));
        if let Some((index, lsb)) = beyond {
            return Some(Exceeded { example, layer, variable: variable.name(), index, lsb });
        }
    }
    None
}
