//! `apical compare`: what the integers cost.

use crate::data::Dataset;
use crate::experiment::{self, Plan, Progress};
use crate::laboratory::table::effective;
use crate::laboratory::trial::trial;
use crate::report;
use std::path::PathBuf;
use std::process::ExitCode;

use super::format_args::FormatArgs;
use super::model_args::ModelArgs;
use super::run_args::{DataArgs, RunArgs, Seeds, seeds};
use super::{Error, Outcome, show};

/// Where the JSON goes.
const JSON: &str = "results/compare.json";

const DETAILS: &str = "\
Both learn the same examples in the same order from the same random numbers, so that what differs is
arithmetic. The report gives the test errors and their paired difference, the error of each variable,
spikes that differ, saturations and lost updates, memory and time.

Examples:
  A quick look: one seed, few examples
    apical compare --seeds 1 --examples 5000 --test-images 2000
  The full run of the paper, as paired seeds
    apical compare --hidden 500 --epochs 60 --seeds 5 --json results/paper.json
  A chip's formats, decays and rounding beside the reference, and what of the model fits on it
    apical compare --profile loihi
  The compiled-in formats with one of them changed
    apical compare --format soma=8.2:floor --format weight@output=8.3";

/// Train and test the integer core and the float reference side by side (the default)
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

    /// Examples of the first seed that are compared number by number, spread over its run
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Run")]
    lockstep: usize,

    /// File for the results as JSON
    #[arg(long, value_name = "FILE", default_value = JSON, help_heading = "Output")]
    json: PathBuf,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, or a plan that cannot be run.
    pub fn run(&self) -> Outcome {
        let dataset = self.data.load()?;
        let plan = self.plan(&dataset)?;
        let progress = self.data.progress();
        if self.formats.given() {
            return self.run_formats(&plan, &dataset, &progress);
        }
        let outcome =
            self.data.with_threads(|| Ok(experiment::compare(&plan, &dataset, self.lockstep, &progress)))?;
        self.finish(&report::text::comparison(&outcome), &report::json::comparison(&outcome))
    }

    /// Formats chosen at run time: the table and its warnings first, then the run.
    fn run_formats(&self, plan: &Plan, dataset: &Dataset, progress: &Progress) -> Outcome {
        let (name, numbers, chip) = self.formats.numbers(&self.model, plan.sizes.len() - 1)?;
        show(&format!("{}\n", effective(&plan.model(0), &numbers)))?;
        let outcome = self
            .data
            .with_threads(|| Ok(trial(plan, (&name, &numbers), chip.as_ref(), dataset, progress)))?;
        self.finish(&outcome.text(), &outcome.json())
    }

    fn finish(&self, text: &str, json: &serde_json::Value) -> Outcome {
        report::write(&self.json, &serde_json::to_vec_pretty(json)?)
            .map_err(|cause| format!("cannot write {:?} ({cause})", self.json))?;
        show(&format!("{text}\nwritten to {}\n", self.json.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self, dataset: &Dataset) -> Result<Plan, Error> {
        let mut plan = self.model.plan(dataset);
        plan.seeds = self.seeds.0.clone();
        self.run.fill(&mut plan);
        plan.check(dataset)?;
        Ok(plan)
    }
}
