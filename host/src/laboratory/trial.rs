//! A network under chosen formats, beside the f64 reference, over paired seeds.

use super::cell::{Cell, Outcome};
use super::formats::Numbers;
use super::profile::Profile;
use super::sweep::summary::{over_seeds, seeds_wanted};
use crate::data::Dataset;
use crate::experiment::compare::CONFIDENCE;
use crate::experiment::{Manifest, Plan, Progress};
use crate::parallel::in_turn;
use crate::report::table::{count, significant};
use crate::statistics::{Interval, McNemar, PairedDifference, mcnemar, paired_interval};
use apical_core::formats::Variable;
use apical_core::losses::Tally;
use serde_json::{Value, json};
use std::fmt::Write;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Trial {
    manifest: Value,
    name: String,
    fits: String,
    topology: String,
    seeds: Vec<u64>,
    /// Under the formats, one for each seed.
    pub outcomes: Vec<Outcome>,
    /// The reference, likewise.
    pub references: Vec<Outcome>,
    /// Test error, mean over seeds.
    pub error: Interval,
    /// Test error less the reference's.
    pub cost: Option<PairedDifference>,
    /// Over the test images of all seeds; the formats are a, the reference b.
    pub mcnemar: McNemar,
}

/// A manifest of a plan in these formats.
#[must_use]
pub fn manifest(plan: &Plan, numbers: &Numbers, dataset: &Dataset) -> Value {
    let mut manifest = serde_json::to_value(Manifest::new(plan, dataset)).unwrap_or_default();
    if let Value::Object(fields) = &mut manifest {
        fields.remove("rounding");
        fields.insert("formats".into(), numbers.json());
    }
    manifest
}

/// Trains and tests every seed in these formats and in the reference's.
///
/// # Panics
/// If the plan has no seed; a checked one has.
#[must_use]
pub fn trial(
    plan: &Plan,
    (name, numbers): (&str, &Numbers),
    profile: Option<&Profile>,
    dataset: &Dataset,
    progress: &Progress,
) -> Trial {
    let cells = |numbers: &Numbers| {
        let cell = |&seed: &u64| Cell::new(plan, numbers.clone(), seed);
        plan.seeds.iter().map(cell).collect::<Vec<_>>()
    };
    let mut ours = cells(numbers);
    // Counting takes longer, and one seed tells enough.
    ours[0].count = true;
    // Most formats take less time than floats.
    let all: Vec<Cell> = cells(&Numbers::Float).into_iter().chain(ours).collect();
    let bar = progress.bar("train and test", all.iter().map(Cell::work).sum::<u64>() as usize);
    let mut references = in_turn(all, |cell| cell.run(dataset, |work| bar.inc(work)));
    bar.finish_and_clear();
    let outcomes = references.split_off(plan.seeds.len());
    let errors = |outcomes: &[Outcome]| outcomes.iter().map(Outcome::test_error).collect::<Vec<_>>();
    let (ours, theirs) = (errors(&outcomes), errors(&references));
    let model = plan.model(0);
    Trial {
        manifest: manifest(plan, numbers, dataset),
        name: name.to_owned(),
        fits: profile.map_or(String::new(), |profile| {
            format!("\n{} on {}\n{}", model.topology(), profile.title, profile.fits(&model))
        }),
        topology: model.topology(),
        seeds: plan.seeds.clone(),
        error: over_seeds(&ours),
        cost: paired_interval(&ours, &theirs, CONFIDENCE),
        mcnemar: pooled(&outcomes, &references, &dataset.test.labels),
        outcomes,
        references,
    }
}

/// Images that only one of the two got wrong, over all seeds.
fn pooled(ours: &[Outcome], theirs: &[Outcome], labels: &[u8]) -> McNemar {
    let (mut only_ours, mut only_theirs) = (0, 0);
    for (ours, theirs) in ours.iter().zip(theirs) {
        for ((a, b), label) in ours.answers.iter().zip(&theirs.answers).zip(labels) {
            only_ours += u64::from(a != label && b == label);
            only_theirs += u64::from(a == label && b != label);
        }
    }
    mcnemar(only_ours, only_theirs)
}

impl Trial {
    /// Everything, for programs; shares are fractions, not percent.
    #[must_use]
    pub fn json(&self) -> Value {
        let errors = |outcomes: &[Outcome]| outcomes.iter().map(Outcome::test_error).collect::<Vec<_>>();
        let digest = |outcome: &Outcome| outcome.digest.map(|digest| format!("{digest:016x}"));
        let counted = &self.outcomes[0];
        json!({
            "manifest": self.manifest,
            "formats": self.name,
            "topology": self.topology,
            "seeds": self.seeds,
            "errors": errors(&self.outcomes),
            "error": self.error,
            "reference_errors": errors(&self.references),
            "cost": self.cost,
            "seeds_for_a_tenth_of_a_point": self.cost.as_ref().and_then(seeds_wanted),
            "mcnemar": self.mcnemar,
            "lost_updates": Some(counted.lost_updates()).filter(|lost| lost.is_finite()),
            "overflows": counted.overflows(),
            "mean_weights": self.outcomes.iter().map(|outcome| &outcome.mean_weights).collect::<Vec<_>>(),
            "digests": self.outcomes.iter().map(digest).collect::<Vec<_>>(),
        })
    }

    /// A page.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text =
            format!("{} against the f64 reference, {}, test error in %\n", self.name, self.topology);
        for ((seed, ours), theirs) in self.seeds.iter().zip(&self.outcomes).zip(&self.references) {
            let (a, b) = (100.0 * ours.test_error(), 100.0 * theirs.test_error());
            let _ = writeln!(text, "  seed {seed:<4} {a:6.2}  reference {b:6.2}  difference {:+.2}", a - b);
        }
        let Interval { estimate, low, high } = self.error;
        let _ = match (self.seeds.len(), self.cost.and_then(|cost| cost.interval())) {
            (2.., Some(cost)) => writeln!(
                text,
                "  mean {:.2} [{:.2}, {:.2}]; cost {:+.2} points, 95 % interval [{:+.2}, {:+.2}] over {} paired seeds",
                100.0 * estimate,
                100.0 * low,
                100.0 * high,
                100.0 * cost.estimate,
                100.0 * cost.low,
                100.0 * cost.high,
                self.seeds.len()
            ),
            _ => writeln!(text, "  one seed: no interval"),
        };
        if let Some(seeds) = self.cost.as_ref().and_then(seeds_wanted) {
            let _ = writeln!(text, "  a cost known to ±0.1 points would need {seeds} seeds");
        }
        let McNemar { only_a, only_b, p_value, .. } = self.mcnemar;
        let _ = writeln!(
            text,
            "  only these formats are wrong on {}, only the reference on {} (McNemar: p = {})",
            count(only_a),
            count(only_b),
            significant(p_value, 2)
        );
        text + &losses(&self.outcomes[0]) + &self.fits
    }
}

/// What the first seed lost in training, all layers together, by variable.
fn losses(outcome: &Outcome) -> String {
    let mut text = String::from("  lost while the first seed trained\n");
    let nothing = text.len();
    for variable in Variable::ALL {
        let mut sum = Tally::default();
        for layer in &outcome.losses {
            sum.merge(&layer[variable as usize]);
        }
        if sum.overflows() + sum.lost > 0 {
            let [saturated, wrapped, dropped] = [sum.saturated, sum.wrapped, sum.dropped].map(count);
            let _ = write!(
                text,
                "    {}: {saturated} saturated, {wrapped} wrapped, {dropped} dropped",
                variable.name()
            );
            if sum.values > 0 {
                let share = 100.0 * sum.lost as f64 / sum.values as f64;
                let _ = write!(text, ", {share:.1} % of its updates rounded to nothing");
            }
            text.push('\n');
        }
    }
    if text.len() == nothing { String::new() } else { text }
}
