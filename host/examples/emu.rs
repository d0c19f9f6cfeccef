use apical::{data::Dataset, learner::*, model::Model, vector::*};
use apical_core::{emulated::*, parameters::*, rounding::Rounding, tables::psp::Kernel};
use std::time::Instant;
fn main() {
    let data = Dataset::load(&apical::data::default_directory()).unwrap();
    for kernel in [Kernel::Scaled, Kernel::Cut, Kernel::Paper] {
        for width in [Width::Sixteen, Width::Eight] {
            for r in [Rounding::Stochastic, Rounding::Nearest, Rounding::Floor, Rounding::TowardZero] {
                let model = Model {
                    sizes: vec![784, 100, 40, 10],
                    kernel,
                    preset: Preset::Paper,
                    learning_rates: vec![0.21; 3],
                    seed: 1,
                };
                let order: Vec<u32> = (0..1000).collect();
                let mut out = vec![];
                for k in 0..4 {
                    let mut net = match k {
                        0 => native(&model, width, r, Path::Scalar, false),
                        1 => native(&model, width, r, Path::Avx2, true),
                        2 => native(&model, width, r, Path::Avx512, false),
                        _ => {
                            let t = |o: bool| match width {
                                Width::Sixteen => Table::native(16, 8, r),
                                Width::Eight => Table::native(8, if o { 3 } else { 4 }, r),
                            };
                            emulated(&model, &[t(false), t(false), t(true)], Decay::Fine, false)
                        }
                    };
                    let t = Instant::now();
                    net.train(&data.train, &order);
                    out.push((net.digest().unwrap(), t.elapsed().as_secs_f64() * 1e3));
                }
                println!("{kernel:?} {width:?} {r:?} {} {:x?}", out.iter().all(|o| o.0 == out[0].0), out);
            }
        }
    }
}
