//! A grid of networks: what is swept, and the cells it consists of.

use super::axis::{Axis, Field, Knob, eta, hidden, number};
use crate::data::Dataset;
use crate::laboratory::args;
use crate::laboratory::cell::Cell;
use crate::laboratory::error::LabError;
use crate::laboratory::formats::{Formats, Numbers};
use crate::laboratory::notation::{Change, Layers, Target, decay, decay_name, overflow, rounding};
use crate::model::Model;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A sweep, as a TOML file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spec {
    /// Axes, the first changing slowest.
    pub axes: Vec<String>,
    /// Seeds of each cell.
    pub seeds: Vec<u64>,
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// η, one or one for each layer.
    pub learning_rate: Vec<f64>,
    /// Synaptic kernel.
    pub kernel: String,
    /// Initial weights.
    pub preset: String,
    /// Formats to start from.
    pub formats: String,
    /// Changes of them.
    pub format: Vec<String>,
    /// How finely decays are set; as the formats say if left out.
    pub decay: Option<String>,
    /// Training examples of a cell.
    pub examples: usize,
    /// Steps of a test.
    pub test_steps: u32,
    /// Test images.
    pub test_images: usize,
    /// Whether losses are counted.
    pub counters: bool,
    /// Whether the f64 reference is run beside, once for each size, rate and seed.
    pub reference: bool,
    /// Axes of which only the best value is run, chosen by the error in training.
    pub best: Vec<String>,
    /// Training examples of a cell that helps to choose.
    pub pilot_examples: usize,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            axes: Vec::new(),
            seeds: vec![1, 2, 3],
            hidden: vec![100],
            learning_rate: vec![0.21],
            kernel: "scaled".into(),
            preset: "2017-05".into(),
            formats: "native16".into(),
            format: Vec::new(),
            decay: None,
            examples: 60_000,
            test_steps: 250,
            test_images: 10_000,
            counters: false,
            reference: false,
            best: Vec::new(),
            pilot_examples: 10_000,
        }
    }
}

/// Why a cell is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To choose the best values.
    Pilot,
    /// The f64 reference.
    Float,
    /// For its own sake.
    Cell,
}

impl Stage {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pilot => "pilot",
            Self::Float => "float",
            Self::Cell => "cell",
        }
    }
}

/// A cell of the grid and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Why it is run.
    pub stage: Stage,
    /// A value for each axis; empty where a reference has none.
    pub values: Vec<String>,
    /// What to run.
    pub cell: Cell,
    /// Name of everything that decides its outcome.
    pub key: String,
}

/// A sweep, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// As it was asked for.
    pub spec: Spec,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// Whether only the best value of an axis is run.
    pub best: Vec<bool>,
}

impl Grid {
    /// Checks a sweep against the data.
    pub fn new(spec: Spec, data: &Dataset) -> Result<Self, LabError> {
        let axes: Vec<Axis> = spec.axes.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        for (n, axis) in axes.iter().enumerate() {
            if axes[..n].iter().any(|other| other.name == axis.name) {
                return Err(LabError::syntax("axis", &axis.name, "is given twice"));
            }
        }
        if let Some(name) = spec.best.iter().find(|name| !axes.iter().any(|axis| axis.name == **name)) {
            return Err(LabError::syntax("best", name, "is no axis of this grid"));
        }
        let counts = [("examples", spec.examples), ("seeds", spec.seeds.len()), ("test steps", spec.test_steps as usize), ("test images", spec.test_images)];
        if let Some((what, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(LabError::syntax("sweep", what, "must not be 0"));
        }
        if spec.test_images > data.test.len() {
            let why = format!("there are {} test images", data.test.len());
            return Err(LabError::syntax("test images", &spec.test_images.to_string(), why));
        }
        let best = axes.iter().map(|axis| spec.best.contains(&axis.name)).collect();
        Ok(Self { spec, axes, best })
    }

    /// Every combination of values, the last axis changing fastest; axes of which the best
    /// is chosen have their first value alone unless `all`.
    #[must_use]
    pub fn combinations(&self, all: bool) -> Vec<Vec<String>> {
        let mut combinations = vec![Vec::new()];
        for (axis, &best) in self.axes.iter().zip(&self.best) {
            let values = if best && !all { &axis.values[..1] } else { &axis.values[..] };
            combinations = combinations
                .iter()
                .flat_map(|combination: &Vec<String>| values.iter().map(|value| [&combination[..], &[value.clone()]].concat()))
                .collect();
        }
        combinations
    }

    /// A cell with these values. References ignore formats.
    pub fn planned(&self, stage: Stage, values: &[String], seed: u64, data: &Dataset) -> Result<Planned, LabError> {
        let spec = &self.spec;
        let model = self.model(values, seed, data)?;
        let numbers = if stage == Stage::Float { Numbers::Float } else { self.numbers(values, model.layers())? };
        let (examples, test_images) = match stage {
            Stage::Pilot => (spec.pilot_examples.min(spec.examples), 0),
            _ => (spec.examples, spec.test_images),
        };
        let cell = Cell { model, numbers, examples, test_steps: spec.test_steps, test_images, count: spec.counters };
        let key = key(&cell, data);
        Ok(Planned { stage, values: values.to_vec(), cell, key })
    }

    /// The references: the values of format axes are left empty.
    #[must_use]
    pub fn references(&self) -> Vec<Vec<String>> {
        let mut references: Vec<Vec<String>> = Vec::new();
        for mut values in self.combinations(false) {
            for (value, axis) in values.iter_mut().zip(&self.axes) {
                if matches!(axis.knob, Knob::Format(..) | Knob::Formats | Knob::Decay) {
                    value.clear();
                }
            }
            if !references.contains(&values) {
                references.push(values);
            }
        }
        references
    }

    fn model(&self, values: &[String], seed: u64, data: &Dataset) -> Result<Model, LabError> {
        let spec = &self.spec;
        let mut layers = spec.hidden.clone();
        let (mut kernel, mut preset) = (args::kernel(&spec.kernel)?, args::preset(&spec.preset)?);
        for (axis, value) in self.axes.iter().zip(values) {
            match axis.knob {
                Knob::Hidden => layers = hidden(value)?,
                Knob::Kernel => kernel = args::kernel(value)?,
                Knob::Preset => preset = args::preset(value)?,
                _ => {}
            }
        }
        let sizes = [&[data.train.pixels()], &layers[..], &[data.classes]].concat();
        let count = sizes.len() - 1;
        let mut learning_rates = args::spread(&spec.learning_rate, count)?;
        for (axis, value) in self.axes.iter().zip(values) {
            if let Knob::Eta(layers) = axis.knob {
                let rate = eta(value)?;
                let rates = learning_rates.iter_mut().enumerate();
                rates.filter(|(number, _)| layers.contains(*number, count)).for_each(|(_, place)| *place = rate);
            }
        }
        Ok(Model { sizes, kernel, preset, learning_rates, seed })
    }

    fn numbers(&self, values: &[String], layers: usize) -> Result<Numbers, LabError> {
        let chosen = |knob: &Knob| self.axes.iter().zip(values).find(|(axis, _)| axis.knob == *knob).map(|(_, value)| value);
        let base = chosen(&Knob::Formats).unwrap_or(&self.spec.formats);
        let Numbers::Integer(mut formats) = Numbers::named(base, layers)? else {
            return Ok(Numbers::Float);
        };
        if let Some(text) = chosen(&Knob::Decay).or(self.spec.decay.as_ref()) {
            formats.decay = decay(text)?;
        }
        self.spec.format.iter().try_for_each(|change| formats.apply(&change.parse()?))?;
        let mut changes: Vec<(Field, &Target, &str)> = self
            .axes
            .iter()
            .zip(values)
            .filter_map(|(axis, value)| match &axis.knob {
                Knob::Format(target, field) => Some((*field, target, value.as_str())),
                _ => None,
            })
            .collect();
        // Widths before binary points, which may depend on them.
        changes.sort_by_key(|change| change.0);
        changes.iter().try_for_each(|&(field, target, value)| set(&mut formats, field, target, value))?;
        formats.check()?;
        Ok(Numbers::Integer(formats))
    }
}

fn set(formats: &mut Formats, field: Field, target: &Target, value: &str) -> Result<(), LabError> {
    let apply = |formats: &mut Formats, text: String| formats.apply(&Change { target: target.clone(), notation: text.parse()? });
    match field {
        Field::Bits => formats.set_bits(target, number(value, 2..=32)? as u8),
        Field::Fraction => formats.set_fraction(target, number(value, -32..=48)?),
        Field::Range => formats.set_range(target, number(value, -32..=31)?),
        Field::Stagger => {
            let range = number(value, -32..=31)?;
            let last = formats.tables.len() - 1;
            for number in (0..=last).filter(|&number| target.layers.contains(number, last + 1)) {
                let one = Target { layers: Layers::Number(number), ..target.clone() };
                formats.set_range(&one, range + i8::from(number == last))?;
            }
            Ok(())
        }
        Field::Rounding => apply(formats, format!(":{}", rounding(value)?.name())),
        Field::Overflow => apply(formats, format!("::{}", overflow(value)?.name())),
    }
}

/// 16 hexadecimal digits of everything that decides an outcome.
fn key(cell: &Cell, data: &Dataset) -> String {
    let mut text = format!(
        "{} {:?} {} {} {} {}",
        data.sha256, cell.model, cell.examples, cell.test_steps, cell.test_images, cell.count
    );
    match &cell.numbers {
        Numbers::Float => text += " float",
        Numbers::Integer(formats) => text += &format!(" {} {:?}", decay_name(formats.decay), formats.notation()),
    }
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
