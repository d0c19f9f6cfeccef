//! `apical train`: one network, its learning curve, its weights.

use crate::counters::{csv, total, warnings};
use crate::data::Dataset;
use crate::experiment::course::{Epoch, Runner};
use crate::experiment::saved::{Header, Saved};
use crate::experiment::{Kind, Manifest, Plan};
use crate::report;
use crate::report::table::significant;
use clap::ValueEnum;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use super::model_args::ModelArgs;
use super::run_args::{DataArgs, RunArgs};
use super::{Error, Outcome, show};

const DETAILS: &str = "\
Examples:
  apical train --hidden 500 --epochs 10
  apical train --arithmetic reference --hidden 500 --epochs 10 --seed 2 --out results/seed-2
  What is lost with 8-bit weights, epoch by epoch
    apical train --weights 8 --epochs 3 --counters results/counters.csv";

/// Train one network, write its learning curve as it goes and its weights at the end
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// Which arithmetic learns
    #[arg(long, value_name = "NAME", default_value = "core", help_heading = "Network")]
    arithmetic: Arithmetic,

    #[command(flatten)]
    model: ModelArgs,

    /// Seed of weights, spikes and order
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Run")]
    seed: u64,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    data: DataArgs,

    /// Folder for NAME.csv (the curve), NAME.json (the manifest) and NAME.apical (the weights),
    /// where NAME is the arithmetic
    #[arg(long, value_name = "DIR", default_value = "results", help_heading = "Output")]
    out: PathBuf,

    /// Count what the core loses; a row for each epoch, layer and variable goes into this CSV
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    counters: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Arithmetic {
    Core,
    Reference,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, a plan that cannot be run, or files that cannot be written.
    pub fn run(&self) -> Outcome {
        if self.counters.is_some() && matches!(self.arithmetic, Arithmetic::Reference) {
            return Err("the reference loses nothing that could be counted: leave --counters out".into());
        }
        let dataset = self.data.load()?;
        let mut plan = self.model.plan(&dataset);
        plan.seeds = vec![self.seed];
        self.run.fill(&mut plan);
        plan.check(&dataset)?;
        self.data.with_threads(|| self.train(&plan, &dataset))?;
        Ok(ExitCode::SUCCESS)
    }

    fn train(&self, plan: &Plan, dataset: &Dataset) -> Result<(), Error> {
        let kind = match self.arithmetic {
            Arithmetic::Core => Kind::Core,
            Arithmetic::Reference => Kind::Reference,
        };
        let manifest = Manifest::new(plan, dataset);
        show(&format!("{}trained in {}\n\n", report::text::manifest(&manifest), kind.name()))?;
        let mut curve = Curve::create(&self.path(kind, "csv"), plan)?;
        self.write(kind, "json", &serde_json::to_vec_pretty(&manifest)?)?;
        let progress = self.data.progress();
        let bars = [
            progress.bar("train", plan.epochs * plan.examples),
            progress.bar("test", plan.epochs * plan.test_images),
        ];
        let names = plan.layer_names();
        let mut counters = self.counters.as_deref().map(|path| Lines::create(path, csv::HEAD)).transpose()?;
        let mut runner = match counters {
            Some(_) => Runner::counting(plan, dataset, self.seed),
            None => Runner::new(plan, dataset, kind, self.seed),
        };
        for _ in 0..plan.epochs {
            let epoch = runner.epoch(&bars[0], &bars[1]);
            curve.add(epoch)?;
            counters.as_mut().map_or(Ok(()), |lines| lines.write(&csv::rows(&names, epoch)))?;
            progress.aside(|| show(&line(epoch)))?;
        }
        progress.clear();
        if let Some(path) = &self.counters {
            let (losses, wrong) = (total(runner.epochs()), warnings(plan, runner.epochs()));
            let page = report::text::counters(&names, &losses, &wrong);
            show(&format!("\n{page}\ncounters in {}\n", path.display()))?;
        }
        let header = Header::new(plan, kind, self.seed, plan.epochs, &dataset.sha256);
        let path = self.path(kind, "apical");
        Saved::new(header, runner.learner.as_ref())
            .write(&path)
            .map_err(|cause| cannot_write(&path, &cause))?;
        show(&format!("\ncurve in {}, weights in {}\n", self.path(kind, "csv").display(), path.display()))?;
        Ok(())
    }

    fn path(&self, kind: Kind, extension: &str) -> PathBuf {
        self.out.join(kind.name()).with_extension(extension)
    }

    fn write(&self, kind: Kind, extension: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(kind, extension);
        report::write(&path, bytes).map_err(|cause| cannot_write(&path, &cause).into())
    }
}

fn cannot_write(path: &Path, cause: &io::Error) -> String {
    format!("cannot write {path:?} ({cause})")
}

/// An epoch for the eye.
fn line(epoch: &Epoch) -> String {
    let weights: Vec<String> = epoch.mean_weights.iter().map(|mean| format!("{mean:+.4}")).collect();
    format!(
        "epoch {:>3}  train error {:>5.2} %  test error {:>5.2} %  mean weights {}  {} µs an example\n",
        epoch.epoch,
        100.0 * epoch.train_error,
        100.0 * epoch.test_error,
        weights.join(" "),
        significant(epoch.train_us, 3),
    )
}

/// A file that grows line by line; every line is there as soon as it is written.
struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    fn create(path: &Path, head: &str) -> Result<Self, Error> {
        let parent = path.parent().unwrap_or(Path::new("."));
        let created = fs::create_dir_all(parent).and_then(|()| File::create(path));
        let file = created.map_err(|cause| cannot_write(path, &cause))?;
        let mut lines = Self { path: path.into(), file };
        lines.write(head)?;
        Ok(lines)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|cause| cannot_write(&self.path, &cause).into())
    }
}

/// A learning curve on disk.
struct Curve {
    lines: Lines,
    begun: Instant,
    examples: u64,
}

impl Curve {
    fn create(path: &Path, plan: &Plan) -> Result<Self, Error> {
        let names = plan.layer_names().iter().map(|name| name.replace(' ', "_")).collect::<Vec<_>>();
        let column = |prefix: &str| names.iter().map(|name| format!(",{prefix}_{name}")).collect::<String>();
        let head = format!(
            "epoch,examples,train_error,test_error{},rate_hz_input{},train_us,test_us,seconds\n",
            column("mean_weight"),
            column("rate_hz")
        );
        Ok(Self { lines: Lines::create(path, &head)?, begun: Instant::now(), examples: 0 })
    }

    fn add(&mut self, epoch: &Epoch) -> Result<(), Error> {
        self.examples += epoch.examples;
        let fields = [epoch.epoch as f64, self.examples as f64, epoch.train_error, epoch.test_error];
        let rest = [epoch.train_us, epoch.test_us, self.begun.elapsed().as_secs_f64()];
        let values = fields.iter().chain(&epoch.mean_weights).chain(&epoch.rates_hz).chain(&rest);
        let values: Vec<String> = values.map(ToString::to_string).collect();
        self.lines.write(&format!("{}\n", values.join(",")))
    }
}
