//! Numbers made before anything runs: noise, sigmoid, kernel, Wald.
//!
//! Whatever needs a logarithm or an exponential of arbitrary argument is stored as
//! integers, so that every compiler and every machine uses the very same ones. A test of
//! the host crate makes them again in f64 and compares.

pub mod noise;
pub mod psp;
pub mod sigmoid;
pub mod wald;
