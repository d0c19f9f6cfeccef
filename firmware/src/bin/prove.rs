//! Everything the core does on a device, without a log: linked with the feature `prove`, whose panic handler calls a
//! function that does not exist, this is the proof that nothing in the core can panic. With `prove-fails` it does not
//! link, which shows that the proof can fail. See ../../check.
#![no_std]
#![no_main]

use apical_firmware::network::{Memory, PIXELS, StepByStep};
use apical_firmware::once::Once;
use apical_firmware::{entry, model};
use core::hint::black_box;
use semihosting::process;

static MEMORY: Once<Memory> = Once::new(Memory::new());
static STATE: Once<model::State> = Once::new(model::State::new());
static IMAGE: [u8; PIXELS] = [7; PIXELS];

#[entry]
fn main() -> ! {
    let (Some(memory), Some(state)) = (MEMORY.take(), STATE.take()) else { process::exit(1) };
    let image = black_box(&IMAGE);
    memory.seed(black_box(1));
    memory.load();
    let (label, steps) = (black_box(3), black_box(100));
    let learnt = memory.with::<true, _>(|network| network.train(image, label, &mut StepByStep));
    let again = memory.with::<false, _>(|network| network.train(image, label, &mut StepByStep));
    let counted = memory.with::<true, _>(|network| network.test(image, steps, (1, 2), &mut StepByStep));
    let answer = memory.with::<false, _>(|network| network.test(image, steps, (1, 2), &mut StepByStep));
    let digest = memory.with::<false, _>(|network| network.digest());
    let frozen = state.classifier()(image, steps, (1, 2));
    black_box((learnt, again, counted, answer, digest, frozen));
    #[cfg(feature = "prove-fails")]
    black_box(IMAGE[black_box(PIXELS)]);
    process::exit(0)
}
