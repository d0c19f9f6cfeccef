//! A sweep as tables: the mean error over seeds with its interval, and the cost against
//! the reference where there is one.

use super::axis::{Axis, Knob};
use super::grid::Grid;
use crate::experiment::compare::CONFIDENCE;
use crate::laboratory::runner::Stage;
use crate::laboratory::store::{Rows, header};
use crate::report::table::Table;
use crate::statistics::{Interval, PairedDifference, Uncertainty, mean, paired_interval, seeds_needed};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Half-width of the interval that [`seeds_wanted`] plans for: 0.1 points.
pub const PRECISION: f64 = 0.001;
/// A cell no worse than the reference by this is called as good.
const POINT: f64 = 0.01;

/// One combination of values over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Values of all axes.
    pub values: Vec<String>,
    /// Test error of each seed.
    pub errors: BTreeMap<u64, f64>,
    /// Mean and, of two seeds or more, interval.
    pub error: Interval,
    /// Error less the reference's, seed by seed.
    pub cost: Option<PairedDifference>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    axes: Vec<Axis>,
    best: Vec<bool>,
    seeds: usize,
    /// Cells in the order of the grid.
    pub entries: Vec<Entry>,
    /// References.
    pub references: Vec<Entry>,
}

impl Summary {
    /// Of the rows of a store.
    #[must_use]
    pub fn new(grid: &Grid, rows: &Rows) -> Self {
        let references = entries(grid, rows, Stage::Float);
        let mut cells = entries(grid, rows, Stage::Cell);
        for entry in &mut cells {
            let reference = references.iter().find(|reference| {
                reference
                    .values
                    .iter()
                    .zip(&entry.values)
                    .all(|(theirs, ours)| theirs.is_empty() || theirs == ours)
            });
            let paired = reference.map(|reference| {
                let both = entry
                    .errors
                    .iter()
                    .filter_map(|(seed, &error)| Some((error, *reference.errors.get(seed)?)));
                both.unzip::<f64, f64, Vec<_>, Vec<_>>()
            });
            entry.cost = paired.and_then(|(ours, theirs)| paired_interval(&ours, &theirs, CONFIDENCE));
        }
        let Grid { spec, best } = grid;
        Self {
            axes: spec.axes.clone(),
            best: best.clone(),
            seeds: spec.plan.seeds.len(),
            entries: cells,
            references,
        }
    }

    /// The axes of the table: rows, columns, and those of which each combination of values
    /// has a table of its own.
    #[must_use]
    pub fn layout(&self) -> (Option<usize>, Option<usize>, Vec<usize>) {
        let mut free = (0..self.axes.len()).filter(|&n| !self.best[n]);
        (free.next(), free.next(), free.collect())
    }

    /// An axis.
    #[must_use]
    pub fn axis(&self, number: usize) -> &Axis {
        &self.axes[number]
    }

    /// Values of the axes that have tables of their own.
    #[must_use]
    pub fn facets(&self) -> Vec<Vec<(usize, String)>> {
        let mut facets = vec![Vec::new()];
        for axis in self.layout().2 {
            let values = &self.axes[axis].values;
            facets = facets
                .iter()
                .flat_map(|facet: &Vec<_>| {
                    values.iter().map(|value| [&facet[..], &[(axis, value.clone())]].concat())
                })
                .collect();
        }
        facets
    }

    /// The cell with these values.
    #[must_use]
    pub fn find(&self, wanted: &[(usize, String)]) -> Option<&Entry> {
        self.entries.iter().find(|entry| wanted.iter().all(|(axis, value)| entry.values[*axis] == *value))
    }

    /// Names of the axes whose values pilots choose, if any.
    #[must_use]
    pub fn chosen(&self) -> Option<String> {
        let names = self.axes.iter().zip(&self.best).filter(|(_, best)| **best);
        let names: Vec<_> = names.map(|(axis, _)| axis.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The values chosen by pilots: `r3`.
    #[must_use]
    pub fn choice(&self, entry: &Entry) -> String {
        let chosen = entry.values.iter().zip(&self.axes).zip(&self.best).filter(|(_, best)| **best);
        chosen
            .map(|((value, axis), _)| format!(" {}={value}", axis.name.rsplit('.').next().unwrap_or("")))
            .collect()
    }

    /// Tables, reference and verdicts.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("test error in %, mean over {} seed(s) ± 95 % interval\n", self.seeds);
        if self.seeds == 1 {
            text += "one seed: no interval, and no claim about differences\n";
        }
        for facet in self.facets() {
            for (axis, value) in &facet {
                let _ = writeln!(text, "{} = {value}", self.axes[*axis].name);
            }
            text += &self.table(&facet);
        }
        for reference in &self.references {
            let named: String = reference
                .values
                .iter()
                .filter(|value| !value.is_empty())
                .map(|value| format!(" {value}"))
                .collect();
            let _ = writeln!(text, "float reference{named}: {}", percent(reference));
        }
        for facet in self.facets() {
            text += &self.narrowest(&facet);
        }
        text += &self.precision();
        text
    }

    /// Seeds for a cost that is known to 0.1 points, in the middle cell and in the worst.
    fn precision(&self) -> String {
        let costs = self.entries.iter().filter_map(|entry| entry.cost.as_ref());
        let mut seeds: Vec<usize> = costs.filter_map(seeds_wanted).collect();
        seeds.sort_unstable();
        match (seeds.get(seeds.len() / 2), seeds.last()) {
            (Some(middle), Some(most)) => {
                format!(
                    "a cost to ±0.1 points (95 %) needs {middle} seeds in the median cell, {most} in the worst\n"
                )
            }
            _ => String::new(),
        }
    }

    fn table(&self, facet: &[(usize, String)]) -> String {
        let (Some(rows), columns, _) = self.layout() else {
            return self.entries.first().map_or(String::new(), |entry| format!("{}\n", percent(entry)));
        };
        let Some(columns) = columns else { return self.list(rows) };
        let heads = &self.axes[columns].values;
        let mut text = format!("{:<16}", self.axes[rows].name);
        heads.iter().for_each(|head| text += &format!("{head:>24}"));
        text.push('\n');
        for row in &self.axes[rows].values {
            let _ = write!(text, "{row:<16}");
            for head in heads {
                let mut wanted = [facet, &[(rows, row.clone())]].concat();
                wanted.push((columns, head.clone()));
                let entry = self.find(&wanted);
                let cell =
                    entry.map_or("–".into(), |entry| format!("{}{}", percent(entry), self.choice(entry)));
                let _ = write!(text, "{cell:>24}");
            }
            text.push('\n');
        }
        text
    }

    /// A grid of one axis: error and cost of each value.
    fn list(&self, rows: usize) -> String {
        let mut table = Table::new(1, [self.axes[rows].name.as_str(), "test error", "cost against float"]);
        for entry in &self.entries {
            let cost = entry.cost.as_ref().map_or("–".into(), points);
            table.row([format!("{}{}", entry.values[rows], self.choice(entry)), percent(entry), cost]);
        }
        table.render()
    }

    /// For each column the narrowest row within a point of the reference.
    fn narrowest(&self, facet: &[(usize, String)]) -> String {
        let (Some(rows), columns, _) = self.layout() else { return String::new() };
        if self.references.is_empty() || !matches!(self.axes[rows].knob, Knob::Format(..)) {
            return String::new();
        }
        let heads: Vec<Option<String>> = match columns {
            None => vec![None],
            Some(columns) => self.axes[columns].values.iter().cloned().map(Some).collect(),
        };
        let mut text = String::new();
        for head in heads {
            let mut wanted = facet.to_vec();
            wanted.extend(columns.zip(head.clone()));
            let mut good: Vec<(f64, &Entry, PairedDifference)> = self
                .entries
                .iter()
                .filter(|entry| wanted.iter().all(|(axis, value)| entry.values[*axis] == *value))
                .filter_map(|entry| Some((entry.values[rows].parse().ok()?, entry, entry.cost?)))
                .filter(|(_, _, cost)| cost.mean <= POINT)
                .collect();
            good.sort_by(|a, b| a.0.total_cmp(&b.0));
            let label = head.map_or(String::new(), |head| format!("{head}: "));
            let name = &self.axes[rows].name;
            let _ = match good.first() {
                None => writeln!(text, "{label}no cell is within 1 point of float"),
                Some((_, entry, cost)) => {
                    let low = cost.interval().map_or(String::new(), |interval| {
                        format!(" [{:+.2}, {:+.2}]", 100.0 * interval.low, 100.0 * interval.high)
                    });
                    let (value, choice) = (&entry.values[rows], self.choice(entry));
                    let cost = 100.0 * cost.mean;
                    writeln!(
                        text,
                        "{label}narrowest within 1 point of float: {name} = {value}{choice}, cost {cost:+.2} points{low}"
                    )
                }
            };
        }
        text
    }
}

/// `+1.23 [+0.90, +1.56]` in points.
#[must_use]
pub fn points(difference: &PairedDifference) -> String {
    let mean = format!("{:+.2}", 100.0 * difference.mean);
    match difference.interval() {
        Some(interval) => format!("{mean} [{:+.2}, {:+.2}]", 100.0 * interval.low, 100.0 * interval.high),
        None => mean,
    }
}

/// `12.34 ±0.56`.
fn percent(entry: &Entry) -> String {
    let error = 100.0 * entry.error.estimate;
    if entry.errors.len() < 2 {
        format!("{error:.2}")
    } else {
        format!("{error:.2} ±{:.2}", 100.0 * entry.error.half_width())
    }
}

/// Rows of a stage by their values, in the order of the grid.
fn entries(grid: &Grid, rows: &Rows, stage: Stage) -> Vec<Entry> {
    let header = header(&grid.names());
    let mut found: BTreeMap<Vec<String>, BTreeMap<u64, f64>> = BTreeMap::new();
    for row in rows.values().filter(|row| row.fields[1] == stage.name()) {
        let values = row.fields[2..2 + grid.spec.axes.len()].to_vec();
        if let (Some(seed), Some(error)) = (row.number(&header, "seed"), row.number(&header, "test_error")) {
            found.entry(values).or_default().insert(seed as u64, error);
        }
    }
    let order = if stage == Stage::Float { grid.references() } else { grid.combinations(true) };
    let mut entries = Vec::new();
    for values in order {
        if let Some(errors) = found.remove(&values) {
            let list: Vec<f64> = errors.values().copied().collect();
            entries.push(Entry { values, error: over_seeds(&list), errors, cost: None });
        }
    }
    entries
}

/// Seeds after which the interval of a difference would be ±0.1 points.
#[must_use]
pub fn seeds_wanted(cost: &PairedDifference) -> Option<usize> {
    match cost.uncertainty {
        Uncertainty::SingleSeed => None,
        Uncertainty::OverSeeds { standard_deviation, confidence, .. } => {
            Some(seeds_needed(standard_deviation, PRECISION, confidence))
        }
    }
}

/// Mean with its t interval; without width for a single seed, of which it says nothing.
#[must_use]
pub fn over_seeds(errors: &[f64]) -> Interval {
    let none = vec![0.0; errors.len()];
    let interval = paired_interval(errors, &none, CONFIDENCE).and_then(|difference| difference.interval());
    let centre = mean(errors);
    interval.unwrap_or(Interval { estimate: centre, low: centre, high: centre })
}
