//! Conditions on a row: a column and what it is compared with. A null is neither inside nor outside, and is counted.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use polars::prelude::{DataFrame, DataType, Expr, NULL, Scalar, TimeUnit, col, lit, when};

use super::ReconcileError;
use super::cells::{dtype, wrong};
use crate::domain::amount::Amount;
use crate::domain::patterns::{Patterns, TextTest};
use crate::kernels::vouchers::meets;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Canonical column name.
    pub column: String,
    /// What its cell must be.
    pub test: Test,
    /// What a null is.
    pub nulls: Nulls,
}

/// What a cell must be.
///
/// # Shape
/// Texts are compared by code points, without blanks at their end, unless they are to meet patterns. NAV's empty date, 1753-01-01, is a null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these.
    OneOf(Vec<Literal>),
    /// None of these.
    NoneOf(Vec<Literal>),
    /// `<`
    Below(Literal),
    /// `<=`
    AtMost(Literal),
    /// `>`
    Above(Literal),
    /// `>=`
    AtLeast(Literal),
    /// Null.
    IsNull,
    /// Not null.
    IsNotNull,
    /// A text that meets one of these, whatever its case and the blanks around it.
    Meets(Patterns),
}

/// A value in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// Whole number; 0 and 1 for a flag.
    Int(i64),
    /// Exact number.
    Amount(Amount),
    /// Midnight at which a day begins.
    Day(NaiveDate),
}

/// What a condition says of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// Nothing: unless another condition drops the row it is counted as undecided, and neither inside nor outside.
    Undecided,
    /// It meets the condition: `x IS NULL OR …`.
    Keep,
    /// It does not.
    Drop,
}

impl Condition {
    /// A condition that says nothing of nulls.
    #[must_use]
    pub fn new(column: &str, test: Test) -> Self {
        Self {
            column: column.to_owned(),
            test,
            nulls: Nulls::Undecided,
        }
    }

    /// As an expression: true, false, or null where it is undecided.
    ///
    /// # Errors
    /// [`ReconcileError::Column`] for a column that is missing, or of a type that the value cannot be compared with.
    pub(in crate::kernels) fn expression(&self, frame: &DataFrame) -> Result<Expr, ReconcileError> {
        let cell = Cell::of(frame, &self.column)?;
        let expr = || cell.expr.clone();
        let literal = |value: &Literal| cell.literal(value);
        let one_of = |values: &[Literal]| {
            let mut any = lit(false);
            for value in values {
                any = any.or(expr().eq(literal(value)?));
            }
            Ok::<_, ReconcileError>(any)
        };
        let decided = match &self.test {
            Test::OneOf(values) => one_of(values)?,
            Test::NoneOf(values) => one_of(values)?.not(),
            Test::Below(value) => expr().lt(literal(value)?),
            Test::AtMost(value) => expr().lt_eq(literal(value)?),
            Test::Above(value) => expr().gt(literal(value)?),
            Test::AtLeast(value) => expr().gt_eq(literal(value)?),
            Test::Meets(patterns) => {
                let (column, is) = (self.column.clone(), patterns.clone());
                meets(frame, &TextTest { column, is })?
            }
            Test::IsNull => return Ok(expr().is_null()),
            Test::IsNotNull => return Ok(expr().is_not_null()),
        };
        Ok(match self.nulls {
            Nulls::Undecided => decided,
            Nulls::Keep => expr().is_null().or(decided),
            Nulls::Drop => expr().is_not_null().and(decided),
        })
    }
}

/// All conditions together: false as soon as one is false, else null if one is.
///
/// # Errors
/// As [`Condition::expression`].
pub(in crate::kernels) fn all(
    conditions: &[Condition],
    frame: &DataFrame,
) -> Result<Expr, ReconcileError> {
    let mut together = lit(true);
    for condition in conditions {
        together = together.and(condition.expression(frame)?);
    }
    Ok(together)
}

/// A column as it is compared.
struct Cell<'a> {
    column: &'a str,
    dtype: DataType,
    expr: Expr,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Units(u8),
    Days,
    Micros,
}

/// Microseconds from 1970.
fn micros(day: NaiveDate) -> i64 {
    NaiveDateTime::new(day, NaiveTime::MIN)
        .and_utc()
        .timestamp_micros()
}

fn days(day: NaiveDate) -> i64 {
    micros(day) / 86_400_000_000
}

/// NAV's empty date.
fn empty_date() -> NaiveDate {
    NaiveDate::from_ymd_opt(1753, 1, 1).unwrap_or(NaiveDate::MIN)
}

impl<'a> Cell<'a> {
    fn of(frame: &DataFrame, column: &'a str) -> Result<Self, ReconcileError> {
        let found = dtype(frame, column)?;
        let cell = col(column);
        let (expr, kind) = match &found {
            DataType::String => (cell.str().strip_chars_end(lit(" ")), Kind::Text),
            DataType::Boolean => (
                cell.cast(DataType::Int32).cast(DataType::Int128),
                Kind::Flag,
            ),
            DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                (cell.cast(DataType::Int128), Kind::Units(0))
            }
            DataType::Decimal(_, scale) => {
                let scale = u8::try_from(*scale).unwrap_or(u8::MAX);
                (cell.to_physical(), Kind::Units(scale))
            }
            DataType::Date | DataType::Datetime(TimeUnit::Microseconds, _) => {
                let kind = if found == DataType::Date {
                    Kind::Days
                } else {
                    Kind::Micros
                };
                (instant(frame, column)?, kind)
            }
            _ => {
                return Err(wrong(
                    column,
                    "a type that can be compared",
                    &found.to_string(),
                ));
            }
        };
        Ok(Self {
            column,
            dtype: found,
            expr,
            kind,
        })
    }

    fn literal(&self, value: &Literal) -> Result<Expr, ReconcileError> {
        let number = |number: i128| Ok(lit(Scalar::from(number)));
        match (self.kind, value) {
            (Kind::Text, Literal::Text(text)) => Ok(lit(text.trim_end_matches(' '))),
            (Kind::Flag, Literal::Int(flag @ (0 | 1))) => number(i128::from(*flag)),
            (Kind::Units(scale), Literal::Int(_) | Literal::Amount(_)) => {
                let amount = match value {
                    Literal::Amount(amount) => Some(*amount),
                    Literal::Int(whole) => Amount::new(i128::from(*whole), 0).ok(),
                    _ => None,
                };
                let units = amount.and_then(|amount| at_scale(amount, scale));
                let finer = || {
                    wrong(
                        self.column,
                        "as fine as its condition",
                        &self.dtype.to_string(),
                    )
                };
                number(units.ok_or_else(finer)?)
            }
            (Kind::Days, Literal::Day(day)) => number(i128::from(days(*day))),
            (Kind::Micros, Literal::Day(day)) => number(i128::from(micros(*day))),
            (_, value) => {
                let needed = match value {
                    Literal::Text(_) => "a text",
                    Literal::Int(_) => "a whole number, or a flag beside 0 and 1",
                    Literal::Amount(_) => "an exact number",
                    Literal::Day(_) => "a date",
                };
                Err(wrong(self.column, needed, &self.dtype.to_string()))
            }
        }
    }
}

/// Whether a column of this scale can have the amount: an amount with more digits is in none of its rows.
#[must_use]
pub fn fits(amount: Amount, scale: u8) -> bool {
    at_scale(amount, scale).is_some()
}

/// Whole units of the amount in another scale, when that loses nothing.
fn at_scale(amount: Amount, scale: u8) -> Option<i128> {
    if let Ok(finer) = amount.rescale(scale) {
        return Some(finer.units());
    }
    let digits = amount.scale().checked_sub(scale)?;
    let factor = 10_i128.checked_pow(u32::from(digits))?;
    (amount.units() % factor == 0).then_some(amount.units() / factor)
}

/// A date in days or microseconds from 1970, null where there is none.
///
/// # Errors
/// [`ReconcileError::Column`] when it is no date.
pub(in crate::kernels) fn instant(frame: &DataFrame, column: &str) -> Result<Expr, ReconcileError> {
    let empty = match dtype(frame, column)? {
        DataType::Date => days(empty_date()),
        DataType::Datetime(TimeUnit::Microseconds, _) => micros(empty_date()),
        found => return Err(wrong(column, "a date", &found.to_string())),
    };
    let count = col(column).to_physical().cast(DataType::Int128);
    let is_date = count.clone().neq(lit(Scalar::from(i128::from(empty))));
    Ok(when(is_date).then(count).otherwise(lit(NULL)))
}

/// The day of a number that [`instant`] gave.
pub(in crate::kernels) fn day_of(dtype: &DataType, instant: i128) -> Option<NaiveDate> {
    let days = match dtype {
        DataType::Date => instant,
        _ => instant.div_euclid(86_400_000_000),
    };
    let first = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    first.checked_add_signed(chrono::TimeDelta::try_days(i64::try_from(days).ok()?)?)
}
