//! `apical test`: a saved network on a data set.

use crate::data::Dataset;
use crate::experiment::compare::CONFIDENCE;
use crate::experiment::course::{test, wrong};
use crate::experiment::plan::{MOST_TEST_STEPS, PlanError};
use crate::experiment::saved::Saved;
use crate::report::table::count;
use crate::statistics::wilson;
use std::path::PathBuf;
use std::process::ExitCode;

use super::run_args::DataArgs;
use super::{Error, Outcome, show};

/// Test a saved network on the test images of a data set
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File of weights, as `apical train` writes it
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Steps (ms) that an image is shown for
    #[arg(long, value_name = "N", default_value_t = 250, help_heading = "Run")]
    test_steps: u32,

    /// Test images, from the first [default: all]
    #[arg(long, value_name = "N", help_heading = "Run")]
    test_images: Option<usize>,

    #[command(flatten)]
    data: DataArgs,
}

impl Args {
    /// Runs it.
    ///
    /// # Errors
    /// A bad file, bad data, or two that do not fit together.
    pub fn run(&self) -> Outcome {
        let saved = Saved::read(&self.file)?;
        let dataset = self.data.load()?;
        let images = self.test_images.unwrap_or(dataset.test.len());
        self.check(&saved, &dataset, images)?;
        let (plan, kind) = saved.header.plan()?;
        let mut answers = vec![0; images];
        let progress = self.data.progress();
        let bar = progress.bar("test", images);
        let steps = self.test_steps;
        let split = &dataset.test;
        let time = self.data.with_threads(|| {
            let mut learner = plan.learner(kind, saved.header.seed);
            learner.restore(&saved.layers);
            Ok(test(learner.as_ref(), split, steps, &mut answers, &bar))
        })?;
        progress.clear();
        let errors = wrong(&dataset.test, &answers);
        let interval = wilson(errors as u64, images as u64, CONFIDENCE);
        show(&format!(
            "{} {}, {} epochs of {} examples, seed {}\n\
             {} of {} images wrong: {:.2} %, 95 % interval [{:.2}, {:.2}] (Wilson)\n\
             {steps} steps an image, {:.1} µs each\n",
            plan.model(0).topology(),
            kind.name(),
            saved.header.epochs,
            count(saved.header.examples as u64),
            saved.header.seed,
            count(errors as u64),
            count(images as u64),
            100.0 * interval.estimate,
            100.0 * interval.low,
            100.0 * interval.high,
            time,
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self, saved: &Saved, dataset: &Dataset, images: usize) -> Result<(), Error> {
        let sizes = &saved.header.sizes;
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        if inputs != dataset.test.pixels() || outputs != dataset.classes {
            return Err(format!(
                "the network of {:?} takes {inputs} pixels and tells {outputs} classes apart, \
                 the data set has {} and {}",
                self.file,
                dataset.test.pixels(),
                dataset.classes
            )
            .into());
        }
        let counts = [
            ("test images", images, dataset.test.len()),
            ("test steps", self.test_steps as usize, MOST_TEST_STEPS),
        ];
        match counts.into_iter().find(|(_, found, most)| *found == 0 || found > most) {
            Some((what, found, most)) => Err(PlanError::Count { what, found, most }.into()),
            None => Ok(()),
        }
    }
}
