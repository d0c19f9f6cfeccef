//! A sweep as figures: a heat map of a table, and its columns as lines.

use super::grid::Grid;
use super::summary::Summary;
use crate::laboratory::error::LabError;
use crate::laboratory::figure::{COLOURS, DARK, Drawn, draw};
use plotters::prelude::*;

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
            figures.push((format!("lines{suffix}"), draw((760, 460), |area| table.lines(area))?));
        }
    }
    Ok(figures)
}

struct Table {
    title: String,
    row_name: String,
    column_name: String,
    rows: Vec<String>,
    columns: Vec<String>,
    /// Mean error, half-width, choice; row by row.
    cells: Vec<Vec<Option<(f64, f64, String)>>>,
    reference: Option<f64>,
}

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
            Some((100.0 * entry.error.estimate, 100.0 * entry.error.half_width(), choice))
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
            reference: summary.references.first().map(|reference| 100.0 * reference.error.estimate),
        }
    }

    fn size(&self) -> (u32, u32) {
        (170 + 110 * self.columns.len().max(4) as u32, 130 + 30 * self.rows.len() as u32)
    }

    fn heat(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
        let text = |size: i32| ("sans-serif", size).into_font().color(&DARK);
        let (left, top, wide, high) = (110, 76, 110, 30);
        area.draw(&Text::new(self.title.clone(), (14, 12), text(15)))?;
        area.draw(&Text::new(format!("{} →", self.column_name), (left, 36), text(13)))?;
        area.draw(&Text::new(format!("{} ↓", self.row_name), (14, 56), text(13)))?;
        let errors = self.cells.iter().flatten().flatten().map(|cell| cell.0);
        let lowest = errors.chain(self.reference).fold(f64::INFINITY, f64::min).max(0.1);
        for (c, column) in self.columns.iter().enumerate() {
            area.draw(&Text::new(column.clone(), (left + wide * c as i32 + 8, 56), text(13)))?;
        }
        for (r, (row, cells)) in self.rows.iter().zip(&self.cells).enumerate() {
            let y = top + high * r as i32;
            area.draw(&Text::new(row.clone(), (60, y + 9), text(13)))?;
            for (c, cell) in cells.iter().enumerate() {
                let x = left + wide * c as i32;
                let Some((error, half, choice)) = cell else { continue };
                let (colour, ink) = shade((error / lowest).ln() / (90.0 / lowest).ln());
                area.draw(&Rectangle::new([(x, y), (x + wide - 2, y + high - 2)], colour.filled()))?;
                let half = if *half > 0.0 { format!(" ±{half:.1}") } else { String::new() };
                let choice = if choice.is_empty() { String::new() } else { format!(" ({choice})") };
                let font = ("sans-serif", 12).into_font().color(&ink);
                area.draw(&Text::new(format!("{error:.1}{half}{choice}"), (x + 8, y + 9), font))?;
            }
        }
        let y = top + high * self.rows.len() as i32 + 14;
        let reference = self.reference.map_or(String::new(), |error| format!("float {error:.2} %   "));
        area.draw(&Text::new(
            format!("{reference}colour: logarithm of the error, to 90 %"),
            (14, y),
            text(12),
        ))?;
        Ok(())
    }

    fn lines(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
        let xs: Vec<f64> = self.rows.iter().filter_map(|row| row.parse().ok()).collect();
        let (first, last) =
            xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        let errors = self.cells.iter().flatten().flatten().map(|cell| cell.0).chain(self.reference);
        let lowest = errors.fold(90.0, f64::min);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 15).into_font().color(&DARK))
            .margin(14)
            .x_label_area_size(38)
            .y_label_area_size(52)
            .build_cartesian_2d(first - 0.5..last + 0.5, (0.8 * lowest..100.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(self.row_name.clone())
            .y_desc("test error (%)")
            .x_labels((last - first) as usize + 2)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(0xe4, 0xe4, 0xe4))
            .label_style(("sans-serif", 12).into_font().color(&DARK))
            .draw()?;
        if let Some(reference) = self.reference {
            let grey = RGBColor(0x66, 0x66, 0x66);
            chart
                .draw_series(LineSeries::new(
                    [(first - 0.5, reference), (last + 0.5, reference)],
                    grey.stroke_width(1),
                ))?
                .label(format!("float {reference:.2} %"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], grey.stroke_width(1)));
        }
        for (c, column) in self.columns.iter().enumerate() {
            let colour = COLOURS[c % COLOURS.len()];
            let points: Vec<(f64, f64, f64)> = xs
                .iter()
                .zip(&self.cells)
                .filter_map(|(&x, cells)| cells[c].as_ref().map(|cell| (x, cell.0, cell.1)))
                .collect();
            chart
                .draw_series(LineSeries::new(
                    points.iter().map(|point| (point.0, point.1)),
                    colour.stroke_width(2),
                ))?
                .label(column.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            chart.draw_series(points.iter().map(|&(x, y, _)| Circle::new((x, y), 3, colour.filled())))?;
            chart.draw_series(points.iter().map(|&(x, y, half)| {
                PathElement::new(
                    [(x, (y - half).max(0.8 * lowest)), (x, (y + half).min(100.0))],
                    colour.stroke_width(1),
                )
            }))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::MiddleRight)
            .background_style(WHITE.mix(0.85))
            .border_style(RGBColor(0xcc, 0xcc, 0xcc))
            .label_font(("sans-serif", 12).into_font().color(&DARK))
            .draw()?;
        Ok(())
    }
}

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
