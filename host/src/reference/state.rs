//! What changes from step to step.

use apical_core::random::{Generator, Stream};

use super::constants::TAPS;

/// The two phases of a training example. A test is a forward phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Input on, no teaching current.
    Forward,
    /// Input and teaching current on.
    Target,
}

/// Plateau potentials at the ends of the two phases; empty in the output layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plateau {
    /// α^f.
    pub forward: Vec<f64>,
    /// α^t.
    pub target: Vec<f64>,
}

/// State of a layer: one number a unit in each field, free to be read and set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neurons {
    /// Sum of the columns that spiked in this step.
    pub u: Vec<f64>,
    /// Fast filter of u …
    pub x1: Vec<f64>,
    /// … and the slow filter of that.
    pub x2: Vec<f64>,
    /// k_B times the basal potential.
    pub drive: Vec<f64>,
    /// Somatic potential C.
    pub soma: Vec<f64>,
    /// u of the last ten steps, one row a step; empty unless the kernel is cut.
    pub past: Vec<f64>,
    /// The row of `past` that is the oldest, and the next to be written.
    pub oldest: usize,
    /// Units that spiked in this step, ascending, as often as each did.
    pub spikes: Vec<u32>,
    /// ⟨s⟩_f: mean postsynaptic potential over the window of the forward phase. A spike
    /// counts in the phase it was fired in, see [`super::network`].
    pub psp: Vec<f64>,
    /// The same as apical dendrites see it, one step late, of the phase run last; empty but
    /// in the output layer.
    pub feedback_psp: Vec<f64>,
    /// ⟨C⟩_f: mean somatic potential over the window of the forward phase.
    pub soma_mean: Vec<f64>,
    /// ⟨σ(C)⟩_t; empty but in the output layer.
    pub rate_mean: Vec<f64>,
    /// Plateau potentials.
    pub plateau: Plateau,
    /// Error e of the last update.
    pub error: Vec<f64>,
}

impl Neurons {
    /// Units at rest.
    #[must_use]
    pub fn new(units: usize, cut: bool, output: bool) -> Self {
        let zeros = || vec![0.0; units];
        let only = |wanted: bool| if wanted { zeros() } else { Vec::new() };
        Self {
            u: zeros(),
            x1: zeros(),
            x2: zeros(),
            drive: zeros(),
            soma: zeros(),
            past: vec![0.0; if cut { units * TAPS } else { 0 }],
            oldest: 0,
            spikes: Vec::new(),
            psp: zeros(),
            feedback_psp: only(output),
            soma_mean: zeros(),
            rate_mean: only(output),
            plateau: Plateau { forward: only(!output), target: only(!output) },
            error: zeros(),
        }
    }

    /// Back to rest, allocating nothing.
    pub fn rest(&mut self) {
        let plateau = &mut self.plateau;
        for values in [
            &mut self.u,
            &mut self.x1,
            &mut self.x2,
            &mut self.drive,
            &mut self.soma,
            &mut self.past,
            &mut self.psp,
            &mut self.feedback_psp,
            &mut self.soma_mean,
            &mut self.rate_mean,
            &mut plateau.forward,
            &mut plateau.target,
            &mut self.error,
        ] {
            values.fill(0.0);
        }
        self.oldest = 0;
        self.spikes.clear();
    }
}

/// State of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Pixels that spiked in this step, ascending, as often as each did.
    pub input_spikes: Vec<u32>,
    /// ⟨s⟩_f of every pixel.
    pub input_psp: Vec<f64>,
    /// The layers, output last.
    pub neurons: Vec<Neurons>,
}

impl State {
    /// A network at rest.
    #[must_use]
    pub fn new(sizes: &[usize], cut: bool) -> Self {
        let (inputs, units) = sizes.split_first().expect("settings were checked");
        let neurons = units
            .iter()
            .enumerate()
            .map(|(layer, &n)| Neurons::new(n, cut, layer + 1 == units.len()))
            .collect();
        Self { input_spikes: Vec::new(), input_psp: vec![0.0; *inputs], neurons }
    }

    /// Back to rest.
    pub fn rest(&mut self) {
        self.input_spikes.clear();
        self.input_psp.fill(0.0);
        self.neurons.iter_mut().for_each(Neurons::rest);
    }

    /// The output layer.
    #[must_use]
    pub fn output(&self) -> &Neurons {
        self.neurons.last().expect("settings were checked")
    }
}

/// The generators a running network draws from.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Phase lengths.
    pub phase: Generator,
    /// Input spikes.
    pub input: Generator,
    /// Spikes of each layer.
    pub spikes: Vec<Generator>,
}

impl Streams {
    /// Opens the streams of a network of so many layers.
    #[must_use]
    pub fn open(seed: u64, layers: usize) -> Self {
        Self {
            phase: Stream::Phase.open(seed),
            input: Stream::Input.open(seed),
            spikes: (0..layers).map(|l| Stream::Spikes(l as u8).open(seed)).collect(),
        }
    }
}
