//! Ends a program that hits a fault or panics, with an exit code of its own; the start-up crates would loop for ever.

use core::panic::PanicInfo;
use semihosting::process;

/// What the emulator exits with after a panic.
pub const PANIC: i32 = 101;
/// What it exits with after a fault.
pub const FAULT: i32 = 102;

#[cfg(not(feature = "prove"))]
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    process::exit(PANIC)
}

/// A program with this handler links only if the linker finds no way to it.
#[cfg(feature = "prove")]
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    unsafe extern "C" {
        fn a_panic_can_be_reached() -> !;
    }
    // SAFETY: there is no such function, and therefore no program that calls it.
    unsafe { a_panic_can_be_reached() }
}

#[cfg(not(feature = "prove"))]
fn report(place: usize) {
    defmt::error!("fault at {=usize:#010x}", place);
}

/// A logger can panic.
#[cfg(feature = "prove")]
fn report(_: usize) {}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    report(frame.pc() as usize);
    process::exit(FAULT)
}

#[cfg(target_arch = "riscv32")]
#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn exception(_: &riscv_rt::TrapFrame) -> ! {
    report(riscv::register::mepc::read());
    process::exit(FAULT)
}
