//! The TYPE_INFO of result columns: how a `SqlType` is announced in COLMETADATA.
//!
//! Pure. Columns that cannot be null use SQL Server's fixed-length types where there are any, as a real
//! server does; the others use the nullable form.

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::ColumnMeta;

use super::temporal::time_bytes;
use super::text::COLLATION;

/// Length that announces a (max) type.
const MAX: u16 = 0xFFFF;

/// How the length of a value is written before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No length: a fixed-length type.
    Bare,
    /// One byte.
    Byte,
    /// Two bytes.
    Short,
    /// Total, chunks, terminator.
    Plp,
    /// Text pointer, timestamp, four bytes.
    TextPointer,
}

/// Framing of the values of a column.
pub(super) fn framing(column: &ColumnMeta) -> Framing {
    match &column.sql_type {
        _ if fixed_type(column).is_some() => Framing::Bare,
        SqlType::Char(_)
        | SqlType::VarChar(Some(_))
        | SqlType::NChar(_)
        | SqlType::NVarChar(Some(_))
        | SqlType::Binary(_)
        | SqlType::VarBinary(Some(_))
        | SqlType::RowVersion => Framing::Short,
        SqlType::VarChar(None)
        | SqlType::NVarChar(None)
        | SqlType::VarBinary(None)
        | SqlType::Other(_) => Framing::Plp,
        SqlType::Text | SqlType::NText | SqlType::Image => Framing::TextPointer,
        _ => Framing::Byte,
    }
}

/// The fixed-length type byte of a column that cannot be null.
fn fixed_type(column: &ColumnMeta) -> Option<u8> {
    if column.nullable {
        return None;
    }
    Some(match column.sql_type {
        SqlType::TinyInt => 0x30,
        SqlType::Bit => 0x32,
        SqlType::SmallInt => 0x34,
        SqlType::Int => 0x38,
        SqlType::SmallDateTime => 0x3A,
        SqlType::Real => 0x3B,
        SqlType::Money => 0x3C,
        SqlType::DateTime => 0x3D,
        SqlType::Float => 0x3E,
        SqlType::SmallMoney => 0x7A,
        SqlType::BigInt => 0x7F,
        _ => return None,
    })
}

/// Whether the wire can carry the type at all.
pub(super) fn is_supported(sql_type: &SqlType) -> bool {
    !matches!(sql_type, SqlType::Other(name) if name != "xml")
}

/// Bytes of the magnitude of a decimal.
pub(super) fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// The user type number of COLMETADATA; only `timestamp` needs one.
pub(super) fn user_type(sql_type: &SqlType) -> u32 {
    if *sql_type == SqlType::RowVersion {
        80
    } else {
        0
    }
}

/// Appends TYPE_INFO (with the table name that old LOB types carry).
pub(super) fn put_type_info(buf: &mut Vec<u8>, column: &ColumnMeta) {
    if let Some(fixed) = fixed_type(column) {
        buf.push(fixed);
        return;
    }
    match &column.sql_type {
        SqlType::Bit => buf.extend_from_slice(&[0x68, 1]),
        SqlType::TinyInt => buf.extend_from_slice(&[0x26, 1]),
        SqlType::SmallInt => buf.extend_from_slice(&[0x26, 2]),
        SqlType::Int => buf.extend_from_slice(&[0x26, 4]),
        SqlType::BigInt => buf.extend_from_slice(&[0x26, 8]),
        SqlType::Decimal { precision, scale } => {
            buf.extend_from_slice(&[0x6A, decimal_bytes(*precision) + 1, *precision, *scale]);
        }
        SqlType::Money => buf.extend_from_slice(&[0x6E, 8]),
        SqlType::SmallMoney => buf.extend_from_slice(&[0x6E, 4]),
        SqlType::Real => buf.extend_from_slice(&[0x6D, 4]),
        SqlType::Float => buf.extend_from_slice(&[0x6D, 8]),
        SqlType::Date => buf.push(0x28),
        SqlType::DateTime => buf.extend_from_slice(&[0x6F, 8]),
        SqlType::SmallDateTime => buf.extend_from_slice(&[0x6F, 4]),
        SqlType::Time(scale) => buf.extend_from_slice(&[0x29, *scale]),
        SqlType::DateTime2(scale) => buf.extend_from_slice(&[0x2A, *scale]),
        SqlType::DateTimeOffset(scale) => buf.extend_from_slice(&[0x2B, *scale]),
        SqlType::UniqueIdentifier => buf.extend_from_slice(&[0x24, 16]),
        SqlType::Char(n) => put_sized(buf, 0xAF, *n, true),
        SqlType::VarChar(n) => put_sized(buf, 0xA7, n.unwrap_or(MAX), true),
        SqlType::NChar(n) => put_sized(buf, 0xEF, n.saturating_mul(2), true),
        SqlType::NVarChar(n) => put_sized(buf, 0xE7, n.map_or(MAX, |n| n.saturating_mul(2)), true),
        SqlType::Binary(n) => put_sized(buf, 0xAD, *n, false),
        SqlType::VarBinary(n) => put_sized(buf, 0xA5, n.unwrap_or(MAX), false),
        SqlType::RowVersion => put_sized(buf, 0xAD, 8, false),
        SqlType::Text => put_lob(buf, 0x23, 0x7FFF_FFFF, true),
        SqlType::NText => put_lob(buf, 0x63, 0x7FFF_FFFE, true),
        SqlType::Image => put_lob(buf, 0x22, 0x7FFF_FFFF, false),
        // XML without a schema; other names are refused before they come here.
        SqlType::Other(_) => buf.extend_from_slice(&[0xF1, 0]),
    }
}

fn put_sized(buf: &mut Vec<u8>, type_byte: u8, len: u16, collation: bool) {
    buf.push(type_byte);
    buf.extend_from_slice(&len.to_le_bytes());
    if collation {
        buf.extend_from_slice(&COLLATION);
    }
}

fn put_lob(buf: &mut Vec<u8>, type_byte: u8, len: u32, collation: bool) {
    buf.push(type_byte);
    buf.extend_from_slice(&len.to_le_bytes());
    if collation {
        buf.extend_from_slice(&COLLATION);
    }
    // Table name of one empty part.
    buf.extend_from_slice(&[1, 0, 0]);
}

/// `tds_type_id` and `tds_length` as `sp_describe_first_result_set` reports them.
pub(super) fn tds_type(sql_type: &SqlType) -> (i32, i32) {
    let column = ColumnMeta {
        name: String::new(),
        sql_type: sql_type.clone(),
        nullable: true,
    };
    let mut info = Vec::new();
    put_type_info(&mut info, &column);
    let id = info.first().copied().map_or(0, i32::from);
    let length = match sql_type {
        SqlType::Decimal { precision, .. } => i32::from(decimal_bytes(*precision)) + 1,
        SqlType::Date => 3,
        SqlType::Time(scale) => i32::from(time_bytes(*scale)),
        SqlType::DateTime2(scale) => i32::from(time_bytes(*scale)) + 3,
        SqlType::DateTimeOffset(scale) => i32::from(time_bytes(*scale)) + 5,
        SqlType::Text | SqlType::NText | SqlType::Image => i32::MAX,
        SqlType::Other(_) => 0,
        _ => match info.as_slice() {
            [_, len] => i32::from(*len),
            [_, low, high, ..] => i32::from(u16::from_le_bytes([*low, *high])),
            _ => 0,
        },
    };
    (id, length)
}
