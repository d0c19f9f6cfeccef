//! The search for spikes on RV32.

use super::{Search, more};
use apical_core::tables::noise::{SINGLE_ABOVE, SINGLE_WITHIN};
use core::arch::naked_asm;

/// The loop over blocks and candidates: `$names` makes of the names in a2, an offset in a5 and twice that in a1 what `$name`
/// puts the name of the unit at place a1 of the noise, half of a3, into a0 by, and `$bytes` is how far apart the names of two
/// blocks are.
macro_rules! finder {
    ($find:ident, $names:literal, $name:literal, $bytes:literal) => {
        #[unsafe(naked)]
        pub unsafe extern "C" fn $find(search: &mut Search) {
            naked_asm!(
                "addi sp, sp, -48",
                "sw ra, 0(sp)",
                "sw s0, 4(sp)",
                "sw s1, 8(sp)",
                "sw s2, 12(sp)",
                "sw s3, 16(sp)",
                "sw s4, 20(sp)",
                "sw s5, 24(sp)",
                "sw s6, 28(sp)",
                "sw s7, 32(sp)",
                "mv s0, a0",
                "lw s1, 24(s0)",
                "li s6, {above}",
                "li s7, {within}",
                // Does the block fit?
                "1:",
                "lw a1, 0(s0)",
                "li a2, 32",
                "bgeu a1, a2, 4f",
                "mv a2, a1",
                "4:",
                "lw a3, 20(s0)",
                "sub a3, a3, s1",
                "slli a4, a2, 1",
                "add a4, a4, a2",
                "slli a4, a4, 1",
                "bltu a3, a4, 5f",
                "sub a1, a1, a2",
                "sw a1, 0(s0)",
                // Where it ends, and its first candidate.
                "lw a3, 28(s0)",
                "lhu a5, 0(a3)",
                "addi a3, a3, 2",
                "sw a3, 28(s0)",
                "add s3, a5, a2",
                "srli a1, a5, 3",
                "lw a3, 12(s0)",
                "add a3, a3, a1",
                "lbu a3, 0(a3)",
                "add a3, a3, a1",
                "slli a3, a3, 2",
                "lw s2, 16(s0)",
                "add s2, s2, a3",
                // Its potentials and names, as if they began at the place 0.
                "slli a1, a5, 1",
                "lw a2, 4(s0)",
                "sub s4, a2, a1",
                "addi a2, a2, 64",
                "sw a2, 4(s0)",
                "lw a2, 8(s0)",
                $names,
                concat!("addi a2, a2, ", $bytes),
                "sw a2, 8(s0)",
                // Candidates before the block.
                "6:",
                "lhu a1, 0(s2)",
                "addi s2, s2, 4",
                "bltu a1, a5, 6b",
                "j 7f",
                "2:",
                "lhu a1, 0(s2)",
                "addi s2, s2, 4",
                "7:",
                "bgeu a1, s3, 3f",
                "slli a3, a1, 1",
                "add a4, a3, s4",
                "lh a4, 0(a4)",
                "lh a2, -2(s2)",
                "bge a2, a4, 2b",
                $name,
                "sh a0, 0(s1)",
                "addi s1, s1, 2",
                "blt s6, a2, 2b",
                // Perhaps more than one spike.
                "sub a3, a4, a2",
                "bge s7, a3, 2b",
                "mv a1, a4",
                "mv a3, s1",
                "call {more}",
                "mv s1, a0",
                "j 2b",
                "3:",
                "lw a1, 0(s0)",
                "bnez a1, 1b",
                "5:",
                "sw s1, 24(s0)",
                "lw ra, 0(sp)",
                "lw s0, 4(sp)",
                "lw s1, 8(sp)",
                "lw s2, 12(sp)",
                "lw s3, 16(sp)",
                "lw s4, 20(sp)",
                "lw s5, 24(sp)",
                "lw s6, 28(sp)",
                "lw s7, 32(sp)",
                "addi sp, sp, 48",
                "ret",
                above = const SINGLE_ABOVE,
                within = const SINGLE_WITHIN,
                more = sym more,
            )
        }
    };
}

finder!(find, "sub s5, a2, a5", "add a0, a1, s5", "32");
finder!(find_named, "sub s5, a2, a1", "add a0, a3, s5\n lhu a0, 0(a0)", "64");
