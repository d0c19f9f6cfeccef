//! The search for spikes on Armv6-M.

use super::{Search, more};
use apical_core::tables::noise::{SINGLE_ABOVE, SINGLE_WITHIN};
use core::arch::naked_asm;

/// The loop over blocks and candidates: `$names` makes of the names in r2, an offset in r5 and twice that in r1 what `$name`
/// puts the name of the unit at place r1 of the noise, half of r2, into r1 by, and `$bytes` is how far apart the names of two
/// blocks are.
macro_rules! finder {
    ($find:ident, $names:literal, $name:literal, $bytes:literal) => {
        #[unsafe(naked)]
        pub unsafe extern "C" fn $find(search: &mut Search) {
            naked_asm!(
                "push {{r4-r7, lr}}",
                "mov r4, r8",
                "mov r5, r9",
                "mov r6, r10",
                "mov r7, r11",
                "push {{r0, r4-r7}}",
                "ldr r7, [r0, #24]",
                "ldr r1, 8f",
                "mov r10, r1",
                "ldr r1, 9f",
                "mov r11, r1",
                // Does the block fit?
                "1:",
                "ldr r0, [sp]",
                "ldr r1, [r0]",
                "movs r2, #32",
                "cmp r1, r2",
                "bhs 4f",
                "movs r2, r1",
                "4:",
                "ldr r3, [r0, #20]",
                "subs r3, r3, r7",
                "lsls r4, r2, #1",
                "adds r4, r4, r2",
                "lsls r4, r4, #1",
                "cmp r3, r4",
                "blo 5f",
                "subs r1, r1, r2",
                "str r1, [r0]",
                // Where it ends, and its first candidate.
                "ldr r3, [r0, #28]",
                "ldrh r5, [r3]",
                "adds r3, r3, #2",
                "str r3, [r0, #28]",
                "adds r1, r5, r2",
                "mov r9, r1",
                "lsrs r1, r5, #3",
                "ldr r3, [r0, #12]",
                "ldrb r3, [r3, r1]",
                "adds r3, r3, r1",
                "lsls r3, r3, #2",
                "ldr r4, [r0, #16]",
                "adds r4, r4, r3",
                // Its potentials and names, as if they began at the place 0.
                "lsls r1, r5, #1",
                "ldr r2, [r0, #4]",
                "subs r6, r2, r1",
                "adds r2, r2, #64",
                "str r2, [r0, #4]",
                "ldr r2, [r0, #8]",
                $names,
                concat!("adds r2, r2, #", $bytes),
                "str r2, [r0, #8]",
                // Candidates before the block.
                "6:",
                "ldm r4!, {{r0}}",
                "uxth r1, r0",
                "cmp r1, r5",
                "blo 6b",
                "b 7f",
                "2:",
                "ldm r4!, {{r0}}",
                "uxth r1, r0",
                "7:",
                "cmp r1, r9",
                "bhs 3f",
                "lsls r2, r1, #1",
                "ldrsh r5, [r6, r2]",
                "asrs r0, r0, #16",
                "cmp r5, r0",
                "ble 2b",
                $name,
                "strh r1, [r7]",
                "adds r7, r7, #2",
                "cmp r0, r10",
                "bgt 2b",
                // Perhaps more than one spike.
                "subs r2, r5, r0",
                "cmp r2, r11",
                "ble 2b",
                "push {{r2, r3}}",
                "mov r2, r0",
                "mov r0, r1",
                "mov r1, r5",
                "mov r3, r7",
                "bl {more}",
                "mov r7, r0",
                "pop {{r2, r3}}",
                "b 2b",
                "3:",
                "ldr r0, [sp]",
                "ldr r1, [r0]",
                "cmp r1, #0",
                "bne 1b",
                "5:",
                "pop {{r0}}",
                "str r7, [r0, #24]",
                "pop {{r4-r7}}",
                "mov r8, r4",
                "mov r9, r5",
                "mov r10, r6",
                "mov r11, r7",
                "pop {{r4-r7, pc}}",
                ".p2align 2",
                "8: .word {above}",
                "9: .word {within}",
                above = const SINGLE_ABOVE,
                within = const SINGLE_WITHIN,
                more = sym more,
            )
        }
    };
}

finder!(find, "subs r3, r2, r5", "adds r1, r1, r3", "32");
finder!(find_named, "subs r3, r2, r1", "ldrh r1, [r3, r2]", "64");
