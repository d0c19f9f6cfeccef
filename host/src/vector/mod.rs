//! The vector units of x86-64, as [`Lanes`](apical_core::kernels::Lanes) of the
//! core's kernels; that of AArch64 is [`Baseline`](apical_core::kernels::Baseline).
//!
//! Chosen when the program runs. The intrinsics are safe here because `pulp` hands out a
//! token of an instruction set only where the processor has it; the one it does not offer is
//! called by its token's warrant.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod kernels;
#[cfg(target_arch = "x86_64")]
mod sse;

#[cfg(target_arch = "x86_64")]
pub use avx2::Pair;
#[cfg(target_arch = "x86_64")]
pub use avx512::{Avx512, Wide};
pub use kernels::PathKernels;

/// Which instructions run the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Plain loops over single numbers.
    Scalar,
    /// NEON, which every AArch64 processor has: 32 numbers in four registers.
    Neon,
    /// AVX2: 32 numbers in two registers.
    Avx2,
    /// AVX-512 (F, BW, VBMI2, VPOPCNTDQ: Ice Lake, Zen 4 and later): 32 numbers in one register.
    Avx512,
}

impl Path {
    /// The name shown in manifests and by `--version`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Neon => "NEON",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
        }
    }

    /// The paths this machine has, the fastest last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut paths = vec![Self::Scalar];
        #[cfg(target_arch = "aarch64")]
        paths.push(Self::Neon);
        #[cfg(target_arch = "x86_64")]
        {
            if pulp::x86::V3::try_new().is_some() {
                paths.push(Self::Avx2);
            }
            if Avx512::try_new().is_some() {
                paths.push(Self::Avx512);
            }
        }
        paths
    }

    /// The fastest path of this machine, or the one that `APICAL_PATH` names.
    #[must_use]
    pub fn best() -> Self {
        let available = Self::available();
        let wanted = std::env::var("APICAL_PATH").unwrap_or_default();
        let named = available.iter().find(|path| path.name().eq_ignore_ascii_case(&wanted));
        *named.or(available.last()).unwrap_or(&Self::Scalar)
    }
}
