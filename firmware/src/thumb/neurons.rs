//! A step of every neuron, two in a register: filters, then basal drives and somata. Armv7E-M.
//!
//! A product of 16 bits by a gain of two parts in 2¹⁶, with half a part added, has the rounded result in its upper half.
//! A gain of one half or more is taken less one, and its factor added in full.

use super::machine;
use apical_core::arithmetic::Dynamics;
use apical_core::formats::STATE_LIMIT;
use apical_core::native::product;
use apical_core::parameters::{Coefficients, TEACHER};
use core::arch::naked_asm;

/// Filters, drives and somata where gains are those of a scaled kernel and neurons come in pairs; None, with nothing
/// done, elsewhere.
#[inline(always)]
pub fn advance(
    layer: &Coefficients,
    state: &mut Dynamics<'_, i16>,
    units: usize,
    label: Option<usize>,
) -> Option<()> {
    // Two gains below one half and two from there on, none negative: their upper two bits say so.
    let (filters, drives) = (pair(layer.fast, layer.slow), pair(layer.basal, layer.soma));
    let other = filters & 0xC000_C000 | (drives & 0xC000_C000) ^ 0x4000_4000;
    let Dynamics { sums, fast, slow, soma, bias, .. } = &*state;
    // All of them whole words, and as long as each other. Written out: as loops they would take longer than a neuron.
    let starts = sums.as_ptr().addr() | fast.as_ptr().addr() | slow.as_ptr().addr();
    let odd = (starts | soma.as_ptr().addr() | bias.as_ptr().addr() | (2 * units)) & 3;
    let lengths = (sums.len() ^ units) | (fast.len() ^ units) | (slow.len() ^ units);
    let fit = odd | lengths | (soma.len() ^ units) | (bias.len() ^ units) == 0;
    if other != 0 || layer.basal_whole != 0 || !fit || !state.oldest.is_empty() {
        return None;
    }
    let old = label.and_then(|label| state.soma.get(label).copied());
    // In parts of 2¹⁶; those of drives less one, which 16 bits do not show.
    let (filters, drives) = (filters << 1, drives << 1);
    let (sums, fast, slow) = (state.sums.as_ptr(), state.fast.as_mut_ptr(), state.slow.as_mut_ptr());
    let (bias, soma) = (state.bias.as_ptr(), state.soma.as_mut_ptr());
    // SAFETY: all slices are whole words and have `units` entries.
    unsafe { step(sums, fast, slow, units, filters, bias, soma, drives, label.is_some()) };
    // Every neuron has been pulled down; this one is pulled up.
    if let Some((label, old)) = label.zip(old)
        && let (Some(soma), Some(&slow), Some(&bias)) =
            (state.soma.get_mut(label), state.slow.get(label), state.bias.get(label))
    {
        let drive = held(product(slow, layer.basal).saturating_add(bias));
        let moved = product(drive.wrapping_sub(old), layer.soma);
        *soma = held((TEACHER << 8).saturating_add(moved));
    }
    Some(())
}

const fn pair(low: i16, high: i16) -> u32 {
    low as u16 as u32 | (high as u32) << 16
}

fn held(value: i16) -> i16 {
    value.clamp(-STATE_LIMIT, STATE_LIMIT)
}

/// `$d` += gain · (`$to` − `$d`), `$to` being overwritten; `$t` and `$b` are the multiplications that take one half of
/// the gains, r10 and r11 free, r12 the half.
macro_rules! approach {
    ($to:literal, $from:literal, $d:literal, $b:literal, $t:literal) => {
        concat!(
            " ssub16 ",
            $d,
            ", ",
            $to,
            ", ",
            $from,
            "\n ",
            $b,
            " r11, ",
            $d,
            ", lr, r12\n ",
            $t,
            " ",
            $d,
            ", ",
            $d,
            ", lr, r12\n pkhtb ",
            $d,
            ", ",
            $d,
            ", r11, asr #16\n sadd16 ",
            $from,
            ", ",
            $from,
            ", ",
            $d,
            "\n"
        )
    };
}

/// `$slow` becomes the basal drive without its bias; r10 and `$free` are free.
macro_rules! drive {
    ($slow:literal, $free:literal) => {
        concat!(
            " smlabb r10, ",
            $slow,
            ", lr, r12\n smlatb ",
            $free,
            ", ",
            $slow,
            ", lr, r12\n pkhtb ",
            $free,
            ", ",
            $free,
            ", r10, asr #16\n sadd16 ",
            $slow,
            ", ",
            $slow,
            ", ",
            $free,
            "\n"
        )
    };
}
/// Adds the bias and holds the sum.
macro_rules! biased {
    ($drive:literal, $bias:literal) => {
        concat!(" qadd16 ", $drive, ", ", $drive, ", ", $bias, "\n", hold!($drive))
    };
}
/// Holds both halves within ±16383: at the lower end by a subtraction that saturates. r11 is 16385 twice.
macro_rules! hold {
    ($value:literal) => {
        concat!(
            " ssat16 ",
            $value,
            ", #15, ",
            $value,
            "\n qsub16 ",
            $value,
            ", ",
            $value,
            ", r11\n sadd16 ",
            $value,
            ", ",
            $value,
            ", r11\n"
        )
    };
}
/// `$drive` becomes the soma that was `$soma`.
macro_rules! soma {
    ($drive:literal, $soma:literal) => {
        concat!(
            " ssub16 ",
            $soma,
            ", ",
            $drive,
            ", ",
            $soma,
            "\n smlabt r10, ",
            $soma,
            ", lr, r12\n smlatt ",
            $soma,
            ", ",
            $soma,
            ", lr, r12\n pkhtb ",
            $soma,
            ", ",
            $soma,
            ", r10, asr #16\n sadd16 ",
            $drive,
            ", ",
            $drive,
            ", ",
            $soma,
            "\n"
        )
    };
}
/// The same under the teaching current of a wrong output. Uses `$free`.
macro_rules! taught_soma {
    ($drive:literal, $soma:literal, $free:literal) => {
        concat!(
            " ssub16 ",
            $soma,
            ", ",
            $drive,
            ", ",
            $soma,
            "\n smlabt r10, ",
            $soma,
            ", lr, r12\n smlatt ",
            $free,
            ", ",
            $soma,
            ", lr, r12\n pkhtb ",
            $free,
            ", ",
            $free,
            ", r10, asr #16\n sadd16 ",
            $soma,
            ", ",
            $soma,
            ", ",
            $free,
            "\n mov r10, #0xF800F800\n qadd16 ",
            $drive,
            ", ",
            $soma,
            ", r10\n",
            hold!($drive)
        )
    };
}

/// The rest of the function, where `$two` makes somata in r4 and r5 of the drives in r4 and r5 and the old somata in r8 and
/// r9, and `$one` those in r4 alone.
macro_rules! integrated {
    ($two:expr, $one:expr) => {
        concat!(
            " cmp r0, r3\n bhi 3f\n2:\n ldrd r4, r5, [r0], #8\n",
            drive!("r4", "r6"),
            drive!("r5", "r7"),
            " ldrd r6, r7, [r1], #8\n",
            biased!("r4", "r6"),
            biased!("r5", "r7"),
            " ldrd r8, r9, [r2]\n",
            $two,
            " cmp r0, r3\n strd r4, r5, [r2], #8\n bls 2b\n",
            "3:\n adds r3, r3, #8\n cmp r0, r3\n beq 4f\n ldr r4, [r0]\n",
            drive!("r4", "r6"),
            " ldr r6, [r1]\n",
            biased!("r4", "r6"),
            " ldr r8, [r2]\n",
            $one,
            " str r4, [r2]\n4:\n pop {{r4-r11, pc}}\n"
        )
    };
}

/// Filters, then drives and somata. r0: sums; r1: first filters; r2: second filters; r3: units, an even number; on the
/// stack: the gains of filters, biases, somata, the gains of drives, whether these are outputs that are all wrong.
#[unsafe(naked)]
#[allow(clippy::too_many_arguments)] // what a neuron has
unsafe extern "C" fn step(
    sums: *const i16,
    fast: *mut i16,
    slow: *mut i16,
    units: usize,
    filters: u32,
    bias: *const i16,
    soma: *mut i16,
    drives: u32,
    taught: bool,
) {
    naked_asm!(
        machine!(),
        "push {{r2-r11, lr}}",
        "ldr lr, [sp, #44]",
        "mov r12, #0x8000",
        "add r3, r0, r3, lsl #1",
        "subs r3, r3, #8", // where the last four begin
        "cmp r0, r3",
        "bhi 3f",
        "2:",
        "ldrd r4, r5, [r0], #8",
        "ldrd r6, r7, [r1]",
        "ldrd r8, r9, [r2]",
        approach!("r4", "r6", "r4", "smlabb", "smlatb"),
        approach!("r5", "r7", "r5", "smlabb", "smlatb"),
        approach!("r6", "r8", "r4", "smlabt", "smlatt"),
        approach!("r7", "r9", "r5", "smlabt", "smlatt"),
        "cmp r0, r3",
        "strd r6, r7, [r1], #8",
        "strd r8, r9, [r2], #8",
        "bls 2b",
        "3:",
        "adds r3, r3, #8",
        "cmp r0, r3",
        "beq 4f",
        "ldr r4, [r0]",
        "ldr r6, [r1]",
        "ldr r8, [r2]",
        approach!("r4", "r6", "r4", "smlabb", "smlatb"),
        approach!("r6", "r8", "r4", "smlabt", "smlatt"),
        "str r6, [r1]",
        "str r8, [r2]",
        "4:",
        "pop {{r0, r3}}",
        "ldrd r1, r2, [sp, #40]",
        "ldr lr, [sp, #48]",
        "ldrb r4, [sp, #52]",
        "movw r11, #0x4001",
        "movt r11, #0x4001",
        "add r3, r0, r3, lsl #1",
        "subs r3, r3, #8",
        "cmp r4, #0",
        "bne 5f",
        integrated!(concat!(soma!("r4", "r8"), soma!("r5", "r9")), soma!("r4", "r8")),
        "5:",
        integrated!(
            concat!(taught_soma!("r4", "r8", "r6"), taught_soma!("r5", "r9", "r7")),
            taught_soma!("r4", "r8", "r6")
        ),
    )
}
