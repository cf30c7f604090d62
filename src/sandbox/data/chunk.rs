//! Rows of a system in its tables: columns from the events of one company, by a function of each.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::columns::{flags, money, numbers, small_numbers, texts, times};
use crate::sandbox::data::decor::BATCH_ROWS;
use crate::sandbox::data::ledger::{amounts, batch};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

/// Some events of one company, as many as a batch has rows.
pub(super) struct Chunk<'a, R> {
    company: &'a Company,
    rows: Vec<&'a R>,
}

impl<R> Chunk<'_, R> {
    /// The company's code in every row.
    pub(super) fn company(&self) -> ArrayRef {
        self.text(|_| Some(self.company.code))
    }

    pub(super) fn text<'s>(&'s self, of: impl Fn(&'s R) -> Option<&'s str>) -> ArrayRef {
        texts(self.rows.iter().map(|row| of(row)))
    }

    /// Texts that are made for the purpose.
    pub(super) fn made(&self, of: impl Fn(&R) -> Option<String>) -> ArrayRef {
        texts(self.rows.iter().map(|row| of(row)))
    }

    /// Times in microseconds since 1970.
    pub(super) fn time(&self, of: impl Fn(&R) -> Option<i64>) -> ArrayRef {
        times(self.rows.iter().map(|row| of(row)))
    }

    /// `decimal(19,4)` in units of 10^-4.
    pub(super) fn money(&self, of: impl Fn(&R) -> i128) -> SqlResult<ArrayRef> {
        money(self.rows.iter().map(|row| Some(of(row))))
    }

    /// `decimal(38,20)` in units of 10^-20.
    pub(super) fn exact(&self, of: impl Fn(&R) -> i128) -> ArrayRef {
        let mut amounts = amounts();
        for row in &self.rows {
            amounts.append_value(of(row));
        }
        Arc::new(amounts.finish())
    }

    pub(super) fn long(&self, of: impl Fn(&R) -> Option<i64>) -> ArrayRef {
        numbers(self.rows.iter().map(|row| of(row)))
    }

    pub(super) fn int(&self, of: impl Fn(&R) -> i32) -> ArrayRef {
        small_numbers(self.rows.iter().map(|row| Some(of(row))))
    }

    pub(super) fn bit(&self, of: impl Fn(&R) -> Option<bool>) -> ArrayRef {
        flags(self.rows.iter().map(|row| of(row)))
    }
}

/// A table and its rows.
pub(super) type Made = (&'static TableDef, Vec<RecordBatch>);

/// The rows that the events make in one table.
pub(super) fn table<'a, R: 'a>(
    def: &'static TableDef,
    company: &'a Company,
    its: impl Iterator<Item = &'a R>,
    columns: fn(&Chunk<'_, R>) -> SqlResult<Vec<ArrayRef>>,
) -> SqlResult<Made> {
    let its: Vec<&R> = its.collect();
    let batches = its.chunks(BATCH_ROWS).map(|rows| {
        let rows = rows.to_vec();
        batch(def, columns(&Chunk { company, rows })?)
    });
    Ok((def, batches.collect::<SqlResult<_>>()?))
}
