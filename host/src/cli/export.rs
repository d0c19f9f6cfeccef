//! `apical export`: a saved network as bytes for flash.

use crate::emulate::model;
use crate::experiment::saved::Saved;
use crate::report;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Outcome, show};

const DETAILS: &str = "\
The file goes into a firmware by `include_bytes!`; its layout is described in firmware/src/model.rs,
which reads it. `apical emulate --model FILE` does all of this in one step.

Examples:
  apical train --hidden 100 --epochs 5
  apical export results/core.apical --out network.bin";

/// Write a saved network as bytes for a microcontroller's flash
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// File of weights, as `apical train` writes it
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// File to write
    #[arg(long, value_name = "FILE", default_value = "network.bin")]
    out: PathBuf,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// A bad file, a network that no device takes, or a file that cannot be written.
    pub fn run(&self) -> Outcome {
        let saved = Saved::read(&self.file)?;
        let bytes = model::bytes(&saved).map_err(|reason| format!("{:?}: {reason}", self.file))?;
        report::write(&self.out, &bytes).map_err(|cause| format!("cannot write {:?} ({cause})", self.out))?;
        let (shape, _) = model::shape(&saved.header)?;
        show(&format!("{shape} in {}: {} bytes of flash\n", self.out.display(), bytes.len()))?;
        Ok(ExitCode::SUCCESS)
    }
}
