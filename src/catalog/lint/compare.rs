//! What only both files together can say.

use toml::Spanned;

use super::contract::{Text, at_of, folded};
use super::select::{Output, databases, outputs};
use super::{Report, Sql};
use crate::catalog::file::{ContractToml, ItemToml};

/// Applies the rules: the select list is the contract, and the databases are those of the query.
pub(super) fn check(
    toml: &ItemToml,
    sql: &Sql<'_>,
    contract: &mut Report<'_>,
    query: &mut Report<'_>,
) {
    if let Some(listed) = &toml.databases {
        for (name, at) in databases(&sql.tokens) {
            if !listed
                .get_ref()
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name))
            {
                let what =
                    format!("the query reads database [{name}], which ipe.toml does not name");
                query.at(
                    "database",
                    at,
                    what,
                    "add it to databases: every one must be part of the one view",
                );
            }
        }
    }
    let (Some(outputs), Some(toml)) = (outputs(&sql.tokens), &toml.contract) else {
        return;
    };
    unnamed_and_double(&outputs, query);
    let columns = &toml.get_ref().columns;
    let sources: Vec<&Text> = columns
        .iter()
        .filter_map(|column| column.get_ref().source.as_ref())
        .collect();
    // The columns that both have, so that one that is missing does not shift all others.
    let known = |name: &&str| sources.iter().any(|source| source.get_ref() == *name);
    let names = outputs.iter().filter_map(|output| output.name.as_deref());
    let mut common = names.filter(known);
    for source in &sources {
        let name = source.get_ref();
        if !outputs
            .iter()
            .any(|output| output.name.as_ref() == Some(name))
        {
            lacks(toml.get_ref(), source, &outputs, contract);
        } else if let Some(other) = common.next().filter(|other| other != name) {
            let what = format!("column `{name}` stands where the select list has `{other}`");
            contract.at(
                "column-order",
                at_of(source),
                what,
                "write both in one order",
            );
        }
    }
    for output in &outputs {
        let Some(name) = &output.name else { continue };
        if !sources
            .iter()
            .any(|source| folded(source.get_ref()) == folded(name))
        {
            let what = format!("column `{name}` of the select list is not in the contract");
            query.at(
                "column-extra",
                output.start,
                what,
                "add it to ipe.toml, or remove it here",
            );
        }
    }
}

/// A column of the contract that the select list lacks.
fn lacks(toml: &ContractToml, source: &Text, outputs: &[Output], report: &mut Report<'_>) {
    let name = source.get_ref();
    let mut names = outputs.iter().filter_map(|output| output.name.as_deref());
    let what = match names.find(|other| folded(other) == folded(name)) {
        Some(other) => format!("column `{name}` is spelled `{other}` in the select list"),
        None => format!("column `{name}` is not in the select list"),
    };
    let canonical = toml
        .columns
        .iter()
        .map(Spanned::get_ref)
        .find(|column| column.source.as_ref() == Some(source));
    let canonical = canonical
        .and_then(|column| column.name.as_ref())
        .map(Spanned::get_ref);
    let is_key = toml.key.as_ref().is_some_and(|key| {
        key.get_ref()
            .iter()
            .any(|part| Some(part.get_ref()) == canonical)
    });
    let what = if is_key {
        format!("{what}, and it is part of the key")
    } else {
        what
    };
    report.at(
        "column-missing",
        at_of(source),
        what,
        "select it under exactly this name, in this place",
    );
}

fn unnamed_and_double(outputs: &[Output], report: &mut Report<'_>) {
    for (i, output) in outputs.iter().enumerate() {
        let Some(name) = &output.name else {
            let what = format!("column {} of the select list has no name", i + 1);
            report.at(
                "column-unnamed",
                output.start,
                what,
                "write AS [name] behind the expression",
            );
            continue;
        };
        let twin = outputs
            .iter()
            .take(i)
            .filter_map(|other| other.name.as_deref());
        if let Some(twin) = twin.into_iter().find(|twin| folded(twin) == folded(name)) {
            let what = format!("column `{name}` of the select list is `{twin}` but for case");
            report.at("same-name", output.start, what, "alias one of them");
        }
    }
}
