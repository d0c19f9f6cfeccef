//! Layers whose steps are those of the compiled-in formats, as sweeps over weights have them,
//! run on the kernels of these: 16 bits, twice as many neurons at a time.

use super::{BAND, EmulatedCoefficients, Table};
use crate::arithmetic::{Columns, Neurons, Run, Scratch};
use crate::formats::Variable;
use crate::kernels::Kernels;
use crate::losses::Losses;
use crate::parameters::Coefficients;
use crate::random::Generator;
use crate::rounding::Rounding;
use crate::tables::psp::TAPS;
use crate::trains::Trains;

/// The coefficients of such a layer.
pub(super) fn compiled(layer: &EmulatedCoefficients) -> Option<Coefficients> {
    use Variable::{Accumulator, Basal, Bias, FilterFast, FilterSlow, Rate, Soma};
    let weight = layer.table.of(Variable::Weight).format.fraction;
    let native = Table::native(16, weight, Rounding::Nearest);
    let same = |variable| layer.table.of(variable) == native.of(variable);
    let formats = [Accumulator, FilterFast, FilterSlow, Basal, Soma, Rate].into_iter().all(same)
        && layer.table.of(Bias).format == native.of(Bias).format;
    let short = |value: i32| i16::try_from(value).ok();
    (formats && (0..=8).contains(&weight) && (0..1 << 16).contains(&layer.basal)).then_some(())?;
    Some(Coefficients {
        fast: short(layer.fast)?,
        slow: short(layer.slow)?,
        tail_fast: short(layer.tail_fast)?,
        tail_slow: short(layer.tail_slow)?,
        basal_whole: (layer.basal >> 15).wrapping_neg() as i16,
        basal: (layer.basal & 0x7FFF) as i16,
        soma: short(layer.soma)?,
        share: short(layer.share)?,
        error: layer.error,
        error_shift: 0,
        sum_shift: 7i8.wrapping_sub(weight),
        update_shift: 0,
        rounding: Rounding::Nearest,
    })
}

/// Goes through a run on the kernels of the compiled-in formats; false where they have none.
#[allow(clippy::too_many_arguments)] // those of `Arithmetic::run`
pub(super) fn run<K: Kernels>(
    kernels: &K,
    layer: &Coefficients,
    columns: Columns<'_, i16>,
    neurons: &mut Neurons<'_, i32, i64>,
    run: &Run<'_>,
    draws: &mut Generator,
    trains: &mut Trains<'_>,
    scratch: &mut Scratch<'_>,
) -> bool {
    if neurons.history.is_empty() {
        run_with(kernels, layer, columns, neurons, run, draws, trains, scratch, &mut [])
    } else {
        run_with(kernels, layer, columns, neurons, run, draws, trains, scratch, &mut [0; TAPS * BAND])
    }
}

/// The same with memory for the past sums of a cut kernel.
#[allow(clippy::too_many_arguments)] // those of `run`, and memory
fn run_with<K: Kernels>(
    kernels: &K,
    layer: &Coefficients,
    columns: Columns<'_, i16>,
    neurons: &mut Neurons<'_, i32, i64>,
    run: &Run<'_>,
    draws: &mut Generator,
    trains: &mut Trains<'_>,
    scratch: &mut Scratch<'_>,
    past: &mut [i16],
) -> bool {
    let stride = neurons.soma.len();
    let mut states = [[0i16; BAND]; 4];
    let mut sums = [0i32; BAND];
    let [fast, slow, soma, bias] = &mut states;
    let (Some(past), Some(fast), Some(slow), Some(soma), Some(bias), Some(sums)) = (
        past.get_mut(..neurons.history.len()),
        fast.get_mut(..stride),
        slow.get_mut(..stride),
        soma.get_mut(..stride),
        bias.get_mut(..stride),
        sums.get_mut(..stride),
    ) else {
        return false;
    };
    let short = |to: &mut [i16], from: &[i32]| {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as i16);
    };
    short(fast, neurons.fast);
    short(slow, neurons.slow);
    short(soma, neurons.soma);
    short(bias, neurons.bias);
    short(past, neurons.history);
    let short = Neurons {
        units: neurons.units,
        fast: &mut *fast,
        slow: &mut *slow,
        soma: &mut *soma,
        bias,
        history: &mut *past,
        oldest: neurons.oldest,
        soma_sums: &mut *sums,
        psp: &mut *neurons.psp,
    };
    let losses = &mut Losses::none();
    if !kernels.run::<i16, false>(layer, columns, short, run, draws, trains, scratch, losses) {
        return false;
    }
    let long = |to: &mut [i32], from: &[i16]| {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from.into());
    };
    long(neurons.fast, fast);
    long(neurons.slow, slow);
    long(neurons.soma, soma);
    long(neurons.history, past);
    for (to, &from) in neurons.soma_sums.iter_mut().zip(&*sums) {
        *to = to.wrapping_add(from.into());
    }
    true
}
