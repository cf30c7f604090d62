//! Proof that a warehouse keeps what it is given: a small table of every type, loaded as a month is, counted as a month
//! is, and dropped.
//!
//! May use `domain`, `kernels`, `ports` and the stage; knows no vendor. Never touches a table of an item.

mod rows;

use chrono::DateTime;

use super::extract::RowFold;
use super::probe::FOLDER;
use super::stage::{PartLayout, provenance, read_back};
use crate::domain::contract::Contract;
use crate::domain::digest::{TableDigest, sha256_hex};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::manifest::PartFile;
use crate::domain::period::Period;
use crate::domain::run::{Program, RunContext};
use crate::domain::totals::ControlTotals;
use crate::kernels::conform::Conform;
use crate::ports::{
    LoadJob, PortError, PortErrorKind, ReadBack, StoreRoot, TRIAL_PREFIX, TrialWarehouse,
};

pub use rows::contract;

/// The month of the trial's rows.
const MONTH: &str = "2024-04";
/// The item that they say they belong to.
const ITEM: &str = "DOCTOR";

/// What a trial proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Table that was made.
    pub table: String,
    /// Columns of content.
    pub columns: usize,
    /// Rows.
    pub rows: u64,
    /// Why the table is still there; it goes by itself.
    pub left: Option<String>,
}

/// The rows of the trial as they were staged.
struct Staged {
    part: PartFile,
    digest: TableDigest,
    totals: ControlTotals,
}

/// Makes a table that is named by `run_id`, loads it from `staging`, and compares what the warehouse counts there with
/// what was staged.
///
/// # Errors
/// `Corrupt` names every difference; else what the warehouse or the storage says.
pub async fn prove(
    warehouse: &dyn TrialWarehouse,
    staging: &StoreRoot,
    run_id: &RunId,
    limits: &Limits,
) -> Result<Proof, PortError> {
    let contract = rows::contract();
    let table = table_of(run_id);
    let tried = tried(warehouse, staging, (&table, &contract), limits).await;
    let dropped = warehouse.drop_trial(&table).await;
    let rows = tried?;
    Ok(Proof {
        columns: contract.columns.len(),
        rows,
        left: dropped.err().map(|error| error.message),
        table,
    })
}

/// A table of a name that no other trial has: a load job is known by it, and runs once.
fn table_of(run_id: &RunId) -> String {
    let name = run_id.as_str().to_ascii_lowercase().replace('-', "_");
    format!("{TRIAL_PREFIX}{name}")
}

async fn tried(
    warehouse: &dyn TrialWarehouse,
    staging: &StoreRoot,
    (table, contract): (&str, &Contract),
    limits: &Limits,
) -> Result<u64, PortError> {
    let context = context()?;
    let staged = staged(staging, contract, &context, limits).await?;
    warehouse.prepare_trial(table, contract).await?;
    let job = LoadJob {
        table: table.to_owned(),
        period: context.period,
        metadata: context.row_metadata(&item()?),
        parts: vec![staged.part.clone()],
        fence: None,
    };
    let receipt = warehouse.load(&job).await?;
    let back = warehouse
        .read_back(table, context.period, contract, limits.recheck_rows_max)
        .await?;
    let mut found = differences(&staged, &back, &context.run_id);
    if receipt.output_rows != staged.part.rows {
        let (said, rows) = (receipt.output_rows, staged.part.rows);
        found.push(format!("the load says {said} rows, staged were {rows}"));
    }
    found.extend(receipt.differing.into_iter().chain(back.table));
    if found.is_empty() {
        return Ok(staged.part.rows);
    }
    let what = format!(
        "the scratch table does not hold what was loaded: {}",
        found.join("; ")
    );
    Err(PortError::new(PortErrorKind::Corrupt, what)
        .at("table", table)
        .hint("load no month: report these differences, types are not carried as they must be"))
}

/// Every way in which the table holds other rows than were staged, one sentence each.
fn differences(staged: &Staged, back: &ReadBack, run_id: &RunId) -> Vec<String> {
    let again = &back.recomputed;
    let mut found = staged
        .totals
        .differences(&again.totals, "staged", "in the table");
    if again.digest != staged.digest {
        found.push(format!(
            "content digest {} in the table, {} staged",
            again.digest, staged.digest
        ));
    }
    if back.run_ids != [(run_id.to_string(), staged.part.rows)].into() {
        let runs = back.run_ids.len();
        found.push(format!("rows of {runs} runs instead of one whole one"));
    }
    found
}

/// Stages the rows. Their context never changes, so they are the same bytes every time, and lie in staging once for
/// each version of the program that writes others.
async fn staged(
    staging: &StoreRoot,
    contract: &Contract,
    context: &RunContext,
    limits: &Limits,
) -> Result<Staged, PortError> {
    let internal = |error: &dyn std::fmt::Display| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("rows of the trial: {error}"),
        )
    };
    let item = item()?;
    let (columns, batch) = rows::rows(contract).map_err(|error| internal(&error))?;
    let metadata = context.row_metadata(&item);
    let conform = Conform::new(contract, &columns, &metadata, batch.num_rows())
        .map_err(|error| internal(&error))?;
    let provenance = provenance(context, &item, contract, "");
    let layout = PartLayout::new(conform.schema(), provenance, limits);
    let mut fold = RowFold::new(contract, conform, layout)?;
    fold.push(&batch)?;
    let mut folded = fold.finish()?;
    let part = folded.last.take();
    let part = part.ok_or_else(|| internal(&"no part came of them"))?;
    let path = format!("{FOLDER}/{}.parquet", part.sha256);
    let file = PartFile {
        uri: staging.uri_of(&path),
        path,
        bytes: u64::try_from(part.bytes.len()).unwrap_or(u64::MAX),
        sha256: part.sha256,
        rows: part.rows,
        keys_sha256: sha256_hex(&part.keys),
    };
    staging.create(&file.path, part.bytes).await?;
    read_back(staging, &file).await?;
    Ok(Staged {
        part: file,
        digest: folded.digest,
        totals: folded.totals,
    })
}

fn item() -> Result<IpeId, PortError> {
    let parsed = ITEM.parse();
    parsed.map_err(|error| PortError::new(PortErrorKind::Config, format!("{error}")))
}

fn context() -> Result<RunContext, PortError> {
    let parsed = MONTH.parse::<Period>();
    let period =
        parsed.map_err(|error| PortError::new(PortErrorKind::Config, error.to_string()))?;
    let started_at = DateTime::UNIX_EPOCH;
    Ok(RunContext {
        run_id: RunId::new(started_at, 0),
        period,
        started_at,
        stamps: Vec::new(),
        accepted: Vec::new(),
        program: Program {
            version: String::new(),
            commit: String::new(),
            dirty: false,
            binary_sha256: String::new(),
        },
    })
}
