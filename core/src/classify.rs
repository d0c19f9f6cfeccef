//! Classifying with weights that stay where they are: in flash, say.
//!
//! A [`Classifier`] borrows a network that was trained elsewhere and owns nothing but the
//! state of its neurons, 16 bytes a hidden neuron: 784-100-10 runs in 5 KB of RAM. Its
//! answers are those of [`Network::test`](crate::network::Network::test), bit for bit.
//!
//! ```
//! use apical_core::classify::{Classifier, Frozen};
//! use apical_core::kernels::Plain;
//! use apical_core::memory::InputMemory;
//! use apical_core::parameters::LayerParameters;
//! use apical_core::rounding::Rounding;
//! use apical_core::tables::psp::{Areas, Kernel, areas};
//!
//! static AREAS: Areas = areas(Kernel::Scaled);
//! const COEFFICIENTS: apical_core::parameters::Coefficients = LayerParameters {
//!     kernel: Kernel::Scaled,
//!     learning_rate: 0.21,
//!     weight_fraction: 8,
//!     error_fraction: 14,
//!     rounding: Rounding::Stochastic,
//! }
//! .coefficients();
//! // Two pixels, two outputs, each for its own pixel.
//! static WEIGHTS: [i16; 4] = [4000, -4000, -4000, 4000];
//! static OUTPUT: Frozen<'static, i16> =
//!     Frozen { coefficients: &COEFFICIENTS, weights: &WEIGHTS, bounds: &[4000, 4000], bias: &[0, 0] };
//! let mut input = InputMemory::<2>::new();
//! let mut classifier = Classifier::<_, i16, 0>::new(Plain, &AREAS, [], &OUTPUT);
//! assert_eq!(classifier.classify(&mut input.input(), &[0, 255], 100, (1, 0)), 1);
//! ```

use crate::arithmetic::{Columns, Dynamics};
use crate::input::Input;
use crate::kernels::Kernels;
use crate::layer::credit;
use crate::losses::Losses;
use crate::native::{Native, Weight};
use crate::network::Network;
use crate::parameters::Coefficients;
use crate::random::{Generator, Offsets, Stream, test_seed};
use crate::readout::{Reading, highest};
use crate::spikes::Spikes;
use crate::tables::psp::Areas;

/// A layer that has learnt.
#[derive(Debug, Clone, Copy)]
pub struct Frozen<'a, W> {
    /// Coefficients.
    pub coefficients: &'a Coefficients,
    /// Weights, a column for each presynaptic unit.
    pub weights: &'a [W],
    /// Bound of each column's magnitude; may be empty with weights of 8 bits.
    pub bounds: &'a [u16],
    /// Biases times k_B, one a unit.
    pub bias: &'a [i16],
}

impl<W> Frozen<'_, W> {
    fn columns(&self) -> Columns<'_, W> {
        let units = self.bias.len();
        Columns { weights: self.weights, units, stride: units, bounds: self.bounds }
    }
}

/// State of a hidden layer of `UNITS` neurons that does not learn.
#[derive(Debug, Clone)]
#[repr(C, align(4))]
pub struct LayerState<const UNITS: usize> {
    sums: [i16; UNITS],
    fast: [i16; UNITS],
    slow: [i16; UNITS],
    soma: [i16; UNITS],
    worth: [u16; UNITS],
    spikes: [[u16; Spikes::PER_UNIT]; UNITS],
}

impl<const UNITS: usize> LayerState<UNITS> {
    /// At rest.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sums: [0; UNITS],
            fast: [0; UNITS],
            slow: [0; UNITS],
            soma: [0; UNITS],
            worth: [0; UNITS],
            spikes: [[0; Spikes::PER_UNIT]; UNITS],
        }
    }
}

impl<const UNITS: usize> Default for LayerState<UNITS> {
    fn default() -> Self {
        Self::new()
    }
}

/// State of a layer of any size.
pub trait State {
    /// It, as slices.
    fn view(&mut self) -> StateView<'_>;
}

/// State of a layer; one entry a unit, three for spikes.
#[derive(Debug)]
pub struct StateView<'a> {
    sums: &'a mut [i16],
    fast: &'a mut [i16],
    slow: &'a mut [i16],
    soma: &'a mut [i16],
    worth: &'a mut [u16],
    spikes: &'a mut [u16],
}

impl<const UNITS: usize> State for LayerState<UNITS> {
    #[inline]
    fn view(&mut self) -> StateView<'_> {
        StateView {
            sums: &mut self.sums,
            fast: &mut self.fast,
            slow: &mut self.slow,
            soma: &mut self.soma,
            worth: &mut self.worth,
            spikes: self.spikes.as_flattened_mut(),
        }
    }
}

/// A hidden layer, its state, its stream of draws.
struct Running<'a, W> {
    layer: &'a Frozen<'a, W>,
    state: StateView<'a>,
    draws: Generator,
}

/// Up to 32 outputs compete.
const MOST_OUTPUTS: usize = 32;

/// A network of `HIDDEN` hidden layers and an output layer that has learnt.
pub struct Classifier<'a, K, W, const HIDDEN: usize, O = W> {
    kernels: K,
    areas: &'a Areas,
    hidden: [Running<'a, W>; HIDDEN],
    output: &'a Frozen<'a, O>,
}

impl<'a, W: Weight> Running<'a, W> {
    fn new((layer, state): (&'a Frozen<'a, W>, &'a mut dyn State)) -> Self {
        Self { layer, state: state.view(), draws: Stream::Spikes(0).open(0) }
    }

    /// At rest, with the streams of a test.
    fn begin(&mut self, number: usize, seed: u64) {
        self.draws = Stream::Spikes(number as u8).open(seed);
        for state in [&mut *self.state.fast, self.state.slow, self.state.soma] {
            state.fill(0);
        }
        self.state.worth.fill(0);
    }

    /// A step, in which a spike has this worth; returns who fired.
    #[inline(always)]
    fn step<K: Kernels>(&mut self, kernels: K, presynaptic: &[u16], worth: u16) -> &[u16] {
        let Self { layer, state, draws } = self;
        let columns = layer.columns();
        let units = columns.units;
        let losses = &mut Losses::none();
        let shift = layer.coefficients.sum_shift;
        kernels.sum_columns::<W, false>(shift, columns, presynaptic, state.sums, losses);
        let dynamics = Dynamics {
            sums: state.sums,
            fast: state.fast,
            slow: state.slow,
            soma: state.soma,
            bias: layer.bias,
            oldest: &mut [],
        };
        let mut list = Spikes::new(state.spikes);
        let offsets = Offsets::new(draws);
        kernels.advance::<false>(layer.coefficients, dynamics, units, None, offsets, &mut list, losses);
        credit(state.worth, list.as_slice(), worth);
        let fired = list.as_slice().len();
        state.spikes.get(..fired).unwrap_or(&[])
    }
}

impl<'a, K: Kernels, W: Weight, const HIDDEN: usize, O: Weight> Classifier<'a, K, W, HIDDEN, O> {
    /// A network of these layers, hidden ones lowest first; `areas` are those of its synaptic kernel.
    #[must_use]
    pub fn new(
        kernels: K,
        areas: &'a Areas,
        hidden: [(&'a Frozen<'a, W>, &'a mut dyn State); HIDDEN],
        output: &'a Frozen<'a, O>,
    ) -> Self {
        Self { kernels, areas, hidden: hidden.map(Running::new), output }
    }

    /// The answer for an image, shown for `steps` steps from rest; the streams are those of
    /// this image under the seed.
    pub fn classify(
        &mut self,
        input: &mut Input<'_>,
        image: &[u8],
        steps: u32,
        (seed, index): (u64, u32),
    ) -> usize {
        let seed = test_seed(seed, index);
        input.control.draws = Stream::Input.open(seed);
        for (layer, number) in self.hidden.iter_mut().zip(0..) {
            layer.begin(number, seed);
        }
        let arithmetic = Native::<K, W>::new(self.kernels);
        input.show(&arithmetic, image);
        if HIDDEN == 0 {
            input.psp.fill(0);
        }
        let readout = Network::<Native<K, W>>::readout(self.areas, steps);
        for step in 0..steps {
            let worth = readout.share(self.areas, step);
            input.step(&arithmetic);
            let mut presynaptic = input.spikes.as_slice();
            if HIDDEN == 0 {
                credit(input.psp, presynaptic, worth);
            }
            for layer in &mut self.hidden {
                presynaptic = layer.step(self.kernels, presynaptic, worth);
            }
        }
        let credits = self.hidden.last().map_or(&*input.psp, |layer| &*layer.state.worth);
        let Frozen { coefficients, bias, .. } = *self.output;
        let reading = Reading { columns: self.output.columns(), bias, credits, readout };
        let mut sums = [0i32; MOST_OUTPUTS];
        self.kernels.read_out::<O, false>(coefficients, reading, &mut sums, &mut Losses::none());
        highest(sums.get(..bias.len()).unwrap_or(&sums), |sum, other| sum > other)
    }
}
