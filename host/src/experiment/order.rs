//! The order of the training examples.

use apical_core::random::{Generator, Stream};
use rand_core::Rng;

/// The places of a training set, shuffled anew each epoch: Fisher and Yates (1938), in
/// Durstenfeld's form. Core and reference of a seed see one and the same order.
///
/// # Draws
/// Stream `Order` of the seed: one `u32` for each place but the first, from the last down;
/// place i changes with ⌊draw · (i + 1) / 2³²⌋. The bias of that is below 2⁻¹⁶ for sets of up
/// to 65,536 examples.
#[derive(Debug, Clone)]
pub struct Order {
    draws: Generator,
    places: Vec<u32>,
}

impl Order {
    /// The order under a seed of a set of so many examples.
    #[must_use]
    pub fn new(seed: u64, examples: usize) -> Self {
        Self { draws: Stream::Order.open(seed), places: (0..examples as u32).collect() }
    }

    /// Shuffles; the first places are the next epoch.
    pub fn next_epoch(&mut self, examples: usize) -> &[u32] {
        for last in (1..self.places.len()).rev() {
            let draw = u64::from(self.draws.next_u32());
            let other = (draw * (last as u64 + 1)) >> 32;
            self.places.swap(last, other as usize);
        }
        &self.places[..examples.min(self.places.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_comes_once_an_epoch() {
        let mut order = Order::new(3, 1000);
        for _ in 0..3 {
            let mut places = order.next_epoch(1000).to_vec();
            places.sort_unstable();
            assert!(places.iter().zip(0..).all(|(&place, expected)| place == expected));
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let epochs = |seed| {
            let mut order = Order::new(seed, 50);
            [order.next_epoch(20).to_vec(), order.next_epoch(20).to_vec()]
        };
        let [first, second] = epochs(1);
        assert_ne!(first, second);
        assert_ne!(first, epochs(2)[0]);
        assert_eq!(epochs(1), [first, second]);
    }

    /// 6 orders of 3 examples, 6000 epochs: 1000 each, give or take 4 standard deviations.
    #[test]
    fn no_order_is_preferred() {
        let mut order = Order::new(1938, 3);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            *counts.entry(order.next_epoch(3).to_vec()).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&count: &i32| (count - 1000).abs() < 116), "{counts:?}");
    }
}
