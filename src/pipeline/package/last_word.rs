//! How a run ends in the evidence: with its own package, or with one in its name.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::MANIFEST;
use super::write::{SealedPackage, folder_of_run, package_folder, seal};
use crate::domain::run::ItemStatus;
use crate::pipeline::Tools;
use crate::pipeline::log::ItemLog;
use crate::pipeline::record::ItemRecord;
use crate::ports::{Clock, PortError, StoreRoot};

/// Seals the item; when that fails the record says so.
pub async fn seal_or_say(
    tools: &Tools,
    record: &mut ItemRecord,
    log: &[u8],
) -> Option<SealedPackage> {
    match seal(&tools.evidence, record, log).await {
        Ok(sealed) => Some(sealed),
        Err(error) => {
            let before = record
                .error
                .take()
                .map_or_else(String::new, |before| format!("{before}\n"));
            let loaded = match (&record.receipt, &record.submitted) {
                (Some(_), _) => "the month was loaded, but ",
                (None, Some(_)) => "the month may have been loaded, and ",
                (None, None) => "",
            };
            let hint = match error.hint {
                Some(_) => "",
                None => {
                    "\nhint: run the item again when storage works: it replaces the month and seals"
                }
            };
            record.status = ItemStatus::Error;
            record.error = Some(format!(
                "{before}{loaded}the evidence could not be sealed: {error}{hint}"
            ));
            None
        }
    }
}

/// Whether a run has its package: its own, or one in its name.
///
/// # Errors
/// Storage errors.
pub async fn is_sealed(evidence: &StoreRoot, record: &ItemRecord) -> Result<bool, PortError> {
    for folder in [folder_of_run(record), package_folder(record)] {
        let manifest = format!("{folder}/{MANIFEST}");
        if evidence.find(&manifest).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals in the name of a run that died holding the lease, unless it is sealed already. The package is a function of
/// the record alone, so that one which was cut off is completed by whoever comes next.
///
/// # Errors
/// Storage errors: then nobody knows of the dead run, so the run that found it must not go on.
pub async fn bury(tools: &Tools, dead: &ItemRecord) -> Result<(), PortError> {
    if is_sealed(&tools.evidence, dead).await? {
        return Ok(());
    }
    let run_id = dead.context.run_id.clone();
    let mut log = ItemLog::new(Arc::new(Standing(dead.ended_at)), dead.ipe.clone(), run_id);
    log.note("run abandoned", json!({"error": dead.error}));
    seal(&tools.evidence, dead, &log.close()).await?;
    Ok(())
}

/// The moment at which the run was found dead.
struct Standing(DateTime<Utc>);

impl Clock for Standing {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
