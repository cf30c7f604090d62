//! Cuts the tokens of a batch into statements, with and without semicolons between them.

use datafusion::sql::sqlparser::tokenizer::Token;

use crate::sandbox::tsql::error::{SqlResult, error};

/// Operators in one statement: deeper expressions would need a deeper stack than a worker thread has.
const OPERATORS_MAX: usize = 600;

/// The word of a token in upper case, unless it is quoted.
pub(super) fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(w) if w.quote_style.is_none() => Some(w.value.to_ascii_uppercase()),
        _ => None,
    }
}

const STARTS: [&str; 33] = [
    "SELECT",
    "DECLARE",
    "SET",
    "USE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "PRINT",
    "IF",
    "ELSE",
    "WHILE",
    "EXEC",
    "EXECUTE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "GRANT",
    "REVOKE",
    "DENY",
    "RAISERROR",
    "THROW",
    "WAITFOR",
    "RETURN",
    "KILL",
    "BACKUP",
    "DBCC",
    "SHUTDOWN",
];

/// Cuts at semicolons and before the words that begin a statement.
pub(super) fn split(tokens: Vec<Token>) -> SqlResult<Vec<Vec<Token>>> {
    let mut statements: Vec<Vec<Token>> = Vec::new();
    let mut current: Vec<Token> = Vec::new();
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for token in tokens {
        match &token {
            Token::Whitespace(_) => continue,
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::SemiColon if depth == 0 => {
                push(&mut statements, &mut current);
                operators = 0;
                continue;
            }
            other => operators += usize::from(is_operator(other)),
        }
        if operators > OPERATORS_MAX || depth > OPERATORS_MAX {
            return Err(error(
                8631,
                17,
                "Internal error: Server stack limit has been reached; the statement is too deep.",
            ));
        }
        if depth == 0 && begins(&token, &current) {
            push(&mut statements, &mut current);
            operators = 0;
        }
        current.push(token);
    }
    push(&mut statements, &mut current);
    Ok(statements)
}

fn push(statements: &mut Vec<Vec<Token>>, current: &mut Vec<Token>) {
    if !current.is_empty() {
        statements.push(std::mem::take(current));
    }
}

fn is_operator(token: &Token) -> bool {
    let symbol = matches!(
        token,
        Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::Tilde
            | Token::Ampersand
            | Token::Pipe
    );
    symbol
        || word(token).is_some_and(|w| {
            matches!(
                w.as_str(),
                "AND" | "OR" | "NOT" | "CASE" | "UNION" | "EXCEPT" | "INTERSECT" | "JOIN"
            )
        })
}

/// True when `token` starts a new statement after `current`.
fn begins(token: &Token, current: &[Token]) -> bool {
    let Some(start) = word(token).filter(|w| STARTS.contains(&w.as_str())) else {
        return false;
    };
    let Some(first) = current.first().and_then(word) else {
        return !current.is_empty() && start != "SET";
    };
    let last = current.last().and_then(word).unwrap_or_default();
    match start.as_str() {
        "SELECT" => {
            let continues = matches!(
                last.as_str(),
                "UNION" | "ALL" | "EXCEPT" | "INTERSECT" | "AS"
            );
            let awaited = matches!(first.as_str(), "WITH" | "INSERT");
            // The bodies of common table expressions are in parentheses, so one SELECT outside them is the query's own.
            !(continues || awaited && select_outside(current))
        }
        // The ELSE of a CASE is no statement.
        "ELSE" => count(current, "CASE") <= count(current, "END"),
        "SET" => first != "UPDATE",
        "INSERT" | "UPDATE" | "DELETE" => !matches!(
            first.as_str(),
            "WITH" | "MERGE" | "CREATE" | "GRANT" | "DENY" | "REVOKE"
        ),
        "EXEC" | "EXECUTE" => !matches!(first.as_str(), "INSERT" | "GRANT" | "DENY" | "REVOKE"),
        "CREATE" | "ALTER" => !matches!(first.as_str(), "GRANT" | "DENY" | "REVOKE" | "CREATE"),
        _ => true,
    }
}

pub(super) fn is_word(token: &Token, text: &str) -> bool {
    word(token).is_some_and(|w| w == text)
}

fn count(tokens: &[Token], text: &str) -> usize {
    tokens.iter().filter(|t| is_word(t, text)).count()
}

/// True while no SELECT stands outside parentheses.
fn select_outside(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            other if depth == 0 && is_word(other, "SELECT") => return false,
            _ => {}
        }
    }
    true
}
