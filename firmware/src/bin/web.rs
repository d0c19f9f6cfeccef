//! The learner for WebAssembly: exported functions that `web/learn.mjs` calls with the examples of the host.
#![no_std]
#![no_main]

use apical_firmware::network::{COUNT, LAYERS, Memory, PIXELS, StepByStep};
use apical_firmware::once::Once;
use core::sync::atomic::{AtomicPtr, Ordering};

struct Web {
    memory: Memory,
    image: [u8; PIXELS],
}

static WEB: Once<Web> = Once::new(Web { memory: Memory::new(), image: [0; PIXELS] });
static TAKEN: AtomicPtr<Web> = AtomicPtr::new(core::ptr::null_mut());

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

fn web() -> &'static mut Web {
    if let Some(web) = WEB.take() {
        TAKEN.store(web, Ordering::Relaxed);
    }
    // SAFETY: set above by the first call; one thread, and no function here calls another one.
    unsafe { &mut *TAKEN.load(Ordering::Relaxed) }
}

fn seed_of(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Where an image is to be written before `train` and `test`.
#[unsafe(no_mangle)]
extern "C" fn image() -> *mut u8 {
    web().image.as_mut_ptr()
}

/// Pixels of an image.
#[unsafe(no_mangle)]
extern "C" fn pixels() -> u32 {
    PIXELS as u32
}

/// Opens the streams and draws the weights.
#[unsafe(no_mangle)]
extern "C" fn seed(low: u32, high: u32) {
    web().memory.seed(seed_of(low, high));
}

/// Learns the image; the answer in the low byte, the steps above.
#[unsafe(no_mangle)]
extern "C" fn train(label: u32) -> u32 {
    let Web { memory, image } = web();
    let example = memory.with::<COUNT, _>(|network| network.train(image, label as usize, &mut StepByStep));
    example.answer as u32 | (example.steps[0] + example.steps[1]) << 8
}

/// Classifies the image.
#[unsafe(no_mangle)]
extern "C" fn test(steps: u32, low: u32, high: u32, index: u32) -> u32 {
    let Web { memory, image } = web();
    let of = (seed_of(low, high), index);
    memory.with::<COUNT, _>(|network| network.test(image, steps, of, &mut StepByStep)) as u32
}

/// Fingerprint of the whole state.
#[unsafe(no_mangle)]
extern "C" fn digest() -> u64 {
    web().memory.with::<false, _>(|network| network.digest())
}

/// Spikes of the input (0) and of each layer so far.
#[unsafe(no_mangle)]
extern "C" fn fired(layer: u32) -> u32 {
    web().memory.with::<false, _>(|network| match layer as usize {
        0 => network.input.control.fired,
        LAYERS => network.output.control.fired,
        _ => network.hidden.first().map_or(0, |layer| layer.control.fired),
    })
}

/// Values held at the end of their range so far.
#[unsafe(no_mangle)]
extern "C" fn saturated() -> u32 {
    web().memory.saturated()
}

/// Layers of neurons.
#[unsafe(no_mangle)]
extern "C" fn layers() -> u32 {
    LAYERS as u32
}
