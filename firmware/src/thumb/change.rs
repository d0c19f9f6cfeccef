//! W += narrow(e · ⟨s⟩) with stochastic rounding, two or four weights in a register. Armv7E-M.

use super::{is_words, machine};
use apical_core::arithmetic::Updates;
use apical_core::kernels::{learn_columns, plain};
use apical_core::losses::Losses;
use apical_core::native::Weight;
use apical_core::random::DITHER_STRIDE;
use core::arch::naked_asm;

/// All columns whose presynaptic unit has a mean PSP, where `SHIFT` is how many bits a change loses; false, with nothing
/// done, where neurons do not come in pairs. `otherwise` changes a column that needs more care, and says how large it is
/// then.
#[inline(always)]
pub fn learn<W: Weight>(
    shift: u32,
    updates: Updates<'_, W, i16>,
    mut otherwise: impl FnMut(&mut [W], i16, &[u16; 32], &mut Losses<'_>) -> u16,
) -> bool {
    let job = match (W::PER_WORD, shift) {
        (2, 6) if W::OFFSET => change_pairs,
        (4, 10) if !W::OFFSET => change_bytes_by_10,
        (4, 11) if !W::OFFSET => change_bytes_by_11,
        _ => return false,
    };
    let Updates { matrix, presynaptic, steps, errors, dither } = updates;
    let stride = matrix.stride;
    let whole = W::PER_WORD == 4 || W::words(matrix.weights).is_some();
    if errors.len() != stride || !is_words(errors) || !whole {
        return false;
    }
    let largest = errors.iter().fold(0, |largest, error| error.unsigned_abs().max(largest));
    let mut noise = Aligned([0; 16]);
    learn_columns::<W, false>(
        matrix,
        presynaptic,
        steps,
        &mut Losses::none(),
        |column, psp, bound, losses| {
            // SAFETY: steps 16 lanes to 16 pairs.
            unsafe { draw(dither.lanes_mut(), &mut noise.0) };
            let size = psp as u32;
            let most = ((u32::from(largest) * size) >> (15 + shift)) + 2;
            let near_the_end = |bound: u16| u32::from(bound) + most > 32767;
            if size > 16383 || W::OFFSET && bound.is_none_or(near_the_end) {
                let noise = noise.0.map(|pair| pair.rotate_left(16));
                return otherwise(column, psp, &bytemuck::cast(noise), losses);
            }
            // SAFETY: column and errors have `stride` entries, an even number; the noise is that of a block of 32.
            unsafe { job(column.as_mut_ptr().cast(), errors.as_ptr(), &noise, stride, 2 * size) };
            bound.map_or(0, |bound| plain::grown(bound, most, column))
        },
    );
    true
}

/// The noise of a block, where the lower bits of an address tell the place in it.
#[repr(C, align(64))]
struct Aligned([u32; 16]);

/// Steps the generators and copies them: as [`Dither::draw`], but for the order of the halves. r0: generators; r1: where
/// their numbers go.
#[unsafe(naked)]
unsafe extern "C" fn draw(lanes: &mut [u32; 16], pairs: &mut [u32; 16]) {
    naked_asm!(
        "push {{r4-r9, lr}}",
        "add lr, r1, #64",
        "2:",
        "ldm r0, {{r2-r9}}",
        "eor r2, r2, r2, lsl #13",
        "eor r3, r3, r3, lsl #13",
        "eor r4, r4, r4, lsl #13",
        "eor r5, r5, r5, lsl #13",
        "eor r6, r6, r6, lsl #13",
        "eor r7, r7, r7, lsl #13",
        "eor r8, r8, r8, lsl #13",
        "eor r9, r9, r9, lsl #13",
        "eor r2, r2, r2, lsr #17",
        "eor r3, r3, r3, lsr #17",
        "eor r4, r4, r4, lsr #17",
        "eor r5, r5, r5, lsr #17",
        "eor r6, r6, r6, lsr #17",
        "eor r7, r7, r7, lsr #17",
        "eor r8, r8, r8, lsr #17",
        "eor r9, r9, r9, lsr #17",
        "eor r2, r2, r2, lsl #5",
        "eor r3, r3, r3, lsl #5",
        "eor r4, r4, r4, lsl #5",
        "eor r5, r5, r5, lsl #5",
        "eor r6, r6, r6, lsl #5",
        "eor r7, r7, r7, lsl #5",
        "eor r8, r8, r8, lsl #5",
        "eor r9, r9, r9, lsl #5",
        "stm r0!, {{r2-r9}}",
        "stm r1!, {{r2-r9}}",
        "cmp r1, lr",
        "bne 2b",
        "pop {{r4-r9, pc}}",
    )
}

/// The loop over a column: `$two` changes four weights, with errors in r4 and r5 and noise in r6 and r7, `$one` two of
/// them, with r4 and r6. r8 is free, r9 and r11 are `$mask_noise` and `$mask_step`, r10 what is added to the noise, r12
/// the half, lr twice the mean PSP.
macro_rules! changer {
    ($(#[$about:meta])* $name:ident, $mask_noise:literal, $mask_step:literal, $two:expr, $one:expr) => {
        $(#[$about])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            weights: *mut u8, errors: *const i16, noise: &Aligned, units: usize, psp: u32,
        ) {
            naked_asm!(
                machine!(),
                "push {{r4-r11, lr}}",
                "ldr lr, [sp, #36]",
                "mov r12, #0x80008000",
                concat!("movw r9, #", $mask_noise),
                concat!("movt r9, #", $mask_noise),
                concat!("movw r11, #", $mask_step),
                concat!("movt r11, #", $mask_step),
                "mov r10, #0",
                "add r3, r1, r3, lsl #1",
                "sub r3, r3, #8", // where the last four begin
                "cmp r1, r3",
                "bhi 3f",
                "2:",
                "ldrd r4, r5, [r1], #8",
                "ldrd r6, r7, [r2], #8",
                $two,
                "tst r2, #63",
                "beq 5f",
                "6:",
                "cmp r1, r3",
                "bls 2b",
                "3:",
                "add r3, r3, #8",
                "cmp r1, r3",
                "beq 4f",
                "ldr r4, [r1]",
                "ldr r6, [r2]",
                $one,
                "4:",
                "pop {{r4-r11, pc}}",
                // The next 32 neurons.
                "5:",
                "sub r2, r2, #64",
                "movw r4, #{stride}",
                "movt r4, #{stride}",
                "uadd16 r10, r10, r4",
                "b 6b",
                stride = const DITHER_STRIDE,
            )
        }
    };
}

/// Two errors in `$e`, with their noise in `$n`, the first in the upper half, become the changes of their weights, 2¹⁵ too
/// large; `$turn` is 32 less the bits that are to be cut off.
macro_rules! delta {
    ($e:literal, $n:literal, $turn:literal) => {
        concat!(
            " uadd16 ",
            $n,
            ", ",
            $n,
            ", r10\n and ",
            $n,
            ", r9, ",
            $n,
            ", ror #",
            $turn,
            "\n smlabb r8, ",
            $e,
            ", lr, r12\n smlatb ",
            $e,
            ", ",
            $e,
            ", lr, r12\n pkhtb ",
            $e,
            ", ",
            $e,
            ", r8, asr #16\n sadd16 ",
            $e,
            ", ",
            $e,
            ", ",
            $n,
            "\n"
        )
    };
}
/// A pair of steps of weights, 512 too large.
macro_rules! step_pair {
    ($e:literal, $n:literal) => {
        concat!(delta!($e, $n, "26"), " and ", $e, ", r11, ", $e, ", lsr #6\n")
    };
}

changer! {
    /// r0: weights of 16 bits, none of which can leave its range; r1: errors; r2: noise; r3: neurons, an even number;
    /// on the stack: twice the mean PSP.
    change_pairs, "0x003f", "0x03ff",
    concat!(
        step_pair!("r4", "r6"), step_pair!("r5", "r7"),
        " ldrd r6, r7, [r0]\n add r4, r4, r6\n add r5, r5, r7\n sub r4, r4, #0x02000200\n sub r5, r5, #0x02000200\n",
        " strd r4, r5, [r0], #8\n"
    ),
    concat!(step_pair!("r4", "r6"), " ldr r6, [r0]\n add r4, r4, r6\n sub r4, r4, #0x02000200\n str r4, [r0]\n")
}

/// The same for two steps in the two lower bytes of a register, `$cut` bits cut off.
macro_rules! step_bytes {
    ($e:literal, $n:literal, $turn:literal, $cut:literal) => {
        concat!(
            delta!($e, $n, $turn),
            " and ",
            $e,
            ", r11, ",
            $e,
            ", lsr #",
            $cut,
            "\n orr ",
            $e,
            ", ",
            $e,
            ", ",
            $e,
            ", lsr #8\n"
        )
    };
}
macro_rules! byte_changer {
    ($(#[$about:meta])* $name:ident, $mask_noise:literal, $mask_step:literal, $turn:literal, $cut:literal, $bias:literal) => {
        changer! {
            $(#[$about])*
            $name, $mask_noise, $mask_step,
            concat!(
                step_bytes!("r4", "r6", $turn, $cut), step_bytes!("r5", "r7", $turn, $cut),
                " pkhbt r4, r4, r5, lsl #16\n mov r8, #", $bias, "\n ldr r6, [r0]\n ssub8 r4, r4, r8\n",
                " qadd8 r4, r4, r6\n str r4, [r0], #4\n"
            ),
            concat!(
                step_bytes!("r4", "r6", $turn, $cut), " mov r8, #", $bias,
                "\n ldrh r6, [r0]\n ssub8 r4, r4, r8\n qadd8 r4, r4, r6\n strh r4, [r0]\n"
            )
        }
    };
}

byte_changer! {
    /// Likewise of 8 bits, held at the ends of their range; 10 bits of a change are lost.
    change_bytes_by_10, "0x03ff", "0x003f", "22", "10", "0x20202020"
}
byte_changer! {
    /// The same with 11 bits.
    change_bytes_by_11, "0x07ff", "0x001f", "21", "11", "0x10101010"
}
