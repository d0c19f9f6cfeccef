//! Errors by layer, variable and step; where the first of them passed a tolerance.

use super::spikes::Agreement;
use crate::statistics::ErrorStats;
use apical_core::formats::Variable;
use serde::Serialize;

/// When a number was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// After a step of the forward phase.
    Forward(u32),
    /// After a step of the target phase.
    Target(u32),
    /// At the end of the forward phase.
    ForwardEnd,
    /// At the end of the target phase, or of the updates.
    End,
}

impl When {
    /// `forward` and 12.
    #[must_use]
    pub fn parts(self) -> (&'static str, Option<u32>) {
        match self {
            Self::Forward(step) => ("forward", Some(step)),
            Self::Target(step) => ("target", Some(step)),
            Self::ForwardEnd => ("forward-end", None),
            Self::End => ("end", None),
        }
    }
}

/// The first number that was further off than the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct First {
    /// Place of the example in the list of those compared.
    pub example: usize,
    /// Moment.
    pub when: When,
    /// Neuron, or synapse counted column by column.
    pub index: usize,
    /// The float's value.
    pub float: f64,
    /// The integer's, in real units.
    pub integer: f64,
}

/// Errors of one variable in one layer.
#[derive(Debug, Clone)]
pub struct Line {
    /// From 0, the output layer last.
    pub layer: usize,
    /// Which variable.
    pub variable: Variable,
    /// Its step in real units.
    pub lsb: f64,
    /// Errors of all examples.
    pub all: ErrorStats,
    /// By moment, in the order of a run.
    pub over_time: Vec<(When, ErrorStats)>,
    /// First number off by more than the tolerance.
    pub first: Option<First>,
}

/// All errors of some examples.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Lines, layer by layer in the order of data flow.
    pub lines: Vec<Line>,
    /// Spikes of the inputs (0) and of the layers.
    pub spikes: Vec<Agreement>,
    /// The first line that passed the tolerance, and where.
    pub first: Option<(usize, Variable, First)>,
    /// Largest error in LSB that is no divergence.
    pub tolerance: f64,
    /// Example at work.
    pub example: usize,
}

impl Tally {
    /// Nothing compared yet, in a network of so many layers.
    #[must_use]
    pub fn new(layers: usize, tolerance: f64) -> Self {
        Self { spikes: vec![Agreement::default(); layers + 1], tolerance, ..Self::default() }
    }

    fn line(&mut self, layer: usize, variable: Variable, lsb: f64) -> &mut Line {
        let known = self.lines.iter().position(|line| (line.layer, line.variable) == (layer, variable));
        let at = known.unwrap_or_else(|| {
            let key = (layer, stage(variable));
            let at = self.lines.partition_point(|line| (line.layer, stage(line.variable)) < key);
            let (all, over_time) = (ErrorStats::new(), Vec::new());
            self.lines.insert(at, Line { layer, variable, lsb, all, over_time, first: None });
            at
        });
        &mut self.lines[at]
    }

    /// Compares the values of a variable at one moment.
    pub fn record(
        &mut self,
        (layer, variable, lsb): (usize, Variable, f64),
        when: When,
        values: impl Iterator<Item = (f64, f64)>,
    ) {
        let (example, tolerance) = (self.example, self.tolerance * lsb);
        let line = self.line(layer, variable, lsb);
        let mut errors = ErrorStats::new();
        let mut first = None;
        for (index, (float, integer)) in values.enumerate() {
            errors.record(float, integer, index as u64);
            if first.is_none() && (integer - float).abs() > tolerance {
                first = Some(First { example, when, index, float, integer });
            }
        }
        line.all.merge(&errors);
        match line.over_time.iter_mut().find(|(known, _)| *known == when) {
            Some((_, known)) => known.merge(&errors),
            None => line.over_time.push((when, errors)),
        }
        line.first = line.first.or(first);
        self.first = self.first.or(first.map(|first| (layer, variable, first)));
    }

    /// The line of a variable of a layer.
    #[must_use]
    pub fn of(&self, layer: usize, variable: Variable) -> Option<&Line> {
        self.lines.iter().find(|line| (line.layer, line.variable) == (layer, variable))
    }
}

/// Where in the flow of an example a variable is made.
#[must_use]
pub fn stage(variable: Variable) -> usize {
    const ORDER: [Variable; Variable::COUNT] = [
        Variable::Accumulator,
        Variable::FilterFast,
        Variable::FilterSlow,
        Variable::Basal,
        Variable::Soma,
        Variable::Psp,
        Variable::Feedback,
        Variable::Apical,
        Variable::Plateau,
        Variable::Rate,
        Variable::Error,
        Variable::Delta,
        Variable::Weight,
        Variable::Bias,
    ];
    ORDER.iter().position(|&other| other == variable).unwrap_or(ORDER.len())
}
