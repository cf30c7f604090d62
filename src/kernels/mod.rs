//! Pure functions over Arrow batches: conform, count, sum and digest rows, and compute it all a second time.
//!
//! # Two paths
//! `canonical`, `digest` and `totals` fold the stream on its way to staging. `recheck` (over `frame`) computes the
//! same from the staged bytes with Polars. The two share the values of `domain` and the `sha2` crate, no code.
//!
//! May use `domain`, the value types of `ports`, Arrow; Polars only in `recheck`, `frame`, `reconcile`, `vouchers`
//! and `bridges`. Does no I/O, reads no clock, starts no task (`matching` alone works on threads of its own, and waits for
//! them), and never puts a row's content into a message.

pub mod bigquery;
pub mod bridges;
pub mod canonical;
pub mod cells;
pub mod conform;
pub mod digest;
mod expressions;
pub mod frame;
pub mod keys;
pub mod ledger;
pub mod loss;
pub mod matching;
pub mod population;
pub mod profile;
pub mod quality;
pub mod recheck;
pub mod reconcile;
pub mod rules;
#[cfg(test)]
mod samples;
pub mod scope;
pub mod sequence;
pub mod sketch;
pub mod sql;
pub mod totals;
pub mod uploaded;
pub mod values;
pub mod vouchers;
pub mod witness;

use crate::domain::totals::TotalsError;

/// Why a batch could not be folded; the fold that gave it is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The described columns are not those of the contract.
    #[error("the source does not deliver what the contract says: {}", .0.join("; "))]
    Contract(Vec<String>),
    /// More or fewer columns than the contract has.
    #[error("the batch has {found} columns, the contract {expected}")]
    ColumnCount {
        /// Columns of the contract.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A column that is missing or stands at another place.
    #[error("column {ordinal} of the batch is `{found}`, the contract says `{expected}`")]
    ColumnName {
        /// Position, from 0.
        ordinal: usize,
        /// Name by the contract.
        expected: String,
        /// Name in the batch.
        found: String,
    },
    /// A column that carries another type.
    #[error("column `{column}` of the batch carries {found}, the contract says {expected}")]
    ColumnType {
        /// Name in the batch.
        column: String,
        /// Arrow type by the contract.
        expected: String,
        /// Arrow type in the batch.
        found: String,
    },
    /// A rule of an item that does not fit its column.
    #[error("the rule of column `{column}`: the column {what}")]
    Rule {
        /// Canonical column name.
        column: String,
        /// What does not fit.
        what: String,
    },
    /// A batch above the announced limit.
    #[error("the batch has {rows} rows, the limit is {rows_max}")]
    TooManyRows {
        /// Rows of the batch.
        rows: usize,
        /// Announced limit.
        rows_max: usize,
    },
    /// A date outside the years 1 to 9999, or a time that is no time of day.
    #[error(
        "column `{column}`, row {row} of the batch: the date or time is outside 0001-01-01 to 9999-12-31"
    )]
    OutOfRange {
        /// Canonical column name.
        column: String,
        /// Row in the batch, from 0.
        row: usize,
    },
    /// A column whose values cannot name a company.
    #[error("company column `{column}` is not text; cast it to nvarchar in the select list")]
    Company {
        /// Canonical column name.
        column: String,
    },
    /// A sum beyond 38 digits.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// Arrow refused to assemble a batch.
    #[error("the batch could not be assembled: {0}")]
    Assemble(String),
}
