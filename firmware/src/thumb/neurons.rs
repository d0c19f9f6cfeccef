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
    // Two gains below one half and two from there on, none negative: the upper two bits say so.
    let not_small = (layer.fast | layer.slow) & !0x3FFF;
    let not_large = (layer.basal | layer.soma) & i16::MIN | !(layer.basal & layer.soma) & 0x4000;
    let Dynamics { sums, fast, slow, soma, bias, .. } = &*state;
    // All of them whole words, and as long as each other. Written out: as loops they would take longer than a neuron.
    let starts = sums.as_ptr().addr() | fast.as_ptr().addr() | slow.as_ptr().addr();
    let odd = (starts | soma.as_ptr().addr() | bias.as_ptr().addr() | (2 * units)) & 3;
    let lengths = (sums.len() ^ units) | (fast.len() ^ units) | (slow.len() ^ units);
    let fit = odd | lengths | (soma.len() ^ units) | (bias.len() ^ units) == 0;
    if not_small | not_large | layer.basal_whole != 0 || !fit || !state.oldest.is_empty() {
        return None;
    }
    let old = label.and_then(|label| state.soma.get(label).copied());
    let filters = pair(2 * i32::from(layer.fast), 2 * i32::from(layer.slow));
    let rest = |gain: i16| 2 * (i32::from(gain) - (1 << 15));
    let drives = pair(rest(layer.basal), rest(layer.soma));
    let (bias, soma) = (state.bias.as_ptr(), state.soma.as_mut_ptr());
    // SAFETY: all slices are whole words and have `units` entries.
    unsafe {
        filter(state.sums.as_ptr(), state.fast.as_mut_ptr(), state.slow.as_mut_ptr(), units, filters);
        match label {
            None => integrate(state.slow.as_ptr(), bias, soma, units, drives),
            Some(_) => teach(state.slow.as_ptr(), bias, soma, units, drives),
        }
    }
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

const fn pair(low: i32, high: i32) -> u32 {
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

/// r0: sums; r1: first filters; r2: second filters; r3: units, an even number; on the stack: the gains.
#[unsafe(naked)]
unsafe extern "C" fn filter(sums: *const i16, fast: *mut i16, slow: *mut i16, units: usize, gains: u32) {
    naked_asm!(
        machine!(),
        "push {{r4-r11, lr}}",
        "ldr lr, [sp, #36]",
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
        "pop {{r4-r11, pc}}",
    )
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

/// A loop over all neurons, where `$two` makes somata in r4 and r5 of the drives in r4 and r5 and the old somata in r8
/// and r9, and `$one` those in r4 alone.
macro_rules! integrator {
    ($(#[$about:meta])* $name:ident, $two:expr, $one:expr) => {
        $(#[$about])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name(slow: *const i16, bias: *const i16, soma: *mut i16, units: usize, gains: u32) {
            naked_asm!(
                machine!(),
                "push {{r4-r11, lr}}",
                "ldr lr, [sp, #36]",
                "mov r12, #0x8000",
                "movw r11, #0x4001",
                "movt r11, #0x4001",
                "add r3, r0, r3, lsl #1",
                "subs r3, r3, #8", // where the last four begin
                "cmp r0, r3",
                "bhi 3f",
                "2:",
                "ldrd r4, r5, [r0], #8",
                drive!("r4", "r6"),
                drive!("r5", "r7"),
                "ldrd r6, r7, [r1], #8",
                biased!("r4", "r6"),
                biased!("r5", "r7"),
                "ldrd r8, r9, [r2]",
                $two,
                "cmp r0, r3",
                "strd r4, r5, [r2], #8",
                "bls 2b",
                "3:",
                "adds r3, r3, #8",
                "cmp r0, r3",
                "beq 4f",
                "ldr r4, [r0]",
                drive!("r4", "r6"),
                "ldr r6, [r1]",
                biased!("r4", "r6"),
                "ldr r8, [r2]",
                $one,
                "str r4, [r2]",
                "4:",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

integrator! {
    /// r0: second filters; r1: biases; r2: somata; r3: units, an even number; on the stack: the gains.
    integrate, concat!(soma!("r4", "r8"), soma!("r5", "r9")), soma!("r4", "r8")
}
integrator! {
    /// The same of outputs that are all wrong.
    teach, concat!(taught_soma!("r4", "r8", "r6"), taught_soma!("r5", "r9", "r7")), taught_soma!("r4", "r8", "r6")
}
