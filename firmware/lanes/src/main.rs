//! Runs `tests/lanes/definitions.rs` where no operating system is: on a bare AArch64 machine, whose vectors are NEON, and
//! in a browser's engine, whose vectors are `simd128`. Says "lanes: as defined", or which operation is not.
#![no_std]
#![no_main]

#[path = "../../../tests/lanes/definitions.rs"]
mod definitions;

use apical_core::kernels::Baseline;

#[cfg(target_arch = "aarch64")]
mod bare {
    use semihosting::{eprintln, println, process};

    // A stack, and leave to use the vectors.
    core::arch::global_asm!(
        ".section .text.start, \"ax\"",
        ".globl _start",
        "_start:",
        "  adrp x0, stack_top",
        "  add x0, x0, :lo12:stack_top",
        "  mov sp, x0",
        "  mov x0, #(3 << 20)",
        "  msr cpacr_el1, x0",
        "  isb",
        "  bl start",
    );

    #[unsafe(no_mangle)]
    extern "C" fn start() -> ! {
        match super::definitions::check(super::Baseline) {
            Ok(()) => println!("lanes: as defined"),
            Err(operation) => {
                eprintln!("lanes: {operation} is not what it says");
                process::exit(1)
            }
        }
        process::exit(0)
    }

    #[panic_handler]
    fn panic(info: &core::panic::PanicInfo) -> ! {
        eprintln!("lanes: {info}");
        process::exit(2)
    }
}

#[cfg(target_arch = "wasm32")]
mod web {
    use core::sync::atomic::{AtomicU32, Ordering};

    static LENGTH: AtomicU32 = AtomicU32::new(0);

    /// Where the name of the operation stands that is not what it says; [`length`] is 0 if there is none.
    #[unsafe(no_mangle)]
    extern "C" fn lanes() -> *const u8 {
        let name = super::definitions::check(super::Baseline).err().unwrap_or("");
        LENGTH.store(name.len() as u32, Ordering::Relaxed);
        name.as_ptr()
    }

    /// Of that name.
    #[unsafe(no_mangle)]
    extern "C" fn length() -> u32 {
        LENGTH.load(Ordering::Relaxed)
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        core::arch::wasm32::unreachable()
    }
}
