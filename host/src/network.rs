//! A core network of any size: the memory that the host lends to it, and the instructions
//! it runs on.

use crate::aligned::Aligned;
use crate::model::Model;
use apical_core::arithmetic::{Arithmetic, Scratch};
use apical_core::initial::{last_feedback, paper_feedback};
use apical_core::input::{Input, InputControl};
use apical_core::kernels::{LISTED, PLACES, places_of, reaches_of, weights_of};
use apical_core::layer::{Layer, LayerControl};
use apical_core::losses::{LayerTallies, Losses, NO_LOSSES};
use apical_core::network::{Control, Network};
use apical_core::parameters::Preset;
use apical_core::schedule::{MOST_STEPS, Workspace};
use apical_core::spikes::Spikes;
use apical_core::tables::noise::BLOCK;
use apical_core::tables::psp::{Areas, Kernel, TAPS, areas};
use apical_core::trains::{Masks, Trains, WORDS};

/// Memory of a layer. Columns are padded to whole blocks of 32.
pub struct OwnedLayer<A: Arithmetic> {
    /// Coefficients and formats.
    pub coefficients: A::Coefficients,
    /// Neurons.
    pub units: usize,
    /// Entries of a column.
    pub stride: usize,
    /// W, a column for each presynaptic unit.
    pub weights: Aligned<A::Weight>,
    /// Y, a column for each output unit.
    pub feedback: Aligned<A::Weight>,
    /// Bias times k_B.
    pub bias: Aligned<A::State>,
    bounds: Vec<u16>,
    sums: Aligned<A::State>,
    fast: Aligned<A::State>,
    slow: Aligned<A::State>,
    soma: Aligned<A::State>,
    history: Aligned<A::State>,
    soma_sums: Aligned<A::Sum>,
    plateaus: Aligned<A::State>,
    errors: Aligned<A::State>,
    psp: Vec<u16>,
    spikes: Vec<u16>,
    /// Streams and counters.
    pub control: LayerControl,
    tallies: LayerTallies,
}

impl<A: Arithmetic> Clone for OwnedLayer<A>
where
    A::Coefficients: Clone,
{
    fn clone(&self) -> Self {
        Self {
            coefficients: self.coefficients.clone(),
            units: self.units,
            stride: self.stride,
            weights: self.weights.clone(),
            feedback: self.feedback.clone(),
            bias: self.bias.clone(),
            bounds: self.bounds.clone(),
            sums: self.sums.clone(),
            fast: self.fast.clone(),
            slow: self.slow.clone(),
            soma: self.soma.clone(),
            history: self.history.clone(),
            soma_sums: self.soma_sums.clone(),
            plateaus: self.plateaus.clone(),
            errors: self.errors.clone(),
            psp: self.psp.clone(),
            spikes: self.spikes.clone(),
            control: self.control.clone(),
            tallies: self.tallies,
        }
    }
}

impl<A: Arithmetic> OwnedLayer<A> {
    fn new(coefficients: A::Coefficients, model: &Model, number: usize) -> Self {
        let (fan_in, units) = (model.sizes[number], model.sizes[number + 1]);
        let stride = padded::<A::Weight>(units);
        let last = number + 2 == model.sizes.len();
        let outputs = if last { 0 } else { model.outputs() };
        let zeros = || Aligned::filled(A::State::default(), stride);
        let taps = if model.kernel == Kernel::Cut { TAPS } else { 0 };
        Self {
            coefficients,
            units,
            stride,
            weights: Aligned::filled(A::Weight::default(), fan_in * stride),
            feedback: Aligned::filled(A::Weight::default(), outputs * stride),
            bias: zeros(),
            // A single block is added up in 32 bits and needs no bounds.
            bounds: vec![0; if stride > 32 { fan_in } else { 0 }],
            sums: zeros(),
            fast: zeros(),
            slow: zeros(),
            soma: zeros(),
            history: Aligned::filled(A::State::default(), taps * stride),
            soma_sums: Aligned::filled(A::Sum::default(), stride),
            plateaus: zeros(),
            errors: zeros(),
            psp: vec![0; stride],
            spikes: vec![0; stride * Spikes::PER_UNIT + Spikes::ROOM],
            control: LayerControl::new(model.seed, number as u8),
            tallies: NO_LOSSES,
        }
    }

    /// Bytes of weights, and of everything else a device would hold, without padding.
    fn bytes(&self) -> (usize, usize) {
        let (weight, state) = (size_of::<A::Weight>(), size_of::<A::State>());
        let columns = (self.weights.len() + self.feedback.len()) / self.stride;
        let unit = 8 * state + size_of::<A::Sum>() + 2 + 2 * Spikes::PER_UNIT;
        let history = self.history.len() / self.stride * state;
        let bounds = if weight == 1 { 0 } else { 2 * self.bounds.len() };
        (columns * self.units * weight, self.units * (unit + history) + bounds)
    }

    /// What was lost since the last call.
    fn take_losses(&mut self) -> LayerTallies {
        std::mem::replace(&mut self.tallies, NO_LOSSES)
    }

    fn take_fired(&mut self) -> u64 {
        u64::from(std::mem::take(&mut self.control.fired))
    }

    /// Lends the memory.
    fn lend(&mut self) -> Layer<'_, A> {
        Layer {
            coefficients: &self.coefficients,
            units: self.units,
            stride: self.stride,
            weights: &mut self.weights,
            bounds: &mut self.bounds,
            feedback: &mut self.feedback,
            bias: &mut self.bias,
            sums: &mut self.sums,
            fast: &mut self.fast,
            slow: &mut self.slow,
            soma: &mut self.soma,
            history: &mut self.history,
            soma_sums: &mut self.soma_sums,
            plateaus: &mut self.plateaus,
            errors: &mut self.errors,
            psp: &mut self.psp,
            spikes: Spikes::new(&mut self.spikes),
            control: &mut self.control,
        }
    }
}

/// A whole network and its memory.
pub struct OwnedNetwork<A: Arithmetic> {
    arithmetic: A,
    areas: Areas,
    active: Vec<u16>,
    potentials: Aligned<i16>,
    input_psp: Vec<u16>,
    input_spikes: Vec<u16>,
    input_control: InputControl,
    /// Hidden layers, lowest first.
    pub hidden: Vec<OwnedLayer<A>>,
    /// Output layer.
    pub output: OwnedLayer<A::Output>,
    means: Vec<A::State>,
    control: Control,
    workspace: OwnedWorkspace,
}

/// Memory to go layer by layer; from run to run nothing in it is of use.
#[derive(Debug)]
struct OwnedWorkspace {
    levels: Vec<OwnedTrains>,
    places: Vec<u16>,
    reaches: Vec<u16>,
    weights: Aligned<i16>,
    psp: Vec<u16>,
    sums: Aligned<i32>,
    listed: Aligned<u32>,
}

/// Memory for the spikes of a level. What is never written to costs nothing but addresses.
#[derive(Debug)]
struct OwnedTrains {
    units: Vec<u16>,
    ends: Vec<u32>,
    words: Aligned<u32>,
    more: Vec<u32>,
}

impl OwnedTrains {
    fn new(units: usize) -> Self {
        Self {
            units: vec![0; MOST_STEPS * units * Spikes::PER_UNIT + Trains::ROOM],
            ends: vec![0; MOST_STEPS],
            words: Aligned::filled(0, units.div_ceil(BLOCK) * 3 * WORDS),
            more: vec![0; WORDS],
        }
    }

    fn lend(&mut self) -> Trains<'_> {
        let fired = self.words.as_chunks_mut::<WORDS>().0.as_chunks_mut().0;
        let masks = Masks { fired, more: &mut self.more, blocks: 0 };
        Trains::new(&mut self.units, &mut self.ends, masks)
    }
}

impl OwnedWorkspace {
    fn new(sizes: &[usize]) -> Self {
        let widest = sizes.iter().max().map_or(0, |units| units.div_ceil(BLOCK));
        Self {
            levels: sizes.iter().map(|&units| OwnedTrains::new(units)).collect(),
            places: vec![0; MOST_STEPS * places_of(widest)],
            reaches: vec![0; reaches_of(widest)],
            weights: Aligned::filled(0, weights_of(widest) * PLACES),
            psp: vec![0; widest * BLOCK],
            sums: Aligned::filled(0, MOST_STEPS * PLACES),
            listed: Aligned::filled(0, 2 * LISTED),
        }
    }
}

impl<A: Arithmetic + Clone> Clone for OwnedNetwork<A>
where
    A::Coefficients: Clone,
{
    fn clone(&self) -> Self {
        Self {
            arithmetic: self.arithmetic.clone(),
            areas: self.areas,
            active: self.active.clone(),
            potentials: self.potentials.clone(),
            input_psp: self.input_psp.clone(),
            input_spikes: self.input_spikes.clone(),
            input_control: self.input_control.clone(),
            hidden: self.hidden.clone(),
            output: self.output.clone(),
            means: self.means.clone(),
            control: self.control.clone(),
            workspace: OwnedWorkspace::new(&self.sizes()),
        }
    }
}

impl<A: Arithmetic> OwnedNetwork<A> {
    /// A network with its initial weights. `coefficients` makes those of each layer.
    pub fn new(arithmetic: A, model: &Model, coefficients: impl Fn(usize) -> A::Coefficients) -> Self {
        let inputs = model.sizes[0];
        let last = model.layers() - 1;
        let mut network = Self {
            arithmetic,
            areas: areas(model.kernel),
            active: vec![0; inputs.next_multiple_of(32)],
            potentials: Aligned::filled(0, inputs.next_multiple_of(32)),
            input_psp: vec![0; inputs],
            input_spikes: vec![0; inputs * Spikes::PER_UNIT + Spikes::ROOM],
            input_control: InputControl::new(model.seed),
            hidden: (0..last).map(|l| OwnedLayer::new(coefficients(l), model, l)).collect(),
            output: OwnedLayer::new(coefficients(last), model, last),
            means: vec![A::State::default(); model.outputs()],
            control: Control::new(model.seed),
            workspace: OwnedWorkspace::new(&model.sizes),
        };
        network.draw(model);
        network
    }

    fn draw(&mut self, model: &Model) {
        let (preset, seed) = (model.preset, model.seed);
        let feedback = paper_feedbacks(model);
        self.with(|network| {
            let arithmetic = network.arithmetic;
            let weights = |number: usize| preset.weights(model.sizes[number]);
            let last = network.hidden.len();
            let (output, bias) = (&mut network.output, preset.bias());
            output.draw_weights(&arithmetic.output(), seed, last as u8, weights(last), bias);
            for (number, layer) in network.hidden.iter_mut().enumerate() {
                layer.draw_weights(arithmetic, seed, number as u8, weights(number), bias);
                let Some(values) = feedback.get(number) else {
                    let distribution = preset.feedback(layer.units);
                    layer.draw_feedback(arithmetic, seed, number as u8, distribution);
                    continue;
                };
                layer.set_feedback(arithmetic, values);
            }
        });
    }

    /// Lends the memory to a network for as long as `f` runs.
    pub fn with<R>(&mut self, f: impl for<'a> FnOnce(&mut Network<'a, A>) -> R) -> R {
        let input = Input {
            active: &mut self.active,
            potentials: &mut self.potentials,
            psp: &mut self.input_psp,
            spikes: Spikes::new(&mut self.input_spikes),
            control: &mut self.input_control,
        };
        let tallies = self.hidden.iter().map(|layer| layer.tallies);
        let mut tallies: Vec<LayerTallies> = tallies.chain([self.output.tallies]).collect();
        let result = {
            let mut hidden: Vec<Layer<'_, A>> = self.hidden.iter_mut().map(OwnedLayer::lend).collect();
            let OwnedWorkspace { levels, places, reaches, weights, psp, sums, listed } = &mut self.workspace;
            let mut trains: Vec<Trains<'_>> = levels.iter_mut().map(OwnedTrains::lend).collect();
            let (weights, sums) = (weights.as_chunks_mut().0, sums.as_chunks_mut().0);
            let listed = listed.as_chunks_mut().0;
            let scratch = Scratch { places, reaches, weights, psp, sums, listed };
            let mut network = Network {
                arithmetic: &self.arithmetic,
                areas: &self.areas,
                input,
                hidden: &mut hidden,
                output: self.output.lend(),
                means: &mut self.means,
                control: &mut self.control,
                losses: Losses::new(&mut tallies),
                workspace: Some(Workspace { trains: &mut trains, scratch }),
            };
            f(&mut network)
        };
        let places = self.hidden.iter_mut().map(|layer| &mut layer.tallies);
        places.chain([&mut self.output.tallies]).zip(tallies).for_each(|(place, tallies)| *place = tallies);
        result
    }

    /// What was lost since the last call, by layer.
    pub fn take_losses(&mut self) -> Vec<LayerTallies> {
        let hidden = self.hidden.iter_mut().map(OwnedLayer::take_losses);
        hidden.chain([self.output.take_losses()]).collect()
    }

    /// Spikes since the last call: inputs first, then each layer.
    pub fn take_fired(&mut self) -> Vec<u64> {
        let input = u64::from(std::mem::take(&mut self.input_control.fired));
        let hidden = self.hidden.iter_mut().map(OwnedLayer::take_fired);
        [input].into_iter().chain(hidden).chain([self.output.take_fired()]).collect()
    }

    /// Fingerprint of the whole state.
    pub fn digest(&mut self) -> u64 {
        self.with(|network| network.digest())
    }

    /// Bytes of weights, and of everything else a device would hold, without padding.
    pub fn bytes(&self) -> (usize, usize) {
        let input = self.input_psp.len() * 6 + 2 * apical_core::memory::INPUT_SPIKES;
        let layers = self.hidden.iter().map(OwnedLayer::bytes).chain([self.output.bytes()]);
        layers.fold((0, input), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1))
    }

    /// Units of each level, inputs first.
    fn sizes(&self) -> Vec<usize> {
        [self.input_psp.len()].into_iter().chain(self.units()).collect()
    }

    /// Neurons of each layer, output last.
    pub fn units(&self) -> Vec<usize> {
        self.hidden.iter().map(|layer| layer.units).chain([self.output.units]).collect()
    }

    /// Coefficients of a layer, the output layer if there is no such hidden one.
    pub fn coefficients(&self, number: usize) -> &A::Coefficients {
        self.hidden.get(number).map_or(&self.output.coefficients, |layer| &layer.coefficients)
    }
}

/// Units of a column with its padding: whole blocks of 32, and from two cache lines on an odd
/// number of lines, so that a few blocks of many columns do not all fall into one set of a
/// cache.
fn padded<W>(units: usize) -> usize {
    // A line, or where a line is shorter than a block, a block.
    let line = (64 / size_of::<W>()).max(32);
    let lines = units.div_ceil(line);
    if units <= line { units.next_multiple_of(32) } else { (lines | 1) * line }
}

/// Feedback of every hidden layer but the last, where the preset makes it of the next
/// layer's; empty otherwise. In 2⁻²⁰, output by output.
fn paper_feedbacks(model: &Model) -> Vec<Vec<i64>> {
    let hidden = model.hidden();
    if model.preset != Preset::Paper || hidden.len() < 2 {
        return Vec::new();
    }
    let last = hidden.len() - 1;
    let mut made = vec![vec![0; model.outputs() * hidden[last]]];
    last_feedback(model.seed, last as u8, hidden[last], &mut made[0]);
    for number in (0..last).rev() {
        let mut values = vec![0; model.outputs() * hidden[number]];
        let above = (made[0].as_slice(), hidden[number + 1]);
        paper_feedback(model.seed, number as u8, hidden[number], above, &mut values);
        made.insert(0, values);
    }
    made.pop();
    made
}
