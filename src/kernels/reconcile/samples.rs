//! Tables by hand, for the tests of the reconciliation: the types that a staged part has.

use chrono::{NaiveDate, NaiveDateTime};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom as _, Series, TimeUnit};

use super::StagedTable;
use crate::domain::amount::Amount;
use crate::domain::vouchers::{VOUCHER_RULES, VoucherRules};

/// Scale of NAV's amounts.
pub(in crate::kernels) const NAV: u8 = 20;

pub(in crate::kernels) fn table(columns: Vec<Column>) -> StagedTable {
    let frame = DataFrame::new_infer_height(columns).unwrap();
    StagedTable { frame }
}

/// Texts; `-` is null.
pub(in crate::kernels) fn texts(name: &str, cells: &[&str]) -> Column {
    let cells: Vec<Option<&str>> = cells.iter().map(|cell| known(cell)).collect();
    Column::from(Series::new(name.into(), cells))
}

/// Amounts as they are written; `-` is null.
pub(in crate::kernels) fn amounts(name: &str, scale: u8, cells: &[&str]) -> Column {
    let cells: Vec<Option<i128>> = cells
        .iter()
        .map(|cell| known(cell).map(|cell| money(cell, scale).units()))
        .collect();
    units(name, scale, &cells)
}

/// Amounts in whole units.
pub(in crate::kernels) fn units(name: &str, scale: u8, cells: &[Option<i128>]) -> Column {
    let cells = Series::new(name.into(), cells);
    Column::from(cells.into_decimal(38, usize::from(scale)).unwrap())
}

/// Whole numbers; `-` is null.
pub(in crate::kernels) fn numbers(name: &str, cells: &[&str]) -> Column {
    let cells: Vec<Option<i64>> = cells
        .iter()
        .map(|cell| known(cell).map(|cell| cell.parse().unwrap()))
        .collect();
    Column::from(Series::new(name.into(), cells))
}

/// Flags as `bit` gives them: `0`, `1`, `-`.
pub(in crate::kernels) fn flags(name: &str, cells: &[&str]) -> Column {
    let cells: Vec<Option<bool>> = cells
        .iter()
        .map(|cell| known(cell).map(|c| c == "1"))
        .collect();
    Column::from(Series::new(name.into(), cells))
}

/// Moments as `datetime` gives them: a day, or a day and a time; `-` is null.
pub(in crate::kernels) fn moments(name: &str, cells: &[&str]) -> Column {
    let micros = |cell: &str| {
        let whole = if cell.len() == 10 {
            format!("{cell} 00:00:00")
        } else {
            cell.to_owned()
        };
        let moment = NaiveDateTime::parse_from_str(&whole, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        moment.and_utc().timestamp_micros()
    };
    let cells: Vec<Option<i64>> = cells.iter().map(|cell| known(cell).map(micros)).collect();
    let cells = Series::new(name.into(), cells);
    let moments = DataType::Datetime(TimeUnit::Microseconds, None);
    Column::from(cells.cast(&moments).unwrap())
}

/// The same text in every row.
pub(in crate::kernels) fn same(name: &str, cell: &str, rows: usize) -> Column {
    texts(name, &vec![cell; rows])
}

fn known(cell: &str) -> Option<&str> {
    (cell != "-").then_some(cell)
}

pub(in crate::kernels) fn money(text: &str, scale: u8) -> Amount {
    text.parse::<Amount>().unwrap().rescale(scale).unwrap()
}

pub(in crate::kernels) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(in crate::kernels) fn rules() -> VoucherRules {
    VoucherRules::parse(VOUCHER_RULES).unwrap()
}
