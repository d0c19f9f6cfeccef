//! A sweep as figures: a heat map of a table, and its columns as lines.

use super::grid::Grid;
use super::summary::Summary;
use crate::laboratory::error::LabError;
use crate::laboratory::figure::{COLOURS, DARK, Drawn, draw};
use crate::statistics::Uncertainty;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

/// SVGs by what they show; none where there is nothing to draw.
pub fn figures(grid: &Grid, summary: &Summary) -> Result<Vec<(String, String)>, LabError> {
    let mut figures = Vec::new();
    let (Some(rows), columns, _) = summary.layout() else { return Ok(figures) };
    let facets = summary.facets();
    for (number, facet) in facets.iter().enumerate() {
        let suffix = if facets.len() == 1 { String::new() } else { format!("-{}", number + 1) };
        let table = Table::new(grid, summary, facet, rows, columns);
        if table.columns.is_empty() || table.rows.len() * table.columns.len() < 2 {
            continue;
        }
        figures.push((format!("heat{suffix}"), draw(table.size(), |area| table.heat(area))?));
        if table.rows.iter().all(|row| row.parse::<f64>().is_ok()) && table.rows.len() > 1 {
            figures.push((format!("lines{suffix}"), draw((860, 460), |area| table.lines(area))?));
        }
    }
    Ok(figures)
}

/// A cell as it is drawn, in points.
struct Shown {
    error: f64,
    /// Error less the reference's and its half-width.
    cost: Option<(f64, f64)>,
    /// What a pilot chose.
    choice: String,
}

impl Shown {
    fn half(&self) -> f64 {
        self.cost.map_or(0.0, |cost| cost.1)
    }

    fn text(&self) -> String {
        let cost = match self.cost {
            Some((cost, half)) if half > 0.0 => format!("  {cost:+.1} ±{half:.1}"),
            Some((cost, _)) => format!("  {cost:+.1}"),
            None => String::new(),
        };
        let choice = if self.choice.is_empty() { String::new() } else { format!(" ({})", self.choice) };
        format!("{:.1}{cost}{choice}", self.error)
    }
}

struct Table {
    title: String,
    row_name: String,
    column_name: String,
    rows: Vec<String>,
    columns: Vec<String>,
    /// Row by row.
    cells: Vec<Vec<Option<Shown>>>,
    reference: Option<f64>,
    /// What pilots chose.
    chosen: Option<String>,
}

/// Width of a cell.
const WIDE: i32 = 150;

impl Table {
    fn new(
        grid: &Grid,
        summary: &Summary,
        facet: &[(usize, String)],
        rows: usize,
        columns: Option<usize>,
    ) -> Self {
        let row_values = summary.axis(rows).values.clone();
        let column_values =
            columns.map_or(vec![String::new()], |columns| summary.axis(columns).values.clone());
        let cell = |row: &String, column: &String| {
            let mut wanted = [facet, &[(rows, row.clone())]].concat();
            wanted.extend(columns.map(|columns| (columns, column.clone())));
            let entry = summary.find(&wanted)?;
            let choice = summary.choice(entry);
            let choice = choice.split('=').next_back().unwrap_or("").to_owned();
            let cost = entry.cost.as_ref().map(|cost| {
                let half = match cost.uncertainty {
                    Uncertainty::OverSeeds { interval, .. } => interval.half_width(),
                    _ => 0.0,
                };
                (100.0 * cost.mean, 100.0 * half)
            });
            Some(Shown { error: 100.0 * entry.error.estimate, cost, choice })
        };
        let cells = row_values
            .iter()
            .map(|row| column_values.iter().map(|column| cell(row, column)).collect())
            .collect();
        let parts: Vec<String> =
            facet.iter().map(|(axis, value)| format!("{} {value}", summary.axis(*axis).name)).collect();
        let spec = &grid.spec;
        let runs =
            format!("{} examples, {} seeds", spec.plan.examples * spec.plan.epochs, spec.plan.seeds.len());
        let title = std::iter::once("test error (%)".to_owned()).chain(parts).chain([runs]);
        let title = title.collect::<Vec<_>>().join(", ");
        Self {
            title,
            row_name: summary.axis(rows).name.clone(),
            column_name: columns.map_or(String::new(), |columns| summary.axis(columns).name.clone()),
            rows: row_values,
            columns: column_values,
            cells,
            chosen: summary.chosen(),
            reference: summary.references.first().map(|reference| 100.0 * reference.error.estimate),
        }
    }

    fn size(&self) -> (u32, u32) {
        let wide = self.left() + WIDE * self.columns.len() as i32 + 20;
        (wide.max(560) as u32, 152 + 30 * self.rows.len() as u32)
    }

    /// Where the cells begin: to the right of the longest name.
    fn left(&self) -> i32 {
        let longest = self.rows.iter().chain([&self.row_name]).map(|name| name.chars().count()).max();
        28 + 8 * longest.unwrap_or(0).max(10) as i32
    }

    fn heat(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
        let text = |size: i32| ("sans-serif", size).into_font().color(&DARK);
        let (left, top, wide, high) = (self.left(), 76, WIDE, 30);
        area.draw(&Text::new(self.title.clone(), (14, 12), text(15)))?;
        if !self.column_name.is_empty() {
            area.draw(&Text::new(format!("{} →", self.column_name), (left + 8, 36), text(13)))?;
        }
        area.draw(&Text::new(format!("{} ↓", self.row_name), (14, 56), text(13)))?;
        let errors = self.cells.iter().flatten().flatten().map(|cell| cell.error);
        let lowest = errors.chain(self.reference).fold(f64::INFINITY, f64::min).max(0.1);
        for (c, column) in self.columns.iter().enumerate() {
            area.draw(&Text::new(column.clone(), (left + wide * c as i32 + 8, 56), text(13)))?;
        }
        for (r, (row, cells)) in self.rows.iter().zip(&self.cells).enumerate() {
            let y = top + high * r as i32;
            area.draw(&Text::new(row.clone(), (14, y + 9), text(13)))?;
            for (c, cell) in cells.iter().enumerate() {
                let x = left + wide * c as i32;
                let Some(cell) = cell else { continue };
                let (colour, ink) = shade((cell.error / lowest).ln() / (90.0 / lowest).ln());
                area.draw(&Rectangle::new([(x, y), (x + wide - 2, y + high - 2)], colour.filled()))?;
                let font = ("sans-serif", 12).into_font().color(&ink);
                area.draw(&Text::new(cell.text(), (x + 8, y + 9), font))?;
            }
        }
        let y = top + high * self.rows.len() as i32 + 14;
        let mut notes = vec!["colour: logarithm of the error, to 90 %".to_owned()];
        if let Some(error) = self.reference {
            notes.insert(
                0,
                format!(
                    "+: cost against float ({error:.2} %) in points, ±: its 95 % interval, paired over seeds"
                ),
            );
        }
        let chosen = self.cells.iter().flatten().flatten().any(|cell| !cell.choice.is_empty());
        if let (true, Some(name)) = (chosen, &self.chosen) {
            notes.push(format!("in brackets: the best {name}, by short runs"));
        }
        for (note, y) in notes.into_iter().zip((y..).step_by(18)) {
            area.draw(&Text::new(note, (14, y), text(12)))?;
        }
        Ok(())
    }

    fn lines(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
        let (plot, legend) = area.split_horizontally(720);
        let xs: Vec<f64> = self.rows.iter().filter_map(|row| row.parse().ok()).collect();
        let (first, last) =
            xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        let shown = self.cells.iter().flatten().flatten();
        let ends = shown.flat_map(|cell| [cell.error - cell.half(), cell.error + cell.half()]);
        let (least, most) =
            ends.chain(self.reference).fold((90.0, 0.0), |(a, b): (f64, f64), x| (a.min(x), b.max(x)));
        let shown = self.cells.iter().flatten().flatten().map(|cell| cell.error).chain(self.reference);
        let lowest = shown.fold(90.0, f64::min);
        // Errors that are all alike would be one straight line on a scale for all errors.
        if most < 2.0 * least {
            let span = (most - least).max(0.1);
            let decimals = if span < 2.0 { 2 } else { 1 };
            self.plot(&plot, (first, last), (least - 0.1 * span)..(most + 0.1 * span), decimals)?;
        } else {
            self.plot(&plot, (first, last), (0.8 * lowest..100.0).log_scale(), 0)?;
        }
        self.legend(&legend)
    }

    /// The lines alone; errors go along an axis whose labels have so many decimals.
    fn plot<Y>(
        &self,
        plot: &DrawingArea<SVGBackend<'_>, Shift>,
        (first, last): (f64, f64),
        errors: impl AsRangedCoord<CoordDescType = Y, Value = f64>,
        decimals: usize,
    ) -> Drawn
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let xs: Vec<f64> = self.rows.iter().filter_map(|row| row.parse().ok()).collect();
        let mut chart = ChartBuilder::on(plot)
            .caption(&self.title, ("sans-serif", 15).into_font().color(&DARK))
            .margin(14)
            .x_label_area_size(38)
            .y_label_area_size(52)
            .build_cartesian_2d(first - 0.5..last + 0.5, errors)?;
        let Range { start: bottom, end: top } = chart.y_range();
        chart
            .configure_mesh()
            .x_desc(self.row_name.clone())
            .y_desc("test error (%)")
            .x_labels(((last - first) as usize + 2).min(16))
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.decimals$}"))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(0xe4, 0xe4, 0xe4))
            .label_style(("sans-serif", 12).into_font().color(&DARK))
            .draw()?;
        if let Some(reference) = self.reference {
            let ends = [(first - 0.5, reference), (last + 0.5, reference)];
            chart.draw_series(LineSeries::new(ends, GREY.stroke_width(1)))?;
        }
        for c in 0..self.columns.len() {
            let colour = COLOURS[c % COLOURS.len()];
            // Side by side, or intervals would hide each other.
            let aside = (last - first) / 120.0 * (c as f64 - 0.5 * (self.columns.len() - 1) as f64);
            let points: Vec<(f64, f64, f64)> = xs
                .iter()
                .zip(&self.cells)
                .filter_map(|(&x, cells)| cells[c].as_ref().map(|cell| (x + aside, cell.error, cell.half())))
                .collect();
            let line = points.iter().map(|point| (point.0, point.1));
            chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|&(x, y, _)| Circle::new((x, y), 3, colour.filled())))?;
            chart.draw_series(points.iter().map(|&(x, y, half)| {
                PathElement::new(
                    [(x, (y - half).max(bottom)), (x, (y + half).min(top))],
                    colour.stroke_width(1),
                )
            }))?;
        }
        Ok(())
    }

    fn legend(&self, legend: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
        let lines = self.columns.iter().zip(COLOURS.into_iter().cycle());
        let mut names: Vec<(String, Option<(RGBColor, u32)>)> =
            lines.map(|(name, colour)| (name.clone(), Some((colour, 2)))).collect();
        names.retain(|(name, _)| !name.is_empty());
        if let Some(reference) = self.reference {
            names.push((format!("float {reference:.2} %"), Some((GREY, 1))));
            names.extend(["bars: 95 %, paired", "against float"].map(|line| (line.to_owned(), None)));
        }
        for ((name, style), y) in names.into_iter().zip((70..).step_by(20)) {
            let left = if let Some((colour, width)) = style {
                legend.draw(&PathElement::new([(0, y), (18, y)], colour.stroke_width(width)))?;
                24
            } else {
                0
            };
            let font = ("sans-serif", 12).into_font().color(&DARK);
            legend.draw(&Text::new(name, (left, y - 6), font))?;
        }
        Ok(())
    }
}

const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);

/// From pale blue (0) to dark red (1), and the ink that can be read on it.
fn shade(share: f64) -> (RGBColor, RGBColor) {
    let stops = [(0xe8, 0xf1, 0xf8), (0xf8, 0xe3, 0xb0), (0xe0, 0x8a, 0x4a), (0x8c, 0x1d, 0x18)];
    let at = share.clamp(0.0, 1.0) * 3.0;
    let low = (at.floor() as usize).min(2);
    let mix =
        |a: i32, b: i32| (f64::from(a) + (f64::from(b) - f64::from(a)) * (at - low as f64)).round() as u8;
    let (a, b) = (stops[low], stops[low + 1]);
    let colour = RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2));
    (colour, if share > 0.75 { WHITE } else { DARK })
}
