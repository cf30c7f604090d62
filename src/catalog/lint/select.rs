//! What the statement's text says about its result: the names of the select list, and the databases that it reads.

use crate::domain::lexer::{Kind, Token};

use super::shape::ends_operand;

/// One item of the select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    /// Name of the result column; `None` for an expression without one.
    pub(super) name: Option<String>,
    /// Byte offset.
    pub(super) start: usize,
}

/// Words that end the select list.
const ENDS: [&str; 9] = [
    "FROM",
    "INTO",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "UNION",
    "EXCEPT",
    "INTERSECT",
];

/// The select list of the first SELECT; `None` when the statement does not begin with one or takes a wildcard.
pub(super) fn outputs(tokens: &[Token<'_>]) -> Option<Vec<Output>> {
    let (first, rest) = tokens.split_first()?;
    if !first.is("SELECT") {
        return None;
    }
    let mut rest = rest;
    while let Some((head, tail)) = rest.split_first() {
        if head.is_any(&["DISTINCT", "ALL"]) {
            rest = tail;
        } else if head.is("TOP") {
            rest = behind_top(tail);
        } else {
            break;
        }
    }
    let mut found = Vec::new();
    let mut item: Vec<Token<'_>> = Vec::new();
    let mut depth = 0_usize;
    for token in rest {
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 && (token.is_any(&ENDS) || token.is_mark(";")) {
            break;
        }
        if depth == 0 && token.is_mark(",") {
            found.push(output(&std::mem::take(&mut item))?);
        } else {
            item.push(*token);
        }
    }
    found.push(output(&item)?);
    Some(found)
}

/// Behind `TOP n`, `TOP (n)`, PERCENT and WITH TIES.
fn behind_top<'a, 'b>(tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let mut at = match tokens.first() {
        Some(open) if open.is_mark("(") => tokens
            .iter()
            .position(|token| token.is_mark(")"))
            .map_or(tokens.len(), |at| at + 1),
        _ => 1,
    };
    while tokens
        .get(at)
        .is_some_and(|token| token.is_any(&["PERCENT", "WITH", "TIES"]))
    {
        at += 1;
    }
    tokens.get(at..).unwrap_or_default()
}

/// `None` for a wildcard.
fn output(item: &[Token<'_>]) -> Option<Output> {
    let last = item.last()?;
    if last.is_mark("*") {
        return None;
    }
    let start = item.first()?.start;
    let name = match item {
        [name, equals, _, ..] if equals.is_mark("=") && name.name().is_some() => name.name(),
        [only] => column_name(only),
        [.., before, _] if before.is("AS") && last.kind == Kind::Text => {
            let inner = last.text.trim_matches('\'');
            Some(inner.to_owned())
        }
        [.., before, _] if before.is("AS") || before.is_mark(".") || ends_operand(before) => {
            column_name(last)
        }
        _ => None,
    };
    Some(Output { name, start })
}

/// The name of a column or an alias; keywords that are values are none.
fn column_name(token: &Token<'_>) -> Option<String> {
    let value = token.is_any(&["NULL", "END", "CURRENT_TIMESTAMP", "CURRENT_USER", "USER"]);
    token.name().filter(|_| !value)
}

/// Databases of three-part names behind FROM and JOIN, in the order in which they are read, each once.
pub(super) fn databases(tokens: &[Token<'_>]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (i, _) in tokens
        .iter()
        .enumerate()
        .filter(|(_, t)| t.is_any(&["FROM", "JOIN", "APPLY"]))
    {
        let Some([database, dot, _, second, _, ..]) = tokens.get(i + 1..) else {
            continue;
        };
        let Some(name) = database
            .name()
            .filter(|_| dot.is_mark(".") && second.is_mark("."))
        else {
            continue;
        };
        if !found
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            found.push((name, database.start));
        }
    }
    found
}
