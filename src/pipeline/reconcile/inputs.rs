//! The sealed packages that a reconciliation reads: found, and proven to be what was sealed.
//!
//! Reads the evidence root only. The newest package of an item speaks for it, whatever came of its run: an older one that
//! succeeded is not taken in its place without a word.

use std::collections::BTreeMap;

use super::history::{self, Spoke};
use super::late::{self, Final};
use crate::domain::amount::Amount;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::manifest::Staged;
use crate::domain::period::Period;
use crate::domain::reconcile::drift::Schema;
use crate::domain::reconcile::statement::{Input, InputVerdicts};
use crate::domain::run::{ItemStatus, Stamp};
use crate::pipeline::package::read::{broken, run_of, sealed_file, sealed_folders};
use crate::pipeline::package::{MANIFEST, RECORD};
use crate::pipeline::record::ItemRecord;
use crate::ports::{PortError, StoreRoot};

/// A sealed package of an item.
#[derive(Debug, Clone)]
pub struct Packaged {
    /// Where it is.
    pub uri: String,
    /// SHA-256 of its manifest, in hex: names the whole package.
    pub manifest_sha256: String,
    /// What it says.
    pub record: ItemRecord,
}

/// A package that was used, in short.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InputUsed {
    /// The item.
    pub item: IpeId,
    /// Its run.
    pub run_id: RunId,
    /// What came of it.
    pub status: ItemStatus,
    /// SHA-256 over the files that define the item, in hex.
    pub definition_sha256: String,
    /// Rows staged.
    pub rows: u64,
    /// Content digest, where rows were staged.
    pub digest: Option<String>,
    /// Where the package is.
    pub uri: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
    /// Why its run is no control evidence; empty for a clean one.
    pub not_control_evidence: Vec<Stamp>,
}

impl InputUsed {
    /// What is said of a package.
    #[must_use]
    pub fn of(package: &Packaged) -> Self {
        let record = &package.record;
        let staged = record.staged.as_ref();
        Self {
            item: record.ipe.clone(),
            run_id: record.context.run_id.clone(),
            status: record.status,
            definition_sha256: record.definition_sha256.clone(),
            rows: staged.map_or(0, Staged::rows),
            digest: staged.map(|staged| staged.digest.fingerprint()),
            uri: package.uri.clone(),
            manifest_sha256: package.manifest_sha256.clone(),
            not_control_evidence: record.context.stamps.clone(),
        }
    }
}

/// Which packages speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The newest of each item.
    Newest,
    /// Those of one run.
    Run(RunId),
    /// These runs, as an earlier judgement had them; an item that is not named has none.
    Exactly {
        /// By item.
        runs: BTreeMap<IpeId, RunId>,
        /// The run of last month's balances, if there was one.
        opening: Option<RunId>,
        /// Whether there was no earlier month at all.
        is_first: bool,
        /// Earlier months that were closed then.
        finals: Vec<Final>,
        /// Earlier months with the runs that spoke for them.
        history: Vec<Spoke>,
    },
}

impl Chosen {
    /// The package that speaks for an item and month; `None` when there is none.
    ///
    /// # Errors
    /// As [`find`].
    pub(super) async fn package(
        &self,
        evidence: &StoreRoot,
        ipe: &IpeId,
        period: Period,
    ) -> Result<Option<Packaged>, PortError> {
        match self {
            Self::Newest => find(evidence, (ipe, period), None).await,
            Self::Run(run) => find(evidence, (ipe, period), Some(run)).await,
            Self::Exactly { runs, .. } => match runs.get(ipe) {
                Some(run) => find(evidence, (ipe, period), Some(run)).await,
                None => Ok(None),
            },
        }
    }

    /// The package of last month's balances: of the run that is final, where the month is closed, else the newest.
    ///
    /// # Errors
    /// As [`find`].
    pub(super) async fn opening(
        &self,
        evidence: &StoreRoot,
        ipe: &IpeId,
        period: Period,
        last_final: Option<&RunId>,
    ) -> Result<Option<Packaged>, PortError> {
        match self {
            Self::Newest | Self::Run(_) => find(evidence, (ipe, period), last_final).await,
            Self::Exactly { opening: None, .. } => Ok(None),
            Self::Exactly {
                opening: Some(run), ..
            } => find(evidence, (ipe, period), Some(run)).await,
        }
    }
}

impl Chosen {
    /// Earlier months that are closed.
    ///
    /// # Errors
    /// `Corrupt` for a log that was changed; storage errors.
    pub(super) async fn finals(
        &self,
        evidence: &StoreRoot,
        period: Period,
    ) -> Result<Vec<Final>, PortError> {
        match self {
            Self::Exactly { finals, .. } => Ok(finals.clone()),
            Self::Newest | Self::Run(_) => late::finals(evidence, period, None).await,
        }
    }

    /// Earlier months with the runs that speak for them.
    ///
    /// # Errors
    /// Storage errors.
    pub(super) async fn history(
        &self,
        evidence: &StoreRoot,
        period: Period,
        finals: &[Final],
    ) -> Result<Vec<Spoke>, PortError> {
        match self {
            Self::Exactly { history, .. } => Ok(history.clone()),
            Self::Newest | Self::Run(_) => history::runs(evidence, period, finals).await,
        }
    }

    /// Whether no earlier month of an item was ever sealed, so that there is nothing to roll forward from.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`.
    pub(super) async fn is_first(
        &self,
        evidence: &StoreRoot,
        ipe: &IpeId,
        period: Period,
    ) -> Result<bool, PortError> {
        if let Self::Exactly { is_first, .. } = self {
            return Ok(*is_first);
        }
        let stored = evidence.list(ipe.as_str()).await?;
        let months = stored.iter().filter_map(|file| {
            let sealed = file.path.strip_suffix(&format!("/{MANIFEST}"))?;
            month_of(sealed)
        });
        Ok(months
            .map(Period::start)
            .all(|start| start >= period.start()))
    }
}

/// The month of a package's folder.
pub(super) fn month_of(folder: &str) -> Option<Period> {
    let month = folder.split('/').nth(1)?.strip_prefix("period=")?;
    month.parse().ok()
}

/// What a report says of an item; `None` is an item without a package.
#[must_use]
pub fn input(item: &IpeId, package: Option<&Packaged>) -> Input {
    let record = package.map(|package| &package.record);
    let staged = record.and_then(|record| record.staged.as_ref());
    let checks: Vec<_> = record
        .iter()
        .flat_map(|record| record.checks.iter().chain(&record.verification))
        .cloned()
        .collect();
    let population = record.and_then(|record| record.population.as_ref());
    let dates = population
        .iter()
        .flat_map(|population| population.base.values())
        .filter_map(|base| base.dates.newest);
    Input {
        item: item.clone(),
        title: record.map_or_else(String::new, |record| record.title.clone()),
        run_id: record.map(|record| record.context.run_id.clone()),
        status: record.map(|record| record.status),
        manifest_sha256: package.map(|package| package.manifest_sha256.clone()),
        rows: staged.map(Staged::rows),
        totals: staged.map(totals).unwrap_or_default(),
        schema: record.map(|record| Schema::of(&record.contract)),
        refreshed_at: dates.max(),
        verdicts: InputVerdicts::of(&checks),
        digest: staged.map(|staged| staged.digest.fingerprint()),
    }
}

/// Sums over all companies; a column whose sum leaves 38 digits is left out, because nothing rests on it.
fn totals(staged: &Staged) -> BTreeMap<String, Amount> {
    let mut totals = BTreeMap::new();
    for (place, name) in staged.totals.amounts.iter().enumerate() {
        let groups = staged.totals.groups.values();
        let mut sums = groups.filter_map(|group| group.sums.get(place).copied());
        let Some(first) = sums.next() else {
            continue;
        };
        if let Ok(sum) = sums.try_fold(first, Amount::checked_add) {
            totals.insert(name.clone(), sum);
        }
    }
    totals
}

/// An amount without the zeros at its end.
pub(super) fn plain(amount: Amount) -> String {
    let text = amount.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The package that speaks for an item and month: that of `run`, else the newest; `None` when there is none.
///
/// # Errors
/// `Corrupt` for a package that is not what was sealed, or whose record this version of the program cannot read;
/// storage errors.
pub async fn find(
    evidence: &StoreRoot,
    (ipe, period): (&IpeId, Period),
    run: Option<&RunId>,
) -> Result<Option<Packaged>, PortError> {
    let folders = sealed_folders(evidence, ipe, period).await?;
    let is_it = |folder: &&String| run.is_none_or(|run| run_of(folder).as_ref() == Some(run));
    match folders.iter().find(is_it) {
        Some(folder) => packaged(evidence, (ipe, period), folder).await.map(Some),
        None => Ok(None),
    }
}

/// The sealed package of an item and month in a folder.
///
/// # Errors
/// As [`find`].
pub async fn packaged(
    evidence: &StoreRoot,
    (ipe, period): (&IpeId, Period),
    folder: &str,
) -> Result<Packaged, PortError> {
    let (bytes, manifest_sha256) = sealed_file(evidence, folder, RECORD).await?;
    let record: ItemRecord = serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("the package has a record that this version cannot read: {error}");
        broken(evidence, folder, what)
    })?;
    let context = &record.context;
    if record.ipe != *ipe
        || context.period != period
        || run_of(folder).as_ref() != Some(&context.run_id)
    {
        let what = "the package is not of the folder that it lies in";
        return Err(broken(evidence, folder, what));
    }
    Ok(Packaged {
        uri: evidence.uri_of(folder),
        manifest_sha256,
        record,
    })
}
