//! Outputs of a test, read out from what the spikes below are worth.

use super::lanes::Lanes;
use super::vector::Vector;
use crate::losses::Losses;
use crate::native::{Weight, potential_sum};
use crate::parameters::Coefficients;
use crate::readout::{Reading, held};

/// Credits whose products with weights certainly add up in 32 bits.
const ROOM: u32 = u16::MAX as u32;

impl<L: Lanes> Vector<L> {
    /// See [`plain::read_out`](super::plain::read_out): 16 outputs at a time.
    #[inline(always)]
    pub(super) fn read_out_all<W: Weight, const COUNT: bool>(
        &self,
        layer: &Coefficients,
        reading: Reading<'_, W, i16>,
        sums: &mut [i32],
        losses: &mut Losses<'_>,
    ) {
        let l = self.0;
        let Reading { columns, bias, credits, readout } = reading;
        let units = columns.units.min(sums.len()).min(bias.len());
        let (sums, bias) = (sums.get_mut(..units).unwrap_or(&mut []), bias.get(..units).unwrap_or(&[]));
        for ((sums, bias), first) in sums.chunks_mut(16).zip(bias.chunks(16)).zip((0..).step_by(16)) {
            let mut exact = [0i64; 16];
            let (mut totals, mut used) = (l.no_totals(), 0u32);
            for (column, &credit) in columns.weights.chunks_exact(columns.stride.max(1)).zip(credits) {
                let Some(weights) = column.get(first..).and_then(<[W]>::first_chunk::<16>) else { return };
                let credit = held(credit);
                used = used.wrapping_add(credit as u32);
                if used > ROOM {
                    move_totals(l, &mut totals, &mut exact);
                    used = credit as u32;
                }
                totals = l.add_products(totals, &weights.map(W::widen), credit);
            }
            move_totals(l, &mut totals, &mut exact);
            for (((sum, &bias), exact), unit) in sums.iter_mut().zip(bias).zip(exact).zip(first..) {
                *sum = potential_sum::<COUNT>(layer, exact, bias, readout, (unit, losses));
            }
        }
    }
}

/// Moves sums of 32 bits to those of 64.
#[inline(always)]
fn move_totals<L: Lanes>(l: L, totals: &mut L::Totals, exact: &mut [i64; 16]) {
    let mut sums = [0; 16];
    l.store_totals(*totals, &mut sums);
    for (exact, sum) in exact.iter_mut().zip(sums) {
        *exact = exact.wrapping_add(sum.into());
    }
    *totals = l.no_totals();
}
