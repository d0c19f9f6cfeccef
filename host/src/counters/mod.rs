//! What the integers lose, epoch by epoch, and what is wrong with a layer that loses it.
//!
//! The core counts (`apical_core::losses`); this says where and when.
//!
//! | file | what |
//! |---|---|
//! | [`csv`] | every variable of every layer, a row an epoch |
//! | [`health`] | layers that are silent, saturated, pinned, or no longer learn |

pub mod csv;
pub mod health;

pub use health::{Warning, warnings};

use crate::experiment::Epoch;
use apical_core::formats::Variable;
use apical_core::losses::{LayerTallies, NO_LOSSES, Tally};

/// Losses of several epochs, by layer.
#[must_use]
pub fn total(epochs: &[Epoch]) -> Vec<LayerTallies> {
    let layers = epochs.iter().map(|epoch| epoch.losses.len()).max().unwrap_or(0);
    let mut total = vec![NO_LOSSES; layers];
    for epoch in epochs {
        for (total, later) in total.iter_mut().flatten().zip(epoch.losses.iter().flatten()) {
            total.merge(later);
        }
    }
    total
}

/// Share of the changes that rounded to nothing.
#[must_use]
pub fn lost_share(tally: &Tally) -> Option<f64> {
    (tally.values > 0).then(|| tally.lost as f64 / tally.values as f64)
}

/// Mean of (applied − ideal) of a change, in LSB.
#[must_use]
pub fn mean_bias(tally: &Tally) -> Option<f64> {
    (tally.values > 0).then(|| tally.bias as f64 / 65_536.0 / tally.values as f64)
}

/// The first overflow of each variable that had one: layer, variable, where.
#[must_use]
pub fn first_overflows(names: &[String], layers: &[LayerTallies]) -> Vec<String> {
    let places = names.iter().zip(layers).flat_map(|(name, layer)| {
        Variable::ALL.into_iter().filter_map(move |variable| {
            let place = layer[variable as usize].first?;
            let of = match variable {
                Variable::Weight => format!("input {} of unit {}", place.input, place.index),
                _ => format!("unit {}", place.index),
            };
            Some((
                place,
                format!(
                    "{} of {name}: example {}, step {}, {of}",
                    variable.name(),
                    place.example,
                    place.step
                ),
            ))
        })
    });
    let mut places: Vec<_> = places.collect();
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, text)| text).collect()
}
