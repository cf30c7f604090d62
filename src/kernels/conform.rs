//! From the source's columns to the staged ones: checks place, name and type, renames, appends the run's metadata.
//!
//! May use Arrow, the contract and the described columns. Never changes a value: content columns are passed on as the
//! very arrays that the reader built.
//!
//! # Nulls
//! Content columns are staged nullable whatever the contract says, because the schema of a part is fixed before its
//! last row is known and a null where none is allowed must be a finding (counted by `quality`), not a file that cannot
//! be written. What the contract allows stands in the field metadata (`nullable`). Metadata columns are not nullable.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, TimeUnit};

use super::KernelError;
use crate::domain::contract::{Column, ColumnType, Contract, cast_for};
use crate::domain::run::RowMetadata;
use crate::domain::sql_type::SqlType;
use crate::ports::{Described, SourceColumn};

/// Zone name of timestamps that are instants.
const UTC: &str = "UTC";

/// Names of the metadata columns, in the order in which they follow the content columns.
pub const METADATA_COLUMNS: [&str; 7] = [
    "_ipe_id",
    "_extraction_date",
    "_cutoff_date",
    "_processing_timestamp",
    "_source_system",
    "_run_id",
    "_period",
];

/// The Arrow type that carries a column type, from the reader to the part file.
///
/// # Source
/// The table "Text of a value" of the digest specification, ADR-0007.
#[must_use]
pub fn arrow_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int16 => DataType::Int16,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Decimal { precision, scale } => {
            DataType::Decimal128(precision, scale.cast_signed())
        }
        ColumnType::Float32 => DataType::Float32,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Date => DataType::Date32,
        ColumnType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::DateTimeUtc => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::Text => DataType::Utf8,
        ColumnType::Binary => DataType::Binary,
    }
}

/// The schema of every part file of a contract.
///
/// # Shape
/// Content columns in contract order under their canonical names, then [`METADATA_COLUMNS`]. The metadata of a content
/// field has `source`, `sql_type`, `nullable` and `description`.
#[must_use]
pub fn staged_schema(contract: &Contract) -> Schema {
    let content = contract.columns.iter().map(|column| {
        Field::new(&column.name, arrow_type(column.column_type), true).with_metadata(HashMap::from(
            [
                ("source".to_owned(), column.source.clone()),
                ("sql_type".to_owned(), column.sql_type.to_string()),
                ("nullable".to_owned(), column.nullable.to_string()),
                ("description".to_owned(), column.description.clone()),
            ],
        ))
    });
    let instant = || arrow_type(ColumnType::DateTimeUtc);
    let types = [
        DataType::Utf8,
        instant(),
        DataType::Date32,
        instant(),
        DataType::Utf8,
        DataType::Utf8,
        DataType::Date32,
    ];
    let metadata = METADATA_COLUMNS
        .into_iter()
        .zip(types)
        .map(|(name, data_type)| Field::new(name, data_type, false));
    Schema::new(content.chain(metadata).collect::<Vec<_>>())
}

/// The schema in which a reader delivers described columns: source names, by ordinal, all nullable.
///
/// # Errors
/// [`KernelError::Contract`] names the first column whose type is refused, with the CAST to write.
pub fn source_schema(columns: &[SourceColumn]) -> Result<Schema, KernelError> {
    let fields = columns.iter().map(|column| match column.column_type {
        Some(column_type) => Ok(Field::new(&column.name, arrow_type(column_type), true)),
        None => Err(KernelError::Contract(vec![refusal(column)])),
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, _>>()?))
}

/// Every difference between what the contract says and what the source describes, one sentence each.
///
/// # Shape
/// Empty when names, order and carriers agree (decimals by exact precision and scale). Lengths of texts do not matter.
#[must_use]
pub fn contract_findings(contract: &Contract, described: &Described) -> Vec<String> {
    let by = &described.by;
    let mut found = Vec::new();
    for (ordinal, column) in contract.columns.iter().enumerate() {
        let delivered = described.columns.get(ordinal);
        if let Some(source) = delivered.filter(|source| source.name == column.source) {
            found.extend(type_finding(column, source, by));
            continue;
        }
        match described
            .columns
            .iter()
            .find(|source| source.name == column.source)
        {
            Some(source) => {
                found.push(format!(
                    "column `{}` stands at position {} of the contract, at {} of the result",
                    column.source,
                    ordinal + 1,
                    source.ordinal + 1
                ));
                found.extend(type_finding(column, source, by));
            }
            None => found.push(format!(
                "column `{}` of the contract (position {}) is missing from the result",
                column.source,
                ordinal + 1
            )),
        }
    }
    for (ordinal, source) in described.columns.iter().enumerate() {
        let same_name = |other: &&SourceColumn| other.name == source.name;
        if !contract
            .columns
            .iter()
            .any(|column| column.source == source.name)
        {
            found.push(format!(
                "column `{}` of the result (position {}) is not in the contract",
                source.name,
                ordinal + 1
            ));
        } else if described
            .columns
            .iter()
            .take(ordinal)
            .any(|other| same_name(&other))
        {
            found.push(format!(
                "column `{}` is delivered twice; alias one of them in the select list",
                source.name
            ));
        }
        if source.ordinal != ordinal {
            found.push(format!(
                "column `{}` is described as position {}, but is number {} of the description",
                source.name,
                source.ordinal + 1,
                ordinal + 1
            ));
        }
    }
    found
}

fn type_finding(column: &Column, source: &SourceColumn, by: &str) -> Option<String> {
    match source.column_type {
        None => Some(refusal(source)),
        Some(found) if found == column.column_type => None,
        Some(_) => Some(format!(
            "column `{}` is {} by the contract, {} as described by {by}",
            column.source, column.sql_type, source.sql_type
        )),
    }
}

pub(super) fn refusal(source: &SourceColumn) -> String {
    format!(
        "column `{name}` has type {}, which cannot be carried exactly; write CAST([{}] AS {}) in the select list",
        source.sql_type,
        source.name.replace(']', "]]"),
        cast_for(&source.parsed_type()),
        name = source.name,
    )
}

/// A content column of a conformed batch, checked by name and type.
///
/// # Errors
/// [`KernelError::ColumnName`] or [`KernelError::ColumnType`] when the batch is not a conformed one of this contract.
pub fn content_column<'a>(
    batch: &'a RecordBatch,
    ordinal: usize,
    name: &str,
    column_type: ColumnType,
) -> Result<&'a ArrayRef, KernelError> {
    let field = batch.schema_ref().fields().get(ordinal);
    let wrong_name = || KernelError::ColumnName {
        ordinal,
        expected: name.to_owned(),
        found: field.map_or_else(String::new, |field| field.name().clone()),
    };
    let array = batch
        .columns()
        .get(ordinal)
        .filter(|_| field.is_some_and(|field| field.name() == name))
        .ok_or_else(wrong_name)?;
    check_type(name, &arrow_type(column_type), array)?;
    Ok(array)
}

fn check_type(name: &str, expected: &DataType, array: &ArrayRef) -> Result<(), KernelError> {
    if array.data_type() == expected {
        return Ok(());
    }
    Err(KernelError::ColumnType {
        column: name.to_owned(),
        expected: expected.to_string(),
        found: array.data_type().to_string(),
    })
}

/// Turns batches of the source into batches of the staged schema.
#[derive(Debug)]
pub struct Conform {
    schema: SchemaRef,
    /// Source name and carrier by ordinal.
    expected: Vec<(String, DataType)>,
    /// The metadata columns for a full batch; every batch takes slices, which share the buffers.
    constants: Vec<ArrayRef>,
    rows_max: usize,
    types: Vec<SqlType>,
}

impl Conform {
    /// Fixes the columns and builds the metadata columns once.
    ///
    /// # Errors
    /// [`KernelError::Contract`] when the described columns differ from the contract.
    pub fn new(
        contract: &Contract,
        columns: &[SourceColumn],
        metadata: &RowMetadata,
        batch_rows_max: usize,
    ) -> Result<Self, KernelError> {
        let described = Described {
            columns: columns.to_vec(),
            by: "the source".to_owned(),
        };
        let findings = contract_findings(contract, &described);
        if !findings.is_empty() {
            return Err(KernelError::Contract(findings));
        }
        let expected = contract
            .columns
            .iter()
            .map(|column| (column.source.clone(), arrow_type(column.column_type)));
        Ok(Self {
            schema: Arc::new(staged_schema(contract)),
            expected: expected.collect(),
            constants: constant_columns(metadata, batch_rows_max),
            rows_max: batch_rows_max,
            types: columns.iter().map(SourceColumn::parsed_type).collect(),
        })
    }

    /// The schema of every batch that [`Conform::conform`] gives.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The types of the source by ordinal, as they were described.
    #[must_use]
    pub fn types(&self) -> &[SqlType] {
        &self.types
    }

    /// Checks one batch of the source against the contract and gives it its staged form, without copying a value.
    ///
    /// # Shape
    /// In: columns by ordinal with source names, at most `batch_rows_max` rows. Out: [`staged_schema`], same rows.
    /// # Errors
    /// [`KernelError`] names the first column that differs in count, name or type, or the rows beyond the limit.
    pub fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch, KernelError> {
        let rows = batch.num_rows();
        if rows > self.rows_max {
            return Err(KernelError::TooManyRows {
                rows,
                rows_max: self.rows_max,
            });
        }
        if batch.num_columns() != self.expected.len() {
            return Err(KernelError::ColumnCount {
                expected: self.expected.len(),
                found: batch.num_columns(),
            });
        }
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        for (ordinal, ((field, array), (name, data_type))) in fields.zip(&self.expected).enumerate()
        {
            if field.name() != name {
                return Err(KernelError::ColumnName {
                    ordinal,
                    expected: name.clone(),
                    found: field.name().clone(),
                });
            }
            check_type(name, data_type, array)?;
        }
        let constants = self.constants.iter().map(|array| array.slice(0, rows));
        let columns = batch.columns().iter().cloned().chain(constants).collect();
        RecordBatch::try_new(self.schema(), columns)
            .map_err(|error| KernelError::Assemble(error.to_string()))
    }
}

fn constant_columns(metadata: &RowMetadata, rows: usize) -> Vec<ArrayRef> {
    let text = |value: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            value, rows,
        )))
    };
    let instant = |value: chrono::DateTime<chrono::Utc>| -> ArrayRef {
        let micros = TimestampMicrosecondArray::from_value(value.timestamp_micros(), rows);
        Arc::new(micros.with_timezone(UTC))
    };
    let date = |value: chrono::NaiveDate| -> ArrayRef {
        Arc::new(Date32Array::from_value(
            Date32Type::from_naive_date(value),
            rows,
        ))
    };
    vec![
        text(&metadata.ipe_id.to_string()),
        instant(metadata.extraction_date),
        date(metadata.cutoff_date),
        instant(metadata.processing_timestamp),
        text(&metadata.source_system),
        text(metadata.run_id.as_str()),
        date(metadata.period),
    ]
}

#[cfg(test)]
#[path = "conform_tests.rs"]
mod tests;
