//! The sealed packages that a reconciliation reads: found, and proven to be what was sealed.
//!
//! Reads the evidence root only. The newest package of an item speaks for it, whatever came of its run: an older one that
//! succeeded is not taken in its place without a word.

use crate::domain::check::Acceptance;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::manifest::Staged;
use crate::domain::period::Period;
use crate::domain::reconcile::statement::InputVerdicts;
use crate::domain::run::{ItemStatus, Stamp};
use crate::pipeline::package::RECORD;
use crate::pipeline::package::read::{broken, run_of, sealed_file, sealed_folders};
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InputUsed {
    /// The item.
    pub item: IpeId,
    /// Its run.
    pub run_id: RunId,
    /// What came of it.
    pub status: ItemStatus,
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
    /// What it is.
    pub title: String,
    /// What its checks said.
    pub verdicts: InputVerdicts,
    /// Checks that somebody answers for.
    pub accepted: Vec<Acceptance>,
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
            rows: staged.map_or(0, Staged::rows),
            digest: staged.map(|staged| staged.digest.fingerprint()),
            uri: package.uri.clone(),
            manifest_sha256: package.manifest_sha256.clone(),
            not_control_evidence: record.context.stamps.clone(),
            title: record.title.clone(),
            verdicts: InputVerdicts::of(&record.checks),
            accepted: record.context.accepted.clone(),
        }
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
    let Some(folder) = folders.iter().find(is_it) else {
        return Ok(None);
    };
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
    Ok(Some(Packaged {
        uri: evidence.uri_of(folder),
        manifest_sha256,
        record,
    }))
}
