//! The section `[witness]` and `witness.sql`: one row by its key, without a join, with the amounts that are compared.

use toml::Spanned;

use crate::domain::contract::ColumnType;
use crate::domain::lexer::lex;
use crate::domain::query::Block;
use crate::domain::sql_type::SqlType;

use super::contract::at_of;
use super::select::outputs;
use super::{Finding, Report, one_row, params, sorted, statement_rules};
use crate::catalog::ItemFiles;
use crate::catalog::file::{ColumnToml, ContractToml};
use crate::catalog::witness::WitnessToml;

/// Rules over the section alone and what `population.sql` delivers for it.
pub(super) fn check(
    toml: &WitnessToml,
    contract: Option<&Spanned<ContractToml>>,
    population: &str,
    report: &mut Report<'_>,
) {
    let statement = Block::read(population).statement;
    let text = population.get(statement..).unwrap_or_default();
    let delivered = outputs(&lex(text, statement).unwrap_or_default());
    for name in [Some(&toml.by), toml.oldest.as_ref()].into_iter().flatten() {
        let mut names = delivered.iter().flatten().filter_map(|o| o.name.as_ref());
        if delivered.is_some() && !names.any(|known| known == name.get_ref()) {
            let what = format!(
                "population.sql does not deliver the column `{}`",
                name.get_ref()
            );
            report.at(
                "witness",
                at_of(name),
                what,
                "select it there under exactly this name",
            );
        }
    }
    let by = toml.by.get_ref();
    let is_amount = |column: &ColumnToml| column.amount && named(column, by);
    if !columns(contract).any(is_amount) {
        let what = format!("`{by}` is no amount of the contract");
        report.at(
            "witness",
            at_of(&toml.by),
            what,
            "name the amount that the item is about",
        );
    }
}

/// Everything that is wrong with `witness.sql`.
pub(super) fn query(
    files: &ItemFiles,
    text: &str,
    contract: Option<&Spanned<ContractToml>>,
) -> Vec<Finding> {
    let mut report = Report::new(files.witness_place(), text);
    let key: Vec<&String> = contract
        .iter()
        .filter_map(|toml| toml.get_ref().key.as_ref())
        .flat_map(|key| key.get_ref().iter().map(Spanned::get_ref))
        .collect();
    let is_known = |name: &str| key.iter().any(|known| *known == name);
    let Some(sql) = statement_rules(&mut report, &is_known) else {
        return sorted(report.found);
    };
    types(&sql.block, contract, &key, &mut report);
    one_row::check(&sql, &key, &mut report);
    for token in &sql.tokens {
        if token.is_any(&["JOIN", "APPLY"]) {
            let what = "a join can drop or double the row that is to be proved";
            let remedy = "ask for each fact by a subquery on the key's parameters";
            report.at("witness-join", token.start, what, remedy);
        }
    }
    if let Some(selected) = outputs(&sql.tokens) {
        let names = selected.iter().filter_map(|output| output.name.as_deref());
        let names: Vec<&str> = names.collect();
        delivers(&names, contract, &key, sql.block.statement, &mut report);
        for output in selected.iter().filter(|output| {
            let name = output.name.as_deref().unwrap_or_default();
            !columns(contract).any(|column| named(column, name) && is_comparable(column))
        }) {
            let what = "a column that cannot be compared with a staged one";
            let remedy = "alias it with the canonical name of a column of the contract that is no float, time or offset";
            report.at("witness", output.start, what, remedy);
        }
    }
    sorted(report.found)
}

/// Parameters of the key have the types of their columns, and there is one.
fn types(
    block: &Block,
    contract: Option<&Spanned<ContractToml>>,
    key: &[&String],
    report: &mut Report<'_>,
) {
    let of_key = |name: &str| key.iter().any(|known| *known == name);
    if !block.params.iter().any(|param| of_key(&param.name)) {
        let remedy = "declare a column of the key and compare it, so that one row is read";
        report.at(
            "witness",
            block.statement,
            "no parameter is a column of the key",
            remedy,
        );
    }
    for param in block.params.iter().filter(|param| of_key(&param.name)) {
        let declared = columns(contract).find(|column| named(column, &param.name));
        let declared = declared.and_then(|column| column.sql_type.as_ref());
        let declared = declared.and_then(|text| text.get_ref().parse::<SqlType>().ok());
        if declared
            .as_ref()
            .is_some_and(|declared| *declared != param.sql_type)
        {
            let at = params::line_start(report.text, param.line);
            let what = format!("@{} has another type than its column", param.name);
            let declared = declared.map_or_else(String::new, |declared| declared.to_string());
            report.at("witness", at, what, format!("declare it {declared}"));
        }
    }
}

fn delivers(
    names: &[&str],
    contract: Option<&Spanned<ContractToml>>,
    key: &[&String],
    at: usize,
    report: &mut Report<'_>,
) {
    let amounts = columns(contract).filter(|column| column.amount);
    let amounts = amounts.filter_map(|column| column.name.as_ref().map(Spanned::get_ref));
    for name in key.iter().copied().chain(amounts) {
        if !names.contains(&name.as_str()) {
            let what = format!("the column `{name}` is not selected");
            report.at(
                "witness",
                at,
                what,
                "select the whole key and every amount by canonical name",
            );
        }
    }
}

fn columns(contract: Option<&Spanned<ContractToml>>) -> impl Iterator<Item = &ColumnToml> {
    let columns = contract
        .into_iter()
        .flat_map(|toml| &toml.get_ref().columns);
    columns.map(Spanned::get_ref)
}

fn named(column: &ColumnToml, name: &str) -> bool {
    column
        .name
        .as_ref()
        .is_some_and(|known| known.get_ref() == name)
}

fn is_comparable(column: &ColumnToml) -> bool {
    let sql_type = column
        .sql_type
        .as_ref()
        .and_then(|text| text.get_ref().parse().ok());
    let carrier = sql_type.as_ref().and_then(ColumnType::of);
    !matches!(
        carrier,
        Some(
            ColumnType::Float32 | ColumnType::Float64 | ColumnType::Time | ColumnType::DateTimeUtc
        )
    )
}
