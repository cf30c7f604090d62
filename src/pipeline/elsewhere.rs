//! Runs of other processes, and of this one before it was started anew: what leases and packages say of them.
//!
//! Reads both roots; writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;

use super::inspect::find::folders;
use super::lease::{Leases, holders, leases_of};
use super::reconcile::inputs::{InputUsed, find};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{ItemStatus, OverallStatus};
use crate::ports::{Clock, PortError, Processes, StoreRoot};

/// Where runs are looked for.
pub struct Ground {
    /// Root of the packages.
    pub evidence: StoreRoot,
    /// Leases beside it.
    pub leases: Leases,
    /// Says what has expired.
    pub clock: Arc<dyn Clock>,
    /// Says which processes of this machine are gone.
    pub processes: Arc<dyn Processes>,
    /// When a lease expires.
    pub limits: Limits,
}

/// What is known of an item of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The run holds its lease.
    AtWork,
    /// The run, or another in its name, sealed it.
    Sealed(Box<InputUsed>),
    /// The run took its lease, is at work no more, and left no package.
    Nothing,
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its month.
    pub period: Period,
    /// The items of which something is known.
    pub items: BTreeMap<IpeId, Left>,
}

impl Trace {
    /// `RUNNING`, `LOST` where something was left unsealed, else what its items say of the whole.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let is = |wanted: &Left| self.items.values().any(|left| left == wanted);
        if is(&Left::AtWork) {
            return "RUNNING";
        }
        if is(&Left::Nothing) {
            return "LOST";
        }
        let statuses = self.items.values().filter_map(|left| match left {
            Left::Sealed(package) => Some(package.status),
            Left::AtWork | Left::Nothing => None,
        });
        OverallStatus::of(&statuses.collect::<Vec<ItemStatus>>()).word()
    }
}

/// Looks for a run in the newest months of which anything is there; `None` where none of these items knows it.
///
/// # Errors
/// `Corrupt` for a lease or a package of the run that cannot be read; `Config` where the evidence root names another
/// root of leases; storage errors.
pub async fn seek(
    ground: &Ground,
    items: &[IpeId],
    run_id: &RunId,
    months_max: usize,
) -> Result<Option<Trace>, PortError> {
    let listed = items.iter().map(|item| months(ground, item));
    let months: BTreeSet<Period> = try_join_all(listed).await?.into_iter().flatten().collect();
    for period in months.into_iter().rev().take(months_max) {
        let known = items
            .iter()
            .map(|item| left(ground, (item, period), run_id));
        let known = try_join_all(known).await?.into_iter().flatten();
        let items: BTreeMap<IpeId, Left> = known.collect();
        if !items.is_empty() {
            return Ok(Some(Trace { period, items }));
        }
    }
    Ok(None)
}

/// The months of which an item has packages or leases.
async fn months(ground: &Ground, item: &IpeId) -> Result<BTreeSet<Period>, PortError> {
    let (packages, leases) = (item.to_string(), leases_of(item));
    let mut found = folders(&ground.evidence, &packages).await?;
    found.extend(folders(ground.leases.root(), &leases).await?);
    let period = |folder: String| folder.rsplit_once("/period=")?.1.parse().ok();
    Ok(found.into_iter().filter_map(period).collect())
}

async fn left(
    ground: &Ground,
    (item, period): (&IpeId, Period),
    run_id: &RunId,
) -> Result<Option<(IpeId, Left)>, PortError> {
    let Ground {
        evidence,
        leases,
        clock,
        processes,
        limits,
    } = ground;
    let held = holders(leases, (item, period), clock, processes, limits).await?;
    if held.at_work.as_ref() == Some(run_id) {
        return Ok(Some((item.clone(), Left::AtWork)));
    }
    // After the leases: a run that ends meanwhile has given its lease back behind its package.
    let sealed = find(evidence, (item, period), Some(run_id)).await?;
    let left = match sealed {
        Some(package) => Some(Left::Sealed(Box::new(InputUsed::of(&package)))),
        None => held.runs.contains(run_id).then_some(Left::Nothing),
    };
    Ok(left.map(|left| (item.clone(), left)))
}
