//! Constants as the text of a statement writes them.

use datafusion::sql::sqlparser::ast::Value;

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::{Typed, constant};
use crate::sandbox::engine::func::cast::cast;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, error, syntax, unsupported};
use crate::sandbox::tsql::types::{PRECISION_MAX, text_type};
use crate::sandbox::tsql::value::parse_decimal;

/// A constant as the text says it.
pub(super) fn literal(value: &Value) -> SqlResult<Typed> {
    let text_of = |text: &str, unicode: bool| {
        let len = if unicode {
            text.encode_utf16().count()
        } else {
            text.chars().count()
        };
        constant(
            Cell::text(text),
            text_type(u16::try_from(len).ok(), unicode),
        )
    };
    match value {
        Value::Null => constant(Cell::Null, SqlType::Int),
        Value::SingleQuotedString(text) => text_of(text, false),
        Value::NationalStringLiteral(text) => text_of(text, true),
        Value::HexStringLiteral(digits) => {
            let even = if digits.len() % 2 == 0 {
                digits.clone()
            } else {
                format!("0{digits}")
            };
            let len = u16::try_from(even.len() / 2).ok();
            let typed = constant(Cell::text(even), SqlType::VarChar(None))?;
            let ty = SqlType::VarBinary(len.filter(|n| *n <= 8000).map(|n| n.max(1)));
            let bytes = cast(
                typed.value.unwrap_or(Cell::Null),
                &SqlType::VarChar(None),
                &ty,
                Some(2),
            )?;
            constant(bytes.into_owned(), ty)
        }
        Value::Number(text, _) if text.contains(['e', 'E']) => {
            let value: f64 = text.parse().map_err(syntax)?;
            constant(Cell::Float(value), SqlType::Float)
        }
        Value::Number(text, _) => {
            let (value, scale) =
                parse_decimal(text).ok_or_else(|| syntax(format!("the number {text}")))?;
            if let (Ok(small), 0) = (i32::try_from(value), scale) {
                return constant(Cell::Int(i64::from(small)), SqlType::Int);
            }
            let precision = u8::try_from(value.unsigned_abs().to_string().len())
                .unwrap_or(u8::MAX)
                .max(scale);
            if precision > PRECISION_MAX {
                let text = format!(
                    "The number '{text}' is out of the range for numeric representation (maximum precision 38)."
                );
                return Err(error(1007, 15, text));
            }
            constant(
                Cell::Dec(value, scale),
                SqlType::Decimal { precision, scale },
            )
        }
        other => Err(unsupported(format!("the constant {other}"))),
    }
}
