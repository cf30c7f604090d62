//! Requests: SQL batches, remote procedure calls, transaction manager requests.
//!
//! Pure parsing; it must never run anything.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type, UInt8Type};

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{SqlParam, TransactionRequest};

use super::input::{Input, utf16_text};
use super::packet::TdsError;
use super::param::read_param;

/// The procedures that the server itself knows, by number or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Procedure {
    ExecuteSql,
    Prepare,
    Execute,
    PrepExec,
    Unprepare,
    /// Any other, for the engine.
    Named(String),
    /// A number that is not built (cursors).
    Number(u16),
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) procedure: Procedure,
    pub(super) params: Vec<SqlParam>,
}

/// Skips ALL_HEADERS, which begin every request after login.
fn skip_headers(input: &mut Input<'_>) -> Result<(), TdsError> {
    let total = input.len_u32()?;
    let rest = total
        .checked_sub(4)
        .ok_or(TdsError::Malformed("length of the headers"))?;
    input.bytes(rest)?;
    Ok(())
}

/// The text of a SQL batch.
pub(super) fn parse_batch(body: &[u8]) -> Result<String, TdsError> {
    let mut input = Input::new(body);
    skip_headers(&mut input)?;
    utf16_text(input.rest())
}

/// The calls of an RPC message.
pub(super) fn parse_calls(body: &[u8]) -> Result<Vec<Call>, TdsError> {
    let mut input = Input::new(body);
    skip_headers(&mut input)?;
    let mut calls = Vec::new();
    while !input.is_empty() {
        let procedure = match input.u16()? {
            0xFFFF => by_number(input.u16()?),
            units => by_name(input.utf16(usize::from(units))?),
        };
        input.u16()?; // Option flags: recompile, no metadata, reuse metadata.
        let mut params = Vec::new();
        // 0xFF and 0x80 separate calls, 0xFE is the same for a call that must not run.
        while let Some(next) = input.peek() {
            if matches!(next, 0xFF | 0xFE | 0x80) {
                input.u8()?;
                break;
            }
            params.push(read_param(&mut input)?.0);
        }
        calls.push(Call { procedure, params });
    }
    Ok(calls)
}

fn by_number(number: u16) -> Procedure {
    match number {
        10 => Procedure::ExecuteSql,
        11 => Procedure::Prepare,
        12 => Procedure::Execute,
        13 => Procedure::PrepExec,
        15 => Procedure::Unprepare,
        _ => Procedure::Number(number),
    }
}

fn by_name(name: String) -> Procedure {
    match bare_name(&name).as_str() {
        "sp_executesql" => Procedure::ExecuteSql,
        "sp_prepare" => Procedure::Prepare,
        "sp_execute" => Procedure::Execute,
        "sp_prepexec" => Procedure::PrepExec,
        "sp_unprepare" => Procedure::Unprepare,
        _ => Procedure::Named(name),
    }
}

/// The last part of a procedure name, without brackets, in lower case.
pub(super) fn bare_name(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.trim_matches(|c| matches!(c, '[' | ']' | '"' | ' '))
        .to_ascii_lowercase()
}

/// A text argument; `None` when it is null.
pub(super) fn text_arg(param: &SqlParam) -> Option<&str> {
    let text = param.value.as_string_opt::<i32>()?;
    text.is_valid(0).then(|| text.value(0))
}

/// An integer argument of any width; `None` when it is null.
pub(super) fn int_arg(param: &SqlParam) -> Option<i64> {
    let value = &param.value;
    if value.is_null(0) {
        return None;
    }
    match param.sql_type {
        SqlType::TinyInt => value
            .as_primitive_opt::<UInt8Type>()
            .map(|v| i64::from(v.value(0))),
        SqlType::SmallInt => value
            .as_primitive_opt::<Int16Type>()
            .map(|v| i64::from(v.value(0))),
        SqlType::Int => value
            .as_primitive_opt::<Int32Type>()
            .map(|v| i64::from(v.value(0))),
        SqlType::BigInt => value.as_primitive_opt::<Int64Type>().map(|v| v.value(0)),
        _ => None,
    }
}

/// Reads `@a int, @b decimal(18,2) OUTPUT = 1` as names and types.
pub(super) fn parse_declarations(text: &str) -> Vec<(String, SqlType)> {
    let mut declarations = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    let ends = text.char_indices().filter_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    for end in ends.chain([text.len()]) {
        declarations.extend(text.get(start..end).and_then(parse_declaration));
        start = end + 1;
    }
    declarations
}

fn parse_declaration(text: &str) -> Option<(String, SqlType)> {
    let (name, rest) = text.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let rest = rest
        .strip_prefix("as ")
        .or_else(|| rest.strip_prefix("AS "))
        .unwrap_or(rest);
    // The type ends at its closing parenthesis, or else at the first blank or equals sign.
    let end = match (rest.find('('), rest.find([' ', '='])) {
        (Some(open), blank) if blank.is_none_or(|blank| open < blank) => {
            rest.find(')').map(|close| close + 1)
        }
        (_, blank) => blank,
    };
    let type_text = rest.get(..end.unwrap_or(rest.len()))?;
    Some((name.to_owned(), type_text.parse().ok()?))
}

/// Gives parameters the declared names, and the declared types where the same carrier holds both.
pub(super) fn bind(params: &[SqlParam], declared: &[(String, SqlType)]) -> Vec<SqlParam> {
    let bind_one = |(at, param): (usize, &SqlParam)| {
        let mut bound = param.clone();
        let named = declared
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&param.name));
        let declaration = if param.name.is_empty() {
            declared.get(at)
        } else {
            named
        };
        if let Some((name, sql_type)) = declaration {
            bound.name.clone_from(name);
            if super::value::carrier(sql_type).as_ref() == Some(param.value.data_type()) {
                bound.sql_type = sql_type.clone();
            }
        }
        bound
    };
    params.iter().enumerate().map(bind_one).collect()
}

/// Reads a transaction manager request; a commit or rollback may ask for a new transaction at once.
pub(super) fn parse_transaction(body: &[u8]) -> Result<Vec<TransactionRequest>, TdsError> {
    let mut input = Input::new(body);
    skip_headers(&mut input)?;
    let kind = input.u16()?;
    let ending = match kind {
        5 => return Ok(vec![TransactionRequest::Begin(input.u8()?)]),
        7 => TransactionRequest::Commit,
        8 => TransactionRequest::Rollback,
        _ => {
            return Err(TdsError::Unsupported(format!(
                "transaction manager request {kind}"
            )));
        }
    };
    let mut requests = vec![ending];
    input.b_varchar()?;
    if !input.is_empty() && input.u8()? & 1 != 0 {
        requests.push(TransactionRequest::Begin(input.u8()?));
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read() {
        let decimal = SqlType::Decimal {
            precision: 38,
            scale: 20,
        };
        assert_eq!(
            parse_declarations("@P1 int,@P2 numeric(38,20), @x nvarchar(max) OUTPUT,@y date=NULL"),
            vec![
                ("@P1".to_owned(), SqlType::Int),
                ("@P2".to_owned(), decimal),
                ("@x".to_owned(), SqlType::NVarChar(None)),
                ("@y".to_owned(), SqlType::Date),
            ]
        );
        assert!(parse_declarations("").is_empty());
    }

    #[test]
    fn names_lose_schema_and_brackets() {
        assert_eq!(
            by_name("[sys].[sp_executesql]".to_owned()),
            Procedure::ExecuteSql
        );
        assert_eq!(bare_name("master..xp_msver"), "xp_msver");
    }

    #[test]
    fn a_truncated_request_is_an_error_not_a_panic() {
        let mut body = 4_u32.to_le_bytes().to_vec();
        body.extend([
            0xFF, 0xFF, 10, 0, 0, 0, 0, 0, 0xE7, 2, 0, 9, 4, 0xD0, 0, 0x34, 2, 0, 65, 0,
        ]);
        assert_eq!(parse_calls(&body).unwrap().len(), 1);
        for len in 0..body.len() {
            // Some prefixes are complete calls without parameters; none may panic.
            drop(parse_calls(&body[..len]));
        }
        assert!(parse_calls(&body[..body.len() - 1]).is_err());
        assert!(parse_batch(&[1, 0, 0, 0]).is_err());
    }
}
