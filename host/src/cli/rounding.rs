//! `apical rounding`: the bias of each rounding.

use crate::laboratory::bias;
use crate::report;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Outcome, show};

/// Measure the bias of each rounding, and draw it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Random numbers for each value
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    draws: u32,

    /// File for the figure
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    svg: Option<PathBuf>,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn run(&self) -> Outcome {
        let biases = bias::measure(self.draws);
        let mut text = bias::text(&biases);
        if let Some(path) = &self.svg {
            report::write(path, bias::figure(&biases)?.as_bytes())
                .map_err(|cause| format!("cannot write {path:?} ({cause})"))?;
            text += &format!("written to {}\n", path.display());
        }
        show(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
