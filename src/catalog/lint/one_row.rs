//! Whether `witness.sql` gives one row for a key that the source holds once, and two for one that it holds twice.
//!
//! Two rows are counted and are a finding of the run. What would hide one of them, bring rows of other keys, or make the
//! server refuse the question is refused here (ADR-0025). Judged by words and brackets: a clause that is understood only by
//! T-SQL's grammar is refused rather than let through.

use std::collections::BTreeMap;

use crate::domain::lexer::{Kind, Token};

use super::{Report, Sql};

const RULE: &str = "witness-rows";

/// Functions that make one value of many rows.
const AGGREGATES: [&str; 13] = [
    "SUM",
    "MIN",
    "MAX",
    "AVG",
    "COUNT",
    "COUNT_BIG",
    "STRING_AGG",
    "CHECKSUM_AGG",
    "APPROX_COUNT_DISTINCT",
    "STDEV",
    "STDEVP",
    "VAR",
    "VARP",
];

/// What brackets around a SELECT are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A value: more than one row is an error of the server.
    Value,
    /// A set or a question of being there: any number of rows.
    Set,
    /// A table.
    Table,
}

/// How far a SELECT is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    Select,
    From,
    Where,
    Rest,
}

/// A SELECT: the statement itself, or one in brackets.
struct Level {
    usage: Option<Use>,
    start: usize,
    clause: Clause,
    has_from: bool,
    /// An aggregate in the select list.
    is_gathered: bool,
    /// GROUP BY, or a set operator.
    is_spread: bool,
}

/// An open bracket: of which SELECT it is, and whether it began one.
struct Open {
    level: usize,
    begins: bool,
}

/// Applies the rules to the statement; `key` are the columns of the contract's key.
pub(super) fn check(sql: &Sql<'_>, key: &[&String], report: &mut Report<'_>) {
    whole_key(sql, key, report);
    let statement = Level::new(None, sql.block.statement);
    let mut levels = BTreeMap::from([(0, statement)]);
    let mut open: Vec<Open> = Vec::new();
    for (i, token) in sql.tokens.iter().enumerate() {
        let at = At {
            token,
            before: i.checked_sub(1).and_then(|i| sql.tokens.get(i)),
            rest: sql.tokens.get(i + 1..).unwrap_or_default(),
        };
        let own = open.last().map_or(0, |open| open.level);
        let is_direct = open.last().is_none_or(|open| open.begins);
        if token.is_mark("(") {
            let begins = at.next_is("SELECT");
            let level = if begins { levels.len() } else { own };
            if let Some(above) = levels.get(&own).filter(|_| begins) {
                let usage = at.usage(above.clause, is_direct);
                if own == 0 && usage == Use::Table {
                    let what = "a derived table can drop or double the row that is to be proved";
                    let remedy = "read the base table itself behind FROM";
                    report.at(RULE, token.start, what, remedy);
                }
                levels.insert(level, Level::new(Some(usage), token.start));
            }
            open.push(Open { level, begins });
        } else if token.is_mark(")") {
            open.pop();
        } else if let Some(level) = levels.get_mut(&own) {
            level.read(&at, is_direct);
            if own == 0 {
                outside(&at, level.clause, is_direct, report);
            }
        }
    }
    for level in levels.values().filter(|level| !level.has_one_value()) {
        let what = "a subquery may have several values for one key, which the server refuses";
        let remedy = "give it one: an aggregate such as MAX(…) without GROUP BY, also where the key is there twice";
        report.at(RULE, level.start, what, remedy);
    }
}

/// A token and what stands around it.
struct At<'a> {
    token: &'a Token<'a>,
    before: Option<&'a Token<'a>>,
    rest: &'a [Token<'a>],
}

impl At<'_> {
    fn next_is(&self, word: &str) -> bool {
        self.rest.first().is_some_and(|next| next.is(word))
    }

    fn follows(&self, words: &[&str]) -> bool {
        self.before.is_some_and(|before| before.is_any(words))
    }

    /// A bare word that is no part of a longer name.
    fn is_word(&self, words: &[&str]) -> bool {
        let is_qualified = self.before.is_some_and(|before| before.is_mark("."));
        self.token.is_any(words) && !is_qualified
    }

    fn usage(&self, clause: Clause, is_direct: bool) -> Use {
        let lists_tables = clause == Clause::From && is_direct;
        let continues = self.before.is_some_and(|before| before.is_mark(","));
        if self.follows(&["IN", "EXISTS", "ANY", "ALL", "SOME"]) {
            Use::Set
        } else if self.follows(&["FROM", "JOIN", "APPLY"]) || (continues && lists_tables) {
            Use::Table
        } else {
            Use::Value
        }
    }

    fn groups(&self) -> bool {
        self.is_word(&["GROUP"]) && self.next_is("BY")
    }

    /// Whether it gathers rows; with OVER it leaves each of them.
    fn is_aggregate(&self) -> bool {
        if !self.is_word(&AGGREGATES) || !self.rest.first().is_some_and(|next| next.is_mark("(")) {
            return false;
        }
        let mut depth = 0_usize;
        for (i, token) in self.rest.iter().enumerate() {
            if token.is_mark("(") {
                depth += 1;
            } else if token.is_mark(")") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return !self.rest.get(i + 1).is_some_and(|next| next.is("OVER"));
                }
            }
        }
        true
    }
}

impl Level {
    fn new(usage: Option<Use>, start: usize) -> Self {
        Self {
            usage,
            start,
            clause: Clause::Select,
            has_from: false,
            is_gathered: false,
            is_spread: false,
        }
    }

    fn read(&mut self, at: &At<'_>, is_direct: bool) {
        if self.clause == Clause::Select && at.is_aggregate() {
            self.is_gathered = true;
        }
        if !is_direct {
            return;
        }
        if self.usage.is_none() && at.is_word(&["SELECT"]) {
            // The statement's own: the first one, or the next behind UNION ALL.
            self.clause = Clause::Select;
        } else if self.clause == Clause::Select && at.is_word(&["FROM"]) {
            (self.clause, self.has_from) = (Clause::From, true);
        } else if at.is_word(&["WHERE"]) {
            self.clause = Clause::Where;
        } else if at.groups() || at.is_word(&["UNION", "EXCEPT", "INTERSECT"]) {
            (self.clause, self.is_spread) = (Clause::Rest, true);
        } else if at.is_word(&["HAVING", "ORDER"]) {
            self.clause = Clause::Rest;
        }
    }

    /// Whether it has at most one row, where it must.
    fn has_one_value(&self) -> bool {
        self.usage != Some(Use::Value) || (!self.is_spread && (self.is_gathered || !self.has_from))
    }
}

/// What the statement itself may not do, outside its subqueries.
fn outside(at: &At<'_>, clause: Clause, is_direct: bool, report: &mut Report<'_>) {
    let start = at.token.start;
    let hides = (clause == Clause::Select && is_direct && at.is_word(&["TOP", "DISTINCT"]))
        || at.groups()
        || (is_direct && at.is_word(&["EXCEPT", "INTERSECT", "HAVING", "OFFSET"]))
        || (is_direct && at.is_word(&["UNION"]) && !at.next_is("ALL"))
        || at.is_aggregate();
    if hides {
        let what = format!(
            "{} hides that the source holds a key twice",
            at.token.text.to_ascii_uppercase()
        );
        let remedy = "select the rows of the base table as they are: two of one key are counted, and are a finding";
        report.at(RULE, start, what, remedy);
    }
    if is_direct && clause == Clause::From && at.token.is_mark(",") {
        let what = "a comma joins: it can drop or double the row that is to be proved";
        let remedy = "ask for each fact by a subquery on the key's parameters";
        report.at(RULE, start, what, remedy);
    }
    if is_direct && clause == Clause::Where && at.is_word(&["OR"]) {
        let what = "an OR beside the key lets rows of other keys in";
        let remedy = "put alternatives of one column into brackets of their own";
        report.at(RULE, start, what, remedy);
    }
}

/// Every column of the key is a parameter, and asked for by `=` in every SELECT of the statement.
fn whole_key(sql: &Sql<'_>, key: &[&String], report: &mut Report<'_>) {
    let params = &sql.block.params;
    let is_declared = |name: &str| params.iter().any(|param| param.name == name);
    // That none is declared is another rule's.
    if !key.iter().any(|name| is_declared(name)) {
        return;
    }
    let parts = united(&sql.tokens);
    for name in key {
        if !is_declared(name) {
            let what = format!("@{name} is not declared: rows of several keys would come for one");
            let remedy = "declare every column of the key and compare it by =";
            report.at(RULE, sql.block.statement, what, remedy);
            continue;
        }
        for part in parts.iter().filter(|part| !is_asked(part, name)) {
            let mut used = part.iter().filter(|token| is_param(token, name));
            // That a parameter is not used at all is another rule's.
            let first = match (used.next(), part.first()) {
                (Some(first), _) => first,
                (None, Some(first)) if parts.len() > 1 => first,
                _ => continue,
            };
            let what =
                format!("@{name} is not compared by =: rows of several keys would come for one");
            let remedy = "compare the column with its parameter by =";
            report.at(RULE, first.start, what, remedy);
        }
    }
}

fn is_param(token: &Token<'_>, name: &str) -> bool {
    token.kind == Kind::Param && token.text.strip_prefix('@') == Some(name)
}

/// Whether a parameter is compared by `=`.
fn is_asked(tokens: &[Token<'_>], name: &str) -> bool {
    tokens.iter().enumerate().any(|(i, token)| {
        let back = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let is_mark = |token: Option<&Token<'_>>, marks: &[&str]| {
            token.is_some_and(|token| marks.iter().any(|mark| token.is_mark(mark)))
        };
        // `name = @x` in a select list names a column.
        let names = is_mark(back(3), &[","]) || back(3).is_some_and(|t| t.is("SELECT"));
        let is_behind = is_mark(back(1), &["="]) && !is_mark(back(2), &["<", ">", "!"]);
        is_param(token, name) && ((is_behind && !names) || is_mark(tokens.get(i + 1), &["="]))
    })
}

/// The SELECTs that the statement unites, one where it unites none.
fn united<'s, 'a>(tokens: &'s [Token<'a>]) -> Vec<&'s [Token<'a>]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is_mark("(") {
                depth += 1;
            } else if token.is_mark(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is("UNION")
        })
        .collect()
}
