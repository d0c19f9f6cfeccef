//! `apical diverge`: where, when and in which variable the integers leave the floats.

use crate::data::Dataset;
use crate::diverge::fault::Fault;
use crate::diverge::measure::tables;
use crate::diverge::{Mode, Picture, Tally, Traced, Twins, report as pages, svg};
use crate::experiment::order::Order;
use crate::experiment::{Manifest, Plan};
use crate::report;
use clap::ArgAction;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::model_args::ModelArgs;
use super::run_args::DataArgs;
use super::{Error, Outcome, show};

const DETAILS: &str = "\
Both networks draw the same random numbers, so every number of one has its counterpart in the other.
  free    the integers run by themselves: after the first spike that differs, errors accumulate
  forced  after each step the integers are given the float state: what is left is the error that one
          step, one phase end or one update makes

Examples:
  Ten examples of a trained network, in both modes
    apical diverge --after 2000
  One neuron of the training image 7, drawn
    apical diverge --example 7 --unit 3 --plot results/neuron.svg --csv results/diverge.csv
  What a floor at the soma would do
    apical diverge --mode forced --fault soma=floor";

/// Compare integers and floats number by number: errors, spikes, the first divergence
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    /// Round a variable otherwise (repeatable): VARIABLE=ROUNDING
    #[arg(long = "fault", value_name = "VAR=MODE", action = ArgAction::Append, help_heading = "Network")]
    faults: Vec<Fault>,

    /// Seed of weights, spikes and order
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Run")]
    seed: u64,

    /// Examples both learn, each by itself, before any is compared
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = "Run")]
    after: usize,

    /// Examples to compare, the next of the shuffled set
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Run")]
    count: usize,

    /// Examples to compare instead: places in the training set, from 0
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Run")]
    example: Vec<u32>,

    /// How the integers run [default: both]
    #[arg(long, value_name = "MODE", value_delimiter = ',', help_heading = "Run")]
    mode: Vec<Mode>,

    /// Errors up to so many LSB are no divergence
    #[arg(long, value_name = "LSB", default_value_t = 8.0, help_heading = "Run")]
    tolerance: f64,

    #[command(flatten)]
    data: DataArgs,

    /// Errors of every variable, moment by moment, as CSV
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    csv: Option<PathBuf>,

    /// One neuron in the first compared example, as SVG
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Its layer, from 0; the output layer comes last
    #[arg(long, value_name = "LAYER", default_value_t = 0, help_heading = "Output")]
    layer: usize,

    /// Its number [default: the one of its layer that fires most]
    #[arg(long, value_name = "UNIT", help_heading = "Output")]
    unit: Option<usize>,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, a plan that cannot be run, or files that cannot be written.
    pub fn run(&self) -> Outcome {
        let dataset = self.data.load()?;
        let plan = self.plan(&dataset)?;
        let (before, examples) = self.examples(&plan, &dataset)?;
        let traced = self.traced(&plan)?;
        let modes = if self.mode.is_empty() { vec![Mode::Free, Mode::Forced] } else { self.mode.clone() };
        let mut tables = tables(&plan);
        tables.iter_mut().for_each(|table| self.faults.iter().for_each(|fault| fault.apply(table)));
        let model = plan.model(self.seed);
        let learning = (&dataset.train, before.as_slice());
        let mut twins = Twins::in_formats(&model, &tables, learning, (&modes, self.tolerance));
        let traces = twins.compare(&dataset.train, &examples, traced);
        let manifest = Manifest::new(&plan, &dataset);
        show(&self.page(&manifest, &twins.tallies(), plan.sizes.len() - 1, (before.len(), examples.len())))?;
        if let Some(path) = &self.csv {
            let csv = pages::csv(&twins.tallies(), plan.sizes.len() - 1);
            write(path, csv.as_bytes())?;
        }
        if let Some(path) = &self.plot {
            let pictures: Vec<Picture> = twins.pictures(traces);
            write(path, svg(&pictures)?.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self, dataset: &Dataset) -> Result<Plan, Error> {
        let mut plan = self.model.plan(dataset);
        plan.seeds = vec![self.seed];
        plan.check(dataset)?;
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(format!("a tolerance of {} LSB: give 0 or more", self.tolerance).into());
        }
        Ok(plan)
    }

    /// Those that are learnt and those that are compared.
    fn examples(&self, plan: &Plan, dataset: &Dataset) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let all = dataset.train.len();
        let mut order = Order::new(self.seed, all);
        let order = order.next_epoch(plan.examples);
        if let Some(place) = self.example.iter().find(|&&place| place as usize >= all) {
            return Err(format!("example {place} is out of range: there are {all}").into());
        }
        let count = if self.example.is_empty() { self.count } else { self.example.len() };
        if count == 0 || self.after.saturating_add(count) > order.len() {
            let most = order.len();
            return Err(
                format!("{} examples before {count}: 1 to {most} can be run in all", self.after).into()
            );
        }
        let (before, rest) = order.split_at(self.after);
        let chosen = if self.example.is_empty() { rest[..count].to_vec() } else { self.example.clone() };
        Ok((before.to_vec(), chosen))
    }

    fn traced(&self, plan: &Plan) -> Result<Option<Traced>, Error> {
        let Some(&units) = plan.sizes[1..].get(self.layer) else {
            let layers = plan.sizes.len() - 1;
            return Err(format!("layer {} is out of range: there are {layers}, from 0", self.layer).into());
        };
        if let Some(unit) = self.unit.filter(|&unit| unit >= units) {
            return Err(format!("unit {unit} is out of range: layer {} has {units}", self.layer).into());
        }
        Ok(self.plot.as_ref().map(|_| Traced { layer: self.layer, unit: self.unit, example: 0 }))
    }

    fn page(
        &self,
        manifest: &Manifest,
        tallies: &[(Mode, &Tally)],
        layers: usize,
        (before, compared): (usize, usize),
    ) -> String {
        let faults = self
            .faults
            .iter()
            .map(|fault| format!("  {} rounds {}\n", fault.variable.name(), fault.rounding.name()));
        let mut sections = vec![
            format!(
                "{}seed {}  {compared} examples compared after {before} learnt\n{}{}",
                report::text::network(manifest),
                self.seed,
                report::text::data(manifest),
                faults.collect::<String>()
            ),
            pages::errors(tallies, layers),
            pages::over_time(tallies, layers),
            pages::spikes(tallies, layers),
        ];
        sections.extend(tallies.iter().map(|(mode, tally)| pages::first(*mode, tally, layers)));
        let files = [&self.csv, &self.plot]
            .into_iter()
            .flatten()
            .map(|path| format!("written to {}\n", path.display()));
        sections.extend(files);
        sections.join("\n")
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    report::write(path, bytes).map_err(|cause| format!("cannot write {path:?} ({cause})").into())
}
