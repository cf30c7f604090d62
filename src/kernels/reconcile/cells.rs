//! Cells as the reconciliation reads them: amounts in whole units, companies, keys in one spelling; and grouped sums.

use polars::prelude::{DataFrame, DataType, Expr, IntoLazy as _, NULL, col, len, lit, when};

use super::ReconcileError;
use crate::domain::amount::Amount;
use crate::kernels::expressions::{Halves, split_units};
use crate::kernels::frame::{FrameError, guarded, whole_numbers};

/// The column of every item that names the company.
pub const COMPANY: &str = "id_company";

/// An amount as whole units of its scale.
#[derive(Clone)]
pub(in crate::kernels) struct Units {
    pub(in crate::kernels) expr: Expr,
    pub(in crate::kernels) scale: u8,
}

/// The type of a column.
pub(in crate::kernels) fn dtype(
    frame: &DataFrame,
    column: &str,
) -> Result<DataType, ReconcileError> {
    let found = frame.schema().get(column).cloned();
    found.ok_or_else(|| wrong(column, "a column of the table", "missing"))
}

pub(in crate::kernels) fn wrong(column: &str, expected: &str, found: &str) -> ReconcileError {
    ReconcileError::Column {
        column: column.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// A column of exact numbers.
///
/// # Errors
/// [`ReconcileError::Column`] for anything else: a float is no amount.
pub(in crate::kernels) fn units(frame: &DataFrame, column: &str) -> Result<Units, ReconcileError> {
    let cell = col(column);
    let found = dtype(frame, column)?;
    let (expr, scale) = match &found {
        DataType::Decimal(_, scale) => (cell.to_physical(), u8::try_from(*scale).ok()),
        DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            (cell.cast(DataType::Int128), Some(0))
        }
        _ => (cell, None),
    };
    let scale = scale.ok_or_else(|| wrong(column, "an exact number", &found.to_string()))?;
    Ok(Units { expr, scale })
}

/// A column of text without blanks at its end; null is empty. Companies and accounts are read so.
///
/// # Errors
/// [`ReconcileError::Column`] when it is not text.
pub(in crate::kernels) fn code(frame: &DataFrame, column: &str) -> Result<Expr, ReconcileError> {
    match dtype(frame, column)? {
        DataType::String => Ok(col(column)
            .str()
            .strip_chars_end(lit(" "))
            .fill_null(lit(""))),
        found => Err(wrong(column, "text", &found.to_string())),
    }
}

/// A key in the one spelling in which both systems are compared: no blanks around it, capitals, no `.0` at its end.
///
/// # Shape
/// Null where there is no key, also for an empty text.
/// # Errors
/// [`ReconcileError::Column`] for a type that is no key.
pub(in crate::kernels) fn key(frame: &DataFrame, column: &str) -> Result<Expr, ReconcileError> {
    let text = match dtype(frame, column)? {
        DataType::String => col(column),
        DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Decimal(_, 0) => {
            col(column).cast(DataType::String)
        }
        found => {
            return Err(wrong(
                column,
                "a text or a whole number",
                &found.to_string(),
            ));
        }
    };
    let plain = text.str().strip_chars(lit(NULL)).str().to_uppercase();
    let plain = plain.str().strip_suffix(lit(".0"));
    Ok(when(plain.clone().eq(lit("")))
        .then(lit(NULL))
        .otherwise(plain))
}

/// Number of rows for which a condition holds, under a name; a condition that is neither true nor false does not.
pub(in crate::kernels) fn count(condition: Expr, name: &str) -> Expr {
    let one = when(condition).then(lit(1_i64)).otherwise(lit(0_i64));
    one.sum().cast(DataType::Int128).alias(name)
}

/// Rows that share a key, and their exact sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kernels) struct Group {
    pub(in crate::kernels) keys: Vec<Option<String>>,
    pub(in crate::kernels) rows: u64,
    /// Rows that say no amount: they are in `rows` and not in `amount`.
    pub(in crate::kernels) without_amount: u64,
    pub(in crate::kernels) amount: Amount,
}

/// Sums one amount by texts, in the order of the keys.
///
/// # Errors
/// [`ReconcileError`] for a column that is no exact number, and for a sum beyond 38 digits.
pub(in crate::kernels) fn grouped(
    frame: &DataFrame,
    keys: &[Expr],
    amount: &str,
) -> Result<Vec<Group>, ReconcileError> {
    let units = units(frame, amount)?;
    let names: Vec<String> = (0..keys.len())
        .map(|place| format!("key_{place}"))
        .collect();
    let named = keys.iter().zip(&names);
    let named: Vec<Expr> = named.map(|(key, name)| key.clone().alias(name)).collect();
    let [high, low] = split_units(&units.expr, 0);
    let aggregates = [
        len().cast(DataType::Int128).alias("rows"),
        count(units.expr.is_null(), "without_amount"),
        high,
        low,
    ];
    let doing = || format!("summing {amount}");
    let found = guarded(doing, || {
        let groups = frame.clone().lazy().group_by(named);
        groups.agg(aggregates).collect()
    })?;
    let texts = names.iter().map(|name| optional_texts(&found, name));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let rows = counts(&found, "rows")?;
    let without = counts(&found, "without_amount")?;
    let (high, low) = (numbers(&found, "high_0")?, numbers(&found, "low_0")?);
    let mut groups = Vec::with_capacity(rows.len());
    let sums = high.into_iter().zip(low);
    for (place, ((rows, without_amount), (high, low))) in
        rows.into_iter().zip(without).zip(sums).enumerate()
    {
        let mut sum = Halves::default();
        sum.add(high, low);
        groups.push(Group {
            keys: texts
                .iter()
                .map(|column| column.get(place).cloned().flatten())
                .collect(),
            rows,
            without_amount,
            amount: sum
                .amount(units.scale)
                .map_err(ReconcileError::summing(amount))?,
        });
    }
    groups.sort_by(|a, b| a.keys.cmp(&b.keys));
    Ok(groups)
}

/// The texts of a column of a result, with its nulls.
pub(in crate::kernels) fn optional_texts(
    frame: &DataFrame,
    name: &str,
) -> Result<Vec<Option<String>>, FrameError> {
    guarded(
        || format!("reading {name}"),
        || {
            let cells = frame.column(name)?.str()?;
            Ok(cells.iter().map(|cell| cell.map(str::to_owned)).collect())
        },
    )
}

/// The whole numbers of a column that has no null.
pub(in crate::kernels) fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<i128>, FrameError> {
    let cells = whole_numbers(frame, name)?;
    cells
        .into_iter()
        .map(|cell| {
            cell.ok_or_else(|| FrameError {
                doing: format!("reading {name}"),
                what: "a number is missing".to_owned(),
            })
        })
        .collect()
}

/// The counts of a column.
pub(in crate::kernels) fn counts(frame: &DataFrame, name: &str) -> Result<Vec<u64>, FrameError> {
    let counts = numbers(frame, name)?.into_iter().map(|count| {
        u64::try_from(count).map_err(|_| FrameError {
            doing: format!("reading {name}"),
            what: "a count is below zero".to_owned(),
        })
    });
    counts.collect()
}
