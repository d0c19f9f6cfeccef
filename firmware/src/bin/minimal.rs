//! The least that learns: four outputs, 64 pixels, 8-bit weights. The example of README.md.
#![no_std]
#![no_main]

use apical_core::formats::ERROR_FRACTION;
use apical_core::kernels::Plain;
use apical_core::losses::Losses;
use apical_core::memory::{InputMemory, LayerMemory};
use apical_core::native::Native;
use apical_core::network::{Control, Network};
use apical_core::parameters::{Coefficients, LayerParameters, Preset};
use apical_core::rounding::Rounding;
use apical_core::tables::psp::{Areas, Kernel, areas};
use apical_firmware::entry;
use apical_firmware::network::StepByStep;
use apical_firmware::once::Once;
use semihosting::process;

static COEFFICIENTS: Coefficients = LayerParameters {
    kernel: Kernel::Scaled,
    learning_rate: 0.21,
    weight_fraction: 3,
    error_fraction: ERROR_FRACTION,
    rounding: Rounding::Stochastic,
}
.coefficients();
static AREAS: Areas = areas(Kernel::Scaled);

static INPUT: Once<InputMemory<64>> = Once::new(InputMemory::new());
static OUTPUT: Once<LayerMemory<i8, 64, 4, 0>> = Once::new(LayerMemory::new());

const SEED: u64 = 1;

#[entry]
fn main() -> ! {
    let (Some(input), Some(output)) = (INPUT.take(), OUTPUT.take()) else { process::exit(1) };
    input.seed(SEED);
    output.seed(SEED, 0);
    let (arithmetic, mut control, mut means) = (Native::<Plain, i8>::new(Plain), Control::new(SEED), [0; 4]);
    let mut network = Network {
        arithmetic: &arithmetic,
        areas: &AREAS,
        input: input.input(),
        hidden: &mut [],
        output: output.layer(&COEFFICIENTS),
        means: &mut means,
        control: &mut control,
        losses: Losses::none(),
        workspace: None,
    };
    let (weights, bias) = const { (Preset::May2017.weights(64), Preset::May2017.bias()) };
    network.output.draw_weights(&arithmetic, SEED, 0, weights, bias);

    // Four images, each with another quarter lit, until their answers are right.
    let image = |label: usize| -> [u8; 64] {
        core::array::from_fn(|pixel| if pixel / 16 == label { 255 } else { 0 })
    };
    for example in 0..400 {
        network.train(&image(example % 4), example % 4, &mut StepByStep);
    }
    let right =
        (0..4).filter(|&label| network.test(&image(label), 100, (SEED, 0), &mut StepByStep) == label).count();
    defmt::info!("{=usize} of 4 right", right);
    process::exit(if right == 4 { 0 } else { 1 })
}
