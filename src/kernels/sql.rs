//! SQL text for the source, in T-SQL: the control totals by a statement of their own.
//!
//! May use the contract and bound queries. Never runs anything, and never writes a value into a text: parameters stay
//! bound.

use std::collections::BTreeMap;

use crate::domain::amount::Amount;
use crate::domain::contract::{Column, Contract};
use crate::domain::query::BoundQuery;
use crate::domain::totals::{ControlTotals, GroupTotals, TotalsError};
use crate::ports::{Cell, SmallTable};

/// Compares texts by their code points, so that no collation joins or splits a company.
pub(super) const BINARY_COLLATION: &str = "Latin1_General_100_BIN2";

/// The statement that counts and sums the rows of `query` on the server, per company, with the same parameters.
///
/// # Shape
/// Columns `company`, `rows`, then `sum_0`, `sum_1` … in the order of the contract's amounts. The text of `query`
/// becomes a derived table: it may not begin with WITH or end in ORDER BY, which the catalog lint refuses.
/// # Units
/// Sums are `decimal(38,s)` with the scale of their column: the server raises error 8115 rather than wrap or round.
#[must_use]
pub fn totals_query(contract: &Contract, query: &BoundQuery) -> BoundQuery {
    let company = contract
        .column(&contract.company)
        .map_or(contract.company.as_str(), |column| column.source.as_str());
    let group = format!("RTRIM(q.{}) COLLATE {BINARY_COLLATION}", quoted(company));
    let sums = contract.amounts().enumerate().map(|(place, column)| {
        format!(
            ", SUM(CAST(q.{} AS decimal(38,{}))) AS [sum_{place}]",
            quoted(&column.source),
            scale_of(column)
        )
    });
    // The line break keeps a comment at the end of the text from swallowing the bracket.
    let text = format!(
        "SELECT {group} AS [company], COUNT_BIG(*) AS [rows]{} FROM (\n{}\n) AS q GROUP BY {group}",
        sums.collect::<String>(),
        query.text.trim().trim_end_matches(';').trim_end()
    );
    BoundQuery {
        text,
        params: query.params.clone(),
    }
}

/// A name in brackets.
pub(super) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

pub(super) fn scale_of(column: &Column) -> u8 {
    column.column_type.scale().unwrap_or_default()
}

/// An answer that is not that of [`totals_query`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotalsAnswerError {
    /// Other columns than asked for.
    #[error("the control totals have columns {found}, expected {expected}")]
    Columns {
        /// Names asked for.
        expected: String,
        /// Names answered.
        found: String,
    },
    /// A value of another type, or below zero where rows are counted.
    #[error("row {row} of the control totals: `{column}` is not {expected}")]
    Value {
        /// Row of the answer, from 1.
        row: usize,
        /// Column of the answer.
        column: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A sum beyond 38 digits, or of a scale that would lose digits.
    #[error(transparent)]
    Sum(#[from] TotalsError),
}

/// Reads the answer to [`totals_query`].
///
/// # Shape
/// A null company stands under the empty text, together with an empty one; a null sum (only nulls) is zero.
/// # Errors
/// [`TotalsAnswerError`] for other columns, other types, a fractional digit too many or a sum beyond 38 digits.
pub fn parse_totals(
    contract: &Contract,
    table: &SmallTable,
) -> Result<ControlTotals, TotalsAnswerError> {
    let amounts: Vec<&Column> = contract.amounts().collect();
    let sum_names = (0..amounts.len()).map(|place| format!("sum_{place}"));
    let expected: Vec<String> = ["company".to_owned(), "rows".to_owned()]
        .into_iter()
        .chain(sum_names)
        .collect();
    let wrong_columns = |found: String| TotalsAnswerError::Columns {
        expected: expected.join(", "),
        found,
    };
    if table.columns != expected {
        return Err(wrong_columns(table.columns.join(", ")));
    }
    let mut totals = ControlTotals {
        amounts: amounts.iter().map(|column| column.name.clone()).collect(),
        groups: BTreeMap::new(),
    };
    for (index, cells) in table.rows.iter().enumerate() {
        let row = index + 1;
        let [company, rows, sums @ ..] = cells.as_slice() else {
            return Err(wrong_columns(format!("{} cells in row {row}", cells.len())));
        };
        if sums.len() != amounts.len() {
            return Err(wrong_columns(format!("{} cells in row {row}", cells.len())));
        }
        let company = company_text(company, row)?;
        let sums = sums.iter().zip(&amounts).enumerate();
        let sums =
            sums.map(|(place, (cell, column))| parse_sum(cell, column, &company, (row, place)));
        let group = GroupTotals {
            rows: row_count(rows, row)?,
            sums: sums.collect::<Result<_, _>>()?,
        };
        // A null company and an empty one are two rows of the answer and one group here.
        totals.merge(&ControlTotals {
            amounts: totals.amounts.clone(),
            groups: BTreeMap::from([(company, group)]),
        })?;
    }
    Ok(totals)
}

fn company_text(cell: &Cell, row: usize) -> Result<String, TotalsAnswerError> {
    match cell {
        Cell::Null => Ok(String::new()),
        Cell::Text(text) => Ok(text.trim_end_matches(' ').to_owned()),
        _ => Err(wrong_value(row, "company", "text")),
    }
}

fn row_count(cell: &Cell, row: usize) -> Result<u64, TotalsAnswerError> {
    match cell {
        Cell::Int(rows) => u64::try_from(*rows).ok(),
        _ => None,
    }
    .ok_or_else(|| wrong_value(row, "rows", "a count"))
}

fn parse_sum(
    cell: &Cell,
    column: &Column,
    company: &str,
    (row, place): (usize, usize),
) -> Result<Amount, TotalsAnswerError> {
    let scale = scale_of(column);
    let amount = match cell {
        Cell::Null => Ok(Amount::zero(scale)),
        Cell::Decimal(amount) => amount.rescale(scale),
        Cell::Int(units) => {
            Amount::new(i128::from(*units), 0).and_then(|whole| whole.rescale(scale))
        }
        _ => return Err(wrong_value(row, &format!("sum_{place}"), "an exact number")),
    };
    amount.map_err(|source| {
        TotalsAnswerError::Sum(TotalsError {
            column: column.name.clone(),
            company: company.to_owned(),
            source,
        })
    })
}

fn wrong_value(row: usize, column: &str, expected: &'static str) -> TotalsAnswerError {
    TotalsAnswerError::Value {
        row,
        column: column.to_owned(),
        expected,
    }
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
