//! Options that say how much is run, on what, and where results go.

use crate::data::{self, DataError, Dataset};
use crate::experiment::{Plan, Progress};
use std::path::PathBuf;

use super::Error;

/// Data and threads.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Run")]
pub struct DataArgs {
    /// Folder of the four IDX files, gzipped or not [default: the MNIST that comes along]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Threads; the numbers do not depend on them [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// No progress bars
    #[arg(long, short)]
    pub quiet: bool,
}

impl DataArgs {
    /// Reads the data set.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(&self) -> Result<Dataset, DataError> {
        Dataset::load(&self.data.clone().unwrap_or_else(data::default_directory))
    }

    /// Does something on so many threads.
    ///
    /// # Errors
    /// What came of it, or that there are no threads to be had.
    pub fn with_threads<T: Send>(&self, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        let jobs = self.jobs.map_or(0, usize::from);
        rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?.install(work)
    }

    /// The bars of the run.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.quiet)
    }
}

/// How much is run.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// Training examples an epoch, of the shuffled set [default: the whole set]
    #[arg(long, value_name = "N")]
    pub examples: Option<usize>,

    /// Epochs; the set is shuffled anew for each
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub epochs: usize,

    /// Steps (ms) that a test image is shown for
    #[arg(long, value_name = "N", default_value_t = 250)]
    pub test_steps: u32,

    /// Test images, from the first [default: all]
    #[arg(long, value_name = "N")]
    pub test_images: Option<usize>,
}

impl RunArgs {
    /// Fills a plan in.
    pub fn fill(&self, plan: &mut Plan) {
        plan.examples = self.examples.unwrap_or(plan.examples);
        plan.epochs = self.epochs;
        plan.test_steps = self.test_steps;
        plan.test_images = self.test_images.unwrap_or(plan.test_images);
    }
}

/// Seeds, from `1,5,9` or, as a number of them, `3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// Most seeds that a number may stand for.
const MOST_SEEDS: u64 = 10_000;

/// Reads seeds: a number N stands for 1 to N, a list for itself (`7,` for the one seed 7).
///
/// # Errors
/// What is no seed.
pub fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |part: &str| part.trim().parse::<u64>().map_err(|_| format!("{part:?} is no seed"));
    if text.contains(',') {
        let parts = text.strip_suffix(',').unwrap_or(text).split(',');
        return parts.map(number).collect::<Result<_, _>>().map(Seeds);
    }
    match number(text)? {
        count @ 1..=MOST_SEEDS => Ok(Seeds((1..=count).collect())),
        count => Err(format!("{count} seeds: ask for 1 to {MOST_SEEDS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_as_many_seeds_and_a_list_for_itself() {
        assert_eq!(seeds("3"), Ok(Seeds(vec![1, 2, 3])));
        assert_eq!(seeds("9,4"), Ok(Seeds(vec![9, 4])));
        assert_eq!(seeds("7,"), Ok(Seeds(vec![7])));
        assert!(seeds("0").is_err());
        assert!(seeds("1,x").is_err());
        assert!(seeds("").is_err());
    }
}
