//! Two traces compared, variable by variable.

use crate::statistics::ErrorStats;
use apical_core::formats::Variable;
use serde::Serialize;
use std::cmp::Ordering;

use super::COMPARED;
use super::trace::{LayerTrace, Trace};

/// Spikes of the core held against those of the reference: same unit, same step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Spikes of both.
    pub matched: u64,
    /// Spikes of the reference alone.
    pub missed: u64,
    /// Spikes of the core alone.
    pub extra: u64,
}

impl Agreement {
    /// Matched spikes among all that either fired; 1 where nobody fired.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self.matched + self.missed + self.extra {
            0 => 1.0,
            all => self.matched as f64 / all as f64,
        }
    }

    /// Takes in the spikes of one step; both lists ascend.
    fn record(&mut self, core: &[u32], reference: &[u32]) {
        let (mut core, mut reference) = (core, reference);
        while let (Some((a, core_rest)), Some((b, reference_rest))) =
            (core.split_first(), reference.split_first())
        {
            match a.cmp(b) {
                Ordering::Equal => self.matched += 1,
                Ordering::Less => self.extra += 1,
                Ordering::Greater => self.missed += 1,
            }
            core = if a <= b { core_rest } else { core };
            reference = if b <= a { reference_rest } else { reference };
        }
        self.extra += core.len() as u64;
        self.missed += reference.len() as u64;
    }
}

/// Errors of one variable in one layer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Errors {
    /// Over everything.
    pub all: ErrorStats,
    /// While all spikes agreed: steps before the first that did not; of values at the end of
    /// a phase or example, those of examples without any.
    pub agreeing: ErrorStats,
}

/// Errors and spikes of one layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerErrors {
    /// By [`Variable`].
    pub errors: [Errors; Variable::COUNT],
    /// Spikes.
    pub spikes: Agreement,
    /// LSB of each variable, in the units of a trace.
    pub lsb: [f64; Variable::COUNT],
}

/// Compares examples, and adds up.
#[derive(Debug, Clone, Default)]
pub struct Comparer {
    /// Examples so far.
    pub examples: u64,
    /// Of those, examples in which all spikes agreed.
    pub identical: u64,
    /// Spikes of the inputs.
    pub input: Agreement,
    /// Layers, output last.
    pub layers: Vec<LayerErrors>,
}

impl Comparer {
    /// Of nothing yet; `lsb` for each layer.
    #[must_use]
    pub fn new(lsb: Vec<[f64; Variable::COUNT]>) -> Self {
        let layer = |lsb| LayerErrors { lsb, ..LayerErrors::default() };
        Self { layers: lsb.into_iter().map(layer).collect(), ..Self::default() }
    }

    /// Takes one example in.
    ///
    /// # Panics
    /// If the traces are not of one example.
    pub fn record(&mut self, core: &Trace, reference: &Trace) {
        assert_eq!(core.steps(), reference.steps(), "phase lengths are drawn from one stream");
        let agreed =
            (0..core.steps()).position(|step| differ_at(core, reference, step)).unwrap_or(core.steps());
        let whole = agreed == core.steps();
        self.examples += 1;
        self.identical += u64::from(whole);
        spikes(&mut self.input, &core.input, &reference.input);
        let layers = self.layers.iter_mut().zip(&core.layers).zip(&reference.layers);
        // The potentials of the step of a differing spike are those that made it differ; in the
        // layers above it the spike has already acted.
        let differing = if whole { usize::MAX } else { level_differing(core, reference, agreed) };
        for (number, ((layer, core), reference)) in layers.enumerate() {
            let potentials = agreed + usize::from(number < differing);
            spikes(&mut layer.spikes, &core.spikes, &reference.spikes);
            for variable in COMPARED {
                let stepped = matches!(variable, Variable::Basal | Variable::Soma);
                let upto = match (stepped, whole) {
                    (true, _) => potentials * core.units,
                    (false, true) => usize::MAX,
                    (false, false) => 0,
                };
                values(&mut layer.errors[variable as usize], variable, core, reference, upto);
            }
        }
    }
}

/// Whether any spike of a step differs.
fn differ_at(core: &Trace, reference: &Trace, step: usize) -> bool {
    level_differing(core, reference, step) <= core.layers.len()
}

/// The lowest level (the inputs are 0) of which a spike differs in a step.
fn level_differing(core: &Trace, reference: &Trace, step: usize) -> usize {
    let differs = |&level: &usize| core.spikes(level)[step] != reference.spikes(level)[step];
    (0..=core.layers.len()).find(differs).unwrap_or(usize::MAX)
}

fn spikes(agreement: &mut Agreement, core: &[Vec<u32>], reference: &[Vec<u32>]) {
    core.iter().zip(reference).for_each(|(core, reference)| agreement.record(core, reference));
}

/// Compares the values of a variable, the first `upto` of them as agreeing. A synapse that
/// neither side means to change says nothing about the update and is left out.
fn values(errors: &mut Errors, variable: Variable, core: &LayerTrace, reference: &LayerTrace, upto: usize) {
    let untouched = |index: usize| {
        let delta = |trace: &LayerTrace| trace.of(Variable::Delta)[index];
        delta(core) == 0.0 && delta(reference) == 0.0
    };
    let synaptic = matches!(variable, Variable::Delta | Variable::Weight);
    let pairs = core.of(variable).iter().zip(reference.of(variable)).enumerate();
    for (index, (&core, &reference)) in pairs {
        if synaptic && untouched(index) {
            continue;
        }
        errors.all.record(reference, core, index as u64);
        if index < upto {
            errors.agreeing.record(reference, core, index as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_are_matched_unit_by_unit() {
        let mut agreement = Agreement::default();
        agreement.record(&[1, 3, 3, 9], &[1, 2, 3, 8, 10]);
        assert_eq!(agreement, Agreement { matched: 2, missed: 3, extra: 2 });
        assert!((agreement.share() - 2.0 / 7.0).abs() < 1e-15);
    }
}
