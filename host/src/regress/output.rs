//! A verdict for the eye, for GitHub, and for whatever reads JUnit.

use super::baseline::{Drift, Verdict};
use super::measure::Measured;
use crate::report::table::Table;

/// What was measured and what drifted.
#[must_use]
pub fn page(measured: &Measured, verdict: &Verdict) -> String {
    let cost = &measured.cost;
    let mut text = format!(
        "The integers cost {:+.2} points, 95 % interval [{:+.2}, {:+.2}] over {} paired seeds.\n",
        cost.points,
        cost.interval[0],
        cost.interval[1],
        cost.core.len(),
    );
    if verdict.drifts.is_empty() {
        return text + &format!("{} of {0} as recorded: no drift.\n", verdict.checked.len());
    }
    let mut table = Table::new(4, ["Drifted", "where", "recorded", "measured"]);
    for drift in &verdict.drifts {
        table.row([drift.kind, &drift.place, &drift.recorded, &drift.measured]);
    }
    text += &format!("\n{}\n{} of {} drifted.", table.render(), verdict.drifts.len(), verdict.checked.len());
    match verdict.suspects.as_slice() {
        [] => text + "\n",
        suspects => text + &format!(" First in the flow of data: {}.\n", suspects.join(", ")),
    }
}

fn sentence(drift: &Drift) -> String {
    format!("{} of {}: recorded {}, measured {}", drift.kind, drift.place, drift.recorded, drift.measured)
}

/// One workflow command of GitHub for each drift.
#[must_use]
pub fn github(verdict: &Verdict) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\n', "%0A");
    let lines = verdict
        .drifts
        .iter()
        .map(|drift| format!("::error title=apical regress::{}\n", escape(&sentence(drift))));
    lines.collect()
}

/// A test case for everything that was checked, in JUnit's XML.
#[must_use]
pub fn junit(verdict: &Verdict) -> String {
    let escape = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let (all, failed) = (verdict.checked.len(), verdict.drifts.len());
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    text +=
        &format!("<testsuites>\n<testsuite name=\"apical regress\" tests=\"{all}\" failures=\"{failed}\">\n");
    for (kind, place) in &verdict.checked {
        text += &format!("<testcase classname=\"{kind}\" name=\"{}\"", escape(place));
        let drift = verdict.drifts.iter().find(|drift| (drift.kind, &drift.place) == (*kind, place));
        text += &drift.map_or("/>\n".into(), |drift| {
            format!("><failure message=\"{}\"/></testcase>\n", escape(&sentence(drift)))
        });
    }
    text + "</testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict() -> Verdict {
        let drift = Drift {
            kind: "error",
            place: "16 bits, output, soma".into(),
            recorded: "RMS 0.3 < 1".into(),
            measured: "50 %".into(),
        };
        let checked = vec![("digest", "16 bits, native".into()), ("error", drift.place.clone())];
        Verdict { checked, drifts: vec![drift], suspects: vec!["soma".into()] }
    }

    #[test]
    fn an_annotation_is_one_line() {
        let line = "::error title=apical regress::error of 16 bits, output, soma: recorded RMS 0.3 < 1, measured 50 %25\n";
        assert_eq!(github(&verdict()), line);
    }

    #[test]
    fn junit_has_a_case_for_each_check_and_a_failure_for_each_drift() {
        let xml = junit(&verdict());
        assert_eq!(xml.matches("<testcase").count(), 2);
        assert_eq!(xml.matches("<failure").count(), 1);
        assert!(xml.contains("RMS 0.3 &lt; 1"));
    }

    #[test]
    fn the_page_names_the_suspect() {
        let page = page(&Measured::default(), &verdict());
        assert!(page.contains("1 of 2 drifted. First in the flow of data: soma."), "{page}");
    }
}
