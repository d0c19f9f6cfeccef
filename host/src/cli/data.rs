//! `apical data`: what a data set holds.

use crate::data::{self, Dataset};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Outcome, show};

/// Show what a data set holds: counts, sizes, classes, checksum, and a few images
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the four IDX files, gzipped or not [default: the MNIST that comes along]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Images to draw
    #[arg(long, value_name = "N", default_value_t = 8)]
    digits: usize,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// Bad data.
    pub fn run(&self) -> Outcome {
        let dataset = Dataset::load(&self.data.clone().unwrap_or_else(data::default_directory))?;
        show(&data::describe(&dataset, self.digits))?;
        Ok(ExitCode::SUCCESS)
    }
}
