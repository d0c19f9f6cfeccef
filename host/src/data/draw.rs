//! Images in characters, side by side.

use std::ops::Range;

/// The width of a page, in characters.
const WIDTH: usize = 100;

/// Blanks between two images.
const GAP: usize = 2;

/// The digits of the longest label, and so the least width of an image.
const LABEL: usize = 3;

/// Characters from no ink to full ink.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Draws images (of that many columns) with their labels below, as many abreast as fit a page.
///
/// All are cut to the one frame that holds the ink of every image. A character is twice as high
/// as wide, so it shows `scale` columns of 2 × `scale` rows, and takes the shade of their mean.
pub(super) fn gallery(examples: &[(&[u8], u8)], columns: usize) -> String {
    let images: Vec<&[u8]> = examples.iter().map(|&(image, _)| image).collect();
    let frame = Frame::around(&images, columns);
    let abreast = ((WIDTH + GAP) / (frame.slot() + GAP)).max(1);
    let shelves: Vec<String> = examples.chunks(abreast).map(|examples| shelf(examples, &frame)).collect();
    shelves.join("\n")
}

/// Draws images side by side and their labels below.
fn shelf(examples: &[(&[u8], u8)], frame: &Frame) -> String {
    let gap = " ".repeat(GAP);
    let join = |cells: Vec<String>| format!("{}\n", cells.join(&gap).trim_end());
    let drawn = (0..frame.height())
        .map(|line| join(examples.iter().map(|(image, _)| frame.line(image, line)).collect()));
    let slot = frame.slot();
    let labels = examples.iter().map(|(_, label)| format!("{label:^slot$}"));
    drawn.chain([join(labels.collect())]).collect()
}

/// The part of an image to draw.
struct Frame {
    columns: usize,
    across: Range<usize>,
    down: Range<usize>,
    scale: usize,
}

impl Frame {
    /// The smallest frame that loses no ink of any image.
    fn around(images: &[&[u8]], columns: usize) -> Self {
        let inked = || {
            images.iter().flat_map(|image| {
                let pixels = image.iter().enumerate();
                pixels.filter(|(_, ink)| **ink > 0).map(|(at, _)| at)
            })
        };
        let across = span(inked().map(|at| at % columns));
        let down = span(inked().map(|at| at / columns));
        let scale = across.len().div_ceil(WIDTH).max(1);
        Self { columns, across, down, scale }
    }

    fn width(&self) -> usize {
        self.across.len().div_ceil(self.scale)
    }

    /// The width an image takes with its label.
    fn slot(&self) -> usize {
        self.width().max(LABEL)
    }

    fn height(&self) -> usize {
        self.down.len().div_ceil(2 * self.scale)
    }

    /// One line of characters of an image.
    fn line(&self, image: &[u8], line: usize) -> String {
        let rows = cell(&self.down, line, 2 * self.scale);
        let drawn: String = (0..self.width())
            .map(|column| {
                let columns = cell(&self.across, column, self.scale);
                shade(self.mean(image, rows.clone(), columns))
            })
            .collect();
        format!("{drawn:^width$}", width = self.slot())
    }

    /// The mean ink of a cell, 0 to 255.
    fn mean(&self, image: &[u8], rows: Range<usize>, columns: Range<usize>) -> usize {
        let area = rows.len() * columns.len();
        let ink: usize = rows
            .flat_map(|row| &image[row * self.columns..][columns.clone()])
            .map(|&pixel| usize::from(pixel))
            .sum();
        ink / area.max(1)
    }
}

/// The range from the smallest to the largest, or one empty place if there is none.
fn span(mut places: impl Iterator<Item = usize>) -> Range<usize> {
    let Some(first) = places.next() else {
        return 0..1;
    };
    let (least, most) =
        places.fold((first, first), |(least, most), place| (least.min(place), most.max(place)));
    least..most + 1
}

/// The `index`-th piece of a range, shorter at its end.
fn cell(range: &Range<usize>, index: usize, size: usize) -> Range<usize> {
    let start = range.start + index * size;
    start..(start + size).min(range.end)
}

/// The character for a mean ink of 0 to 255.
fn shade(ink: usize) -> char {
    SHADES[ink * SHADES.len() / 256]
}
