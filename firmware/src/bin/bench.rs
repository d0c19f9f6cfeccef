//! Counts instructions: of a training example, and of the parts it consists of. Run it with COUNT=1.
#![no_std]
#![no_main]

use apical_core::arithmetic::{Arithmetic, Columns, ColumnsMut, Dynamics, Updates};
use apical_core::input::Input;
use apical_core::layer::Layer;
use apical_core::losses::Losses;
use apical_core::network::Example;
use apical_core::random::Offsets;
use apical_firmware::count::Counter;
use apical_firmware::examples::Examples;
use apical_firmware::network::{Memory, PIXELS, StepByStep};
use apical_firmware::once::Once;
use apical_firmware::{BOARD, NETWORK, entry};
use core::hint::black_box;
use defmt::info;
use semihosting::process;

static MEMORY: Once<Memory> = Once::new(Memory::new());
/// Times that a part is repeated, so that the grain of the counter does not matter.
const TIMES: u32 = 100;

#[entry]
fn main() -> ! {
    let Some(memory) = MEMORY.take() else { process::exit(1) };
    let counter = Counter::start();
    let mut examples = Examples::open();
    let plan = examples.plan;
    memory.seed(plan.seed);
    info!("board {=str} network {=str} grain {=u64}", BOARD, NETWORK, Counter::RESOLUTION);

    let mut ticks = 0;
    for _ in 0..plan.train {
        let (image, label) = examples.take();
        let before = counter.ticks();
        train(memory, image, label);
        ticks += counter.ticks() - before;
    }
    info!("count {=str} {=u64} of {=u32}", "example", Counter::instructions(ticks), plan.train);
    count_parts(memory, &counter);
    process::exit(0)
}

#[inline(never)]
fn train(memory: &mut Memory, image: &[u8], label: usize) -> Example {
    memory.with::<false, _>(|network| network.train(image, label, &mut StepByStep))
}

/// The kernels one by one, on the state that training left.
#[inline(never)]
fn count_parts(memory: &mut Memory, counter: &Counter) {
    memory.with::<false, _>(|network| {
        let arithmetic = network.arithmetic;
        let input = &mut network.input;
        let active = input.control.active;

        let before = counter.ticks();
        let mut fired = 0;
        for _ in 0..TIMES {
            let potentials = black_box(&*input.potentials).get(..active).unwrap_or(&[]);
            arithmetic.fire_pixels(
                potentials,
                input.active,
                Offsets::new(&mut input.control.draws),
                &mut input.spikes,
            );
            fired += input.spikes.as_slice().len() as u32;
        }
        let spent = Counter::instructions(counter.ticks() - before);
        info!("count {=str} {=u64} of {=u32}", "pixel-step", spent, TIMES * PIXELS as u32);
        info!("count {=str} {=u64} of {=u32}", "active-pixel-step", spent, TIMES * active as u32);
        info!("count {=str} {=u64} of {=u32}", "input-spike", spent, fired);

        match network.hidden.first_mut() {
            Some(layer) => count_layer(arithmetic, layer, input, counter),
            None => count_layer(&arithmetic.output(), &mut network.output, input, counter),
        }
    });
}

/// The parts of the layer above the pixels.
#[inline(always)]
fn count_layer<A>(arithmetic: &A, layer: &mut Layer<'_, A>, input: &Input<'_>, counter: &Counter)
where
    A: Arithmetic<State = i16>,
{
    let mut losses = Losses::none();
    let units = layer.units as u32;
    let spikes = input.spikes.as_slice();
    let before = counter.ticks();
    for _ in 0..TIMES {
        let columns = Columns {
            weights: layer.weights,
            units: layer.units,
            stride: layer.stride,
            bounds: layer.bounds,
        };
        arithmetic.sum_columns(layer.coefficients, columns, black_box(spikes), layer.sums, &mut losses);
    }
    let spent = Counter::instructions(counter.ticks() - before);
    info!("count {=str} {=u64} of {=u32}", "synaptic-operation", spent, TIMES * units * spikes.len() as u32);

    let before = counter.ticks();
    for _ in 0..TIMES {
        let state = Dynamics {
            sums: black_box(layer.sums),
            fast: layer.fast,
            slow: layer.slow,
            soma: layer.soma,
            bias: layer.bias,
            oldest: &mut [],
        };
        let offsets = Offsets::new(&mut layer.control.draws);
        arithmetic.advance(
            layer.coefficients,
            state,
            layer.units,
            None,
            offsets,
            &mut layer.spikes,
            &mut losses,
        );
    }
    let spent = Counter::instructions(counter.ticks() - before);
    info!("count {=str} {=u64} of {=u32}", "neuron-step", spent, TIMES * units);

    let columns = input.psp.iter().filter(|&&sum| sum > 0).count() as u32;
    let before = counter.ticks();
    let matrix = ColumnsMut { weights: layer.weights, stride: layer.stride, bounds: layer.bounds };
    let (errors, dither) = (&*layer.errors, &mut layer.control.dither);
    let updates = Updates { matrix, presynaptic: black_box(input.psp), steps: 22, errors, dither };
    arithmetic.learn(layer.coefficients, updates, &mut losses);
    let spent = Counter::instructions(counter.ticks() - before);
    info!("count {=str} {=u64} of {=u32}", "changed-weight", spent, columns * units);
}
