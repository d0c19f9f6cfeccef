//! One neuron in both networks, as a picture: a column of panels for each mode.

use super::against::Mode;
use super::report::layer_name;
use super::trace::{Side, Trace};
use plotters::coord::Shift;
use plotters::prelude::*;

/// One neuron of an example, in one mode.
pub struct Picture {
    /// How the integers ran.
    pub mode: Mode,
    /// What was recorded.
    pub trace: Trace,
    /// Apical potentials of both, step by step; nothing of an output neuron.
    pub apical: [Vec<f64>; 2],
    /// Steps of basal drive and soma in real units.
    pub lsb: [f64; 2],
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Area<'a, 'b> = DrawingArea<SVGBackend<'a>, Shift>;

const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
const GRID: RGBColor = RGBColor(0xe4, 0xe7, 0xeb);
/// Float, drawn broad and below, and integer, distinguishable without red against green
/// (Okabe and Ito).
const FLOAT: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
const INTEGER: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
/// Size of a column.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 900;
const TITLE: i32 = 64;

/// The SVG of these pictures, side by side.
///
/// # Errors
/// Whatever the drawing has against it.
pub fn svg(pictures: &[Picture]) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let size = (WIDTH * pictures.len().max(1) as u32, HEIGHT);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(text)?;
        for (column, picture) in area.split_evenly((1, pictures.len().max(1))).iter().zip(pictures) {
            draw(column, picture)?;
        }
        area.present().map_err(text)?;
    }
    Ok(svg)
}

fn text(error: impl std::fmt::Display) -> Failure {
    error.to_string().into()
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// A panel: its name, and what float and integer did in it.
struct Panel<'a> {
    name: String,
    float: &'a [f64],
    integer: &'a [f64],
}

fn draw(area: &Area<'_, '_>, picture: &Picture) -> Result<(), Failure> {
    let trace = &picture.trace;
    let layer = layer_name(trace.layer, trace.layers);
    let title = format!(
        "{}: neuron {} of {layer}, example {} (a {})",
        picture.mode.name(),
        trace.unit,
        trace.example.0,
        trace.example.1
    );
    area.draw(&Text::new(title, (16, 12), font(18, INK))).map_err(text)?;
    let mut left = 16;
    for (name, colour) in [("float", FLOAT), ("integer", INTEGER)] {
        area.draw(&Rectangle::new([(left, 42), (left + 22, 46)], colour.filled())).map_err(text)?;
        area.draw(&Text::new(name, (left + 28, 36), font(14, INK))).map_err(text)?;
        left += 110;
    }
    area.draw(&Text::new("┆ the teaching current sets in", (left, 36), font(14, INK))).map_err(text)?;
    let errors = [(&trace.float.basal, &trace.integer.basal), (&trace.float.soma, &trace.integer.soma)];
    let [basal_error, soma_error] = [0, 1].map(|which| {
        let (float, integer) = errors[which];
        let pairs = float.iter().zip(integer);
        pairs.map(|(float, integer)| (integer - float) / picture.lsb[which]).collect::<Vec<_>>()
    });
    let panel = |name: &str, float, integer| Panel { name: name.into(), float, integer };
    let none = Vec::new();
    let mut panels = vec![
        panel("basal drive", &trace.float.basal, &trace.integer.basal),
        panel("soma, and spikes above it", &trace.float.soma, &trace.integer.soma),
    ];
    let plateaus = [&trace.float, &trace.integer].map(|side| steps(trace, side));
    if !picture.apical[0].is_empty() {
        panels.push(panel("apical dendrite", &picture.apical[0], &picture.apical[1]));
        panels.push(panel("plateau of each phase", &plateaus[0], &plateaus[1]));
    }
    panels.push(panel("basal, integer − float, LSB", &none, &basal_error));
    panels.push(panel("soma, integer − float, LSB", &none, &soma_error));
    let below = area.margin(TITLE, 8, 8, 16);
    for (number, (place, panel)) in below.split_evenly((panels.len(), 1)).iter().zip(&panels).enumerate() {
        let spikes = (number == 1).then_some([&trace.float, &trace.integer]);
        chart(place, panel, trace, spikes, number + 1 == panels.len())?;
    }
    Ok(())
}

/// The plateau of each phase, held through it.
fn steps(trace: &Trace, side: &Side) -> Vec<f64> {
    let phase = |step: usize| usize::from(step >= trace.forward_steps);
    (0..trace.steps()).filter_map(|step| side.plateaus[phase(step)]).collect()
}

fn chart(
    area: &Area<'_, '_>,
    panel: &Panel<'_>,
    trace: &Trace,
    spikes: Option<[&Side; 2]>,
    last: bool,
) -> Result<(), Failure> {
    let values = panel.float.iter().chain(panel.integer);
    let (low, high) = values.fold((0.0f64, 0.0f64), |(low, high), &value| (low.min(value), high.max(value)));
    let room = 0.06 * (high - low).max(1e-3);
    // Two rows of ticks above the curves.
    let ticks = if spikes.is_some() { 0.30 * (high - low).max(1e-3) } else { 0.0 };
    let range = low - room..high + room + ticks;
    let steps = trace.steps() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(4)
        .caption(&panel.name, font(14, INK))
        .x_label_area_size(if last { 36 } else { 20 })
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..steps, range.clone())
        .map_err(text)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(font(13, INK))
        .x_desc(if last { "step (ms)" } else { "" })
        .y_labels(5)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .draw()
        .map_err(text)?;
    let begin = trace.forward_steps as f64;
    let border = DashedLineSeries::new([(begin, range.start), (begin, range.end)], 4, 4, INK.stroke_width(1));
    chart.draw_series(border).map_err(text)?;
    let points =
        |values: &[f64]| values.iter().zip(0..).map(|(&v, step)| (f64::from(step), v)).collect::<Vec<_>>();
    chart.draw_series(LineSeries::new(points(panel.float), FLOAT.stroke_width(5))).map_err(text)?;
    chart.draw_series(LineSeries::new(points(panel.integer), INTEGER.stroke_width(2))).map_err(text)?;
    for (row, side) in spikes.into_iter().flatten().enumerate() {
        let (top, colour) = (range.end - 0.46 * ticks * row as f64, [FLOAT, INTEGER][row]);
        let fired = side.spikes.iter().enumerate().filter(|(_, spikes)| **spikes > 0);
        let tick = fired.map(|(step, _)| {
            let line = vec![(step as f64, top), (step as f64, top - 0.4 * ticks)];
            PathElement::new(line, colour.stroke_width(2))
        });
        chart.draw_series(tick).map_err(text)?;
    }
    Ok(())
}
