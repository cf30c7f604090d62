//! SET: variables, isolation levels and the options that clients send.

use datafusion::sql::sqlparser::tokenizer::Token;

use crate::sandbox::tsql::batch::Statement;
use crate::sandbox::tsql::batch::parse::{expression, variable};
use crate::sandbox::tsql::batch::split::is_word;
use crate::sandbox::tsql::error::{SqlResult, syntax, unsupported};

/// Options that change no answer of the sandbox, whatever their value.
const HARMLESS: [&str; 17] = [
    "NOCOUNT",
    "ANSI_NULLS",
    "QUOTED_IDENTIFIER",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "XACT_ABORT",
    "CONCAT_NULL_YIELDS_NULL",
    "TEXTSIZE",
    "LANGUAGE",
    "DATEFORMAT",
    "DATEFIRST",
    "LOCK_TIMEOUT",
    "DEADLOCK_PRIORITY",
    "CURSOR_CLOSE_ON_COMMIT",
    "ANSI_NULL_DFLT_ON",
    "ANSI_DEFAULTS",
];

/// Options that may only be switched off.
const OFF_ONLY: [&str; 6] = [
    "IMPLICIT_TRANSACTIONS",
    "FMTONLY",
    "NOEXEC",
    "PARSEONLY",
    "NUMERIC_ROUNDABORT",
    "SHOWPLAN_ALL",
];

pub(super) fn set(words: &[String], rest: Vec<Token>) -> SqlResult<Statement> {
    let nth = |index: usize| words.get(index).map_or("", String::as_str);
    if nth(1).starts_with('@') {
        let name = variable(rest.first())?;
        if !matches!(rest.get(1), Some(Token::Eq)) {
            return Err(unsupported("compound assignment"));
        }
        return Ok(Statement::Assign(
            name,
            expression(rest.get(2..).unwrap_or_default().to_vec())?,
        ));
    }
    if nth(1) == "TRANSACTION" && nth(2) == "ISOLATION" && nth(3) == "LEVEL" {
        let level = match (nth(4), nth(5)) {
            ("READ", "UNCOMMITTED") => 1,
            ("READ", "COMMITTED") => 2,
            ("REPEATABLE", "READ") => 3,
            ("SERIALIZABLE", _) => 4,
            ("SNAPSHOT", _) => 5,
            (other, _) => return Err(syntax(format!("near '{other}'"))),
        };
        return Ok(Statement::Isolation(level));
    }
    let off = rest.last().is_some_and(|t| is_word(t, "OFF"));
    if nth(1) == "SHOWPLAN_XML" {
        return Ok(Statement::ShowPlan(!off));
    }
    let zero = rest
        .last()
        .is_some_and(|t| matches!(t, Token::Number(n, _) if n == "0"));
    for option in words
        .iter()
        .skip(1)
        .take_while(|w| !matches!(w.as_str(), "ON" | "OFF"))
        .filter(|w| !w.is_empty())
    {
        let known = HARMLESS.contains(&option.as_str())
            || (off && OFF_ONLY.contains(&option.as_str()))
            || (zero && option == "ROWCOUNT")
            || nth(1) == "LANGUAGE";
        if !known {
            return Err(unsupported(format!("SET {option}")));
        }
    }
    let nocount = (nth(1) == "NOCOUNT").then_some(!off);
    Ok(Statement::SetOption { nocount })
}
