//! Values of any column as people read them: exact texts, an order, a hash.
//!
//! Decimals, dates and times are whole numbers here and never floats. May use Arrow and `domain`.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BinaryArray, BooleanArray, Decimal128Array, Float64Array,
    Int64Array, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::domain::amount::Amount;
use crate::domain::digest::hex;

/// Text of a sum or a value that cannot be held exactly.
pub const BEYOND: &str = "beyond 38 digits";

/// One value, borrowed from its array.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// Truth.
    Bool(bool),
    /// Units of a decimal, days of a date, ticks of a time, or an integer.
    Whole(i128),
    /// A float, which is never exact.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// One value, owned.
#[derive(Debug, Clone)]
pub enum Value {
    /// Truth.
    Bool(bool),
    /// As [`Item::Whole`].
    Whole(i128),
    /// A float.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The value, borrowed.
    #[must_use]
    pub fn item(&self) -> Item<'_> {
        match self {
            Self::Bool(value) => Item::Bool(*value),
            Self::Whole(value) => Item::Whole(*value),
            Self::Float(value) => Item::Float(*value),
            Self::Text(value) => Item::Text(value),
            Self::Bytes(value) => Item::Bytes(value),
        }
    }
}

impl Item<'_> {
    /// The value, owned.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Whole(value) => Value::Whole(value),
            Self::Float(value) => Value::Float(value),
            Self::Text(value) => Value::Text(value.to_owned()),
            Self::Bytes(value) => Value::Bytes(value.to_vec()),
        }
    }

    /// The order of two values of one column.
    #[must_use]
    pub fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Item::Bool(b)) => a.cmp(&b),
            (Self::Whole(a), Item::Whole(b)) => a.cmp(&b),
            (Self::Float(a), Item::Float(b)) => a.total_cmp(&b),
            (Self::Text(a), Item::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Item::Bytes(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }

    /// 64 bits of hash, for counting distinct values.
    #[must_use]
    pub fn hash(self) -> u64 {
        self.with_bytes(xxh3_64)
    }

    /// 128 bits of hash, for grouping.
    #[must_use]
    pub fn wide_hash(self) -> u128 {
        self.with_bytes(xxh3_128)
    }

    fn with_bytes<T>(self, hash: impl Fn(&[u8]) -> T) -> T {
        match self {
            Self::Bool(value) => hash(&[u8::from(value)]),
            Self::Whole(value) => hash(&value.to_le_bytes()),
            Self::Float(value) => hash(&value.to_bits().to_le_bytes()),
            Self::Text(value) => hash(value.as_bytes()),
            Self::Bytes(value) => hash(value),
        }
    }

    /// The exact text of a value of a column of that type.
    #[must_use]
    pub fn text(self, data_type: &DataType) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Whole(value) => whole_text(value, data_type),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.to_owned(),
            Self::Bytes(value) => format!("0x{}", hex(value)),
        }
    }
}

/// Whether the values of a column are whole numbers here: exact numbers, dates and times.
#[must_use]
pub fn is_whole(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_temporal()
            && !matches!(data_type, DataType::Duration(_) | DataType::Interval(_))
        || matches!(data_type, DataType::Decimal128(..))
}

/// Whether sums of a column mean something: exact numbers.
#[must_use]
pub fn is_exact_number(data_type: &DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Decimal128(..))
}

/// The text of a whole number of a column of that type.
#[must_use]
pub fn whole_text(value: i128, data_type: &DataType) -> String {
    let text = match data_type {
        DataType::Decimal128(_, scale) => u8::try_from(*scale)
            .ok()
            .and_then(|scale| Amount::new(value, scale).ok())
            .map(|amount| amount.to_string()),
        DataType::Date32 => i64::try_from(value).ok().and_then(day_text),
        DataType::Date64 => i64::try_from(value)
            .ok()
            .and_then(|millis| day_text(millis.div_euclid(86_400_000))),
        DataType::Timestamp(unit, zone) => moment(value, *unit).map(|moment| {
            let zone = if zone.is_some() { "Z" } else { "" };
            format!("{}{zone}", moment.format("%Y-%m-%dT%H:%M:%S%.f"))
        }),
        DataType::Time32(unit) | DataType::Time64(unit) => moment(value, *unit)
            .map(|moment| moment.time())
            .map(|time: NaiveTime| time.format("%H:%M:%S%.f").to_string()),
        _ => Some(value.to_string()),
    };
    text.unwrap_or_else(|| BEYOND.to_owned())
}

/// Ticks of a day in a temporal type, 1 for a count of days.
#[must_use]
pub fn ticks_of_a_day(data_type: &DataType) -> Option<i128> {
    Some(match data_type {
        DataType::Date32 => 1,
        DataType::Date64 => 86_400_000,
        DataType::Timestamp(unit, _) => ticks_of_a_second(*unit) * 86_400,
        _ => return None,
    })
}

fn ticks_of_a_second(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn day_text(days: i64) -> Option<String> {
    let days = days.checked_add(719_163)?;
    Some(NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?)?.to_string())
}

fn moment(ticks: i128, unit: TimeUnit) -> Option<NaiveDateTime> {
    let second = ticks_of_a_second(unit);
    let seconds = i64::try_from(ticks.div_euclid(second)).ok()?;
    let nanos = ticks.rem_euclid(second) * (1_000_000_000 / second);
    let moment = DateTime::from_timestamp(seconds, u32::try_from(nanos).ok()?)?;
    Some(moment.naive_utc())
}

/// An array in one of the few forms that all values are read from.
#[derive(Debug)]
pub enum Plain {
    /// Truth.
    Bool(BooleanArray),
    /// Whole numbers of at most 64 bits.
    Whole(Int64Array),
    /// Whole numbers of at most 128 bits.
    Wide(Decimal128Array),
    /// Floats.
    Float(Float64Array),
    /// Text.
    Text(StringArray),
    /// Bytes.
    Bytes(BinaryArray),
    /// Lists, structs and the like: shown, not compared.
    Other(ArrayRef),
}

impl Plain {
    /// Brings an array into one of these forms; no value changes.
    #[must_use]
    pub fn of(array: &ArrayRef) -> Self {
        let to = |data_type: &DataType| cast(array, data_type).ok();
        let plain = match array.data_type() {
            DataType::Boolean => Some(Self::Bool(array.as_boolean().clone())),
            DataType::Decimal128(..) => Some(Self::Wide(array.as_primitive().clone())),
            DataType::UInt64 => {
                to(&DataType::Decimal128(20, 0)).map(|a| Self::Wide(a.as_primitive().clone()))
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                to(&DataType::Float64).map(|a| Self::Float(a.as_primitive().clone()))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                to(&DataType::Utf8).map(|a| Self::Text(a.as_string().clone()))
            }
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                to(&DataType::Binary).map(|a| Self::Bytes(a.as_binary().clone()))
            }
            DataType::Dictionary(_, values) => to(values).map(|array| Self::of(&array)),
            other if is_whole(other) => {
                to(&DataType::Int64).map(|a| Self::Whole(a.as_primitive().clone()))
            }
            _ => None,
        };
        plain.unwrap_or_else(|| Self::Other(Arc::clone(array)))
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => array,
            Self::Whole(array) => array,
            Self::Wide(array) => array,
            Self::Float(array) => array,
            Self::Text(array) => array,
            Self::Bytes(array) => array,
            Self::Other(array) => array,
        }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.array().len()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of nulls.
    #[must_use]
    pub fn nulls(&self) -> usize {
        self.array().logical_null_count()
    }

    /// A value; `None` for null, for a row that is not there and for what is not compared.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Item<'_>> {
        if row >= self.len() || self.array().is_null(row) {
            return None;
        }
        Some(match self {
            Self::Bool(array) => Item::Bool(array.value(row)),
            Self::Whole(array) => Item::Whole(i128::from(array.value(row))),
            Self::Wide(array) => Item::Whole(array.value(row)),
            Self::Float(array) => Item::Float(array.value(row)),
            Self::Text(array) => Item::Text(array.value(row)),
            Self::Bytes(array) => Item::Bytes(array.value(row)),
            Self::Other(_) => return None,
        })
    }
}

/// The text of a cell, `None` for null.
#[must_use]
pub fn cell_text(array: &ArrayRef, row: usize) -> Option<String> {
    match Plain::of(&array.slice(row.min(array.len()), usize::from(row < array.len()))) {
        Plain::Other(one) => (!one.is_empty() && one.is_valid(0))
            .then(|| array_value_to_string(&one, 0).unwrap_or_default()),
        plain => plain.get(0).map(|item| item.text(array.data_type())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Time64MicrosecondArray, TimestampMicrosecondArray};

    #[test]
    fn texts_are_exact() {
        let top = 10_i128.pow(38) - 1;
        let amounts = Decimal128Array::from(vec![Some(-top), None])
            .with_precision_and_scale(38, 20)
            .unwrap();
        let amounts: ArrayRef = Arc::new(amounts);
        let text = "-999999999999999999.99999999999999999999";
        assert_eq!(cell_text(&amounts, 0).unwrap(), text);
        assert_eq!(cell_text(&amounts, 1), None);
        assert_eq!(cell_text(&amounts, 2), None);
        let arrays: [(ArrayRef, &str); 4] = [
            (Arc::new(Date32Array::from(vec![-1])), "1969-12-31"),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![-1]).with_timezone("UTC")),
                "1969-12-31T23:59:59.999999Z",
            ),
            (
                Arc::new(Time64MicrosecondArray::from(vec![3_723_000_000])),
                "01:02:03",
            ),
            (Arc::new(BinaryArray::from_vec(vec![b"\x00\xff"])), "0x00ff"),
        ];
        for (array, text) in arrays {
            assert_eq!(cell_text(&array, 0).unwrap(), text);
        }
        let beyond = whole_text(top + 1, &DataType::Decimal128(38, 20));
        assert_eq!(beyond, BEYOND);
    }
}
