//! Splits a batch into statements and says what each of them is.
//!
//! Works on sqlparser's tokens; only queries and expressions are parsed further. Statements that the sandbox does not
//! know are refused by their name here; those that write are recognised so that the login's rights can answer.

mod options;
mod parse;
mod split;

use datafusion::sql::sqlparser::ast::{Expr, Query};
use datafusion::sql::sqlparser::dialect::MsSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::domain::sql_type::SqlType;
use crate::sandbox::tsql::batch::options::set;
use crate::sandbox::tsql::batch::parse::{declare, execute, expression, name_of, query};
use crate::sandbox::tsql::batch::split::{split, word};
use crate::sandbox::tsql::error::{SqlResult, syntax, unsupported};

pub use parse::parse_declarations;

/// Characters of a batch; SQL Server's own limit is 65,536 packets.
const BATCH_CHARS_MAX: usize = 4 << 20;

/// A declared variable with its first value.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Name with the at sign.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
    /// First value; null without one.
    pub value: Option<Expr>,
}

/// An argument of a procedure call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Name with the at sign, if it was given by name.
    pub name: Option<String>,
    /// Value.
    pub value: Expr,
}

/// One statement of a batch.
#[derive(Debug, Clone)]
pub enum Statement {
    /// SELECT, with or without WITH.
    Query(Box<Query>),
    /// DECLARE.
    Declare(Vec<Declaration>),
    /// `SET @x = …`.
    Assign(String, Expr),
    /// A SET option that changes no answer; only NOCOUNT is remembered.
    SetOption {
        /// New value of NOCOUNT, if it was that option.
        nocount: Option<bool>,
    },
    /// `SET SHOWPLAN_XML`, on or off.
    ShowPlan(bool),
    /// SET TRANSACTION ISOLATION LEVEL, by the wire's number (1 read uncommitted … 5 snapshot).
    Isolation(u8),
    /// USE.
    Use(String),
    /// BEGIN TRANSACTION.
    Begin,
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// `IF @@TRANCOUNT > 0` in front of the next statement.
    IfTransaction,
    /// PRINT.
    Print(Expr),
    /// EXEC, or a procedure's name alone at the start of a batch.
    Execute(String, Vec<Argument>),
    /// A statement that writes: action and object.
    Write(&'static str, String),
}

/// Reads a batch.
///
/// # Errors
/// 102 for what is not T-SQL, the sandbox's refusal for statements that it does not know.
pub fn parse_batch(sql: &str) -> SqlResult<Vec<Statement>> {
    if sql.len() > BATCH_CHARS_MAX {
        return Err(unsupported(format!(
            "batches of more than {BATCH_CHARS_MAX} bytes"
        )));
    }
    let tokens = Tokenizer::new(&MsSqlDialect {}, sql)
        .tokenize()
        .map_err(syntax)?;
    split(tokens)?
        .into_iter()
        .enumerate()
        .map(|(index, tokens)| classify(tokens, index == 0))
        .collect()
}

fn classify(tokens: Vec<Token>, first_of_batch: bool) -> SqlResult<Statement> {
    let words: Vec<String> = tokens
        .iter()
        .take(8)
        .map(|t| word(t).unwrap_or_default())
        .collect();
    let nth = |index: usize| words.get(index).map_or("", String::as_str);
    let rest = |from: usize| tokens.get(from..).unwrap_or_default().to_vec();
    match nth(0) {
        "SELECT" | "WITH" => query(tokens),
        "DECLARE" => declare(rest(1)),
        "SET" => set(&words, rest(1)),
        "USE" => name_of(&rest(1)).map(Statement::Use),
        "BEGIN" if matches!(nth(1), "TRAN" | "TRANSACTION") && tokens.len() <= 3 => {
            Ok(Statement::Begin)
        }
        "BEGIN" => Err(unsupported("BEGIN … END blocks")),
        "COMMIT" if is_end(&words, tokens.len()) => Ok(Statement::Commit),
        "ROLLBACK" if is_end(&words, tokens.len()) => Ok(Statement::Rollback),
        "PRINT" => expression(rest(1)).map(Statement::Print),
        "IF" if nth(1) == "@@TRANCOUNT"
            && tokens.len() == 4
            && matches!(tokens.get(2), Some(Token::Gt)) =>
        {
            Ok(Statement::IfTransaction)
        }
        "EXEC" | "EXECUTE" => execute(rest(1)),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "CREATE" | "ALTER" | "DROP"
        | "GRANT" | "REVOKE" | "DENY" => Ok(write_of(nth(0), &tokens)),
        "" if matches!(tokens.first(), Some(Token::LParen)) => query(tokens),
        name if first_of_batch && name.starts_with("SP_") => execute(tokens),
        "" => Err(syntax("the statement does not begin with a word")),
        other => Err(unsupported(format!("the statement {other}"))),
    }
}

/// `COMMIT` or `ROLLBACK`, alone or with TRAN and a name.
fn is_end(words: &[String], len: usize) -> bool {
    let second = words.get(1).map_or("", String::as_str);
    len == 1 || (len <= 3 && matches!(second, "TRAN" | "TRANSACTION" | "WORK"))
}

fn write_of(verb: &str, tokens: &[Token]) -> Statement {
    let action = match verb {
        "INSERT" => "INSERT",
        "UPDATE" => "UPDATE",
        "DELETE" => "DELETE",
        "MERGE" => "MERGE",
        "CREATE" => "CREATE",
        "ALTER" => "ALTER",
        "DROP" => "DROP",
        "TRUNCATE" => "ALTER",
        _ => "CONTROL",
    };
    let skip = |t: &&Token| {
        !word(t).is_some_and(|w| matches!(w.as_str(), "INTO" | "FROM" | "TABLE" | "INDEX" | "VIEW"))
    };
    let object: String = tokens
        .iter()
        .skip(1)
        .filter(skip)
        .take_while(|t| matches!(t, Token::Word(_) | Token::Period))
        .take(5)
        .map(ToString::to_string)
        .collect();
    Statement::Write(action, object.replace(['[', ']'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<String> {
        let name = |s: Statement| {
            format!("{s:?}")
                .split(['(', ' '])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        parse_batch(sql).unwrap().into_iter().map(name).collect()
    }

    #[test]
    fn batches_are_split_with_and_without_semicolons() {
        assert_eq!(
            kinds(
                "-- params\nDECLARE @n date = '2024-05-01', @x decimal(38, 20)\n-- end\nSELECT 1 UNION ALL SELECT 2 PRINT 'a'"
            ),
            ["Declare", "Query", "Print"]
        );
        assert_eq!(
            kinds("SET NOCOUNT ON; WITH a AS (SELECT 1 AS x) SELECT * FROM a SELECT 2"),
            ["SetOption", "Query", "Query"]
        );
        assert_eq!(
            kinds("BEGIN TRAN SELECT [SELECT] FROM t COMMIT"),
            ["Begin", "Query", "Commit"]
        );
        assert_eq!(
            kinds("IF @@TRANCOUNT > 0 ROLLBACK TRAN"),
            ["IfTransaction", "Rollback"]
        );
        assert_eq!(
            kinds("INSERT INTO t SELECT 1; UPDATE t SET a = 1"),
            ["Write", "Write"]
        );
        assert_eq!(kinds(""), Vec::<String>::new());
    }

    #[test]
    fn procedure_calls_take_named_and_positional_arguments() {
        for sql in [
            "EXEC sys.sp_describe_first_result_set @tsql = @P1, @params = N'@a int'",
            "sp_describe_first_result_set N'SELECT 1', NULL",
        ] {
            let statements = parse_batch(sql).unwrap();
            assert!(
                matches!(&statements[..], [Statement::Execute(_, args)] if args.len() == 2),
                "{sql}"
            );
        }
    }

    #[test]
    fn unknown_statements_are_refused_by_name() {
        for (sql, name) in [
            ("WAITFOR DELAY '1'", "WAITFOR"),
            ("IF 1 = 1 SELECT 1", "IF"),
            ("BEGIN SELECT 1 END", "BEGIN"),
            ("SET FMTONLY ON", "FMTONLY"),
            ("frobnicate", "FROBNICATE"),
        ] {
            let error = parse_batch(sql).unwrap_err();
            assert!(error.message.contains(name), "{sql}: {error}");
        }
        assert_eq!(parse_batch("SELECT 'a").unwrap_err().number, 102);
    }

    #[test]
    fn deep_statements_are_refused_before_they_are_parsed() {
        let sql = format!("SELECT {}1", "1+".repeat(5_000));
        assert_eq!(parse_batch(&sql).unwrap_err().number, 8631);
        let nested = format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500));
        assert!(parse_batch(&nested).is_err());
    }
}
