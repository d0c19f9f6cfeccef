//! Core and reference, side by side over seeds.

use crate::data::Dataset;
use crate::lockstep::{Shadow, shadow};
use crate::parallel::in_turn;
use crate::statistics::{McNemar, PairedDifference, mcnemar, paired_interval};
use indicatif::ProgressBar;

use super::course::{Course, Runner};
use super::manifest::Manifest;
use super::plan::{Kind, Plan};
use super::progress::Progress;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// What came of a plan in both arithmetics.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Where the numbers came from.
    pub manifest: Manifest,
    /// Names of the layers.
    pub layers: Vec<String>,
    /// Sizes: inputs, hidden layers, outputs.
    pub sizes: Vec<usize>,
    /// One course for each seed.
    pub core: Vec<Course>,
    /// The same of the reference.
    pub reference: Vec<Course>,
    /// Test error of the core minus that of the reference, as shares, over seeds.
    pub difference: Option<PairedDifference>,
    /// Over the test images of all seeds; the core is a, the reference b.
    pub mcnemar: McNemar,
    /// Losses, and errors one example at a time, of the first seed.
    pub shadow: Shadow,
    /// Whether the run that counted losses ended in the state of the one that did not.
    pub counting_is_neutral: bool,
}

/// What is done in parallel.
enum Task {
    Course(Kind, u64),
    Shadow(u64),
}

/// What comes of it.
enum Done {
    Course(Course),
    Shadow(Box<Shadow>),
}

/// The bars of a comparison.
struct Bars {
    core: ProgressBar,
    reference: ProgressBar,
    shadow: ProgressBar,
    tests: ProgressBar,
}

impl Bars {
    fn new(plan: &Plan, progress: &Progress) -> Self {
        let run = plan.epochs * plan.examples;
        let tests = 2 * plan.seeds.len() * plan.epochs * plan.test_images;
        Self {
            core: progress.bar("train, core", run * plan.seeds.len()),
            reference: progress.bar("train, reference", run * plan.seeds.len()),
            shadow: progress.bar("count losses, compare", run),
            tests: progress.bar("test", tests),
        }
    }
}

/// Runs a plan that was checked, in both arithmetics; `compared` examples of the first seed
/// are compared number by number.
#[must_use]
pub fn compare(plan: &Plan, dataset: &Dataset, compared: usize, progress: &Progress) -> Comparison {
    let manifest = Manifest::new(plan, dataset);
    let bars = Bars::new(plan, progress);
    let done = in_turn(tasks(plan), |task| match task {
        Task::Course(kind, seed) => {
            let bar = if kind == Kind::Core { &bars.core } else { &bars.reference };
            Done::Course(Runner::new(plan, dataset, kind, seed).run(bar, &bars.tests))
        }
        Task::Shadow(seed) => {
            Done::Shadow(Box::new(shadow(plan, &dataset.train, seed, compared, &bars.shadow)))
        }
    });
    progress.clear();
    gather(plan, dataset, manifest, done)
}

/// The longest first, so that the last to finish is short.
fn tasks(plan: &Plan) -> Vec<Task> {
    let courses = |kind| plan.seeds.iter().map(move |&seed| Task::Course(kind, seed));
    let shadow = plan.seeds.first().map(|&seed| Task::Shadow(seed));
    shadow.into_iter().chain(courses(Kind::Reference)).chain(courses(Kind::Core)).collect()
}

fn gather(plan: &Plan, dataset: &Dataset, manifest: Manifest, done: Vec<Done>) -> Comparison {
    let (mut courses, mut shadows) = (Vec::new(), Vec::new());
    for done in done {
        match done {
            Done::Course(course) => courses.push(course),
            Done::Shadow(shadow) => shadows.push(*shadow),
        }
    }
    let (core, reference): (Vec<_>, Vec<_>) =
        courses.into_iter().partition(|c| c.arithmetic == Kind::Core.name());
    let shadow = shadows.pop().expect("a plan has a first seed");
    let [a, b] =
        [&core, &reference].map(|courses| courses.iter().map(Course::test_error).collect::<Vec<_>>());
    Comparison {
        layers: plan.layer_names(),
        sizes: plan.sizes.clone(),
        difference: paired_interval(&a, &b, CONFIDENCE),
        mcnemar: pooled(&core, &reference, &dataset.test.labels),
        counting_is_neutral: core[0].digest == Some(format!("{:016x}", shadow.digest)),
        manifest,
        core,
        reference,
        shadow,
    }
}

/// Images that only one of the two got wrong, over all seeds.
fn pooled(core: &[Course], reference: &[Course], labels: &[u8]) -> McNemar {
    let pairs = core.iter().zip(reference).flat_map(|(core, reference)| {
        let answers = core.answers.iter().zip(&reference.answers).zip(labels);
        answers.map(|((core, reference), label)| (core != label, reference != label))
    });
    let (mut only_core, mut only_reference) = (0, 0);
    for wrong in pairs {
        only_core += u64::from(wrong == (true, false));
        only_reference += u64::from(wrong == (false, true));
    }
    mcnemar(only_core, only_reference)
}
