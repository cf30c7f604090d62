//! The sealed packages of an evidence root, and what they name.

use std::collections::BTreeMap;

use super::ground::Ground;
use super::walk::RunFolder;
use super::{CleanReport, CleanTools};
use crate::pipeline::package::{MANIFEST, RECORD};
use crate::pipeline::record::ItemRecord;
use crate::ports::PortError;

/// Packages with a manifest; `None` when the record cannot be read, so that nobody knows what it names.
pub(super) type Sealed = BTreeMap<RunFolder, Option<ItemRecord>>;

/// Every package with a manifest, listed after the leases were read.
pub(super) async fn sealed(
    tools: &CleanTools,
    report: &mut CleanReport,
) -> Result<Sealed, PortError> {
    let mut sealed = Sealed::new();
    for file in Ground::of(&tools.evidence).files().await? {
        let Some(run) = RunFolder::of(file.path()) else {
            continue;
        };
        if file.path() != format!("{}/{MANIFEST}", run.path) {
            continue;
        }
        let record = tools.evidence.get(&format!("{}/{RECORD}", run.path)).await;
        let record = record.map_err(|error| error.to_string()).and_then(|bytes| {
            serde_json::from_slice::<ItemRecord>(&bytes).map_err(|error| error.to_string())
        });
        if let Err(error) = &record {
            let uri = tools.evidence.uri_of(&run.path);
            let what = format!("{uri}: the record of this package cannot be read: {error}");
            report.not_found_out.insert(what);
        }
        sealed.insert(run, record.ok());
    }
    Ok(sealed)
}
