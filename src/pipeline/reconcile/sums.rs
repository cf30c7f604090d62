//! Sums and rates of a package's parts, part by part: each is read once and proven to be what was staged.

use tokio::task::spawn_blocking;

use super::Sources;
use super::inputs::Packaged;
use crate::domain::amount::Amount;
use crate::domain::reconcile::contract::{RateSource, Source};
use crate::kernels::reconcile::sums::{SumSpec, Summing, Sums};
use crate::kernels::reconcile::{ReconcileError, StagedReader};
use crate::pipeline::stage::read_back;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// What an expression of the contract comes to, in ledger sign.
pub(super) async fn sum(
    sources: Sources<'_>,
    package: &Packaged,
    source: &Source,
) -> Result<Sums, PortError> {
    let spec = SumSpec::of(source, package.record.context.period);
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

/// Company and rate of every row.
pub(super) async fn rates(
    sources: Sources<'_>,
    package: &Packaged,
    rates: &RateSource,
) -> Result<Vec<(String, Option<Amount>)>, PortError> {
    let failed = |error: ReconcileError| failed(package, &error);
    let columns = [rates.company.as_str(), rates.rate.as_str()];
    let rows_max = sources.limits.reconcile_rows_max;
    let reader = StagedReader::new(&package.record.contract, &columns, Vec::new(), rows_max);
    let mut reader = reader.map_err(failed)?;
    let staging = staging(sources, package)?;
    for part in package
        .record
        .staged
        .iter()
        .flat_map(|staged| &staged.parts)
    {
        let bytes = read_back(&staging, part).await?;
        reader = spawn_blocking(move || reader.add(bytes).map(|()| reader))
            .await
            .map_err(|lost| PortError::new(PortErrorKind::Corrupt, format!("reading: {lost}")))?
            .map_err(failed)?;
    }
    let table = reader.finish();
    let companies = table.texts(&rates.company).map_err(failed)?;
    let amounts = table.amounts(&rates.rate).map_err(failed)?;
    let rows = companies.into_iter().zip(amounts);
    Ok(rows
        .map(|(company, rate)| (company.unwrap_or_default(), rate))
        .collect())
}

fn staging(sources: Sources<'_>, package: &Packaged) -> Result<StoreRoot, PortError> {
    match sources.staging {
        Some(staging) => Ok(staging.clone()),
        None => (sources.open)(&package.record.places.staging),
    }
}

fn failed(package: &Packaged, error: &ReconcileError) -> PortError {
    let kind = match error {
        ReconcileError::Amount { .. } | ReconcileError::TooManyRows { .. } => PortErrorKind::Limit,
        _ => PortErrorKind::Corrupt,
    };
    PortError::new(kind, error.to_string()).at("package", package.uri.clone())
}
