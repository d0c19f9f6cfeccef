//! A grid of networks: what is swept, and the cells it consists of.

use super::axis::{Axis, Field, Knob, hidden, number, rate};
use crate::data::Dataset;
use crate::experiment::manifest::{kernel_name, preset_name};
use crate::experiment::plan::{Plan, rates_of};
use crate::laboratory::cell::Cell;
use crate::laboratory::error::LabError;
use crate::laboratory::formats::{Base, Formats, Numbers, Request};
use crate::laboratory::notation::{
    Change, Layers, Target, decay, decay_name, kernel, overflow, preset, rounding,
};
use crate::laboratory::runner::{Planned, Stage};
use serde_json::{Value, json};

/// A sweep as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The network, where no axis changes it, and how much is run.
    pub plan: Plan,
    /// η as given: one, or one for each layer.
    pub rates: Vec<f64>,
    /// Formats, where no axis changes them.
    pub formats: Request,
    /// Axes, the first changing slowest.
    pub axes: Vec<Axis>,
    /// Axes of which only the best value is run, chosen by the error in training.
    pub best: Vec<String>,
    /// Training examples of a cell that helps to choose.
    pub pilot_examples: usize,
    /// Whether losses are counted.
    pub counters: bool,
    /// Whether the f64 reference is run beside, once for each size, rate and seed.
    pub reference: bool,
}

impl Spec {
    /// For a manifest.
    #[must_use]
    pub fn json(&self) -> Value {
        let axis = |axis: &Axis| format!("{}={}", axis.name, axis.values.join(","));
        let change = |change: &Change| format!("{}={}", change.target, change.notation);
        json!({
            "axes": self.axes.iter().map(axis).collect::<Vec<_>>(),
            "best": self.best,
            "pilot_examples": self.pilot_examples,
            "seeds": self.plan.seeds,
            "topology": self.plan.model(0).topology(),
            "learning_rates": self.rates,
            "kernel": kernel_name(self.plan.kernel),
            "preset": preset_name(self.plan.preset),
            "formats": self.formats.base.name(),
            "changes": self.formats.changes.iter().map(change).collect::<Vec<_>>(),
            "decay": self.formats.decay.map(decay_name),
            "examples": self.plan.examples,
            "epochs": self.plan.epochs,
            "test_steps": self.plan.test_steps,
            "test_images": self.plan.test_images,
            "counters": self.counters,
            "reference": self.reference,
        })
    }
}

/// A sweep, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// As it was asked for.
    pub spec: Spec,
    /// Whether only the best value of an axis is run.
    pub best: Vec<bool>,
}

impl Grid {
    /// Checks a sweep against the data.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn new(spec: Spec, data: &Dataset) -> Result<Self, LabError> {
        for (n, axis) in spec.axes.iter().enumerate() {
            if spec.axes[..n].iter().any(|other| other.name == axis.name) {
                return Err(LabError::syntax("axis", &axis.name, "is given twice"));
            }
        }
        if let Some(name) = spec.best.iter().find(|name| !spec.axes.iter().any(|axis| axis.name == **name)) {
            return Err(LabError::syntax("best", name, "is no axis of this grid"));
        }
        if spec.pilot_examples == 0 {
            return Err(LabError::syntax("pilot-examples", "0", "must be 1 at least"));
        }
        let best = spec.axes.iter().map(|axis| spec.best.contains(&axis.name)).collect();
        let grid = Self { spec, best };
        // Sizes, rates and names are checked for every cell before any is run; a format that
        // the core cannot run leaves a hole in the grid instead.
        for values in grid.combinations(true) {
            grid.plan(&values, data)?;
            if let Some(name) = grid.base(&values).filter(|name| *name != "float") {
                Numbers::named(name, 2)?;
            }
        }
        Ok(grid)
    }

    /// Names of the axes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.spec.axes.iter().map(|axis| axis.name.clone()).collect()
    }

    /// Every combination of values, the last axis changing fastest; axes of which the best
    /// is chosen have their first value alone unless `all`.
    #[must_use]
    pub fn combinations(&self, all: bool) -> Vec<Vec<String>> {
        let mut combinations = vec![Vec::new()];
        for (axis, &best) in self.spec.axes.iter().zip(&self.best) {
            let values = if best && !all { &axis.values[..1] } else { &axis.values[..] };
            let extended = |combination: &Vec<String>| {
                let each =
                    values.iter().map(|value| [&combination[..], std::slice::from_ref(value)].concat());
                each.collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(extended).collect();
        }
        combinations
    }

    /// A cell with these values. References ignore formats.
    ///
    /// # Errors
    /// A format that the core cannot run.
    pub fn planned(
        &self,
        stage: Stage,
        values: &[String],
        seed: u64,
        data: &Dataset,
    ) -> Result<Planned, LabError> {
        let plan = self.plan(values, data)?;
        let layers = plan.sizes.len() - 1;
        let numbers = if stage == Stage::Float { Numbers::Float } else { self.numbers(values, layers)? };
        let mut cell = Cell { count: self.spec.counters, ..Cell::new(&plan, numbers, seed) };
        if stage == Stage::Pilot {
            (cell.examples, cell.epochs) = (self.spec.pilot_examples.min(cell.examples), 1);
            cell.test_images = 0;
        }
        Ok(Planned::new(stage, values, cell, data))
    }

    /// The references: the values of format axes are left empty.
    #[must_use]
    pub fn references(&self) -> Vec<Vec<String>> {
        let mut references: Vec<Vec<String>> = Vec::new();
        for mut values in self.combinations(false) {
            for (value, axis) in values.iter_mut().zip(&self.spec.axes) {
                if matches!(axis.knob, Knob::Format(..) | Knob::Profile | Knob::Decay) {
                    value.clear();
                }
            }
            if !references.contains(&values) {
                references.push(values);
            }
        }
        references
    }

    /// The network of these values and how much is run.
    fn plan(&self, values: &[String], data: &Dataset) -> Result<Plan, LabError> {
        let mut plan = self.spec.plan.clone();
        let axes = || self.spec.axes.iter().zip(values);
        for (axis, value) in axes() {
            match axis.knob {
                Knob::Hidden => {
                    plan.sizes =
                        [&plan.sizes[..1], &hidden(value)?, &plan.sizes[plan.sizes.len() - 1..]].concat();
                }
                Knob::Kernel => plan.kernel = kernel(value)?,
                Knob::Preset => plan.preset = preset(value)?,
                _ => {}
            }
        }
        let count = plan.sizes.len() - 1;
        plan.learning_rates = rates_of(&self.spec.rates, count);
        for (axis, value) in axes() {
            if let Knob::Rate(layers) = axis.knob {
                let rate = rate(value)?;
                let rates = plan.learning_rates.iter_mut().enumerate();
                rates
                    .filter(|(number, _)| layers.contains(*number, count))
                    .for_each(|(_, place)| *place = rate);
            }
        }
        plan.check(data)?;
        Ok(plan)
    }

    fn chosen<'a>(&self, knob: &Knob, values: &'a [String]) -> Option<&'a String> {
        self.spec.axes.iter().zip(values).find(|(axis, _)| axis.knob == *knob).map(|(_, value)| value)
    }

    /// The profile that an axis names.
    fn base<'a>(&self, values: &'a [String]) -> Option<&'a String> {
        self.chosen(&Knob::Profile, values)
    }

    fn numbers(&self, values: &[String], layers: usize) -> Result<Numbers, LabError> {
        let mut request = self.spec.formats.clone();
        if let Some(name) = self.base(values) {
            request.base = Base::Named(name.clone());
            if name == "float" {
                return Ok(Numbers::Float);
            }
        }
        if let Some(text) = self.chosen(&Knob::Decay, values) {
            request.decay = Some(decay(text)?);
        }
        let Numbers::Integer(mut formats) = request.numbers(layers)? else {
            return Ok(Numbers::Float);
        };
        let axes = self.spec.axes.iter().zip(values);
        let mut changes: Vec<(Field, &Target, &str)> = axes
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
    let apply = |formats: &mut Formats, text: String| {
        formats.apply(&Change { target: target.clone(), notation: text.parse()? })
    };
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
