//! Options that say which formats.

use crate::laboratory::LabError;
use crate::laboratory::formats::{Base, Numbers, Request};
use crate::laboratory::notation::{Change, decay};
use crate::laboratory::profile::Profile;
use apical_core::emulated::Decay;

use super::model_args::ModelArgs;

/// Formats chosen at run time.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Formats")]
pub struct FormatArgs {
    /// Formats to start from: a chip (`apical profiles` lists them), a TOML file, native16,
    /// native8 or wide
    #[arg(long, value_name = "NAME", conflicts_with_all = ["weights", "rounding"])]
    pub profile: Option<String>,

    /// Format of a variable, such as soma=12.6, weight@output=8.3:stochastic:saturate (repeatable)
    #[arg(long, value_name = "VAR[@LAYER]=BITS.FRACTION[:ROUNDING[:OVERFLOW]]")]
    pub format: Vec<Change>,

    /// How finely decays can be set: fine, bits:N or shift
    #[arg(long, value_name = "HOW", value_parser = decay)]
    pub decay: Option<Decay>,
}

impl FormatArgs {
    /// Whether any of them was given.
    #[must_use]
    pub fn given(&self) -> bool {
        self.profile.is_some() || !self.format.is_empty() || self.decay.is_some()
    }

    /// What they ask for, starting from the compiled-in formats if they name no other.
    #[must_use]
    pub fn request(&self, model: &ModelArgs) -> Request {
        let native = || Base::Native(model.weights, model.rounding);
        let base = self.profile.clone().map_or_else(native, Base::Named);
        Request { base, changes: self.format.clone(), decay: self.decay }
    }

    /// The formats for so many layers, and the chip whose they are.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn numbers(
        &self,
        model: &ModelArgs,
        layers: usize,
    ) -> Result<(String, Numbers, Option<Profile>), LabError> {
        let request = self.request(model);
        let numbers = request.numbers(layers)?;
        let presets = ["native16", "native8", "wide"];
        let chip = self.profile.as_deref().filter(|name| !presets.contains(name));
        let profile = chip.map(Profile::named).transpose()?;
        let mut name = profile.as_ref().map_or_else(|| request.base.name(), |profile| profile.name.clone());
        if !self.format.is_empty() || self.decay.is_some() {
            name += ", changed";
        }
        Ok((name, numbers, profile))
    }
}
