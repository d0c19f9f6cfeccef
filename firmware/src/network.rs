//! The network of this program: its sizes, its memory, its coefficients.

use crate::model::Parts;
use apical_core::arithmetic::Arithmetic as _;
use apical_core::layer::Layer;
use apical_core::losses::Losses;
#[cfg(counts)]
use apical_core::losses::{LayerTallies, NO_LOSSES};
use apical_core::memory::{InputMemory, LayerMemory};
use apical_core::native::Native;
use apical_core::network::{Control, Network};
use apical_core::parameters::{Coefficients, LayerParameters, Preset};
use apical_core::rounding::Rounding;
use apical_core::tables::psp::{Areas, Kernel, areas};

include!(concat!(env!("OUT_DIR"), "/sizes.rs"));

/// Initial weights.
pub const PRESET: Preset = Preset::May2017;
/// Layers of neurons.
pub const LAYERS: usize = if HIDDEN > 0 { 2 } else { 1 };
/// Pixels of an image that may be other than black; 351 is the most in MNIST.
pub const ACTIVE: usize = if PIXELS < 384 { PIXELS } else { 384 };
/// Input spikes of a step: an image all white would emit 77 ± 8, and a block of 32 pixels wants room for 96.
pub const SPIKES: usize = 256;
const OUTPUT_INPUTS: usize = if HIDDEN > 0 { HIDDEN } else { PIXELS };

/// Whether losses are counted.
pub const COUNT: bool = cfg!(counts);
/// How this program calculates.
pub type Arithmetic<const COUNT: bool> = Native<Kernels, Weight, COUNT, OutputWeight>;

#[cfg(all(target_os = "none", not(thumb2)))]
pub use crate::small::Small as Kernels;
#[cfg(thumb2)]
pub use crate::thumb::Thumb as Kernels;
#[cfg(not(target_os = "none"))]
pub use apical_core::kernels::Plain as Kernels;

const fn coefficients(layer: usize) -> Coefficients {
    let parameters = LayerParameters {
        kernel: Kernel::Scaled,
        learning_rate: LEARNING_RATES[layer],
        weight_fraction: FRACTIONS[layer],
        error_fraction: ERROR_FRACTION,
        rounding: Rounding::Stochastic,
    };
    parameters.coefficients()
}

/// Of the hidden layer.
pub static HIDDEN_COEFFICIENTS: Coefficients = coefficients(0);
/// Of the output layer.
pub static OUTPUT_COEFFICIENTS: Coefficients = coefficients(1);
/// Running sums of the synaptic kernel.
pub static AREAS: Areas = areas(Kernel::Scaled);

/// Watches nothing, but says that it looks at every step: a network goes step by step then, and the way layer by layer,
/// for which no device has the memory, is not compiled in.
pub struct StepByStep;

impl<A: apical_core::arithmetic::Arithmetic> apical_core::observer::Observer<A> for StepByStep {}

/// Everything a network keeps.
pub struct Memory {
    input: InputMemory<PIXELS, ACTIVE, SPIKES>,
    #[cfg(hidden)]
    hidden: LayerMemory<Weight, PIXELS, HIDDEN, OUTPUTS>,
    output: LayerMemory<OutputWeight, OUTPUT_INPUTS, OUTPUTS, 0>,
    means: [i16; OUTPUTS],
    control: Option<Control>,
    #[cfg(counts)]
    tallies: [LayerTallies; LAYERS],
}

impl Memory {
    /// All zero, so that it takes no flash.
    pub const fn new() -> Self {
        Self {
            input: InputMemory::new(),
            #[cfg(hidden)]
            hidden: LayerMemory::new(),
            output: LayerMemory::new(),
            means: [0; OUTPUTS],
            control: None,
            #[cfg(counts)]
            tallies: [NO_LOSSES; LAYERS],
        }
    }

    /// Opens the streams and draws the initial weights, as the host does.
    pub fn seed(&mut self, seed: u64) {
        self.input.seed(seed);
        #[cfg(hidden)]
        self.hidden.seed(seed, 0);
        self.output.seed(seed, LAYERS as u8 - 1);
        self.control = Some(Control::new(seed));
        self.with::<false, _>(|network| {
            let (arithmetic, bias) = (network.arithmetic, PRESET.bias());
            const INPUTS: [usize; 2] = [PIXELS, OUTPUT_INPUTS];
            for layer in network.hidden.iter_mut() {
                layer.draw_weights(arithmetic, seed, 0, const { PRESET.weights(INPUTS[0]) }, bias);
                layer.draw_feedback(
                    arithmetic,
                    seed,
                    0,
                    const { PRESET.feedback(if HIDDEN > 0 { HIDDEN } else { 1 }) },
                );
            }
            let weights = const { PRESET.weights(INPUTS[1]) };
            network.output.draw_weights(&arithmetic.output(), seed, LAYERS as u8 - 1, weights, bias);
        });
    }

    /// Takes over what the network in flash has learnt.
    pub fn load(&mut self) {
        let (hidden, output) = crate::model::layers();
        self.with::<false, _>(|network| {
            let arithmetic = network.arithmetic;
            for layer in network.hidden.iter_mut() {
                take_over(layer, arithmetic, &hidden);
            }
            take_over(&mut network.output, &arithmetic.output(), &output);
        });
    }

    /// Lends the memory to a network for as long as `job` runs.
    #[inline(always)]
    pub fn with<const COUNT: bool, R>(
        &mut self,
        job: impl FnOnce(&mut Network<'_, Arithmetic<COUNT>>) -> R,
    ) -> R {
        let arithmetic = Arithmetic::new(Kernels);
        #[cfg(hidden)]
        let mut hidden = [self.hidden.layer(&HIDDEN_COEFFICIENTS)];
        #[cfg(not(hidden))]
        let mut hidden = [];
        let _ = &HIDDEN_COEFFICIENTS;
        let mut network = Network {
            arithmetic: &arithmetic,
            areas: &AREAS,
            input: self.input.input(),
            hidden: &mut hidden,
            output: self.output.layer(&OUTPUT_COEFFICIENTS),
            means: &mut self.means,
            control: self.control.get_or_insert_with(|| Control::new(0)),
            #[cfg(counts)]
            losses: Losses::new(&mut self.tallies),
            #[cfg(not(counts))]
            losses: Losses::none(),
            workspace: None,
        };
        job(&mut network)
    }

    /// Values that met the end of their range so far.
    #[cfg(counts)]
    pub fn saturated(&self) -> u32 {
        self.tallies.iter().flatten().map(|tally| tally.saturated as u32).sum()
    }

    /// Not counted on this board.
    #[cfg(not(counts))]
    pub fn saturated(&self) -> u32 {
        0
    }
}

fn take_over<A>(layer: &mut Layer<'_, A>, arithmetic: &A, parts: &Parts<A::Weight>)
where
    A: apical_core::arithmetic::Arithmetic<State = i16>,
{
    copy(layer.weights, parts.weights);
    copy(layer.bias, parts.bias);
    copy(layer.feedback, parts.feedback);
    layer.refresh_bounds(arithmetic);
}

fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}
