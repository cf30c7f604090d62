//! The journey of one item.

use std::sync::Arc;

use serde_json::json;

use crate::domain::digest::TableDigest;
use crate::domain::ids::RunId;
use crate::domain::ipe::Ipe;
use crate::domain::losses::ColumnLosses;
use crate::domain::query::BoundQuery;
use crate::domain::run::{Holder, ItemStatus, RunContext};
use crate::kernels::conform::{Conform, contract_findings};
use crate::kernels::sql;
use crate::ports::{Consistency, PortError, PortErrorKind, Snapshot, SourceColumn};

use super::ask::{ask_columns, ask_totals};
use super::check;
use super::extract::{self, Destination, Extraction, RowFold, SecondPath};
use super::findings;
use super::keys;
use super::lease::{self, Lease, Untaken};
use super::log::ItemLog;
use super::package;
use super::population::{self, Questions};
use super::progress::{KeysExamined, Stage};
use super::publish;
use super::record::{Executed, ItemRecord};
use super::stage::{PartLayout, provenance};
use super::witness;
use super::{ItemOutcome, Tools};

/// How the run came into the item and month, or who kept it out.
#[derive(Default)]
struct Entry {
    lease: Option<Lease>,
    held_by: Option<Holder>,
    buried: Vec<RunId>,
}

/// Runs one item from opening to sealing. Never fails: what could not be found out is in the record.
pub async fn run_ipe(tools: &Tools, context: &RunContext, ipe: &Ipe) -> ItemOutcome {
    let mut log = ItemLog::new(
        Arc::clone(&tools.clock),
        ipe.id.clone(),
        context.run_id.clone(),
    );
    let mut record = ItemRecord::begun(tools, context, ipe);
    let reserve = reserve(tools, context, ipe).await;
    log.note(
        "run started",
        json!({"period": context.period.to_string(), "definition_sha256": ipe.definition_sha256}),
    );
    let mut entry = Entry::default();
    let (reserve, outcome) = match reserve {
        Ok(reserve) => {
            let journey = journey(tools, context, ipe, &mut record, &mut entry, &mut log);
            (reserve, journey.await)
        }
        Err(full) => (None, Err(full)),
    };
    conclude(&mut record, outcome, &mut log);
    record.ended_at = tools.clock.now();
    tools.progress.stage(&ipe.id, Stage::Seal);
    drop(reserve);
    let package = package::seal_or_say(tools, &mut record, &log.close()).await;
    // A run that could not seal keeps its lease, so that the next one seals in its name.
    if let Some(lease) = entry.lease
        && package.is_some()
        && let Err(error) = lease.end(&tools.clock, record.status).await
    {
        tracing::warn!(%error, "the lease was not given back; it expires by itself");
    }
    tools.progress.finished(&ipe.id, record.status);
    ItemOutcome {
        record,
        package,
        held_by: entry.held_by,
        buried: entry.buried,
    }
}

/// The checks follow from what is in the record, the status from checks and error.
fn conclude(record: &mut ItemRecord, outcome: Result<(), PortError>, log: &mut ItemLog) {
    record.error = outcome.err().map(|error| error.to_string());
    record.checks = check::before_load(record);
    record.findings = findings::of(record);
    record.verification = check::after_load(record);
    let held = check::holding(record, &record.checks).next().is_some()
        || check::holding(record, &record.verification)
            .next()
            .is_some();
    record.status = match (&record.error, held) {
        (Some(_), _) => ItemStatus::Error,
        (None, true) => ItemStatus::Failed,
        (None, false) => ItemStatus::Success,
    };
    let verdicts: Vec<String> = record
        .checks
        .iter()
        .chain(&record.verification)
        .map(|check| format!("{} {:?}", check.id, check.verdict))
        .collect();
    log.note(
        "run ended",
        json!({"status": record.status, "error": record.error, "checks": verdicts, "findings": record.findings.len()}),
    );
}

/// Takes the room for the package; writing it to the disk is no work for an async thread.
async fn reserve(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
) -> Result<Option<package::Reserve>, PortError> {
    let (evidence, bytes) = (tools.evidence.clone(), tools.limits.evidence_reserve_bytes);
    let (item, run_id) = (ipe.id.clone(), context.run_id.clone());
    let take = move || package::Reserve::take(&evidence, &item, &run_id, bytes);
    tokio::task::spawn_blocking(take).await.map_err(|lost| {
        PortError::new(PortErrorKind::Limit, format!("room for evidence: {lost}"))
            .hint("run the item again")
    })?
}

async fn journey(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
    record: &mut ItemRecord,
    entry: &mut Entry,
    log: &mut ItemLog,
) -> Result<(), PortError> {
    let taken = lease::take(tools, record).await;
    if let Err(Untaken::Held(holder, _)) = &taken {
        entry.held_by = Some(holder.clone());
    }
    let (taken, dead) = during("lease", taken.map_err(PortError::from))?;
    let lease = entry.lease.insert(taken);
    for dead in dead {
        log.note(
            "lease taken over",
            json!({"from": dead.context.run_id.as_str()}),
        );
        during("lease", package::bury(tools, &dead).await)?;
        entry.buried.push(dead.context.run_id);
    }
    let until_load = until_load(tools, context, ipe, record, log);
    let Some(reached) = tools.stop.run_until_cancelled(until_load).await else {
        return Err(stopped());
    };
    let buckets = reached?;
    match publish::clear(record) {
        Some(cleared) => {
            during("lease", lease.still_ours().await)?;
            publish::load_and_verify(tools, ipe, (cleared, lease, buckets), record, log).await
        }
        None => Ok(()),
    }
}

fn stopped() -> PortError {
    PortError::new(
        PortErrorKind::Limit,
        "the run was asked to stop before anything was loaded",
    )
    .hint("run the item again")
}

/// Everything before the load: it may be left at any point, and nothing is published. Gives the digest of each bucket.
async fn until_load(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
    record: &mut ItemRecord,
    log: &mut ItemLog,
) -> Result<Vec<TableDigest>, PortError> {
    let stage = |stage| tools.progress.stage(&ipe.id, stage);
    stage(Stage::Open);
    let query = ipe
        .query
        .bind(context.period)
        .map_err(|error| PortError::new(PortErrorKind::Config, error.to_string()))?;
    let source = during("open", tools.sources.source(&ipe.secret).await)?;
    record.opened_with(tools, &ipe.secret).await;
    let mut view = during("open", source.open(&ipe.databases).await)?;
    record.access = Some(view.access().clone());
    record.consistency = Some(view.consistency());
    log.note(
        "view opened",
        json!({"consistency": view.consistency(), "server": view.access().server}),
    );
    stage(Stage::Ask);
    let described = ask_columns(view.as_mut(), ipe, &query, log).await;
    let described = during("describe", described)?;
    let columns = described.columns.clone();
    let fits = contract_findings(&ipe.contract, &described).is_empty();
    record.described = Some(described);
    if !fits {
        during("close", view.close().await)?;
        return Ok(Vec::new());
    }
    let totals_query = sql::totals_query(&ipe.contract, &query);
    let before = ask_totals(view.as_mut(), tools, &ipe.contract, &totals_query, record).await;
    let before = during("totals", before)?;
    log.note(
        "control totals asked",
        json!({"rows": before.rows(), "companies": before.groups.len()}),
    );
    tools.progress.expected(&ipe.id, before.rows());
    record.source_totals = Some(before);
    let mut questions = Questions::default();
    if let Some(definition) = &ipe.population {
        let asked = population::ask(tools, ipe, definition, view.as_mut(), record).await;
        questions = during("population", asked)?;
        let predicates = record
            .population
            .as_ref()
            .map(|found| found.predicates.len());
        log.note("population asked", json!({"predicates": predicates}));
    }
    stage(Stage::Extract);
    let extraction =
        extract_rows(tools, context, ipe, view.as_mut(), &query, &columns, record).await;
    let extraction = during("rows", extraction)?;
    log.note("rows staged", json!({"rows": extraction.staged.rows(), "parts": extraction.staged.parts.len(), "digest": extraction.staged.digest}));
    note_changes(log, &extraction.seen.losses);
    record.nulls = Some(extraction.seen.nulls);
    record.losses = Some(extraction.seen.losses);
    record.staged = Some(extraction.staged);
    record.recomputed = Some(extraction.recomputed);
    if view.consistency() == Consistency::Bracketed {
        let after = ask_totals(view.as_mut(), tools, &ipe.contract, &totals_query, record).await;
        record.source_totals_after = Some(during("totals after", after)?);
    }
    during("close", view.close().await)?;
    stage(Stage::Check);
    examine_staged(tools, ipe, questions, record, log).await?;
    Ok(extraction.seen.buckets)
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
async fn examine_staged(
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

/// Names the step in which it broke, and the next step where nothing better is known: each step leaves a whole month.
pub(super) fn during<T>(step: &'static str, result: Result<T, PortError>) -> Result<T, PortError> {
    result.map_err(|error| {
        let error = error.at("step", step);
        match error.hint {
            Some(_) => error,
            None => error.hint(
                "run the item again; if it repeats, look into the log of the server or storage",
            ),
        }
    })
}

async fn extract_rows(
    tools: &Tools,
    context: &RunContext,
    ipe: &Ipe,
    view: &mut dyn Snapshot,
    query: &BoundQuery,
    columns: &[SourceColumn],
    record: &mut ItemRecord,
) -> Result<Extraction, PortError> {
    record.executed.push(Executed {
        purpose: "rows".to_owned(),
        query: query.clone(),
    });
    let contract = Arc::new(ipe.contract.clone());
    let metadata = context.row_metadata(&ipe.id);
    let conform = Conform::new(&contract, columns, &metadata, tools.limits.batch_rows_max)
        .map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
    let footer = provenance(context, &ipe.id, &contract, &ipe.definition_sha256);
    let layout = PartLayout::new(conform.schema(), footer, &tools.limits);
    let fold = RowFold::new(&contract, conform, layout)?;
    let stream = view.stream(query, columns, &tools.limits).await?;
    let to = Destination {
        staging: tools.staging.clone(),
        ipe: ipe.id.clone(),
        period: context.period,
        run_id: context.run_id.clone(),
    };
    let second = SecondPath::new(contract, tools.limits.recheck_rows_max);
    extract::extract(stream, fold, second, &to, &tools.progress).await
}
