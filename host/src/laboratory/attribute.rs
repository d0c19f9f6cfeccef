//! Which variable costs accuracy: one quantised at a time, and one spared at a time.
//!
//! * **alone**: every variable in the widest formats of the core but one, which is in the
//!   formats under test; less everything wide.
//! * **spared**: every variable in the formats under test less the same with one of them wide.
//!
//! Both over paired seeds: same initial weights, examples and draws. A variable that costs much
//! alone and wins much when spared is the culprit; one that does either but not both is bound up
//! with another.
//!
//! The accumulator has the binary point of the weights it adds: where the weights change
//! theirs it keeps its range and not its width.

use super::cell::Cell;
use super::error::LabError;
use super::formats::{Formats, Numbers};
use super::runner::{Finished, Planned, Runner, Stage};
use super::store::{Store, header};
use super::sweep::summary::{points, seeds_wanted};
use super::trial::manifest;
use crate::data::Dataset;
use crate::experiment::compare::CONFIDENCE;
use crate::experiment::{Plan, Progress};
use crate::report::{self, table::Table};
use crate::statistics::{PairedDifference, Uncertainty, paired_interval};
use apical_core::formats::Variable;
use serde_json::{Value, json};
use std::path::Path;

/// Name of the one column in which cells differ.
const AXIS: &str = "variable";

/// What a variable costs.
#[derive(Debug, Clone)]
pub struct Culprit {
    /// Which.
    pub variable: Variable,
    /// What it adds to the error when it alone is quantised.
    pub alone: Option<PairedDifference>,
    /// What sparing it takes off the error when all others are quantised.
    pub spared: Option<PairedDifference>,
}

/// All of them, the costliest first.
#[derive(Debug, Clone)]
pub struct Attribution {
    manifest: Value,
    seeds: usize,
    /// The ranking.
    pub culprits: Vec<Culprit>,
    /// Variables that are wide in the formats under test already.
    pub same: Vec<Variable>,
    /// All in the formats under test, less all wide.
    pub together: Option<PairedDifference>,
    /// All wide, less the f64 reference.
    pub wide: Option<PairedDifference>,
    /// What was run and found.
    pub finished: Finished,
}

/// The formats under test with some variables as another table has them.
fn mixed(base: &Formats, other: &Formats, takes: impl Fn(Variable) -> bool) -> Formats {
    let mut mixed = base.clone();
    for (table, other) in mixed.tables.iter_mut().zip(&other.tables) {
        for variable in Variable::ALL.into_iter().filter(|&variable| takes(variable)) {
            *table.of_mut(variable) = *other.of(variable);
        }
    }
    mixed.align();
    mixed
}

/// Whether a variable is quantised by the formats under test, in any layer.
fn differs(formats: &Formats, wide: &Formats, variable: Variable) -> bool {
    let alone = mixed(wide, formats, |other| other == variable);
    alone != mixed(wide, formats, |_| false)
}

/// Runs what the store at `path` does not hold yet.
///
/// # Errors
/// A format that the core cannot run, or a store that cannot be written.
pub fn run(
    plan: &Plan,
    formats: &Formats,
    data: &Dataset,
    path: &Path,
    progress: &Progress,
) -> Result<Attribution, LabError> {
    let layers = formats.tables.len();
    let mut wide = Formats::wide(layers);
    // How decays are set is no variable's format: it stays.
    wide.decay = formats.decay;
    let (quantised, same): (Vec<_>, Vec<_>) =
        Variable::ALL.into_iter().partition(|&variable| differs(formats, &wide, variable));
    let mut planned = Vec::new();
    let mut add = |stage, name: &str, numbers: Numbers| {
        for &seed in &plan.seeds {
            let cell = Cell::new(plan, numbers.clone(), seed);
            planned.push(Planned::new(stage, &[name.to_owned()], cell, data));
        }
    };
    add(Stage::Float, "", Numbers::Float);
    add(Stage::Wide, "", Numbers::Integer(mixed(&wide, formats, |_| false)));
    add(Stage::Cell, "", Numbers::Integer(formats.clone()));
    for &variable in &quantised {
        let alone = mixed(&wide, formats, |other| other == variable);
        let spared = mixed(formats, &wide, |other| other == variable);
        alone.check().and_then(|()| spared.check())?;
        add(Stage::Alone, variable.name(), Numbers::Integer(alone));
        add(Stage::Spared, variable.name(), Numbers::Integer(spared));
    }
    let runner = Runner::new(data, Store::open(path, header(&[AXIS.into()]))?, progress);
    runner.all(&planned, "networks")?;
    let finished = runner.finish(&[&planned])?;
    let attribution = gather(plan, formats, data, &planned, finished, (&quantised, same));
    let path = path.with_extension("json");
    let text = serde_json::to_string_pretty(&attribution.json()).unwrap_or_default() + "\n";
    report::write(&path, text.as_bytes()).map_err(LabError::file(&path))?;
    Ok(attribution)
}

fn gather(
    plan: &Plan,
    formats: &Formats,
    data: &Dataset,
    planned: &[Planned],
    finished: Finished,
    (quantised, same): (&[Variable], Vec<Variable>),
) -> Attribution {
    let head = header(&[AXIS.into()]);
    let errors = |stage: Stage, name: &str| -> Vec<f64> {
        let cells = planned.iter().filter(|planned| planned.stage == stage && planned.values[0] == name);
        cells.filter_map(|planned| finished.rows.get(&planned.key)?.number(&head, "test_error")).collect()
    };
    let less = |a: &[f64], b: &[f64]| paired_interval(a, b, CONFIDENCE);
    let (float, wide, all) = (errors(Stage::Float, ""), errors(Stage::Wide, ""), errors(Stage::Cell, ""));
    let culprit = |&variable: &Variable| Culprit {
        variable,
        alone: less(&errors(Stage::Alone, variable.name()), &wide),
        spared: less(&all, &errors(Stage::Spared, variable.name())),
    };
    let mut culprits: Vec<Culprit> = quantised.iter().map(culprit).collect();
    let worst = |culprit: &Culprit| {
        let mean = |difference: &Option<PairedDifference>| difference.map_or(f64::NEG_INFINITY, |d| d.mean);
        mean(&culprit.alone).max(mean(&culprit.spared))
    };
    culprits.sort_by(|a, b| worst(b).total_cmp(&worst(a)));
    Attribution {
        manifest: manifest(plan, &Numbers::Integer(formats.clone()), data),
        seeds: plan.seeds.len(),
        culprits,
        same,
        together: less(&all, &wide),
        wide: less(&wide, &float),
        finished,
    }
}

fn shown(difference: Option<&PairedDifference>) -> String {
    difference.map_or("–".into(), points)
}

/// Whether the interval leaves zero out. One of no width comes of too few seeds and images to
/// differ, not of certainty.
fn sure(difference: Option<&PairedDifference>) -> bool {
    match difference.map(|difference| difference.uncertainty) {
        Some(Uncertainty::OverSeeds { interval, .. }) => {
            interval.half_width() > 0.0 && !interval.contains(0.0)
        }
        _ => false,
    }
}

impl Attribution {
    /// Everything, for programs; costs are fractions, not points.
    #[must_use]
    pub fn json(&self) -> Value {
        let culprit = |culprit: &Culprit| {
            json!({
                "variable": culprit.variable.name(),
                "alone": culprit.alone,
                "spared": culprit.spared,
                "seeds_for_a_tenth_of_a_point": culprit.alone.as_ref().and_then(seeds_wanted),
            })
        };
        json!({
            "manifest": self.manifest,
            "together": self.together,
            "wide_against_float": self.wide,
            "ranking": self.culprits.iter().map(culprit).collect::<Vec<_>>(),
            "as_wide": self.same.iter().map(|variable| variable.name()).collect::<Vec<_>>(),
        })
    }

    /// The ranking as a table, in points of test error.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table = Table::new(1, ["variable", "alone: adds", "spared: takes off", "sure"]);
        for culprit in &self.culprits {
            let sure = sure(culprit.alone.as_ref()) || sure(culprit.spared.as_ref());
            table.row([
                culprit.variable.name().into(),
                shown(culprit.alone.as_ref()),
                shown(culprit.spared.as_ref()),
                if sure { "yes".to_owned() } else { "no".into() },
            ]);
        }
        let mut text = format!("points of test error over {} paired seed(s), 95 % intervals\n", self.seeds);
        if self.seeds == 1 {
            text += "one seed: no interval\n";
        }
        text += &table.render();
        text += &format!("all of them together: {}\n", shown(self.together.as_ref()));
        text += &format!("the widest formats against f64: {}\n", shown(self.wide.as_ref()));
        if !self.same.is_empty() {
            let names: Vec<_> = self.same.iter().map(|variable| variable.name()).collect();
            text += &format!("wide already: {}\n", names.join(", "));
        }
        let seeds =
            self.culprits.iter().filter_map(|culprit| culprit.alone.as_ref()).filter_map(seeds_wanted);
        if let Some(most) = seeds.max() {
            text += &format!("every cost to ±0.1 points (95 %) needs {most} seeds\n");
        }
        text + &format!(
            "{} networks run in {:.0} s, {} found\n",
            self.finished.ran, self.finished.seconds, self.finished.found
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::Width;
    use apical_core::formats::Format;
    use apical_core::rounding::Rounding;

    #[test]
    fn one_variable_alone_leaves_the_others_wide() {
        let (wide, native) = (Formats::wide(2), Formats::native(Width::EIGHT, Rounding::Nearest, 2));
        let alone = mixed(&wide, &native, |variable| variable == Variable::Soma);
        for variable in Variable::ALL {
            let expected = if variable == Variable::Soma { &native } else { &wide };
            assert_eq!(alone.tables[0].of(variable), expected.tables[0].of(variable), "{variable:?}");
        }
    }

    #[test]
    fn the_accumulator_keeps_its_range_where_weights_change_their_binary_point() {
        let (wide, native) = (Formats::wide(2), Formats::native(Width::SIXTEEN, Rounding::Nearest, 2));
        let alone = mixed(&wide, &native, |variable| variable == Variable::Accumulator);
        // 16 bits at 2^-8 are ±128; at the 2^-10 of the wide weights these are 18 bits.
        assert_eq!(alone.tables[0].of(Variable::Accumulator).format, Format::new(18, 10));
        let spared = mixed(&native, &wide, |variable| variable == Variable::Accumulator);
        assert_eq!(spared.tables[0].of(Variable::Accumulator).format.fraction, 8);
    }

    #[test]
    fn variables_that_are_wide_already_are_not_quantised() {
        let wide = Formats::wide(2);
        assert!(Variable::ALL.into_iter().all(|variable| !differs(&wide, &wide, variable)));
    }
}
