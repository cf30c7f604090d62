//! Counts nulls in columns that the contract declares free of them.
//!
//! May use Arrow and the contract. Looks at validity only; never at a value, and never names a row's content.

use std::fmt;

use arrow::array::{Array, RecordBatch};

use super::KernelError;
use super::conform::content_column;
use crate::domain::contract::{Column, Contract};

/// Nulls in a column that must have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullFinding {
    /// Canonical column name.
    pub column: String,
    /// Rows where it is null.
    pub nulls: u64,
    /// Rows seen.
    pub rows: u64,
}

impl fmt::Display for NullFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "column `{}` is null in {} of {} rows; the contract allows no null",
            self.column, self.nulls, self.rows
        )
    }
}

/// Counts over all batches of one item.
#[derive(Debug)]
pub struct QualityFold {
    /// Ordinal, column and nulls so far of the columns that must have none.
    required: Vec<(usize, Column, u64)>,
    rows: u64,
}

impl QualityFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let required = contract.columns.iter().enumerate();
        Self {
            required: required
                .filter(|(_, column)| !column.nullable)
                .map(|(ordinal, column)| (ordinal, column.clone(), 0))
                .collect(),
            rows: 0,
        }
    }

    /// Adds one conformed batch.
    ///
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        for (ordinal, column, nulls) in &mut self.required {
            let array = content_column(batch, *ordinal, &column.name, column.column_type)?;
            *nulls += count(array.null_count());
        }
        self.rows += count(batch.num_rows());
        Ok(())
    }

    /// The columns that broke their promise, in contract order; empty is good.
    #[must_use]
    pub fn finish(self) -> Vec<NullFinding> {
        let broken = self.required.into_iter().filter(|(_, _, nulls)| *nulls > 0);
        broken
            .map(|(_, column, nulls)| NullFinding {
                column: column.name,
                nulls,
                rows: self.rows,
            })
            .collect()
    }
}

/// A `usize` has at most 64 bits on every supported machine.
fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, StringArray};

    use super::*;
    use crate::domain::contract::ColumnType;
    use crate::domain::sql_type::SqlType;

    fn contract(nullable: bool) -> Contract {
        let column = |name: &str, sql_type: SqlType, nullable| Column {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable,
            amount: false,
            personal: false,
            description: String::new(),
        };
        Contract {
            version: 1,
            columns: vec![
                column("company", SqlType::NVarChar(Some(20)), nullable),
                column("entry_no", SqlType::Int, true),
            ],
            key: vec!["entry_no".into()],
            company: "company".into(),
        }
    }

    fn batch(companies: Vec<Option<&str>>) -> RecordBatch {
        let rows = companies.len();
        let company: ArrayRef = Arc::new(StringArray::from(companies));
        let entry: ArrayRef = Arc::new(Int32Array::new_null(rows));
        RecordBatch::try_from_iter_with_nullable([
            ("company", company, true),
            ("entry_no", entry, true),
        ])
        .unwrap()
    }

    #[test]
    fn nulls_are_counted_over_batches_where_none_is_allowed() {
        let mut fold = QualityFold::new(&contract(false));
        fold.fold(&batch(vec![None, Some("EC_NG")])).unwrap();
        fold.fold(&batch(vec![None])).unwrap();
        let findings = fold.finish();
        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].to_string(),
            "column `company` is null in 2 of 3 rows; the contract allows no null"
        );
    }

    #[test]
    fn allowed_nulls_and_empty_texts_are_no_finding() {
        let mut fold = QualityFold::new(&contract(true));
        fold.fold(&batch(vec![None])).unwrap();
        assert_eq!(fold.finish(), vec![]);
        let mut fold = QualityFold::new(&contract(false));
        fold.fold(&batch(vec![Some("")])).unwrap();
        assert_eq!(fold.finish(), vec![]);
    }
}
