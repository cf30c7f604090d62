//! Looks for runs that this process did not make, in the roots of a service.

use std::sync::Arc;

use crate::adapters::process::ProcProcesses;
use crate::domain::ids::{IpeId, RunId};
use crate::pipeline::elsewhere::{Ground, Trace, seek};
use crate::pipeline::lease::Leases;
use crate::ports::PortError;
use crate::settings::ServiceSettings;

use super::SystemClock;
use super::roots::RootOpener;

/// What leases and packages say of a run; `None` where they know none of that name. Makes nothing.
///
/// # Errors
/// As [`seek`], and a root that cannot be read.
pub async fn trace(
    settings: &ServiceSettings,
    items: &[IpeId],
    run_id: &RunId,
) -> Result<Option<Trace>, PortError> {
    let run = &settings.run;
    // What lies in memory is gone with its run.
    let places = [Some(run.evidence.as_str()), run.leases.as_deref()];
    if places
        .into_iter()
        .flatten()
        .any(|at| at.starts_with("memory:"))
    {
        return Ok(None);
    }
    let opener = RootOpener::beside(&run.google, &run.source.secrets, &run.limits).await?;
    let Some(evidence) = opener.existing(&run.evidence)? else {
        return Ok(None);
    };
    let leases = match &run.leases {
        None => Leases::within(&evidence),
        Some(location) => match opener.existing(location)? {
            Some(root) => Leases::new(root, &evidence),
            None => return Ok(None),
        },
    };
    let ground = Ground {
        evidence,
        leases,
        clock: Arc::new(SystemClock),
        processes: Arc::new(ProcProcesses),
        limits: run.limits.clone(),
    };
    seek(&ground, items, run_id, settings.limits.months_looked_max).await
}
