//! Cells of the driver into Arrow columns, exactly or with an error that names the column.
//!
//! One builder per column, chosen once from the described type; nothing is guessed from values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use tiberius::{ColumnData, Row};

use crate::domain::contract::{ColumnType, cast_for};
use crate::domain::losses::Changes;
use crate::kernels::conform::arrow_type;
use crate::ports::{PortError, PortErrorKind, SourceColumn};

use super::convert::{
    CellError, date, datetime, datetime2, exact, money, offset, small_datetime, ticks_cut,
    time_micros,
};

enum Values {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
    Text(StringBuilder),
    /// Text in a code page that nobody proved: in all of them the first 128 characters are the same.
    Ascii(StringBuilder),
    Binary(BinaryBuilder),
}

/// Collects rows into record batches.
pub(super) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<(String, Values)>,
    /// What was changed since the beginning, by column.
    changes: Vec<Changes>,
    rows: usize,
    rows_before: u64,
    bytes: usize,
}

impl BatchBuilder {
    /// Chooses a builder for every column.
    ///
    /// # Errors
    /// `Unsupported` names the first column whose type is refused, with the CAST to write.
    pub(super) fn new(columns: &[SourceColumn]) -> Result<Self, PortError> {
        let mut fields = Vec::with_capacity(columns.len());
        let mut builders = Vec::with_capacity(columns.len());
        for column in columns {
            let column_type = column.column_type.ok_or_else(|| refused(column))?;
            let data_type = arrow_type(column_type);
            builders.push((column.name.clone(), Values::new(column_type, &data_type)));
            fields.push(Field::new(&column.name, data_type, true));
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            schema,
            changes: vec![Changes::default(); columns.len()],
            columns: builders,
            rows: 0,
            rows_before: 0,
            bytes: 0,
        })
    }

    /// From the next row on, refuses what is not ASCII in a text column.
    pub(super) fn only_ascii(&mut self, ordinal: usize) {
        if let Some((_, values)) = self.columns.get_mut(ordinal)
            && let Values::Text(builder) = values
        {
            *values = Values::Ascii(std::mem::take(builder));
        }
    }

    /// Adds a row; `(rows, bytes)` so far tell the caller when to cut.
    ///
    /// # Errors
    /// `Corrupt` or `Unsupported`, with column and row number; never the value.
    pub(super) fn push(&mut self, row: Row) -> Result<(usize, usize), PortError> {
        if row.len() != self.columns.len() {
            return Err(PortError::new(
                PortErrorKind::Corrupt,
                format!(
                    "a row has {} values where {} columns were described",
                    row.len(),
                    self.columns.len()
                ),
            ));
        }
        let columns = self.columns.iter_mut().zip(&mut self.changes);
        for (((name, values), changes), cell) in columns.zip(row) {
            see_changes(changes, &cell);
            let row_number = self.rows_before + u64::try_from(self.rows).unwrap_or(u64::MAX) + 1;
            self.bytes += values
                .push(cell)
                .map_err(|error| explain(&error, name, row_number))?;
        }
        self.rows += 1;
        Ok((self.rows, self.bytes))
    }

    /// What was changed in all rows so far, by ordinal: whatever the batches, the counts are the same.
    pub(super) fn changes(&self) -> Vec<Changes> {
        self.changes.clone()
    }

    /// Rows collected since the last batch.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Rows since the beginning.
    pub(super) fn rows_total(&self) -> u64 {
        self.rows_before + u64::try_from(self.rows).unwrap_or(u64::MAX)
    }

    /// Gives the collected rows as a batch and begins the next one.
    ///
    /// # Errors
    /// `Corrupt` when Arrow refuses the columns.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, PortError> {
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|(_, values)| values.finish())
            .collect();
        self.rows_before = self.rows_total();
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| {
            PortError::new(
                PortErrorKind::Corrupt,
                format!("columns do not fit together: {error}"),
            )
        })
    }
}

/// Counts what [`Values::push`] does not carry of a value.
fn see_changes(changes: &mut Changes, cell: &ColumnData<'static>) {
    match cell {
        ColumnData::Time(Some(time)) => changes.see_ticks(ticks_cut(*time)),
        ColumnData::DateTime2(Some(at)) => changes.see_ticks(ticks_cut(at.time())),
        ColumnData::DateTimeOffset(Some(at)) => {
            changes.see_ticks(ticks_cut(at.datetime2().time()));
            changes.see_offset(at.offset());
        }
        _ => {}
    }
}

fn refused(column: &SourceColumn) -> PortError {
    let sql_type = column.parsed_type();
    let collation = column
        .collation
        .as_ref()
        .map_or_else(String::new, |name| format!(" with collation {name}"));
    PortError::new(
        PortErrorKind::Unsupported,
        format!(
            "column [{}] has type {sql_type}{collation}, which cannot be carried exactly",
            column.name
        ),
    )
    .hint(format!(
        "write CAST([{}] AS {}) in the select list",
        column.name,
        cast_for(&sql_type)
    ))
}

fn explain(error: &CellError, column: &str, row: u64) -> PortError {
    let at = format!("column [{column}], row {row}");
    match error {
        CellError::Contradiction => PortError::new(
            PortErrorKind::Corrupt,
            format!("{at}: the driver delivers another type than was described"),
        )
        .hint("compare the contract's type with the table; a view may be stale (sp_refreshview)"),
        CellError::Scale { announced, found } => PortError::new(
            PortErrorKind::Corrupt,
            format!("{at}: scale {found} where {announced} was described"),
        ),
        CellError::Money => PortError::new(
            PortErrorKind::Unsupported,
            format!(
                "{at}: a money value beyond 2^51 units, which the driver cannot deliver exactly"
            ),
        )
        .hint(format!(
            "write CAST([{column}] AS decimal(19,4)) in the select list"
        )),
        CellError::CodePage => PortError::new(
            PortErrorKind::Unsupported,
            format!("{at}: a character beyond ASCII, and nobody says in which code page"),
        )
        .hint(format!(
            "write CAST([{column}] AS nvarchar(n)) in the select list"
        )),
        CellError::Impossible => PortError::new(
            PortErrorKind::Corrupt,
            format!("{at}: a value that its type cannot hold"),
        )
        .hint("compare the contract's type with the table; if they agree, bytes were changed on their way: encrypt the connection"),
        CellError::Range => PortError::new(
            PortErrorKind::Unsupported,
            format!("{at}: in UTC the date leaves the years 1 to 9999"),
        )
        .hint(format!(
            "write CAST([{column}] AS nvarchar(34)) in the select list"
        )),
    }
}

impl Values {
    fn new(column_type: ColumnType, data_type: &DataType) -> Self {
        match column_type {
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Int16 => Self::Int16(Int16Builder::new()),
            ColumnType::Int32 => Self::Int32(Int32Builder::new()),
            ColumnType::Int64 => Self::Int64(Int64Builder::new()),
            ColumnType::Decimal { precision, scale } => Self::Decimal(
                Decimal128Builder::new().with_data_type(data_type.clone()),
                precision,
                scale,
            ),
            ColumnType::Float32 => Self::Float32(Float32Builder::new()),
            ColumnType::Float64 => Self::Float64(Float64Builder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::DateTime | ColumnType::DateTimeUtc => Self::Timestamp(
                TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()),
            ),
            ColumnType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Binary => Self::Binary(BinaryBuilder::new()),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::Int16(b) => Arc::new(b.finish()),
            Self::Int32(b) => Arc::new(b.finish()),
            Self::Int64(b) => Arc::new(b.finish()),
            Self::Decimal(b, ..) => Arc::new(b.finish()),
            Self::Float32(b) => Arc::new(b.finish()),
            Self::Float64(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Timestamp(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Text(b) | Self::Ascii(b) => Arc::new(b.finish()),
            Self::Binary(b) => Arc::new(b.finish()),
        }
    }

    /// Adds one value and says how many bytes it takes.
    fn push(&mut self, cell: ColumnData<'static>) -> Result<usize, CellError> {
        use ColumnData as C;
        match (self, cell) {
            (Self::Bool(b), C::Bit(v)) => b.append_option(v),
            (Self::Int16(b), C::U8(v)) => b.append_option(v.map(i16::from)),
            (Self::Int16(b), C::I16(v)) => b.append_option(v),
            (Self::Int32(b), C::I32(v)) => b.append_option(v),
            (Self::Int64(b), C::I64(v)) => b.append_option(v),
            (Self::Decimal(b, precision, scale), C::Numeric(v)) => {
                b.append_option(exact(v, *precision, *scale)?);
            }
            (Self::Decimal(b, precision, 4), C::F64(v)) => {
                b.append_option(v.map(|v| money(v, *precision)).transpose()?);
            }
            (Self::Float32(b), C::F32(v)) => b.append_option(v),
            (Self::Float64(b), C::F64(v)) => b.append_option(v),
            (Self::Date(b), C::Date(v)) => b.append_option(v.map(date).transpose()?),
            (Self::Timestamp(b), C::DateTime(v)) => b.append_option(v.map(datetime).transpose()?),
            (Self::Timestamp(b), C::SmallDateTime(v)) => {
                b.append_option(v.map(small_datetime).transpose()?)
            }
            (Self::Timestamp(b), C::DateTime2(v)) => b.append_option(v.map(datetime2).transpose()?),
            (Self::Timestamp(b), C::DateTimeOffset(v)) => {
                b.append_option(v.map(offset).transpose()?);
            }
            (Self::Time(b), C::Time(v)) => b.append_option(v.map(time_micros).transpose()?),
            (Self::Ascii(_), C::String(Some(v))) if !v.is_ascii() => {
                return Err(CellError::CodePage);
            }
            (Self::Text(b) | Self::Ascii(b), C::String(v)) => {
                let bytes = v.as_ref().map_or(4, |text| text.len() + 4);
                b.append_option(v);
                return Ok(bytes);
            }
            (Self::Text(b), C::Guid(v)) => {
                b.append_option(v.map(|guid| guid.hyphenated().to_string().to_ascii_uppercase()));
                return Ok(40);
            }
            (Self::Binary(b), C::Binary(v)) => {
                let bytes = v.as_ref().map_or(4, |value| value.len() + 4);
                b.append_option(v);
                return Ok(bytes);
            }
            _ => return Err(CellError::Contradiction),
        }
        // Fixed-width values: the widest carrier is 16 bytes; the estimate only decides where a batch is cut.
        Ok(16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_type_names_the_column_and_the_cast() {
        let column = SourceColumn {
            ordinal: 0,
            name: "Payload".into(),
            sql_type: "xml".into(),
            column_type: None,
            nullable: true,
            collation: None,
        };
        let error = BatchBuilder::new(&[column]).err().unwrap().to_string();
        assert!(error.contains("column [Payload] has type xml"), "{error}");
        assert!(
            error.contains("CAST([Payload] AS nvarchar(max))"),
            "{error}"
        );
    }
}
