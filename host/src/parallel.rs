//! Tasks on all threads.

use rayon::prelude::*;

/// What comes of tasks, in their order. A thread that is done takes the next of those that are left, so
/// that with the longest first the threads end nearly together; halves of a list, which rayon
/// gives them otherwise, may leave the longest for the end.
pub fn in_turn<T: Send, R: Send>(tasks: Vec<T>, run: impl Fn(T) -> R + Sync) -> Vec<R> {
    let tasks = tasks.into_iter().enumerate().par_bridge();
    let mut done: Vec<(usize, R)> = tasks.map(|(place, task)| (place, run(task))).collect();
    done.sort_unstable_by_key(|&(place, _)| place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::in_turn;
    use std::sync::{Condvar, Mutex};

    #[test]
    fn what_is_left_is_taken_in_order_while_the_first_is_at_work() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
        let (begun, changed) = (Mutex::new(Vec::new()), Condvar::new());
        let results = pool.install(|| {
            in_turn((0..100).collect(), |task: usize| {
                let mut begun = begun.lock().unwrap();
                if task == 0 {
                    // Until the other thread has done the rest.
                    drop(changed.wait_while(begun, |begun| begun.len() < 99));
                } else {
                    begun.push(task);
                    changed.notify_all();
                }
                task * task
            })
        });
        assert_eq!(results, (0..100).map(|task| task * task).collect::<Vec<_>>());
        assert_eq!(begun.into_inner().unwrap(), (1..100).collect::<Vec<_>>());
    }
}
