//! What the programs for the boards share: entry point, network, examples from the host, counter of instructions,
//! gauge of the stack, an end for faults and panics.
#![no_std]

use defmt_semihosting as _;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

#[cfg_attr(target_arch = "arm", path = "count/systick.rs")]
#[cfg_attr(target_arch = "riscv32", path = "count/mcycle.rs")]
pub mod count;
pub mod examples;
pub mod fault;
pub mod model;
pub mod network;
pub mod once;
pub mod session;
pub mod stack;
#[cfg(thumb2)]
pub mod thumb;

/// The board this program is linked for.
pub const BOARD: &str = env!("BOARD");
/// The network it holds: sizes, and bits of a weight.
pub const NETWORK: &str = env!("NETWORK");
