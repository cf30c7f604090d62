//! Exchange rates in the accounting system of the Algerian company: the source of CR_05A.
//!
//! # Shape
//! For every currency of the group, and one beside them, the dinars of one unit on the last day of March, in mid-April and on
//! the last day of April: a query that forgets the day or the list gives too many rows.

use arrow::array::ArrayRef;

use crate::sandbox::data::chart::{COMPANIES, Company};
use crate::sandbox::data::chunk::{Chunk, table};
use crate::sandbox::data::events::{DAY_US, UNIT, closings};
use crate::sandbox::data::systems::Rows;
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

/// The company whose system it is.
const COMPANY: &str = "JD_DZ";
/// The currency that the item does not need, in hundredths for a dollar.
const EURO: (&str, i64) = ("EUR", 93);

/// The tables of the system.
pub(super) const TABLES: [&TableDef; 1] = [&RATES];

const RATES: TableDef = TableDef {
    name: ["D365BC14_DZ", "dbo", "Jade DZ$Currency Exchange Rate"],
    columns: &[
        ("Currency Code", "varchar(10)", false),
        ("Starting Date", "datetime", false),
        ("Exchange Rate Amount", "decimal(38,20)", false),
        ("Relational Currency Code", "varchar(10)", false),
        ("Relational Exch_ Rate Amount", "decimal(38,20)", false),
    ],
    is_view: false,
};

/// The rate of a currency on a day.
struct Rate {
    currency: &'static str,
    at: i64,
    /// Dinars of one unit, in 10^-20.
    dinars: i128,
}

/// Writes the rates, in the books of one company only.
pub(super) fn write(company: &'static Company) -> SqlResult<Rows> {
    let rates = if company.code == COMPANY {
        rates(company)
    } else {
        Vec::new()
    };
    Ok(vec![table(&RATES, company, rates.iter(), columns)?])
}

fn rates(company: &Company) -> Vec<Rate> {
    let [march, april] = closings().map(|closing| closing - 1);
    let mut currencies: Vec<(&str, i64)> = vec![EURO];
    for known in &COMPANIES {
        if !currencies.iter().any(|(code, _)| *code == known.currency) {
            currencies.push((known.currency, known.rate_hundredths));
        }
    }
    let days = [march, march + 15, april];
    let on = |day: i64| {
        currencies.iter().map(move |(currency, hundredths)| Rate {
            currency,
            at: day * DAY_US,
            // A hundredth more for each day before the last.
            dinars: (i128::from(company.rate_hundredths) + i128::from(april - day)) * UNIT
                / i128::from(*hundredths),
        })
    };
    days.into_iter().flat_map(on).collect()
}

fn columns(chunk: &Chunk<'_, Rate>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.text(|rate| Some(rate.currency)),
        chunk.time(|rate| Some(rate.at)),
        chunk.exact(|_| UNIT),
        chunk.text(|_| Some("DZD")),
        chunk.exact(|rate| rate.dinars),
    ])
}
