//! The journey of one item.

use std::sync::Arc;

use serde_json::json;

use crate::domain::digest::TableDigest;
use crate::domain::ids::RunId;
use crate::domain::ipe::Ipe;
use crate::domain::run::{Holder, ItemStatus, RunContext};
use crate::kernels::conform::contract_findings;
use crate::kernels::sql;
use crate::ports::{Consistency, PortError, PortErrorKind};

use super::ask::{ask_columns, ask_totals};
use super::check;
use super::findings;
use super::lease::{self, Lease, Untaken};
use super::log::ItemLog;
use super::package;
use super::passage;
use super::population::{self, Questions};
use super::progress::Stage;
use super::publish;
use super::record::{Executed, ItemRecord};
use super::uploaded;
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
    if let Some(definition) = &ipe.file {
        return uploaded::until_load(tools, context, (ipe, definition), record, log).await;
    }
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
    record.executed.push(Executed {
        purpose: "rows".to_owned(),
        query: query.clone(),
    });
    let fold = during("rows", passage::fold(tools, context, ipe, &columns))?;
    let stream = view.stream(&query, &columns, &tools.limits).await;
    let stream = during("rows", stream)?;
    let extraction = passage::pass(tools, context, ipe, fold, stream).await;
    let buckets = passage::keep(during("rows", extraction)?, record, log);
    if view.consistency() == Consistency::Bracketed {
        let after = ask_totals(view.as_mut(), tools, &ipe.contract, &totals_query, record).await;
        record.source_totals_after = Some(during("totals after", after)?);
    }
    during("close", view.close().await)?;
    stage(Stage::Check);
    passage::examine_staged(tools, ipe, questions, record, log).await?;
    Ok(buckets)
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
