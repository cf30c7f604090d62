//! The loss ledger: which columns do not carry every value as it was, over how many values.
//!
//! What was changed is counted where it happens, by the reader; here the values are counted, and the two put together.

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

use super::KernelError;
use super::conform::content_column;
use crate::domain::contract::Contract;
use crate::domain::losses::{Changes, ColumnLosses};
use crate::domain::sql_type::SqlType;

/// Whether the carrier of a type holds values that the type has not.
#[must_use]
pub fn widened(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::TinyInt
        | SqlType::Money
        | SqlType::SmallMoney
        | SqlType::DateTime
        | SqlType::SmallDateTime
        | SqlType::UniqueIdentifier => true,
        SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) | SqlType::Time(scale) => {
            *scale < 6
        }
        _ => false,
    }
}

/// Counts the values of every column.
#[derive(Debug)]
pub struct ValuesFold {
    contract: Contract,
    values: Vec<u64>,
}

impl ValuesFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        Self {
            contract: contract.clone(),
            values: vec![0; contract.columns.len()],
        }
    }

    /// Adds one conformed batch.
    ///
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        let columns = self.contract.columns.iter().zip(&mut self.values);
        for (ordinal, (column, values)) in columns.enumerate() {
            let array = content_column(batch, ordinal, &column.name, column.column_type)?;
            *values += u64::try_from(array.len() - array.null_count()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// Values by column, in contract order.
    #[must_use]
    pub fn finish(self) -> Vec<u64> {
        self.values
    }
}

/// The lines of every column that was changed or widened and has values; empty when every value is as it was.
///
/// # Shape
/// `types`, `values` and `changes` by ordinal, as long as the contract.
/// # Errors
/// [`KernelError::ColumnCount`] when they are not.
pub fn ledger(
    contract: &Contract,
    types: &[SqlType],
    values: &[u64],
    changes: &[Changes],
) -> Result<Vec<ColumnLosses>, KernelError> {
    let expected = contract.columns.len();
    for found in [types.len(), values.len(), changes.len()] {
        if found != expected {
            return Err(KernelError::ColumnCount { expected, found });
        }
    }
    let columns = contract.columns.iter().zip(types).zip(values).zip(changes);
    let lines = columns.filter(|(((_, sql_type), values), changes)| {
        !changes.is_empty() || (widened(sql_type) && **values > 0)
    });
    Ok(lines
        .map(|(((column, _), values), changes)| ColumnLosses {
            column: column.name.clone(),
            values: *values,
            changes: *changes,
        })
        .collect())
}
