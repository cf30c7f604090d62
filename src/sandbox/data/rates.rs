//! Exchange rates per country at the month ends, and the countries: the sources of CR_05.
//!
//! # Shape
//! For every country and closing one closing rate and one average rate in US dollars, and one closing rate in euros: a
//! query that forgets a filter gives too many rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Builder, Int32Builder, StringArray};
use chrono::Datelike;

use crate::sandbox::data::chart::{COMPANIES, Company};
use crate::sandbox::data::defs::{COUNTRY, FX_RATES};
use crate::sandbox::data::events::{UNIT, calendar, closings};
use crate::sandbox::data::ledger::amounts;
use crate::sandbox::data::table::Table;
use crate::sandbox::tsql::error::{SqlResult, internal};

/// Base currency, type, and the share of the dollar's closing rate in hundredths.
const KINDS: [(&str, &str, i128); 3] = [
    ("USD", "Closing", 100),
    ("USD", "Average", 98),
    ("EUR", "Closing", 107),
];

/// One company of each country; the first one keeps its books in the country's currency.
fn countries() -> Vec<&'static Company> {
    let mut found: Vec<&Company> = Vec::new();
    for company in &COMPANIES {
        let country = company.country_code;
        if !found.iter().any(|known| known.country_code == country) {
            found.push(company);
        }
    }
    found
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// `fdw.Dim_Country`.
pub(super) fn country_table() -> SqlResult<Table> {
    let all = countries();
    let codes: Vec<&str> = all.iter().map(|company| company.country_code).collect();
    let names: Vec<&str> = all.iter().map(|company| company.country).collect();
    COUNTRY.table_of(vec![texts(&codes), texts(&names)])
}

/// Closing rates in US dollars of a country at the last closing, instead of its own.
#[derive(Debug)]
pub(super) struct RateChange {
    pub(super) country_code: &'static str,
    /// In hundredths; `None` is a row without a rate.
    pub(super) hundredths: &'static [Option<i64>],
}

/// `dbo.RPT_FX_RATES`, with changes of the last month.
pub(super) fn rate_table(changes: &[&RateChange]) -> SqlResult<Table> {
    let [mut codes, mut currencies, mut bases, mut types] =
        [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let [mut years, mut months] = [Int32Builder::new(), Int32Builder::new()];
    let mut rates: Decimal128Builder = amounts();
    let [_, last] = closings();
    for closing in closings() {
        let last_day = calendar(closing - 1);
        for company in countries() {
            let own = [Some(company.rate_hundredths)];
            let change = changes
                .iter()
                .find(|change| closing == last && change.country_code == company.country_code);
            for (base, kind, share) in KINDS {
                let changed = change.filter(|_| (base, kind) == ("USD", "Closing"));
                for rate in changed.map_or(&own[..], |change| change.hundredths) {
                    codes.push(company.country_code);
                    currencies.push(company.currency);
                    bases.push(base);
                    types.push(kind);
                    years.append_value(last_day.year());
                    months.append_value(i32::try_from(last_day.month()).map_err(internal)?);
                    // Hundredths of a rate times hundredths of a share.
                    rates
                        .append_option(rate.map(|rate| i128::from(rate) * share * (UNIT / 10_000)));
                }
            }
        }
    }
    FX_RATES.table_of(vec![
        texts(&codes),
        texts(&currencies),
        texts(&bases),
        texts(&types),
        Arc::new(years.finish()),
        Arc::new(months.finish()),
        Arc::new(rates.finish()),
    ])
}
