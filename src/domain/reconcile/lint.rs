//! What is wrong in a reconciliation contract, before anything is computed with it.

use std::collections::BTreeMap;

use super::RuleError;
use super::contract::{Line, ReconciliationContract, Source};
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::ids::IpeId;

/// Checks a contract against itself.
pub(super) fn check(file: &str, contract: &ReconciliationContract) -> Result<(), RuleError> {
    let refuse = |place: &str, what: String| {
        Err(RuleError {
            file: file.to_owned(),
            place: place.to_owned(),
            what,
        })
    };
    if contract.version == 0 {
        return refuse("version", "0; versions begin with 1".to_owned());
    }
    if let Some(company) = contract
        .outside
        .iter()
        .find(|company| contract.companies.contains_key(*company))
    {
        return refuse(
            "outside",
            format!("{company} is a company of the scope too; it is one or the other"),
        );
    }
    if contract.actual.gl.is_none() {
        return refuse(
            "actual",
            "no `gl`; name the column with the account of a balance".to_owned(),
        );
    }
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut components: BTreeMap<&IpeId, &str> = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for line in &contract.lines {
        if names.contains(&line.id.as_str()) {
            return refuse(&line.id, "two lines have this name; rename one".to_owned());
        }
        names.push(&line.id);
        for gl in &line.gls {
            if let Some(owner) = owners.insert(gl, &line.id) {
                let what =
                    format!("account {gl} belongs to {owner} already; an account has one line");
                return refuse(&line.id, what);
            }
        }
        for target in &line.targets {
            if let Some(owner) = components.insert(&target.item, &line.id) {
                let what = format!(
                    "item {} belongs to {owner} already; a component has one line",
                    target.item
                );
                return refuse(&line.id, what);
            }
        }
        if let Err(what) = whole(contract, line) {
            return refuse(&line.id, what);
        }
    }
    if contract.lines.is_empty() {
        return refuse("line", "there is none; add a [[line]]".to_owned());
    }
    Ok(())
}

/// Checks one line by itself.
fn whole(contract: &ReconciliationContract, line: &Line) -> Result<(), String> {
    if line.gls.is_empty() {
        return Err("no accounts; name those that it owns in `gls`".to_owned());
    }
    if line.targets.is_empty() {
        return Err("no target; add a [[line.target]]".to_owned());
    }
    let split = line.targets.iter().filter(|target| target.gl.is_some());
    let split = split.count();
    if split != 0 && split != line.targets.len() {
        return Err(
            "some targets name a `gl` and some do not; a line is compared by account or as a whole"
                .to_owned(),
        );
    }
    if let Some(company) = line
        .without
        .iter()
        .find(|company| !contract.companies.contains_key(*company))
    {
        return Err(format!(
            "`without` names {company}, which is not in `companies`; take it out"
        ));
    }
    if line.without.len() == contract.companies.len() {
        return Err("no company is left; shorten `without`".to_owned());
    }
    let sources = std::iter::once(&contract.actual).chain(&line.targets);
    for source in sources {
        if source.amount.is_empty() {
            return Err(format!("{} has no amount; name its columns", source.item));
        }
        if let Some(empty) = source.conditions.iter().find(|c| c.is.is_empty()) {
            return Err(format!(
                "{}: `{}` may be nothing; name the values in `is`",
                source.item, empty.column
            ));
        }
    }
    Ok(())
}

/// Checks the columns that a contract names against the contracts of the items that are there.
pub(super) fn fits(
    file: &str,
    contract: &ReconciliationContract,
    items: &BTreeMap<IpeId, &Contract>,
) -> Result<(), RuleError> {
    let refuse = |place: &str, what: String| RuleError {
        file: file.to_owned(),
        place: place.to_owned(),
        what,
    };
    let lines = contract.lines.iter();
    let targets = lines.flat_map(|line| line.targets.iter().map(move |t| (line.id.as_str(), t)));
    for (place, source) in std::iter::once(("actual", &contract.actual)).chain(targets) {
        if let Some(item) = items.get(&source.item) {
            columns(source, item).map_err(|what| refuse(place, what))?;
        }
    }
    let rates = &contract.rates;
    let Some(item) = items.get(&rates.item) else {
        return Ok(());
    };
    let is_text = |kind| kind == ColumnType::Text;
    column(item, &rates.company, "a text", is_text).map_err(|what| refuse("rates", what))?;
    column(item, &rates.rate, "an exact number", is_number).map_err(|what| refuse("rates", what))
}

fn is_number(kind: ColumnType) -> bool {
    kind.scale().is_some()
}

fn columns(source: &Source, contract: &Contract) -> Result<(), String> {
    let is_text = |kind| kind == ColumnType::Text;
    for name in std::iter::once(&source.company).chain(&source.gl) {
        column(contract, name, "a text", is_text)?;
    }
    for term in &source.amount {
        column(contract, &term.column, "an exact number", is_number)?;
    }
    for condition in &source.conditions {
        column(contract, &condition.column, "a column", |_| true)?;
    }
    Ok(())
}

/// Checks that a column is there and of a kind.
fn column(
    contract: &Contract,
    name: &str,
    wanted: &str,
    fits: impl Fn(ColumnType) -> bool,
) -> Result<(), String> {
    let Some(column) = contract.column(name) else {
        let known: Vec<&str> = contract.columns.iter().map(|c| c.name.as_str()).collect();
        return Err(format!(
            "there is no column `{name}`; there are {}",
            known.join(", ")
        ));
    };
    if fits(column.column_type) {
        return Ok(());
    }
    Err(format!(
        "column `{name}` is {}, not {wanted}",
        column.sql_type
    ))
}
