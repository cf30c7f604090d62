//! The sealed packages that a reconciliation reads: found, and proven to be what was sealed.
//!
//! Reads the evidence root only. The newest package of an item speaks for it, whatever came of its run: an older one that
//! succeeded is not taken in its place without a word.

use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
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
