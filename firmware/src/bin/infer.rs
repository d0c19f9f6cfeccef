//! Classifies the host's images with a network that a host has trained and that stays in flash; where it is built to
//! (`GO_ON=1`) it takes the weights into RAM, goes on learning, and classifies then.
#![no_std]
#![no_main]

use apical_firmware::examples::Examples;
use apical_firmware::once::Once;
use apical_firmware::{BOARD, NETWORK, entry, stack};
use defmt::info;
use semihosting::process;

#[cfg(go_on)]
type State = apical_firmware::network::Memory;
#[cfg(not(go_on))]
type State = apical_firmware::model::State;

static STATE: Once<State> = Once::new(State::new());

#[entry]
fn main() -> ! {
    stack::paint();
    let Some(state) = STATE.take() else { process::exit(1) };
    let mut examples = Examples::open();
    let plan = examples.plan;
    info!("board {=str} network {=str} bytes {=usize}", BOARD, NETWORK, size_of::<State>());
    #[cfg(go_on)]
    {
        state.seed(plan.seed);
        state.load();
        apical_firmware::session::run(state, &mut examples, &plan);
    }
    #[cfg(not(go_on))]
    {
        let mut classify = state.classifier();
        let of = |index| (plan.seed, index);
        apical_firmware::session::test_all(&mut examples, &plan, |image, index| {
            classify(image, plan.steps, of(index))
        });
    }
    info!("stack {=usize}", stack::high_water());
    process::exit(0)
}
