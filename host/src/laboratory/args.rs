//! Flags that the laboratory's commands share.

use super::error::LabError;
use super::formats::Numbers;
use super::notation::{Change, decay};
use crate::model::Model;
use apical_core::parameters::Preset;
use apical_core::tables::psp::Kernel;
use std::path::PathBuf;

/// The network.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelArgs {
    /// Units of each hidden layer, none for a single layer
    #[arg(long, value_delimiter = ',', default_value = "100", value_name = "UNITS")]
    pub hidden: Vec<usize>,
    /// η of every layer, or one for each, output last
    #[arg(long, value_delimiter = ',', default_value = "0.21", value_name = "RATE")]
    pub learning_rate: Vec<f64>,
    /// Synaptic kernel: scaled, cut or paper
    #[arg(long, default_value = "scaled", value_parser = kernel)]
    pub kernel: Kernel,
    /// Initial weights: paper or 2017-05
    #[arg(long, default_value = "2017-05", value_parser = preset)]
    pub preset: Preset,
    /// Directory of the four IDX files
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
}

/// Its formats.
#[derive(Debug, Clone, clap::Args)]
pub struct FormatArgs {
    /// Formats to start from: native16, native8, wide, float, a profile or a profile's file
    #[arg(long, default_value = "native16", value_name = "NAME")]
    pub formats: String,
    /// Change of a format, such as weight@output=8.3:stochastic:saturate (repeatable)
    #[arg(long = "format", value_name = "VAR[@LAYER]=FORMAT")]
    pub changes: Vec<Change>,
    /// How finely decays can be set: fine, bits:N or shift
    #[arg(long)]
    pub decay: Option<String>,
}

/// A kernel by its name.
pub fn kernel(name: &str) -> Result<Kernel, LabError> {
    match name {
        "scaled" => Ok(Kernel::Scaled),
        "cut" => Ok(Kernel::Cut),
        "paper" => Ok(Kernel::Paper),
        _ => Err(LabError::syntax("kernel", name, "is none of scaled, cut, paper")),
    }
}

/// Initial weights by name.
pub fn preset(name: &str) -> Result<Preset, LabError> {
    match name {
        "paper" => Ok(Preset::Paper),
        "2017-05" => Ok(Preset::May2017),
        _ => Err(LabError::syntax("preset", name, "is neither paper nor 2017-05")),
    }
}

impl ModelArgs {
    /// The model for images of so many pixels and so many classes.
    pub fn model(&self, pixels: usize, classes: usize, seed: u64) -> Result<Model, LabError> {
        let sizes: Vec<usize> = [pixels].into_iter().chain(self.hidden.iter().copied()).chain([classes]).collect();
        let learning_rates = spread(&self.learning_rate, sizes.len() - 1)?;
        Ok(Model { sizes, kernel: self.kernel, preset: self.preset, learning_rates, seed })
    }
}

/// One learning rate for each layer.
pub(super) fn spread(rates: &[f64], layers: usize) -> Result<Vec<f64>, LabError> {
    match rates {
        [rate] => Ok(vec![*rate; layers]),
        rates if rates.len() == layers => Ok(rates.to_vec()),
        rates => {
            let text = format!("{rates:?}");
            Err(LabError::syntax("learning rate", &text, format!("there are {layers} layers: give one or {layers}")))
        }
    }
}

impl FormatArgs {
    /// The formats for a network of so many layers, checked.
    pub fn numbers(&self, layers: usize) -> Result<Numbers, LabError> {
        let mut numbers = Numbers::named(&self.formats, layers)?;
        let Numbers::Integer(formats) = &mut numbers else {
            return match self.changes.first() {
                None => Ok(numbers),
                Some(change) => Err(LabError::syntax("format", &change.target.to_string(), "float has no formats to change")),
            };
        };
        if let Some(text) = &self.decay {
            formats.decay = decay(text)?;
        }
        self.changes.iter().try_for_each(|change| formats.apply(change))?;
        formats.check()?;
        Ok(numbers)
    }
}
