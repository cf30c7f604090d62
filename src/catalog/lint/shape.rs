//! The shape of the statement: one SELECT that can stand in brackets, because the control totals are computed over it
//! as a derived table (`kernels/sql`).

use crate::domain::lexer::{Kind, Token};

use super::{Report, Sql};

/// Applies the rules to the statement.
pub(super) fn check(sql: &Sql<'_>, report: &mut Report<'_>) {
    let tokens = &sql.tokens;
    match tokens.first() {
        None => {
            let at = report.text.len();
            report.at(
                "no-select",
                at,
                "the file holds no statement",
                "write one SELECT behind the params block",
            );
        }
        Some(first) if first.is("WITH") => report.at(
            "leading-with",
            first.start,
            "the statement begins with WITH: the control totals cannot put it in brackets",
            "write each common table expression as a derived table: FROM (SELECT …) AS name",
        ),
        Some(first) if !first.is("SELECT") => report.at(
            "no-select",
            first.start,
            format!("the statement begins with {}", first.text),
            "begin with SELECT",
        ),
        Some(_) => {}
    }
    balance(tokens, report);
    top_level(tokens, report);
    wildcards(tokens, report);
}

/// Brackets that close what was never opened would end the derived table that the totals are computed over.
fn balance(tokens: &[Token<'_>], report: &mut Report<'_>) {
    let mut open = Vec::new();
    for token in tokens {
        if token.is_mark("(") {
            open.push(token.start);
        } else if token.is_mark(")") && open.pop().is_none() {
            let remedy = "remove it, or open it where it belongs";
            report.at("unbalanced", token.start, "this `)` closes nothing", remedy);
        }
    }
    for start in open {
        report.at("unbalanced", start, "this `(` is never closed", "close it");
    }
}

/// Walks the tokens outside brackets.
fn top_level(tokens: &[Token<'_>], report: &mut Report<'_>) {
    let leads_with = tokens.first().is_some_and(|first| first.is("WITH"));
    let mut depth = 0_usize;
    let mut selects = 0;
    for (i, token) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| tokens.get(i));
        let next = tokens.get(i + 1);
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth = depth.saturating_sub(1);
        }
        if depth > 0 {
            continue;
        }
        if token.is_mark(";") && next.is_some_and(|next| !next.is_mark(";")) {
            let remedy = "keep one SELECT; one item is one result";
            report.at(
                "second-statement",
                token.start,
                "a second statement follows the semicolon",
                remedy,
            );
            return;
        }
        if token.is("SELECT") {
            selects += 1;
            let united = before
                .is_some_and(|before| before.is_any(&["UNION", "ALL", "EXCEPT", "INTERSECT"]));
            // The SELECT behind a leading WITH is the first of its statement.
            if selects > 1 && !united && !leads_with {
                let remedy = "keep one SELECT; one item is one result";
                report.at(
                    "second-statement",
                    token.start,
                    "a second SELECT gives a second result set",
                    remedy,
                );
                return;
            }
        }
        trailing(token, before, next, report);
    }
}

/// Clauses that a derived table cannot end with.
fn trailing(
    token: &Token<'_>,
    before: Option<&Token<'_>>,
    next: Option<&Token<'_>>,
    report: &mut Report<'_>,
) {
    if before.is_some_and(|before| before.is_mark(".")) {
        return;
    }
    let next_is = |words: &[&str]| next.is_some_and(|next| next.is_any(words));
    let clause = if token.is("ORDER") && next_is(&["BY"]) {
        "ORDER BY"
    } else if token.is("OPTION") && next.is_some_and(|next| next.is_mark("(")) {
        "OPTION"
    } else if token.is("FOR") && next_is(&["XML", "JSON", "BROWSE"]) {
        "FOR"
    } else {
        return;
    };
    report.at(
        "trailing-clause",
        token.start,
        format!("the statement ends in {clause}: the control totals cannot put it in brackets"),
        "remove the clause; order and format are no part of the evidence",
    );
}

/// `*` and `t.*`, except in `EXISTS (SELECT *`.
fn wildcards(tokens: &[Token<'_>], report: &mut Report<'_>) {
    for (i, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_mark("*"))
    {
        let back = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let next = tokens.get(i + 1);
        let qualified = back(1).is_some_and(|before| before.is_mark("."));
        let ends_item = next.is_none_or(|next| {
            next.is_any(&["FROM", "INTO"]) || next.is_mark(",") || next.is_mark(";")
        });
        let counts_rows = back(1).is_some_and(|before| before.is("SELECT"))
            && back(2).is_some_and(|open| open.is_mark("("))
            && back(3).is_some_and(|exists| exists.is("EXISTS"));
        if (qualified || ends_item) && !counts_rows {
            report.at(
                "select-star",
                token.start,
                "SELECT * takes whatever columns the table has on that day",
                "name the columns of the contract, in its order",
            );
        }
    }
}

/// True for tokens that end an operand: a name behind one of them is an alias without AS.
pub(super) fn ends_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number | Kind::Text | Kind::Name | Kind::Param | Kind::System => true,
        Kind::Word => !token.is_any(&[
            "AND", "OR", "NOT", "IS", "LIKE", "IN", "THEN", "ELSE", "WHEN", "CASE", "COLLATE",
            "ZONE",
        ]),
        Kind::Mark => token.text == ")",
        Kind::Marker => false,
    }
}
