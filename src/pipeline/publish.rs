//! The load of what every check let through, and its read-back.
//!
//! Only what [`clear`] let through is loaded. Before a job is submitted its name is noted beside the lease, so that whoever
//! comes after a kill can say which job may have replaced the month.

use async_trait::async_trait;
use serde_json::json;

use super::Tools;
use super::check;
use super::item::during;
use super::lease::Lease;
use super::log::ItemLog;
use super::progress::Stage;
use super::record::ItemRecord;
use crate::domain::digest::{TableDigest, differing_buckets};
use crate::domain::ipe::Ipe;
use crate::domain::manifest::{Staged, Submitted};
use crate::ports::{LoadJob, LoadListener, PortError};

/// Proof that every check before the load let the item through; only [`clear`] makes one.
pub(super) struct Cleared {
    staged: Staged,
}

/// Lets an item through when every check did.
pub(super) fn clear(record: &ItemRecord) -> Option<Cleared> {
    let staged = record.staged.clone()?;
    let checks = check::before_load(record);
    let through = check::holding(record, &checks).next().is_none();
    through.then_some(Cleared { staged })
}

/// Writes down which job is submitted: beside the lease, in the log and in the record.
struct Noted<'a> {
    lease: &'a mut Lease,
    record: &'a mut ItemRecord,
    log: &'a mut ItemLog,
}

#[async_trait]
impl LoadListener for Noted<'_> {
    async fn begins(&mut self, load: Submitted) -> Result<(), PortError> {
        self.lease.note_load(Some(&load)).await?;
        self.log
            .note("load submitted", json!({"job_id": load.job_id}));
        self.record.submitted = Some(load);
        Ok(())
    }

    async fn replaced_nothing(&mut self) {
        self.record.submitted = None;
        // What stands there then says too much, and only if this run dies before its package.
        if let Err(error) = self.lease.note_load(None).await {
            tracing::warn!(%error, "the end of a load could not be noted");
        }
    }
}

/// Replaces the month and counts it again in the warehouse.
///
/// # Errors
/// As the warehouse says it, and with it what a load that was submitted leaves open.
pub(super) async fn load_and_verify(
    tools: &Tools,
    ipe: &Ipe,
    (cleared, lease, buckets): (Cleared, &mut Lease, Vec<TableDigest>),
    record: &mut ItemRecord,
    log: &mut ItemLog,
) -> Result<(), PortError> {
    let table = ipe.id.table_name();
    let period = record.context.period;
    tools.progress.stage(&ipe.id, Stage::Load);
    during("load", tools.warehouse.prepare(&table, &ipe.contract).await)?;
    let job = LoadJob {
        table: table.clone(),
        period,
        metadata: record.context.row_metadata(&ipe.id),
        parts: cleared.staged.parts,
        fence: Some(lease.fence().clone()),
    };
    let mut noted = Noted {
        lease,
        record: &mut *record,
        log: &mut *log,
    };
    let loaded = tools.warehouse.load_telling(&job, &mut noted).await;
    let receipt = during(
        "load",
        loaded.map_err(|error| left_open(error, record.submitted.as_ref())),
    )?;
    record.submitted = None;
    log.note("month replaced", json!({"table": receipt.destination_table, "rows": receipt.output_rows, "job_id": receipt.job_id}));
    record.receipt = Some(receipt);
    tools.progress.stage(&ipe.id, Stage::Verify);
    let rows_max = tools.limits.recheck_rows_max;
    let found = tools
        .warehouse
        .read_back(&table, period, &ipe.contract, rows_max)
        .await;
    let found = during("verify", found)?;
    record.differing_buckets = Some(differing_buckets(&buckets, &found.buckets));
    record.read_back = Some(found.recomputed);
    record.read_back_runs = Some(found.run_ids);
    record.read_back_table = Some(found.table);
    Ok(())
}

/// Says with the error of a load what it leaves open.
pub(super) fn left_open(error: PortError, submitted: Option<&Submitted>) -> PortError {
    match submitted {
        Some(load) => error.at(
            "month",
            format!("may have been replaced by job {}", load.job_id),
        ),
        None => error,
    }
}
