//! What the programs for the boards share: entry point, network, examples from the host, counter of instructions,
//! gauge of the stack, an end for faults and panics.
#![no_std]

// A logger can panic.
#[cfg(all(target_os = "none", not(feature = "prove")))]
use defmt_semihosting as _;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

#[cfg(target_os = "none")]
#[cfg_attr(target_arch = "arm", path = "count/systick.rs")]
#[cfg_attr(target_arch = "riscv32", path = "count/mcycle.rs")]
pub mod count;
#[cfg(target_os = "none")]
pub mod examples;
#[cfg(target_os = "none")]
pub mod fault;
#[cfg(target_os = "none")]
mod fire;
#[cfg(target_arch = "arm")]
mod memory;
pub mod model;
pub mod network;
pub mod once;
#[cfg(target_os = "none")]
pub mod session;
#[cfg(all(target_os = "none", not(thumb2)))]
pub mod small;
#[cfg(target_os = "none")]
pub mod stack;
#[cfg(thumb2)]
pub mod thumb;

/// No interrupt is switched on; a table of its own saves the room of 240 vectors that cortex-m-rt would put there.
#[cfg(target_arch = "arm")]
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [u32; 1] = [0];

/// The board this program is linked for.
pub const BOARD: &str = env!("BOARD");
/// The network it holds: sizes, and bits of a weight.
pub const NETWORK: &str = env!("NETWORK");
