//! The contract: whole and consistent in itself.

use toml::Spanned;

use crate::domain::contract::{ColumnType, cast_for, is_canonical};
use crate::domain::ids::IpeId;
use crate::domain::sql_type::SqlType;

use super::Report;
use crate::catalog::file::{ColumnToml, ContractToml, ItemToml};

/// A text with its place.
pub(super) type Text = Spanned<String>;

pub(super) fn at_of<T>(value: &Spanned<T>) -> usize {
    value.span().start
}

/// Applies the rules to `ipe.toml` alone.
pub(super) fn check(toml: &ItemToml, folder: &str, report: &mut Report<'_>) {
    identity(toml, folder, report);
    let Some(contract) = &toml.contract else {
        missing(
            report,
            0,
            "[contract]",
            "declare version, key, company and the columns",
        );
        return;
    };
    let at = at_of(contract);
    let contract = contract.get_ref();
    if contract.version.is_none() {
        missing(
            report,
            at,
            "contract.version",
            "write version = 1, and advance it with every change",
        );
    }
    if contract.columns.is_empty() {
        missing(
            report,
            at,
            "contract.columns",
            "write one [[contract.columns]] a column of the select list",
        );
    }
    for column in &contract.columns {
        column_parts(column, report);
    }
    same_names(contract, report);
    key_and_company(contract, at, report);
    if !contract
        .columns
        .iter()
        .any(|column| column.get_ref().amount)
    {
        let remedy = "write amount = true at every column whose sums must arrive whole";
        report.at(
            "missing-amount",
            at,
            "no column is an amount: the control totals would only count rows",
            remedy,
        );
    }
}

fn missing(report: &mut Report<'_>, at: usize, part: &str, remedy: &str) {
    report.at("missing-part", at, format!("{part} is missing"), remedy);
}

fn identity(toml: &ItemToml, folder: &str, report: &mut Report<'_>) {
    let is_asked = toml.file.is_none();
    let parts = [
        ("id", &toml.id, "write the folder's name"),
        ("title", &toml.title, "say in one line what the item is"),
        (
            "secret",
            &toml.secret,
            "name the secret that holds the connection string",
        ),
    ];
    for (part, value, remedy) in parts
        .into_iter()
        .filter(|(part, ..)| is_asked || *part != "secret")
    {
        match value {
            None => missing(report, 0, part, remedy),
            Some(text) if text.get_ref().trim().is_empty() => {
                missing(report, at_of(text), part, remedy)
            }
            Some(_) => {}
        }
    }
    if let Some(id) = &toml.id {
        let at = at_of(id);
        if let Err(error) = id.get_ref().parse::<IpeId>() {
            report.at(
                "id",
                at,
                error.to_string(),
                "rename the item and its folder",
            );
        } else if id.get_ref() != folder {
            let what = format!("id is `{}` but the folder is `{folder}`", id.get_ref());
            report.at("id", at, what, "name both alike");
        }
    }
    let names_none = |list: &Spanned<Vec<String>>| list.get_ref().is_empty();
    if is_asked && toml.databases.as_ref().is_none_or(names_none) {
        let at = toml.databases.as_ref().map_or(0, at_of);
        missing(
            report,
            at,
            "databases",
            "name every database that the query reads",
        );
    }
}

fn column_parts(column: &Spanned<ColumnToml>, report: &mut Report<'_>) {
    let at = at_of(column);
    let column = column.get_ref();
    let label = column
        .source
        .as_ref()
        .or(column.name.as_ref())
        .map_or("?", |text| text.get_ref());
    for (part, value) in [
        ("source", &column.source),
        ("name", &column.name),
        ("type", &column.sql_type),
    ] {
        if value.is_none() {
            missing(
                report,
                at,
                &format!("{part} of column `{label}`"),
                "write source, name and type of every column",
            );
        }
    }
    if let Some(name) = &column.name
        && !is_canonical(name.get_ref())
    {
        let remedy = "use lower-case letters, digits and `_`, begin with a letter, at most 120";
        report.at(
            "name",
            at_of(name),
            format!("`{}` is not a canonical name", name.get_ref()),
            remedy,
        );
    }
    if let Some(text) = &column.sql_type {
        column_type(column, label, text, report);
    }
}

/// A type that is one, that is carried exactly, and that can be summed where it is an amount.
fn column_type(column: &ColumnToml, label: &str, text: &Text, report: &mut Report<'_>) {
    let at = at_of(text);
    let sql_type: SqlType = match text.get_ref().parse() {
        Ok(sql_type) => sql_type,
        Err(error) => {
            let remedy = "write the type as CREATE TABLE does: decimal(38,20)";
            report.at("type", at, error.to_string(), remedy);
            return;
        }
    };
    match ColumnType::of(&sql_type) {
        None => {
            let cast = cast_for(&sql_type);
            let what = format!("column `{label}`: {sql_type} cannot be carried exactly");
            let remedy = format!(
                "write CAST([{label}] AS {cast}) AS [{label}] in the select list, and {cast} here"
            );
            report.at("type", at, what, remedy);
        }
        Some(carrier) if column.amount && carrier.scale().is_none() => {
            let what =
                format!("amount `{label}` has type {sql_type}, which is not an exact number");
            let remedy = "cast it to decimal in the select list, or remove amount = true";
            report.at("amount", at, what, remedy);
        }
        Some(_) => {}
    }
}

/// Source names and canonical names that are equal but for case.
fn same_names(contract: &ContractToml, report: &mut Report<'_>) {
    type Part = fn(&ColumnToml) -> Option<&Text>;
    let parts: [(&str, Part); 2] = [
        ("source", |column| column.source.as_ref()),
        ("name", |column| column.name.as_ref()),
    ];
    for (part, of) in parts {
        let texts: Vec<&Text> = contract
            .columns
            .iter()
            .filter_map(|column| of(column.get_ref()))
            .collect();
        for (i, text) in texts.iter().enumerate() {
            let twin = texts
                .iter()
                .take(i)
                .find(|other| folded(other.get_ref()) == folded(text.get_ref()));
            if let Some(twin) = twin {
                let what = format!(
                    "{part} `{}` is `{}` but for case",
                    text.get_ref(),
                    twin.get_ref()
                );
                report.at(
                    "same-name",
                    at_of(text),
                    what,
                    "alias one of them in the select list",
                );
            }
        }
    }
}

pub(super) fn folded(name: &str) -> String {
    name.to_lowercase()
}

fn key_and_company(contract: &ContractToml, at: usize, report: &mut Report<'_>) {
    let known = |name: &str| {
        let names = contract
            .columns
            .iter()
            .filter_map(|column| column.get_ref().name.as_ref());
        names.into_iter().any(|known| known.get_ref() == name)
    };
    let key = contract
        .key
        .as_ref()
        .filter(|key| !key.get_ref().is_empty());
    match key {
        None => missing(
            report,
            at,
            "contract.key",
            "name the columns that tell every row from every other",
        ),
        Some(key) => {
            for (i, part) in key.get_ref().iter().enumerate() {
                let at = at_of(part);
                if !known(part.get_ref()) {
                    let what = format!(
                        "key names `{}`, which is not a column of the contract",
                        part.get_ref()
                    );
                    report.at("key", at, what, "use canonical names of the contract");
                } else if key
                    .get_ref()
                    .iter()
                    .take(i)
                    .any(|other| other.get_ref() == part.get_ref())
                {
                    report.at(
                        "key",
                        at,
                        format!("key names `{}` twice", part.get_ref()),
                        "name it once",
                    );
                }
            }
        }
    }
    match &contract.company {
        None => missing(
            report,
            at,
            "contract.company",
            "name the column by which totals are grouped",
        ),
        Some(company) if !known(company.get_ref()) => {
            let what = format!(
                "company names `{}`, which is not a column of the contract",
                company.get_ref()
            );
            report.at(
                "key",
                at_of(company),
                what,
                "use a canonical name of the contract",
            );
        }
        Some(_) => {}
    }
}
