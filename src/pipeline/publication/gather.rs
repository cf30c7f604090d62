//! What is sealed of a month, as the rows of the published tables.
//!
//! Reads the evidence root only. A package that cannot be read is a row that says so, and nothing else of it is known; only
//! the judgement that speaks for the month must be readable.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::months::MonthLog;
use crate::pipeline::inspect::find::folders;
use crate::pipeline::months;
use crate::pipeline::package::MANIFEST;
use crate::pipeline::package::read::{broken, run_of, sealed_file, sealed_folders};
use crate::pipeline::reconcile::inputs::{Packaged, input, packaged};
use crate::pipeline::reconcile::judgement::{self, Judgement, beside};
use crate::ports::{PortError, PortErrorKind, StoreRoot};
use crate::report::published::{
    JUDGEMENT, Judged, MonthTable, RunRow, Standing, runs, validations,
};

/// Where the contract lies among the rules of a judgement.
const CONTRACT: &str = "rules/reconciliation/";

/// Everything of a month that is sealed or was said, by path: what the tables are made from is the same while this is.
///
/// # Errors
/// `Denied`, `Unreachable`.
pub(super) async fn sealed(
    evidence: &StoreRoot,
    period: Period,
) -> Result<BTreeSet<String>, PortError> {
    let mut found = BTreeSet::new();
    for folder in folders(evidence, "").await? {
        let of_log = folder == months::FOLDER;
        let stored = evidence.list(&format!("{folder}/period={period}")).await?;
        let sealed = stored.into_iter().map(|file| file.path);
        found.extend(sealed.filter(|path| of_log || path.ends_with(&format!("/{MANIFEST}"))));
    }
    Ok(found)
}

/// The tables of a month: the validations, if a judgement was sealed, and the registry.
///
/// # Errors
/// `Corrupt` where the judgement that speaks for the month, or its log, is not what was sealed; `Denied`, `Unreachable`.
pub(super) async fn tables(
    evidence: &StoreRoot,
    period: Period,
) -> Result<Vec<MonthTable>, PortError> {
    let log = months::read(evidence, period).await?;
    let mut month = Month {
        evidence,
        period,
        log: &log,
        rows: Vec::new(),
        used: BTreeMap::new(),
        is_doubtful: false,
    };
    let speaking = month.judgements().await?;
    month.items().await?;
    let mut tables = Vec::new();
    if let Some(judgement) = speaking {
        let contract = contract(evidence, &judgement).await?;
        let said = log.clone();
        let stated = beside(move || {
            let statement = judgement.statement(&said)?;
            Ok::<_, PortError>((judgement, statement))
        });
        let (judgement, statement) = stated.await??;
        tables.push(validations(Judged {
            statement: &statement,
            at: judgement.at,
            contract: &contract,
        }));
    }
    tables.push(runs(&month.rows));
    Ok(tables)
}

/// The contract that a month was judged by, as it was sealed with the judgement.
async fn contract(
    evidence: &StoreRoot,
    judgement: &Judgement,
) -> Result<ReconciliationContract, PortError> {
    let folder = judgement.folder();
    let mut places = judgement.reconciled.rules.keys();
    let place = places.find(|place| place.starts_with(CONTRACT));
    let place =
        place.ok_or_else(|| broken(evidence, &folder, "the judgement names no contract"))?;
    let (bytes, _) = sealed_file(evidence, &folder, &format!("data/{place}")).await?;
    let text = String::from_utf8_lossy(&bytes);
    ReconciliationContract::read(place, &text)
        .map_err(|error| broken(evidence, &folder, error.to_string()))
}

/// A month while its packages are read.
struct Month<'a> {
    evidence: &'a StoreRoot,
    period: Period,
    log: &'a MonthLog,
    rows: Vec<RunRow>,
    /// Packages of items that a closing rests on.
    used: BTreeMap<(IpeId, RunId), Standing>,
    /// Whether a judgement that the month was closed with cannot be read: then nobody knows what it rests on.
    is_doubtful: bool,
}

impl Month<'_> {
    /// Reads the judgements, the newest first; gives the one that speaks for the month: that of its closing, else the
    /// newest.
    async fn judgements(&mut self) -> Result<Option<Judgement>, PortError> {
        let runs = judgement::runs(self.evidence, self.period).await?;
        let closed = self.log.closed().map(|mark| mark.run_id);
        let speaks = closed.as_ref().or(runs.first());
        let mut speaking = None;
        for (place, run) in runs.iter().enumerate() {
            let mut row = match self.judgement(run).await {
                Ok((judged, row)) => {
                    if Some(run) == speaks {
                        speaking = Some(judged);
                    }
                    row
                }
                Err(error) if error.kind == PortErrorKind::Corrupt && Some(run) != speaks => {
                    self.is_doubtful |= standing(self.log, run) != Standing::Preliminary;
                    let folder = judgement::folder(self.period, run);
                    self.unread(JUDGEMENT, run, &folder, &error)
                }
                Err(error) => return Err(error),
            };
            row.standing = Some(standing(self.log, run));
            row.is_newest = place == 0;
            self.rows.push(row);
        }
        if let Some(run) = closed.as_ref().filter(|_| speaking.is_none()) {
            let folder = judgement::folder(self.period, run);
            let what = "the judgement that the month was closed with is not there";
            return Err(broken(self.evidence, &folder, what));
        }
        Ok(speaking)
    }

    /// A judgement and its row, and what a closing with it rests on.
    async fn judgement(&mut self, run: &RunId) -> Result<(Judgement, RunRow), PortError> {
        let (judged, manifest_sha256) = judgement::read(self.evidence, self.period, run).await?;
        let folder = judged.folder();
        let mut closings = self.log.closings();
        if closings.any(|(closed, manifest)| closed == run && manifest != manifest_sha256) {
            let what = "the month was closed with this run and another manifest";
            return Err(broken(self.evidence, &folder, what));
        }
        let standing = standing(self.log, run);
        if standing != Standing::Preliminary {
            for input in &judged.reconciled.inputs {
                let place = (input.item.clone(), input.run_id.clone());
                let known = self.used.entry(place).or_insert(standing);
                *known = standing.max(*known);
            }
        }
        let log = self.log.clone();
        let stated = beside(move || {
            let statement = judged.statement(&log)?;
            let fingerprint = statement.fingerprint();
            Ok::<_, PortError>((judged, statement, fingerprint))
        });
        let (judged, statement, fingerprint) = stated.await??;
        let fingerprint = fingerprint.map_err(|error| {
            let what = format!("the statement cannot be fingerprinted: {error}");
            broken(self.evidence, &folder, what)
        })?;
        let row = RunRow {
            item: JUDGEMENT.to_owned(),
            run_id: run.clone(),
            period: self.period,
            status: Some(statement.control_result().word()),
            standing: None,
            is_newest: false,
            started_at: run.started_at(),
            ended_at: Some(judged.at),
            rows: None,
            totals: None,
            fingerprint: Some(fingerprint),
            manifest_sha256: Some(manifest_sha256),
            definition_sha256: Some(statement.result.contract_sha256.clone()),
            destination_table: None,
            program: Some(judged.program.clone()),
            stamps: Some(judged.stamps.clone()),
            package_uri: self.evidence.uri_of(&folder),
            problem: None,
        };
        Ok((judged, row))
    }

    /// Reads the packages of every item, the newest of each first.
    async fn items(&mut self) -> Result<(), PortError> {
        for name in folders(self.evidence, "").await? {
            let Ok(ipe) = name.parse::<IpeId>() else {
                continue;
            };
            let sealed = sealed_folders(self.evidence, &ipe, self.period).await?;
            for (place, folder) in sealed.iter().enumerate() {
                let Some(run) = run_of(folder) else {
                    continue;
                };
                let mut row = match packaged(self.evidence, (&ipe, self.period), folder).await {
                    Ok(package) => row_of(&ipe, self.period, package),
                    Err(error) if error.kind == PortErrorKind::Corrupt => {
                        self.unread(ipe.as_str(), &run, folder, &error)
                    }
                    Err(error) => return Err(error),
                };
                row.standing = self.of_item(&ipe, &run);
                row.is_newest = place == 0;
                self.rows.push(row);
            }
        }
        Ok(())
    }

    /// What closings say of the package of an item; `None` where one of them cannot be read.
    fn of_item(&self, ipe: &IpeId, run: &RunId) -> Option<Standing> {
        let used = self.used.get(&(ipe.clone(), run.clone())).copied();
        match (used, self.is_doubtful) {
            (Some(standing), _) => Some(standing),
            (None, true) => None,
            (None, false) => Some(Standing::Preliminary),
        }
    }

    fn unread(&self, item: &str, run: &RunId, folder: &str, error: &PortError) -> RunRow {
        let uri = self.evidence.uri_of(folder);
        RunRow::unread(item, (run.clone(), self.period), uri, error.message.clone())
    }
}

/// The row of an item's package.
fn row_of(ipe: &IpeId, period: Period, package: Packaged) -> RunRow {
    let said = input(ipe, Some(&package));
    let record = package.record;
    let is_staged = record.staged.is_some();
    let problem = record.error.as_deref();
    let problem = problem.and_then(|text| text.lines().next().map(str::to_owned));
    RunRow {
        item: ipe.to_string(),
        run_id: record.context.run_id,
        period,
        status: Some(record.status.word()),
        standing: None,
        is_newest: false,
        started_at: Some(record.started_at),
        ended_at: Some(record.ended_at),
        rows: said.rows,
        totals: is_staged.then_some(said.totals),
        fingerprint: said.digest,
        manifest_sha256: Some(package.manifest_sha256),
        definition_sha256: Some(record.definition_sha256),
        destination_table: record.receipt.map(|receipt| receipt.destination_table),
        program: Some(record.context.program),
        stamps: Some(record.context.stamps),
        package_uri: package.uri,
        problem,
    }
}

/// What the log of a month says of a judged run.
fn standing(log: &MonthLog, run: &RunId) -> Standing {
    let closings = (1_u32..).zip(log.closings());
    let numbers = closings.filter(|(_, (closed, _))| *closed == run);
    let is_final = log.closed().is_some_and(|mark| mark.run_id == *run);
    match (numbers.map(|(number, _)| number).max(), is_final) {
        (None, _) => Standing::Preliminary,
        (Some(number), true) => Standing::Final(number),
        (Some(number), false) => Standing::Superseded(number),
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
