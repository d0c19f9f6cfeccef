//! Each warning where it belongs, and none where nothing is wrong.

use super::*;
use crate::laboratory::notation::Change;
use crate::learner::Width;
use apical_core::emulated::Decay;
use apical_core::parameters::Preset;
use apical_core::tables::psp::Kernel;

fn model(rate: f64) -> Model {
    Model {
        sizes: vec![784, 100, 10],
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![rate; 2],
        seed: 1,
    }
}

/// What is found in the compiled-in 16-bit formats with these changes.
fn found(changes: &[&str]) -> Vec<(Level, Topic, &'static str)> {
    let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
    for change in changes {
        let change: Change = change.parse().expect("a change");
        formats.apply(&change).expect("layers that there are");
    }
    lint(&model(0.21), &formats).into_iter().map(|f| (f.level, f.topic, f.variable)).collect()
}

fn has(changes: &[&str], level: Level, topic: Topic, variable: &str) {
    let found = found(changes);
    assert!(found.contains(&(level, topic, variable)), "{changes:?}: {found:?}");
}

#[test]
fn the_compiled_in_formats_are_warned_of_nothing_but_the_worst_case_of_their_sums() {
    let serious: Vec<_> = found(&[]).into_iter().filter(|finding| finding.0 > Level::Note).collect();
    assert!(serious.is_empty(), "{serious:?}");
}

#[test]
fn eight_bits_to_nearest_lose_their_updates() {
    has(&["weights=8.4:nearest"], Level::Fatal, Topic::LostUpdate, "weight");
    has(&["weights=8.4:toward-zero"], Level::Fatal, Topic::LostUpdate, "weight");
    assert!(found(&["weights=8.4:stochastic"]).iter().all(|finding| finding.0 < Level::Fatal));
}

#[test]
fn rounding_down_drifts() {
    has(&["weights=16.8:floor"], Level::Fatal, Topic::Drift, "weight");
}

#[test]
fn a_sum_that_wraps_is_warned_of_its_worst_case() {
    has(&["accumulator=16.8:nearest:wrap"], Level::Warning, Topic::FanIn, "accumulator");
}

#[test]
fn a_soma_below_the_teaching_current_is_warned_of() {
    has(&["soma=8.5"], Level::Warning, Topic::Teacher, "soma");
}

#[test]
fn values_that_become_zero_are_warned_of() {
    has(&["weights=4.-3:stochastic"], Level::Fatal, Topic::Vanishes, "weight");
    has(&["psp=8.4"], Level::Warning, Topic::Vanishes, "psp");
}

#[test]
fn a_shift_wider_than_the_dither_is_noted() {
    has(&["delta=32.24", "weights=8.4"], Level::Note, Topic::NoiseBits, "weight");
}

#[test]
fn time_constants_that_cannot_be_set_are_warned_of() {
    let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
    formats.decay = Decay::Shift;
    let found = lint(&model(0.21), &formats);
    assert!(found.iter().any(|f| f.topic == Topic::Decay && f.variable == "filter_fast"), "{found:?}");
}

#[test]
fn a_learning_rate_below_the_formats_is_fatal() {
    let formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
    let found = lint(&model(0.000_01), &formats);
    assert!(found.iter().any(|f| f.topic == Topic::LearningRate && f.level == Level::Fatal), "{found:?}");
}

#[test]
fn errors_of_which_the_larger_ones_teach_are_warned_of() {
    has(&["error=8.4"], Level::Warning, Topic::LearningRate, "error");
    has(&["error=8.0"], Level::Fatal, Topic::LearningRate, "error");
    assert!(found(&["error=8.4"]).iter().all(|finding| finding.0 < Level::Fatal));
}
