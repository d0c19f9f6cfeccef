//! `apical formats`: the effective table of formats, without a run.

use crate::laboratory::formats::Numbers;
use crate::laboratory::notation::decay_name;
use crate::laboratory::profile::Profile;
use crate::laboratory::table::effective;
use std::process::ExitCode;

use super::format_args::FormatArgs;
use super::model_args::ModelArgs;
use super::{Outcome, show};

const DETAILS: &str = "\
Each line: bits, binary point, step, range, the largest value to be expected, and how many bits of
room that leaves. Below the table what interval arithmetic warns of.

Examples:
  The compiled-in formats with 8-bit weights rounded to nearest: lost updates are foretold
    apical formats --weights 8 --rounding nearest
  A file of formats to start one's own profile from
    apical formats --profile q7 --format soma=12.6 --toml > mine.toml";

/// Show the formats of every variable, with warnings, without running anything
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    formats: FormatArgs,

    /// Print a profile's TOML instead, to be changed and given to --profile
    #[arg(long, help_heading = "Output")]
    toml: bool,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Formats that are not possible.
    pub fn run(&self) -> Outcome {
        let model = self.model.mnist()?;
        let (_, numbers, profile) = self.formats.numbers(&self.model, model.layers())?;
        let text = match &numbers {
            Numbers::Integer(formats) if self.toml => toml::to_string_pretty(&Profile {
                name: "mine".into(),
                title: "My formats".into(),
                summary: profile.map_or(String::new(), |profile| format!("changed from {}", profile.name)),
                float: false,
                decay: decay_name(formats.decay),
                sources: Vec::new(),
                formats: formats.notation(),
                items: Vec::new(),
                limits: Vec::new(),
            })?,
            Numbers::Float if self.toml => return Err("float has no formats to print".into()),
            _ => effective(&model, &numbers),
        };
        show(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
