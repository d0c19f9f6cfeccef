//! A network that learns and classifies, whatever arithmetic it runs in.

use crate::aligned::fetch;
use crate::data::Split;
use crate::model::Model;
use crate::network::{OwnedLayer, OwnedNetwork};
use crate::readable::Readable;
use crate::vector::Path;
pub use crate::width::Width;
use apical_core::arithmetic::Arithmetic;
use apical_core::emulated::{Decay, Emulated, Table};
use apical_core::formats::Variable;
use apical_core::layer::Layer;
use apical_core::losses::LayerTallies;
use apical_core::native::{Native, Weight};
use apical_core::parameters::Coefficients;
use apical_core::rounding::Rounding;

/// What some training examples came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trained {
    /// Examples.
    pub examples: u64,
    /// Examples whose forward phase pointed to another output than the label.
    pub wrong: u64,
    /// Steps of both phases.
    pub steps: u64,
}

/// What a layer has learnt, as raw numbers: integers in the formats of the layer, or the
/// bits of an f64. Column by column, without padding; biases as the arithmetic keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// W, a column for each presynaptic unit.
    pub weights: Vec<i64>,
    /// Biases.
    pub bias: Vec<i64>,
    /// Y, a column for each output; empty in the output layer.
    pub feedback: Vec<i64>,
}

/// Something that learns.
pub trait Learner: Send {
    /// Trains on the examples at these places of a split, in this order.
    fn train(&mut self, split: &Split, order: &[u32]) -> Trained;
    /// What it knows by now, to be tested: on another thread if need be, and without disturbing the
    /// state of training.
    fn tester(&self) -> Box<dyn Tester + '_>;
    /// Fingerprint of the whole state, where there is one.
    fn digest(&mut self) -> Option<u64>;
    /// Mean feed-forward weight of each layer.
    fn mean_weights(&self) -> Vec<f64>;
    /// Spikes since the last call: inputs, then layers.
    fn take_fired(&mut self) -> Vec<u64>;
    /// What was lost since the last call, by layer.
    fn take_losses(&mut self) -> Vec<LayerTallies>;
    /// Bytes of weights and of the rest of the state.
    fn bytes(&self) -> (usize, usize);
    /// What was learnt.
    fn store(&self) -> Vec<Stored>;
    /// Takes over what a learner of the same sizes and formats stored.
    fn restore(&mut self, layers: &[Stored]);
}

/// Something that classifies.
pub trait Tester: Send {
    /// Answers for the images `first..first + answers.len()`, each from rest.
    fn test(&mut self, split: &Split, first: usize, steps: u32, answers: &mut [u8]);
}

/// A core network in any arithmetic.
pub struct CoreLearner<A: Readable> {
    seed: u64,
    /// The network.
    pub network: OwnedNetwork<A>,
}

impl<A: Readable> CoreLearner<A> {
    /// A network with its initial weights; `coefficients` makes those of each layer.
    pub fn new(arithmetic: A, model: &Model, coefficients: impl Fn(usize) -> A::Coefficients) -> Self {
        let network = OwnedNetwork::new(arithmetic, model, coefficients);
        Self { seed: model.seed, network }
    }
}

impl<A> Learner for CoreLearner<A>
where
    A: Readable + Clone + Send + 'static,
    A::Output: Readable,
    A::Weight: Send,
    <A::Output as Arithmetic>::Weight: Send,
    A::State: Send,
    A::Sum: Send,
    A::Coefficients: Clone + Send,
{
    fn train(&mut self, split: &Split, order: &[u32]) -> Trained {
        self.network.with(|network| {
            let mut trained = Trained::default();
            for (place, &index) in order.iter().enumerate() {
                // Nobody but this order knows which image comes next.
                if let Some(&next) = order.get(place + 1) {
                    fetch(split.image(next as usize));
                }
                let (image, label) = (split.image(index as usize), split.labels[index as usize]);
                let example = network.train(image, usize::from(label), &mut ());
                trained.examples += 1;
                trained.wrong += u64::from(example.answer != usize::from(label));
                trained.steps += u64::from(example.steps[0] + example.steps[1]);
            }
            trained
        })
    }

    fn tester(&self) -> Box<dyn Tester + '_> {
        Box::new(CoreTester { seed: self.seed, network: self.network.clone() })
    }

    fn digest(&mut self) -> Option<u64> {
        Some(self.network.digest())
    }

    fn mean_weights(&self) -> Vec<f64> {
        let OwnedNetwork { hidden, output, .. } = &self.network;
        hidden.iter().map(mean_weight).chain([mean_weight(output)]).collect()
    }

    fn take_fired(&mut self) -> Vec<u64> {
        self.network.take_fired()
    }

    fn take_losses(&mut self) -> Vec<LayerTallies> {
        self.network.take_losses()
    }

    fn bytes(&self) -> (usize, usize) {
        self.network.bytes()
    }

    fn store(&self) -> Vec<Stored> {
        let OwnedNetwork { hidden, output, .. } = &self.network;
        hidden.iter().map(store).chain([store(output)]).collect()
    }

    fn restore(&mut self, layers: &[Stored]) {
        self.network.with(|network| {
            let (arithmetic, output) = (network.arithmetic, &mut network.output);
            let mut layers = layers.iter();
            network
                .hidden
                .iter_mut()
                .zip(&mut layers)
                .for_each(|(layer, from)| restore(arithmetic, layer, from));
            layers.next().into_iter().for_each(|from| restore(&arithmetic.output(), output, from));
        });
    }
}

/// A copy of a core network.
struct CoreTester<A: Arithmetic> {
    seed: u64,
    network: OwnedNetwork<A>,
}

impl<A> Tester for CoreTester<A>
where
    A: Arithmetic + Send,
    A::Weight: Send,
    <A::Output as Arithmetic>::Weight: Send,
    A::State: Send,
    A::Sum: Send,
    A::Coefficients: Send,
{
    fn test(&mut self, split: &Split, first: usize, steps: u32, answers: &mut [u8]) {
        let seed = self.seed;
        self.network.with(|network| {
            for (answer, index) in answers.iter_mut().zip(first..) {
                *answer = network.test(split.image(index), steps, (seed, index as u32), &mut ()) as u8;
            }
        });
    }
}

fn mean_weight<A: Readable>(layer: &OwnedLayer<A>) -> f64 {
    let columns = layer.weights.chunks_exact(layer.stride);
    let neurons = columns.flat_map(|column| &column[..layer.units]);
    let sum: i64 = neurons.map(|&w| A::weight(w)).sum();
    let count = layer.weights.len() / layer.stride * layer.units;
    sum as f64 / count as f64 * A::lsb(&layer.coefficients, Variable::Weight)
}

fn store<A: Readable>(layer: &OwnedLayer<A>) -> Stored {
    let matrix = |weights: &[A::Weight]| -> Vec<i64> {
        let columns = weights.chunks_exact(layer.stride).flat_map(|column| &column[..layer.units]);
        columns.map(|&weight| A::weight(weight)).collect()
    };
    Stored {
        weights: matrix(&layer.weights),
        bias: layer.bias[..layer.units].iter().map(|&bias| A::state(bias)).collect(),
        feedback: matrix(&layer.feedback),
    }
}

fn restore<A: Readable>(arithmetic: &A, layer: &mut Layer<'_, A>, stored: &Stored) {
    let (stride, units) = (layer.stride, layer.units);
    let matrix = |weights: &mut [A::Weight], raw: &[i64]| {
        for (column, raw) in weights.chunks_exact_mut(stride).zip(raw.chunks_exact(units)) {
            column.iter_mut().zip(raw).for_each(|(weight, &raw)| *weight = A::to_weight(raw));
        }
    };
    matrix(layer.weights, &stored.weights);
    matrix(layer.feedback, &stored.feedback);
    layer.bias.iter_mut().zip(&stored.bias).for_each(|(bias, &raw)| *bias = A::to_state(raw));
    layer.refresh_bounds(arithmetic);
}

/// A core network in the compiled-in arithmetic, on the instructions of `path`.
#[must_use]
pub fn native(model: &Model, width: Width, rounding: Rounding, path: Path, count: bool) -> Box<dyn Learner> {
    let layer = |number| model.native(number, width, rounding).coefficients();
    let bits = [false, true].map(|is_output| width.of(is_output).bits);
    match bits {
        [16, _] => native_as::<i16, i16>(model, layer, path, count),
        [_, 16] => native_as::<i8, i16>(model, layer, path, count),
        [_, _] => native_as::<i8, i8>(model, layer, path, count),
    }
}

fn native_as<W, O>(
    model: &Model,
    layer: impl Fn(usize) -> Coefficients,
    path: Path,
    count: bool,
) -> Box<dyn Learner>
where
    W: Weight + Into<i64> + Send,
    O: Weight + Into<i64> + Send,
{
    match count {
        true => Box::new(CoreLearner::new(Native::<_, W, true, O>::new(path.kernels()), model, layer)),
        false => Box::new(CoreLearner::new(Native::<_, W, false, O>::new(path.kernels()), model, layer)),
    }
}

/// The fastest f32 network of this machine ([`crate::float32`]), on the instructions of
/// `path`; none without AVX2, or for a cut kernel.
#[must_use]
#[cfg(target_arch = "x86_64")]
pub fn float32(model: &Model, path: Path) -> Option<Box<dyn Learner>> {
    use crate::float32::{Coefficients, Float32, FloatLanes};
    fn on<L: FloatLanes>(lanes: L, model: &Model) -> Option<Box<dyn Learner>> {
        let layers: Option<Vec<_>> = (0..model.layers()).map(|l| Coefficients::of(model, l)).collect();
        let layers = layers?;
        Some(Box::new(CoreLearner::new(Float32::new(lanes), model, |l| layers[l])))
    }
    match path {
        Path::Scalar | Path::Neon => None,
        Path::Avx2 => on(crate::vector::Pair(pulp::x86::V3::try_new()?), model),
        Path::Avx512 => on(crate::vector::Wide(crate::vector::Avx512::try_new()?), model),
    }
}

/// There is none on other processors yet.
#[must_use]
#[cfg(not(target_arch = "x86_64"))]
pub fn float32(_: &Model, _: Path) -> Option<Box<dyn Learner>> {
    None
}

/// A core network in formats chosen at run time, a table for each layer.
#[must_use]
pub fn emulated(model: &Model, tables: &[Table], decay: Decay, count: bool) -> Box<dyn Learner> {
    emulated_on(model, tables, decay, Path::best(), count)
}

/// The same on the instructions of `path`. On the scalar path, counting takes the long way
/// through every narrowing.
#[must_use]
pub fn emulated_on(
    model: &Model,
    tables: &[Table],
    decay: Decay,
    path: Path,
    count: bool,
) -> Box<dyn Learner> {
    let coefficients = |l: usize| model.emulated(l, tables[l], decay).coefficients();
    match count {
        true => Box::new(CoreLearner::new(Emulated::<_, true>::new(path.kernels()), model, coefficients)),
        false => Box::new(CoreLearner::new(Emulated::<_, false>::new(path.kernels()), model, coefficients)),
    }
}
