//! The effective table of formats, printed before a run.

use super::formats::{Formats, Numbers};
use super::lint::{Finding, lint, lsb, range};
use super::notation::decay_name;
use super::ranges::Expected;
use crate::model::Model;
use apical_core::emulated::Pace;
use apical_core::formats::Variable;
use apical_core::tables::psp::Kernel;
use std::fmt::Write;

/// The table and the findings.
#[must_use]
pub fn effective(model: &Model, numbers: &Numbers) -> String {
    match numbers {
        Numbers::Float => format!("formats of {}: f64 throughout (the reference)\n", model.topology()),
        Numbers::Integer(formats) => {
            let mut text = table(model, formats);
            text += &paces(model, formats);
            text += &findings(&lint(model, formats));
            text
        }
    }
}

/// One line a variable, a block a layer.
#[must_use]
pub fn table(model: &Model, formats: &Formats) -> String {
    let mut text = format!("formats of {}, decays {}\n", model.topology(), decay_name(formats.decay));
    for (number, table) in formats.tables.iter().enumerate() {
        let expected = Expected::new(model, number);
        let _ = writeln!(
            text,
            "{} ({} units, fan-in {}, η {})\n  {:<12} {:>5} {:>8} {:>12} {:>21} {:>9} {:>8}  {:<12} overflow",
            formats.layer_name(number),
            model.sizes[number + 1],
            expected.fan_in,
            expected.learning_rate,
            "variable",
            "bits",
            "fraction",
            "LSB",
            "range",
            "expected",
            "headroom",
            "rounding"
        );
        for variable in Variable::ALL {
            let line = table.of(variable);
            let ((low, high), largest) = (range(line), expected.largest(variable));
            // The top of a fraction is one step short of one: no loss of headroom.
            let headroom = if largest > 0.0 {
                format!("{:+.1} bit", ((high + lsb(line)) / largest).log2())
            } else {
                "unused".into()
            };
            let _ = writeln!(
                text,
                "  {:<12} {:>5} {:>8} {:>12} {:>21} {:>9} {:>8}  {:<12} {}",
                variable.name(),
                line.format.bits,
                line.format.fraction,
                real(lsb(line)),
                format!("{} … {}", real(low), real(high)),
                real(largest),
                headroom,
                line.rounding.name(),
                line.overflow.name()
            );
        }
    }
    text
}

/// How fast these formats go: on what a vector unit works each layer off.
fn paces(model: &Model, formats: &Formats) -> String {
    let layer = |number| {
        let [steps, updates] =
            formats.coefficients(model, number).paces(model.kernel == Kernel::Cut).map(Pace::name);
        let name = formats.layer_name(number);
        if steps == updates {
            format!("{name} in {steps}")
        } else {
            format!("{name} in {steps}, its updates in {updates}")
        }
    };
    let layers: Vec<String> = (0..model.layers()).map(layer).collect();
    format!("on vector units: {}\n", layers.join("; "))
}

/// Six significant digits, without an exponent.
fn real(value: f64) -> String {
    let digits = (5 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 7) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// The findings, or that there are none.
#[must_use]
pub fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "no warnings\n".into();
    }
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}
