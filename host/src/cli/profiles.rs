//! `apical profiles`: chips as formats.

use crate::laboratory::profile;
use std::process::ExitCode;

use super::model_args::ModelArgs;
use super::{Outcome, show};

const DETAILS: &str = "\
Examples:
  All of them
    apical profiles
  One, with its sources, its formats for a network, and what fits
    apical profiles loihi --hidden 500
  Train under it
    apical compare --profile loihi";

/// List the chips whose formats come along, or show one with its sources
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub struct Args {
    /// A profile, or a file with one
    name: Option<String>,

    #[command(flatten)]
    model: ModelArgs,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// No such profile, or a bad file.
    pub fn run(&self) -> Outcome {
        match &self.name {
            None => show(&profile::list())?,
            Some(name) => show(&profile::show(name, &self.model.mnist()?)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
