//! The scalar functions of T-SQL over single values.
//!
//! Pure. Which function a name means and which type it gives is decided by the binder; here only values are computed.

use std::borrow::Cow;
use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::cast::cast;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::dates::{self, Part};
use crate::sandbox::engine::func::like::like;
use crate::sandbox::tsql::error::{
    SqlResult, division_by_zero, error, internal, overflow, unsupported,
};
use crate::sandbox::tsql::types::{Arith, exact_digits};
use crate::sandbox::tsql::value::{collation_key, fits, power_of_ten, rescale};

/// What a function computes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// CAST, CONVERT; `lenient` is TRY_CAST: null instead of an error.
    Cast {
        /// CONVERT's style.
        style: Option<i64>,
        /// TRY_CAST, TRY_CONVERT.
        lenient: bool,
    },
    /// `+ - * / %`; `soft` gives null where the divisor is zero (the caller reports it row by row).
    Arith {
        /// Operator.
        op: Arith,
        /// No error for a zero divisor.
        soft: bool,
    },
    /// -1, 0 or 1 for two numbers of any exact type.
    Compare,
    /// True where the number is zero.
    IsZero,
    /// The form of a text in which the default collation compares it.
    Key,
    /// LIKE with its ESCAPE as third argument, if any; `binary` compares exactly.
    Like {
        /// Binary collation.
        binary: bool,
    },
    /// DATEADD.
    DateAdd(Part),
    /// DATEDIFF.
    DateDiff(Part),
    /// DATEPART, YEAR, MONTH, DAY.
    DatePart(Part),
    /// EOMONTH.
    EoMonth,
    /// LEN.
    Len,
    /// DATALENGTH.
    DataLength,
    /// UPPER.
    Upper,
    /// LOWER.
    Lower,
    /// LTRIM.
    TrimStart,
    /// RTRIM.
    TrimEnd,
    /// TRIM.
    Trim,
    /// LEFT.
    Left,
    /// RIGHT.
    Right,
    /// SUBSTRING.
    Substring,
    /// REPLACE.
    Replace,
    /// `+` over texts (null if one is null).
    Join,
    /// CONCAT (nulls are empty).
    Concat,
    /// CHARINDEX.
    CharIndex,
    /// QUOTENAME.
    QuoteName,
    /// HASHBYTES('SHA2_256', x).
    Sha256,
    /// ABS.
    Abs,
}

/// Computes one value.
///
/// # Errors
/// The server errors of the function.
pub fn eval<'a>(
    op: &Op,
    args: &'a [Cell<'a>],
    types: &[SqlType],
    ret: &SqlType,
) -> SqlResult<Cell<'a>> {
    if let Op::Concat = op {
        return concat(args, types);
    }
    if args.contains(&Cell::Null) {
        return Ok(Cell::Null);
    }
    let unknown = || internal(format!("{op:?} over {types:?}"));
    match (op, args) {
        (Op::Cast { style, lenient }, [x]) => {
            let from = types.first().ok_or_else(unknown)?;
            match cast(x.clone(), from, ret, *style) {
                Err(e) if *lenient && e.number != 40_517 => Ok(Cell::Null),
                other => other,
            }
        }
        (Op::Arith { op, soft }, [a, b]) => arith(*op, *soft, a, b, ret),
        (Op::Compare, [a, b]) => compare(a, b)
            .map(|o| Cell::Int(i64::from(o_sign(o))))
            .ok_or_else(unknown),
        (Op::IsZero, [x]) => Ok(Cell::Int(i64::from(
            matches!(x, Cell::Int(0) | Cell::Dec(0, _)) || *x == Cell::Float(0.0),
        ))),
        (Op::Abs, [Cell::Int(v)]) => v.checked_abs().map(Cell::Int).ok_or_else(|| overflow(ret)),
        (Op::Abs, [Cell::Dec(v, s)]) => Ok(Cell::Dec(v.abs(), *s)),
        (Op::DateAdd(part), [Cell::Int(n), x]) => dates::add(*part, *n, x, ret),
        (Op::DateDiff(part), [a, b]) => dates::diff(*part, a, b).map(Cell::Int),
        (Op::DatePart(part), [x]) => dates::part(*part, x).map(Cell::Int),
        (Op::EoMonth, [x]) => dates::end_of_month(x, 0),
        (Op::EoMonth, [x, Cell::Int(n)]) => dates::end_of_month(x, *n),
        (Op::DataLength, [x]) => Ok(Cell::Int(data_length(
            x,
            types.first().ok_or_else(unknown)?,
        )?)),
        (Op::Sha256, [Cell::Bytes(b)]) => Ok(Cell::Bytes(Sha256::digest(b).to_vec().into())),
        (Op::Substring, [Cell::Bytes(b), Cell::Int(from), Cell::Int(len)]) => {
            let (skip, take) = window(*from, *len)?;
            Ok(Cell::Bytes(
                b.iter().skip(skip).take(take).copied().collect(),
            ))
        }
        _ => text_function(op, args).ok_or_else(unknown)?,
    }
}

fn o_sign(order: Ordering) -> i8 {
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// The functions whose first argument is a text.
fn text_function<'a>(op: &Op, args: &'a [Cell<'a>]) -> Option<SqlResult<Cell<'a>>> {
    let borrowed = |s: &'a str| Some(Ok(Cell::Text(Cow::Borrowed(s))));
    match (op, args) {
        (Op::Key, [Cell::Text(t)]) => Some(Ok(Cell::text(collation_key(t)))),
        (Op::Like { binary }, [Cell::Text(t), Cell::Text(p), escape @ ..]) => {
            let escape = match escape {
                [Cell::Text(e)] => e.chars().next(),
                _ => None,
            };
            Some(Ok(Cell::Int(i64::from(like(t, p, escape, *binary)))))
        }
        (Op::Len, [Cell::Text(t)]) => Some(length(t.trim_end_matches(' ').encode_utf16().count())),
        (Op::Upper, [Cell::Text(t)]) => Some(Ok(Cell::text(t.to_uppercase()))),
        (Op::Lower, [Cell::Text(t)]) => Some(Ok(Cell::text(t.to_lowercase()))),
        (Op::TrimStart, [Cell::Text(t)]) => borrowed(t.trim_start_matches(' ')),
        (Op::TrimEnd, [Cell::Text(t)]) => borrowed(t.trim_end_matches(' ')),
        (Op::Trim, [Cell::Text(t)]) => borrowed(t.trim_matches(' ')),
        (Op::Left, [Cell::Text(t), Cell::Int(n)]) => Some(
            usize::try_from(*n)
                .map_err(|_| bad_length())
                .map(|n| Cell::text(t.chars().take(n).collect::<String>())),
        ),
        (Op::Right, [Cell::Text(t), Cell::Int(n)]) => {
            Some(usize::try_from(*n).map_err(|_| bad_length()).map(|n| {
                let skip = t.chars().count().saturating_sub(n);
                Cell::text(t.chars().skip(skip).collect::<String>())
            }))
        }
        (Op::Substring, [Cell::Text(t), Cell::Int(from), Cell::Int(len)]) => {
            Some(window(*from, *len).map(|(skip, take)| {
                Cell::text(t.chars().skip(skip).take(take).collect::<String>())
            }))
        }
        (Op::Replace, [Cell::Text(t), Cell::Text(old), Cell::Text(new)]) => {
            // Replacing ignores case as the default collation does; only ASCII needs it here.
            Some(Ok(Cell::text(if old.is_empty() {
                t.to_string()
            } else {
                replace(t, old, new)
            })))
        }
        (Op::Join, [Cell::Text(a), Cell::Text(b)]) => Some(Ok(Cell::text(format!("{a}{b}")))),
        (Op::CharIndex, [Cell::Text(what), Cell::Text(t)]) => {
            let (what, t) = (what.to_uppercase(), t.to_uppercase());
            let found = if what.is_empty() { None } else { t.find(&what) };
            Some(length(found.map_or(0, |at| {
                t.get(..at).map_or(0, |s| s.chars().count()) + 1
            })))
        }
        (Op::QuoteName, [Cell::Text(t)]) if t.chars().count() > 128 => Some(Ok(Cell::Null)),
        (Op::QuoteName, [Cell::Text(t)]) => {
            Some(Ok(Cell::text(format!("[{}]", t.replace(']', "]]")))))
        }
        _ => None,
    }
}

fn length<'a>(chars: usize) -> SqlResult<Cell<'a>> {
    i64::try_from(chars).map(Cell::Int).map_err(internal)
}

fn bad_length() -> crate::sandbox::wire::SqlError {
    error(536, 16, "Invalid length parameter passed to the function.")
}

/// Skip and take of SUBSTRING, whose start may lie before the text.
fn window(from: i64, len: i64) -> SqlResult<(usize, usize)> {
    if len < 0 {
        return Err(bad_length());
    }
    let end = from.saturating_add(len);
    let start = from.max(1);
    let take = usize::try_from((end - start).max(0)).map_err(internal)?;
    Ok((usize::try_from(start - 1).map_err(internal)?, take))
}

fn replace(text: &str, old: &str, new: &str) -> String {
    let (folded, pattern) = (text.to_ascii_uppercase(), old.to_ascii_uppercase());
    let mut result = String::new();
    let mut done = 0;
    for (at, _) in folded.match_indices(&pattern) {
        result.push_str(text.get(done..at).unwrap_or_default());
        result.push_str(new);
        done = at + pattern.len();
    }
    result.push_str(text.get(done..).unwrap_or_default());
    result
}

fn concat<'a>(args: &[Cell<'_>], types: &[SqlType]) -> SqlResult<Cell<'a>> {
    let mut text = String::new();
    for (cell, ty) in args.iter().zip(types) {
        if let Cell::Text(part) = cast(cell.clone(), ty, &SqlType::NVarChar(None), None)? {
            text.push_str(&part);
        }
    }
    Ok(Cell::text(text))
}

fn data_length(cell: &Cell<'_>, ty: &SqlType) -> SqlResult<i64> {
    let bytes = match (cell, ty) {
        (Cell::Text(t), SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText) => {
            t.encode_utf16().count() * 2
        }
        // One byte a character while the code page has it; the UTF-8 length is what a UTF-8 collation stores.
        (Cell::Text(t), _) => t.len(),
        (Cell::Bytes(b), _) => b.len(),
        (_, SqlType::Bit | SqlType::TinyInt) => 1,
        (_, SqlType::SmallInt) => 2,
        (_, SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime) => 4,
        (_, SqlType::Date) => 3,
        (_, SqlType::BigInt | SqlType::Float | SqlType::Money | SqlType::DateTime) => 8,
        (_, other) => return Err(unsupported(format!("DATALENGTH of {other}"))),
    };
    i64::try_from(bytes).map_err(internal)
}

/// Value and scale of an exact number.
fn exact(cell: &Cell<'_>) -> Option<(i128, u8)> {
    match cell {
        Cell::Int(v) => Some((i128::from(*v), 0)),
        Cell::Dec(v, s) => Some((*v, *s)),
        _ => None,
    }
}

fn compare(left: &Cell<'_>, right: &Cell<'_>) -> Option<Ordering> {
    let ((a, sa), (b, sb)) = (exact(left)?, exact(right)?);
    // Integral parts first, so that nothing has to be widened beyond 38 digits.
    let (ua, ub) = (power_of_ten(sa)?, power_of_ten(sb)?);
    let scale = sa.max(sb);
    let fraction = |v: i128, unit: i128, from: u8| rescale(v % unit, from, scale);
    Some(
        (a / ua)
            .cmp(&(b / ub))
            .then(fraction(a, ua, sa)?.cmp(&fraction(b, ub, sb)?)),
    )
}

fn arith<'a>(
    op: Arith,
    soft: bool,
    left: &Cell<'_>,
    right: &Cell<'_>,
    ret: &SqlType,
) -> SqlResult<Cell<'a>> {
    let full = || overflow(ret);
    let ((a, sa), (b, sb)) = match (exact(left), exact(right)) {
        (Some(a), Some(b)) => (a, b),
        _ => return Err(unsupported("arithmetic over real or float")),
    };
    if matches!(op, Arith::Div | Arith::Rem) && b == 0 {
        return if soft {
            Ok(Cell::Null)
        } else {
            Err(division_by_zero())
        };
    }
    let (precision, scale) = exact_digits(ret).ok_or_else(full)?;
    let common = sa.max(sb);
    let value = match op {
        Arith::Add | Arith::Sub => {
            let a = rescale(a, sa, common).ok_or_else(full)?;
            let b = rescale(b, sb, common).ok_or_else(full)?;
            let sum = if op == Arith::Add {
                a.checked_add(b)
            } else {
                a.checked_sub(b)
            };
            rescale(sum.ok_or_else(full)?, common, scale)
        }
        Arith::Mul => rescale(
            a.checked_mul(b).ok_or_else(full)?,
            sa.saturating_add(sb),
            scale,
        ),
        Arith::Div => divide((a, sa), (b, sb), scale),
        Arith::Rem => {
            let a = rescale(a, sa, common).ok_or_else(full)?;
            let b = rescale(b, sb, common).ok_or_else(full)?;
            rescale(a % b, common, scale)
        }
    };
    let value = value.filter(|v| fits(*v, precision)).ok_or_else(full)?;
    match ret {
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => {
            Ok(Cell::Dec(value, scale))
        }
        _ => i64::try_from(value).map(Cell::Int).map_err(|_| full()),
    }
}

/// Long division, cut (not rounded) to `scale`, without leaving `i128`.
fn divide((a, sa): (i128, u8), (b, sb): (i128, u8), scale: u8) -> Option<i128> {
    let mut quotient = a / b;
    let mut rest = a % b;
    // The quotient of the raw values has scale sa - sb.
    let have = i16::from(sa) - i16::from(sb);
    let wanted = i16::from(scale);
    if have > wanted {
        return Some(quotient / power_of_ten(u8::try_from(have - wanted).ok()?)?);
    }
    for _ in 0..wanted - have {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest / b)?;
        rest %= b;
    }
    Some(quotient)
}
