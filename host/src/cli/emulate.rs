//! `apical emulate`: the core on an emulated microcontroller, beside this machine.

use crate::{emulate, report};
use std::process::ExitCode;

use super::{Outcome, show};

const DETAILS: &str = "\
Examples:
  apical emulate
  apical emulate --board microbit --examples 2000 --test 1000
  apical emulate --board microbit --model results/core.apical
  apical emulate --all --out results/metal.json";

/// Train on an emulated microcontroller and compare it with this machine, digest by digest
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    #[command(flatten)]
    emulate: emulate::EmulateArgs,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Whatever kept a board from running to its end.
    pub fn run(&self) -> Outcome {
        let outcome = emulate::run(&self.emulate)?;
        if let Some(path) = &self.emulate.out {
            let written = report::write(path, outcome.json().as_bytes());
            written.map_err(|cause| format!("cannot write {path:?} ({cause})"))?;
        }
        show(&outcome.render())?;
        Ok(if outcome.is_equal() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
