//! What was recorded, and what drifted from it.

use super::measure::{Counted, Local, Measured};
use super::{LSB_OFF, RMS_SHARE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Points that the integers may cost, where nothing else is recorded.
const BUDGET: f64 = 0.5;

/// LSB that the mean bias of the changes of a layer may be off; another rounding mode is off
/// by some tenths, another course of learning by some thousandths.
const UPDATE_BIAS_OFF: f64 = 0.1;

/// A measurement to hold others against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Points of test error that the integers may cost on average.
    pub budget_points: f64,
    /// Checksum of the data it was measured on.
    pub data_sha256: String,
    /// What was measured. Not flattened: numbers of any precision, a feature of serde_json that
    /// another crate may switch on, and flattened structures exclude each other.
    pub measured: Measured,
}

/// Something that is no longer as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Digest, counters, error or cost.
    pub kind: &'static str,
    /// Where: `16 bits, hidden, soma`.
    pub place: String,
    /// What was recorded.
    pub recorded: String,
    /// What was measured.
    pub measured: String,
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that was held against the baseline: kind and place.
    pub checked: Vec<(&'static str, String)>,
    /// What drifted, errors in the flow of data.
    pub drifts: Vec<Drift>,
    /// The variables to look at: the first ones in the flow of data whose error drifted.
    pub suspects: Vec<String>,
}

impl Baseline {
    /// The baseline of a measurement, with the budget of the one before.
    #[must_use]
    pub fn new(measured: Measured, data_sha256: &str, before: Option<&Self>) -> Self {
        let budget_points = before.map_or(BUDGET, |before| before.budget_points);
        Self { budget_points, data_sha256: data_sha256.into(), measured }
    }

    /// Holds a measurement against it.
    #[must_use]
    pub fn check(&self, measured: &Measured) -> Verdict {
        let mut verdict = Verdict::default();
        let recorded = &self.measured;
        compare("digest", &recorded.digests, &measured.digests, &mut verdict, |a, b| a == b, Clone::clone);
        compare("counters", &recorded.counters, &measured.counters, &mut verdict, |a, b| a == b, counted);
        let first = verdict.drifts.len();
        compare("error", &recorded.errors, &measured.errors, &mut verdict, close, local);
        let stage = |drift: &Drift| {
            measured
                .errors
                .get(&drift.place)
                .or(recorded.errors.get(&drift.place))
                .map_or(0, |local| local.stage)
        };
        verdict.drifts[first..].sort_by_key(stage);
        verdict.suspects = updates(&recorded.counters, &measured.counters);
        if verdict.suspects.is_empty() {
            verdict.suspects = suspects(&verdict.drifts[first..], stage);
        }
        verdict.checked.push(("cost", "accuracy".into()));
        let cost = &measured.cost;
        if cost.points.is_nan() || cost.points > self.budget_points {
            verdict.drifts.push(Drift {
                kind: "cost",
                place: "accuracy".into(),
                recorded: format!("budget {:.2} points", self.budget_points),
                measured: format!("{:+.2} points", cost.points),
            });
        }
        verdict
    }
}

/// Variables whose changes are rounded with another bias than recorded. This tells a weight
/// from a delta, which the errors of one and the same update do not.
fn updates(recorded: &BTreeMap<String, Counted>, measured: &BTreeMap<String, Counted>) -> Vec<String> {
    let bias = |counted: &Counted| counted.bias as f64 / 65_536.0 / counted.changes.max(1) as f64;
    let drifted = recorded.iter().filter(|(place, old)| {
        measured.get(*place).is_some_and(|new| (bias(new) - bias(old)).abs() > UPDATE_BIAS_OFF)
    });
    let names: BTreeSet<_> = drifted.filter_map(|(place, _)| place.rsplit(", ").next()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Names of the variables of the first stage that drifted.
fn suspects(errors: &[Drift], stage: impl Fn(&Drift) -> usize) -> Vec<String> {
    let Some(first) = errors.first().map(&stage) else { return Vec::new() };
    let names = errors.iter().filter(|drift| stage(drift) == first);
    let names: BTreeSet<_> = names.filter_map(|drift| drift.place.rsplit(", ").next()).collect();
    names.into_iter().map(str::to_owned).collect()
}

fn compare<T>(
    kind: &'static str,
    recorded: &BTreeMap<String, T>,
    measured: &BTreeMap<String, T>,
    verdict: &mut Verdict,
    same: impl Fn(&T, &T) -> bool,
    text: impl Fn(&T) -> String,
) {
    let places: BTreeSet<&String> = recorded.keys().chain(measured.keys()).collect();
    for place in places {
        let (old, new) = (recorded.get(place), measured.get(place));
        verdict.checked.push((kind, place.clone()));
        if !matches!((old, new), (Some(old), Some(new)) if same(old, new)) {
            let show = |value: Option<&T>| value.map_or("nothing".into(), &text);
            let drift = Drift { kind, place: place.clone(), recorded: show(old), measured: show(new) };
            verdict.drifts.push(drift);
        }
    }
}

fn close(old: &Local, new: &Local) -> bool {
    let rms = (new.rms - old.rms).abs() <= RMS_SHARE * old.rms + LSB_OFF;
    rms && (new.bias - old.bias).abs() <= RMS_SHARE * old.rms + LSB_OFF
}

fn counted(counted: &Counted) -> String {
    let bias = counted.bias as f64 / 65_536.0 / counted.changes.max(1) as f64;
    format!("{} of {} lost, bias {bias:+.4}, {} overflows", counted.lost, counted.changes, counted.overflows)
}

fn local(local: &Local) -> String {
    format!("RMS {:.3}, bias {:+.3} LSB", local.rms, local.bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let local = |stage| Local { stage, rms: 0.3, bias: 0.0, largest: 1.0 };
        let mut measured = Measured::default();
        measured.digests.insert("16 bits, native".into(), "0f".into());
        measured.errors.insert("16 bits, output, soma".into(), local(4));
        measured.errors.insert("16 bits, output, rate".into(), local(9));
        Baseline::new(measured, "", None)
    }

    #[test]
    fn the_same_again_is_no_drift() {
        let baseline = baseline();
        let verdict = baseline.check(&baseline.measured);
        assert_eq!((verdict.checked.len(), verdict.drifts.len()), (4, 0));
    }

    #[test]
    fn what_drifts_is_named_and_the_first_in_the_flow_of_data_suspected() {
        let baseline = baseline();
        let mut measured = baseline.measured.clone();
        measured.digests.insert("16 bits, native".into(), "f0".into());
        for local in measured.errors.values_mut() {
            local.bias = -0.5;
        }
        measured.cost.points = 2.0;
        let verdict = baseline.check(&measured);
        let kinds: Vec<_> = verdict.drifts.iter().map(|drift| drift.kind).collect();
        assert_eq!(kinds, ["digest", "error", "error", "cost"]);
        assert_eq!(verdict.suspects, ["soma"]);
    }

    #[test]
    fn an_update_that_rounds_with_a_bias_is_suspected_before_any_error() {
        let mut baseline = baseline();
        let place = || "16 bits, emulated, output, weight".to_owned();
        let counted = |bias| Counted { changes: 100, bias, ..Counted::default() };
        baseline.measured.counters.insert(place(), counted(0));
        let mut measured = baseline.measured.clone();
        measured.counters.insert(place(), counted(-50 * 65_536));
        measured.errors.values_mut().for_each(|local| local.bias = -0.5);
        assert_eq!(baseline.check(&measured).suspects, ["weight"]);
    }

    #[test]
    fn what_is_missing_has_drifted() {
        let baseline = baseline();
        let verdict = baseline.check(&Measured::default());
        assert_eq!(verdict.drifts.len(), 3);
        assert!(verdict.drifts.iter().all(|drift| drift.measured == "nothing"));
    }
}
