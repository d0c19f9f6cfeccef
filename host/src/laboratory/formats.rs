//! The formats of a whole network: a table for each layer, and how finely decays are set.

use super::error::LabError;
use super::notation::{Change, Layers, Notation, Target, decay, decay_name};
use super::profile::Profile;
use crate::learner::Width;
use crate::model::Model;
use apical_core::emulated::{Decay, EmulatedCoefficients, Table, fits_container};
use apical_core::formats::{Format, Variable};
use apical_core::rounding::Rounding;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Formats of every variable of every layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Formats {
    /// A table a layer, the output layer last.
    pub tables: Vec<Table>,
    /// How finely decays can be set.
    pub decay: Decay,
}

/// What a network is calculated with.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// The f64 reference.
    Float,
    /// The integer core in these formats.
    Integer(Formats),
}

/// Formats as they are asked for: where to start, and what to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Where to start.
    pub base: Base,
    /// What to change, in this order.
    pub changes: Vec<Change>,
    /// How finely decays can be set, if not as the base has it.
    pub decay: Option<Decay>,
}

/// Formats to start from.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    /// The compiled-in ones, with weights of a width and a rounding of their updates.
    Native(Width, Rounding),
    /// `native16`, `native8`, `wide`, a profile, or a file with one.
    Named(String),
}

impl Base {
    /// The name used in reports and files.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Native(width, rounding) => format!("native{width} {}", rounding.name()),
            Self::Named(name) => name.clone(),
        }
    }

    fn numbers(&self, layers: usize) -> Result<Numbers, LabError> {
        match self {
            Self::Native(width, rounding) => Ok(Numbers::Integer(Formats::native(*width, *rounding, layers))),
            Self::Named(name) => Numbers::named(name, layers),
        }
    }
}

impl Request {
    /// The formats for a network of so many layers, checked.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn numbers(&self, layers: usize) -> Result<Numbers, LabError> {
        let mut numbers = self.base.numbers(layers)?;
        let Numbers::Integer(formats) = &mut numbers else {
            return match self.changes.first() {
                None => Ok(numbers),
                Some(change) => {
                    let target = change.target.to_string();
                    Err(LabError::syntax("format", &target, "float has no formats to change"))
                }
            };
        };
        formats.decay = self.decay.unwrap_or(formats.decay);
        self.changes.iter().try_for_each(|change| formats.apply(change))?;
        formats.check()?;
        Ok(numbers)
    }
}

impl Numbers {
    /// `native16`, `native8`, `wide`, `float`, a profile or a profile's file, by name.
    ///
    /// # Errors
    /// That there is none of this name, or what is wrong with its file.
    pub fn named(name: &str, layers: usize) -> Result<Self, LabError> {
        let native = |width| Formats::native(width, Rounding::Stochastic, layers);
        match name {
            "native16" => Ok(Self::Integer(native(Width::SIXTEEN))),
            "native8" => Ok(Self::Integer(native(Width::EIGHT))),
            "wide" => Ok(Self::Integer(Formats::wide(layers))),
            _ => Profile::named(name)?.numbers(layers),
        }
    }

    /// For a manifest.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Float => json!("float"),
            Self::Integer(formats) => {
                json!({ "decay": decay_name(formats.decay), "formats": formats.notation() })
            }
        }
    }
}

impl Formats {
    /// The compiled-in formats.
    #[must_use]
    pub fn native(width: Width, updates: Rounding, layers: usize) -> Self {
        let table =
            |format: Format| Table::native(format.bits, format.fraction, updates).with_errors(width.errors());
        Self { tables: width.each(layers).map(table).collect(), decay: Decay::Fine }
    }

    /// The widest that the core has.
    #[must_use]
    pub fn wide(layers: usize) -> Self {
        let mut formats = Self { tables: vec![Table::wide(); layers], decay: Decay::Fine };
        formats.align();
        formats
    }

    /// Applies a change to the layers it is for.
    ///
    /// # Errors
    /// A layer that there is not.
    pub fn apply(&mut self, change: &Change) -> Result<(), LabError> {
        let count = self.tables.len();
        if let Layers::Number(n) = change.target.layers
            && n >= count
        {
            let why = format!("there are {count} layers, counted from 0");
            return Err(LabError::syntax("layer", &n.to_string(), why));
        }
        for (number, table) in self.tables.iter_mut().enumerate() {
            if change.target.layers.contains(number, count) {
                for &variable in &change.target.variables {
                    let line = table.of_mut(variable);
                    *line = change.notation.apply(line);
                }
            }
        }
        self.align();
        Ok(())
    }

    /// Sets the width of variables, with their range as it was; that of an accumulator, whose
    /// binary point is not free, with its step as it was.
    ///
    /// # Errors
    /// A layer that there is not.
    pub fn set_bits(&mut self, target: &Target, bits: u8) -> Result<(), LabError> {
        self.each(target, |variable, format| match variable {
            Variable::Accumulator => Format::new(bits, format.fraction),
            _ => Format::new(bits, format.fraction + (bits as i8 - format.bits as i8)),
        })
    }

    /// Sets the binary point of variables.
    ///
    /// # Errors
    /// A layer that there is not.
    pub fn set_fraction(&mut self, target: &Target, fraction: i8) -> Result<(), LabError> {
        self.each(target, |_, format| Format::new(format.bits, fraction))
    }

    /// Sets the range of variables to ±2^range, with their width as it was.
    ///
    /// # Errors
    /// A layer that there is not.
    pub fn set_range(&mut self, target: &Target, range: i8) -> Result<(), LabError> {
        self.each(target, |_, format| Format::new(format.bits, format.bits as i8 - 1 - range))
    }

    fn each(&mut self, target: &Target, new: impl Fn(Variable, Format) -> Format) -> Result<(), LabError> {
        let count = self.tables.len();
        for number in 0..count {
            if !target.layers.contains(number, count) {
                continue;
            }
            for &variable in &target.variables {
                let format = new(variable, self.tables[number].of(variable).format);
                let target = Target {
                    name: variable.name().into(),
                    variables: vec![variable],
                    layers: Layers::Number(number),
                };
                self.apply(&Change {
                    target,
                    notation: Notation { format: Some(format), ..Notation::default() },
                })?;
            }
        }
        Ok(())
    }

    /// An accumulator has the binary point of the weights it adds: moves it there, and keeps
    /// its range as far as 32 bits go.
    pub(super) fn align(&mut self) {
        for table in &mut self.tables {
            let fraction = table.of(Variable::Weight).format.fraction;
            let sum = table.of_mut(Variable::Accumulator);
            let Format { bits, fraction: old } = sum.format;
            if old != fraction {
                let bits = (i16::from(bits) + i16::from(fraction) - i16::from(old)).clamp(2, 32);
                *sum = sum.with_format(bits as u8, fraction);
            }
        }
    }

    /// `hidden0`, …, `output`.
    #[must_use]
    pub fn layer_name(&self, number: usize) -> String {
        if number + 1 == self.tables.len() { "output".into() } else { format!("hidden{number}") }
    }

    /// The coefficients of a layer of a network in these formats.
    #[must_use]
    pub fn coefficients(&self, model: &Model, number: usize) -> EmulatedCoefficients {
        model.emulated(number, self.tables[number], self.decay).coefficients()
    }

    /// Whether the core can run these formats.
    ///
    /// # Errors
    /// The first that it cannot.
    pub fn check(&self) -> Result<(), LabError> {
        for (number, table) in self.tables.iter().enumerate() {
            for variable in Variable::ALL {
                let line = table.of(variable);
                let wrong = |why: String| {
                    Err(LabError::Format { variable: variable.name(), layer: self.layer_name(number), why })
                };
                let Format { bits, fraction } = line.format;
                if !fits_container(variable, line.format) {
                    let most = if fits_container(variable, Format::new(17, 0)) { 32 } else { 16 };
                    return wrong(format!("{bits} bits, but 2 to {most} are possible"));
                }
                if !(-16..=30).contains(&fraction) {
                    return wrong(format!("{fraction} fraction bits, but −16 to 30 are possible"));
                }
                if matches!(variable, Variable::Rate | Variable::Plateau | Variable::Psp) && fraction < 1 {
                    return wrong(format!("is below one and needs a fraction bit, has {fraction}"));
                }
                if line.highest > line.format.largest() || line.lowest < line.format.smallest() {
                    return wrong(format!("limit {} is beyond {bits} bits", line.highest));
                }
            }
        }
        Ok(())
    }

    /// All formats in the notation of the flags, `weight` → `16.8:stochastic:saturate`;
    /// what the output layer has otherwise as `weight@output`, and where hidden layers
    /// differ, each by its number.
    #[must_use]
    pub fn notation(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let Some((output, hidden)) = self.tables.split_last() else { return all };
        for variable in Variable::ALL {
            let text = |table: &Table| Notation::of(table.of(variable)).to_string();
            let (name, last) = (variable.name(), text(output));
            let first = hidden.first().map_or(last.clone(), text);
            if hidden.iter().any(|table| text(table) != first) {
                let layers = self.tables.iter().enumerate();
                all.extend(layers.map(|(number, table)| (format!("{name}@{number}"), text(table))));
                continue;
            }
            if last != first {
                all.insert(format!("{name}@output"), last);
            }
            all.insert(name.to_owned(), first);
        }
        all
    }

    /// Applies a file's decay and changes: those for all layers first, then those for
    /// hidden or output layers, then those for one layer; in each, groups before variables.
    pub(super) fn read(
        &mut self,
        decay_text: &str,
        changes: &BTreeMap<String, String>,
    ) -> Result<(), LabError> {
        self.decay = decay(decay_text)?;
        let parsed: Result<Vec<Change>, LabError> = changes
            .iter()
            .map(|(target, format)| Ok(Change { target: target.parse()?, notation: format.parse()? }))
            .collect();
        let mut parsed = parsed?;
        parsed.sort_by_key(|change| (change.target.layers, std::cmp::Reverse(change.target.variables.len())));
        parsed.iter().try_for_each(|change| self.apply(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Formats {
        let mut formats = Formats::native(Width::SIXTEEN, Rounding::Stochastic, 2);
        for change in changes {
            formats.apply(&change.parse().expect("a change")).expect("layers that there are");
        }
        formats
    }

    #[test]
    fn the_accumulator_follows_the_weights_binary_point_and_keeps_its_range() {
        let formats = changed(&["weight@hidden=16.12", "weight@output=8.3"]);
        let sum = |layer: usize| formats.tables[layer].of(Variable::Accumulator).format;
        // ±128 both.
        assert_eq!((sum(0), sum(1)), (Format::new(20, 12), Format::new(11, 3)));
    }

    #[test]
    fn a_width_keeps_the_range_and_a_range_keeps_the_width() {
        let mut formats = changed(&[]);
        formats.set_bits(&"soma".parse().expect("a target"), 12).expect("a width");
        assert_eq!(formats.tables[0].of(Variable::Soma).format, Format::new(12, 5));
        formats.set_range(&"soma".parse().expect("a target"), 4).expect("a range");
        assert_eq!(formats.tables[0].of(Variable::Soma).format, Format::new(12, 7));
        formats.set_bits(&"accumulator".parse().expect("a target"), 12).expect("a width");
        assert_eq!(formats.tables[0].of(Variable::Accumulator).format, Format::new(12, 8));
    }

    #[test]
    fn what_is_written_down_reads_back() {
        let formats = changed(&["soma=12.5:floor:wrap", "weight@output=8.3", "psp@0=9.8"]);
        let mut read = Formats::wide(2);
        read.read("fine", &formats.notation()).expect("its own notation");
        assert_eq!(read, formats);
    }
}
