//! What the laboratory's figures share.

use super::error::LabError;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Ink.
pub const DARK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
/// Lines that can be told apart without red against green (Okabe and Ito).
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x55, 0x55, 0x55),
];

/// Why something could not be drawn.
pub type Failure = Box<dyn std::error::Error>;
/// What drawing comes to.
pub type Drawn = Result<(), Failure>;
/// Where it is drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws into an SVG.
///
/// # Errors
/// Whatever the drawing came to.
pub fn draw(size: (u32, u32), figure: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, LabError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = area.fill(&WHITE).map_err(Into::into).and_then(|()| figure(&area));
        let presented = drawn.and_then(|()| area.present().map_err(Into::into));
        presented.map_err(|error: Failure| LabError::Figure(error.to_string()))?;
    }
    Ok(svg)
}
