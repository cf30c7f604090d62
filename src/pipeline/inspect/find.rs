//! Finding what a name means: a package, a run, a folder of parts.

use std::collections::BTreeSet;
use std::fmt;

use object_store::ObjectStore as _;
use object_store::path::Path;

use crate::domain::contract::Contract;
use crate::domain::ids::{IpeId, RunId};
use crate::pipeline::package::RECORD;
use crate::pipeline::record::ItemRecord;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// One Parquet file.
#[derive(Debug, Clone)]
pub struct PartAt {
    /// Where.
    pub root: StoreRoot,
    /// Path below.
    pub path: String,
}

/// What is looked into.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name, for people.
    pub name: String,
    /// Its files, in order.
    pub parts: Vec<PartAt>,
    /// The contract of the rows, if it came with them.
    pub contract: Option<Contract>,
    /// The record of the run, if the package was named.
    pub record: Option<ItemRecord>,
}

/// A run of one item or of all, as people write it: `20260501T090000Z-1a2b3c4d` or `IPE_07@20260501T090000Z-1a2b3c4d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunName {
    /// The item, if it was named.
    pub item: Option<IpeId>,
    /// The run.
    pub run_id: RunId,
}

impl RunName {
    /// Reads a name; `None` for a text that names no run.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (item, run_id) = match text.split_once('@') {
            Some((item, run_id)) => (Some(item.parse().ok()?), run_id),
            None => (None, text),
        };
        Some(Self {
            item,
            run_id: run_id.parse().ok()?,
        })
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.item {
            Some(item) => write!(f, "{item}@{}", self.run_id),
            None => write!(f, "{}", self.run_id),
        }
    }
}

/// The Parquet files directly in a folder.
///
/// # Errors
/// `Denied`, `Unreachable`; `Query` when there are none.
pub async fn folder(root: &StoreRoot, below: &str) -> Result<Subject, PortError> {
    let name = if below.is_empty() {
        root.uri.clone()
    } else {
        root.uri_of(below)
    };
    let stored = root.list(below).await?;
    let depth = below.split('/').filter(|step| !step.is_empty()).count();
    let parts = stored.into_iter().filter(|stored| {
        stored.path.ends_with(".parquet") && stored.path.split('/').count() == depth + 1
    });
    let parts: Vec<PartAt> = parts
        .map(|stored| PartAt {
            root: root.clone(),
            path: stored.path,
        })
        .collect();
    if parts.is_empty() {
        return Err(
            PortError::new(PortErrorKind::Query, "there are no Parquet files")
                .at("folder", name)
                .hint("name an evidence package or a folder that holds parts"),
        );
    }
    Ok(Subject {
        name,
        parts,
        contract: None,
        record: None,
    })
}

/// The record of the package in a folder; `None` when there is no package.
///
/// # Errors
/// `Corrupt` for a record that cannot be read; `Denied`, `Unreachable`.
pub async fn record(package: &StoreRoot) -> Result<Option<ItemRecord>, PortError> {
    let Some(bytes) = package.find(RECORD).await? else {
        return Ok(None);
    };
    let record = serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("the record of the package cannot be read: {error}");
        PortError::new(PortErrorKind::Corrupt, what)
            .at("package", package.uri.clone())
            .hint("run `soxauto verify` on the package")
    })?;
    Ok(Some(record))
}

/// The staged rows of a record, in a staging root.
///
/// # Errors
/// `Query` when the run staged nothing.
pub fn of_record(record: ItemRecord, staging: &StoreRoot) -> Result<Subject, PortError> {
    let name = format!("{}@{}", record.ipe, record.context.run_id);
    let Some(staged) = &record.staged else {
        let why = record.error.as_deref().unwrap_or("it did not come to that");
        let what = format!("{name} staged no rows: {why}");
        return Err(PortError::new(PortErrorKind::Query, what));
    };
    let parts = staged.parts.iter().map(|part| PartAt {
        root: staging.clone(),
        path: part.path.clone(),
    });
    Ok(Subject {
        name,
        parts: parts.collect(),
        contract: Some(record.contract.clone()),
        record: Some(record),
    })
}

/// The folders of a run below a root, one an item.
///
/// # Errors
/// `Denied`, `Unreachable`.
pub async fn run_folders(root: &StoreRoot, run: &RunName) -> Result<Vec<String>, PortError> {
    let items = match &run.item {
        Some(item) => vec![item.to_string()],
        None => folders(root, "").await?,
    };
    let mut found = Vec::new();
    for item in items {
        for month in folders(root, &item).await? {
            let wanted = format!("{month}/run={}", run.run_id);
            found.extend(
                folders(root, &month)
                    .await?
                    .into_iter()
                    .filter(|f| *f == wanted),
            );
        }
    }
    Ok(found)
}

/// The one folder of a run.
///
/// # Errors
/// `Query` when the run has several items and none was named.
pub fn the_one(run: &RunName, mut folders: Vec<String>) -> Result<Option<String>, PortError> {
    if folders.len() < 2 {
        return Ok(folders.pop());
    }
    let items = folders.iter().filter_map(|folder| folder.split('/').next());
    let names: Vec<String> = items.map(|item| format!("{item}@{}", run.run_id)).collect();
    let what = format!("run {} has {} items", run.run_id, names.len());
    Err(PortError::new(PortErrorKind::Query, what).hint(format!("name one: {}", names.join(", "))))
}

/// The folders right below a folder, by path.
///
/// # Errors
/// `Denied`, `Unreachable`.
pub async fn folders(root: &StoreRoot, below: &str) -> Result<Vec<String>, PortError> {
    let failed = |error: &object_store::Error| root.error(error, below);
    let prefix = Path::parse(below).map_err(|e| failed(&e.into()))?;
    let listed = root.store.list_with_delimiter(Some(&prefix)).await;
    let listed = listed.map_err(|e| failed(&e))?;
    let mut names: Vec<String> = listed.common_prefixes.iter().map(Path::to_string).collect();
    names.sort();
    Ok(names)
}

/// Positions of random rows in rising order, all different; the same seed and number of rows give the same ones.
#[must_use]
pub fn random_rows(rows: u64, count: usize, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut chosen = BTreeSet::new();
    let wanted = usize::try_from(rows).unwrap_or(usize::MAX).min(count);
    while chosen.len() < wanted {
        chosen.insert(below(&mut state, rows));
    }
    chosen.into_iter().collect()
}

/// A number below `end`. Fixed here, so that a sample can be drawn again with any version of any library.
///
/// # Source
/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) fn below(state: &mut u64, end: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    let scaled = (u128::from(z) * u128::from(end)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::pipeline::stage::run_folder;

    #[test]
    fn a_sample_is_drawn_again_by_its_seed() {
        let rows = random_rows(1_000, 5, 7);
        assert_eq!(rows.len(), 5);
        assert!(rows.is_sorted() && rows.iter().all(|row| *row < 1_000));
        assert_eq!(rows, random_rows(1_000, 5, 7));
        assert_ne!(rows, random_rows(1_000, 5, 8));
        assert_eq!(random_rows(3, 5, 7), [0, 1, 2], "no more than there are");
        assert!(random_rows(0, 5, 7).is_empty());
    }

    /// Defect 5 of the predecessor: evidence was looked for inside its own folder and by the beginning of its name, so that
    /// none was found or that of another item.
    #[tokio::test]
    async fn a_run_is_found_by_its_whole_name() {
        let root = StoreRoot {
            store: Arc::new(object_store::memory::InMemory::new()),
            uri: "memory://".into(),
        };
        let run_id: RunId = "20240501T090000Z-1a2b3c4d".parse().unwrap();
        let [voucher, timing] = ["IPE_08", "IPE_08_TIMING"].map(|item| {
            let item: IpeId = item.parse().unwrap();
            run_folder(&item, "2024-04".parse().unwrap(), &run_id)
        });
        for folder in [&voucher, &timing] {
            let path = format!("{folder}/{RECORD}");
            root.create(&path, Bytes::from("{}")).await.unwrap();
        }
        let found = async |name: &str| {
            let run = RunName::parse(name).unwrap();
            run_folders(&root, &run).await.unwrap()
        };
        let named = found("IPE_08@20240501T090000Z-1a2b3c4d").await;
        assert_eq!(named, std::slice::from_ref(&voucher));
        assert_eq!(found("20240501T090000Z-1a2b3c4d").await, [voucher, timing]);
        let other = found("20240501T090000Z-00000000").await;
        assert_eq!(other, Vec::<String>::new());
    }

    #[test]
    fn names_of_runs() {
        let run = RunName::parse("IPE_07@20240501T090000Z-1a2b3c4d").unwrap();
        assert_eq!(run.item.unwrap().as_str(), "IPE_07");
        assert!(
            RunName::parse("20240501T090000Z-1a2b3c4d")
                .unwrap()
                .item
                .is_none()
        );
        for other in [
            "pg01_validated_ipe_ipe_07",
            "x@20240501T090000Z-1a2b3c4d",
            "",
        ] {
            assert_eq!(RunName::parse(other), None, "{other}");
        }
    }
}
