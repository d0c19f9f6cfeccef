//! Spikes that agree, are missing, extra, or moved.

use serde::Serialize;

/// Most steps between a spike and itself moved.
pub const SHIFT: u32 = 3;

/// Spikes of a layer in both networks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Spikes of the float network.
    pub float: u64,
    /// Spikes of the integer network.
    pub integer: u64,
    /// Same unit, same step.
    pub same: u64,
    /// In the float network alone.
    pub missed: u64,
    /// In the integer network alone.
    pub extra: u64,
    /// Same unit, up to [`SHIFT`] steps apart; neither missed nor extra.
    pub shifted: u64,
    /// The first step at which they differ: example, step of both phases counted through,
    /// unit.
    pub first: Option<(usize, usize, u32)>,
}

impl Agreement {
    /// Takes in an example: lists of units, ascending, step by step.
    pub fn record(&mut self, example: usize, float: &[Vec<u32>], integer: &[Vec<u32>]) {
        let (mut missed, mut extra) = (Vec::new(), Vec::new());
        for (step, (float, integer)) in float.iter().zip(integer).enumerate() {
            self.float += float.len() as u64;
            self.integer += integer.len() as u64;
            let before = missed.len() + extra.len();
            only(float, integer, step, &mut missed);
            only(integer, float, step, &mut extra);
            if self.first.is_none() && missed.len() + extra.len() > before {
                let units = missed.iter().chain(&extra).filter(|(_, at)| *at == step).map(|(unit, _)| *unit);
                self.first = units.min().map(|unit| (example, step, unit));
            }
        }
        self.same = self.float - self.missed - self.shifted - missed.len() as u64;
        let moved = pairs(&mut missed, &mut extra);
        self.shifted += moved;
        self.missed += missed.len() as u64;
        self.extra += extra.len() as u64;
    }

    /// Share of the float's spikes that the integers fired in the same step; 1 of none.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.float == 0 { 1.0 } else { self.same as f64 / self.float as f64 }
    }
}

/// Spikes of the first list beyond those of the second; both ascend.
fn only(of: &[u32], than: &[u32], step: usize, to: &mut Vec<(u32, usize)>) {
    let mut rest = than;
    for &unit in of {
        rest = &rest[rest.partition_point(|&other| other < unit)..];
        match rest.split_first() {
            Some((&other, after)) if other == unit => rest = after,
            _ => to.push((unit, step)),
        }
    }
}

/// Takes out pairs of the same unit that are close in time.
fn pairs(missed: &mut Vec<(u32, usize)>, extra: &mut Vec<(u32, usize)>) -> u64 {
    let mut moved = 0;
    missed.retain(|&(unit, step)| {
        let near = extra.iter().position(|&(other, at)| other == unit && at.abs_diff(step) <= SHIFT as usize);
        let Some(near) = near else { return true };
        extra.remove(near);
        moved += 1;
        false
    });
    moved
}

#[cfg(test)]
mod tests {
    use super::Agreement;

    #[test]
    fn spikes_are_missed_extra_or_shifted() {
        let float = [vec![1, 2], vec![], vec![3, 3], vec![], vec![], vec![], vec![9]];
        let integer = [vec![1], vec![2], vec![3], vec![4], vec![], vec![], vec![9]];
        let mut agreement = Agreement::default();
        agreement.record(5, &float, &integer);
        assert_eq!((agreement.float, agreement.integer), (5, 5));
        assert_eq!((agreement.same, agreement.shifted), (3, 1));
        assert_eq!((agreement.missed, agreement.extra), (1, 1));
        assert_eq!(agreement.first, Some((5, 0, 2)));
        agreement.record(6, &[vec![1]], &[vec![1]]);
        assert_eq!((agreement.same, agreement.float), (4, 6));
    }
}
