//! `apical regress`: whether anything drifted from the committed baseline.

use crate::diverge::fault::Fault;
use crate::regress::{Baseline, Measured, measure, output};
use crate::report;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::run_args::DataArgs;
use super::{Error, Outcome, show};

const DETAILS: &str = "\
Measures digests, counters, the local error of every variable and the cost in accuracy of a
784-30-10 network, and compares them with a file that is committed with the code.

Exit codes: 0 as recorded, 1 something drifted or the budget is exceeded, 2 bad arguments or files.

Examples:
  In CI
    apical regress --github
  After a change that is meant to change bits
    apical regress --record
  Does it notice a floor at the soma?
    apical regress --fault soma=floor";

/// Hold digests, counters, errors and accuracy against the committed baseline
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// The baseline [default: tests/regress/baseline.json of the sources]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write the baseline anew; its budget stays
    #[arg(long, conflicts_with_all = ["fault", "github", "junit"])]
    record: bool,

    /// Print annotations for a GitHub workflow as well
    #[arg(long, help_heading = "Output")]
    github: bool,

    /// Write the checks as JUnit XML
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,

    /// Let one narrowing round wrongly, to see whether it is found: VARIABLE=ROUNDING
    #[arg(long, value_name = "VAR=MODE")]
    fault: Option<Fault>,

    #[command(flatten)]
    data: DataArgs,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data, or a baseline that cannot be read or written.
    pub fn run(&self) -> Outcome {
        let path = self.baseline.clone().unwrap_or_else(default_path);
        let before = read(&path)?;
        if before.is_none() && !self.record {
            return Err(format!("there is no baseline at {path:?}: make one with --record").into());
        }
        let dataset = self.data.load()?;
        let measure = || Ok(measure(&dataset, self.fault));
        match before {
            Some(baseline) if !self.record => {
                if baseline.data_sha256 != dataset.sha256 {
                    return Err(format!("{path:?} was recorded on other data").into());
                }
                self.check(&baseline, &self.data.with_threads(measure)?)
            }
            before => {
                let measured = self.data.with_threads(measure)?;
                let baseline = Baseline::new(measured, &dataset.sha256, before.as_ref());
                let json = serde_json::to_string_pretty(&baseline)? + "\n";
                write(&path, &json)?;
                show(&format!("recorded in {}\n", path.display()))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn check(&self, baseline: &Baseline, measured: &Measured) -> Outcome {
        let verdict = baseline.check(measured);
        show(&output::page(measured, &verdict))?;
        if self.github {
            show(&output::github(&verdict))?;
        }
        if let Some(path) = &self.junit {
            write(path, &output::junit(&verdict))?;
        }
        Ok(if verdict.drifts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Where the sources keep it.
fn default_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/regress/baseline.json")
}

fn read(path: &Path) -> Result<Option<Baseline>, Error> {
    match fs::read(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(format!("cannot read {path:?} ({cause})").into()),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|cause| format!("{path:?} is no baseline ({cause}): make one with --record").into()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    report::write(path, text.as_bytes()).map_err(|cause| format!("cannot write {path:?} ({cause})").into())
}
