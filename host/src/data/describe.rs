//! A data set as a page of text: what `apical data` prints.

use super::{Dataset, Split, draw};

/// Describes a data set: where it is, its sizes, its balance, its ink, its hash, and the first
/// `digits` training images drawn in characters.
///
/// No line is longer than 100 characters unless the name of the directory is.
pub fn describe(dataset: &Dataset, digits: usize) -> String {
    let mut parts = vec![heading(dataset), splits(dataset), balance(dataset)];
    if digits > 0 {
        parts.push(samples(&dataset.train, digits));
    }
    parts.join("\n")
}

fn heading(dataset: &Dataset) -> String {
    format!(
        "directory  {}\nsha256     {}\nimages     {} rows x {} columns, one byte a pixel\nclasses    {}\n",
        dataset.directory.display(),
        dataset.sha256,
        dataset.train.rows,
        dataset.train.columns,
        dataset.classes,
    )
}

/// A table of the two splits and how much ink is in them; a pixel is active above 0.
fn splits(dataset: &Dataset) -> String {
    let head = format!(
        "{:<5}  {:>8}  {:>25}  {:>26}\n",
        "split", "images", "mean intensity", "active pixels per image"
    );
    head + &split("train", &dataset.train) + &split("test", &dataset.test)
}

fn split(name: &str, split: &Split) -> String {
    let total = split.images.len();
    let ink: u64 = split.images.iter().map(|&pixel| u64::from(pixel)).sum();
    let active = split.images.iter().filter(|&&pixel| pixel > 0).count();
    let intensity = ratio(ink, total);
    format!(
        "{name:<5}  {:>8}  {:>25}  {:>26}\n",
        split.len(),
        format!("{intensity:.2} of 255 ({:.2} %)", intensity / 2.55),
        format!(
            "{:.2} of {} ({:.2} %)",
            ratio(active as u64, split.len()),
            split.pixels(),
            100.0 * ratio(active as u64, total)
        ),
    )
}

/// A table of the classes, with a bar as long as the class is large in training.
fn balance(dataset: &Dataset) -> String {
    let [train, test] = [&dataset.train, &dataset.test].map(Split::label_counts);
    let largest = train.iter().copied().max().unwrap_or(0);
    let mut table = format!("class  {:>8}  {:>6}  {:>8}  {:>6}\n", "train", "%", "test", "%");
    for (class, (&train, &test)) in train.iter().zip(&test).enumerate().take(dataset.classes) {
        table += &format!(
            "{class:>5}  {train:>8}  {:>6.2}  {test:>8}  {:>6.2}  {}\n",
            100.0 * ratio(train as u64, dataset.train.len()),
            100.0 * ratio(test as u64, dataset.test.len()),
            "▇".repeat((BAR as f64 * ratio(train as u64, largest)).round() as usize),
        );
    }
    table
}

/// The length of the longest bar, in characters.
const BAR: usize = 40;

/// The first images of a split, drawn.
fn samples(split: &Split, digits: usize) -> String {
    let shown = digits.min(split.len());
    let examples: Vec<_> = split.iter().take(shown).collect();
    format!("the first {shown} of train\n\n{}", draw::gallery(&examples, split.columns))
}

/// A quotient that is 0 where there is nothing to divide by.
fn ratio(part: u64, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
