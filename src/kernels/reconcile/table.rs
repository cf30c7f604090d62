//! Staged rows that are looked at together: some columns of a table, and the rows that conditions do not exclude.

use std::fmt;

use bytes::Bytes;
use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType, Field, IntoLazy as _, Schema, lit};

use super::ReconcileError;
use super::cells::{dtype, optional_texts, units, wrong};
use super::filter::{Condition, all, day_of, instant};
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::kernels::expressions;
use crate::kernels::frame::{Part, guarded, whole_numbers};

/// Rows in memory, by canonical column names.
#[derive(Clone)]
pub struct StagedTable {
    pub(in crate::kernels) frame: DataFrame,
}

impl fmt::Debug for StagedTable {
    /// Never a cell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StagedTable({} rows)", self.frame.height())
    }
}

impl StagedTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is a column of this name.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.frame.schema().get(column).is_some()
    }

    /// The texts of a column.
    ///
    /// # Errors
    /// [`ReconcileError`] when it is missing or no text.
    pub fn texts(&self, column: &str) -> Result<Vec<Option<String>>, ReconcileError> {
        Ok(optional_texts(&self.frame, column)?)
    }

    /// The codes of a column, such as companies and accounts: texts without blanks at their end, as sums and filters read them.
    ///
    /// # Errors
    /// As [`StagedTable::texts`].
    pub fn codes(&self, column: &str) -> Result<Vec<Option<String>>, ReconcileError> {
        let mut codes = self.texts(column)?;
        for code in codes.iter_mut().flatten() {
            code.truncate(code.trim_end_matches(' ').len());
        }
        Ok(codes)
    }

    /// The amounts of a column.
    ///
    /// # Errors
    /// [`ReconcileError`] when it is missing or no exact number.
    pub fn amounts(&self, column: &str) -> Result<Vec<Option<Amount>>, ReconcileError> {
        let units = units(&self.frame, column)?;
        let frame = guarded(
            || format!("reading {column}"),
            || {
                let column = self.frame.clone().lazy();
                column.select([units.expr.alias("units")]).collect()
            },
        )?;
        let cells = whole_numbers(&frame, "units")?.into_iter().map(|cell| {
            let amount = cell.map(|cell| Amount::new(cell, units.scale));
            amount.transpose().map_err(ReconcileError::summing(column))
        });
        cells.collect()
    }
}

impl StagedTable {
    /// The cells of a column as a key shows them: texts, exact numbers, days.
    ///
    /// # Errors
    /// [`ReconcileError`] when it is missing or of another type.
    pub fn shown(&self, column: &str) -> Result<Vec<Option<String>>, ReconcileError> {
        let shown = match dtype(&self.frame, column)? {
            DataType::String => return self.texts(column),
            DataType::Date | DataType::Datetime(..) => {
                let days = self.days(column)?.into_iter();
                days.map(|day| day.map(|day| day.to_string())).collect()
            }
            _ => {
                let amounts = self.amounts(column)?.into_iter();
                amounts
                    .map(|amount| amount.map(|amount| amount.to_string()))
                    .collect()
            }
        };
        Ok(shown)
    }

    /// The days of a column of dates or times; NAV's empty date is no day.
    ///
    /// # Errors
    /// [`ReconcileError`] when it is missing or no date.
    pub fn days(&self, column: &str) -> Result<Vec<Option<NaiveDate>>, ReconcileError> {
        let instants = instant(&self.frame, column)?;
        let dtype = dtype(&self.frame, column)?;
        let frame = guarded(
            || format!("reading {column}"),
            || {
                let frame = self.frame.clone().lazy();
                frame.select([instants.alias("instant")]).collect()
            },
        )?;
        let cells = whole_numbers(&frame, "instant")?.into_iter();
        Ok(cells.map(|cell| day_of(&dtype, cell?)).collect())
    }
}

/// Reads a table part by part.
pub struct StagedReader {
    schema: Schema,
    names: Vec<String>,
    keep: Vec<Condition>,
    rows_max: usize,
    frame: DataFrame,
}

impl StagedReader {
    /// Begins with no rows.
    ///
    /// # Shape
    /// `columns` and those of the conditions, by their contract. A row that a condition leaves undecided is kept: who
    /// computes with it counts it.
    /// # Errors
    /// [`ReconcileError::Column`] for a column that the contract does not have.
    pub fn new(
        contract: &Contract,
        columns: &[&str],
        keep: Vec<Condition>,
        rows_max: usize,
    ) -> Result<Self, ReconcileError> {
        let asked = |name: &str| {
            let mut conditions = keep.iter();
            columns.contains(&name) || conditions.any(|condition| condition.column == name)
        };
        let of_conditions = keep.iter().map(|condition| condition.column.as_str());
        for name in columns.iter().copied().chain(of_conditions) {
            if contract.column(name).is_none() {
                return Err(wrong(name, "a column of the contract", "missing"));
            }
        }
        let known = contract.columns.iter();
        let known: Vec<_> = known.filter(|column| asked(&column.name)).collect();
        let field = known.iter().map(|column| {
            let dtype = expressions::dtype(column.column_type);
            Field::new(column.name.as_str().into(), dtype)
        });
        let schema = Schema::from_iter(field);
        Ok(Self {
            names: known.iter().map(|column| column.name.clone()).collect(),
            frame: DataFrame::empty_with_schema(&schema),
            schema,
            keep,
            rows_max,
        })
    }

    /// Adds one part.
    ///
    /// # Errors
    /// [`ReconcileError`] for a part of other columns, and beyond `rows_max` rows.
    pub fn add(&mut self, bytes: Bytes) -> Result<(), ReconcileError> {
        for frame in frames(bytes, &self.schema, &self.names)? {
            let frame = frame?;
            let kept = all(&self.keep, &frame)?.fill_null(lit(true));
            let doing = || format!("filtering {}", self.names.join(", "));
            let frame = guarded(doing, || frame.lazy().filter(kept).collect())?;
            if self.frame.height() + frame.height() > self.rows_max {
                let rows_max = self.rows_max;
                return Err(ReconcileError::TooManyRows { rows_max });
            }
            let doing = || "putting row groups together".to_owned();
            self.frame = guarded(doing, || self.frame.vstack(&frame))?;
        }
        Ok(())
    }

    /// The rows of all parts added.
    #[must_use]
    pub fn finish(self) -> StagedTable {
        StagedTable { frame: self.frame }
    }
}

/// The row groups of a part, one at a time, with the columns in the given order.
pub(super) fn frames<'a>(
    bytes: Bytes,
    schema: &'a Schema,
    names: &'a [String],
) -> Result<impl Iterator<Item = Result<DataFrame, ReconcileError>> + use<'a>, ReconcileError> {
    let part = Part::open(bytes)?;
    for (name, expected) in schema.iter() {
        let found = part.dtype(name);
        if found != Some(expected) {
            let found = found.map_or_else(|| "missing".to_owned(), ToString::to_string);
            return Err(wrong(name, &expected.to_string(), &found));
        }
    }
    Ok((0..part.row_groups()).map(move |index| {
        let frame = part.row_group(index, names)?;
        let doing = || format!("ordering {}", names.join(", "));
        Ok(guarded(doing, || frame.select(names))?)
    }))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
