//! The population of an item: asked before the rows in the same view, and looked for in the staged rows afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::places;
use super::record::{Executed, ItemRecord};
use super::{Tools, previous, witness};
use crate::domain::contract::Contract;
use crate::domain::ipe::Ipe;
use crate::domain::manifest::Staged;
use crate::domain::period::Period;
use crate::domain::population::{Population, PopulationDefinition};
use crate::domain::query::BoundQuery;
use crate::domain::scope::Scope;
use crate::domain::sequence::{NumbersThen, PreviousMonth};
use crate::kernels::cells::shown;
use crate::kernels::keys::hashes_of;
use crate::kernels::population::{
    COMPANY, base_query, columns_query, excluded_query, funnel_columns, funnel_query, parse_base,
    parse_funnel,
};
use crate::kernels::scope::{companies, parse_scope, scope_query};
use crate::kernels::sequence::{between_query, parse_between};
use crate::kernels::sql;
use crate::ports::{PortError, PortErrorKind, SmallTable, Snapshot, StoreRoot};

/// Keys that each predicate keeps out and that are looked for: the first ones by key, the same in every run.
const EXCLUDED_MAX: usize = 50;

/// Keys that must not be staged, by the name of the predicate that keeps them out.
type Excluded = BTreeMap<String, SmallTable>;

/// What was asked before the rows and is looked for among them afterwards.
#[derive(Default)]
pub(super) struct Questions {
    excluded: Excluded,
    pub(super) witnesses: Option<witness::Asked>,
}

impl Questions {
    /// Of an item without a population: its witnesses alone.
    pub(super) fn of_witnesses(asked: witness::Asked) -> Self {
        Self {
            excluded: Excluded::new(),
            witnesses: Some(asked),
        }
    }
}

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
) -> Result<Questions, PortError> {
    let period = record.context.period;
    let population = definition
        .query
        .bind(period)
        .map_err(|error| config(ipe, error.to_string()))?;
    let mut asker = Asker {
        tools,
        view,
        record,
    };
    let delivered = delivered(&mut asker, &population).await?;
    let columns = funnel_columns(&ipe.contract, &delivered).map_err(|what| config(ipe, what))?;
    let base = base_query(definition, period).map_err(|error| config(ipe, error.to_string()))?;
    let mut found = Population {
        expected: definition.companies.clone(),
        freshness: definition.freshness.clone(),
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
    for rule in &definition.scopes {
        let cells = if rule.column == COMPANY {
            companies(&columns, &funnel)
        } else {
            let query = scope_query(&columns, &rule.column, &population);
            let purpose = format!("values of {}", rule.column);
            parse_scope(&columns, &asker.ask(&purpose, query).await?)
        };
        let (rule, cells) = (rule.clone(), cells.map_err(corrupt)?);
        found.scopes.push(Scope { rule, cells });
    }
    if definition.sequence.is_some() {
        found.previous = ask_previous(&mut asker, ipe, definition).await?;
    }
    let excluded = ask_predicates(&mut asker, ipe, &population, &mut found).await?;
    let witnesses = match &ipe.witness {
        None => None,
        Some(rule) => Some(witness::ask(&mut asker, ipe, rule, &columns, &population).await?),
    };
    record.population = Some(found);
    Ok(Questions {
        excluded,
        witnesses,
    })
}

/// The names of the population's columns: as the server describes them, or as it announces them for no row.
async fn delivered(
    asker: &mut Asker<'_>,
    population: &BoundQuery,
) -> Result<Vec<String>, PortError> {
    match asker.view.describe(population).await {
        Err(error) if error.kind == PortErrorKind::Unsupported => {
            let query = columns_query(population);
            Ok(asker.ask("columns", query).await?.columns)
        }
        described => {
            let columns = described?.columns.into_iter();
            Ok(columns.map(|column| column.name).collect())
        }
    }
}

/// Counts the rows of last month's running numbers again: up to last month's cutoff, and up to this one.
async fn ask_previous(
    asker: &mut Asker<'_>,
    ipe: &Ipe,
    definition: &PopulationDefinition,
) -> Result<Option<PreviousMonth>, PortError> {
    let period = asker.record.context.period;
    let Ok(month) = period.previous() else {
        return Ok(None);
    };
    let Some(counted) = previous::find(&asker.tools.evidence, &ipe.id, month).await? else {
        return Ok(None);
    };
    let numbers = counted.companies.iter();
    let numbers: BTreeMap<String, (i64, i64)> = numbers
        .map(|(company, (_, first, last))| (company.clone(), (*first, *last)))
        .collect();
    let mut again = Vec::new();
    for cutoff in [month, period] {
        let query = between_query(definition, cutoff, &numbers)
            .map_err(|error| config(ipe, error.to_string()))?;
        let Some(query) = query else { return Ok(None) };
        let answer = asker
            .ask_for(previous_purpose(month, cutoff), query)
            .await?;
        again.push(parse_between(&answer).map_err(corrupt)?);
    }
    let rows_of = |place: usize, company: &str| {
        let rows = again.get(place).and_then(|rows| rows.get(company));
        rows.copied().unwrap_or_default()
    };
    let companies = counted.companies.into_iter();
    let companies = companies.map(|(company, (rows, first, last))| {
        let numbers = NumbersThen {
            first,
            last,
            rows,
            still: rows_of(0, &company),
            now: rows_of(1, &company),
        };
        (company, numbers)
    });
    Ok(Some(PreviousMonth {
        companies: companies.collect(),
        period: counted.period,
        run_id: counted.run_id,
        state: counted.state,
        manifest_sha256: counted.manifest_sha256,
    }))
}

/// What the running numbers of `month` are counted for, up to the cutoff of another.
pub(super) fn previous_purpose(month: Period, cutoff: Period) -> String {
    format!("population, numbers of {month} up to the cutoff of {cutoff}")
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
pub(super) struct Asker<'a> {
    tools: &'a Tools,
    view: &'a mut dyn Snapshot,
    pub(super) record: &'a mut ItemRecord,
}

impl Asker<'_> {
    async fn ask(&mut self, purpose: &str, query: BoundQuery) -> Result<SmallTable, PortError> {
        let purpose = format!("population, {purpose}");
        self.ask_for(purpose, query).await
    }

    pub(super) async fn ask_for(
        &mut self,
        purpose: String,
        query: BoundQuery,
    ) -> Result<SmallTable, PortError> {
        self.note(purpose, query.clone());
        self.rows(&query).await
    }

    /// Notes what is executed.
    pub(super) fn note(&mut self, purpose: String, query: BoundQuery) {
        self.record.executed.push(Executed { purpose, query });
    }

    /// Asks without a note.
    pub(super) async fn rows(&mut self, query: &BoundQuery) -> Result<SmallTable, PortError> {
        let rows_max = self.tools.limits.small_rows_max;
        self.view.rows(query, rows_max).await
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
    questions: &Questions,
    population: &mut Population,
) -> Result<(), PortError> {
    let mut wanted: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
    for (predicate, keys) in &questions.excluded {
        let hashes = hashes_of(contract, keys).map_err(|error| {
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
    let looked_for: BTreeSet<u64> = wanted.keys().copied().collect();
    let mut staged_all_the_same = BTreeSet::new();
    for part in &staged.parts {
        let places = places(staging, part, &looked_for).await?;
        staged_all_the_same.extend(places.iter().map(|place| place.hash));
    }
    for hash in staged_all_the_same {
        for (predicate, key) in wanted.remove(&hash).into_iter().flatten() {
            population.present.entry(predicate).or_default().push(key);
        }
    }
    Ok(())
}
