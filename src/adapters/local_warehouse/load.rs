//! Loading a month, in steps that a killed program may leave at any point.
//!
//! Files of the new run are copied beside the old run's; one rename of `CURRENT` switches the month. Nothing is
//! cleaned up on an error, so an error and a kill leave the same state, and the same load again completes it. Looking
//! at what the month shows and switching it is one turn, which one load has at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::layout::{
    Current, CurrentFile, Layout, at, make_folder, place, sync_folder, write_beside,
};
use super::turn;
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::manifest::{LoadReceipt, PartFile, Submitted};
use crate::kernels::conform::staged_schema;
use crate::ports::{LoadJob, PortError, PortErrorKind, StoreRoot, Tell};

/// A point at which a load may be cut off: just before the named action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Making the run's folder.
    MakeFolder,
    /// Reading a part from staging, with its position.
    ReadPart(usize),
    /// Writing a part beside its name.
    WritePart(usize),
    /// Giving a part its name.
    PlacePart(usize),
    /// Seeing the names of the parts onto the disk.
    SyncFolder,
    /// Writing the new `CURRENT` beside the old one.
    WriteCurrent,
    /// Replacing `CURRENT`: the switch.
    PlaceCurrent,
    /// Seeing the switch onto the disk.
    SyncMonth,
}

/// Sees every step before it is taken; an error ends the load there, as a kill would.
pub type Watch = Arc<dyn Fn(&Step) -> Result<(), PortError> + Send + Sync>;

/// Name of a load: the same files for the same month by the same run have the same name.
pub(super) fn job_id(job: &LoadJob) -> String {
    let mut text = format!("{}\n{}\n{}\n", job.metadata.run_id, job.table, job.period);
    for part in &job.parts {
        text.push_str(&format!("{} {}\n", part.uri, part.sha256));
    }
    let hash = sha256_hex(text.as_bytes());
    format!("soxauto_{}", hash.get(..32).unwrap_or(&hash))
}

pub(super) async fn load(
    layout: Layout,
    staging: &StoreRoot,
    job: &LoadJob,
    watch: Watch,
    tell: Tell<'_>,
) -> Result<LoadReceipt, PortError> {
    let Begun {
        contract,
        mut current,
        month,
        folder,
    } = {
        let (layout, job, watch) = (layout.clone(), job.clone(), Arc::clone(&watch));
        blocking(move || begin(&layout, &job, &watch)).await?
    };
    for (index, part) in job.parts.iter().enumerate() {
        watch(&Step::ReadPart(index))?;
        if staging.uri_of(&part.path) != part.uri {
            let what = "a part lies outside the staging root of this warehouse";
            return Err(PortError::new(PortErrorKind::Config, what).at("part", part.uri.clone()));
        }
        let bytes = staging.get(&part.path).await?;
        let (part, folder, contract) = (part.clone(), folder.clone(), Arc::clone(&contract));
        let watch = Arc::clone(&watch);
        let copied =
            blocking(move || copy_part(index, &part, &bytes, &folder, &contract, &watch)).await?;
        current.files.push(copied);
    }
    let receipt = receipt(job, &current);
    let load = Submitted {
        job_id: receipt.job_id.clone(),
        destination_table: receipt.destination_table.clone(),
        look: format!("cat '{}'", month.join("CURRENT").display()),
    };
    tell.begins(load).await?;
    let (table, period, run_id) = (job.table.clone(), job.period, current.run_id.clone());
    let of_the_switch = layout.clone();
    let switched = blocking(move || {
        let _turn = turn::take(&month)?;
        let shown = of_the_switch.current(&table, period)?;
        if let Some(shown) = shown.filter(|shown| shown.run_id != current.run_id) {
            turn::refuse_overtaken(&shown, &current)?;
            of_the_switch.remember(&month, &shown)?;
        }
        switch(&folder, &month, &current, &watch)
    });
    if let Err(error) = switched.await {
        // The month itself says whether it was switched; where it cannot be read, nobody knows.
        let (table, period) = (job.table.clone(), job.period);
        let shown = blocking(move || layout.current(&table, period)).await;
        if shown.is_ok_and(|shown| shown.is_none_or(|shown| shown.run_id != run_id)) {
            tell.replaced_nothing().await;
        }
        return Err(error);
    }
    Ok(receipt)
}

/// A load with its folder made and nothing copied yet.
struct Begun {
    contract: Arc<Contract>,
    current: Current,
    month: PathBuf,
    folder: PathBuf,
}

fn begin(layout: &Layout, job: &LoadJob, watch: &Watch) -> Result<Begun, PortError> {
    let contract = layout.contract(&job.table)?.ok_or_else(|| {
        let what = format!("table `{}` was not prepared", job.table);
        PortError::new(PortErrorKind::Query, what)
    })?;
    let month = layout.month(&job.table, job.period)?;
    let current = Current {
        run_id: job.metadata.run_id.clone(),
        job_id: job_id(job),
        files: Vec::with_capacity(job.parts.len()),
        fence: job.fence.clone(),
    };
    if let Some(shown) = layout.current(&job.table, job.period)?
        && shown.run_id == current.run_id
        && shown.job_id != current.job_id
    {
        let what = format!("run {} is loaded already, with other files", shown.run_id);
        return Err(PortError::new(PortErrorKind::Corrupt, what)
            .at("table", job.table.clone())
            .hint("start a new run"));
    }
    let folder = month.join(current.run_id.as_str());
    watch(&Step::MakeFolder)?;
    make_folder(&folder, &layout.root)?;
    Ok(Begun {
        contract: Arc::new(contract),
        current,
        month,
        folder,
    })
}

fn receipt(job: &LoadJob, current: &Current) -> LoadReceipt {
    LoadReceipt {
        job_id: current.job_id.clone(),
        destination_table: format!("{}${}", job.table, job.period.start().format("%Y%m")),
        write_disposition: "WRITE_TRUNCATE".to_owned(),
        source_uris: job.parts.iter().map(|part| part.uri.clone()).collect(),
        output_rows: current.files.iter().map(|file| file.rows).sum(),
        output_bytes: current.files.iter().map(|file| file.bytes).sum(),
        // A file that is not the staged one is refused before the switch.
        differing: Vec::new(),
    }
}

/// Runs disk work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let what = format!("the local warehouse's thread ended: {error}");
        PortError::new(PortErrorKind::Query, what)
    })?
}

/// Copies one part; what stands in the file afterwards is what is reported. A file that a killed load left is kept
/// when it has exactly these bytes and replaced otherwise.
fn copy_part(
    index: usize,
    part: &PartFile,
    bytes: &Bytes,
    folder: &Path,
    contract: &Contract,
    watch: &Watch,
) -> Result<CurrentFile, PortError> {
    let refuse = |what: String| {
        PortError::new(PortErrorKind::Corrupt, what)
            .at("part", part.uri.clone())
            .hint("the old month stands; run again to stage the item anew")
    };
    let sha256 = sha256_hex(bytes);
    if sha256 != part.sha256 {
        let what = format!("the staged part has SHA-256 {sha256}, not {}", part.sha256);
        return Err(refuse(what));
    }
    let name = format!("part-{index:05}.parquet");
    let target = folder.join(&name);
    let footer = parse_footer(bytes).map_err(&refuse)?;
    if let Some(what) = schema_difference(&footer, contract) {
        return Err(refuse(what));
    }
    watch(&Step::WritePart(index))?;
    if fs::read(&target).ok().as_deref() != Some(bytes.as_ref()) {
        let beside = write_beside(&target, bytes)?;
        watch(&Step::PlacePart(index))?;
        place(&beside, &target)?;
    }
    let copied = Bytes::from(fs::read(&target).map_err(|e| at(e, &target))?);
    let rows = parse_footer(&copied)
        .map_err(&refuse)?
        .file_metadata()
        .num_rows();
    let file = CurrentFile {
        name,
        bytes: u64::try_from(copied.len()).unwrap_or(u64::MAX),
        sha256: sha256_hex(&copied),
        rows: u64::try_from(rows).unwrap_or_default(),
    };
    if file.sha256 != part.sha256 || file.rows != part.rows {
        return Err(refuse(format!(
            "the copy has {} rows and SHA-256 {}, not {} rows and {}",
            file.rows, file.sha256, part.rows, part.sha256
        )));
    }
    Ok(file)
}

fn parse_footer(bytes: &Bytes) -> Result<ParquetMetaData, String> {
    ParquetMetaDataReader::new()
        .parse_and_finish(bytes)
        .map_err(|error| format!("not readable as Parquet: {error}"))
}

/// The first column in which a file is not what the table holds.
fn schema_difference(footer: &ParquetMetaData, contract: &Contract) -> Option<String> {
    let descriptor = footer.file_metadata().schema_descr();
    let found = match parquet_to_arrow_schema(descriptor, None) {
        Ok(found) => found,
        Err(error) => return Some(format!("its schema cannot be read: {error}")),
    };
    let expected = staged_schema(contract);
    if found.fields().len() != expected.fields().len() {
        let (found, expected) = (found.fields().len(), expected.fields().len());
        return Some(format!("it has {found} columns, the table {expected}"));
    }
    let mut pairs = found.fields().iter().zip(expected.fields());
    let (found, expected) =
        pairs.find(|(a, b)| a.name() != b.name() || a.data_type() != b.data_type())?;
    Some(format!(
        "its column `{}` of type {} stands where the table has `{}` of type {}",
        found.name(),
        found.data_type(),
        expected.name(),
        expected.data_type()
    ))
}

/// Shows the run in place of the old one.
fn switch(folder: &Path, month: &Path, current: &Current, watch: &Watch) -> Result<(), PortError> {
    watch(&Step::SyncFolder)?;
    sync_folder(folder)?;
    watch(&Step::WriteCurrent)?;
    let target = month.join("CURRENT");
    let text = serde_json::to_vec_pretty(current).map_err(|error| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("CURRENT cannot be written: {error}"),
        )
    })?;
    let beside = write_beside(&target, &text)?;
    watch(&Step::PlaceCurrent)?;
    place(&beside, &target)?;
    watch(&Step::SyncMonth)?;
    sync_folder(month)
}
