//! How a run ends in the evidence: with its own package, or with one in its name.

use std::sync::Arc;

use serde_json::json;

use super::MANIFEST;
use super::write::{SealedPackage, folder_of_run, seal};
use crate::domain::run::ItemStatus;
use crate::pipeline::Tools;
use crate::pipeline::log::ItemLog;
use crate::pipeline::record::ItemRecord;
use crate::ports::PortError;

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
            let loaded = record
                .receipt
                .as_ref()
                .map_or("", |_| "the month was loaded, but ");
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

/// Seals in the name of a run that died holding the lease, unless it had sealed itself.
///
/// # Errors
/// Storage errors: then nobody knows of the dead run, so the run that found it must not go on.
pub async fn bury(tools: &Tools, dead: &ItemRecord) -> Result<(), PortError> {
    let sealed = format!("{}/{}", folder_of_run(dead), MANIFEST);
    if tools.evidence.find(&sealed).await?.is_some() {
        return Ok(());
    }
    let run_id = dead.context.run_id.clone();
    let mut log = ItemLog::new(Arc::clone(&tools.clock), dead.ipe.clone(), run_id);
    log.note("run abandoned", json!({"error": dead.error}));
    seal(&tools.evidence, dead, &log.close()).await?;
    Ok(())
}
