//! The root for `clean`: opens what is there and makes nothing.

use std::sync::Arc;

use super::SystemClock;
use super::roots::RootOpener;
use crate::adapters::local_warehouse::LocalWarehouse;
use crate::adapters::process::ProcProcesses;
use crate::adapters::store;
use crate::domain::limits::Limits;
use crate::pipeline::clean::{self, CleanReport, CleanTools};
use crate::pipeline::lease::Leases;
use crate::ports::{PortError, PortErrorKind};
use crate::settings::Roots;

/// Finds what runs that ended badly left behind, and removes it if that is asked for.
///
/// # Errors
/// A root that cannot be read, and an evidence root or one of leases that is not there while others are: without leases
/// and packages nobody can tell what is an orphan.
pub async fn clean(
    roots: &Roots,
    leases: Option<&str>,
    remove: bool,
) -> Result<CleanReport, PortError> {
    let opener = RootOpener::new(&roots.google).await?;
    let staging = opener.existing(&roots.staging)?;
    let warehouse = match store::existing(&roots.warehouse)? {
        Some(root) => {
            let leftovers = LocalWarehouse::new(&root, store::memory())?.leftovers()?;
            Some((root, leftovers))
        }
        None => None,
    };
    let Some(evidence) = opener.existing(&roots.evidence)? else {
        if staging.is_none() && warehouse.is_none() {
            return Ok(CleanReport::default());
        }
        let what = format!("there is no evidence root `{}`", roots.evidence);
        return Err(PortError::new(PortErrorKind::Unreachable, what).hint(
            "without its leases and packages nobody can tell what is an orphan: name it with --evidence",
        ));
    };
    let leases = match leases {
        Some(location) => Leases::new(opener.open_existing(location)?, &evidence),
        None => Leases::within(&evidence),
    };
    let tools = CleanTools {
        staging,
        warehouse,
        evidence,
        leases,
        clock: Arc::new(SystemClock),
        processes: Arc::new(ProcProcesses),
        limits: Limits::default(),
    };
    let found = clean::find(&tools).await?;
    Ok(if remove {
        clean::remove(&tools, found).await
    } else {
        found
    })
}
