//! Test errors of runs that were recorded, to be compared without running them again.
//!
//! A record is what `apical compare` writes (a JSON file with all its seeds), or the folder that
//! `apical train` writes (a manifest and a curve), or a folder of such folders.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

use super::compare::CONFIDENCE;
use super::plan::Kind;
use crate::report::table::{Table, count, significant};
use crate::statistics::{PairedDifference, Uncertainty, mean, paired_interval};

/// What two networks must share to be a pair: all but the numbers they are calculated with.
const SHARED: [&str; 8] =
    ["topology", "kernel", "preset", "learning_rates", "examples", "epochs", "test_steps", "test_images"];

/// A network that was trained and tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Where it stands.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Value,
    /// Its seed.
    pub seed: u64,
    /// Share of the test images that were wrong in the end.
    pub test_error: f64,
}

/// The networks of a kind in a record, in the order of their seeds.
///
/// # Errors
/// What is wrong with it, as one line.
pub fn read(path: &Path, kind: Kind) -> Result<Vec<Recorded>, String> {
    let mut runs = match path.is_dir() {
        true => folder(path, kind)?,
        false => comparison(path, kind)?,
    };
    if runs.is_empty() {
        return Err(format!("{path:?} holds no {}", kind.name()));
    }
    runs.sort_by_key(|run| run.seed);
    Ok(runs)
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|cause| format!("cannot read {path:?} ({cause})"))
}

fn json(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&text(path)?).map_err(|cause| format!("{path:?} is no record of a run ({cause})"))
}

/// What `compare` wrote.
fn comparison(path: &Path, kind: Kind) -> Result<Vec<Recorded>, String> {
    let all = json(path)?;
    let run = |course: &Value| {
        let test_error = course["epochs"].as_array()?.last()?["test_error"].as_f64()?;
        let (path, manifest) = (path.to_owned(), all["manifest"].clone());
        Some(Recorded { path, manifest, seed: course["seed"].as_u64()?, test_error })
    };
    let courses = all[kind.name()].as_array();
    let runs = courses.and_then(|courses| courses.iter().map(run).collect());
    runs.ok_or_else(|| format!("{path:?} is no record of `apical compare`"))
}

/// What `train` wrote, here or in the folders of this one.
fn folder(path: &Path, kind: Kind) -> Result<Vec<Recorded>, String> {
    let manifest_path = path.join(kind.name()).with_extension("json");
    if !manifest_path.exists() {
        let entries = fs::read_dir(path).map_err(|cause| format!("cannot read {path:?} ({cause})"))?;
        let folders = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
        let runs: Result<Vec<_>, _> = folders.map(|path| folder(&path, kind)).collect();
        return runs.map(|runs| runs.concat());
    }
    let manifest = json(&manifest_path)?;
    let curve_path = manifest_path.with_extension("csv");
    let curve = text(&curve_path)?;
    let (head, rows) = curve.split_once('\n').unwrap_or((&curve, ""));
    let column = head.split(',').position(|name| name == "test_error");
    // A run that was cut short has fewer rows than epochs.
    let last =
        manifest["epochs"].as_u64().and_then(|epochs| rows.lines().nth(epochs.checked_sub(1)? as usize));
    let test_error = column.zip(last).and_then(|(column, row)| row.split(',').nth(column)?.parse().ok());
    let seed = manifest["seeds"][0].as_u64();
    let Some((test_error, seed)) = test_error.zip(seed) else {
        return Err(format!("{curve_path:?} is no curve of all epochs of its manifest"));
    };
    Ok(vec![Recorded { path: path.to_owned(), manifest, seed, test_error }])
}

/// Recorded networks beside references of the same seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs(Vec<(Recorded, Recorded)>);

impl Pairs {
    /// A pair for each run.
    ///
    /// # Errors
    /// A run without a reference, a reference of another network, or a seed that comes twice.
    pub fn new(runs: Vec<Recorded>, references: &[Recorded]) -> Result<Self, String> {
        let mut pairs: Vec<(Recorded, Recorded)> = Vec::new();
        for run in runs {
            let Recorded { path, seed, .. } = &run;
            let reference = references.iter().find(|reference| reference.seed == *seed);
            let reference =
                reference.ok_or_else(|| format!("there is no reference of seed {seed} ({path:?})"))?;
            let differs = |field: &&str| run.manifest[*field] != reference.manifest[*field];
            if let Some(field) = SHARED.iter().find(|field| differs(field)) {
                let [ours, theirs] = [&run, reference].map(|side| &side.manifest[*field]);
                return Err(format!("{path:?} has {field} {ours}, its reference has {theirs}"));
            }
            if run.manifest["data"]["sha256"] != reference.manifest["data"]["sha256"] {
                return Err(format!("{path:?} and its reference learnt from different data"));
            }
            if pairs.iter().any(|(other, _)| other.seed == *seed) {
                return Err(format!("seed {seed} comes twice ({path:?})"));
            }
            pairs.push((run, reference.clone()));
        }
        Ok(Self(pairs))
    }

    /// Test errors less the references', as shares.
    #[must_use]
    pub fn cost(&self) -> Option<PairedDifference> {
        let [ours, theirs] = self.errors();
        paired_interval(&ours, &theirs, CONFIDENCE)
    }

    fn errors(&self) -> [Vec<f64>; 2] {
        let errors = |(run, reference): &(Recorded, Recorded)| (run.test_error, reference.test_error);
        self.0.iter().map(errors).unzip::<_, _, Vec<_>, Vec<_>>().into()
    }

    /// A page.
    #[must_use]
    pub fn text(&self) -> String {
        let row = |name: String, [ours, theirs]: [f64; 2]| {
            let share = |share: f64| format!("{:.2}", 100.0 * share);
            [name, share(ours), share(theirs), format!("{:+.2}", 100.0 * (ours - theirs))]
        };
        let mut table = Table::new(1, ["Test error, %", "run", "reference", "difference"]);
        for (run, reference) in &self.0 {
            table.row(row(format!("seed {}", run.seed), [run.test_error, reference.test_error]));
        }
        table.row(row("mean".into(), self.errors().map(|errors| mean(&errors))));
        let cost = self.cost().map_or(String::new(), |cost| match cost.uncertainty {
            Uncertainty::SingleSeed => "  One seed: no interval can be given for the difference.\n".into(),
            Uncertainty::OverSeeds { interval, p_value, .. } => format!(
                "  cost {:+.2} points, 95 % interval [{:+.2}, {:+.2}] over {} paired seeds (p = {})\n",
                100.0 * interval.estimate,
                100.0 * interval.low,
                100.0 * interval.high,
                cost.seeds,
                significant(p_value, 2),
            ),
        });
        let head = self.0.first().map_or(String::new(), |(run, _)| {
            let number = |name: &str| count(run.manifest[name].as_u64().unwrap_or(0));
            format!(
                "{}, {} epochs of {} examples, tested on {} images for {} steps\n\n",
                run.manifest["topology"].as_str().unwrap_or_default(),
                number("epochs"),
                number("examples"),
                number("test_images"),
                number("test_steps")
            )
        });
        head + &table.render() + &cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(seed: u64, test_error: f64, epochs: usize) -> Recorded {
        Recorded { path: "a run".into(), manifest: json!({ "epochs": epochs }), seed, test_error }
    }

    #[test]
    fn runs_are_paired_by_their_seeds() {
        let references = [run(2, 0.01, 10), run(1, 0.02, 10), run(3, 0.5, 10)];
        let pairs = Pairs::new(vec![run(1, 0.03, 10), run(2, 0.04, 10)], &references).expect("pairs");
        let cost = pairs.cost().expect("two pairs");
        assert!((cost.mean - 0.02).abs() < 1e-12 && cost.seeds == 2, "{cost}");
        assert!(
            pairs.text().contains("cost +2.00 points, 95 % interval [-10.71, +14.71] over 2 paired seeds")
        );
    }

    #[test]
    fn records_of_both_kinds_have_the_costs_that_the_studies_quote() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        let comparison = results.join("16bit-500-10-epochs.json");
        let references = read(&comparison, Kind::Reference).expect("references");
        for (record, cost) in [
            ("16bit-500-10-epochs.json", "-0.06 points, 95 % interval [-0.21, +0.09] over 5"),
            ("8bit-4-4", "+0.57 points, 95 % interval [+0.46, +0.68] over 5"),
            ("8bit-4-16bit-8", "+0.15 points, 95 % interval [+0.01, +0.28] over 5"),
        ] {
            let runs = read(&results.join(record), Kind::Core).expect("runs");
            let text = Pairs::new(runs, &references).expect("pairs").text();
            assert!(text.contains(cost), "{record}: {text}");
        }
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let refused = |runs: Vec<Recorded>| Pairs::new(runs, &[run(1, 0.1, 10)]).expect_err("refused");
        assert_eq!(refused(vec![run(2, 0.1, 10)]), "there is no reference of seed 2 (\"a run\")");
        assert_eq!(refused(vec![run(1, 0.1, 9)]), "\"a run\" has epochs 9, its reference has 10");
        assert_eq!(refused(vec![run(1, 0.1, 10); 2]), "seed 1 comes twice (\"a run\")");
    }
}
