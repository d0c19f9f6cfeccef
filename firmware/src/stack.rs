//! The deepest the stack has been: free memory is painted at the start, and the paint that is left is counted later.

use core::{arch::asm, ptr};

const PAINT: u32 = 0xA5A5_A5A5;
/// Bytes kept unpainted below the painter's own frame, for an unoptimised build's calls.
const MARGIN: usize = 512;

unsafe extern "C" {
    // The stack's two ends, as the start-up crates' linker scripts name them.
    #[cfg_attr(target_arch = "arm", link_name = "_stack_end")]
    #[cfg_attr(target_arch = "riscv32", link_name = "__estack")]
    static mut BOTTOM: u32;
    #[link_name = "_stack_start"]
    static mut TOP: u32;
}

/// Paints what the stack does not use yet. Call it first in `main`.
#[inline(always)]
pub fn paint() {
    let mut word = &raw mut BOTTOM;
    let here: usize;
    #[cfg(target_arch = "arm")]
    // SAFETY: copies the stack pointer.
    unsafe {
        asm!("mov {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "riscv32")]
    // SAFETY: copies the stack pointer.
    unsafe {
        asm!("mv {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
    }
    while word.addr() + MARGIN < here {
        // SAFETY: nothing lives between the static data and the stack pointer.
        unsafe {
            ptr::write_volatile(word, PAINT);
            word = word.add(1);
        }
    }
}

/// The most bytes the stack has held since it was painted.
pub fn high_water() -> usize {
    let mut word = &raw mut BOTTOM;
    // SAFETY: reads up to the stack pointer at most, where the paint ends.
    while unsafe { ptr::read_volatile(word) } == PAINT {
        // SAFETY: as above.
        word = unsafe { word.add(1) };
    }
    (&raw mut TOP).addr() - word.addr()
}
