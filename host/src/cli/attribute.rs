//! `apical attribute`: which variable costs accuracy.

use crate::laboratory::attribute;
use crate::laboratory::formats::Numbers;
use crate::laboratory::table::effective;
use std::path::PathBuf;
use std::process::ExitCode;

use super::format_args::FormatArgs;
use super::model_args::ModelArgs;
use super::run_args::{DataArgs, RunArgs, Seeds, seeds};
use super::{Outcome, show};

const DETAILS: &str = "\
Every variable is quantised alone while all others are wide, and left wide while all others are
quantised; the differences over paired seeds say which one costs accuracy. Interrupted, it resumes
from its store.

Examples:
  Which part of 8-bit weights rounded to nearest does the damage
    apical attribute --weights 8 --rounding nearest --examples 10000
  Which of Loihi's formats
    apical attribute --profile loihi --seeds 5 --csv results/loihi.csv";

/// Quantise one variable at a time, and spare one at a time: which costs accuracy?
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    formats: FormatArgs,

    /// Seeds: a list (1,5,9) or how many (3 stands for 1,2,3)
    #[arg(long, value_name = "SEEDS", default_value = "3", value_parser = seeds, help_heading = "Run")]
    seeds: Seeds,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    data: DataArgs,

    /// Store of all networks; the ranking lies beside it as JSON
    #[arg(long, value_name = "FILE", default_value = "results/attribute.csv", help_heading = "Output")]
    csv: PathBuf,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, formats or files.
    pub fn run(&self) -> Outcome {
        let dataset = self.data.load()?;
        let mut plan = self.model.plan(&dataset);
        plan.seeds = self.seeds.0.clone();
        self.run.fill(&mut plan);
        plan.check(&dataset)?;
        let (name, numbers, _) = self.formats.numbers(&self.model, plan.sizes.len() - 1)?;
        let Numbers::Integer(formats) = &numbers else {
            return Err(format!("{name} has no formats: nothing to attribute").into());
        };
        show(&effective(&plan.model(0), &numbers))?;
        let progress = self.data.progress();
        let attribution =
            self.data.with_threads(|| Ok(attribute::run(&plan, formats, &dataset, &self.csv, &progress)?))?;
        let json = self.csv.with_extension("json");
        show(&format!(
            "\n{name}, {}: {}\nwritten to {} and {}\n",
            plan.model(0).topology(),
            attribution.text(),
            self.csv.display(),
            json.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
