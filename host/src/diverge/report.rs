//! The table and the files of `apical diverge`.

use super::against::Mode;
use super::tally::{Line, Tally, When};
use crate::report::table::{Table, count, significant};
use crate::statistics::ErrorStats;

/// Name of a layer in tables and files, as plans have it.
#[must_use]
pub fn layer_name(layer: usize, layers: usize) -> String {
    match layers {
        _ if layer + 1 == layers => "output".into(),
        2 => "hidden".into(),
        _ => format!("hidden {}", layer + 1),
    }
}

impl Mode {
    /// The name used in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Forced => "forced",
        }
    }
}

/// Errors of every variable, side by side in each mode.
#[must_use]
pub fn errors(tallies: &[(Mode, &Tally)], layers: usize) -> String {
    let title =
        |mode: &Mode| [format!("{}: max", mode.name()), "RMS".into(), "bias".into(), "SQNR dB".into()];
    let modes = tallies.iter().flat_map(|(mode, _)| title(mode));
    let head = ["variable", "layer", "LSB"].map(String::from);
    let mut table = Table::new(2, head.into_iter().chain(modes));
    for line in &tallies[0].1.lines {
        let cells = tallies.iter().flat_map(|(_, tally)| {
            let other = tally.of(line.layer, line.variable).map_or(ErrorStats::new(), |line| line.all);
            summary(&other, line.lsb)
        });
        let head = [line.variable.name().into(), layer_name(line.layer, layers), significant(line.lsb, 2)];
        table.row(head.into_iter().chain(cells));
    }
    format!(
        "Integer − float in LSB (free: errors accumulate; forced: local to a step, phase or update)\n\n{}",
        table.render()
    )
}

fn summary(errors: &ErrorStats, lsb: f64) -> [String; 4] {
    let summary = errors.in_lsb(lsb);
    let bias = format!("{:+.3}", summary.bias);
    [significant(summary.largest, 3), significant(summary.rms, 3), bias, format!("{:.1}", summary.sqnr_db)]
}

/// RMS error of what moves each step, over pieces of the two phases.
#[must_use]
pub fn over_time(tallies: &[(Mode, &Tally)], layers: usize) -> String {
    const PIECES: [(&str, std::ops::Range<u32>); 4] =
        [("0–9", 0..10), ("10–29", 10..30), ("30–49", 30..50), ("50–", 50..u32::MAX)];
    let heads = ["forward", "target"]
        .iter()
        .flat_map(|phase| PIECES.map(|(name, _)| format!("{} {name}", &phase[..1])));
    let head = ["mode", "variable", "layer"].map(String::from);
    let mut table = Table::new(3, head.into_iter().chain(heads));
    for (mode, tally) in tallies {
        for line in
            tally.lines.iter().filter(|line| matches!(line.over_time.first(), Some((When::Forward(_), _))))
        {
            let piece = |target: bool, range: &std::ops::Range<u32>| {
                let mut errors = ErrorStats::new();
                for (when, part) in &line.over_time {
                    match when {
                        When::Forward(step) if !target && range.contains(step) => errors.merge(part),
                        When::Target(step) if target && range.contains(step) => errors.merge(part),
                        _ => {}
                    }
                }
                if errors.count() == 0 { "–".into() } else { significant(errors.in_lsb(line.lsb).rms, 2) }
            };
            let cells =
                [false, true].into_iter().flat_map(|target| PIECES.map(|(_, range)| piece(target, &range)));
            let head = [mode.name().into(), line.variable.name().into(), layer_name(line.layer, layers)];
            table.row(head.into_iter().chain(cells));
        }
    }
    format!("RMS error in LSB over the steps of the forward (f) and target (t) phase\n\n{}", table.render())
}

/// Spikes of each layer, and where the first differed.
#[must_use]
pub fn spikes(tallies: &[(Mode, &Tally)], layers: usize) -> String {
    let head = [
        "mode",
        "spikes",
        "float",
        "integer",
        "same step",
        "missed",
        "extra",
        "shifted",
        "agreement",
        "first difference",
    ];
    let mut table = Table::new(2, head);
    for (mode, tally) in tallies {
        for (level, spikes) in tally.spikes.iter().enumerate() {
            let first = spikes.first.map_or("–".into(), |(example, step, unit)| {
                format!("example {example}, step {step}, unit {unit}")
            });
            let name = if level == 0 { "input".into() } else { layer_name(level - 1, layers) };
            let counts =
                [spikes.float, spikes.integer, spikes.same, spikes.missed, spikes.extra, spikes.shifted]
                    .map(count);
            let share = format!("{:.3} %", 100.0 * spikes.share());
            table.row([mode.name().into(), name].into_iter().chain(counts).chain([share, first]));
        }
    }
    format!(
        "Spikes; one of the same unit up to {} steps away is shifted, not missed\n\n{}",
        super::spikes::SHIFT,
        table.render()
    )
}

/// The first number beyond the tolerance, of all and of each variable.
#[must_use]
pub fn first(mode: Mode, tally: &Tally, layers: usize) -> String {
    let Some((layer, variable, _)) = &tally.first else {
        return format!("First divergence, {}: none beyond {} LSB\n", mode.name(), tally.tolerance);
    };
    let mut table = Table::new(
        2,
        ["variable", "layer", "example", "phase", "step", "index", "float", "integer", "LSB off"],
    );
    for line in &tally.lines {
        let Some(first) = line.first else { continue };
        let (phase, step) = first.when.parts();
        let mark = if (line.layer, line.variable) == (*layer, *variable) { "▸ " } else { "  " };
        table.row([
            format!("{mark}{}", line.variable.name()),
            layer_name(line.layer, layers),
            first.example.to_string(),
            phase.into(),
            step.map_or("–".into(), |step| step.to_string()),
            first.index.to_string(),
            format!("{:.5}", first.float),
            format!("{:.5}", first.integer),
            format!("{:+.1}", (first.integer - first.float) / line.lsb),
        ]);
    }
    let name = mode.name();
    format!(
        "First divergence beyond {} LSB, {name} (▸ the very first)\n\n{}",
        tally.tolerance,
        table.render()
    )
}

/// Every line over time, as CSV.
#[must_use]
pub fn csv(tallies: &[(Mode, &Tally)], layers: usize) -> String {
    let mut text = "mode,layer,variable,phase,step,count,lsb,max_lsb,rms_lsb,bias_lsb,sqnr_db\n".to_owned();
    for (mode, tally) in tallies {
        for line in &tally.lines {
            for (when, errors) in &line.over_time {
                let (phase, step) = when.parts();
                let step = step.map_or(String::new(), |step| step.to_string());
                text += &csv_row(*mode, line, layers, (phase, &step), errors);
            }
            text += &csv_row(*mode, line, layers, ("all", ""), &line.all);
        }
    }
    text
}

fn csv_row(
    mode: Mode,
    line: &Line,
    layers: usize,
    (phase, step): (&str, &str),
    errors: &ErrorStats,
) -> String {
    let (lsb, summary) = (line.lsb, errors.in_lsb(line.lsb));
    let sqnr = if summary.sqnr_db.is_finite() { format!("{:.3}", summary.sqnr_db) } else { String::new() };
    format!(
        "{},{},{},{phase},{step},{},{lsb:e},{:.6},{:.6},{:.6},{sqnr}\n",
        mode.name(),
        layer_name(line.layer, layers),
        line.variable.name(),
        summary.count,
        summary.largest,
        summary.rms,
        summary.bias,
    )
}
