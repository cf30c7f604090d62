//! What is wrong with a definition, all of it, with place and remedy: read off the texts, before anything connects.
//!
//! Lexical: it knows words and brackets, not T-SQL's grammar; what it lets through the server judges. May use the
//! lexer and the contract's rules of `domain`; reads no file and asks nobody.

mod compare;
mod contract;
mod one_row;
mod params;
mod population;
mod select;
mod shape;
mod witness;
mod words;

use serde::Serialize;

use crate::domain::lexer::{Token, lex, position};
use crate::domain::population::KEEP;
use crate::domain::query::Block;

use super::file::{self, ItemToml};
use super::{CatalogError, ItemFiles, uploaded};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// File.
    pub place: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Stable name of the rule.
    pub rule: &'static str,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub remedy: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            place,
            line,
            column,
            rule,
            what,
            remedy,
        } = self;
        write!(f, "{place}:{line}:{column}: {what}; {remedy} [{rule}]")
    }
}

/// Collects the findings of one file.
struct Report<'a> {
    place: String,
    text: &'a str,
    found: Vec<Finding>,
}

impl<'a> Report<'a> {
    fn new(place: String, text: &'a str) -> Self {
        Self {
            place,
            text,
            found: Vec::new(),
        }
    }

    fn at(
        &mut self,
        rule: &'static str,
        offset: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (line, column) = position(self.text, offset);
        self.found.push(Finding {
            place: self.place.clone(),
            line,
            column,
            rule,
            what: what.into(),
            remedy: remedy.into(),
        });
    }
}

/// A query file as the rules see it.
struct Sql<'a> {
    block: Block,
    tokens: Vec<Token<'a>>,
}

/// Everything that is wrong with a query alone.
pub(super) fn query(place: String, text: &str) -> Vec<Finding> {
    let mut report = Report::new(place, text);
    read_query(&mut report);
    sorted(report.found)
}

/// The predicates that a population's select list names, in the order of its funnel.
pub(super) fn predicates(text: &str) -> Vec<String> {
    let statement = Block::read(text).statement;
    let tokens = lex(text.get(statement..).unwrap_or_default(), statement).unwrap_or_default();
    let names = select::outputs(&tokens).into_iter().flatten();
    let names = names.filter_map(|output| output.name);
    names
        .filter_map(|name| name.strip_prefix(KEEP).map(str::to_owned))
        .collect()
}

/// The databases that a query names, in the order in which it reads them.
pub(super) fn databases(text: &str) -> Vec<String> {
    let tokens = lex(text, 0).unwrap_or_default();
    let found = select::databases(&tokens).into_iter();
    found.map(|(name, _)| name).collect()
}

/// Everything that is wrong with an item.
pub(super) fn item(files: &ItemFiles) -> Vec<Finding> {
    let mut report = Report::new(files.query_place(), &files.query);
    let sql = (!uploaded::is_declared(&files.toml)).then(|| read_query(&mut report));
    let sql = sql.flatten();
    let mut toml_report = Report::new(files.toml_place(), &files.toml);
    let mut witnesses = Vec::new();
    match toml::from_str::<ItemToml>(&files.toml) {
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let remedy = "write ipe.toml as the other items do: id, title, secret, databases, [contract], [[contract.columns]]";
            toml_report.at("toml", offset, error.message(), remedy);
        }
        Ok(toml) => {
            contract::check(&toml, &files.folder, &mut toml_report);
            if let Some(sql) = &sql {
                compare::check(&toml, sql, &mut toml_report, &mut report);
            }
            if let Some(population) = &toml.population {
                let text = files.population.as_deref().unwrap_or_default();
                population::check(population, toml.contract.as_ref(), text, &mut toml_report);
            }
            let contract = toml.contract.as_ref();
            if let Some(witness) = &toml.witness {
                let text = files.population.as_deref().unwrap_or_default();
                witness::check(witness, contract, text, &mut toml_report);
            }
            if let Some(text) = &files.witness {
                witnesses = witness::query(files, text, contract);
            }
        }
    }
    let mut found = report.found;
    found.append(&mut toml_report.found);
    found.append(&mut witnesses);
    if let Some(text) = &files.population {
        found.append(&mut query(files.population_place(), text));
    }
    if found.is_empty()
        && let Err(CatalogError { place, what }) = file::parse(files)
    {
        // What the rules above do not know the reader still refuses: a silent lint means an item that reads.
        let mut rest = Report::new(place, "");
        rest.at("unreadable", 0, what, "mend what the message names");
        found = rest.found;
    }
    sorted(found)
}

fn sorted(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort();
    found.dedup();
    found
}

/// Applies the rules that need the query alone; `None` when it cannot be split into tokens.
fn read_query<'a>(report: &mut Report<'a>) -> Option<Sql<'a>> {
    statement_rules(report, &|_| false)
}

/// The same for a query that has parameters beside those of the period.
fn statement_rules<'a>(report: &mut Report<'a>, has: &dyn Fn(&str) -> bool) -> Option<Sql<'a>> {
    let text = report.text;
    let block = Block::read(text);
    let statement = text.get(block.statement..).unwrap_or_default();
    match lex(statement, block.statement) {
        Err(unclosed) => {
            params::block(&block, has, report);
            let remedy = "close it; a quote inside is doubled";
            let what = format!("{} is never closed", unclosed.what);
            report.at("unclosed", unclosed.start, what, remedy);
            None
        }
        Ok(tokens) => {
            let sql = Sql { block, tokens };
            params::block(&sql.block, has, report);
            params::check(&sql, report);
            words::check(&sql, report);
            shape::check(&sql, report);
            Some(sql)
        }
    }
}

#[cfg(test)]
mod population_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod witness_tests;
