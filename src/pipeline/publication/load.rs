//! Staging and loading a published table: one part, proven as the parts of an item are, and counted where it was loaded.

use tokio::task::spawn_blocking;

use super::line::Noted;
use super::{PublishedTable, Publisher};
use crate::domain::contract::Contract;
use crate::domain::digest::{TableDigest, differing_buckets};
use crate::domain::ids::IpeId;
use crate::domain::manifest::PartFile;
use crate::domain::period::Period;
use crate::domain::run::{RowMetadata, RunContext};
use crate::domain::totals::ControlTotals;
use crate::kernels::cells::own_batch;
use crate::kernels::conform::Conform;
use crate::pipeline::extract::RowFold;
use crate::pipeline::lease::Lease;
use crate::pipeline::stage::{FinishedPart, PartLayout, provenance, read_back, store_part};
use crate::ports::{LoadJob, PortError, PortErrorKind, ReadBack, SourceColumn};
use crate::report::published::MonthTable;

/// Folder of published tables below the staging root; no item has such a name, so that cleaning passes it by.
const FOLDER: &str = "soxauto-tables";

/// A table as it was staged.
#[derive(Debug, Clone)]
pub struct StagedTable {
    name: &'static str,
    contract: Contract,
    period: Period,
    metadata: RowMetadata,
    part: PartFile,
    digest: TableDigest,
    /// Digest of each bucket, in their order.
    buckets: Vec<TableDigest>,
    totals: ControlTotals,
}

/// Stages a table under the name of its publication, and reads the part back once.
///
/// # Errors
/// `Corrupt` for a value that is not of its column, a null where none may be, or a part that reads back differently;
/// `Limit` for a sum beyond 38 digits or a storage that is full; `Denied`, `Unreachable`.
pub async fn stage(
    publisher: Publisher<'_>,
    context: &RunContext,
    table: &MonthTable,
) -> Result<StagedTable, PortError> {
    let (name, contract) = (table.name, &table.contract);
    let item = item(name)?;
    let metadata = context.row_metadata(&item);
    let batch = own_batch(contract, &table.rows).map_err(|error| wrong(name, &error))?;
    let conform = Conform::new(
        contract,
        &SourceColumn::of(contract),
        &metadata,
        batch.num_rows(),
    )
    .map_err(|error| wrong(name, &error))?;
    let footer = provenance(context, &item, contract, "");
    let layout = PartLayout::new(conform.schema(), footer, publisher.limits);
    let mut fold = RowFold::new(contract, conform, layout)?;
    let folding = move || -> Result<Folded, PortError> {
        let early = fold.push(&batch)?;
        let mut folded = fold.finish()?;
        Ok(Folded {
            parts: early.into_iter().chain(folded.last.take()).collect(),
            nulls: folded.nulls,
            digest: folded.digest,
            buckets: folded.buckets,
            totals: folded.totals,
        })
    };
    let folded = spawn_blocking(folding).await;
    let folded = folded.map_err(|lost| wrong(name, &lost))??;
    if !folded.nulls.is_empty() {
        return Err(wrong(name, &folded.nulls.join("; ")));
    }
    let part = match <[FinishedPart; 1]>::try_from(folded.parts) {
        Ok([part]) => part,
        Err(parts) => return Err(wrong(name, &format!("{} parts came of it", parts.len()))),
    };
    let (period, run) = (context.period, &context.run_id);
    let path = format!("{FOLDER}/{name}/period={period}/run={run}/part-00000.parquet");
    let part = store_part(publisher.staging, &path, part).await?;
    read_back(publisher.staging, &part).await?;
    Ok(StagedTable {
        name,
        contract: contract.clone(),
        period,
        metadata,
        part,
        digest: folded.digest,
        buckets: folded.buckets,
        totals: folded.totals,
    })
}

/// What came of folding a table.
struct Folded {
    parts: Vec<FinishedPart>,
    nulls: Vec<String>,
    digest: TableDigest,
    buckets: Vec<TableDigest>,
    totals: ControlTotals,
}

/// Replaces the month of a table by what was staged, at the place in the line that the lease gives, and counts it again in
/// the warehouse.
///
/// # Errors
/// `Denied` when a later publication has taken over; `Corrupt` counts what differs between what was staged and what the
/// warehouse counts, and quotes none of it; else what the warehouse says, and with it which load it leaves open. The month
/// then may show this publication, or what it showed before; never an earlier one than that.
pub async fn load(
    publisher: Publisher<'_>,
    staged: &StagedTable,
    lease: &mut Lease,
) -> Result<PublishedTable, PortError> {
    let StagedTable { name, contract, .. } = staged;
    let warehouse = publisher.warehouse;
    warehouse.prepare(name, contract).await?;
    let job = LoadJob {
        table: (*name).to_owned(),
        period: staged.period,
        metadata: staged.metadata.clone(),
        parts: vec![staged.part.clone()],
        fence: Some(lease.fence().clone()),
    };
    lease.not_overtaken().await?;
    let mut noted = Noted {
        lease,
        submitted: None,
    };
    let loaded = warehouse.load_telling(&job, &mut noted).await;
    let receipt = loaded.map_err(|error| noted.left_open(error))?;
    let rows_max = publisher.limits.recheck_rows_max;
    let back = warehouse
        .read_back(name, staged.period, contract, rows_max)
        .await?;
    let mut found = staged.differences(&back);
    let (said, rows) = (receipt.output_rows, staged.part.rows);
    if said != rows {
        found.push(format!("the load says {said} rows, staged were {rows}"));
    }
    found.extend(receipt.differing);
    found.extend(back.table);
    if found.is_empty() {
        return Ok(PublishedTable {
            destination_table: receipt.destination_table,
            rows: back.recomputed.totals.rows(),
            digest: back.recomputed.digest.to_string(),
        });
    }
    let what = format!(
        "the table does not hold what was published: {}",
        found.join("; ")
    );
    Err(PortError::new(PortErrorKind::Corrupt, what)
        .at("table", receipt.destination_table)
        .hint(
            "publish again; rows of another publication come from one with another evidence root",
        ))
}

impl StagedTable {
    /// Every way in which a warehouse holds something else than was staged, one sentence each. Counts only: the error is
    /// logged, and sums are amounts. What was published is in the evidence.
    fn differences(&self, back: &ReadBack) -> Vec<String> {
        let again = &back.recomputed;
        let totals = self.totals.differences(&again.totals, "staged", "loaded");
        let buckets = differing_buckets(&self.buckets, &back.buckets);
        let (totals, buckets) = (totals.len(), buckets.len());
        let mut found = Vec::new();
        if totals + buckets > 0 || again.digest != self.digest {
            found.push(format!(
                "{totals} counts or sums and {buckets} buckets of the digest differ from what was staged"
            ));
        }
        let ours = self.metadata.run_id.as_str();
        let others = back.run_ids.iter().filter(|(run, _)| run.as_str() != ours);
        found.extend(others.map(|(run, rows)| format!("{rows} rows of publication {run}")));
        found
    }
}

/// The name that stands where items have theirs.
fn item(table: &str) -> Result<IpeId, PortError> {
    let parsed = table.to_ascii_uppercase().parse();
    parsed.map_err(|error| wrong(table, &error))
}

/// A table that could not be made. Nothing of its rows is said.
fn wrong(table: &str, error: &dyn std::fmt::Display) -> PortError {
    let what = format!("table {table} cannot be staged: {error}");
    PortError::new(PortErrorKind::Corrupt, what).hint("nothing was loaded; report this")
}
