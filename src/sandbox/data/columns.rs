//! Arrow columns from what each row says of them; a missing value is a null.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use crate::sandbox::tsql::error::{SqlResult, internal};

/// Texts.
pub(super) fn texts<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// `bigint`.
pub(super) fn numbers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

/// `int`.
pub(super) fn small_numbers(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.collect::<Int32Array>())
}

/// `bit`.
pub(super) fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// `datetime`, in microseconds since 1970.
pub(super) fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>())
}

/// `decimal(19,4)`, in ten-thousandths.
pub(super) fn money(values: impl Iterator<Item = Option<i128>>) -> SqlResult<ArrayRef> {
    let values = values.collect::<Decimal128Array>();
    let typed = values.with_precision_and_scale(19, 4).map_err(internal)?;
    Ok(Arc::new(typed))
}
