//! The parts of statements: queries and expressions by sqlparser, declarations and procedure calls by their tokens.

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::MsSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::domain::sql_type::SqlType;
use crate::sandbox::tsql::batch::split::is_word;
use crate::sandbox::tsql::batch::{Argument, Declaration, Statement};
use crate::sandbox::tsql::error::{SqlResult, syntax, unsupported};

fn parser_error(e: ParserError) -> crate::sandbox::wire::SqlError {
    match e {
        ParserError::RecursionLimitExceeded => unsupported("expressions nested this deep"),
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => syntax(text),
    }
}

fn parser(tokens: Vec<Token>) -> Parser<'static> {
    static DIALECT: MsSqlDialect = MsSqlDialect {};
    Parser::new(&DIALECT).with_tokens(tokens)
}

pub(super) fn query(tokens: Vec<Token>) -> SqlResult<Statement> {
    let mut parser = parser(tokens);
    let query = parser.parse_query().map_err(parser_error)?;
    at_end(&parser)?;
    Ok(Statement::Query(query))
}

fn at_end(parser: &Parser<'_>) -> SqlResult<()> {
    match &parser.peek_token().token {
        Token::EOF => Ok(()),
        Token::Word(w) if w.value.eq_ignore_ascii_case("OPTION") => Err(unsupported("OPTION (…)")),
        other => Err(syntax(format!("near '{other}'"))),
    }
}

/// Reads tokens as one expression.
pub(super) fn expression(tokens: Vec<Token>) -> SqlResult<Expr> {
    let mut parser = parser(tokens);
    let expr = parser.parse_expr().map_err(parser_error)?;
    at_end(&parser)?;
    Ok(expr)
}

pub(super) fn name_of(tokens: &[Token]) -> SqlResult<String> {
    match tokens {
        [Token::Word(w)] => Ok(w.value.clone()),
        _ => Err(syntax("a name was expected")),
    }
}

pub(super) fn declare(tokens: Vec<Token>) -> SqlResult<Statement> {
    let declarations = list(tokens).into_iter().map(|part| {
        let name = variable(part.first())?;
        let equals = part
            .iter()
            .position(|t| matches!(t, Token::Eq))
            .unwrap_or(part.len());
        let mut ty = part.get(1..equals).unwrap_or_default();
        if ty.first().is_some_and(|t| is_word(t, "AS")) {
            ty = ty.get(1..).unwrap_or_default();
        }
        let value = part
            .get(equals + 1..)
            .filter(|v| !v.is_empty())
            .map(|v| expression(v.to_vec()))
            .transpose()?;
        Ok(Declaration {
            name,
            sql_type: type_of(ty)?,
            value,
        })
    });
    declarations
        .collect::<SqlResult<_>>()
        .map(Statement::Declare)
}

pub(super) fn execute(tokens: Vec<Token>) -> SqlResult<Statement> {
    let is_name = |t: &&Token| matches!(t, Token::Word(_) | Token::Period);
    let mut name = String::new();
    let mut taken = 0;
    let mut after_word = false;
    for token in tokens.iter().take_while(is_name) {
        if let Token::Word(w) = token {
            if after_word || w.value.starts_with('@') {
                break;
            }
            name.push_str(&w.value);
            after_word = true;
        } else {
            name.push('.');
            after_word = false;
        }
        taken += 1;
    }
    if name.is_empty() {
        return Err(unsupported("EXECUTE of a text or into a variable"));
    }
    let rest = tokens.get(taken..).unwrap_or_default().to_vec();
    let parts = if rest.is_empty() {
        Vec::new()
    } else {
        list(rest)
    };
    let arguments = parts.into_iter().map(|part| {
        if matches!(part.get(1), Some(Token::Eq)) {
            let value = expression(part.get(2..).unwrap_or_default().to_vec())?;
            return Ok(Argument {
                name: Some(variable(part.first())?),
                value,
            });
        }
        Ok(Argument {
            name: None,
            value: expression(part)?,
        })
    });
    Ok(Statement::Execute(
        name,
        arguments.collect::<SqlResult<_>>()?,
    ))
}

/// Reads the declarations of `sp_executesql`: `@P1 date, @P2 nvarchar(20)`.
///
/// # Errors
/// 102 for what is not a list of declarations.
pub fn parse_declarations(text: &str) -> SqlResult<Vec<(String, SqlType)>> {
    let tokens = Tokenizer::new(&MsSqlDialect {}, text)
        .tokenize()
        .map_err(syntax)?;
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|t| !matches!(t, Token::Whitespace(_)))
        .collect();
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    match declare(tokens)? {
        Statement::Declare(list) => Ok(list.into_iter().map(|d| (d.name, d.sql_type)).collect()),
        _ => Err(syntax("a list of declarations was expected")),
    }
}

/// Reads a text as one type, such as `decimal(38, 20)`.
fn type_of(tokens: &[Token]) -> SqlResult<SqlType> {
    let text: String = tokens.iter().map(ToString::to_string).collect();
    let bare = text.replace(['[', ']'], "");
    match bare.parse() {
        Ok(SqlType::Other(name)) => Err(unsupported(format!("the type {name}"))),
        Ok(ty) => Ok(ty),
        Err(e) => Err(syntax(e)),
    }
}

/// Cuts tokens at the commas outside parentheses.
fn list(tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let (mut parts, mut current, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    for token in tokens {
        match &token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                parts.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(token);
    }
    parts.push(current);
    parts
}

pub(super) fn variable(token: Option<&Token>) -> SqlResult<String> {
    match token {
        Some(Token::Word(w)) if w.value.starts_with('@') => Ok(w.value.clone()),
        other => Err(syntax(format!("a variable was expected, not {other:?}"))),
    }
}
