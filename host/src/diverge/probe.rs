//! Arithmetics whose state can be read and set in real units.

use crate::readable::Readable;
use apical_core::arithmetic::Arithmetic;
use apical_core::emulated::Emulated;
use apical_core::formats::{Format, STATE_LIMIT, Variable};
use apical_core::kernels::Kernels;
use apical_core::native::{Native, Weight};
use apical_core::network::Network;
use apical_core::parameters::BASAL_SHARE;
use apical_core::rounding::Rounding;
use apical_core::tables::psp::Kernel;
use apical_core::tables::sigmoid::sigmoid;

/// A [`Readable`] arithmetic of known ranges and roundings, the same in all layers.
pub trait Probed: Readable + Arithmetic<Output = Self> + Sized {
    /// How a variable is narrowed.
    fn rounding(layer: &Self::Coefficients, variable: Variable) -> Rounding;
    /// Smallest and largest raw value.
    fn range(layer: &Self::Coefficients, variable: Variable) -> (i64, i64);

    /// The raw number nearest to a real one.
    fn nearest(layer: &Self::Coefficients, variable: Variable, value: f64) -> i64 {
        let (lowest, highest) = Self::range(layer, variable);
        let raw = (value / Self::lsb(layer, variable)).round();
        raw.clamp(lowest as f64, highest as f64) as i64
    }
}

impl<K: Kernels, W: Weight + Into<i64>, const COUNT: bool> Probed for Native<K, W, COUNT> {
    fn rounding(layer: &Self::Coefficients, variable: Variable) -> Rounding {
        match variable {
            Variable::Weight | Variable::Bias => layer.rounding,
            _ => Rounding::Nearest,
        }
    }

    fn range(_: &Self::Coefficients, variable: Variable) -> (i64, i64) {
        match variable {
            Variable::Weight | Variable::Feedback => {
                (W::saturate(i16::MIN).into(), W::saturate(i16::MAX).into())
            }
            Variable::FilterFast | Variable::FilterSlow | Variable::Basal | Variable::Soma => {
                (-i64::from(STATE_LIMIT), i64::from(STATE_LIMIT))
            }
            _ => (Format::new(16, 0).smallest(), Format::new(16, 0).largest()),
        }
    }
}

impl<K: Kernels, const COUNT: bool> Probed for Emulated<K, COUNT> {
    fn rounding(layer: &Self::Coefficients, variable: Variable) -> Rounding {
        layer.table.of(variable).rounding
    }

    fn range(layer: &Self::Coefficients, variable: Variable) -> (i64, i64) {
        let line = layer.table.of(variable);
        (line.lowest, line.highest)
    }
}

/// What a neuron's numbers are in real units; basal potentials and biases times k_B.
pub struct Reader {
    /// k_B · gain as the core keeps it.
    basal_gain: f64,
    /// Potentials in 2⁻⁸ by σ in 2⁻¹⁵, where one potential alone has that σ.
    potentials: Vec<Option<i16>>,
}

impl Reader {
    /// The reader of a network with this kernel.
    #[must_use]
    pub fn new(kernel: Kernel) -> Self {
        let mut potentials = vec![None; 32769];
        let mut seen = vec![0; 32769];
        for potential in i16::MIN..=i16::MAX {
            let rate = sigmoid(potential) as usize;
            potentials[rate] = Some(potential);
            seen[rate] += 1;
        }
        for (potential, seen) in potentials.iter_mut().zip(seen) {
            *potential = potential.filter(|_| seen == 1);
        }
        Self { basal_gain: (BASAL_SHARE * kernel.gain() * 65536.0).round() / 65536.0, potentials }
    }

    /// Basal drives of a layer, computed once more as a step computes them. Stochastic
    /// rounding is taken for its mean, to nearest: its draw is gone.
    #[must_use]
    pub fn basal<A: Probed>(&self, layer: &A::Coefficients, slow: &[f64], bias: &[f64]) -> Vec<f64> {
        let lsb = A::lsb(layer, Variable::Basal);
        let (lowest, highest) = A::range(layer, Variable::Basal);
        let drive = |(slow, bias): (&f64, &f64)| {
            let steps = (self.basal_gain * slow + bias) / lsb;
            let raw = match A::rounding(layer, Variable::Basal) {
                Rounding::Floor => steps.floor(),
                Rounding::TowardZero => steps.trunc(),
                Rounding::NearestEven => steps.round_ties_even(),
                Rounding::NearestAway => steps.round(),
                Rounding::Nearest | Rounding::Stochastic | Rounding::UnitStep => (steps + 0.5).floor(),
            };
            raw.clamp(lowest as f64, highest as f64) * lsb
        };
        slow.iter().zip(bias).map(drive).collect()
    }

    /// The mean apical potential behind a plateau of 15 fraction bits, where σ tells it.
    #[must_use]
    pub fn apical(&self, plateau: i64) -> Option<f64> {
        let potential = self.potentials.get(usize::try_from(plateau).ok()?)?;
        potential.map(|potential| f64::from(potential) / 256.0)
    }
}

/// States in real units.
#[must_use]
pub fn real<A: Probed>(layer: &A::Coefficients, variable: Variable, states: &[A::State]) -> Vec<f64> {
    let lsb = A::lsb(layer, variable);
    states.iter().map(|&state| A::state(state) as f64 * lsb).collect()
}

/// Raw weights of the neurons, column by column without padding.
#[must_use]
pub fn raw_weights<A: Probed>(weights: &[A::Weight], stride: usize, units: usize) -> Vec<i64> {
    let columns = weights.chunks_exact(stride).flat_map(|column| &column[..units]);
    columns.map(|&weight| A::weight(weight)).collect()
}

/// Every layer of a network, output last.
pub fn layers<'n, 'a, A: Probed>(
    network: &'n mut Network<'a, A>,
) -> impl Iterator<Item = &'n mut apical_core::layer::Layer<'a, A>> {
    network.hidden.iter_mut().chain([&mut network.output])
}
