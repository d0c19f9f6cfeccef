//! Time of each kernel alone, on recorded spikes: `cargo bench --bench kernels`.

use apical::{data::Dataset, model::Model, network::OwnedNetwork, vector::*};
use apical_core::{
    arithmetic::*, kernels::*, losses::Losses, native::*, network::Network, observer::*, parameters::*,
    random::*, rounding::Rounding, tables::psp::Kernel,
};
use std::hint::black_box;
use std::time::Instant;
struct Rec(Vec<(Vec<u16>, Vec<u16>)>);
impl<A: Arithmetic> Observer<A> for Rec {
    fn at(&mut self, m: Moment, n: &mut Network<'_, A>) {
        if let Moment::Step { .. } = m {
            self.0.push((n.input.spikes.as_slice().to_vec(), n.hidden[0].spikes.as_slice().to_vec()));
        }
    }
}
fn time(label: &str, per: f64, mut f: impl FnMut()) {
    if let Ok(only) = std::env::var("ONLY") {
        if label != only {
            return;
        }
        for _ in 0..3000 {
            f();
        }
    }
    let mut best = f64::MAX;
    for _ in 0..15 {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64() * 1e6 / per);
    }
    println!("{label:30} {best:8.2} us/example");
}
fn main() {
    if std::env::var("ONLY").is_ok() {
        go::<OnAvx512, i16>(8);
        return;
    }
    go::<OnAvx512, i16>(8);
    go::<OnAvx512, i8>(4);
    go::<OnAvx2, i16>(8);
}
fn go<K: Kernels + Default, W: Weight>(fraction: u8) {
    let k = K::default();
    let data = Dataset::load(&apical::data::default_directory()).unwrap();
    let model = Model {
        sizes: vec![784, 500, 10],
        kernel: Kernel::Scaled,
        preset: Preset::May2017,
        learning_rates: vec![0.21; 2],
        seed: 1,
    };
    let lp = |l: usize| LayerParameters {
        kernel: model.kernel,
        learning_rate: 0.21,
        weight_fraction: if l == 1 && fraction == 4 { 3 } else { fraction },
        rounding: Rounding::Stochastic,
    };
    let mut net = OwnedNetwork::new(Native::<K, W>::new(k), &model, |l| lp(l).coefficients());
    let mut rec = Rec(vec![]);
    let n = 20;
    net.with(|net| {
        for i in 0..5000 {
            net.train(data.train.image(i), data.train.labels[i] as usize, &mut ());
        }
    });
    net.with(|net| {
        for i in 5000..5000 + n {
            net.train(data.train.image(i), data.train.labels[i] as usize, &mut rec);
        }
    });
    let steps = rec.0;
    println!(
        "--- {} bits; steps/example {}, input/step {:.1}, hidden/step {:.1}",
        8 * size_of::<W>(),
        steps.len() / n,
        steps.iter().map(|s| s.0.len()).sum::<usize>() as f64 / steps.len() as f64,
        steps.iter().map(|s| s.1.len()).sum::<usize>() as f64 / steps.len() as f64
    );
    let per = n as f64;
    net.with(|net| {
        let losses = &mut Losses::none();
        let h = &mut net.hidden[0];
        let cols = Columns { weights: &*h.weights, units: h.units, stride: h.stride, bounds: &*h.bounds };
        time("hidden sum_columns", per, || {
            for s in &steps {
                k.sum_columns::<W, false>(h.coefficients.sum_shift, cols, &s.0, h.sums, losses);
            }
        });
        let mut g = Stream::Spikes(0).open(1);
        time("hidden advance", per, || {
            for s in &steps {
                black_box(s);
                let d = Dynamics {
                    sums: h.sums,
                    fast: h.fast,
                    slow: h.slow,
                    soma: h.soma,
                    bias: h.bias,
                    oldest: &mut [],
                };
                k.advance::<false>(h.coefficients, d, 500, None, Offsets::new(&mut g), &mut h.spikes, losses);
            }
        });
        let o = &mut net.output;
        let cols = Columns { weights: &*o.weights, units: o.units, stride: o.stride, bounds: &*o.bounds };
        time("output sum_columns", per, || {
            for s in &steps {
                k.sum_columns::<W, false>(o.coefficients.sum_shift, cols, &s.1, o.sums, losses);
            }
        });
        time("output advance", per, || {
            for s in &steps {
                black_box(s);
                let d = Dynamics {
                    sums: o.sums,
                    fast: o.fast,
                    slow: o.slow,
                    soma: o.soma,
                    bias: o.bias,
                    oldest: &mut [],
                };
                k.advance::<false>(o.coefficients, d, 10, None, Offsets::new(&mut g), &mut o.spikes, losses);
            }
        });
        time("output taught", per / 2.0, || {
            for s in &steps[..steps.len() / 2] {
                black_box(s);
                let d = Dynamics {
                    sums: o.sums,
                    fast: o.fast,
                    slow: o.slow,
                    soma: o.soma,
                    bias: o.bias,
                    oldest: &mut [],
                };
                net.arithmetic.advance(
                    o.coefficients,
                    d,
                    10,
                    Some(3),
                    Offsets::new(&mut g),
                    &mut o.spikes,
                    losses,
                );
            }
        });
        time("show", 1.0, || net.input.show(net.arithmetic, data.train.image(77)));
        time("input fire", per, || {
            for s in &steps {
                black_box(s);
                let a = net.input.control.active;
                k.fire(
                    &net.input.potentials[..a],
                    &net.input.active[..a],
                    Offsets::new(&mut g),
                    &mut net.input.spikes,
                );
            }
        });
        let mut psp = vec![0u16; 784];
        time("credit input+hidden", per, || {
            for s in &steps[..steps.len() / 2] {
                for &j in &s.0 {
                    psp[j as usize] = psp[j as usize].saturating_add(3);
                }
                for &j in &s.1 {
                    psp[j as usize] = psp[j as usize].saturating_add(3);
                }
            }
        });
        let e: Vec<i16> = (0..512).map(|i| (i * 37 % 999) as i16 - 500).collect();
        let mut d = Dither::unseeded();
        d.seed(&mut g);
        let sums: Vec<u16> = (0..784)
            .map(|j| if (200..500).contains(&j) && j % 2 == 0 { 1000 + j as u16 } else { 0 })
            .collect();
        time("learn 150 columns", 1.0, || {
            k.learn::<W, false>(
                h.coefficients,
                ColumnsMut { weights: h.weights, stride: h.stride, bounds: h.bounds },
                &sums,
                22,
                &e,
                &mut d,
                losses,
            )
        });
        let sums: Vec<u16> = (0..500).map(|j| 1000 + j as u16).collect();
        time("learn 500 output columns", 1.0, || {
            k.learn::<W, false>(
                o.coefficients,
                ColumnsMut { weights: o.weights, stride: o.stride, bounds: o.bounds },
                &sums,
                22,
                &e[..32],
                &mut d,
                losses,
            )
        });
        let fb = Columns { weights: &*h.feedback, units: h.units, stride: h.stride, bounds: &[] };
        let p10: Vec<i16> = (0..10).map(|i| i * 100).collect();
        time("plateaus x2", 1.0, || {
            for _ in 0..2 {
                k.plateaus::<W, false>(h.coefficients.sum_shift, fb, &p10, h.plateaus, losses)
            }
        });
        time("slopes", 1.0, || k.slopes::<false>(h.soma_sums, 22, h.errors, losses));
        time("errors", 1.0, || k.errors::<false>(7000, &e, h.plateaus, h.errors, losses));
        time("accumulate x22", 1.0, || {
            for _ in 0..22 {
                k.accumulate(h.soma, h.soma_sums)
            }
        });
    });
    let mut best = f64::MAX;
    for r in 0..10 {
        let t = Instant::now();
        net.with(|net| {
            for i in 0..200 {
                net.train(data.train.image(r * 200 + i), data.train.labels[r * 200 + i] as usize, &mut ());
            }
        });
        best = best.min(t.elapsed().as_secs_f64() * 1e6 / 200.0);
    }
    println!("train {best:.2}");
    let mut best = f64::MAX;
    for r in 0..10 {
        let t = Instant::now();
        net.with(|net| {
            for i in 0..50 {
                net.test(data.test.image(r * 50 + i), 250, (1, i as u32), &mut ());
            }
        });
        best = best.min(t.elapsed().as_secs_f64() * 1e6 / 50.0);
    }
    println!("test {best:.2}");
}
