//! What interval arithmetic says about formats before a run.

use super::formats::Formats;
use super::ranges::{Expected, TYPICAL_PSP, initial_weights};
use crate::model::Model;
use apical_core::emulated::{EmulatedParameters, Table, VariableFormat};
use apical_core::formats::Variable;
use apical_core::parameters::{APPROACH, BASAL_SHARE, TEACHER};
use apical_core::rounding::{Overflow, Rounding};
use apical_core::tables::psp::{KEEP_FAST, KEEP_SLOW};
use serde::Serialize;
use std::fmt;

/// Bits of the dither of a weight's update; shifts beyond get a hash of it.
pub const NOISE_BITS: i32 = 16;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Possible, not expected.
    Note,
    /// Will cost accuracy.
    Warning,
    /// The network will not learn.
    Fatal,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The worst case of a sum against its accumulator.
    FanIn,
    /// Values expected beyond a range.
    Range,
    /// Updates that round to nothing.
    LostUpdate,
    /// A rounding that pulls to one side.
    Drift,
    /// η too small for the formats.
    LearningRate,
    /// Too few random bits for a stochastic shift.
    NoiseBits,
    /// Values that become zero.
    Vanishes,
    /// A time constant that cannot be set.
    Decay,
    /// A filter that stops before it arrives.
    DeadZone,
    /// The teaching current against the soma's range.
    Teacher,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// How bad.
    pub level: Level,
    /// About what.
    pub topic: Topic,
    /// Where.
    pub variable: &'static str,
    /// In which layer.
    pub layer: String,
    /// One sentence with numbers.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Fatal => "FATAL",
        };
        write!(f, "{level}: {}@{}: {}", self.variable, self.layer, self.text)
    }
}

/// Step in real units.
#[must_use]
pub fn lsb(line: &VariableFormat) -> f64 {
    f64::exp2(-f64::from(line.format.fraction))
}

/// Ends of the range in real units.
#[must_use]
pub fn range(line: &VariableFormat) -> (f64, f64) {
    (line.lowest as f64 * lsb(line), line.highest as f64 * lsb(line))
}

/// Everything found, the worst first.
#[must_use]
pub fn lint(model: &Model, formats: &Formats) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, table) in formats.tables.iter().enumerate() {
        let mut layer = LayerLint {
            table,
            expected: Expected::new(model, number),
            name: formats.layer_name(number),
            is_output: number + 1 == formats.tables.len(),
            findings: &mut findings,
        };
        layer.ranges();
        layer.fan_in();
        layer.updates();
        layer.learning_rate();
        layer.initial(initial_weights(model, number));
        layer.traces();
        layer.decays(&model.emulated(number, *table, formats.decay));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings
}

struct LayerLint<'a> {
    table: &'a Table,
    expected: Expected,
    name: String,
    is_output: bool,
    findings: &'a mut Vec<Finding>,
}

impl LayerLint<'_> {
    fn find(&mut self, level: Level, topic: Topic, variable: Variable, text: String) {
        self.findings.push(Finding {
            level,
            topic,
            variable: variable.name(),
            layer: self.name.clone(),
            text,
        });
    }

    fn used(&self, variable: Variable) -> bool {
        !self.is_output || !matches!(variable, Variable::Apical | Variable::Plateau | Variable::Feedback)
    }

    fn ranges(&mut self) {
        for variable in Variable::ALL.into_iter().filter(|&v| self.used(v)).collect::<Vec<_>>() {
            let line = *self.table.of(variable);
            let (top, largest) = (range(&line).1, self.expected.largest(variable));
            if variable == Variable::Soma && top < f64::from(TEACHER) {
                let text = format!("reaches {top:.3}, the teaching current pulls to ±{TEACHER}");
                self.find(Level::Warning, Topic::Teacher, variable, text);
            } else if top + lsb(&line) < largest {
                let level = match variable {
                    // A clipped sum or soma costs little until the range is far too small.
                    Variable::Accumulator | Variable::FilterFast | Variable::FilterSlow
                        if 4.0 * top > largest =>
                    {
                        Level::Note
                    }
                    _ => Level::Warning,
                };
                let level = if line.overflow == Overflow::Wrap { Level::Warning } else { level };
                let text =
                    format!("reaches {top:.4}, {largest:.3} is to be expected ({})", line.overflow.name());
                self.find(level, Topic::Range, variable, text);
            }
        }
    }

    fn fan_in(&mut self) {
        let (sum, weight) =
            (range(self.table.of(Variable::Accumulator)).1, range(self.table.of(Variable::Weight)).1);
        let worst = self.expected.fan_in as f64 * weight;
        if worst > sum {
            let wraps = self.table.of(Variable::Accumulator).overflow == Overflow::Wrap;
            let level = if wraps { Level::Warning } else { Level::Note };
            let text = format!(
                "worst case {} inputs × {weight:.3} = {worst:.0} against {sum:.3}: sure for {:.0} spikes a step only",
                self.expected.fan_in,
                (sum / weight).floor()
            );
            self.find(level, Topic::FanIn, Variable::Accumulator, text);
        }
    }

    fn updates(&mut self) {
        for (variable, change) in [
            (Variable::Weight, self.expected.change()),
            (Variable::Bias, self.expected.error() * BASAL_SHARE),
        ] {
            let line = *self.table.of(variable);
            let (step, weight) = (lsb(&line), variable == Variable::Weight);
            let lost =
                |share: &str| format!("typical change {change:.4} is below {share} of {step:.6}: it is lost");
            let worst = if weight { Level::Fatal } else { Level::Warning };
            match line.rounding {
                Rounding::Nearest | Rounding::NearestEven | Rounding::NearestAway if change < 0.5 * step => {
                    let level = if change < 0.15 * step { worst } else { Level::Warning };
                    self.find(level, Topic::LostUpdate, variable, lost("half a step"));
                }
                Rounding::TowardZero if change < step => {
                    let level = if change < 0.3 * step { worst } else { Level::Warning };
                    self.find(level, Topic::LostUpdate, variable, lost("a step"));
                }
                Rounding::Floor => {
                    let level = if change < step { worst } else { Level::Warning };
                    let text = format!(
                        "every update loses half a step ({:.6}) on average: the mean drifts down",
                        step / 2.0
                    );
                    self.find(level, Topic::Drift, variable, text);
                }
                Rounding::Stochastic | Rounding::UnitStep => {
                    let delta = i32::from(self.table.of(Variable::Delta).format.fraction);
                    let shift = delta - i32::from(line.format.fraction);
                    if shift > NOISE_BITS {
                        let text = format!(
                            "shift of {shift} bits with {NOISE_BITS} random ones; the rest is a hash of them"
                        );
                        self.find(Level::Note, Topic::NoiseBits, variable, text);
                    }
                }
                _ => {}
            }
        }
    }

    fn learning_rate(&mut self) {
        let coefficient = self.expected.gain() * BASAL_SHARE * 2048.0;
        if coefficient < 0.5 {
            let text = format!(
                "20·η·k_B = {:.6} is below half a step of 2^-11: nothing is learnt",
                coefficient / 2048.0
            );
            self.find(Level::Fatal, Topic::LearningRate, Variable::Error, text);
        }
        for (variable, typical) in
            [(Variable::Error, self.expected.error()), (Variable::Delta, self.expected.change())]
        {
            let line = *self.table.of(variable);
            let step = lsb(&line);
            let dithered = matches!(line.rounding, Rounding::Stochastic | Rounding::UnitStep);
            let vanishes = typical < 0.5 * step && !dithered;
            let largest = self.expected.largest(variable);
            if vanishes && variable == Variable::Error && largest >= step {
                // Measured: what the larger ones teach is enough (studies/errors).
                let text = format!(
                    "typical {typical:.5} is below half a step of {step:.6}: only larger ones teach, up to {largest:.3}"
                );
                self.find(Level::Warning, Topic::LearningRate, variable, text);
            } else if vanishes {
                let smallest = self.expected.learning_rate * 0.5 * step / typical;
                let text = format!(
                    "typical {typical:.5} is below half a step of {step:.6}; η would have to be {smallest:.3}"
                );
                self.find(Level::Fatal, Topic::LearningRate, variable, text);
            } else if typical < 2.0 * step && !dithered {
                let text = format!("typical {typical:.5} is {:.1} steps of {step:.6}", typical / step);
                self.find(Level::Warning, Topic::LearningRate, variable, text);
            }
        }
    }

    fn initial(&mut self, (mean, spread): (f64, f64)) {
        let step = lsb(self.table.of(Variable::Weight));
        if mean.abs() + spread < 0.5 * step {
            let text =
                format!("initial weights {mean:.3} ± {spread:.3} all become 0 with a step of {step:.4}");
            self.find(Level::Fatal, Topic::Vanishes, Variable::Weight, text);
        } else if spread < step {
            let text = format!(
                "initial weights {mean:.3} ± {spread:.3} have a step of {step:.4}: three values at most"
            );
            self.find(Level::Warning, Topic::Vanishes, Variable::Weight, text);
        }
        let (bias, step) = (0.8 * BASAL_SHARE, lsb(self.table.of(Variable::Bias)));
        if bias < 0.5 * step {
            let text = format!("the initial bias {bias:.3} becomes 0 with a step of {step:.4}");
            self.find(Level::Note, Topic::Vanishes, Variable::Bias, text);
        }
    }

    fn traces(&mut self) {
        let line = *self.table.of(Variable::Psp);
        // One spike in a window of 20 steps.
        let (one, step) = (0.5 / 20.0, lsb(&line));
        if one < 0.5 * step && !matches!(line.rounding, Rounding::Stochastic | Rounding::UnitStep) {
            let text = format!("a single spike's mean of {one:.4} becomes 0 with a step of {step:.4}");
            self.find(Level::Warning, Topic::Vanishes, Variable::Psp, text);
        } else if one < 2.0 * step {
            let text = format!(
                "a single spike's mean of {one:.4} is {:.1} steps (typical {TYPICAL_PSP})",
                one / step
            );
            self.find(Level::Note, Topic::Vanishes, Variable::Psp, text);
        }
    }

    fn decays(&mut self, parameters: &EmulatedParameters) {
        let set = parameters.coefficients();
        let each = [
            (Variable::FilterFast, 1.0 - KEEP_FAST, set.fast),
            (Variable::FilterSlow, 1.0 - KEEP_SLOW, set.slow),
            (Variable::Soma, APPROACH, set.soma),
        ];
        for (variable, wanted, raw) in each {
            let gain = f64::from(raw) / 32768.0;
            if raw == 0 || raw >= 32768 {
                let text = format!("a share of {wanted:.4} a step becomes {gain}: no filter is left");
                self.find(Level::Fatal, Topic::Decay, variable, text);
                continue;
            }
            let tau = |gain: f64| -1.0 / (1.0 - gain).ln();
            let off = tau(gain) / tau(wanted) - 1.0;
            if off.abs() > 0.02 {
                let text = format!(
                    "τ becomes {:.2} steps instead of {:.2} ({:+.0} %)",
                    tau(gain),
                    tau(wanted),
                    100.0 * off
                );
                self.find(Level::Warning, Topic::Decay, variable, text);
            }
            let line = *self.table.of(variable);
            let slack = match line.rounding {
                Rounding::Stochastic | Rounding::UnitStep => 0.0,
                Rounding::Floor | Rounding::TowardZero => 1.0,
                _ => 0.5,
            };
            let zone = slack * lsb(&line) / gain;
            if zone > 0.5 {
                let text = format!(
                    "stops moving within {zone:.2} of its input (step {:.4}, share {gain:.3})",
                    lsb(&line)
                );
                self.find(
                    if zone > 4.0 { Level::Warning } else { Level::Note },
                    Topic::DeadZone,
                    variable,
                    text,
                );
            }
        }
    }
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
