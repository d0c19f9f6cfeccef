//! The search for spikes on Armv7-M and later.

use super::{Search, more};
use apical_core::tables::noise::{SINGLE_ABOVE, SINGLE_WITHIN};
use core::arch::naked_asm;

/// The loop over blocks and candidates: `$names` makes of the names in r6 and an offset in lr what `$name` puts the name of
/// the unit at place r11 of the noise into r0 by, and `$bytes` is how far apart the names of two blocks are.
macro_rules! finder {
    ($find:ident, $names:literal, $name:literal, $bytes:literal) => {
        #[unsafe(naked)]
        pub unsafe extern "C" fn $find(search: &mut Search) {
            naked_asm!(
                "push {{r0, r4-r11, lr}}",
                "ldrd r7, r1, [r0, #24]",
                // Places are lower than the lower half.
                "movw r2, #0xffff",
                "movt r2, #({above} & 0xffff)",
                "movw r3, #{within}",
                // Does the block fit?
                "1:",
                "ldr r0, [sp]",
                "ldm r0, {{r4, r5, r6, r8, r9, r10}}",
                "mov r11, r4",
                "cmp r4, #32",
                "it hs",
                "movhs r11, #32",
                "sub r10, r10, r7",
                "add r12, r11, r11, lsl #1",
                "cmp r10, r12, lsl #1",
                "blo 5f",
                // Its first candidate, what is left, where it ends; its potentials and names, as if they began at the place 0.
                "ldrh lr, [r1], #2",
                "sub r4, r4, r11",
                "lsr r12, lr, #3",
                "ldrb r8, [r8, r12]",
                "add r12, r12, r8",
                "add r12, r9, r12, lsl #2",
                "add r9, r5, #64",
                concat!("add r10, r6, #", $bytes),
                "stm r0, {{r4, r9, r10}}",
                $names,
                "sub r6, r5, lr, lsl #1",
                "add r5, lr, r11",
                // Candidates before the block.
                "6:",
                "ldr r9, [r12], #4",
                "uxth r11, r9",
                "cmp r11, lr",
                "blo 6b",
                "b 7f",
                "2:",
                "ldr r9, [r12], #4",
                "uxth r11, r9",
                "7:",
                "cmp r11, r5",
                "bhs 3f",
                "ldrsh r10, [r6, r11, lsl #1]",
                "cmp r10, r9, asr #16",
                "ble 2b",
                $name,
                "cmp r2, r9",
                "strh r0, [r7], #2",
                "blt 2b",
                // Perhaps more than one spike.
                "sub lr, r10, r9, asr #16",
                "cmp lr, r3",
                "ble 2b",
                "push {{r1, r2, r3, r12}}",
                "mov r1, r10",
                "asr r2, r9, #16",
                "mov r3, r7",
                "bl {more}",
                "mov r7, r0",
                "pop {{r1, r2, r3, r12}}",
                "b 2b",
                "3:",
                "cmp r4, #0",
                "bne 1b",
                "5:",
                "ldr r0, [sp]",
                "str r7, [r0, #24]",
                "pop {{r0, r4-r11, pc}}",
                above = const SINGLE_ABOVE,
                within = const SINGLE_WITHIN,
                more = sym more,
            )
        }
    };
}

finder!(find, "sub r8, r6, lr", "add r0, r11, r8", "32");
finder!(find_named, "sub r8, r6, lr, lsl #1", "ldrh r0, [r8, r11, lsl #1]", "64");
