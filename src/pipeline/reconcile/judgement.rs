//! The sealed reconciliation of a month: a bag with what was judged and the rules that it was judged by, from which the
//! same packages give the same judgement again.
//!
//! ```text
//! reconciliation/period=YYYY-MM/run=<run_id>/
//!   bagit.txt  bag-info.txt  manifest-sha256.txt (written last)
//!   data/judgement.json  data/rules/…  data/thresholds/…  data/report.{en,fr}.html
//! ```
//! The folder is no item's: nothing that looks for items takes it for one.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::history::Spoke;
use super::inputs::Chosen;
use super::{Reconciled, Rules};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::months::MonthLog;
use crate::domain::reconcile::statement::{Change, MonthState, Statement};
use crate::domain::run::{Program, Stamp};
use crate::pipeline::package::read::{Bag, broken, run_of, sealed_file};
use crate::pipeline::package::write::{Files, SealedPackage, seal_bag};
use crate::pipeline::package::{CONTROL, MANIFEST};
use crate::ports::{PortError, PortErrorKind, StoreRoot};
use crate::report::material::{Explained, LineMatch, Material, MonthPoint, Vouchers};
use crate::report::page::page;
use crate::report::words::Language;

/// The judgement in a sealed reconciliation.
pub const JUDGEMENT: &str = "data/judgement.json";

/// The page that people read, as the month stood when it was judged: preliminary, and signed by nobody.
pub const PAGE_EN: &str = "data/report.en.html";
/// The same in French.
pub const PAGE_FR: &str = "data/report.fr.html";

/// Folder of all reconciliations below the evidence root.
pub const RECONCILIATION: &str = "reconciliation";

/// A judged month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The run that judged.
    pub run_id: RunId,
    /// When.
    pub at: DateTime<Utc>,
    /// The program.
    pub program: Program,
    /// Why it is no control evidence; empty for a clean one.
    pub stamps: Vec<Stamp>,
    /// What was judged.
    pub reconciled: Reconciled,
}

impl Judgement {
    /// Its month.
    #[must_use]
    pub fn period(&self) -> Period {
        self.reconciled.result.period
    }

    /// Its folder below the evidence root.
    #[must_use]
    pub fn folder(&self) -> String {
        folder(self.period(), &self.run_id)
    }

    /// The month as it is reported, with what people said and signed.
    ///
    /// # Errors
    /// `Corrupt` for a judgement that cannot be written as JSON, which its fingerprint is taken of.
    pub fn statement(&self, log: &MonthLog) -> Result<Statement, PortError> {
        let reconciled = &self.reconciled;
        let is_final = log.closed().is_some_and(|mark| mark.run_id == self.run_id);
        Ok(Statement {
            run_id: self.run_id.clone(),
            state: match is_final {
                true => log.state(),
                false => MonthState::Preliminary,
            },
            stamps: self.stamps.clone(),
            program: self.program.clone(),
            result: reconciled.result.clone(),
            zero_checks: reconciled.zero_checks.clone(),
            inputs: reconciled.items.clone(),
            accepted: reconciled.accepted.clone(),
            pins: reconciled.pins.clone(),
            since: reconciled.since.clone(),
            changes: self.changes(),
            drift: reconciled.drift.clone(),
            dispositions: log.dispositions(),
            sign_offs: log.sign_offs(),
            beside_sha256: Some(self.beside_sha256()?),
        })
    }

    /// SHA-256, in hex, of what a report shows beside the statement: explanations and earlier months. Maps are written in
    /// the order of their keys, so that the same judgement has the same.
    fn beside_sha256(&self) -> Result<String, PortError> {
        let beside = (&self.reconciled.explanations, &self.reconciled.history);
        let json = serde_json::to_vec(&beside).map_err(|error| {
            let what = format!("what stands beside the lines cannot be written: {error}");
            PortError::new(PortErrorKind::Corrupt, what)
        })?;
        Ok(sha256_hex(&json))
    }

    /// What matching found, line by line.
    #[must_use]
    pub fn matches(&self) -> Vec<LineMatch> {
        let lines = self.reconciled.explanations.matching.iter();
        let matches = lines.map(|(line, matched)| LineMatch {
            line: line.clone(),
            scopes: matched.scopes.clone(),
        });
        matches.collect()
    }

    /// Earlier months, the oldest first.
    #[must_use]
    pub fn months(&self) -> Vec<MonthPoint> {
        let months = self.reconciled.history.iter();
        months.map(|month| month.shown.clone()).collect()
    }

    /// What bridges and lists consist of.
    #[must_use]
    pub fn explained(&self) -> Explained<'_> {
        let all = &self.reconciled.explanations;
        let vouchers = all.vouchers.as_ref().map(|vouchers| Vouchers {
            pivot: &vouchers.pivot,
            flows: &vouchers.flows,
            audits: &vouchers.audits,
            opening: &all.opening,
        });
        Explained {
            timing: all.timing.as_ref(),
            vtc: all.vtc.as_ref(),
            vouchers,
            posting_groups: all.posting_groups.as_deref(),
            reclass: all.reclass.as_deref(),
            labels: all.labels.as_deref(),
            not_computed: Some(&all.not_computed),
        }
    }

    /// What is not as it was, the program among it. An older version compared with last month, and did not say so.
    fn changes(&self) -> Vec<Change> {
        let reconciled = &self.reconciled;
        let mut changes = reconciled.changes.clone();
        let own = &self.program.binary_sha256;
        let last = reconciled.history.last();
        let last = last.filter(|month| self.period().previous() == Ok(month.period));
        let last = last.map(|month| &month.program.binary_sha256);
        let since = reconciled.since.as_ref();
        let before = since.map(|since| &since.binary_sha256).or(last);
        if let Some(before) = before.filter(|before| *before != own) {
            changes.push(Change {
                what: "binary".to_owned(),
                before: Some(before.clone()),
                now: Some(own.clone()),
            });
        }
        changes
    }

    /// Which packages it was made from.
    #[must_use]
    pub fn chosen(&self) -> Chosen {
        let inputs = self.reconciled.inputs.iter();
        let opening = self.reconciled.opening.as_ref();
        Chosen::Exactly {
            runs: inputs
                .map(|input| (input.item.clone(), input.run_id.clone()))
                .collect::<BTreeMap<IpeId, RunId>>(),
            opening: opening.map(|input| input.run_id.clone()),
            is_first: self.reconciled.is_first,
            finals: self.reconciled.finals.clone(),
            history: self
                .reconciled
                .history
                .iter()
                .map(|month| Spoke {
                    period: month.period,
                    run_id: month.run_id.clone(),
                    records: Some(month.records),
                })
                .collect(),
        }
    }
}

/// The folder of a run's judgement below the evidence root.
#[must_use]
pub fn folder(period: Period, run: &RunId) -> String {
    format!("{RECONCILIATION}/period={period}/run={run}")
}

/// The sealed judgement of a run, with the SHA-256 of its manifest.
///
/// # Errors
/// `Query` when there is none; `Corrupt` when it is not what was sealed; storage errors.
pub async fn read(
    evidence: &StoreRoot,
    period: Period,
    run: &RunId,
) -> Result<(Judgement, String), PortError> {
    let folder = folder(period, run);
    let sealed = evidence.find(&format!("{folder}/{MANIFEST}")).await?;
    if sealed.is_none() {
        let what = format!("run {run} has sealed no judgement of {period}");
        return Err(PortError::new(PortErrorKind::Query, what)
            .at("evidence", evidence.uri.clone())
            .hint("`soxauto reconcile --seal` makes one and says its run"));
    }
    let (bytes, manifest_sha256) = sealed_file(evidence, &folder, JUDGEMENT).await?;
    let read = beside(move || serde_json::from_slice::<Judgement>(&bytes)).await?;
    let read = read.map_err(|error| {
        let what = format!("the judgement cannot be read by this version: {error}");
        broken(evidence, &folder, what)
    })?;
    Ok((read, manifest_sha256))
}

/// The runs that sealed a judgement of a month, the newest first.
///
/// # Errors
/// `Unreachable`, `Denied`.
pub async fn runs(evidence: &StoreRoot, period: Period) -> Result<Vec<RunId>, PortError> {
    let stored = evidence
        .list(&format!("{RECONCILIATION}/period={period}"))
        .await?;
    let sealed = stored.iter();
    let sealed = sealed.filter_map(|file| file.path.strip_suffix(&format!("/{MANIFEST}")));
    let mut runs: Vec<RunId> = sealed.filter_map(run_of).collect();
    runs.sort_by(|one, other| other.cmp(one));
    Ok(runs)
}

/// The files of the bag: a pure function of the judgement and its rules.
///
/// # Errors
/// `Corrupt` for a judgement that cannot be written as JSON.
pub fn files(judgement: &Judgement, rules: &Rules) -> Result<Files, PortError> {
    let json = serde_json::to_vec_pretty(judgement).map_err(|error| {
        let what = format!("the judgement cannot be written: {error}");
        PortError::new(PortErrorKind::Corrupt, what)
    })?;
    let mut files = Files::from([(JUDGEMENT.to_owned(), Bytes::from(json))]);
    for (place, text) in &rules.files {
        files.insert(format!("data/{place}"), Bytes::from(text.clone()));
    }
    let statement = judgement.statement(&MonthLog::default())?;
    let (matches, months) = (judgement.matches(), judgement.months());
    let material = Material {
        statement: &statement,
        matches: &matches,
        months: &months,
        explained: judgement.explained(),
    };
    for (place, language) in [(PAGE_EN, Language::English), (PAGE_FR, Language::French)] {
        let page = page(material, language).map_err(|error| {
            let what = format!("the page cannot be written: {error}");
            PortError::new(PortErrorKind::Corrupt, what)
        })?;
        files.insert(place.to_owned(), Bytes::from(page));
    }
    Ok(files)
}

/// Text of `bag-info.txt`.
#[must_use]
pub fn bag_info(judgement: &Judgement, payload: &Files) -> String {
    let bytes: usize = payload.values().map(Bytes::len).sum();
    format!(
        "Bag-Software-Agent: soxauto {}\nBagging-Date: {}\nExternal-Description: {CONTROL} reconciliation of {}\n\
         External-Identifier: {}\nPayload-Oxum: {bytes}.{}\n",
        judgement.program.version,
        judgement.at.date_naive(),
        judgement.period(),
        judgement.folder(),
        payload.len(),
    )
}

/// Seals a judgement and gives it back. Sealing the same again is success; nothing is ever overwritten.
///
/// # Errors
/// `Corrupt` when another judgement is there already; `Limit` when storage is full; `Denied`, `Unreachable`.
pub async fn seal(
    evidence: &StoreRoot,
    judgement: Judgement,
    rules: Rules,
) -> Result<(Judgement, SealedPackage), PortError> {
    let making = beside(move || {
        let payload = files(&judgement, &rules)?;
        let info = bag_info(&judgement, &payload);
        Ok::<_, PortError>((judgement, payload, info))
    });
    let (judgement, payload, info) = making.await??;
    let sealed = seal_bag(evidence, &judgement.folder(), payload, info).await?;
    Ok((judgement, sealed))
}

/// The month as it is reported, with what people said and signed; worked out beside the async threads.
///
/// # Errors
/// As [`Judgement::statement`].
pub async fn stated(judgement: Judgement, log: &MonthLog) -> Result<Statement, PortError> {
    let log = log.clone();
    beside(move || judgement.statement(&log)).await?
}

/// Works on a whole judgement beside the async threads: it may be many megabytes.
///
/// # Errors
/// `Corrupt` when the work panics.
pub(in crate::pipeline) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PortError> {
    let done = spawn_blocking(work).await;
    done.map_err(|lost| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("working on a judgement: {lost}"),
        )
    })
}

/// The rules that a bag holds.
#[must_use]
pub fn rule_files(bag: &Bag) -> BTreeMap<String, String> {
    let files = bag.files.iter();
    let rules = files.filter_map(|(path, bytes)| {
        let place = path.strip_prefix("data/")?;
        let is_rule = place.starts_with("rules/") || place.starts_with("thresholds/");
        is_rule.then(|| {
            (
                place.to_owned(),
                String::from_utf8_lossy(bytes).into_owned(),
            )
        })
    });
    rules.collect()
}

#[cfg(test)]
#[path = "judgement_tests.rs"]
pub(crate) mod tests;
