//! What each rounding does on average: its bias, measured and drawn.
//!
//! For values of every fraction around zero, the mean of (rounded − exact) over the random
//! numbers, in steps of the result. A straight line at zero is no bias; a sawtooth is an error
//! that averages out over fractions; what is left of its mean is what drifts.

use super::error::LabError;
use super::figure::{COLOURS, DARK, Drawn, draw};
use crate::report::table::Table;
use apical_core::random::Stream;
use apical_core::rounding::Rounding;
use plotters::prelude::*;
use rand_core::Rng;

/// Bits that are rounded away: 64 fractions.
pub const SHIFT: u32 = 6;
/// Values from −2 to +2 steps.
const REACH: i64 = 2 << SHIFT;

/// A rounding, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    /// Which.
    pub rounding: Rounding,
    /// Exact value and mean error, in steps.
    pub errors: Vec<(f64, f64)>,
}

impl Bias {
    /// Mean error over values above zero, or below.
    #[must_use]
    pub fn mean(&self, above: bool) -> f64 {
        let within = |&&(exact, _): &&(f64, f64)| exact != 0.0 && (exact > 0.0) == above && exact.abs() < 1.0;
        let (sum, values) = self
            .errors
            .iter()
            .filter(within)
            .fold((0.0, 0.0), |(sum, values), &(_, error)| (sum + error, values + 1.0));
        sum / values
    }

    /// Largest mean error of any value within one step of zero.
    #[must_use]
    pub fn worst(&self) -> f64 {
        let within = self.errors.iter().filter(|(exact, _)| exact.abs() < 1.0);
        within
            .map(|&(_, error)| error)
            .fold(0.0, |worst: f64, error| if error.abs() > worst.abs() { error } else { worst })
    }
}

/// Every rounding, with so many draws a value.
///
/// # Draws
/// Stream `Order` of seed 0: one `u32` for each value and draw of the random roundings.
#[must_use]
pub fn measure(draws: u32) -> Vec<Bias> {
    let mut random = Stream::Order.open(0);
    let unit = f64::from(1u32 << SHIFT);
    let mut mean = |rounding: Rounding, value: i64| {
        let noisy = matches!(rounding, Rounding::Stochastic | Rounding::UnitStep);
        let times = if noisy { draws } else { 1 };
        let sum: i64 = (0..times).map(|_| rounding.shift(value, SHIFT, random.next_u32())).sum();
        sum as f64 / f64::from(times)
    };
    let bias = |rounding| {
        let errors = (-REACH..=REACH).map(|value| {
            let exact = value as f64 / unit;
            (exact, mean(rounding, value) - exact)
        });
        Bias { rounding, errors: errors.collect() }
    };
    Rounding::ALL.map(bias).to_vec()
}

/// Mean errors within one step of zero, where the changes of weights are.
#[must_use]
pub fn text(biases: &[Bias]) -> String {
    let mut table = Table::new(1, ["rounding", "mean, 0…1", "mean, −1…0", "both", "worst value"]);
    for bias in biases {
        let (up, down) = (bias.mean(true), bias.mean(false));
        let both = 0.5 * (up + down);
        let cells = [up, down, both, bias.worst()].map(|error| format!("{error:+.3}"));
        table.row(std::iter::once(bias.rounding.name().to_owned()).chain(cells));
    }
    format!("mean of (rounded − exact) in steps, over values within one step of zero\n{}", table.render())
}

/// One panel a rounding.
///
/// # Errors
/// Whatever the drawing came to.
pub fn figure(biases: &[Bias]) -> Result<String, LabError> {
    draw((960, 560), |area| {
        let top = area.titled(
            "bias of each rounding: mean of (rounded − exact) against the exact value, in steps",
            ("sans-serif", 17).into_font().color(&DARK),
        )?;
        for (number, (panel, bias)) in top.split_evenly((2, 4)).iter().zip(biases).enumerate() {
            one(panel, bias, COLOURS[number % COLOURS.len()])?;
        }
        Ok(())
    })
}

/// Two digits; a zero has no sign to be read into.
fn signed(mean: f64) -> String {
    let text = format!("{mean:+.2}");
    if text == "-0.00" { "+0.00".into() } else { text }
}

fn one(area: &super::figure::Area<'_>, bias: &Bias, colour: RGBColor) -> Drawn {
    let [above, below] = [true, false].map(|side| signed(bias.mean(side)));
    let title = format!("{}: {above} above, {below} below 0", bias.rounding.name());
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 12).into_font().color(&DARK))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(34)
        .build_cartesian_2d(-2.0..2.0, -1.05..1.05)?;
    chart
        .configure_mesh()
        .x_labels(5)
        .y_labels(5)
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(0xe4, 0xe4, 0xe4))
        .label_style(("sans-serif", 11).into_font().color(&DARK))
        .draw()?;
    // Points, not a line: a jump is no slope.
    chart.draw_series(bias.errors.iter().map(|&point| Circle::new(point, 1, colour.filled())))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1024 draws a value leave ±½/√1024 a value, 128 values a side: 3σ is 0.0042.
    #[test]
    fn each_rounding_has_the_bias_that_its_documentation_states() {
        let half = 0.5;
        for bias in measure(1024) {
            let (above, below) = match bias.rounding {
                Rounding::Floor => (-half, -half),
                Rounding::TowardZero => (-half, half),
                Rounding::Nearest | Rounding::NearestEven | Rounding::NearestAway => (0.0, 0.0),
                Rounding::Stochastic | Rounding::UnitStep => (0.0, 0.0),
            };
            // An exact half in 63 values is worth up to 1/126.
            let close = |mean: f64, expected: f64| (mean - expected).abs() < 0.0085;
            let (up, down) = (bias.mean(true), bias.mean(false));
            assert!(close(up, above) && close(down, below), "{:?}: {up} and {down}", bias.rounding);
        }
    }
}
