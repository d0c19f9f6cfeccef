//! The laboratory: every narrowing rounds as it says, emulated formats are the compiled-in ones,
//! sweeps survive being killed, and bad requests are refused in one line.

#[path = "laboratory/kill.rs"]
mod kill;
#[path = "laboratory/refused.rs"]
mod refused;
#[path = "laboratory/same.rs"]
mod same;
#[path = "laboratory/sites.rs"]
mod sites;
#[path = "laboratory/small.rs"]
mod small;
