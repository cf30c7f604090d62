//! Rows of text into the batches of a table.

use std::path::Path;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::table::schema_of;
use crate::sandbox::data::{Column, Table};
use crate::sandbox::engine::REPLY_ROWS_MAX;
use crate::sandbox::engine::func::cell::{Cell, Writer};
use crate::sandbox::tsql::error::SqlResult;

use super::value;
use super::{FileError, LineKind};

/// One column being filled.
pub(super) struct ColumnBuilder<'a> {
    path: &'a Path,
    column: &'a Column,
    writer: Writer,
}

impl<'a> ColumnBuilder<'a> {
    pub(super) fn new(path: &'a Path, column: &'a Column) -> Result<Self, FileError> {
        Ok(Self {
            path,
            column,
            writer: Writer::new(&column.sql_type).map_err(|e| FileError::new(path, e.message))?,
        })
    }

    /// Adds a value by its text; `None` is null.
    pub(super) fn push(
        &mut self,
        text: Option<&str>,
        (kind, line): (LineKind, usize),
    ) -> Result<(), FileError> {
        let wrong = |what: String| {
            FileError::new(self.path, what)
                .at(kind, line)
                .column(&self.column.name)
        };
        let cell = match text {
            Some(text) => value::parse(text, &self.column.sql_type).map_err(wrong)?,
            None if self.column.nullable => Cell::Null,
            None => return Err(wrong(no_null(&self.column.sql_type))),
        };
        self.writer
            .push(&cell)
            .map_err(|error| wrong(error.message))
    }

    /// The filled column, and an empty one in its place.
    pub(super) fn take(&mut self) -> Result<ArrayRef, FileError> {
        let next = Self::new(self.path, self.column)?;
        Ok(std::mem::replace(self, next).writer.finish())
    }
}

fn no_null(ty: &crate::domain::sql_type::SqlType) -> String {
    let empty = if value::is_text(ty) {
        ", or write \"\" for an empty text"
    } else {
        ""
    };
    format!("null, where the schema says nullable = false; say nullable = true{empty}")
}

/// The rows of a CSV file on their way into batches.
pub(super) struct TableBuilder<'a> {
    path: &'a Path,
    schema: SchemaRef,
    columns: Vec<ColumnBuilder<'a>>,
    rows: usize,
    batches: Vec<RecordBatch>,
}

impl<'a> TableBuilder<'a> {
    pub(super) fn new(path: &'a Path, columns: &'a [Column]) -> Result<Self, FileError> {
        let builders = columns
            .iter()
            .map(|column| ColumnBuilder::new(path, column));
        Ok(Self {
            path,
            schema: of_file(path, schema_of(columns))?,
            columns: builders.collect::<Result<_, _>>()?,
            rows: 0,
            batches: Vec::new(),
        })
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// Adds the row of a line, which has a value for every column.
    pub(super) fn push<'f>(
        &mut self,
        fields: impl Iterator<Item = Option<&'f str>>,
        line: usize,
    ) -> Result<(), FileError> {
        for (column, text) in self.columns.iter_mut().zip(fields) {
            column.push(text, (LineKind::Line, line))?;
        }
        self.rows += 1;
        if self.rows >= REPLY_ROWS_MAX {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FileError> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().map(ColumnBuilder::take);
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        self.batches.push(batch(self.path, &self.schema, arrays)?);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>, FileError> {
        self.flush()?;
        Ok(self.batches)
    }
}

/// A batch of arrays that were built for `schema`.
pub(super) fn batch(
    path: &Path,
    schema: &SchemaRef,
    arrays: Vec<ArrayRef>,
) -> Result<RecordBatch, FileError> {
    RecordBatch::try_new(Arc::clone(schema), arrays)
        .map_err(|error| FileError::new(path, error.to_string()))
}

/// The table of these parts.
pub(super) fn table(
    path: &Path,
    name: [String; 3],
    columns: Vec<Column>,
    batches: Vec<RecordBatch>,
) -> Result<Table, FileError> {
    Ok(Table {
        name,
        schema: of_file(path, schema_of(&columns))?,
        columns,
        batches,
        is_view: false,
    })
}

/// A server error as one of the file.
pub(super) fn of_file<T>(path: &Path, result: SqlResult<T>) -> Result<T, FileError> {
    result.map_err(|error| FileError::new(path, error.message))
}
