//! `apical sweep`: a grid of networks.
//!
//! A file says the same as the flags, under the same names: it is turned into arguments that
//! are read before those of the command line, so that there is one spelling of everything.

use crate::laboratory::LabError;
use crate::laboratory::sweep::axis::Axis;
use crate::laboratory::sweep::grid::{Grid, Spec};
use crate::laboratory::sweep::{announce, run};
use clap::{Args as _, Command, FromArgMatches};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::format_args::FormatArgs;
use super::model_args::ModelArgs;
use super::run_args::{DataArgs, RunArgs, Seeds, seeds};
use super::{Error, Outcome, one_line, show};

const DETAILS: &str = "\
Axes:
  VARIABLE.bits=2..16         widths; the range stays as it was
  VARIABLE.range=1..5         ranges of ±2^1 … ±2^5, at the width there is
  VARIABLE.stagger=1..5       the same, one bit more in the output layer
  VARIABLE.fraction=3,4,5     binary points
  VARIABLE.rounding=floor,nearest,stochastic      VARIABLE.overflow=saturate,wrap,drop
  hidden=50,100,500x100       rate=0.1,0.21       rate@output=0.1,0.21
  profile=loihi,q7,float      decay=fine,bits:8,shift
  kernel=scaled,cut           preset=paper,2017-05
VARIABLE is one of those of `apical formats`, or weights, states, all; @hidden, @output or @0 name
the layers.

The store is a CSV file: pandas.read_csv(\"results/sweep.csv\"). It survives being killed at any
time; the same command resumes. A file has the names of the flags, which replace what it says:
axis = [\"weights.bits=2..16\"], seeds = 3, hidden = [100].

Examples:
  Width by rounding
    apical sweep --axis weights.bits=4..16 --axis weights.rounding=nearest,stochastic --reference
  The same with the best binary point of each cell, found by short runs
    apical sweep --axis weights.bits=4..16 --axis weights.stagger=1..5 --best weights.stagger
  A study of this repository again
    apical sweep --file studies/cliff/weights.toml";

/// Train a grid of networks and tabulate their errors; resumes where it was interrupted
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// TOML file with any of the options below
    #[arg(long, value_name = "FILE", help_heading = "Grid")]
    file: Option<PathBuf>,

    /// Axis of the grid (repeatable); the first makes the rows, the second the columns
    #[arg(long, value_name = "NAME=VALUES", help_heading = "Grid")]
    axis: Vec<Axis>,

    /// Axis of which only the best value is run, chosen by the error late in training (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Grid")]
    best: Vec<String>,

    /// Training examples of the networks that choose, one seed each
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Grid")]
    pilot_examples: usize,

    /// Run the f64 reference beside
    #[arg(long, help_heading = "Grid")]
    reference: bool,

    /// Count saturations and lost updates, which takes longer
    #[arg(long, help_heading = "Grid")]
    counters: bool,

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

    /// The store; manifest, times and figures lie beside it
    #[arg(long, value_name = "FILE", default_value = "results/sweep.csv", help_heading = "Output")]
    csv: PathBuf,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, axes, formats or files.
    pub fn run(&self) -> Outcome {
        match &self.file {
            None => self.sweep(),
            // `apical sweep` comes before the options.
            Some(path) => Self::with_file(path, std::env::args_os().skip(2))?.sweep(),
        }
    }

    fn sweep(&self) -> Outcome {
        let dataset = self.data.load()?;
        let mut plan = self.model.plan(&dataset);
        plan.seeds = self.seeds.0.clone();
        self.run.fill(&mut plan);
        let spec = Spec {
            plan,
            rates: self.model.rate.clone(),
            formats: self.formats.request(&self.model),
            axes: self.axis.clone(),
            best: self.best.clone(),
            pilot_examples: self.pilot_examples,
            counters: self.counters,
            reference: self.reference,
        };
        let grid = Grid::new(spec, &dataset)?;
        show(&announce(&grid, &dataset)?)?;
        let progress = self.data.progress();
        let text = self.data.with_threads(|| Ok(run(&grid, &dataset, &self.csv, &progress)?))?;
        show(&format!("\n{text}"))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The options of a file, and those of the command line in their place where both say
    /// something.
    fn with_file(path: &Path, line: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(LabError::file(path))?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| LabError::content(path, error))?;
        let line: Vec<OsString> = line.collect();
        let command = Self::augment_args(Command::new("sweep"));
        let mut words = vec![OsString::from("sweep")];
        for (key, value) in &table {
            if key == "file" || !command.get_arguments().any(|known| known.get_long() == Some(key)) {
                return Err(LabError::content(path, format!("there is no option '{key}'")).into());
            }
            if !says(&line, key) {
                let arguments = arguments(key, value).ok_or_else(|| {
                    LabError::content(
                        path,
                        format!("'{key}' is neither text, number, true, false nor a list"),
                    )
                })?;
                words.extend(arguments.into_iter().map(OsString::from));
            }
        }
        // Whatever is wrong now is in the file: the command line was read before.
        let wrong = |error: clap::Error| LabError::content(path, one_line(&error.to_string()));
        let matches = command.try_get_matches_from(words.into_iter().chain(line)).map_err(wrong)?;
        Ok(Self::from_arg_matches(&matches).map_err(wrong)?)
    }
}

/// Whether a command line has an option.
fn says(line: &[OsString], key: &str) -> bool {
    let option = format!("--{key}");
    line.iter().filter_map(|word| word.to_str()).any(|word| {
        word.strip_prefix(&option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            || (key == "quiet" && word == "-q")
    })
}

/// A line of a file as arguments.
fn arguments(key: &str, value: &toml::Value) -> Option<Vec<String>> {
    use toml::Value::{Array, Boolean};
    let option = format!("--{key}");
    match value {
        Boolean(true) => Some(vec![option]),
        Boolean(false) => Some(Vec::new()),
        Array(values) => {
            let words: Vec<String> = values.iter().map(word).collect::<Option<_>>()?;
            match key {
                "axis" | "best" | "format" => {
                    Some(words.into_iter().map(|word| format!("{option}={word}")).collect())
                }
                // A lone number would stand for so many seeds.
                "seeds" if words.len() == 1 => Some(vec![format!("{option}={},", words[0])]),
                _ => Some(vec![format!("{option}={}", words.join(","))]),
            }
        }
        single => Some(vec![format!("{option}={}", word(single)?)]),
    }
}

fn word(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn parsed(file: &str, line: &[&str]) -> Result<Args, Error> {
        let mut written = tempfile::NamedTempFile::new()?;
        written.write_all(file.as_bytes())?;
        Args::with_file(written.path(), line.iter().map(OsString::from))
    }

    #[test]
    fn a_file_has_the_names_of_the_flags() -> Result<(), Error> {
        let file =
            "axis = [\"weights.bits=2..4\"]\nseeds = [7]\nhidden = [30, 20]\nrate = 0.1\nreference = true";
        let args = parsed(file, &[])?;
        assert_eq!(args.axis[0].values, ["2", "3", "4"]);
        assert_eq!((args.seeds.0, args.model.hidden.0, args.model.rate), (vec![7], vec![30, 20], vec![0.1]));
        assert!(args.reference && !args.counters);
        Ok(())
    }

    #[test]
    fn the_command_line_replaces_what_the_file_says() -> Result<(), Error> {
        let args =
            parsed("seeds = 5\naxis = \"rate=0.1\"\nexamples = 9", &["--seeds=2", "--axis", "hidden=5"])?;
        assert_eq!((args.seeds.0, args.axis.len(), args.run.examples), (vec![1, 2], 1, Some(9)));
        assert_eq!(args.axis[0].name, "hidden");
        Ok(())
    }

    #[test]
    fn a_bad_file_is_refused_in_one_line() {
        for file in [
            "seeds = ",
            "sedes = 3",
            "file = \"x\"",
            "axis = [\"weights.bits=1\"]",
            "seeds = {a = 1}",
            "examples = -1",
        ] {
            let error = parsed(file, &[]).expect_err(file).to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
