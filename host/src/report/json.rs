//! A comparison for programs.

use crate::counters::mean_bias;
use crate::experiment::Comparison;
use crate::lockstep::{COMPARED, LayerErrors};
use apical_core::formats::Variable;
use apical_core::losses::{LayerTallies, Tally};
use serde_json::{Value, json};
use std::iter;

/// Everything that a comparison came to, manifest first. Shares and errors are fractions, not
/// percent; what is not finite is `null`.
#[must_use]
pub fn comparison(outcome: &Comparison) -> Value {
    let errors = &outcome.shadow.errors;
    let spikes = outcome.layers.iter().zip(&errors.layers).map(
        |(name, layer)| json!({ "layer": name, "agreement": layer.spikes, "share": layer.spikes.share() }),
    );
    let inputs = json!({ "layer": "input", "agreement": errors.input, "share": errors.input.share() });
    let spikes: Vec<Value> = iter::once(inputs).chain(spikes).collect();
    json!({
        "manifest": outcome.manifest,
        "difference": outcome.difference,
        "mcnemar": outcome.mcnemar,
        "core": outcome.core,
        "reference": outcome.reference,
        "lockstep": {
            "seed": outcome.core[0].seed,
            "examples": errors.examples,
            "examples_with_equal_spikes": errors.identical,
            "spikes": spikes,
            "variables": variables(&outcome.layers, &errors.layers),
        },
        "free_run": outcome.shadow.parting,
        "losses": losses(&outcome.layers, &outcome.shadow.losses),
        "counting_is_neutral": outcome.counting_is_neutral,
    })
}

fn variables(names: &[String], layers: &[LayerErrors]) -> Vec<Value> {
    let places =
        COMPARED.into_iter().flat_map(|variable| names.iter().zip(layers).map(move |pair| (variable, pair)));
    let compared = places.filter(|(variable, (_, layer))| layer.errors[*variable as usize].all.count() > 0);
    compared
        .map(|(variable, (name, layer))| {
            let (errors, lsb) = (&layer.errors[variable as usize], layer.lsb[variable as usize]);
            json!({
                "variable": variable.name(),
                "layer": name,
                "lsb": lsb,
                "real": errors.all.summary(),
                "in_lsb": errors.all.in_lsb(lsb),
                "in_lsb_while_spikes_agree": errors.agreeing.in_lsb(lsb),
            })
        })
        .collect()
}

fn losses(names: &[String], layers: &[LayerTallies]) -> Vec<Value> {
    let places = names.iter().zip(layers).flat_map(|(name, tallies)| {
        Variable::ALL.map(|variable| (name, variable, &tallies[variable as usize]))
    });
    let happened = places.filter(|(_, _, tally)| **tally != Tally::default());
    happened.map(|(name, variable, tally)| loss(name, variable, tally)).collect()
}

fn loss(layer: &str, variable: Variable, tally: &Tally) -> Value {
    let first = tally
        .first
        .map(|place| json!({ "example": place.example, "step": place.step, "unit": place.index, "input": place.input }));
    json!({
        "layer": layer,
        "variable": variable.name(),
        "values": tally.values,
        "saturated": tally.saturated,
        "wrapped": tally.wrapped,
        "dropped": tally.dropped,
        "lost": tally.lost,
        "mean_bias_lsb": mean_bias(tally),
        "first": first,
    })
}
