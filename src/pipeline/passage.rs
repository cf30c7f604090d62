//! From an open stream of rows to what is recorded of them: the part of the journey that all items share, wherever their
//! rows come from.

use std::sync::Arc;

use serde_json::json;

use crate::domain::digest::TableDigest;
use crate::domain::ipe::Ipe;
use crate::domain::losses::ColumnLosses;
use crate::domain::run::RunContext;
use crate::kernels::conform::Conform;
use crate::kernels::rules::RuleFold;
use crate::ports::{BatchStream, PortError, PortErrorKind, SourceColumn};

use super::Tools;
use super::extract::{self, Destination, Extraction, RowFold, SecondPath};
use super::item::during;
use super::keys;
use super::log::ItemLog;
use super::population::{self, Questions};
use super::progress::KeysExamined;
use super::record::ItemRecord;
use super::stage::{PartLayout, provenance};
use super::witness;

/// What sees each batch once, chosen before the first row.
///
/// # Errors
/// `Corrupt` for columns that are not those of the contract, `Config` for parts that cannot be written.
pub(super) fn fold(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
    columns: &[SourceColumn],
) -> Result<RowFold, PortError> {
    let contract = &ipe.contract;
    let metadata = context.row_metadata(&ipe.id);
    let conform = Conform::new(contract, columns, &metadata, tools.limits.batch_rows_max)
        .map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
    let footer = provenance(context, &ipe.id, contract, &ipe.definition_sha256);
    let layout = PartLayout::new(conform.schema(), footer, &tools.limits);
    let fold = RowFold::new(contract, conform, layout)?;
    if ipe.quality.is_empty() {
        return Ok(fold);
    }
    let rules = RuleFold::new(contract, &ipe.quality, context.period);
    let rules = rules.map_err(|error| PortError::new(PortErrorKind::Config, error.to_string()))?;
    Ok(fold.watching(rules))
}

/// Moves all rows to staging and computes everything twice.
///
/// # Errors
/// As [`extract::extract`].
pub(super) async fn pass(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
    fold: RowFold,
    stream: BatchStream,
) -> Result<Extraction, PortError> {
    let to = Destination {
        staging: tools.staging.clone(),
        ipe: ipe.id.clone(),
        period: context.period,
        run_id: context.run_id.clone(),
    };
    let contract = Arc::new(ipe.contract.clone());
    let second = SecondPath::new(contract, tools.limits.recheck_rows_max);
    extract::extract(stream, fold, second, &to, &tools.progress).await
}

/// Keeps in the record what became of the rows; gives the digest of each bucket.
pub(super) fn keep(
    extraction: Extraction,
    record: &mut ItemRecord,
    log: &mut ItemLog,
) -> Vec<TableDigest> {
    log.note("rows staged", json!({"rows": extraction.staged.rows(), "parts": extraction.staged.parts.len(), "digest": extraction.staged.digest}));
    note_changes(log, &extraction.seen.losses);
    record.nulls = Some(extraction.seen.nulls);
    record.quality = extraction.seen.quality;
    record.losses = Some(extraction.seen.losses);
    record.staged = Some(extraction.staged);
    record.recomputed = Some(extraction.recomputed);
    extraction.seen.buckets
}

fn note_changes(log: &mut ItemLog, losses: &[ColumnLosses]) {
    let changed = losses.iter().filter(|line| !line.changes.is_empty());
    let cut: u64 = changed.clone().map(|line| line.changes.cut).sum();
    log.note(
        "values changed on the way",
        json!({"columns": changed.count(), "cut": cut}),
    );
}

/// Looks through what was staged: no key twice, nothing that the population excludes, every witness as it is.
pub(super) async fn examine_staged(
    tools: &Tools,
    ipe: &Ipe,
    questions: Questions,
    record: &mut ItemRecord,
    log: &mut ItemLog,
) -> Result<(), PortError> {
    if let Some(staged) = &record.staged {
        let begun = tools.clock.now();
        let audit = keys::audit(&tools.staging, &ipe.contract, &staged.parts, &tools.limits).await;
        let audit = during("keys", audit)?;
        let elapsed = (tools.clock.now() - begun).to_std().unwrap_or_default();
        tools
            .progress
            .keys(&ipe.id, KeysExamined::of(&audit, elapsed));
        log.note(
            "keys examined",
            json!({"rows": audit.rows, "passes": audit.passes, "repeated": audit.repeated_keys}),
        );
        record.keys = Some(audit);
        if let Some(found) = &mut record.population {
            let contract = &ipe.contract;
            let looked = population::look_for(&tools.staging, contract, staged, &questions, found);
            during("keys", looked.await)?;
        }
        if let Some(asked) = questions.witnesses {
            let audit = witness::compare(&tools.staging, &staged.parts, &tools.limits, asked).await;
            record.witnesses = Some(during("witnesses", audit)?);
        }
    }
    Ok(())
}
