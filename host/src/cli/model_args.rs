//! Options that say which network.

use crate::data::Dataset;
use crate::experiment::manifest::{kernel_name, preset_name};
use crate::experiment::plan::rates_of;
use crate::experiment::{Plan, PlanError};
use crate::learner::Width;
use crate::model::Model;
use apical_core::parameters::Preset;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// The network.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct ModelArgs {
    /// Sizes of the hidden layers, lowest first; empty for none
    #[arg(long, value_name = "SIZES", default_value = "100", value_parser = sizes)]
    pub hidden: Sizes,

    /// Initial weights: of the paper's figures, or of the program as last published
    #[arg(long, value_name = "NAME", default_value = "2017-05", value_parser = presets())]
    pub preset: Preset,

    /// Synaptic kernel: area 0.51; cut after ten steps (area 0.51); area 1
    #[arg(long, value_name = "NAME", default_value = "scaled", value_parser = kernels())]
    pub kernel: Kernel,

    /// Learning rate η, one or one for each layer (hidden first)
    #[arg(
        long,
        value_name = "RATES",
        default_value = "0.21",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub rate: Vec<f64>,

    /// Bits of the core's weights, 16 or 8, or of the hidden layers' and the output layer's: 8,16;
    /// and how many of them are behind the binary point, if not 8 in 16 bits, and in 8 bits 4 in
    /// hidden layers and 3 in the output layer: 8:4,4 or 8:4,16:8; after a slash how many of an
    /// error's are, if not 14: 8:4,4/5, which is how 8 bits in every layer learn best
    #[arg(long, value_name = "BITS", default_value = "16")]
    pub weights: Width,

    /// Rounding of the core's weight updates
    #[arg(long, value_name = "MODE", default_value = "stochastic", value_parser = roundings())]
    pub rounding: Rounding,
}

/// Sizes of hidden layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes(pub Vec<usize>);

fn sizes(text: &str) -> Result<Sizes, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty() || text.contains(','));
    let size = |part: &str| part.parse().map_err(|_| format!("{part:?} is no number of neurons"));
    parts.map(size).collect::<Result<_, _>>().map(Sizes)
}

/// A parser of names, each standing for one of `values`.
fn named<T, const N: usize>(values: [T; N], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = PossibleValuesParser::new(values.map(name));
    names.map(move |chosen| values.into_iter().find(|&value| name(value) == chosen).unwrap_or(values[0]))
}

fn presets() -> impl TypedValueParser<Value = Preset> {
    named([Preset::Paper, Preset::May2017], preset_name)
}

fn kernels() -> impl TypedValueParser<Value = Kernel> {
    named([Kernel::Scaled, Kernel::Cut, Kernel::Paper], kernel_name)
}

fn roundings() -> impl TypedValueParser<Value = Rounding> {
    named(Rounding::ALL, Rounding::name)
}

impl ModelArgs {
    /// A plan with this network, for the images and labels of a data set; what is run with it
    /// is to be filled in.
    #[must_use]
    pub fn plan(&self, dataset: &Dataset) -> Plan {
        Plan {
            examples: dataset.train.len(),
            test_images: dataset.test.len(),
            ..self.network(dataset.train.pixels(), dataset.classes)
        }
    }

    /// The network for MNIST, where no images are at hand.
    ///
    /// # Errors
    /// Sizes or rates that are not possible.
    pub fn mnist(&self) -> Result<Model, PlanError> {
        let plan = self.network(28 * 28, 10);
        plan.check_network()?;
        Ok(plan.model(1))
    }

    fn network(&self, pixels: usize, classes: usize) -> Plan {
        let mut sizes = vec![pixels];
        sizes.extend(&self.hidden.0);
        sizes.push(classes);
        let learning_rates = rates_of(&self.rate, sizes.len() - 1);
        Plan {
            sizes,
            kernel: self.kernel,
            preset: self.preset,
            learning_rates,
            width: self.weights,
            rounding: self.rounding,
            seeds: vec![1],
            examples: 0,
            epochs: 1,
            test_steps: 250,
            test_images: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_list_that_may_be_empty() {
        assert_eq!(sizes("300,80"), Ok(Sizes(vec![300, 80])));
        assert_eq!(sizes(""), Ok(Sizes(vec![])));
        assert!(sizes("300,").is_err());
        assert!(sizes("-3").is_err());
    }
}
