//! Where a number came from.

use crate::data::Dataset;
use crate::learner::Width;
use crate::vector::Path;
use apical_core::parameters::Preset;
use apical_core::tables::psp::Kernel;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::plan::Plan;

/// Everything needed to get the same numbers again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Manifest {
    /// `apical`'s version.
    pub version: &'static str,
    /// The commit it was built from, if git was there to tell.
    pub commit: Option<&'static str>,
    /// Instructions that ran the core's kernels.
    pub instructions: &'static str,
    /// The command line, program name apart.
    pub command: String,
    /// When it was begun, UTC.
    pub date: String,
    /// The data.
    pub data: Data,
    /// Sizes joined by `-`.
    pub topology: String,
    /// Synaptic kernel.
    pub kernel: &'static str,
    /// Initial weights.
    pub preset: &'static str,
    /// η of each layer, the output layer last.
    pub learning_rates: Vec<f64>,
    /// Formats of the core.
    pub formats: Formats,
    /// Rounding of the core's weight updates; all else rounds to nearest.
    pub rounding: &'static str,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Training examples an epoch.
    pub examples: usize,
    /// Epochs.
    pub epochs: usize,
    /// Steps of a test.
    pub test_steps: u32,
    /// Test images.
    pub test_images: usize,
    /// Threads.
    pub jobs: usize,
}

/// A data set, by its sizes and checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Last part of its directory's name.
    pub name: String,
    /// SHA-256 of its decoded files.
    pub sha256: String,
    /// Training examples there are.
    pub train: usize,
    /// Test examples there are.
    pub test: usize,
}

/// Bits and fraction bits of each variable of the core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Formats {
    /// Bits of feed-forward and feedback weights.
    pub weight_bits: Bits,
    /// Fraction bits of each layer's weights.
    pub weight_fractions: Vec<i8>,
    /// Bits of everything else.
    pub state_bits: u32,
    /// Fraction bits of the PSP filters.
    pub filter_fraction: u8,
    /// … of basal drive, soma, apical mean and bias.
    pub potential_fraction: u8,
    /// … of rate, plateau and mean PSP.
    pub fraction_fraction: u8,
    /// … of ΔW.
    pub change_fraction: u8,
    /// … of errors.
    pub error_fraction: u8,
}

/// Bits of the weights of each layer: a number where all have the same, else a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bits {
    /// Of every layer.
    All(u32),
    /// Layer by layer, the output layer last.
    Each(Vec<u32>),
}

impl Bits {
    /// Of these layers.
    pub fn of(layers: impl Iterator<Item = u32>) -> Self {
        let each: Vec<u32> = layers.collect();
        match each.as_slice() {
            [first, rest @ ..] if rest.iter().all(|bits| bits == first) => Self::All(*first),
            _ => Self::Each(each),
        }
    }

    /// Of one layer; none in a layer that there is not.
    #[must_use]
    pub fn layer(&self, number: usize) -> u32 {
        match self {
            Self::All(bits) => *bits,
            Self::Each(each) => each.get(number).copied().unwrap_or(0),
        }
    }
}

impl fmt::Display for Bits {
    /// `8-bit`, or `8- and 16-bit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(bits) => write!(f, "{bits}-bit"),
            Self::Each(each) => {
                let (last, rest) = each.split_last().unwrap_or((&0, &[]));
                let rest: Vec<String> = rest.iter().map(|bits| format!("{bits}-")).collect();
                write!(f, "{} and {last}-bit", rest.join(", "))
            }
        }
    }
}

impl Formats {
    fn new(width: Width, layers: usize) -> Self {
        Self {
            weight_bits: Bits::of(width.each(layers).map(|format| format.bits.into())),
            weight_fractions: width.each(layers).map(|format| format.fraction).collect(),
            state_bits: 16,
            filter_fraction: 7,
            potential_fraction: 8,
            fraction_fraction: 15,
            change_fraction: 14,
            error_fraction: width.errors(),
        }
    }
}

impl Manifest {
    /// The manifest of a plan on a data set.
    #[must_use]
    pub fn new(plan: &Plan, dataset: &Dataset) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("APICAL_COMMIT"),
            instructions: Path::best().name(),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            date: now(),
            data: Data {
                name: dataset.directory.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                sha256: dataset.sha256.clone(),
                train: dataset.train.len(),
                test: dataset.test.len(),
            },
            topology: plan.model(0).topology(),
            kernel: kernel_name(plan.kernel),
            preset: preset_name(plan.preset),
            learning_rates: plan.learning_rates.clone(),
            formats: Formats::new(plan.width, plan.sizes.len() - 1),
            rounding: plan.rounding.name(),
            seeds: plan.seeds.clone(),
            examples: plan.examples,
            epochs: plan.epochs,
            test_steps: plan.test_steps,
            test_images: plan.test_images,
            jobs: rayon::current_num_threads(),
        }
    }
}

/// The name of a kernel in files and flags.
#[must_use]
pub const fn kernel_name(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Scaled => "scaled",
        Kernel::Cut => "cut",
        Kernel::Paper => "paper",
    }
}

/// The name of a preset in files and flags.
#[must_use]
pub const fn preset_name(preset: Preset) -> &'static str {
    match preset {
        Preset::Paper => "paper",
        Preset::May2017 => "2017-05",
    }
}

fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    utc(seconds)
}

/// Seconds since 1970 as ISO 8601. The calendar is that of H. Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400.
fn utc(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_767_225_599), "2025-12-31T23:59:59Z");
    }
}
