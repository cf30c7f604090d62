//! SQL files of the catalog: the parameter block, and the lexical binding of names to `@P1`, `@P2` ….

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::lexer::{self, Kind};
use super::period::Period;
use super::sql_type::SqlType;

/// The parameters that a query may declare; the period gives each its date.
pub const PARAMETERS: [&str; 4] = ["start", "year_start", "next_start", "period_end"];

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
    /// Null.
    Null,
}

/// A parameter declared in the block of a SQL file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamDecl {
    /// Name without the at sign, in lower case.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
    /// Line of the declaration, from 1.
    pub line: usize,
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

/// A SQL file as read: its text, its parameters, its statement. All are empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
        "@{0} is unknown: parameters are @start, @year_start, @next_start, @period_end and those of the item"
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
        let block = Block::read(text);
        if let Some(error) = block.errors.into_iter().next() {
            return Err(error);
        }
        let params = block.params;
        let line = |offset| lexer::position(text, offset).0;
        let mut used = Vec::new();
        for token in tokens(text, block.statement)? {
            match token.kind {
                Kind::Param => {
                    let name = param_name(token.text);
                    if !params.iter().any(|param| param.name == name) {
                        let line = line(token.start);
                        return Err(QueryError::Undeclared { line, name });
                    }
                    used.push(name);
                }
                Kind::Marker => {
                    return Err(QueryError::Placeholder {
                        line: line(token.start),
                        marker: token.text.to_owned(),
                    });
                }
                _ => {}
            }
        }
        if let Some(unused) = params.iter().find(|param| !used.contains(&param.name)) {
            return Err(QueryError::Unused(unused.name.clone()));
        }
        let statement = text.get(block.statement..).unwrap_or_default().trim();
        Ok(Self {
            text: text.to_owned(),
            params,
            statement: statement.to_owned(),
        })
    }

    /// The names of the predicates that can be left out: `-- predicate: NAME` … `-- end predicate`, each on a line.
    #[must_use]
    pub fn predicates(&self) -> Vec<String> {
        let lines = self.statement.lines();
        lines
            .filter_map(|line| Some(predicate_of(line)?.to_owned()))
            .collect()
    }

    /// The query without the lines of one predicate; `None` when it has no such predicate, or it does not end.
    #[must_use]
    pub fn without(&self, predicate: &str) -> Option<Self> {
        let (mut kept, mut found, mut inside) = (String::new(), false, false);
        for line in self.statement.lines() {
            if inside {
                inside = line.trim() != "-- end predicate";
            } else if predicate_of(line) == Some(predicate) {
                (found, inside) = (true, true);
            } else {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        let used = tokens(&kept, 0).ok()?;
        let is_used = |param: &&ParamDecl| {
            let mut used = used.iter().filter(|token| token.kind == Kind::Param);
            used.any(|token| param_name(token.text) == param.name)
        };
        let params = self.params.iter().filter(is_used).cloned().collect();
        (found && !inside).then(|| Self {
            text: self.text.clone(),
            params,
            statement: kept,
        })
    }

    /// Binds every parameter to its value of the period.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] for a name that the period does not define.
    pub fn bind(&self, period: Period) -> Result<BoundQuery, QueryError> {
        self.bind_with(period, |_| None)
    }

    /// Binds every parameter to its value of the period, or to the one that `given` has for it. A given value may come as
    /// text: it is cast to the declared type on the server, so that an index on the column still serves.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] for a name that neither defines.
    pub fn bind_with(
        &self,
        period: Period,
        given: impl Fn(&str) -> Option<ParamValue>,
    ) -> Result<BoundQuery, QueryError> {
        let mut params = Vec::with_capacity(self.params.len());
        let mut texts = Vec::with_capacity(self.params.len());
        for (place, decl) in self.params.iter().enumerate() {
            let marker = format!("@P{}", place + 1);
            let (value, text) = match (period.parameter(&decl.name), given(&decl.name)) {
                (Some(date), _) => (ParamValue::Date(date), marker),
                (None, Some(value)) => (value, format!("CAST({marker} AS {})", decl.sql_type)),
                (None, None) => return Err(QueryError::Unknown(decl.name.clone())),
            };
            params.push(BoundParam {
                name: decl.name.clone(),
                sql_type: decl.sql_type.to_string(),
                value,
            });
            texts.push(text);
        }
        let mut text = String::with_capacity(self.statement.len());
        let mut copied = 0;
        for token in tokens(&self.statement, 0)? {
            if token.kind != Kind::Param {
                continue;
            }
            let name = param_name(token.text);
            let position = params.iter().position(|param| param.name == name);
            let bound = texts.get(position.unwrap_or_default());
            let between = self.statement.get(copied..token.start);
            text.push_str(between.unwrap_or_default());
            text.push_str(bound.map_or("", String::as_str));
            copied = token.end();
        }
        text.push_str(self.statement.get(copied..).unwrap_or_default());
        Ok(BoundQuery { text, params })
    }
}

/// The name that a `-- predicate: NAME` line gives.
fn predicate_of(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("-- predicate:")?.trim())
}

/// The name of a `@name` token, in lower case.
#[must_use]
pub fn param_name(token: &str) -> String {
    token.trim_start_matches('@').to_ascii_lowercase()
}

/// The `-- params` … `-- end` block of a file, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// What it declares.
    pub params: Vec<ParamDecl>,
    /// Every mistake, in the order of the lines.
    pub errors: Vec<QueryError>,
    /// Byte offset in the file where the statement begins.
    pub statement: usize,
}

impl Block {
    /// Reads the block of a SQL file; a file without one is all statement.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut block = Self::default();
        let mut offset = 0;
        let mut inside = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let trimmed = line.trim_start_matches('\u{feff}').trim();
            offset += line.len();
            match inside {
                None if trimmed == "-- params" => inside = Some(index + 1),
                None if trimmed.is_empty() || trimmed.starts_with("--") => {}
                None => return block.with_statement(text, 0),
                Some(_) if trimmed == "-- end" => return block.with_statement(text, offset),
                Some(_) if trimmed.is_empty() => {}
                Some(_) => block.declare(trimmed, index + 1),
            }
        }
        match inside {
            Some(line) => block.refuse(line, "`-- params` without `-- end`"),
            None => block.refuse(1, "the file holds no statement"),
        }
        block.statement = text.len();
        block
    }

    fn with_statement(mut self, text: &str, offset: usize) -> Self {
        let rest = text.get(offset..).unwrap_or_default();
        let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        self.statement = text.len() - rest.trim_start_matches(blank).len();
        self
    }

    fn declare(&mut self, line: &str, number: usize) {
        match parse_declare(line, number) {
            Err(error) => self.errors.push(error),
            Ok(decl) if self.params.iter().any(|param| param.name == decl.name) => {
                self.refuse(number, format!("@{} is declared twice", decl.name));
            }
            Ok(decl) => self.params.push(decl),
        }
    }

    fn refuse(&mut self, line: usize, what: impl Into<String>) {
        let what = what.into();
        self.errors.push(QueryError::Block { line, what });
    }
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
        line: number,
    })
}

/// The tokens of `text` from `offset` on.
fn tokens(text: &str, offset: usize) -> Result<Vec<lexer::Token<'_>>, QueryError> {
    let statement = text.get(offset..).unwrap_or_default();
    lexer::lex(statement, offset).map_err(|unclosed| QueryError::Unclosed {
        line: lexer::position(text, unclosed.start).0,
        what: unclosed.what,
    })
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
