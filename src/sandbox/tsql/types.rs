//! How SQL Server's types become Arrow types, and which type an operation gives.
//!
//! Pure functions over [`SqlType`]; the rules are those of the T-SQL reference ("Data type precedence", "Precision,
//! scale, and length").

use std::cmp::{max, min};

use arrow::datatypes::{DataType, TimeUnit};

use crate::domain::sql_type::SqlType;
use crate::sandbox::tsql::error::{SqlResult, type_clash, unsupported};

/// Digits that a decimal has at most.
pub const PRECISION_MAX: u8 = 38;

/// The Arrow type that carries a SQL type through the engine and over the seam.
///
/// # Errors
/// Types that the sandbox does not hold are refused by name.
pub fn arrow_type(ty: &SqlType) -> SqlResult<DataType> {
    Ok(match ty {
        SqlType::Bit => DataType::Boolean,
        SqlType::TinyInt => DataType::UInt8,
        SqlType::SmallInt => DataType::Int16,
        SqlType::Int => DataType::Int32,
        SqlType::BigInt => DataType::Int64,
        SqlType::Decimal { precision, scale } => DataType::Decimal128(*precision, signed(*scale)),
        SqlType::Money => DataType::Decimal128(19, 4),
        SqlType::SmallMoney => DataType::Decimal128(10, 4),
        SqlType::Real => DataType::Float32,
        SqlType::Float => DataType::Float64,
        SqlType::Date => DataType::Date32,
        SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(_) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        SqlType::Time(_) => DataType::Time64(TimeUnit::Nanosecond),
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Text
        | SqlType::NText
        | SqlType::UniqueIdentifier => DataType::Utf8,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            DataType::Binary
        }
        SqlType::DateTimeOffset(_) | SqlType::Other(_) => {
            return Err(unsupported(format!("the type {ty}")));
        }
    })
}

/// A scale as Arrow has it.
pub fn signed(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

/// What kind of value a type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// bit and the integers.
    Integer,
    /// decimal and money.
    Decimal,
    /// real and float.
    Float,
    /// Every text type.
    Text,
    /// Every binary type.
    Binary,
    /// date.
    Date,
    /// datetime, smalldatetime, datetime2.
    DateTime,
    /// time.
    Time,
    /// uniqueidentifier.
    Guid,
    /// Anything else.
    Other,
}

/// The family of a type.
pub fn family(ty: &SqlType) -> Family {
    match ty {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            Family::Integer
        }
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => Family::Decimal,
        SqlType::Real | SqlType::Float => Family::Float,
        SqlType::Date => Family::Date,
        SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(_) => Family::DateTime,
        SqlType::Time(_) => Family::Time,
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Text
        | SqlType::NText => Family::Text,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            Family::Binary
        }
        SqlType::UniqueIdentifier => Family::Guid,
        SqlType::DateTimeOffset(_) | SqlType::Other(_) => Family::Other,
    }
}

/// True for integers, decimals and floats.
pub fn is_numeric(ty: &SqlType) -> bool {
    matches!(
        family(ty),
        Family::Integer | Family::Decimal | Family::Float
    )
}

/// Precision and scale with which an exact numeric type takes part in decimal arithmetic.
pub fn exact_digits(ty: &SqlType) -> Option<(u8, u8)> {
    Some(match ty {
        SqlType::Bit => (1, 0),
        SqlType::TinyInt => (3, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::Int => (10, 0),
        SqlType::BigInt => (19, 0),
        SqlType::Decimal { precision, scale } => (*precision, *scale),
        SqlType::Money => (19, 4),
        SqlType::SmallMoney => (10, 4),
        _ => return None,
    })
}

/// Text length in characters (bytes for the one-byte types) and whether the type is a Unicode one; `None` is max.
pub fn text_len(ty: &SqlType) -> Option<(Option<u16>, bool)> {
    Some(match ty {
        SqlType::Char(n) => (Some(*n), false),
        SqlType::VarChar(n) => (*n, false),
        SqlType::NChar(n) => (Some(*n), true),
        SqlType::NVarChar(n) => (*n, true),
        SqlType::Text => (None, false),
        SqlType::NText => (None, true),
        _ => return None,
    })
}

/// A variable-length text type; longer than the limit of the family becomes max.
pub fn text_type(len: Option<u16>, unicode: bool) -> SqlType {
    let limit = if unicode { 4000 } else { 8000 };
    let len = len.filter(|n| *n <= limit).map(|n| max(n, 1));
    if unicode {
        SqlType::NVarChar(len)
    } else {
        SqlType::VarChar(len)
    }
}

/// Precision and scale cut to 38 digits in the way of additions (keep the integral digits) or of products.
fn cut(precision: u16, scale: u16, product: bool) -> SqlType {
    let limit = u16::from(PRECISION_MAX);
    if precision <= limit {
        return decimal(precision, scale);
    }
    let integral = precision.saturating_sub(scale);
    let scale = if !product {
        min(scale, limit.saturating_sub(min(integral, limit)))
    } else if integral < 32 {
        min(scale, limit - integral)
    } else {
        min(scale, 6)
    };
    decimal(limit, scale)
}

fn decimal(precision: u16, scale: u16) -> SqlType {
    SqlType::Decimal {
        precision: u8::try_from(precision).unwrap_or(PRECISION_MAX),
        scale: u8::try_from(scale).unwrap_or(0),
    }
}

/// The arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

/// The type of `left op right` for numeric operands.
///
/// # Errors
/// 206 when an operand is not a number.
pub fn arith_type(op: Arith, left: &SqlType, right: &SqlType) -> SqlResult<SqlType> {
    if !is_numeric(left) || !is_numeric(right) {
        return Err(type_clash(left, right));
    }
    if family(left) == Family::Float || family(right) == Family::Float {
        return Ok(SqlType::Float);
    }
    if family(left) == Family::Integer && family(right) == Family::Integer {
        return Ok(if rank(left) >= rank(right) {
            left.clone()
        } else {
            right.clone()
        });
    }
    let money = |ty: &SqlType| matches!(ty, SqlType::Money | SqlType::SmallMoney);
    if (money(left) || family(left) == Family::Integer)
        && (money(right) || family(right) == Family::Integer)
    {
        return Ok(SqlType::Money);
    }
    let (Some((p1, s1)), Some((p2, s2))) = (exact_digits(left), exact_digits(right)) else {
        return Err(type_clash(left, right));
    };
    let (p1, s1, p2, s2) = (u16::from(p1), u16::from(s1), u16::from(p2), u16::from(s2));
    Ok(match op {
        Arith::Add | Arith::Sub => {
            let scale = max(s1, s2);
            cut(max(p1 - s1, p2 - s2) + scale + 1, scale, false)
        }
        Arith::Mul => cut(p1 + p2 + 1, s1 + s2, true),
        Arith::Div => {
            let scale = max(6, s1 + p2 + 1);
            cut(p1 - s1 + s2 + scale, scale, true)
        }
        Arith::Rem => {
            let scale = max(s1, s2);
            cut(min(p1 - s1, p2 - s2) + scale, scale, false)
        }
    })
}

/// Type precedence: the higher one wins where two types meet.
fn rank(ty: &SqlType) -> u8 {
    match ty {
        SqlType::DateTimeOffset(_) => 29,
        SqlType::DateTime2(_) => 28,
        SqlType::DateTime => 27,
        SqlType::SmallDateTime => 26,
        SqlType::Date => 25,
        SqlType::Time(_) => 24,
        SqlType::Float => 23,
        SqlType::Real => 22,
        SqlType::Decimal { .. } => 21,
        SqlType::Money => 20,
        SqlType::SmallMoney => 19,
        SqlType::BigInt => 18,
        SqlType::Int => 17,
        SqlType::SmallInt => 16,
        SqlType::TinyInt => 15,
        SqlType::Bit => 14,
        SqlType::NText => 13,
        SqlType::Text => 12,
        SqlType::Image => 11,
        SqlType::RowVersion => 10,
        SqlType::UniqueIdentifier => 9,
        SqlType::NVarChar(_) => 8,
        SqlType::NChar(_) => 7,
        SqlType::VarChar(_) => 6,
        SqlType::Char(_) => 5,
        SqlType::VarBinary(_) => 4,
        SqlType::Binary(_) => 3,
        SqlType::Other(_) => 0,
    }
}

/// The type in which two values meet (CASE branches, UNION, COALESCE, comparisons).
///
/// # Errors
/// 206 when SQL Server has no implicit conversion, or the sandbox does not do it.
pub fn unify(left: &SqlType, right: &SqlType) -> SqlResult<SqlType> {
    if left == right {
        return Ok(left.clone());
    }
    if let (Some((a, ua)), Some((b, ub))) = (text_len(left), text_len(right)) {
        let len = a.zip(b).map(|(a, b)| max(a, b));
        return Ok(text_type(len, ua || ub));
    }
    let (low, high) = if rank(left) < rank(right) {
        (left, right)
    } else {
        (right, left)
    };
    if let (SqlType::Decimal { .. }, Some((p1, s1)), Some((p2, s2))) =
        (high, exact_digits(left), exact_digits(right))
    {
        let scale = u16::from(max(s1, s2));
        let integral = u16::from(max(p1 - s1, p2 - s2));
        return Ok(cut(integral + scale, scale, false));
    }
    if let (SqlType::DateTime2(a), SqlType::DateTime2(b)) = (left, right) {
        return Ok(SqlType::DateTime2(max(*a, *b)));
    }
    let allowed = match (family(low), family(high)) {
        (a, b) if a == b => true,
        (Family::Date, Family::DateTime) | (Family::Time, Family::DateTime) => true,
        (Family::Text, to) => to != Family::Binary && to != Family::Other,
        (from, Family::Float) => matches!(from, Family::Integer | Family::Decimal),
        (Family::Integer, Family::Decimal) => true,
        (Family::Integer, Family::DateTime) => {
            matches!(high, SqlType::DateTime | SqlType::SmallDateTime)
        }
        _ => false,
    };
    if allowed {
        Ok(high.clone())
    } else {
        Err(type_clash(low, high))
    }
}

/// The type that SUM gives for its argument.
///
/// # Errors
/// 8117 as 206 for what cannot be summed.
pub fn sum_type(ty: &SqlType) -> SqlResult<SqlType> {
    Ok(match ty {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
        SqlType::BigInt => SqlType::BigInt,
        SqlType::Decimal { scale, .. } => SqlType::Decimal {
            precision: PRECISION_MAX,
            scale: *scale,
        },
        SqlType::Money | SqlType::SmallMoney => SqlType::Money,
        SqlType::Real | SqlType::Float => {
            return Err(unsupported("SUM over real or float"));
        }
        other => return Err(type_clash(other, "sum operator")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> SqlType {
        text.parse().unwrap()
    }

    #[test]
    fn decimal_arithmetic_has_the_documented_digits() {
        let wide = ty("decimal(38,20)");
        assert_eq!(
            arith_type(Arith::Add, &wide, &wide).unwrap(),
            ty("decimal(38,19)")
        );
        assert_eq!(
            arith_type(Arith::Mul, &ty("decimal(10,2)"), &ty("decimal(5,3)")).unwrap(),
            ty("decimal(16,5)")
        );
        assert_eq!(
            arith_type(Arith::Div, &ty("decimal(10,2)"), &ty("decimal(5,3)")).unwrap(),
            ty("decimal(19,8)")
        );
        assert_eq!(
            arith_type(Arith::Div, &ty("int"), &ty("bigint")).unwrap(),
            ty("bigint")
        );
        assert_eq!(
            arith_type(Arith::Sub, &ty("int"), &ty("decimal(5,2)")).unwrap(),
            ty("decimal(13,2)")
        );
    }

    #[test]
    fn mixed_types_meet_in_the_higher_one() {
        assert_eq!(
            unify(&ty("varchar(3)"), &ty("nvarchar(9)")).unwrap(),
            ty("nvarchar(9)")
        );
        assert_eq!(
            unify(&ty("int"), &ty("decimal(38,20)")).unwrap(),
            ty("decimal(38,20)")
        );
        assert_eq!(
            unify(&ty("varchar(10)"), &ty("datetime")).unwrap(),
            ty("datetime")
        );
        assert!(unify(&ty("varbinary(8)"), &ty("datetime")).is_err());
        assert!(unify(&ty("date"), &ty("int")).is_err());
    }

    #[test]
    fn sums_widen_decimals_and_keep_integers() {
        assert_eq!(sum_type(&ty("decimal(9,2)")).unwrap(), ty("decimal(38,2)"));
        assert_eq!(sum_type(&ty("smallint")).unwrap(), ty("int"));
        assert!(sum_type(&ty("date")).is_err());
    }
}
