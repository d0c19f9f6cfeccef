//! Trains on the host's examples and tests, all on the device.
#![no_std]
#![no_main]

use apical_firmware::examples::Examples;
use apical_firmware::network::{COUNT, Memory};
use apical_firmware::once::Once;
use apical_firmware::{BOARD, NETWORK, entry, session, stack};
use defmt::info;
use semihosting::process;

static MEMORY: Once<Memory> = Once::new(Memory::new());

#[entry]
fn main() -> ! {
    stack::paint();
    let Some(memory) = MEMORY.take() else { process::exit(1) };
    let mut examples = Examples::open();
    let plan = examples.plan;
    info!(
        "board {=str} network {=str} bytes {=usize} counts {=bool}",
        BOARD,
        NETWORK,
        size_of::<Memory>(),
        COUNT
    );
    memory.seed(plan.seed);
    session::run(memory, &mut examples, &plan);
    info!("stack {=usize}", stack::high_water());
    process::exit(0)
}
