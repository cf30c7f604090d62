//! The root for those who look: picks adapters for `inspect` and `sql`. Reads only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use url::Url;

use crate::adapters::google::storage::SCHEME;
use crate::adapters::local_warehouse::LocalWarehouse;
use crate::adapters::store;
use crate::app::roots::RootOpener;
use crate::catalog::Catalog;
use crate::domain::contract::Contract;
use crate::domain::ids::IpeId;
use crate::domain::limits::Limits;
use crate::pipeline::inspect::find::{self, RunName};
use crate::pipeline::inspect::{self, Inspection, Knowledge, Look, PartAt, Subject};
use crate::pipeline::record::ItemRecord;
use crate::ports::{AnswerTo, PortError, PortErrorKind, StoreRoot};
use crate::settings::{LookSettings, Roots};

/// Looks into a file, a folder of parts, an evidence package, a run or a table.
///
/// # Errors
/// `Query` for a name that means nothing here, and what [`inspect::inspect`] says.
pub async fn inspect(settings: LookSettings, look: Look) -> Result<Inspection, PortError> {
    let opener = RootOpener::new(&settings.roots.google).await?;
    let subject = subject(&opener, &settings).await?;
    let evidence = opener.existing(&settings.roots.evidence)?;
    let catalog = catalog(settings.catalog.as_deref())?;
    let contract = move |item: &IpeId| -> Option<Contract> {
        let found = catalog.select(&[item.to_string()]).ok()?;
        Some(found.first()?.contract.clone())
    };
    // Decoding is work for a blocking thread; its reads are still driven by the runtime.
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let knowledge = Knowledge {
            evidence: evidence.as_ref(),
            contract: &contract,
            recheck_rows_max: Limits::default().recheck_rows_max,
        };
        runtime.block_on(inspect::inspect(subject, &look, knowledge))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        PortError::new(PortErrorKind::Corrupt, format!("the reader ended: {error}"))
    })?
}

/// Answers a query over the warehouse's tables and over staged runs, `"ITEM@RUN"`.
///
/// # Errors
/// `Query` for a statement that is refused or names what is not there.
pub async fn sql(roots: &Roots, statement: &str, to: AnswerTo) -> Result<(), PortError> {
    let names = LocalWarehouse::names(statement)?;
    let opener = RootOpener::new(&roots.google).await?;
    let mut frames = BTreeMap::new();
    for name in names.iter().filter(|name| name.contains('@')) {
        let run = RunName::parse(name).filter(|run| run.item.is_some());
        let run = run.ok_or_else(|| {
            PortError::new(
                PortErrorKind::Query,
                format!("`{name}` names no staged run"),
            )
            .hint(
                "write \"ITEM@RUN\" in double quotes, such as \"IPE_07@20240501T090000Z-1a2b3c4d\"",
            )
        })?;
        frames.insert(name.clone(), staged_paths(&opener, roots, &run).await?);
    }
    // A statement over staged runs alone needs no warehouse; nothing is made for it.
    let staging = opener.existing(&roots.staging)?;
    let staging = staging.unwrap_or_else(store::memory);
    let warehouse = match store::existing(&roots.warehouse)? {
        Some(root) => root,
        None if !frames.is_empty() => staging.clone(),
        None => store::open_existing(&roots.warehouse)?,
    };
    let warehouse = LocalWarehouse::new(&warehouse, staging)?;
    warehouse.answer(statement, frames, to).await
}

async fn staged_paths(
    opener: &RootOpener,
    roots: &Roots,
    run: &RunName,
) -> Result<Vec<PathBuf>, PortError> {
    let subject = of_run(opener, roots, run).await?;
    let local = |part: &PartAt| {
        let folder = part.root.local_dir().ok_or_else(|| {
            let what = format!("SQL reads files, and {} is no folder", part.root.uri);
            PortError::new(PortErrorKind::Unsupported, what)
        });
        folder.map(|folder| folder.join(&part.path))
    };
    subject.parts.iter().map(local).collect()
}

fn catalog(folder: Option<&Path>) -> Result<Catalog, PortError> {
    folder
        .map_or_else(Catalog::embedded, Catalog::read)
        .map_err(|error| PortError::new(PortErrorKind::Config, error.to_string()))
}

/// What a name means: first what lies at a path, then runs, then tables.
async fn subject(opener: &RootOpener, settings: &LookSettings) -> Result<Subject, PortError> {
    let (target, roots) = (settings.target.as_str(), &settings.roots);
    let path = Url::parse(target)
        .ok()
        .filter(|url| url.scheme() == "file")
        .and_then(|url| url.to_file_path().ok())
        .unwrap_or_else(|| PathBuf::from(target));
    if path.is_file() {
        return file(&path);
    }
    if path.is_dir() {
        let root = store::open_existing(&path.to_string_lossy())?;
        return of_folder(opener, roots, &root).await;
    }
    if target.starts_with(SCHEME) {
        return in_cloud(opener, settings).await;
    }
    if let Some(run) = RunName::parse(target) {
        return of_run(opener, roots, &run).await;
    }
    if target.contains(['/', '\\', '.']) {
        let what = format!("there is no file or folder `{target}`");
        return Err(PortError::new(PortErrorKind::Query, what)
            .hint("name a Parquet file, an evidence package, a run or a table"));
    }
    table(settings)
}

/// An evidence package, or a folder of parts.
async fn of_folder(
    opener: &RootOpener,
    roots: &Roots,
    root: &StoreRoot,
) -> Result<Subject, PortError> {
    match find::record(root).await? {
        Some(record) => {
            let staging = staging_of(opener, roots, &record).await?;
            find::of_record(record, &staging)
        }
        None => find::folder(root, "").await,
    }
}

/// A file, a folder of parts or an evidence package in Cloud Storage.
async fn in_cloud(opener: &RootOpener, settings: &LookSettings) -> Result<Subject, PortError> {
    let target = settings.target.as_str();
    match target.rsplit_once('/') {
        Some((folder, name)) if name.ends_with(".parquet") => Ok(Subject {
            name: target.to_owned(),
            parts: vec![PartAt {
                root: opener.open_existing(folder)?,
                path: name.to_owned(),
            }],
            contract: None,
            record: None,
        }),
        _ => {
            let root = opener.open_existing(target)?;
            of_folder(opener, &settings.roots, &root).await
        }
    }
}

/// The staging root that was given if the run is there, or else the one that the record names.
async fn staging_of(
    opener: &RootOpener,
    roots: &Roots,
    record: &ItemRecord,
) -> Result<StoreRoot, PortError> {
    if let Some(root) = opener.existing(&roots.staging)? {
        let run = RunName {
            item: Some(record.ipe.clone()),
            run_id: record.context.run_id.clone(),
        };
        if !find::run_folders(&root, &run).await?.is_empty() {
            return Ok(root);
        }
    }
    opener.open_existing(&record.places.staging)
}

fn file(path: &Path) -> Result<Subject, PortError> {
    let absolute = std::path::absolute(path)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    let part = PartAt {
        root: store::open_existing(&folder.to_string_lossy())?,
        path: name.into_owned(),
    };
    Ok(Subject {
        name: path.display().to_string(),
        parts: vec![part],
        contract: None,
        record: None,
    })
}

/// The staged rows of a run, found in staging or by its package.
async fn of_run(opener: &RootOpener, roots: &Roots, run: &RunName) -> Result<Subject, PortError> {
    if let Some(staging) = opener.existing(&roots.staging)? {
        let folders = find::run_folders(&staging, run).await?;
        if let Some(folder) = find::the_one(run, folders)? {
            let mut subject = find::folder(&staging, &folder).await?;
            let item = folder.split('/').next().unwrap_or_default();
            subject.name = format!("{item}@{}", run.run_id);
            return Ok(subject);
        }
    }
    if let Some(evidence) = opener.existing(&roots.evidence)? {
        let folders = find::run_folders(&evidence, run).await?;
        if let Some(folder) = find::the_one(run, folders)?
            && let Some(record) = find::record(&evidence.below(&folder)).await?
        {
            let staging = opener.open_existing(&record.places.staging)?;
            return find::of_record(record, &staging);
        }
    }
    let what = format!("run {run} is neither staged nor sealed here");
    Err(PortError::new(PortErrorKind::Query, what)
        .at("staging", roots.staging.clone())
        .at("evidence", roots.evidence.clone())
        .hint("name its roots with --staging and --evidence"))
}

fn table(settings: &LookSettings) -> Result<Subject, PortError> {
    let root = store::open_existing(&settings.roots.warehouse)?;
    let warehouse = LocalWarehouse::new(&root, store::memory())?;
    let (table, month) = LocalWarehouse::month_of(&settings.target)?;
    let period = month.or(settings.period);
    let (contract, paths) = warehouse.table(table, period)?;
    let folder = root.local_dir().unwrap_or_default();
    let below = |path: &PathBuf| {
        let path = path.strip_prefix(&folder).unwrap_or(path);
        PartAt {
            root: root.clone(),
            path: path.to_string_lossy().into_owned(),
        }
    };
    let name = match period {
        Some(period) => format!("{table}${}", period.start().format("%Y%m")),
        None => table.to_owned(),
    };
    Ok(Subject {
        name,
        parts: paths.iter().map(below).collect(),
        contract: Some(contract),
        record: None,
    })
}
