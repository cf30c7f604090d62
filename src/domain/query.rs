//! SQL files of the catalog: the parameter block, and the lexical binding of names to `@P1`, `@P2` ….

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::period::Period;
use super::sql_type::SqlType;

/// A value bound to a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamValue {
    /// A calendar date.
    Date(NaiveDate),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
}

/// A parameter declared in the block of a SQL file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamDecl {
    /// Name without the at sign, in lower case.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
}

/// A bound parameter, in the order of `@P1`, `@P2` ….
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundParam {
    /// Name in the file, without the at sign.
    pub name: String,
    /// Declared type, as text.
    pub sql_type: String,
    /// Value.
    pub value: ParamValue,
}

/// A SQL file as read: its text, its parameters, its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFile {
    /// The whole file, as people run it by hand.
    pub text: String,
    /// Declared parameters.
    pub params: Vec<ParamDecl>,
    /// The statement behind the block.
    statement: String,
}

/// A statement with its values, as it is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundQuery {
    /// Text with `@P1`, `@P2` ….
    pub text: String,
    /// Values.
    pub params: Vec<BoundParam>,
}

/// Why a SQL file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The parameter block is malformed.
    #[error("line {line}: {what}")]
    Block {
        /// Line, from 1.
        line: usize,
        /// What is wrong and how to write it.
        what: String,
    },
    /// A name is used that the block does not declare.
    #[error(
        "line {line}: @{name} is not declared; add `DECLARE @{name} <type> = <sample>;` to the params block"
    )]
    Undeclared {
        /// Line, from 1.
        line: usize,
        /// Name without the at sign.
        name: String,
    },
    /// A declared name is not used.
    #[error("@{0} is declared but never used; remove it from the params block")]
    Unused(String),
    /// A name that the program cannot derive from the period.
    #[error(
        "@{0} is unknown: parameters are @start, @next_start, @period_end and those of the item"
    )]
    Unknown(String),
    /// A placeholder of another system.
    #[error(
        "line {line}: `{marker}` is a placeholder of another system; use @next_start and its like"
    )]
    Placeholder {
        /// Line, from 1.
        line: usize,
        /// The marker.
        marker: String,
    },
    /// A string, bracket or comment that never ends.
    #[error("line {line}: {what} is never closed")]
    Unclosed {
        /// Line where it begins.
        line: usize,
        /// What was opened.
        what: &'static str,
    },
}

impl QueryFile {
    /// Reads a SQL file.
    ///
    /// # Errors
    /// [`QueryError`] with the line for a malformed block, undeclared, unused or foreign parameters.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let (params, statement, lines_before) = split_block(text)?;
        let mut used = Vec::new();
        for token in tokens(&statement, lines_before)? {
            match token {
                Token::Param { name, line, .. } => {
                    if !params.iter().any(|param| param.name == name) {
                        return Err(QueryError::Undeclared { line, name });
                    }
                    used.push(name);
                }
                Token::Marker { marker, line } => {
                    return Err(QueryError::Placeholder { line, marker });
                }
            }
        }
        if let Some(unused) = params.iter().find(|param| !used.contains(&param.name)) {
            return Err(QueryError::Unused(unused.name.clone()));
        }
        Ok(Self {
            text: text.to_owned(),
            params,
            statement,
        })
    }

    /// Binds every parameter to its value of the period.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] for a name that the period does not define.
    pub fn bind(&self, period: Period) -> Result<BoundQuery, QueryError> {
        let mut params = Vec::with_capacity(self.params.len());
        for decl in &self.params {
            let date = match decl.name.as_str() {
                "start" => period.start(),
                "next_start" => period.next_start(),
                "period_end" => period.end(),
                _ => return Err(QueryError::Unknown(decl.name.clone())),
            };
            params.push(BoundParam {
                name: decl.name.clone(),
                sql_type: decl.sql_type.to_string(),
                value: ParamValue::Date(date),
            });
        }
        let mut text = String::with_capacity(self.statement.len());
        let mut copied = 0;
        for token in tokens(&self.statement, 0)? {
            if let Token::Param {
                name, start, end, ..
            } = token
            {
                let position = params
                    .iter()
                    .position(|param| param.name == name)
                    .unwrap_or_default();
                text.push_str(self.statement.get(copied..start).unwrap_or_default());
                text.push_str(&format!("@P{}", position + 1));
                copied = end;
            }
        }
        text.push_str(self.statement.get(copied..).unwrap_or_default());
        Ok(BoundQuery { text, params })
    }
}

/// Splits the `-- params` … `-- end` block from the statement; also gives the number of lines before it.
fn split_block(text: &str) -> Result<(Vec<ParamDecl>, String, usize), QueryError> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = body.split_inclusive('\n').enumerate();
    let mut params: Vec<ParamDecl> = Vec::new();
    let mut inside = false;
    for (index, line) in lines.by_ref() {
        let trimmed = line.trim();
        if !inside {
            if trimmed.is_empty() || (trimmed.starts_with("--") && trimmed != "-- params") {
                continue;
            }
            if trimmed != "-- params" {
                return Ok((Vec::new(), body.trim().to_owned(), leading_lines(body)));
            }
            inside = true;
        } else if trimmed == "-- end" {
            let statement: String = lines.map(|(_, line)| line).collect();
            let before = index + 1 + leading_lines(&statement);
            return Ok((params, statement.trim().to_owned(), before));
        } else if !trimmed.is_empty() {
            let decl = parse_declare(trimmed, index + 1)?;
            if params.iter().any(|param| param.name == decl.name) {
                return Err(QueryError::Block {
                    line: index + 1,
                    what: format!("@{} is declared twice", decl.name),
                });
            }
            params.push(decl);
        }
    }
    if inside {
        return Err(QueryError::Block {
            line: 1,
            what: "`-- params` without `-- end`".to_owned(),
        });
    }
    Err(QueryError::Block {
        line: 1,
        what: "the file holds no statement".to_owned(),
    })
}

fn leading_lines(text: &str) -> usize {
    text.len()
        .checked_sub(text.trim_start().len())
        .map_or(0, |lead| {
            text.get(..lead).unwrap_or_default().matches('\n').count()
        })
}

/// Reads `DECLARE @name type = sample;`.
fn parse_declare(line: &str, number: usize) -> Result<ParamDecl, QueryError> {
    let refuse = |what: &str| QueryError::Block {
        line: number,
        what: format!("{what}; write DECLARE @next_start date = '2024-05-01';"),
    };
    let keyword = line.get(..7).unwrap_or_default();
    if !keyword.eq_ignore_ascii_case("declare") {
        return Err(refuse("only DECLARE lines may stand in the params block"));
    }
    let rest = line
        .get(7..)
        .unwrap_or_default()
        .trim()
        .trim_end_matches(';');
    let (name, rest) = rest
        .strip_prefix('@')
        .and_then(|rest| rest.split_once(char::is_whitespace))
        .ok_or_else(|| refuse("the name is missing"))?;
    let (type_text, sample) = rest
        .split_once('=')
        .ok_or_else(|| refuse("the sample value is missing"))?;
    if sample.trim().is_empty() {
        return Err(refuse("the sample value is missing"));
    }
    let sql_type: SqlType = type_text
        .parse()
        .map_err(|error| refuse(&format!("{error}")))?;
    if let SqlType::Other(other) = sql_type {
        return Err(refuse(&format!("`{other}` is not a type")));
    }
    Ok(ParamDecl {
        name: name.to_ascii_lowercase(),
        sql_type,
    })
}

enum Token {
    Param {
        name: String,
        line: usize,
        start: usize,
        end: usize,
    },
    Marker {
        marker: String,
        line: usize,
    },
}

/// Finds parameters and foreign placeholders outside strings, bracketed and quoted names and comments.
fn tokens(sql: &str, lines_before: usize) -> Result<Vec<Token>, QueryError> {
    let bytes = sql.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut found = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let line = || lines_before + 1 + sql.get(..i).unwrap_or_default().matches('\n').count();
        let unclosed = |what| QueryError::Unclosed { line: line(), what };
        match at(i) {
            b'\'' => i = close(bytes, i + 1, b'\'').ok_or_else(|| unclosed("a string"))?,
            b'[' => i = close(bytes, i + 1, b']').ok_or_else(|| unclosed("a bracketed name"))?,
            b'"' => i = close(bytes, i + 1, b'"').ok_or_else(|| unclosed("a quoted name"))?,
            b'-' if at(i + 1) == b'-' => {
                while i < bytes.len() && at(i) != b'\n' {
                    i += 1;
                }
            }
            b'/' if at(i + 1) == b'*' => {
                i = close_comment(bytes, i).ok_or_else(|| unclosed("a comment"))?;
            }
            b'@' if at(i + 1) == b'@' => i = word_end(bytes, i + 2),
            b'@' => {
                let end = word_end(bytes, i + 1);
                let name = sql.get(i + 1..end).unwrap_or_default().to_ascii_lowercase();
                found.push(Token::Param {
                    name,
                    line: line(),
                    start: i,
                    end,
                });
                i = end;
            }
            b'?' => {
                found.push(Token::Marker {
                    marker: "?".to_owned(),
                    line: line(),
                });
                i += 1;
            }
            b'{' => {
                let end = bytes
                    .get(i..)
                    .and_then(|rest| rest.iter().position(|b| *b == b'}'))
                    .unwrap_or(0)
                    + i
                    + 1;
                let marker = sql.get(i..end).unwrap_or("{").to_owned();
                found.push(Token::Marker {
                    marker,
                    line: line(),
                });
                i = end;
            }
            b if is_word(b) => i = word_end(bytes, i),
            _ => i += 1,
        }
    }
    Ok(found)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'@')
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len())
}

/// Position behind the closing quote; a doubled quote is part of the text.
fn close(bytes: &[u8], mut from: usize, quote: u8) -> Option<usize> {
    loop {
        let next = bytes.get(from..)?.iter().position(|b| *b == quote)? + from + 1;
        if bytes.get(next) != Some(&quote) {
            return Some(next);
        }
        from = next + 1;
    }
}

/// Position behind a comment; T-SQL comments nest.
fn close_comment(bytes: &[u8], mut i: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match (*bytes.get(i)?, bytes.get(i + 1).copied().unwrap_or(0)) {
            (b'/', b'*') => {
                depth += 1;
                i += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => i += 1,
        }
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
