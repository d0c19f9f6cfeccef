//! `apical fit`: which networks fit a device.

use crate::emulate::fit::{Amount, table};
use std::process::ExitCode;

use super::{Outcome, show};

const DETAILS: &str = "\
Examples:
  apical fit --ram 128K --flash 1M --clock 168M
  apical fit --ram 16K --flash 256K --clock 16M";

/// List the networks that fit a device, with what they get wrong and how long they take
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// RAM of the device
    #[arg(long, value_name = "BYTES")]
    ram: Amount,

    /// Flash of the device
    #[arg(long, value_name = "BYTES")]
    flash: Amount,

    /// Its clock
    #[arg(long, value_name = "HERTZ", default_value = "168M", value_parser = Amount::hertz)]
    clock: Amount,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Whatever happened to stdout.
    pub fn run(&self) -> Outcome {
        show(&table(self.ram, self.flash, self.clock))?;
        Ok(ExitCode::SUCCESS)
    }
}
