//! Last month's package of an item: where it is, and what it says of the running numbers.
//!
//! Reads sealed packages, the newest first; trusts a record only when the manifest names its bytes. Writes nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::package::RECORD;
use super::package::read::{broken, run_of, sealed_file, sealed_folders};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::run::{ItemStatus, RunState};
use crate::ports::{PortError, StoreRoot};

/// Packages of one month that are looked at, the newest first: a month is run a few times, not hundreds.
const PACKAGES_MAX: usize = 100;

/// What a package says of the running numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CountedNumbers {
    /// Month, run and state of the package.
    pub(super) period: Period,
    pub(super) run_id: RunId,
    pub(super) state: RunState,
    /// SHA-256 of its manifest, in hex.
    pub(super) manifest_sha256: String,
    /// Rows with lowest and highest number, by company.
    pub(super) companies: BTreeMap<String, (u64, i64, i64)>,
}

/// The part of a record that is needed here: packages of other versions of the program have it too.
#[derive(Deserialize)]
struct RecordPart {
    ipe: IpeId,
    context: ContextPart,
    state: RunState,
    status: ItemStatus,
    population: Option<PopulationPart>,
}

#[derive(Deserialize)]
struct ContextPart {
    run_id: RunId,
    period: Period,
}

#[derive(Deserialize)]
struct PopulationPart {
    base: BTreeMap<String, BasePart>,
}

#[derive(Deserialize)]
struct BasePart {
    rows: u64,
    first: Option<i64>,
    last: Option<i64>,
}

/// The package of `ipe` and `period` to compare with: the newest final one, else the newest that was loaded.
///
/// # Errors
/// `Corrupt` for a package whose record is not the one that was sealed; storage errors.
pub(super) async fn find(
    evidence: &StoreRoot,
    ipe: &IpeId,
    period: Period,
) -> Result<Option<CountedNumbers>, PortError> {
    let folders = sealed_folders(evidence, ipe, period).await?;
    let mut newest = None;
    for folder in folders.into_iter().take(PACKAGES_MAX) {
        let found = read(evidence, &folder, ipe, period).await?;
        match found {
            Some(last) if last.state == RunState::Final => return Ok(Some(last)),
            Some(loaded) if newest.is_none() => newest = Some(loaded),
            _ => {}
        }
    }
    Ok(newest)
}

/// What a package says; `None` when its run did not load, or counted no running numbers.
async fn read(
    evidence: &StoreRoot,
    folder: &str,
    ipe: &IpeId,
    period: Period,
) -> Result<Option<CountedNumbers>, PortError> {
    let broken = |what: &str| broken(evidence, folder, format!("last month's package {what}"));
    let (record, manifest_sha256) = sealed_file(evidence, folder, RECORD).await?;
    let part: RecordPart = serde_json::from_slice(&record)
        .map_err(|_| broken("holds a record that cannot be read"))?;
    if part.ipe != *ipe
        || part.context.period != period
        || run_of(folder).as_ref() != Some(&part.context.run_id)
    {
        return Err(broken("is not of the folder that it lies in"));
    }
    let Some(population) = part
        .population
        .filter(|_| part.status == ItemStatus::Success)
    else {
        return Ok(None);
    };
    let companies: BTreeMap<_, _> = population
        .base
        .into_iter()
        .filter_map(|(company, base)| Some((company, (base.rows, base.first?, base.last?))))
        .collect();
    Ok((!companies.is_empty()).then_some(CountedNumbers {
        period,
        run_id: part.context.run_id,
        state: part.state,
        manifest_sha256,
        companies,
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::domain::digest::sha256_hex;
    use crate::pipeline::package::MANIFEST;

    const MARCH: &str = "IPE_07/period=2024-03";

    fn memory() -> StoreRoot {
        StoreRoot {
            store: Arc::new(object_store::memory::InMemory::new()),
            uri: "memory://".into(),
        }
    }

    async fn found(root: &StoreRoot) -> Result<Option<CountedNumbers>, PortError> {
        let ipe = "IPE_07".parse().unwrap();
        find(root, &ipe, "2024-03".parse().unwrap()).await
    }

    async fn put(root: &StoreRoot, run: &str, state: &str, status: &str, last: Option<i64>) {
        let record = json!({
            "ipe": "IPE_07", "state": state, "status": status,
            "context": {"run_id": run, "period": "2024-03"},
            "population": {"base": {"X": {"rows": 3, "first": 1, "last": last}}},
        });
        let record = record.to_string();
        let manifest = format!("{}  {RECORD}\n", sha256_hex(record.as_bytes()));
        for (name, text) in [(RECORD, record), (MANIFEST, manifest)] {
            let path = format!("{MARCH}/run={run}/{name}");
            root.create(&path, Bytes::from(text)).await.unwrap();
        }
    }

    const OLD: &str = "20240401T090000Z-1a2b3c4d";
    const NEW: &str = "20240402T090000Z-00000000";

    #[tokio::test]
    async fn the_newest_that_was_loaded_is_taken_and_a_final_one_before_it() {
        let root = memory();
        assert_eq!(found(&root).await.unwrap(), None);
        put(&root, NEW, "preliminary", "FAILED", Some(9)).await;
        assert_eq!(found(&root).await.unwrap(), None, "a held run is no base");
        put(&root, OLD, "preliminary", "SUCCESS", Some(5)).await;
        assert_eq!(found(&root).await.unwrap().unwrap().run_id.as_str(), OLD);
        let newest = "20240403T090000Z-00000000";
        put(&root, newest, "preliminary", "SUCCESS", Some(6)).await;
        let taken = found(&root).await.unwrap().unwrap();
        assert_eq!(taken.companies["X"], (3, 1, 6));
        let earlier = "20240331T230000Z-00000000";
        put(&root, earlier, "final", "SUCCESS", Some(4)).await;
        let taken = found(&root).await.unwrap().unwrap();
        assert_eq!(taken.run_id.as_str(), earlier);
        assert_eq!(taken.state, RunState::Final);
    }

    #[tokio::test]
    async fn a_package_without_numbers_or_without_a_manifest_is_none() {
        let root = memory();
        put(&root, OLD, "preliminary", "SUCCESS", None).await;
        let torn = format!("{MARCH}/run={NEW}/{RECORD}");
        root.create(&torn, Bytes::from("{}")).await.unwrap();
        assert_eq!(found(&root).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_record_that_was_not_sealed_is_refused_with_the_remedy() {
        let root = memory();
        for (path, text) in [(RECORD, "{}"), (MANIFEST, "00  data/record.json\n")] {
            let path = format!("{MARCH}/run={OLD}/{path}");
            root.create(&path, Bytes::from(text)).await.unwrap();
        }
        let said = found(&root).await.unwrap_err().to_string();
        assert!(
            said.contains("does not hold the data/record.json that was sealed")
                && said.contains("verify"),
            "{said}"
        );
    }
}
