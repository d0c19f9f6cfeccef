//! Losses as CSV: one row for each epoch, layer and variable. Overflows are all counted, changes
//! in one example of [`UPDATES_EVERY`](apical_core::losses::UPDATES_EVERY).

use super::{lost_share, mean_bias};
use crate::experiment::Epoch;
use apical_core::formats::Variable;
use apical_core::losses::Tally;

/// The names of the columns.
pub const HEAD: &str = "epoch,layer,variable,changes,lost,lost_share,mean_bias_lsb,saturated,wrapped,dropped,\
                        first_example,first_step,first_unit,first_input,mean_weight,rate_hz\n";

/// The rows of an epoch. The mean weight stands with the weights, the rate with the somata.
#[must_use]
pub fn rows(names: &[String], epoch: &Epoch) -> String {
    let mut text = String::new();
    for (layer, (name, tallies)) in names.iter().zip(&epoch.losses).enumerate() {
        for variable in Variable::ALL {
            let [mean_weight, rate] = match variable {
                Variable::Weight => [Some(epoch.mean_weights[layer]), None],
                // Rates count the inputs as a layer of their own.
                Variable::Soma => [None, Some(epoch.rates_hz[layer + 1])],
                _ => [None, None],
            };
            let tally = row(&tallies[variable as usize]);
            let rest = [mean_weight, rate].map(or_empty).join(",");
            text += &format!("{},{name},{},{tally},{rest}\n", epoch.epoch, variable.name());
        }
    }
    text
}

fn row(tally: &Tally) -> String {
    let changes = [Some(tally.values as f64), Some(tally.lost as f64), lost_share(tally), mean_bias(tally)];
    let overflows = [tally.saturated, tally.wrapped, tally.dropped].map(|count| Some(count as f64));
    let place = tally.first.map_or([None; 4], |place| {
        [place.example, place.step, place.index, place.input].map(|number| Some(f64::from(number)))
    });
    let fields = changes.into_iter().chain(overflows).chain(place);
    fields.map(or_empty).collect::<Vec<_>>().join(",")
}

fn or_empty(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_fields_as_the_head() {
        let fields = |line: &str| line.split(',').count();
        let tally = Tally { values: 8, lost: 2, bias: -65_536, ..Tally::default() };
        assert_eq!(row(&tally), "8,2,0.25,-0.125,0,0,0,,,,");
        assert_eq!(fields(&format!("1,output,weight,{},,", row(&tally))), fields(HEAD));
    }
}
