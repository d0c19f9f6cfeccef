//! Memory of a size fixed at compile time, for devices.
//!
//! `size_of` of these types is the RAM a network takes; each is `const`-constructible, so
//! that a `static` holds it.
//!
//! ```
//! use apical_core::memory::{InputMemory, LayerMemory};
//! type Hidden = LayerMemory<i16, 784, 100, 10>;
//! type Output = LayerMemory<i16, 100, 10, 0>;
//! let ram = size_of::<InputMemory<784>>() + size_of::<Hidden>() + size_of::<Output>();
//! assert!(ram < 180_000, "{ram}");
//! ```

use crate::arithmetic::Arithmetic;
use crate::input::{Input, InputControl};
use crate::layer::{Layer, LayerControl};
use crate::offset::{Offset8, Offset16};
use crate::random::Generator;
use crate::spikes::Spikes;
use crate::tables::psp::TAPS;

/// Spikes of the whole input in one step that memory is kept for. A white image of
/// 784 pixels emits 157 ± 12.
pub const INPUT_SPIKES: usize = 512;

/// Weights that know whether their columns need bounds.
pub trait Stored: Copy + 'static {
    /// A weight of bits that are all zero, so that memory for many takes no flash.
    const ZERO: Self;
    /// Memory for the bounds of so many columns.
    type Bounds<const COLUMNS: usize>: Empty + AsMut<[u16]>;
}

/// What can be made empty at compile time.
pub trait Empty {
    /// All zero.
    const EMPTY: Self;
}

impl<const N: usize> Empty for [u16; N] {
    const EMPTY: Self = [0; N];
}

impl Stored for i16 {
    const ZERO: Self = 0;
    type Bounds<const COLUMNS: usize> = [u16; COLUMNS];
}

impl Stored for Offset16 {
    const ZERO: Self = 0;
    type Bounds<const COLUMNS: usize> = [u16; COLUMNS];
}

impl Stored for i8 {
    const ZERO: Self = 0;
    type Bounds<const COLUMNS: usize> = [u16; 0];
}

impl Stored for Offset8 {
    const ZERO: Self = 0;
    type Bounds<const COLUMNS: usize> = [u16; 0];
}

/// A layer of `UNITS` neurons with `FAN_IN` inputs each, fed back to by `OUTPUTS` units
/// (0 for the output layer itself). `HISTORY` is 1 with a cut kernel.
///
/// Aligned, so that two weights of 16 bits or four of 8 are read as one word where a
/// column is a whole number of words.
#[repr(C, align(4))]
pub struct LayerMemory<
    W: Stored,
    const FAN_IN: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const HISTORY: usize = 0,
> {
    weights: [[W; UNITS]; FAN_IN],
    bounds: W::Bounds<FAN_IN>,
    feedback: [[W; UNITS]; OUTPUTS],
    bias: [i16; UNITS],
    sums: [i16; UNITS],
    fast: [i16; UNITS],
    slow: [i16; UNITS],
    soma: [i16; UNITS],
    history: [[[i16; UNITS]; TAPS]; HISTORY],
    soma_sums: [i32; UNITS],
    plateaus: [i16; UNITS],
    errors: [i16; UNITS],
    psp: [u16; UNITS],
    spikes: [[u16; Spikes::PER_UNIT]; UNITS],
    control: Option<LayerControl>,
}

impl<W: Stored, const FAN_IN: usize, const UNITS: usize, const OUTPUTS: usize, const HISTORY: usize>
    LayerMemory<W, FAN_IN, UNITS, OUTPUTS, HISTORY>
{
    /// All zero: a network that has not been given its weights.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(UNITS > 0 && UNITS < 65536 && FAN_IN < 65536 && HISTORY <= 1) };
        Self {
            weights: [[W::ZERO; UNITS]; FAN_IN],
            bounds: <W::Bounds<FAN_IN> as Empty>::EMPTY,
            feedback: [[W::ZERO; UNITS]; OUTPUTS],
            bias: [0; UNITS],
            sums: [0; UNITS],
            fast: [0; UNITS],
            slow: [0; UNITS],
            soma: [0; UNITS],
            history: [[[0; UNITS]; TAPS]; HISTORY],
            soma_sums: [0; UNITS],
            plateaus: [0; UNITS],
            errors: [0; UNITS],
            psp: [0; UNITS],
            spikes: [[0; Spikes::PER_UNIT]; UNITS],
            control: None,
        }
    }

    /// Opens the layer's streams; layers count from 0, the output layer comes last.
    pub fn seed(&mut self, seed: u64, number: u8) {
        self.control = Some(LayerControl::new(seed, number));
    }

    /// The layer that lives in this memory.
    pub fn layer<'a, A>(&'a mut self, coefficients: &'a A::Coefficients) -> Layer<'a, A>
    where
        A: Arithmetic<Weight = W, State = i16, Sum = i32>,
    {
        Layer {
            coefficients,
            units: UNITS,
            stride: UNITS,
            weights: self.weights.as_flattened_mut(),
            bounds: self.bounds.as_mut(),
            feedback: self.feedback.as_flattened_mut(),
            bias: &mut self.bias,
            sums: &mut self.sums,
            fast: &mut self.fast,
            slow: &mut self.slow,
            soma: &mut self.soma,
            history: self.history.as_flattened_mut().as_flattened_mut(),
            soma_sums: &mut self.soma_sums,
            plateaus: &mut self.plateaus,
            errors: &mut self.errors,
            psp: &mut self.psp,
            spikes: Spikes::new(self.spikes.as_flattened_mut()),
            control: self.control.get_or_insert_default(),
        }
    }
}

impl<W: Stored, const F: usize, const U: usize, const O: usize, const H: usize> Default
    for LayerMemory<W, F, U, O, H>
{
    fn default() -> Self {
        Self::new()
    }
}

/// The input of `PIXELS` pixels, at most `ACTIVE` of which are not black in any image, with
/// room for the spikes of a step.
///
/// 784 white pixels emit 157 ± 12 spikes, and [`INPUT_SPIKES`] has room for all of them; no
/// image of MNIST has more than 351 pixels that are not black, nor emits 128 spikes. What
/// does not fit is left out, so that a network with less room is another network only for
/// images that need more.
#[repr(align(4))]
pub struct InputMemory<const PIXELS: usize, const ACTIVE: usize = PIXELS, const SPIKES: usize = INPUT_SPIKES>
{
    active: [u16; ACTIVE],
    potentials: [i16; ACTIVE],
    psp: [u16; PIXELS],
    spikes: [u16; SPIKES],
    control: Option<InputControl>,
}

impl<const PIXELS: usize, const ACTIVE: usize, const SPIKES: usize> InputMemory<PIXELS, ACTIVE, SPIKES> {
    /// A black image.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(PIXELS < 65536 && ACTIVE <= PIXELS) };
        Self {
            active: [0; ACTIVE],
            potentials: [0; ACTIVE],
            psp: [0; PIXELS],
            spikes: [0; SPIKES],
            control: None,
        }
    }

    /// Opens the input's stream.
    pub fn seed(&mut self, seed: u64) {
        self.control = Some(InputControl::new(seed));
    }

    /// The input that lives in this memory.
    pub fn input(&mut self) -> Input<'_> {
        Input {
            active: &mut self.active,
            potentials: &mut self.potentials,
            psp: &mut self.psp,
            spikes: Spikes::new(&mut self.spikes),
            control: self.control.get_or_insert_with(|| InputControl::new(0)),
        }
    }
}

impl<const P: usize, const A: usize, const S: usize> Default for InputMemory<P, A, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl InputControl {
    /// The input's stream under a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let draws: Generator = crate::random::Stream::Input.open(seed);
        Self { draws, active: 0, fired: 0 }
    }
}
