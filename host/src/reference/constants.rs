//! Every physical constant of the model, with its unit. The step is 1 ms.

/// Leak conductance g_L, per step.
pub const LEAK: f64 = 0.1;
/// Conductance from the basal dendrite to the soma, g_B and g_D, per step.
pub const BASAL: f64 = 0.6;
/// What a soma moves toward its drive in a step: g_L + g_B.
pub const SETTLE: f64 = LEAK + BASAL;
/// k_B = g_B/(g_L + g_B): the share of the basal potential that a soma settles at.
pub const SHARE: f64 = BASAL / (LEAK + BASAL);
/// E_E and −E_I: where the teaching current pulls the right and the wrong outputs.
pub const REVERSAL: f64 = 8.0;
/// λ_max, spikes per step.
pub const MAX_RATE: f64 = 0.2;
/// Most spikes of a unit in one step that are told apart.
pub const MOST_SPIKES: usize = 3;
/// τ_s, steps.
pub const FAST_TIME: f64 = 3.0;
/// τ_L, steps.
pub const SLOW_TIME: f64 = 10.0;
/// Taps of the cut kernel.
pub const TAPS: usize = 10;
/// Steps of a phase before its random extra.
pub const PHASE: usize = 50;
/// Steps of a phase that are left out of its means.
pub const SETTLING: usize = 30;
/// Factor of every update: 20 = 4/λ_max, the paper's P₀ and P₁ with rates in spikes per ms.
pub const UPDATE: f64 = 20.0;

/// Mean dendritic potential the initial weights aim at.
pub const AIM_MEAN: f64 = 3.0;
/// Standard deviation of it.
pub const AIM_DEVIATION: f64 = 3.0;
/// Mean initial bias.
pub const INITIAL_BIAS: f64 = 0.8;
/// Standard deviation of the initial biases.
pub const INITIAL_BIAS_DEVIATION: f64 = 0.001;
/// Presynaptic rate the initial weights assume, as a share of λ_max.
pub const ASSUMED_RATE: f64 = 0.25;
