//! SQL over the current files, by Polars.
//!
//! Only this file, `query` and `read_back` of the local warehouse name Polars; its panics and messages stop here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use polars::io::HiveOptions;
use polars::prelude::{
    AnyValue, DataFrame, DataType, Engine, Field, IntoLazy, LazyFrame, PlRefPath, PolarsError,
    ScanArgsParquet, ScanSources, Schema, TimeUnit, TimeZone,
};
use polars::sql::{SQLContext, extract_table_identifiers};

use super::compared;
use super::layout::Layout;
use crate::domain::amount::Amount;
use crate::domain::contract::{ColumnType, Contract};
use crate::ports::{Cell, PortError, PortErrorKind, SmallTable};

/// Answers a statement; blocking.
pub(super) fn answer(layout: &Layout, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
    guarded(|| {
        let mut context = SQLContext::new();
        for table in extract_table_identifiers(sql, false, true).map_err(refused)? {
            context.register(&table, table_frame(layout, &table)?);
        }
        let one_more = u32::try_from(rows_max)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let lazy = context.execute(sql).map_err(refused)?.limit(one_more);
        refuse_texts(&lazy)?;
        let frame = lazy
            .collect_with_engine(Engine::Streaming)
            .map_err(refused)?
            .unwrap_single();
        if frame.height() > rows_max {
            let what = format!("the statement gives more than {rows_max} rows");
            return Err(PortError::new(PortErrorKind::Limit, what));
        }
        small_table(&frame)
    })
}

/// Refuses a statement that compares amounts with a text: it would find nothing, and nobody would know why.
pub(super) fn refuse_texts(lazy: &LazyFrame) -> Result<(), PortError> {
    let plan = lazy.describe_plan().map_err(refused)?;
    match compared::as_text(&plan) {
        None => Ok(()),
        Some(column) => {
            let what = format!("{column} is no text and is compared with one");
            Err(PortError::new(PortErrorKind::Query, what)
                .hint("write the number without quotes; where a comparison of texts is meant, CAST it AS VARCHAR"))
        }
    }
}

/// Runs Polars work; a panic of Polars (a sum that overflows panics) becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, PortError>) -> Result<T, PortError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let what = "the SQL engine gave up; usually a sum that leaves its 38 digits";
        Err(PortError::new(PortErrorKind::Query, what)
            .hint("sum fewer rows at once, or CAST to fewer fraction digits first"))
    })
}

/// Polars' message without values: no lists in brackets, no numbers. Names of columns that there are become the hint.
pub(super) fn refused(error: PolarsError) -> PortError {
    let is_missing = matches!(error, PolarsError::ColumnNotFound(_));
    let text = error.to_string();
    let (text, columns) = match text.split_once("; valid columns: ") {
        Some((text, columns)) if is_missing => (text, Some(columns)),
        _ => (text.as_str(), None),
    };
    let mut depth = 0_usize;
    let mut shown = String::new();
    for letter in text.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => shown.push(letter),
            _ => {}
        }
    }
    let is_number = |word: &str| {
        word.contains(|c: char| c.is_ascii_digit())
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || "+-.,:e".contains(c))
    };
    let words = shown
        .split(' ')
        .map(|word| if is_number(word) { "…" } else { word });
    let shown: Vec<&str> = words.collect();
    let what = format!("the local warehouse refused it: {}", shown.join(" "));
    let refused = PortError::new(PortErrorKind::Query, what);
    match columns {
        Some(columns) => refused.hint(format!(
            "columns are {}",
            columns.replace(['[', ']', '"'], "")
        )),
        None => refused,
    }
}

/// All months of a table as they are now.
pub(super) fn table_frame(layout: &Layout, table: &str) -> Result<LazyFrame, PortError> {
    let Some(contract) = layout.contract(table)? else {
        let what = format!("there is no table `{table}`");
        return Err(PortError::new(PortErrorKind::Query, what));
    };
    let mut paths = Vec::new();
    for month in layout.months(table)? {
        paths.extend(layout.current_paths(table, month)?);
    }
    if paths.is_empty() {
        return Ok(DataFrame::empty_with_schema(&empty_schema(&contract)).lazy());
    }
    scan(paths)
}

/// A lazy frame over exact files: no wildcards, and nothing is read from folder names.
pub(super) fn scan(paths: Vec<PathBuf>) -> Result<LazyFrame, PortError> {
    let paths: Result<Vec<PlRefPath>, PolarsError> =
        paths.into_iter().map(PlRefPath::try_from_pathbuf).collect();
    let arguments = ScanArgsParquet {
        hive_options: HiveOptions::new_disabled(),
        glob: false,
        cache: false,
        low_memory: true,
        ..ScanArgsParquet::default()
    };
    let sources = ScanSources::Paths(paths.map_err(refused)?.into_iter().collect());
    LazyFrame::scan_parquet_sources(sources, arguments).map_err(refused)
}

fn empty_schema(contract: &Contract) -> Schema {
    let utc = || DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let content = contract.columns.iter().map(|column| {
        let data_type = match column.column_type {
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Int16 => DataType::Int16,
            ColumnType::Int32 => DataType::Int32,
            ColumnType::Int64 => DataType::Int64,
            ColumnType::Decimal { precision, scale } => {
                DataType::Decimal(usize::from(precision), usize::from(scale))
            }
            ColumnType::Float32 => DataType::Float32,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Date => DataType::Date,
            ColumnType::DateTime => DataType::Datetime(TimeUnit::Microseconds, None),
            ColumnType::DateTimeUtc => utc(),
            ColumnType::Time => DataType::Time,
            ColumnType::Text => DataType::String,
            ColumnType::Binary => DataType::Binary,
        };
        Field::new(column.name.as_str().into(), data_type)
    });
    let metadata = [
        ("_ipe_id", DataType::String),
        ("_extraction_date", utc()),
        ("_cutoff_date", DataType::Date),
        ("_processing_timestamp", utc()),
        ("_source_system", DataType::String),
        ("_run_id", DataType::String),
        ("_period", DataType::Date),
    ];
    let metadata = metadata.map(|(name, data_type)| Field::new(name.into(), data_type));
    content.chain(metadata).collect()
}

pub(super) fn small_table(frame: &DataFrame) -> Result<SmallTable, PortError> {
    let mut table = SmallTable {
        columns: Vec::new(),
        rows: vec![Vec::with_capacity(frame.width()); frame.height()],
    };
    for column in frame.columns() {
        table.columns.push(column.name().to_string());
        for (index, row) in table.rows.iter_mut().enumerate() {
            let value = column.get(index).map_err(refused)?;
            row.push(cell(&value).ok_or_else(|| {
                let name = column.name();
                let what = format!("column `{name}` of type {} is not exact", column.dtype());
                PortError::new(PortErrorKind::Unsupported, what)
                    .hint("cast it to DECIMAL, VARCHAR or BIGINT in the statement")
            })?);
        }
    }
    Ok(table)
}

/// The exact value, `None` for floats, nested values and what leaves its range.
pub(super) fn cell(value: &AnyValue<'_>) -> Option<Cell> {
    Some(match value {
        AnyValue::Null => Cell::Null,
        AnyValue::Boolean(value) => Cell::Bool(*value),
        AnyValue::Int8(v) => Cell::Int(i64::from(*v)),
        AnyValue::Int16(v) => Cell::Int(i64::from(*v)),
        AnyValue::Int32(v) => Cell::Int(i64::from(*v)),
        AnyValue::Int64(v) => Cell::Int(*v),
        AnyValue::UInt8(v) => Cell::Int(i64::from(*v)),
        AnyValue::UInt16(v) => Cell::Int(i64::from(*v)),
        AnyValue::UInt32(v) => Cell::Int(i64::from(*v)),
        AnyValue::UInt64(v) => whole(i128::from(*v))?,
        AnyValue::Int128(v) => whole(*v)?,
        AnyValue::Decimal(units, _, scale) => {
            Cell::Decimal(Amount::new(*units, u8::try_from(*scale).ok()?).ok()?)
        }
        AnyValue::String(text) => Cell::Text((*text).to_owned()),
        AnyValue::StringOwned(text) => Cell::Text(text.to_string()),
        AnyValue::Binary(bytes) => Cell::Bytes(bytes.to_vec()),
        AnyValue::BinaryOwned(bytes) => Cell::Bytes(bytes.clone()),
        AnyValue::Date(days) => Cell::Date(date(*days)?),
        AnyValue::Datetime(ticks, unit, _) => moment(*ticks, *unit)?,
        AnyValue::DatetimeOwned(ticks, unit, _) => moment(*ticks, *unit)?,
        AnyValue::Time(nanos) => Cell::Text(time(*nanos)?.format("%H:%M:%S%.6f").to_string()),
        _ => return None,
    })
}

/// An `i64` where it fits, else an exact decimal without fraction.
fn whole(value: i128) -> Option<Cell> {
    match i64::try_from(value) {
        Ok(value) => Some(Cell::Int(value)),
        Err(_) => Amount::new(value, 0).ok().map(Cell::Decimal),
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let distance = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    }
}

fn moment(ticks: i64, unit: TimeUnit) -> Option<Cell> {
    let moment = match unit {
        TimeUnit::Nanoseconds => DateTime::from_timestamp_nanos(ticks),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(ticks)?,
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(ticks)?,
    };
    Some(Cell::DateTime(moment.naive_utc()))
}

fn time(nanos: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest)
}
