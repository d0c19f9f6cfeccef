//! The effective table of formats, printed before a run.

use super::args::{FormatArgs, ModelArgs};
use super::error::LabError;
use super::formats::{Formats, Numbers};
use super::lint::{Finding, lint, lsb, range};
use super::notation::decay_name;
use super::ranges::Expected;
use crate::model::Model;
use apical_core::formats::Variable;
use std::fmt::Write;

/// Print the effective table of formats and what interval arithmetic has to say about it
#[derive(Debug, Clone, clap::Args)]
pub struct FormatsArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    formats: FormatArgs,
    /// Inputs and outputs of the network
    #[arg(long, default_value = "784,10", value_delimiter = ',', num_args = 1)]
    ends: Vec<usize>,
    /// Print TOML that a profile's [formats] or another program can read
    #[arg(long)]
    toml: bool,
}

/// Runs `apical formats`.
pub fn run(args: &FormatsArgs) -> Result<String, LabError> {
    let [inputs, outputs] = args.ends[..] else {
        return Err(LabError::syntax("ends", &format!("{:?}", args.ends), "is not inputs,outputs"));
    };
    let model = args.model.model(inputs, outputs, 1)?;
    let numbers = args.formats.numbers(model.layers())?;
    match &numbers {
        Numbers::Integer(formats) if args.toml => {
            toml::to_string(formats).map_err(|error| LabError::syntax("format", "toml", error.to_string()))
        }
        _ => Ok(effective(&model, &numbers)),
    }
}

/// The table and the findings.
#[must_use]
pub fn effective(model: &Model, numbers: &Numbers) -> String {
    match numbers {
        Numbers::Float => format!("formats of {}: f64 throughout (the reference)\n", model.topology()),
        Numbers::Integer(formats) => {
            let mut text = table(model, formats);
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
            "variable", "bits", "fraction", "LSB", "range", "expected", "headroom", "rounding"
        );
        for variable in Variable::ALL {
            let line = table.of(variable);
            let ((low, high), largest) = (range(line), expected.largest(variable));
            // The top of a fraction is one step short of one: no loss of headroom.
            let headroom = if largest > 0.0 { format!("{:+.1} bit", ((high + lsb(line)) / largest).log2()) } else { "unused".into() };
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
