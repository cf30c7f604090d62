//! What is wrong in a reconciliation contract, before anything is computed with it.

use std::collections::{BTreeMap, BTreeSet};

use super::RuleError;
use super::contract::{
    Assumption, Bridge, Condition, Effect, Line, ReconciliationContract, Sign, Source, Test, Value,
};
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::ids::IpeId;

/// A place in the contract, and what is wrong there.
type Wrong = (String, String);

fn at(place: &str, what: impl Into<String>) -> Wrong {
    (place.to_owned(), what.into())
}

/// Checks a contract against itself.
pub(super) fn check(file: &str, contract: &ReconciliationContract) -> Result<(), RuleError> {
    let checks = head(contract)
        .and_then(|()| owners(contract))
        .and_then(|()| lines(contract))
        .and_then(|()| bridges(contract))
        .and_then(|()| rest(contract));
    checks.map_err(|(place, what)| RuleError {
        file: file.to_owned(),
        place,
        what,
    })
}

fn head(contract: &ReconciliationContract) -> Result<(), Wrong> {
    if contract.version == 0 {
        return Err(at("version", "0; versions begin with 1"));
    }
    if contract.lines.is_empty() {
        return Err(at("line", "there is none; add a [[line]]"));
    }
    let capitals = |text: &str, len: usize| {
        text.len() == len && text.chars().all(|letter| letter.is_ascii_uppercase())
    };
    for (code, company) in &contract.companies {
        if !capitals(&company.country, 2) || !capitals(&company.currency, 3) {
            let what = format!(
                "{code}: country `{}` and currency `{}`; write their ISO codes",
                company.country, company.currency
            );
            return Err(at("companies", what));
        }
        if contract.outside.contains(code) {
            let what = format!("{code} is a company of the scope too; it is one or the other");
            return Err(at("outside", what));
        }
    }
    let actual = &contract.actual;
    if actual.gl.is_none() {
        return Err(at(
            "actual",
            "no `gl`; name the column with the account of a balance",
        ));
    }
    if actual.sign != Sign::Plus || !actual.conditions.is_empty() {
        return Err(at(
            "actual",
            "balances are taken as the ledger has them, all of them: take out `sign` and `only`",
        ));
    }
    source(actual).map_err(|what| at("actual", what))
}

/// A name, an account and an item belong to one line.
fn owners(contract: &ReconciliationContract) -> Result<(), Wrong> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut components: BTreeMap<&IpeId, &str> = BTreeMap::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let lines = contract.lines.iter().map(|line| &line.id);
    let bridges = contract.bridges.iter().map(|bridge| &bridge.id);
    let checks = contract.zero_checks.iter().map(|check| &check.id);
    for id in lines.chain(bridges).chain(checks) {
        if id.trim().is_empty() || !names.insert(id) {
            return Err(at(id, "two lines have this name, or none; rename one"));
        }
    }
    for line in &contract.lines {
        for gl in &line.gls {
            if let Some(owner) = owners.insert(gl, &line.id) {
                let what =
                    format!("account {gl} belongs to {owner} already; an account has one line");
                return Err(at(&line.id, what));
            }
            if contract.uncovered.contains_key(gl) {
                let what = format!("account {gl} is in `uncovered` too; take it out of one");
                return Err(at(&line.id, what));
            }
        }
        for target in &line.targets {
            if let Some(owner) = components.insert(&target.item, &line.id) {
                let item = &target.item;
                let what = format!("item {item} belongs to {owner} already; an item has one line");
                return Err(at(&line.id, what));
            }
        }
    }
    Ok(())
}

fn lines(contract: &ReconciliationContract) -> Result<(), Wrong> {
    for line in &contract.lines {
        whole(contract, line).map_err(|what| at(&line.id, what))?;
    }
    Ok(())
}

/// Checks one line by itself.
fn whole(contract: &ReconciliationContract, line: &Line) -> Result<(), String> {
    if line.gls.is_empty() {
        return Err("no accounts; name those that it owns in `gls`".to_owned());
    }
    if let Some(gl) = line.gls.iter().find(|gl| gl.is_empty() || gl.trim() != *gl) {
        return Err(format!("`{gl}` is no account; write it without blanks"));
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
    if split != 0 && line.gls.len() > 1 && !line.bridges.is_empty() {
        let bridges = line.bridges.join(", ");
        return Err(format!(
            "{bridges} would explain each of its accounts at once; a line that is compared by account has one where it has bridges"
        ));
    }
    let unknown = |company: &&String| !contract.companies.contains_key(*company);
    if let Some(company) = line.without.iter().find(unknown) {
        return Err(format!(
            "`without` names {company}, which is not in `companies`; take it out"
        ));
    }
    if line.without.len() == contract.companies.len() {
        return Err("no company is left; shorten `without`".to_owned());
    }
    for target in &line.targets {
        if target.sign == Sign::Unknown && !line.memo {
            let item = &target.item;
            return Err(format!(
                "the sign of {item} is 0; a line with a verdict needs 1 or -1"
            ));
        }
        source(target)?;
        target.matchable(line)?;
    }
    confirmed(&line.assumptions)
}

/// Checks what is added of an item.
fn source(source: &Source) -> Result<(), String> {
    let item = &source.item;
    if source.amount.is_empty() {
        return Err(format!("{item} has no amount; name its columns"));
    }
    let mut columns = BTreeSet::new();
    for term in &source.amount {
        if !columns.insert(&term.column) {
            return Err(format!(
                "{item}: `{}` stands twice in the amount; take one out",
                term.column
            ));
        }
    }
    for Condition { column, test } in &source.conditions {
        match test {
            Test::Is(values) if values.is_empty() => {
                return Err(format!(
                    "{item}: `{column}` may be nothing; name the values in `is`"
                ));
            }
            Test::Meets(patterns) => patterns
                .check(&format!("{item}: `{column}`"))
                .map_err(|error| error.to_string())?,
            Test::Is(_) | Test::AtLeast(_) | Test::Below(_) => {}
        }
    }
    Ok(())
}

fn bridges(contract: &ReconciliationContract) -> Result<(), Wrong> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for bridge in &contract.bridges {
        let wrong = |what: String| at(&bridge.id, what);
        let line = bridge.line.as_ref();
        let line = line.map(|id| (id, contract.lines.iter().find(|line| line.id == *id)));
        if let Some((id, None)) = line {
            return Err(wrong(format!("there is no line {id}; name one that is")));
        }
        confirmed(&bridge.assumptions).map_err(wrong)?;
        if bridge.effect == Effect::Listed {
            continue;
        }
        let Some((_, Some(line))) = line else {
            return Err(wrong(
                "it explains no line; name its `line`, or write effect = \"listed\"".to_owned(),
            ));
        };
        if line.memo {
            return Err(wrong(format!(
                "{} is a memo, which has nothing to explain",
                line.id
            )));
        }
        explains(bridge, &mut taken).map_err(wrong)?;
    }
    Ok(())
}

/// A bridge that explains says what it needs and takes no amount that another has taken.
fn explains<'a>(bridge: &'a Bridge, taken: &mut BTreeMap<&'a str, &'a str>) -> Result<(), String> {
    let inputs: Vec<&str> = bridge
        .inputs
        .iter()
        .chain(&bridge.files)
        .map(IpeId::as_str)
        .collect();
    if bridge.inputs.is_empty() || bridge.amounts.is_empty() {
        return Err("what explains names its `inputs` and its `amounts`".to_owned());
    }
    for amount in &bridge.amounts {
        let item = amount.split_once('.').map_or("", |(item, _)| item);
        if !inputs.contains(&item) {
            return Err(format!(
                "`{amount}` is of no input; write ITEM.column of one in `inputs` or `files`"
            ));
        }
        if let Some(owner) = taken.insert(amount, &bridge.id) {
            return Err(format!(
                "{amount} is in {owner} already; no amount explains twice"
            ));
        }
    }
    Ok(())
}

fn rest(contract: &ReconciliationContract) -> Result<(), Wrong> {
    confirmed(&contract.assumptions).map_err(|what| at("assumptions", what))?;
    let empty = contract
        .uncovered
        .iter()
        .find(|(_, why)| why.trim().is_empty());
    if let Some((gl, _)) = empty {
        return Err(at(
            "uncovered",
            format!("{gl}: say why no line compares it"),
        ));
    }
    Ok(())
}

fn confirmed(assumptions: &[Assumption]) -> Result<(), String> {
    let nobody = |one: &&Assumption| {
        let by = one.confirmed.as_ref().map(|confirmed| confirmed.by.trim());
        by == Some("")
    };
    match assumptions.iter().find(nobody) {
        Some(one) => Err(format!(
            "`{}`: `confirmed_by` names nobody; name who confirmed it, or leave it a text",
            one.text
        )),
        None => Ok(()),
    }
}

/// Checks the columns that a contract names against the contracts of the items.
pub(super) fn fits(
    file: &str,
    contract: &ReconciliationContract,
    items: &BTreeMap<IpeId, &Contract>,
) -> Result<(), RuleError> {
    let refuse = |(place, what): Wrong| RuleError {
        file: file.to_owned(),
        place,
        what,
    };
    let lines = contract.lines.iter();
    let targets = lines.flat_map(|line| line.targets.iter().map(move |t| (line.id.as_str(), t)));
    for (place, source) in std::iter::once(("actual", &contract.actual)).chain(targets) {
        if let Some(item) = items.get(&source.item) {
            columns(source, item).map_err(|what| refuse(at(place, what)))?;
        }
    }
    for bridge in &contract.bridges {
        for amount in &bridge.amounts {
            let named = amount.split_once('.');
            let known =
                named.and_then(|(item, name)| Some((items.get(&item.parse().ok()?)?, name)));
            if let Some((item, name)) = known {
                column(item, name, "an exact number", is_number)
                    .map_err(|what| refuse(at(&bridge.id, what)))?;
            }
        }
    }
    let rates = &contract.rates;
    let other = rates.compared_with.iter();
    let other = other.map(|it| (&it.item, vec![&it.company, &it.currency], &it.rate));
    let own = (&rates.item, vec![&rates.company], &rates.rate);
    for (item, texts, rate) in other.chain([own]) {
        let Some(item) = items.get(item) else {
            continue;
        };
        let mut texts = texts.into_iter();
        texts
            .try_for_each(|name| column(item, name, "a text", is_text))
            .and_then(|()| column(item, rate, "an exact number", is_number))
            .map_err(|what| refuse(at("rates", what)))?;
    }
    Ok(())
}

fn is_number(kind: ColumnType) -> bool {
    kind.scale().is_some()
}

fn is_text(kind: ColumnType) -> bool {
    kind == ColumnType::Text
}

fn columns(source: &Source, contract: &Contract) -> Result<(), String> {
    for name in std::iter::once(&source.company).chain(&source.gl) {
        column(contract, name, "a text", is_text)?;
    }
    for term in &source.amount {
        column(contract, &term.column, "an exact number", is_number)?;
    }
    for condition in &source.conditions {
        comparable(contract, condition)?;
    }
    let matched = source.matching.iter();
    let matched = matched.flat_map(|keys| keys.source.iter().chain(&keys.date));
    for name in source.key.iter().chain(matched) {
        column(contract, name, "a column", |_| true)?;
    }
    let more = |name: &&String| !source.key.is_empty() && !source.key.contains(*name);
    match contract.key.iter().find(more) {
        Some(name) => Err(format!(
            "{} is unique only with `{name}`, which is no part of the true key; mend the item's key, or `key` here",
            source.item
        )),
        None => Ok(()),
    }
}

/// Checks that a cell can be what a condition says.
fn comparable(contract: &Contract, condition: &Condition) -> Result<(), String> {
    let name = &condition.column;
    match &condition.test {
        Test::Is(values) => values.iter().try_for_each(|value| match value {
            Value::Text(_) => column(contract, name, "a text", is_text),
            Value::Int(0 | 1) => column(contract, name, "a number or a flag", |kind| {
                is_number(kind) || kind == ColumnType::Bool
            }),
            Value::Int(_) => column(contract, name, "a number", is_number),
        }),
        Test::Meets(_) => column(contract, name, "a text", is_text),
        Test::AtLeast(_) | Test::Below(_) => column(contract, name, "a date", |kind| {
            matches!(kind, ColumnType::Date | ColumnType::DateTime)
        }),
    }
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

#[cfg(test)]
#[path = "match_tests.rs"]
mod tests;
