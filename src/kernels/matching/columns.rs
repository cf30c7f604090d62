//! The cells of a batch that matching looks at, each column bound once to its type.
//!
//! May use Arrow arrays. Never rounds: an amount with more digits than the common scale is refused with its column.

use arrow::array::{
    Array, AsArray as _, Date32Array, Decimal128Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};

use super::key::push_normal;
use super::record::NO_DATE;
use super::{GlColumn, MatchError, Rule, SideColumns};
use crate::domain::amount::Amount;
use crate::domain::matching::Side;

/// Between the pieces of a key: no text in UTF-8 has such a byte.
pub(super) const SEPARATOR: u8 = 0xFF;
/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// 1753-01-01, which NAV writes where there is no date.
const EMPTY_DAY: i32 = -79_257;

/// A sum or a sign beyond what an `i128` holds.
pub(super) struct Overflow;

/// The columns of one batch of one side.
pub(super) struct Rows<'a> {
    company: Cells<'a>,
    gl: Cells<'a>,
    keys: Vec<Cells<'a>>,
    amounts: Vec<Amounts<'a>>,
    negated: bool,
    date: Option<Dates<'a>>,
}

impl<'a> Rows<'a> {
    /// Finds the columns of a side.
    ///
    /// # Errors
    /// [`MatchError::Column`] names one that is missing or of a type that cannot serve.
    pub(super) fn bind(
        rule: &'a Rule,
        side: Side,
        batch: &'a RecordBatch,
    ) -> Result<Self, MatchError> {
        let columns = rule.columns.of(side);
        let find = |name: &str| match batch.column_by_name(name) {
            Some(array) => Ok(array.as_ref()),
            None => Err(refuse(side, name, "is missing".to_owned())),
        };
        let cells = |name: &String| Cells::bind(side, name, find(name)?);
        let amounts = columns.amounts.iter();
        let amounts = amounts.map(|name| Amounts::bind(side, name, find(name)?, rule.scale));
        let SideColumns { date, .. } = columns;
        let date = date.as_ref();
        let date = date.map(|name| Dates::bind(side, name, find(name)?));
        Ok(Self {
            company: cells(&columns.company)?,
            gl: match &columns.gl {
                GlColumn::Named(name) => cells(name)?,
                GlColumn::Fixed(gl) => Cells::Fixed(gl),
            },
            keys: columns.keys.iter().map(cells).collect::<Result<_, _>>()?,
            amounts: amounts.collect::<Result<_, _>>()?,
            negated: columns.negated,
            date: date.transpose()?,
        })
    }

    /// Company and GL in normal form with the separator between them; says whether both are there.
    pub(super) fn scope(&self, row: usize, out: &mut Vec<u8>) -> bool {
        out.clear();
        let has_company = self.company.push_normal(row, out);
        out.push(SEPARATOR);
        self.gl.push_normal(row, out) && has_company
    }

    /// The key in normal form; empty when a piece of it is null or blank.
    pub(super) fn key(&self, row: usize, out: &mut Vec<u8>) {
        out.clear();
        for (place, cells) in self.keys.iter().enumerate() {
            if place > 0 {
                out.push(SEPARATOR);
            }
            if !cells.push_normal(row, out) {
                out.clear();
                return;
            }
        }
    }

    /// Sum of the amounts in ledger sign; `None` when one of them is null.
    pub(super) fn amount(&self, row: usize) -> Result<Option<i128>, Overflow> {
        let mut sum = 0_i128;
        for amounts in &self.amounts {
            let Some(units) = amounts.units(row)? else {
                return Ok(None);
            };
            sum = sum.checked_add(units).ok_or(Overflow)?;
        }
        let signed = if self.negated {
            sum.checked_neg()
        } else {
            Some(sum)
        };
        signed.ok_or(Overflow).map(Some)
    }

    /// Days since 1970, or [`NO_DATE`].
    pub(super) fn day(&self, row: usize) -> i32 {
        let day = self.date.as_ref().and_then(|dates| dates.day(row));
        day.filter(|day| *day != EMPTY_DAY).unwrap_or(NO_DATE)
    }
}

fn refuse(side: Side, column: &str, what: String) -> MatchError {
    MatchError::Column {
        side,
        column: column.to_owned(),
        what,
    }
}

fn is_valid(array: &dyn Array, row: usize) -> bool {
    array.nulls().is_none_or(|nulls| nulls.is_valid(row))
}

/// Values that name something.
enum Cells<'a> {
    Text(&'a StringArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Date(&'a Date32Array),
    Fixed(&'a str),
}

impl<'a> Cells<'a> {
    fn bind(side: Side, name: &str, array: &'a dyn Array) -> Result<Self, MatchError> {
        let decimal = |scale: i8| u8::try_from(scale).ok();
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int16 => Self::Int16(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            DataType::Decimal128(_, scale) if decimal(*scale).is_some() => Self::Decimal(
                array.as_primitive::<Decimal128Type>(),
                decimal(*scale).unwrap_or_default(),
            ),
            other => {
                let what = format!("is {other}, which names no company, GL or key");
                return Err(refuse(side, name, what));
            }
        })
    }

    /// Appends the normal form of a cell; says whether anything is there.
    fn push_normal(&self, row: usize, out: &mut Vec<u8>) -> bool {
        let mut digits = itoa::Buffer::new();
        let digits = match self {
            Self::Text(array) => {
                return is_valid(*array, row) && push_normal(array.value(row), out);
            }
            Self::Fixed(text) => return push_normal(text, out),
            Self::Int16(array) if is_valid(*array, row) => digits.format(array.value(row)),
            Self::Int32(array) if is_valid(*array, row) => digits.format(array.value(row)),
            Self::Int64(array) if is_valid(*array, row) => digits.format(array.value(row)),
            Self::Decimal(array, scale) if is_valid(*array, row) => {
                return push_decimal(array.value(row), *scale, out);
            }
            Self::Date(array) if is_valid(*array, row) => {
                let day = array.value_as_date(row);
                return day.is_some_and(|day| push_normal(&day.to_string(), out));
            }
            _ => return false,
        };
        out.extend_from_slice(digits.as_bytes());
        true
    }
}

/// An exact number as text without zeros at the end of its fraction.
fn push_decimal(units: i128, scale: u8, out: &mut Vec<u8>) -> bool {
    let Ok(amount) = Amount::new(units, scale) else {
        return false;
    };
    let text = amount.to_string();
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text.as_str(),
    };
    out.extend_from_slice(short.as_bytes());
    true
}

/// Exact numbers, and what brings them to the common scale.
struct Amounts<'a> {
    numbers: Numbers<'a>,
    factor: i128,
}

enum Numbers<'a> {
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Decimal(&'a Decimal128Array),
}

impl<'a> Amounts<'a> {
    fn bind(side: Side, name: &str, array: &'a dyn Array, to: u8) -> Result<Self, MatchError> {
        let (numbers, scale) = match array.data_type() {
            DataType::Int16 => (Numbers::Int16(array.as_primitive::<Int16Type>()), 0),
            DataType::Int32 => (Numbers::Int32(array.as_primitive::<Int32Type>()), 0),
            DataType::Int64 => (Numbers::Int64(array.as_primitive::<Int64Type>()), 0),
            DataType::Decimal128(_, scale) => {
                let array = array.as_primitive::<Decimal128Type>();
                (Numbers::Decimal(array), i16::from(*scale))
            }
            other => {
                return Err(refuse(
                    side,
                    name,
                    format!("is {other}, which is no amount"),
                ));
            }
        };
        let digits = u32::try_from(i16::from(to) - scale).ok();
        let Some(factor) = digits.and_then(|digits| 10_i128.checked_pow(digits)) else {
            let what = format!("has scale {scale}, and amounts are compared at scale {to}");
            return Err(refuse(side, name, what));
        };
        Ok(Self { numbers, factor })
    }

    fn units(&self, row: usize) -> Result<Option<i128>, Overflow> {
        let units = match &self.numbers {
            Numbers::Int16(array) => is_valid(*array, row).then(|| array.value(row).into()),
            Numbers::Int32(array) => is_valid(*array, row).then(|| array.value(row).into()),
            Numbers::Int64(array) => is_valid(*array, row).then(|| array.value(row).into()),
            Numbers::Decimal(array) => is_valid(*array, row).then(|| array.value(row)),
        };
        let scaled = units.map(|units: i128| units.checked_mul(self.factor).ok_or(Overflow));
        scaled.transpose()
    }
}

/// Days, with or without a time of day.
enum Dates<'a> {
    Day(&'a Date32Array),
    Moment(&'a TimestampMicrosecondArray),
}

impl<'a> Dates<'a> {
    fn bind(side: Side, name: &str, array: &'a dyn Array) -> Result<Self, MatchError> {
        Ok(match array.data_type() {
            DataType::Date32 => Self::Day(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Moment(array.as_primitive::<TimestampMicrosecondType>())
            }
            other => return Err(refuse(side, name, format!("is {other}, which is no date"))),
        })
    }

    fn day(&self, row: usize) -> Option<i32> {
        match self {
            Self::Day(array) => is_valid(*array, row).then(|| array.value(row)),
            Self::Moment(array) => is_valid(*array, row)
                .then(|| array.value(row).div_euclid(DAY_MICROS))
                .and_then(|day| i32::try_from(day).ok()),
        }
    }
}
