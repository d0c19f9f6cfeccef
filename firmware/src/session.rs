//! A run: train on the host's examples and test, with reports that the host can compare digest by digest.

use crate::examples::{Examples, Plan};
use crate::network::{COUNT, LAYERS, Memory, StepByStep};
use apical_core::digest::Digest;
use apical_core::network::Example;
use defmt::info;

/// Trains and tests.
pub fn run(memory: &mut Memory, examples: &mut Examples, plan: &Plan) {
    report(memory, 0, 0, 0);
    let (mut wrong, mut steps) = (0u32, 0u32);
    for number in 1..=plan.train {
        let (image, label) = examples.take();
        let example = train(memory, image, label);
        wrong += u32::from(example.answer != label);
        steps += example.steps[0] + example.steps[1];
        if plan.reports(number, plan.train) {
            report(memory, number, wrong, steps);
        }
    }
    test_all(examples, plan, |image, index| test(memory, image, plan.steps, (plan.seed, index)));
}

/// Tests on the images that are left.
#[inline(always)]
pub fn test_all(examples: &mut Examples, plan: &Plan, mut answer: impl FnMut(&[u8], u32) -> usize) {
    let (mut wrong, mut answers) = (0u32, Digest::default());
    for index in 0..plan.test {
        let (image, label) = examples.take();
        let answer = answer(image, index);
        wrong += u32::from(answer != label);
        answers.word(answer as u32);
        let tested = index + 1;
        if plan.reports(tested, plan.test) {
            info!("tested {=u32} wrong {=u32} answers {=u64:016x}", tested, wrong, answers.value());
        }
    }
}

#[inline(never)]
fn train(memory: &mut Memory, image: &[u8], label: usize) -> Example {
    memory.with::<COUNT, _>(|network| network.train(image, label, &mut StepByStep))
}

#[inline(never)]
fn test(memory: &mut Memory, image: &[u8], steps: u32, of: (u64, u32)) -> usize {
    memory.with::<COUNT, _>(|network| network.test(image, steps, of, &mut StepByStep))
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
