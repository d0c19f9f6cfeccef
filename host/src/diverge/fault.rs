//! One variable rounded otherwise than it should be.

use apical_core::emulated::Table;
use apical_core::formats::Variable;
use apical_core::rounding::Rounding;
use std::str::FromStr;

/// A variable and the rounding it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Whose narrowing.
    pub variable: Variable,
    /// What it does instead.
    pub rounding: Rounding,
}

impl Fault {
    /// Puts it into a table of formats.
    pub const fn apply(self, table: &mut Table) {
        table.of_mut(self.variable).rounding = self.rounding;
    }
}

impl FromStr for Fault {
    type Err = String;

    /// Reads `soma=floor`.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = |all: &mut dyn Iterator<Item = &'static str>| all.collect::<Vec<_>>().join(", ");
        let (variable, rounding) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not VARIABLE=ROUNDING, as in soma=floor"))?;
        let known = Variable::ALL.into_iter().find(|known| known.name() == variable);
        let variable = known.ok_or_else(|| {
            format!(
                "{variable:?} is no variable ({})",
                names(&mut Variable::ALL.into_iter().map(Variable::name))
            )
        })?;
        let known = Rounding::ALL.into_iter().find(|known| known.name() == rounding);
        let rounding = known.ok_or_else(|| {
            format!(
                "{rounding:?} is no rounding ({})",
                names(&mut Rounding::ALL.into_iter().map(Rounding::name))
            )
        })?;
        Ok(Self { variable, rounding })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_a_variable_and_a_rounding() {
        let fault = Fault { variable: Variable::Soma, rounding: Rounding::Floor };
        assert_eq!("soma=floor".parse(), Ok(fault));
        for wrong in ["soma", "some=floor", "soma=flor"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
        let mut table = Table::native(16, 8, Rounding::Stochastic);
        fault.apply(&mut table);
        assert_eq!(table.of(Variable::Soma).rounding, Rounding::Floor);
    }
}
