//! Trains on the host's examples and tests, all on the device; reports so that the host can compare every digest.
#![no_std]
#![no_main]

use apical_core::digest::Digest;
use apical_core::network::Example;
use apical_firmware::examples::Examples;
use apical_firmware::network::{COUNT, LAYERS, Memory};
use apical_firmware::once::Once;
use apical_firmware::{BOARD, NETWORK, entry, stack};
use defmt::info;
use semihosting::process;

static MEMORY: Once<Memory> = Once::new(Memory::new());

#[entry]
fn main() -> ! {
    stack::paint();
    let Some(memory) = MEMORY.take() else { process::exit(1) };
    let (mut examples, plan) = Examples::open();
    memory.seed(plan.seed);
    info!("board {=str} network {=str} bytes {=usize} counts {=bool}", BOARD, NETWORK, size_of::<Memory>(), COUNT);
    report(memory, 0, 0, 0);

    let (mut wrong, mut steps) = (0u32, 0u32);
    for number in 1..=plan.train {
        let (image, label) = examples.next();
        let example = train(memory, image, label);
        wrong += u32::from(example.answer != label);
        steps += example.steps[0] + example.steps[1];
        if number % plan.every.max(1) == 0 || number == plan.train {
            report(memory, number, wrong, steps);
        }
    }

    let (mut wrong, mut answers) = (0u32, Digest::default());
    for index in 0..plan.test {
        let (image, label) = examples.next();
        let answer = test(memory, image, plan.steps, (plan.seed, index));
        wrong += u32::from(answer != label);
        answers.word(answer as u32);
        let tested = index + 1;
        if tested % plan.every.max(1) == 0 || tested == plan.test {
            info!("tested {=u32} wrong {=u32} answers {=u64:016x}", tested, wrong, answers.value());
        }
    }
    info!("stack {=usize}", stack::high_water());
    process::exit(0)
}

#[inline(never)]
fn train(memory: &mut Memory, image: &[u8], label: usize) -> Example {
    memory.with::<COUNT, _>(|network| network.train(image, label, &mut ()))
}

#[inline(never)]
fn test(memory: &mut Memory, image: &[u8], steps: u32, of: (u64, u32)) -> usize {
    memory.with::<COUNT, _>(|network| network.test(image, steps, of, &mut ()))
}

/// Counts since the beginning, and the fingerprint of the whole state.
#[inline(never)]
fn report(memory: &mut Memory, examples: u32, wrong: u32, steps: u32) {
    let saturated = memory.saturated();
    let (fired, digest) = memory.with::<false, _>(|network| {
        let mut fired = [0; 3];
        fired[0] = network.input.control.fired;
        for layer in network.hidden.iter() {
            fired[1] = layer.control.fired;
        }
        fired[LAYERS] = network.output.control.fired;
        (fired, network.digest())
    });
    info!(
        "trained {=u32} wrong {=u32} steps {=u32} fired {=u32} {=u32} {=u32} saturated {=u32} digest {=u64:016x}",
        examples, wrong, steps, fired[0], fired[1], fired[2], saturated, digest
    );
}
