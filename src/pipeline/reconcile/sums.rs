//! Sums and rates of a package's parts, part by part: each is read once and proven to be what was staged.

use std::collections::BTreeMap;

use tokio::task::spawn_blocking;

use super::Sources;
use super::inputs::Packaged;
use crate::domain::amount::Amount;
use crate::domain::limits::Limits;
use crate::domain::manifest::Staged;
use crate::domain::reconcile::contract::{ReconciliationContract, Source};
use crate::domain::reconcile::rate_source::{ComparedRates, RateSource};
use crate::kernels::bigquery::sums::{parse, query};
use crate::kernels::reconcile::filter::{Condition, Test};
use crate::kernels::reconcile::sums::{SumSpec, Summing, Sums};
use crate::kernels::reconcile::{ReconcileError, StagedReader, StagedTable};
use crate::pipeline::stage::read_back;
use crate::ports::{PortError, PortErrorKind, StoreRoot, Warehouse};

/// What to do where the warehouse does not hold what was staged.
pub(super) const LOADED_OTHERWISE: &str =
    "reconcile from the packages (--engine local), or load the month again";

/// What an expression of the contract comes to, in ledger sign.
pub(super) async fn sum(
    sources: Sources<'_>,
    package: &Packaged,
    source: &Source,
) -> Result<Sums, PortError> {
    let spec = SumSpec::of(source, package.record.context.period);
    sum_of(sources, package, spec).await
}

/// What a sum of one's own comes to.
pub(super) async fn sum_of(
    sources: Sources<'_>,
    package: &Packaged,
    spec: SumSpec,
) -> Result<Sums, PortError> {
    if let Some(engine) = sources.engine {
        return loaded(engine, sources.limits, package, &spec).await;
    }
    let summing = Summing::new(spec, &package.record.contract);
    let mut summing = summing.map_err(|error| failed(package, &error))?;
    let staging = staging(sources, package)?;
    for part in package
        .record
        .staged
        .iter()
        .flat_map(|staged| &staged.parts)
    {
        let bytes = read_back(&staging, part).await?;
        summing = spawn_blocking(move || summing.add(bytes).map(|()| summing))
            .await
            .map_err(|lost| PortError::new(PortErrorKind::Corrupt, format!("summing: {lost}")))?
            .map_err(|error| failed(package, &error))?;
    }
    summing.finish().map_err(|error| failed(package, &error))
}

/// The same over the month that the package was loaded into: every row that it staged must be there, and of its run.
async fn loaded(
    engine: &dyn Warehouse,
    limits: &Limits,
    package: &Packaged,
    spec: &SumSpec,
) -> Result<Sums, PortError> {
    let record = &package.record;
    let (run, period) = (&record.context.run_id, record.context.period);
    let table = engine.name_of(&record.ipe.table_name());
    let sql = query(&table, period, run, &record.contract, spec);
    let sql = sql.map_err(|error| failed(package, &error))?;
    let answer = engine.rows(&sql, limits.small_rows_max).await?;
    let sums = parse(&record.contract, spec, &answer).map_err(|error| failed(package, &error))?;
    let seen: u64 = sums.groups.values().map(|sum| sum.rows_seen).sum();
    let staged = record.staged.as_ref().map_or(0, Staged::rows);
    if seen != staged {
        let what = format!(
            "{} {period} holds {seen} rows of run {run} in the warehouse, and its package {staged}",
            record.ipe
        );
        return Err(PortError::new(PortErrorKind::Corrupt, what)
            .at("package", package.uri.clone())
            .hint(LOADED_OTHERWISE));
    }
    Ok(sums)
}

/// Columns of the rows that conditions do not exclude.
pub(super) async fn table(
    sources: Sources<'_>,
    package: &Packaged,
    columns: &[&str],
    keep: Vec<Condition>,
) -> Result<StagedTable, PortError> {
    let rows_max = sources.limits.reconcile_rows_max;
    let rows = rows(sources, package, columns, keep).await?;
    rows.ok_or_else(|| failed(package, &ReconcileError::TooManyRows { rows_max }))
}

/// The same; `None` where they are more than may be held at once.
async fn rows(
    sources: Sources<'_>,
    package: &Packaged,
    columns: &[&str],
    keep: Vec<Condition>,
) -> Result<Option<StagedTable>, PortError> {
    let rows_max = sources.limits.reconcile_rows_max;
    let reader = StagedReader::new(&package.record.contract, columns, keep, rows_max);
    let mut reader = reader.map_err(|error| failed(package, &error))?;
    let staging = staging(sources, package)?;
    for part in package
        .record
        .staged
        .iter()
        .flat_map(|staged| &staged.parts)
    {
        let bytes = read_back(&staging, part).await?;
        let added = spawn_blocking(move || reader.add(bytes).map(|()| reader));
        let added = added
            .await
            .map_err(|lost| PortError::new(PortErrorKind::Corrupt, format!("reading: {lost}")))?;
        reader = match added {
            Ok(reader) => reader,
            Err(ReconcileError::TooManyRows { .. }) => return Ok(None),
            Err(error) => return Err(failed(package, &error)),
        };
    }
    Ok(Some(reader.finish()))
}

/// Rows that are held at once, or why they are more than may be.
pub(super) type Held = Result<StagedTable, String>;

/// The same as [`table`], where nothing but what is computed with the rows depends on them. Any other limit is an error: it
/// says nothing of how many rows there are.
pub(super) async fn held(
    sources: Sources<'_>,
    package: &Packaged,
    columns: &[&str],
    keep: Vec<Condition>,
) -> Result<Held, PortError> {
    if let Some(rows) = rows(sources, package, columns, keep).await? {
        return Ok(Ok(rows));
    }
    let rows = package.record.staged.as_ref().map_or(0, Staged::rows);
    let (item, rows_max) = (&package.record.ipe, sources.limits.reconcile_rows_max);
    let why =
        format!("{item} has {rows} rows, and more than {rows_max} of them would be held at once");
    Ok(Err(why))
}

/// Computes beside the async threads.
pub(super) async fn computed<T: Send + 'static>(
    package: &Packaged,
    compute: impl FnOnce() -> Result<T, ReconcileError> + Send + 'static,
) -> Result<T, PortError> {
    let found = spawn_blocking(compute).await;
    let found = found
        .map_err(|lost| PortError::new(PortErrorKind::Corrupt, format!("computing: {lost}")))?;
    found.map_err(|error| failed(package, &error))
}

/// Company and rate of every row.
pub(super) async fn rates(
    sources: Sources<'_>,
    package: &Packaged,
    rates: &RateSource,
) -> Result<Vec<(String, Option<Amount>)>, PortError> {
    let columns = [rates.company.as_str(), rates.rate.as_str()];
    let table = table(sources, package, &columns, Vec::new()).await?;
    let rates = rates.clone();
    computed(package, move || {
        let companies = table.codes(&rates.company)?.into_iter();
        let rows = companies.zip(table.amounts(&rates.rate)?);
        let rows = rows.map(|(company, rate)| (company.unwrap_or_default(), rate));
        Ok(rows.collect())
    })
    .await
}

/// Every rate that an item has beside amounts of a company's own currency, each once.
pub(super) async fn rates_beside(
    sources: Sources<'_>,
    package: &Packaged,
    contract: &ReconciliationContract,
    beside: &ComparedRates,
) -> Result<BTreeMap<String, Vec<Amount>>, PortError> {
    let columns = [&beside.company, &beside.currency, &beside.rate].map(String::as_str);
    let known = Condition::new(&beside.rate, Test::IsNotNull);
    let table = table(sources, package, &columns, vec![known]).await?;
    let (scope, beside) = (contract.companies.clone(), beside.clone());
    computed(package, move || {
        let companies = table.codes(&beside.company)?.into_iter();
        let currencies = table.codes(&beside.currency)?;
        let rates = table.amounts(&beside.rate)?;
        let mut found: BTreeMap<String, Vec<Amount>> = BTreeMap::new();
        for ((company, currency), rate) in companies.zip(currencies).zip(rates) {
            let (Some(company), Some(currency), Some(rate)) = (company, currency, rate) else {
                continue;
            };
            let own = scope.get(&company);
            if own.is_some_and(|own| own.currency == currency) {
                let known = found.entry(company).or_default();
                if !known.contains(&rate) {
                    known.push(rate);
                }
            }
        }
        Ok(found)
    })
    .await
}

pub(super) fn staging(sources: Sources<'_>, package: &Packaged) -> Result<StoreRoot, PortError> {
    match sources.staging {
        Some(staging) => Ok(staging.clone()),
        None => (sources.open)(&package.record.places.staging),
    }
}

/// A sum beyond 38 digits.
pub(super) fn failed_amount(error: impl std::fmt::Display) -> PortError {
    PortError::new(PortErrorKind::Limit, error.to_string())
}

pub(super) fn failed(package: &Packaged, error: &ReconcileError) -> PortError {
    let kind = match error {
        ReconcileError::Amount { .. } | ReconcileError::TooManyRows { .. } => PortErrorKind::Limit,
        _ => PortErrorKind::Corrupt,
    };
    PortError::new(kind, error.to_string()).at("package", package.uri.clone())
}
