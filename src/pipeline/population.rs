//! The population of an item: asked before the rows in the same view, and looked for in the staged rows afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::Tools;
use super::keys::sidecar;
use super::record::{Executed, ItemRecord};
use crate::domain::contract::Contract;
use crate::domain::ipe::Ipe;
use crate::domain::manifest::Staged;
use crate::domain::population::{Population, PopulationDefinition};
use crate::domain::query::BoundQuery;
use crate::kernels::keys::{hashes, hashes_of};
use crate::kernels::population::{
    base_query, excluded_query, funnel_columns, funnel_query, parse_base, parse_funnel,
};
use crate::kernels::sql;
use crate::ports::{Cell, PortError, PortErrorKind, SmallTable, Snapshot, StoreRoot};

/// Keys that each predicate keeps out and that are looked for: the first ones by key, the same in every run.
const EXCLUDED_MAX: usize = 50;

/// Keys that must not be staged, by the name of the predicate that keeps them out.
pub(super) type Excluded = BTreeMap<String, SmallTable>;

/// Asks everything about the population.
///
/// # Errors
/// `Config` for a population that is not of the item, `Corrupt` for answers of another shape; those of the view.
pub(super) async fn ask(
    tools: &Tools,
    ipe: &Ipe,
    definition: &PopulationDefinition,
    view: &mut dyn Snapshot,
    record: &mut ItemRecord,
) -> Result<Excluded, PortError> {
    let period = record.context.period;
    let population = definition
        .query
        .bind(period)
        .map_err(|error| config(ipe, error.to_string()))?;
    let delivered = view.describe(&population).await?;
    let delivered: Vec<String> = delivered
        .columns
        .into_iter()
        .map(|column| column.name)
        .collect();
    let columns = funnel_columns(&ipe.contract, &delivered).map_err(|what| config(ipe, what))?;
    let base = base_query(definition, period).map_err(|error| config(ipe, error.to_string()))?;
    let mut asker = Asker {
        tools,
        view,
        record,
    };
    let mut found = Population {
        expected: definition.companies.clone(),
        predicates: columns.predicates.clone(),
        amounts: columns
            .amounts
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        base: parse_base(&asker.ask("base", base).await?).map_err(corrupt)?,
        ..Population::default()
    };
    let funnel = asker
        .ask("funnel", funnel_query(&columns, &population))
        .await?;
    found.cells = parse_funnel(&columns, &funnel).map_err(corrupt)?;
    let excluded = ask_predicates(&mut asker, ipe, &population, &mut found).await?;
    record.population = Some(found);
    Ok(excluded)
}

/// For every predicate that keeps something out: keys of such rows, and the rows of the item without it.
async fn ask_predicates(
    asker: &mut Asker<'_>,
    ipe: &Ipe,
    population: &BoundQuery,
    found: &mut Population,
) -> Result<Excluded, PortError> {
    let period = asker.record.context.period;
    let mut excluded = Excluded::new();
    for (place, predicate) in found.predicates.clone().iter().enumerate() {
        if found.only_by(place).is_empty() && found.removed_in_turn(place) == 0 {
            continue;
        }
        let query = excluded_query(&ipe.contract, predicate, population, EXCLUDED_MAX);
        let keys = asker
            .ask(&format!("excluded by: {predicate}"), query)
            .await?;
        excluded.insert(predicate.clone(), keys);
        let Some(without) = ipe.query.without(predicate) else {
            continue;
        };
        let without = without
            .bind(period)
            .map_err(|error| config(ipe, error.to_string()))?;
        let totals = sql::totals_query(&ipe.contract, &without);
        let totals = asker.ask(&format!("without: {predicate}"), totals).await?;
        let totals = sql::parse_totals(&ipe.contract, &totals);
        let totals = totals.map_err(|error| corrupt(error.to_string()))?;
        let rows = totals
            .groups
            .into_iter()
            .map(|(company, group)| (company, group.rows));
        found.without.insert(predicate.clone(), rows.collect());
    }
    Ok(excluded)
}

fn config(ipe: &Ipe, what: String) -> PortError {
    PortError::new(PortErrorKind::Config, what).at("item", ipe.id.to_string())
}

fn corrupt(what: String) -> PortError {
    PortError::new(
        PortErrorKind::Corrupt,
        format!("the population cannot be read: {what}"),
    )
}

/// Asks one small question after the other and notes each in the record.
struct Asker<'a> {
    tools: &'a Tools,
    view: &'a mut dyn Snapshot,
    record: &'a mut ItemRecord,
}

impl Asker<'_> {
    async fn ask(&mut self, purpose: &str, query: BoundQuery) -> Result<SmallTable, PortError> {
        self.record.executed.push(Executed {
            purpose: format!("population, {purpose}"),
            query: query.clone(),
        });
        self.view
            .rows(&query, self.tools.limits.small_rows_max)
            .await
    }
}

/// Looks for the excluded keys among the staged rows, by their hashes.
///
/// # Errors
/// `Config` for a key of a type that cannot be looked for; storage errors.
pub(super) async fn look_for(
    staging: &StoreRoot,
    contract: &Contract,
    staged: &Staged,
    excluded: Excluded,
    population: &mut Population,
) -> Result<(), PortError> {
    let mut wanted: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
    for (predicate, keys) in excluded {
        let hashes = hashes_of(contract, &keys).map_err(|error| {
            PortError::new(PortErrorKind::Config, format!("excluded keys: {error}"))
        })?;
        population
            .looked_for
            .insert(predicate.clone(), u64::try_from(hashes.len()).unwrap_or(0));
        for (hash, row) in hashes.into_iter().zip(&keys.rows) {
            let shown = shown(contract, row);
            wanted
                .entry(hash)
                .or_default()
                .push((predicate.clone(), shown));
        }
    }
    let mut staged_all_the_same = BTreeSet::new();
    for part in &staged.parts {
        let sidecar = sidecar(staging, part).await?;
        staged_all_the_same.extend(hashes(&sidecar).filter(|hash| wanted.contains_key(hash)));
    }
    for hash in staged_all_the_same {
        for (predicate, key) in wanted.remove(&hash).into_iter().flatten() {
            population.present.entry(predicate).or_default().push(key);
        }
    }
    Ok(())
}

/// A key for people; a personal value is masked.
fn shown(contract: &Contract, row: &[Cell]) -> String {
    let pieces = contract.key.iter().zip(row).map(|(name, cell)| {
        let is_personal = contract.column(name).is_some_and(|column| column.personal);
        let value = match cell {
            _ if is_personal => "(personal)".to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Int(number) => number.to_string(),
            Cell::Decimal(amount) => amount.to_string(),
            Cell::Date(date) => date.to_string(),
            Cell::DateTime(moment) => moment.to_string(),
            Cell::Null => "null".to_owned(),
            Cell::Bool(_) | Cell::Bytes(_) => "…".to_owned(),
        };
        format!("{name} = {value}")
    });
    pieces.collect::<Vec<_>>().join(", ")
}
