//! What the reconciliation computes over staged rows: exact sums by company and account, and what a join would do.
//!
//! May use Polars through `frame` and `expressions`, and the values of `domain`. No float comes near an amount, no null
//! counts as zero, and no message holds a value of a row.

pub mod audit;
pub mod cells;
pub mod filter;
pub(in crate::kernels) mod keep;
#[cfg(test)]
pub(in crate::kernels) mod samples;
pub mod spec;
pub mod sums;
pub mod table;

pub use table::{StagedReader, StagedTable};

use super::frame::FrameError;
use crate::domain::amount::{Amount, AmountError};

/// Why staged rows could not be reconciled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// Polars failed or panicked.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A column that is missing or of a type with which this cannot be computed.
    #[error("column `{column}` is {found}, needed is {expected}")]
    Column {
        /// Canonical name.
        column: String,
        /// What is needed.
        expected: String,
        /// Type of the column, or `missing`.
        found: String,
    },
    /// A sum beyond 38 digits.
    #[error("sum of `{column}`: {source}")]
    Amount {
        /// Canonical name, or what is summed.
        column: String,
        /// What went wrong.
        source: AmountError,
    },
    /// More rows than may be held.
    #[error("the table has more than {rows_max} rows that the reconciliation would hold")]
    TooManyRows {
        /// The limit.
        rows_max: usize,
    },
    /// A join that made other rows than it was given.
    #[error("joining {join} made {after} rows of {before}")]
    Multiplied {
        /// Name of the join.
        join: String,
        /// Rows before.
        before: usize,
        /// Rows after.
        after: usize,
    },
}

impl ReconcileError {
    /// A sum that failed.
    pub(in crate::kernels) fn summing(column: &str) -> impl Fn(AmountError) -> Self {
        move |source| Self::Amount {
            column: column.to_owned(),
            source,
        }
    }
}

/// The amount, or its opposite.
///
/// # Errors
/// None that an amount of 38 digits can cause.
pub(in crate::kernels) fn signed(amount: Amount, negative: bool) -> Result<Amount, AmountError> {
    let units = amount.units();
    Amount::new(if negative { -units } else { units }, amount.scale())
}
