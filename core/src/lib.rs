//! Neurons with segregated dendrites that learn, in integers.
//!
//! Three-compartment pyramidal neurons (apical, basal, soma) with Poisson spikes and local
//! updates, after Guerguiev, Lillicrap & Richards, "Towards deep learning with segregated
//! dendrites", eLife 2017 (doi 10.7554/eLife.22901). No allocator, no float in a step, no
//! panic; the same bits on every machine.
//!
//! Data flows one way: [`input`] (pixels → spikes) → [`kernels`] (columns → filters →
//! basal → soma → spikes) → [`layer`] → [`network`] (phases, plateaus, updates). Numbers
//! come from one table of [`formats`]; what they are calculated with is an
//! [`arithmetic::Arithmetic`]; randomness comes from named streams ([`random`]).
//!
//! Memory is lent: a network is a view of slices that somebody else owns, of a size fixed
//! at compile time on a device ([`memory`]) or chosen at run time on a host.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod arithmetic;
pub mod classify;
pub mod digest;
pub mod emulated;
pub mod formats;
pub mod initial;
pub mod input;
pub mod kernels;
pub mod layer;
pub mod losses;
pub mod memory;
pub mod native;
pub mod network;
pub mod observer;
pub mod offset;
pub mod parameters;
pub mod random;
pub mod readout;
pub mod rounding;
pub mod schedule;
pub mod spikes;
pub mod tables;
pub mod trace;
pub mod trains;
