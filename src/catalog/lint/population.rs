//! The section `[population]`: days that a period has, and columns that `population.sql` delivers.

use toml::Spanned;

use crate::domain::freshness::Bound;
use crate::domain::lexer::lex;
use crate::domain::query::Block;

use super::Report;
use super::contract::{Text, at_of};
use super::select::outputs;
use crate::catalog::file::ContractToml;
use crate::catalog::population::{FreshnessToml, PopulationToml, ScopeToml};

/// Applies the rules; `text` is `population.sql`.
pub(super) fn check(
    toml: &PopulationToml,
    contract: Option<&Spanned<ContractToml>>,
    text: &str,
    report: &mut Report<'_>,
) {
    if let Some(freshness) = &toml.freshness {
        dates(freshness, report);
    }
    let statement = Block::read(text).statement;
    let tokens = lex(text.get(statement..).unwrap_or_default(), statement).unwrap_or_default();
    let delivered = outputs(&tokens);
    for (place, scope) in toml.scope.iter().enumerate() {
        let column = scope.column.get_ref();
        let at = at_of(&scope.column);
        let is_delivered = |name: &String| name == column;
        // A select list that cannot be read off has a finding of its own, or the server judges it.
        let mut names = delivered.iter().flatten().filter_map(|o| o.name.as_ref());
        if delivered.is_some() && !names.any(is_delivered) {
            let what = format!("population.sql does not deliver the column `{column}`");
            let remedy = "select it there under exactly this name";
            report.at("scope", at, what, remedy);
        }
        if is_personal(contract, column) {
            let what = format!("column `{column}` is personal: its values would stand in reports");
            report.at("scope", at, what, "declare a column that names nobody");
        }
        let mut before = toml.scope.iter().take(place);
        if before.any(|other| other.column.get_ref() == column) {
            let what = format!("column `{column}` is declared twice");
            report.at("scope", at, what, "write all its values in one list");
        }
        known(scope, report);
    }
}

fn dates(freshness: &FreshnessToml, report: &mut Report<'_>) {
    if freshness.column.get_ref().trim().is_empty() {
        let remedy = "name a date column of the base table, or remove the section";
        let at = at_of(&freshness.column);
        report.at("freshness", at, "the column has no name", remedy);
    }
    let bounds: [Option<&Text>; 2] = [
        freshness.every_from.as_ref(),
        freshness.newest_from.as_ref(),
    ];
    for bound in bounds.into_iter().flatten() {
        if Bound::of(bound.get_ref()).is_none() {
            let what = format!("`{}` is no day of the period", bound.get_ref());
            let remedy = "write start, next_start or period_end: never a day of the run";
            report.at("freshness", at_of(bound), what, remedy);
        }
    }
}

/// Whether the contract calls the column personal, by its name at the source or its canonical one.
fn is_personal(contract: Option<&Spanned<ContractToml>>, name: &str) -> bool {
    let columns = contract.iter().flat_map(|toml| &toml.get_ref().columns);
    let mut columns = columns.map(Spanned::get_ref);
    columns.any(|column| {
        let names = [&column.source, &column.name].into_iter().flatten();
        column.personal
            && names
                .into_iter()
                .any(|known| known.get_ref().eq_ignore_ascii_case(name))
    })
}

/// A list that holds something, each value once, as the server compares it.
fn known(scope: &ScopeToml, report: &mut Report<'_>) {
    let values = scope.known.get_ref();
    if values.is_empty() {
        let remedy = "write the approved values: every other one is a finding";
        let at = at_of(&scope.known);
        report.at("scope", at, "the list of known values is empty", remedy);
    }
    for (place, value) in values.iter().enumerate() {
        let text = value.get_ref();
        if text.ends_with(' ') {
            let what = format!("`{text}` ends with a blank, and values are compared without");
            report.at("scope", at_of(value), what, "remove the blank");
        }
        let mut before = values.iter().take(place);
        if before.any(|other| other.get_ref() == text) {
            let what = format!("`{text}` stands twice in the list");
            report.at("scope", at_of(value), what, "write it once");
        }
    }
}
