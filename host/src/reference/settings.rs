//! What a network is made with.

use serde::{Deserialize, Serialize};

pub use apical_core::tables::psp::Kernel;

/// Everything that decides a run, but for the data.
///
/// # Examples
/// ```
/// use apical::reference::Settings;
/// let settings = Settings::new(&[784, 500, 10], 1);
/// assert_eq!(settings.learning_rates, [0.21, 0.21]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Inputs, hidden units of each layer, outputs.
    pub sizes: Vec<usize>,
    /// The postsynaptic potential's kernel.
    #[serde(with = "KernelName")]
    pub kernel: Kernel,
    /// How initial weights are made.
    pub preset: Preset,
    /// η of each layer, first hidden first, output last.
    pub learning_rates: Vec<f64>,
    /// Seed of every stream.
    pub seed: u64,
    /// Where uniform numbers come from.
    #[serde(default)]
    pub draws: Draws,
}

/// How initial weights are made (eLife 2017, methods; both of the authors' programs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The program that made the headline figures, until May 2017.
    Paper,
    /// The program as last published: twice the spread.
    #[serde(rename = "2017-05")]
    May2017,
}

/// Where the uniform numbers of the spikes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draws {
    /// The circle of 4096 numbers that the core reads, from the same offsets.
    #[default]
    Shared,
    /// 53 bits drawn for each unit and step from the same streams: two `u32` each.
    Fresh,
}

/// Names of [`Kernel`] in files.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Kernel", rename_all = "kebab-case")]
enum KernelName {
    Scaled,
    Cut,
    Paper,
}

/// What is wrong with settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Less than inputs and outputs, more than 255 layers, or a layer of no units.
    #[error("sizes: need inputs and outputs, none of them 0, and at most 255 layers")]
    Sizes,
    /// Not one learning rate for each layer, or one that is not a finite number.
    #[error("learning rates: need one finite number for each layer after the input")]
    LearningRates,
}

impl Settings {
    /// The paper's learning rate in every layer, the core's default kernel, the preset
    /// `2017-05`.
    #[must_use]
    pub fn new(sizes: &[usize], seed: u64) -> Self {
        Self {
            sizes: sizes.to_vec(),
            kernel: Kernel::Scaled,
            preset: Preset::May2017,
            learning_rates: vec![0.21; sizes.len().saturating_sub(1)],
            seed,
            draws: Draws::Shared,
        }
    }

    /// Layers after the input.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.sizes.len().saturating_sub(1)
    }

    /// # Errors
    /// The first setting that makes no network.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(2..=256).contains(&self.sizes.len()) || self.sizes.contains(&0) {
            return Err(SettingsError::Sizes);
        }
        let rates = &self.learning_rates;
        if rates.len() != self.layers() || !rates.iter().all(|rate| rate.is_finite()) {
            return Err(SettingsError::LearningRates);
        }
        Ok(())
    }
}
