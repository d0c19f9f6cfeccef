//! `apical cost`: what recorded runs cost against recorded references.

use crate::experiment::Kind;
use crate::experiment::recorded::{Pairs, read};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Outcome, show};

const DETAILS: &str = "\
Nothing is run: the test errors after the last epoch are read, paired by their seeds. A record is a
JSON file of `apical compare`, a folder of `apical train`, or a folder of such folders.

Examples:
  Five seeds of 8-bit weights against the references of an earlier comparison
    apical cost results/8bit-4-4 --reference results/16bit-500-10-epochs.json
  A comparison's own networks
    apical cost results/16bit-500-10-epochs.json --reference results/16bit-500-10-epochs.json";

/// Work out the paired cost of recorded runs against recorded references
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// Records of the core
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<PathBuf>,

    /// Record of the f64 reference
    #[arg(long, value_name = "RECORD")]
    reference: PathBuf,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Records that cannot be read, or are no pairs.
    pub fn run(&self) -> Outcome {
        let runs: Result<Vec<_>, _> = self.records.iter().map(|path| read(path, Kind::Core)).collect();
        let pairs = Pairs::new(runs?.concat(), &read(&self.reference, Kind::Reference)?)?;
        show(&pairs.text())?;
        Ok(ExitCode::SUCCESS)
    }
}
