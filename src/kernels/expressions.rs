//! Polars expressions of the second path: the text of a row, the sums of a company.
//!
//! May use Polars and the contract. Shares no code with `canonical` and `totals`: every text is made by a Polars cast
//! or taken from a table by a Polars gather, every sum by a Polars aggregation.
//!
//! # Source
//! The digest specification, version 1 (ADR-0007), and what Polars 0.55.2 was seen to do: a decimal cast to text keeps
//! all its fraction digits, has a zero before the point and no sign on zero; integer division and remainder round
//! down. Its `strftime` gives the right texts too, but was measured at 360 ns a cell; hence the tables.

use std::sync::LazyLock;

use polars::prelude::{
    DataType, Expr, NamedFrom as _, Scalar, Series, TimeUnit, TimeZone, col, concat_str, len, lit,
    when,
};

use crate::domain::amount::{Amount, AmountError};
use crate::domain::contract::{Column, ColumnType, Contract};

/// Divides an amount into two numbers whose sums cannot overflow: 10^19 is half of the 38 digits.
pub(super) const SPLIT: i128 = 10_i128.pow(19);

/// The type that Polars must read from the part.
pub(super) fn dtype(column_type: ColumnType) -> DataType {
    match column_type {
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
        ColumnType::DateTimeUtc => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        ColumnType::Time => DataType::Time,
        ColumnType::Text => DataType::String,
        ColumnType::Binary => DataType::Binary,
    }
}

/// Texts that cells are put together from; each is short enough to lie in the view of a Polars string, so that a
/// gather copies sixteen bytes and follows no pointer.
pub(super) struct Tables {
    /// `,<n>:` for n from 0: the end of the field before and the begin of this one.
    heads: Series,
    /// `,<n>:YYYY-` by year, for dates (10), date-times (26) and instants (27).
    years: [Series; 3],
    /// `MM-DD` and `MM-DDT` by 32 × month + day.
    days: [Series; 2],
    /// `hh:mm:` and `,15:hh:mm:` by minute of the day.
    minutes: [Series; 2],
    /// `ss.fff` by millisecond of the minute.
    millis: Series,
    /// `fff` and `fffZ` by microsecond of the millisecond.
    micros: [Series; 2],
}

/// All tables: about 1.5 MiB of 100,000 texts, made when they are first needed and kept, as every part needs them.
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// Where the table of heads ends: beyond it lengths are cast one by one. Few texts of a ledger are longer.
const HEADS: u32 = 1_024;

fn table(count: u32, text: impl Fn(u32) -> String) -> Series {
    Series::new("table".into(), (0..count).map(text).collect::<Vec<_>>())
}

impl Tables {
    fn new() -> Self {
        let day = |index: u32| format!("{:02}-{:02}", index / 32, index % 32);
        let minute = |index: u32| format!("{:02}:{:02}:", index / 60, index % 60);
        let years = |length: u8| table(10_000, move |year| format!(",{length}:{year:04}-"));
        Self {
            heads: table(HEADS, |length| format!(",{length}:")),
            years: [years(10), years(26), years(27)],
            days: [
                table(13 * 32, day),
                table(13 * 32, |index| day(index) + "T"),
            ],
            minutes: [
                table(1_440, minute),
                table(1_440, |index| format!(",15:{}", minute(index))),
            ],
            millis: table(60_000, |index| {
                format!("{:02}.{:03}", index / 1_000, index % 1_000)
            }),
            micros: [
                table(1_000, |n| format!("{n:03}")),
                table(1_000, |n| format!("{n:03}Z")),
            ],
        }
    }

    /// The canonical text of every row of a frame that [`texts`] made.
    ///
    /// # Shape
    /// One text column, never null. Pieces that are null are left out. Every field begins with the comma that ends the
    /// one before it, so the first comma is taken off and a last one put on. `longest` is the length of the longest text.
    pub(super) fn row_text(&self, contract: &Contract, longest: i128) -> Expr {
        let in_table = longest < i128::from(HEADS);
        let mut pieces: Vec<Expr> = contract
            .digested()
            .flat_map(|column| self.field(column, in_table))
            .collect();
        pieces.push(lit(","));
        concat_str(pieces, "", true)
            .str()
            .strip_prefix(lit(","))
            .alias("row")
    }

    /// The pieces of one field, in order. A null cell is its first piece, `,-`, alone.
    fn field(&self, column: &Column, in_table: bool) -> Vec<Expr> {
        let [date_year, datetime_year, instant_year] = &self.years;
        let [day, day_and_t] = &self.days;
        let [minute, first_minute] = &self.minutes;
        let [micro, micro_and_z] = &self.micros;
        let cell = col(column.name.as_str());
        match column.column_type {
            ColumnType::Bool => {
                let bit = when(cell.clone()).then(lit(",1:1")).otherwise(lit(",1:0"));
                vec![when(cell.is_null()).then(lit(",-")).otherwise(bit)]
            }
            ColumnType::Date => {
                let [year, date] = calendar(cell, date_year, day);
                vec![year, date]
            }
            ColumnType::DateTime => {
                let [year, date] = calendar(cell.clone(), datetime_year, day_and_t);
                let [minute, millis, micros] = self.clock(cell.to_physical(), minute, micro);
                vec![year, date, minute, millis, micros]
            }
            ColumnType::DateTimeUtc => {
                let plain = DataType::Datetime(TimeUnit::Microseconds, None);
                let cell = cell.to_physical();
                let [year, date] = calendar(cell.clone().cast(plain), instant_year, day_and_t);
                let [minute, millis, micros] = self.clock(cell, minute, micro_and_z);
                vec![year, date, minute, millis, micros]
            }
            ColumnType::Time => {
                let micros = cell.to_physical().floor_div(lit(1_000_i64));
                let [minute, millis, micros] = self.clock(micros, first_minute, micro);
                vec![or_null(minute), millis, micros]
            }
            _ => {
                let length = cell.clone().str().len_bytes();
                let head = if in_table {
                    gather(&self.heads, length)
                } else {
                    lit(",") + length.cast(DataType::String) + lit(":")
                };
                vec![or_null(head), cell]
            }
        }
    }

    /// Minute, millisecond and microsecond of a count of microseconds.
    fn clock(&self, cell: Expr, minutes: &Series, micros: &Series) -> [Expr; 3] {
        let of_day = cell.clone() % lit(86_400_000_000_i64);
        let of_minute = cell.clone() % lit(60_000_000_i64);
        [
            gather(minutes, of_day.floor_div(lit(60_000_000_i64))),
            gather(&self.millis, of_minute.floor_div(lit(1_000_i64))),
            gather(micros, cell % lit(1_000_i64)),
        ]
    }
}

/// Year, and month with day.
fn calendar(cell: Expr, years: &Series, days: &Series) -> [Expr; 2] {
    let month = cell.clone().dt().month().cast(DataType::UInt32);
    let day = cell.clone().dt().day().cast(DataType::UInt32);
    [
        or_null(gather(years, cell.dt().year())),
        gather(days, month * lit(32_u32) + day),
    ]
}

/// The text at each index; null for null. An index beyond the table would be an error of Polars.
fn gather(table: &Series, index: Expr) -> Expr {
    lit(table.clone()).gather(index.cast(DataType::UInt32), false)
}

/// The first piece of a field, or that of a null.
fn or_null(piece: Expr) -> Expr {
    piece.fill_null(lit(",-"))
}

/// The digested columns with their lengths still to be counted: texts as they are, numbers and bytes as texts; dates,
/// times and bits unchanged.
pub(super) fn texts(contract: &Contract) -> Vec<Expr> {
    let text = |column: &Column| {
        let cell = col(column.name.as_str());
        match column.column_type {
            ColumnType::Binary => cell.binary().hex_encode(),
            ColumnType::Int16
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::Decimal { .. } => cell.cast(DataType::String),
            _ => cell,
        }
    };
    contract.digested().map(text).collect()
}

/// Bytes of the longest text of each text column in a frame that [`texts`] made, as `longest_<place>`.
pub(super) fn longest(contract: &Contract) -> Vec<Expr> {
    let is_text = |column: &&Column| {
        !matches!(
            column.column_type,
            ColumnType::Bool
                | ColumnType::Date
                | ColumnType::DateTime
                | ColumnType::DateTimeUtc
                | ColumnType::Time
        )
    };
    let columns = contract.digested().filter(is_text).enumerate();
    let length = |(place, column): (usize, &Column)| {
        let length = col(column.name.as_str()).str().len_bytes().max();
        length
            .cast(DataType::Int128)
            .alias(format!("longest_{place}"))
    };
    columns.map(length).collect()
}

/// The company code by which totals are grouped.
pub(super) fn company(contract: &Contract) -> Expr {
    col(contract.company.as_str())
        .str()
        .strip_chars_end(lit(" "))
        .fill_null(lit(""))
        .alias("company")
}

/// Number of rows, as `rows`.
pub(super) fn rows() -> Expr {
    len().cast(DataType::Int128).alias("rows")
}

/// The cells of an amount as whole units.
fn units(column: &Column) -> Expr {
    let cell = col(column.name.as_str());
    match column.column_type {
        ColumnType::Decimal { .. } => cell.to_physical(),
        _ => cell.cast(DataType::Int128),
    }
}

/// Sum of an amount, as `low_<place>`; only for columns whose magnitudes rule out an overflow.
pub(super) fn plain_sum(column: &Column, place: usize) -> Vec<Expr> {
    vec![units(column).sum().alias(format!("low_{place}"))]
}

/// Sum of an amount in two halves, as `high_<place>` × [`SPLIT`] + `low_<place>`; exact for any values.
pub(super) fn split_sum(column: &Column, place: usize) -> Vec<Expr> {
    split_units(&units(column), place).into()
}

/// As [`split_sum`], of whole units.
pub(super) fn split_units(units: &Expr, place: usize) -> [Expr; 2] {
    let split = || lit(Scalar::from(SPLIT));
    let high = || units.clone().floor_div(split());
    let low = units.clone() - high() * split();
    [
        high().sum().alias(format!("high_{place}")),
        low.sum().alias(format!("low_{place}")),
    ]
}

/// `high × SPLIT + low`, which no number of rows can overflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Halves {
    high: i128,
    low: i128,
}

impl Halves {
    /// Adds what [`split_units`] gave, or a plain sum as `low`.
    pub(super) fn add(&mut self, high: i128, low: i128) {
        let rest = self.low + low % SPLIT;
        self.high += high + low / SPLIT + rest / SPLIT;
        self.low = rest % SPLIT;
    }

    /// Adds another one.
    pub(super) fn merge(&mut self, other: Self) {
        self.add(other.high, other.low);
    }

    /// The sum.
    ///
    /// # Errors
    /// [`AmountError::Overflow`] beyond 38 digits.
    pub(super) fn amount(self, scale: u8) -> Result<Amount, AmountError> {
        let whole = self.high.checked_mul(SPLIT);
        let units = whole.and_then(|whole| whole.checked_add(self.low));
        Amount::new(units.ok_or(AmountError::Overflow { scale })?, scale)
    }
}

/// Least and greatest physical value of a column, as `min_<place>` and `max_<place>`.
pub(super) fn bounds(column: &Column, place: usize) -> [Expr; 2] {
    let cell = || match column.column_type {
        ColumnType::Date | ColumnType::DateTime | ColumnType::DateTimeUtc => {
            col(column.name.as_str())
                .to_physical()
                .cast(DataType::Int128)
        }
        _ => units(column),
    };
    [
        cell().min().alias(format!("min_{place}")),
        cell().max().alias(format!("max_{place}")),
    ]
}
