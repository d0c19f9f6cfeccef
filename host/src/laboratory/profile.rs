//! Chips as data: formats, decays, limits, and what of the model they can hold.

use super::error::LabError;
use super::formats::{Formats, Numbers};
use super::table::effective;
use crate::model::Model;
use crate::report::table::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Profiles that come with the program, by name.
const BUILT_IN: [(&str, &str); 10] = [
    ("loihi", include_str!("../../../profiles/loihi.toml")),
    ("spinnaker", include_str!("../../../profiles/spinnaker.toml")),
    ("spinnaker-truncate", include_str!("../../../profiles/spinnaker-truncate.toml")),
    ("odin", include_str!("../../../profiles/odin.toml")),
    ("reckon", include_str!("../../../profiles/reckon.toml")),
    ("xylo", include_str!("../../../profiles/xylo.toml")),
    ("brainscales2", include_str!("../../../profiles/brainscales2.toml")),
    ("q15", include_str!("../../../profiles/q15.toml")),
    ("q7", include_str!("../../../profiles/q7.toml")),
    ("float", include_str!("../../../profiles/float.toml")),
];

/// A chip, or a way to calculate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name in flags; that of the file if left out.
    #[serde(default)]
    pub name: String,
    /// Name in texts.
    #[serde(default)]
    pub title: String,
    /// One line.
    #[serde(default)]
    pub summary: String,
    /// Whether it is the f64 reference, without formats.
    #[serde(default)]
    pub float: bool,
    /// How finely decays can be set.
    #[serde(default = "fine")]
    pub decay: String,
    /// Where the numbers are from.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Formats in the notation of the flags; what is left out is as in `wide`.
    #[serde(default)]
    pub formats: BTreeMap<String, String>,
    /// What of the model is exact, approximate, impossible.
    #[serde(default)]
    pub items: Vec<Item>,
    /// What must not be exceeded.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

fn fine() -> String {
    "fine".into()
}

/// A part of the chip or the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Which.
    pub what: String,
    /// How well the profile stands for the chip.
    pub status: Status,
    /// Why.
    pub note: String,
}

/// How well something is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As the chip does it.
    Exact,
    /// Not quite as the chip does it.
    Approximation,
    /// The chip cannot do it.
    #[serde(rename = "not possible")]
    NotPossible,
}

impl Status {
    /// The name used in reports and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximation => "approximation",
            Self::NotPossible => "not possible",
        }
    }
}

/// A limit of a chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Of what.
    pub what: String,
    /// The most there is.
    pub value: usize,
    /// Unit of the value.
    pub unit: String,
    /// What of the model it limits.
    pub need: Need,
    /// Where the number is from.
    pub source: String,
}

/// A number of a model that a chip may limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Inputs of the network.
    Inputs,
    /// Hidden neurons.
    Hidden,
    /// Outputs.
    Outputs,
    /// Neurons of all layers.
    Neurons,
    /// The same where they may be spread over cores.
    NeuronsSpread,
    /// Synapses of a neuron.
    FanIn,
    /// Compartments of a neuron.
    Compartments,
    /// Compartments of all neurons.
    CompartmentsTotal,
    /// The same where they may be spread over cores.
    CompartmentsSpread,
    /// Spikes of a unit in a step.
    Spikes,
    /// The model has nothing of the kind.
    None,
}

impl Need {
    /// How much of it a model needs.
    #[must_use]
    pub fn of(self, model: &Model) -> usize {
        let hidden: usize = model.hidden().iter().sum();
        // Hidden neurons have basal, apical, soma; outputs have no apical dendrite.
        let compartments = 3 * hidden + 2 * model.outputs();
        match self {
            Self::Inputs => model.sizes[0],
            Self::Hidden => hidden,
            Self::Outputs => model.outputs(),
            Self::Neurons | Self::NeuronsSpread => hidden + model.outputs(),
            Self::FanIn => model.sizes[..model.layers()].iter().copied().max().unwrap_or(0),
            Self::Compartments => 3,
            Self::CompartmentsTotal | Self::CompartmentsSpread => compartments,
            Self::Spikes => 3,
            Self::None => 0,
        }
    }

    const fn spread(self) -> bool {
        matches!(self, Self::NeuronsSpread | Self::CompartmentsSpread)
    }
}

impl Profile {
    /// The profiles that come with the program.
    ///
    /// # Panics
    /// Never: a test reads them all.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        BUILT_IN
            .iter()
            .map(|(_, text)| toml::from_str(text).expect("built-in profiles are well-formed"))
            .collect()
    }

    /// A profile by name, or from a file of that path.
    ///
    /// # Errors
    /// That there is neither, or what is wrong with the file.
    pub fn named(name: &str) -> Result<Self, LabError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return toml::from_str(text).map_err(|error| LabError::content(Path::new(name), error));
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let names: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            let why = format!("is none of native16, native8, wide, {}, nor a file", names.join(", "));
            return Err(LabError::syntax("profile", name, why));
        }
        let text = std::fs::read_to_string(path).map_err(LabError::file(path))?;
        let mut profile: Self = toml::from_str(&text).map_err(|error| LabError::content(path, error))?;
        if profile.name.is_empty() {
            profile.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        }
        if profile.title.is_empty() {
            profile.title.clone_from(&profile.name);
        }
        Ok(profile)
    }

    /// Its formats for a network of so many layers, checked.
    ///
    /// # Errors
    /// The first that the core cannot run.
    pub fn numbers(&self, layers: usize) -> Result<Numbers, LabError> {
        if self.float {
            return Ok(Numbers::Float);
        }
        let mut formats = Formats::wide(layers);
        formats.read(&self.decay, &self.formats)?;
        formats.check()?;
        Ok(Numbers::Integer(formats))
    }

    /// What fits and what does not, a line each.
    #[must_use]
    pub fn fits(&self, model: &Model) -> String {
        let mut text = String::new();
        for limit in &self.limits {
            let need = limit.need.of(model);
            let verdict = match need {
                need if need <= limit.value => "fits".into(),
                need if limit.need.spread() => format!("needs {} cores", need.div_ceil(limit.value.max(1))),
                _ => "DOES NOT FIT".to_owned(),
            };
            let _ = writeln!(
                text,
                "  {:<13} {}: {} of {} {} ({})",
                verdict, limit.what, need, limit.value, limit.unit, limit.source
            );
        }
        for item in &self.items {
            let _ = writeln!(text, "  {:<13} {}: {}", item.status.name(), item.what, item.note);
        }
        text
    }
}

/// All profiles that come with the program, a line of formats and one of words each.
#[must_use]
pub fn list() -> String {
    let head = ["profile", "weights", "states", "decays", "exact", "approximate", "not possible"];
    let mut table = Table::new(4, head);
    let profiles = Profile::built_in();
    for profile in &profiles {
        let count = |status| profile.items.iter().filter(|item| item.status == status).count().to_string();
        let format = |names: &[&str]| {
            let found = names.iter().find_map(|name| profile.formats.get(*name));
            found.map_or("f64", String::as_str).replace(":saturate", "")
        };
        let decay = if profile.float { "f64" } else { &profile.decay };
        table.row([
            profile.name.clone(),
            format(&["weights"]),
            format(&["states", "soma"]),
            decay.into(),
            count(Status::Exact),
            count(Status::Approximation),
            count(Status::NotPossible),
        ]);
    }
    let mut text = table.render() + "\n";
    for profile in &profiles {
        let _ = writeln!(text, "  {:<19} {}", profile.name, profile.summary);
    }
    text + "\n  weights, states: bits.fraction:rounding, saturating unless it says otherwise\n"
}

/// One profile: sources, effective formats of a model, what fits and what does not.
///
/// # Errors
/// That there is none of this name, or what is wrong with its file.
pub fn show(name: &str, model: &Model) -> Result<String, LabError> {
    let profile = Profile::named(name)?;
    let mut text = format!("{}: {}\n{}\n", profile.name, profile.title, profile.summary);
    for source in &profile.sources {
        let _ = writeln!(text, "  source: {source}");
    }
    text += &effective(model, &profile.numbers(model.layers())?);
    let _ = writeln!(text, "{} on {}", model.topology(), profile.title);
    Ok(text + &profile.fits(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_loads_and_has_formats_for_any_depth() {
        for profile in Profile::built_in() {
            for layers in 1..4 {
                profile.numbers(layers).unwrap_or_else(|error| panic!("{}: {error}", profile.name));
            }
            assert!(!profile.sources.is_empty() && !profile.items.is_empty(), "{}", profile.name);
        }
    }

    #[test]
    fn the_name_of_a_built_in_profile_is_that_of_its_file() {
        for ((name, _), profile) in BUILT_IN.iter().zip(Profile::built_in()) {
            assert_eq!(*name, profile.name);
        }
    }

    #[test]
    fn a_name_that_is_neither_profile_nor_file_lists_the_profiles() {
        let error = Profile::named("lohi").expect_err("there is no such chip").to_string();
        assert!(error.contains("loihi") && !error.contains('\n'), "{error}");
    }
}
