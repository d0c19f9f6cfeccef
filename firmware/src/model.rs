//! A network that a host has trained and exported (`apical export`), in flash.
//!
//! Little-endian header of 32 bytes: `APNT`, version (u16), fraction bits of errors or 0 for 14 (u16), pixels, hidden neurons, outputs (u32 each),
//! seed (u64), bits of a weight of the hidden layer, those behind the binary point, and both of the output layer (a byte
//! each). Then for each layer W column by column (16 bits: 2¹⁵ more than they stand for), with weights of 16 bits the
//! bounds of the columns, biases, and in a hidden layer Y; each padded to 4 bytes.

#[cfg(hidden)]
use crate::network::HIDDEN_COEFFICIENTS;
use crate::network::{
    AREAS, HIDDEN, Kernels, LAYERS, OUTPUT_COEFFICIENTS, OUTPUTS, OutputWeight, PIXELS, Weight,
};
#[cfg(hidden)]
use apical_core::classify::LayerState;
use apical_core::classify::{Classifier, Frozen};
use apical_core::memory::InputMemory;
use apical_core::parameters::Coefficients;

#[repr(C, align(4))]
struct Aligned<T: ?Sized>(T);

static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.bin")));

const HEADER: usize = 32;

/// The parts of a layer.
pub struct Parts<W: 'static> {
    /// W, column by column.
    pub weights: &'static [W],
    /// Bound of each column; empty with weights of 8 bits.
    pub bounds: &'static [u16],
    /// Biases times k_B.
    pub bias: &'static [i16],
    /// Y, column by column; empty in the output layer.
    pub feedback: &'static [W],
}

impl<W> Parts<W> {
    fn frozen(self, coefficients: &'static Coefficients) -> Frozen<'static, W> {
        let Self { weights, bounds, bias, .. } = self;
        Frozen { coefficients, weights, bounds, bias }
    }
}

/// Reads one part after another.
struct Reader(usize);

impl Reader {
    fn take<T: bytemuck::AnyBitPattern>(&mut self, count: usize) -> &'static [T] {
        let bytes = count * size_of::<T>();
        let part = MODEL.0.get(self.0..self.0 + bytes).and_then(|part| bytemuck::try_cast_slice(part).ok());
        self.0 += bytes.next_multiple_of(4);
        part.unwrap_or(&[])
    }

    fn layer<W: bytemuck::AnyBitPattern>(&mut self, fan_in: usize, units: usize, outputs: usize) -> Parts<W> {
        Parts {
            weights: self.take(fan_in * units),
            bounds: if size_of::<W>() == 2 { self.take(fan_in) } else { &[] },
            bias: self.take(units),
            feedback: self.take(outputs * units),
        }
    }
}

/// The layers, lowest first; in a network of one layer the first is empty.
pub fn layers() -> (Parts<Weight>, Parts<OutputWeight>) {
    let mut reader = Reader(HEADER);
    let hidden = if HIDDEN > 0 { reader.layer(PIXELS, HIDDEN, OUTPUTS) } else { reader.layer(0, 0, 0) };
    (hidden, reader.layer(if HIDDEN > 0 { HIDDEN } else { PIXELS }, OUTPUTS, 0))
}

/// All that changes while images are classified.
pub struct State {
    input: InputMemory<PIXELS, { crate::network::ACTIVE }, { crate::network::SPIKES }>,
    #[cfg(hidden)]
    hidden: LayerState<HIDDEN>,
    layers: Option<(Frozen<'static, Weight>, Frozen<'static, OutputWeight>)>,
}

impl State {
    /// At rest.
    pub const fn new() -> Self {
        Self {
            input: InputMemory::new(),
            #[cfg(hidden)]
            hidden: LayerState::new(),
            layers: None,
        }
    }

    /// What answers for an image, shown for so many steps, under a seed and its number.
    pub fn classifier(&'static mut self) -> impl FnMut(&[u8], u32, (u64, u32)) -> usize {
        let (hidden, output) = layers();
        #[cfg(hidden)]
        let hidden = hidden.frozen(&HIDDEN_COEFFICIENTS);
        #[cfg(not(hidden))]
        let hidden = hidden.frozen(&OUTPUT_COEFFICIENTS);
        let (_hidden, output) = self.layers.insert((hidden, output.frozen(&OUTPUT_COEFFICIENTS)));
        let mut classifier = Classifier::<_, Weight, { LAYERS - 1 }, OutputWeight>::new(
            Kernels,
            &AREAS,
            [
                #[cfg(hidden)]
                (_hidden, &mut self.hidden as _),
            ],
            output,
        );
        let input = &mut self.input;
        move |image, steps, of| classifier.classify(&mut input.input(), image, steps, of)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
