//! Layers that something is wrong with.

use super::{lost_share, total};
use crate::experiment::{Epoch, Plan};
use apical_core::formats::Variable;
use std::fmt;

/// Below this a layer says nothing: a spike of a neuron in ten seconds.
pub const SILENT_HZ: f64 = 0.1;
/// Above this it says nothing either: 95 % of the highest rate.
pub const SATURATED_HZ: f64 = 190.0;
/// Share of steps at the end of the range from which on a state is pinned there.
pub const PINNED: f64 = 0.01;
/// Share of lost changes from which on a layer no longer learns.
pub const DEAD: f64 = 0.999;

/// Something wrong with a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// It hardly fires.
    Silent {
        /// The layer.
        layer: String,
        /// The epoch, from 1.
        epoch: usize,
        /// Spikes a second of a neuron.
        hz: f64,
    },
    /// It fires nearly as often as a neuron can.
    Saturated {
        /// The layer.
        layer: String,
        /// The epoch, from 1.
        epoch: usize,
        /// Spikes a second of a neuron.
        hz: f64,
    },
    /// A state is held at the end of its range.
    Pinned {
        /// The layer.
        layer: String,
        /// The state.
        variable: &'static str,
        /// Share of all steps of all neurons.
        share: f64,
    },
    /// Nearly all its changes round to nothing.
    Dead {
        /// The layer.
        layer: String,
        /// Share of the changes.
        lost: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { layer, epoch, hz } => {
                write!(f, "{layer} is silent: {hz:.2} Hz in epoch {epoch}")
            }
            Self::Saturated { layer, epoch, hz } => {
                write!(f, "{layer} is saturated: {hz:.1} Hz of at most 200 in epoch {epoch}")
            }
            Self::Pinned { layer, variable, share } => {
                write!(f, "{variable} of {layer} is pinned: {:.1} % of all steps at the limit", 100.0 * share)
            }
            Self::Dead { layer, lost } => {
                write!(f, "{layer} no longer learns: {:.2} % of its changes round to nothing", 100.0 * lost)
            }
        }
    }
}

/// What is wrong, layer by layer. Rates are those of the first epoch in which they are.
#[must_use]
pub fn warnings(plan: &Plan, epochs: &[Epoch]) -> Vec<Warning> {
    let mut found = Vec::new();
    let steps: u64 = epochs.iter().map(|epoch| epoch.steps).sum();
    let losses = total(epochs);
    for (l, name) in plan.layer_names().into_iter().enumerate() {
        let rate = |epoch: &&Epoch| epoch.rates_hz[l + 1];
        let silent = epochs.iter().find(|epoch| rate(epoch) < SILENT_HZ);
        found.extend(silent.map(|epoch| Warning::Silent {
            layer: name.clone(),
            epoch: epoch.epoch,
            hz: rate(&epoch),
        }));
        let saturated = epochs.iter().find(|epoch| rate(epoch) > SATURATED_HZ);
        found.extend(saturated.map(|epoch| Warning::Saturated {
            layer: name.clone(),
            epoch: epoch.epoch,
            hz: rate(&epoch),
        }));
        let Some(tallies) = losses.get(l) else { continue };
        for variable in [Variable::Accumulator, Variable::FilterFast, Variable::Basal, Variable::Soma] {
            let share =
                tallies[variable as usize].overflows() as f64 / (steps as f64 * plan.sizes[l + 1] as f64);
            if share > PINNED {
                found.push(Warning::Pinned { layer: name.clone(), variable: variable.name(), share });
            }
        }
        let lost = lost_share(&tallies[Variable::Weight as usize]).filter(|&lost| lost > DEAD);
        found.extend(lost.map(|lost| Warning::Dead { layer: name.clone(), lost }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::Width;
    use apical_core::losses::{NO_LOSSES, Tally};
    use apical_core::parameters::Preset;
    use apical_core::rounding::Rounding;
    use apical_core::tables::psp::Kernel;

    fn plan() -> Plan {
        Plan {
            sizes: vec![4, 10, 2],
            kernel: Kernel::Scaled,
            preset: Preset::May2017,
            learning_rates: vec![0.21; 2],
            width: Width::SIXTEEN,
            rounding: Rounding::Stochastic,
            seeds: vec![1],
            examples: 10,
            epochs: 1,
            test_steps: 100,
            test_images: 1,
        }
    }

    fn epoch(hidden_hz: f64, change: impl Fn(&mut Tally, &mut Tally)) -> Epoch {
        let mut losses = vec![NO_LOSSES; 2];
        let (mut soma, mut weight) =
            (Tally::default(), Tally { values: 1000, lost: 400, ..Tally::default() });
        change(&mut soma, &mut weight);
        losses[0][Variable::Soma as usize] = soma;
        losses[0][Variable::Weight as usize] = weight;
        Epoch {
            epoch: 1,
            examples: 10,
            train_error: 0.5,
            test_error: 0.5,
            mean_weights: vec![0.0; 2],
            rates_hz: vec![20.0, hidden_hz, 30.0],
            train_us: 1.0,
            test_us: 1.0,
            steps: 1000,
            losses,
        }
    }

    #[test]
    fn a_layer_that_works_raises_no_warning() {
        assert_eq!(warnings(&plan(), &[epoch(50.0, |soma, _| soma.saturated = 10)]), []);
    }

    #[test]
    fn silent_saturated_pinned_and_dead_layers_are_named() {
        let found = |epoch: Epoch| {
            let texts = warnings(&plan(), &[epoch]).iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(texts.len(), 1, "{texts:?}");
            texts[0].clone()
        };
        assert_eq!(found(epoch(0.01, |_, _| {})), "hidden is silent: 0.01 Hz in epoch 1");
        assert!(found(epoch(199.0, |_, _| {})).starts_with("hidden is saturated: 199.0 Hz"));
        // 500 of 10 neurons' 1000 steps.
        let pinned = found(epoch(50.0, |soma, _| soma.saturated = 500));
        assert_eq!(pinned, "soma of hidden is pinned: 5.0 % of all steps at the limit");
        assert!(found(epoch(50.0, |_, weight| weight.lost = 1000)).starts_with("hidden no longer learns"));
    }
}
