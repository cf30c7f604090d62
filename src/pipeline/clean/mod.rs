//! What runs that ended badly left behind: found with a reason, and removed when that is asked for.
//!
//! An orphan is what a run wrote that has ended or died, that no sealed package names and no month shows or ever
//! showed. Whatever cannot be judged is said and left alone (ADR-0021). Staging and evidence may lie in
//! buckets; there the same is judged by objects.

mod ground;
mod judge;
mod remove;
mod sealed;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::ids::IpeId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::ports::{Clock, Leftover, PortError, Processes, StoreRoot, Stored};

use super::lease::{self, Leases};
use ground::Ground;
use judge::Judge;
use walk::FileAt;

pub use remove::remove;

/// Where to look, and with what to judge.
pub struct CleanTools {
    /// Staging root, if there is one.
    pub staging: Option<StoreRoot>,
    /// The warehouse's folder, if there is one, and what it says no month shows: taken before anything else.
    pub warehouse: Option<(StoreRoot, Vec<Leftover>)>,
    /// Evidence root: its packages say what is an orphan.
    pub evidence: StoreRoot,
    /// Its leases, which say it too.
    pub leases: Leases,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who runs on this machine.
    pub processes: Arc<dyn Processes>,
    /// When a lease expires.
    pub limits: Limits,
}

/// Where an orphan lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrphanKind {
    /// Parts and sidecars of a run.
    Staged,
    /// Room that was set aside for a package.
    Reserve,
    /// A package without its manifest.
    UnsealedPackage,
    /// A file that was being written.
    Temporary,
    /// A run of a warehouse table that was never shown.
    NeverShown,
}

/// Files that nobody needs, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// What it is.
    pub kind: OrphanKind,
    /// The folder or file, for people.
    pub uri: String,
    /// Why nobody needs it.
    pub why: String,
    /// Size of the files in bytes.
    pub bytes: u64,
    /// The exact files below the root; nothing else is removed.
    pub files: Vec<Stored>,
    /// The root.
    #[serde(skip)]
    root: Ground,
    /// Folder below the root that goes when it is empty.
    #[serde(skip)]
    folder: Option<String>,
    /// The item and month to which it belongs.
    #[serde(skip)]
    month: Option<(IpeId, Period)>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CleanReport {
    /// Orphans, by root and path.
    pub orphans: Vec<Orphan>,
    /// What was left alone because a run is, or may be, at work.
    pub at_work: BTreeSet<String>,
    /// What could not be judged or removed, and why.
    pub not_found_out: BTreeSet<String>,
    /// Whether the orphans were removed.
    pub removed: bool,
}

impl CleanReport {
    /// Exit code: 0 nothing is left, 1 orphans are there, 2 something could not be found out.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.not_found_out.is_empty() {
            2
        } else {
            u8::from(!self.orphans.is_empty() && !self.removed)
        }
    }
}

/// Finds every orphan; changes nothing.
///
/// # Errors
/// A root that cannot be listed; `Config` where the evidence root names another root of leases. What cannot be judged is
/// in the report.
pub async fn find(tools: &CleanTools) -> Result<CleanReport, PortError> {
    tools.leases.agree().await?;
    // Files before leases before packages: a run that ends meanwhile has either still its lease or already its package.
    let staged = match &tools.staging {
        Some(staging) => Ground::of(staging).files().await?,
        None => Vec::new(),
    };
    let evidence = Ground::of(&tools.evidence).files().await?;
    // Below the evidence root they are among its files.
    let leases = match tools.leases.apart() {
        Some(_) => Ground::of(tools.leases.root()).files().await?,
        None => Vec::new(),
    };
    let leftovers = tools.warehouse.iter().flat_map(|(_, found)| found);
    let leftovers: Vec<&Leftover> = leftovers.collect();
    let written: Vec<&FileAt> = [&staged, &evidence, &leases]
        .into_iter()
        .flatten()
        .collect();
    let mut judge = Judge::new(tools, &written, &leftovers).await?;
    if let Some(staging) = &tools.staging {
        judge.staging(&Ground::of(staging), &staged);
    }
    judge.evidence(&Ground::of(&tools.evidence), &evidence);
    judge.loose(&Ground::of(tools.leases.root()), &leases);
    if let Some((warehouse, _)) = &tools.warehouse {
        judge.warehouse(&Ground::of(warehouse), &leftovers);
    }
    Ok(judge.report)
}
