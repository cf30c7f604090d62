//! Answers of any size for analysts: the statement runs in Polars' streaming engine, batch by batch into a sink.
//!
//! Names are tables (all their current months), `table$YYYYMM` (one of them) and whatever frames the caller brings.
//! Reads only: the session holds scans, and statements that are no query are refused before Polars sees them.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    AnyValue, Column, DataFrame, DataType, Engine, LazyFrame, ParquetWriter, PlanCallback,
    PolarsError, PolarsResult,
};
use polars::sql::{SQLContext, extract_table_identifiers};

use super::layout::Layout;
use super::literals::exact;
use super::sql::{cell, guarded, refuse_texts, refused, scan, table_frame};
use crate::domain::amount::Amount;
use crate::domain::digest::hex;
use crate::domain::period::Period;
use crate::ports::{
    AnswerColumn, AnswerRow, AnswerTo, Cell, PortError, PortErrorKind, RowSink, ValueKind,
};

/// Rows of a batch of an answer.
const BATCH_ROWS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8_191);

/// First words of statements that only read.
const QUERIES: [&str; 4] = ["SELECT", "WITH", "VALUES", "EXPLAIN"];

/// Functions of Polars that read files.
const FILE_FUNCTIONS: [&str; 4] = ["read_parquet", "read_csv", "read_ipc", "read_json"];

/// The names behind FROM and JOIN, and those of common table expressions.
///
/// # Errors
/// `Query` for what is no SQL or no query.
pub(super) fn names(sql: &str) -> Result<Vec<String>, PortError> {
    only_reads(sql)?;
    let names = guarded(|| extract_table_identifiers(sql, false, true).map_err(one_line))?;
    // Polars would open whatever path such a function names, here or on a server.
    let is_file = |name: &&String| FILE_FUNCTIONS.iter().any(|f| name.eq_ignore_ascii_case(f));
    match names.iter().find(is_file) {
        None => Ok(names),
        Some(function) => {
            let what = format!("files are not read by their path: `{function}`");
            Err(PortError::new(PortErrorKind::Query, what)
                .hint("name a table, a month or a staged run; see `soxauto sql --help`"))
        }
    }
}

/// A table and, behind `$`, one of its months, as the receipt of a load writes it.
///
/// # Errors
/// `Query` for a month that is not written YYYYMM.
pub(super) fn month_of(name: &str) -> Result<(&str, Option<Period>), PortError> {
    let Some((table, month)) = name.split_once('$') else {
        return Ok((name, None));
    };
    let split = month.split_at_checked(4).filter(|_| month.len() == 6);
    let period = split.and_then(|(year, month)| format!("{year}-{month}").parse().ok());
    let what = || format!("`{month}` behind `{table}$` is not a month");
    let refuse = || PortError::new(PortErrorKind::Query, what()).hint("write it as YYYYMM");
    Ok((table, Some(period.ok_or_else(refuse)?)))
}

/// Answers a statement; blocking. `frames` are files by the name under which the statement knows them.
pub(super) fn answer(
    layout: &Layout,
    sql: &str,
    frames: &BTreeMap<String, Vec<PathBuf>>,
    to: AnswerTo,
) -> Result<(), PortError> {
    let names = names(sql)?;
    guarded(|| {
        let mut context = SQLContext::new();
        for name in &names {
            match frames.get(name) {
                Some(paths) => context.register(name, scan(paths.clone())?),
                None => {
                    if let Some(frame) = frame(layout, name)? {
                        context.register(name, frame);
                    }
                }
            }
        }
        let mut lazy = context
            .execute(&exact(sql))
            .map_err(|error| unanswerable(layout, &names, error))?;
        let schema = lazy.collect_schema().map_err(one_line)?;
        refuse_texts(&lazy)?;
        let output = match to {
            AnswerTo::Rows(mut sink) => {
                let columns: Vec<AnswerColumn> = schema
                    .iter()
                    .map(|(name, data_type)| AnswerColumn {
                        name: name.to_string(),
                        kind: kind(data_type),
                    })
                    .collect();
                sink.begin(&columns).map_err(unwritten)?;
                Output::Rows(sink)
            }
            AnswerTo::Parquet(writer) => {
                let writer = ParquetWriter::new(writer).batched(&schema);
                Output::Parquet(Box::new(writer.map_err(one_line)?))
            }
        };
        stream(lazy, output)
    })
}

/// Where batches go.
enum Output {
    Rows(Box<dyn RowSink>),
    Parquet(Box<BatchedWriter<Box<dyn io::Write + Send>>>),
}

impl Output {
    /// Writes a batch; says whether to go on.
    fn take(&mut self, frame: &DataFrame) -> Result<bool, PortError> {
        match self {
            Self::Rows(sink) => sink.rows(texts(frame)?).map_err(unwritten),
            Self::Parquet(writer) => {
                frame.columns().iter().try_for_each(within_38_digits)?;
                writer.write_batch(frame).map_err(one_line)?;
                Ok(true)
            }
        }
    }

    fn end(&mut self) -> Result<(), PortError> {
        match self {
            Self::Rows(sink) => sink.end().map_err(unwritten),
            Self::Parquet(writer) => writer.finish().map_err(one_line).map(drop),
        }
    }
}

/// Runs the plan; Polars calls back with batches in order, from a thread of its own.
fn stream(lazy: LazyFrame, output: Output) -> Result<(), PortError> {
    let state = Arc::new(Mutex::new((output, None::<PortError>)));
    let shared = Arc::clone(&state);
    let take = move |frame: DataFrame| -> PolarsResult<bool> {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (output, failed) = &mut *state;
        Ok(match output.take(&frame) {
            Ok(go_on) => !go_on,
            Err(error) => {
                failed.get_or_insert(error);
                true
            }
        })
    };
    lazy.sink_batches(PlanCallback::new(take), true, Some(BATCH_ROWS))
        .and_then(|plan| plan.collect_with_engine(Engine::Streaming))
        .map_err(one_line)?;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let (output, failed) = &mut *state;
    match failed.take() {
        Some(error) => Err(error),
        None => output.end(),
    }
}

/// The frame of a table or of one of its months; `None` for a name that may be a common table expression.
fn frame(layout: &Layout, name: &str) -> Result<Option<LazyFrame>, PortError> {
    let (table, month) = month_of(name)?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !table.chars().all(legal) || layout.contract(table)?.is_none() {
        return Ok(None);
    }
    match month {
        None => table_frame(layout, table).map(Some),
        Some(month) => scan(layout.current_paths_of(table, month)?).map(Some),
    }
}

/// What Polars says of a statement; of a name that is no table, with the tables that there are.
fn unanswerable(layout: &Layout, names: &[String], error: PolarsError) -> PortError {
    let text = error.to_string();
    let is_missing = |name: &&String| text.contains(&format!("relation '{name}' was not found"));
    match names.iter().find(is_missing) {
        None => one_line(error),
        Some(name) => {
            let what = format!("there is no table `{name}`");
            PortError::new(PortErrorKind::Query, what).hint(layout.names_hint())
        }
    }
}

/// Refuses statements that would change something, by their first word.
fn only_reads(sql: &str) -> Result<(), PortError> {
    let mut rest = sql.trim_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else if let Some(open) = rest.strip_prefix('(') {
            open
        } else {
            break;
        };
        rest = behind.trim_start();
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic());
    let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if QUERIES.iter().any(|query| word.eq_ignore_ascii_case(query)) {
        return Ok(());
    }
    let what = format!("only queries are answered, and `{word}` begins none");
    Err(PortError::new(PortErrorKind::Query, what)
        .hint("begin with SELECT or WITH; months are changed by `soxauto run` alone"))
}

fn kind(data_type: &DataType) -> ValueKind {
    match data_type {
        DataType::Decimal(..) => ValueKind::Decimal,
        DataType::Float32 | DataType::Float64 => ValueKind::Float,
        DataType::Boolean => ValueKind::Bool,
        other if other.is_integer() => ValueKind::Integer,
        _ => ValueKind::Text,
    }
}

/// Refuses decimals that a Parquet file would hold and no reader would read: Polars sums up to 127 bits.
fn within_38_digits(column: &Column) -> Result<(), PortError> {
    if !matches!(column.dtype(), DataType::Decimal(..)) {
        return Ok(());
    }
    let units = column.to_physical_repr();
    let units = units.i128().map_err(one_line)?;
    if units
        .iter()
        .flatten()
        .all(|units| Amount::new(units, 0).is_ok())
    {
        return Ok(());
    }
    Err(inexact(column))
}

fn inexact(column: &Column) -> PortError {
    let (name, data_type) = (column.name(), column.dtype());
    let what = format!("a value of column `{name}` ({data_type}) has no exact text");
    PortError::new(PortErrorKind::Unsupported, what)
        .hint("decimals end at 38 digits, lists have no text: CAST it in the statement")
}

fn texts(frame: &DataFrame) -> Result<Vec<AnswerRow>, PortError> {
    let mut rows = vec![Vec::with_capacity(frame.width()); frame.height()];
    for column in frame.columns() {
        for (index, row) in rows.iter_mut().enumerate() {
            row.push(text(column, index)?);
        }
    }
    Ok(rows)
}

fn text(column: &Column, index: usize) -> Result<Option<String>, PortError> {
    let value = column.get(index).map_err(one_line)?;
    let zone = match column.dtype() {
        DataType::Datetime(_, Some(_)) => "Z",
        _ => "",
    };
    match value {
        AnyValue::Float32(value) => return Ok(Some(value.to_string())),
        AnyValue::Float64(value) => return Ok(Some(value.to_string())),
        _ => {}
    }
    Ok(Some(match cell(&value) {
        Some(Cell::Null) => return Ok(None),
        Some(Cell::Bool(value)) => value.to_string(),
        Some(Cell::Int(value)) => value.to_string(),
        Some(Cell::Decimal(value)) => value.to_string(),
        Some(Cell::Text(value)) => value,
        Some(Cell::Date(value)) => value.to_string(),
        Some(Cell::DateTime(value)) => format!("{}{zone}", value.format("%Y-%m-%dT%H:%M:%S%.f")),
        Some(Cell::Bytes(value)) => format!("0x{}", hex(&value)),
        None => return Err(inexact(column)),
    }))
}

/// The first line of what Polars says, without values.
fn one_line(error: PolarsError) -> PortError {
    let mut error = refused(error);
    if let Some((first, _)) = error.message.split_once('\n') {
        error.message = first.trim_end().to_owned();
    }
    if error.message.contains("'is_in'") {
        error.hint = Some("Polars wants one decimal type in IN: write = and OR".to_owned());
    }
    error
}

/// The place of writing failed: a full disk, a closed pipe.
fn unwritten(error: io::Error) -> PortError {
    let mut error = PortError::from(error);
    error.message = format!("the answer cannot be written: {}", error.message);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_queries_pass_however_they_begin() {
        for query in [
            "select 1",
            " -- it's\n WITH x AS (SELECT 1) SELECT * FROM x",
            "/* a */ (SELECT 1)",
        ] {
            assert!(only_reads(query).is_ok(), "{query}");
        }
        for other in [
            "DELETE FROM x",
            "DROP TABLE x",
            "INSERT INTO x VALUES (1)",
            "create table y as select 1",
            "-- SELECT\nTRUNCATE TABLE x",
            "",
            "selection",
        ] {
            let error = only_reads(other).unwrap_err();
            assert!(error.message.contains("only queries"), "{other}: {error}");
        }
    }

    #[test]
    fn months_of_a_table() {
        assert_eq!(month_of("t").unwrap(), ("t", None));
        let april = "2024-04".parse().unwrap();
        assert_eq!(month_of("t$202404").unwrap(), ("t", Some(april)));
        for bad in ["t$", "t$2024-04", "t$202413", "t$20é"] {
            assert!(month_of(bad).is_err(), "{bad}");
        }
    }
}
