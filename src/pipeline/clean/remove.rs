//! The one place that deletes what a run wrote.
//!
//! Stores and warehouse only create, and `StoreRoot` has no way to delete, so that no mistake elsewhere can take evidence
//! away. Here (in buckets: in `ground`) only the exact files of an [`super::Orphan`] go, which nobody outside this folder
//! can make; then its folders, if that left them empty.

use std::fs;
use std::io;
use std::path::Path;

use super::{CleanReport, CleanTools};
use crate::pipeline::lease;
use crate::ports::Stored;

/// Removes the orphans of a report. What a run has begun to work on meanwhile stays, and what cannot be removed is said.
pub async fn remove(tools: &CleanTools, mut report: CleanReport) -> CleanReport {
    report.removed = true;
    for orphan in &report.orphans {
        if let Some((ipe, period)) = &orphan.month {
            let (clock, processes) = (&tools.clock, &tools.processes);
            let month = (ipe, *period);
            let now = lease::holders(&tools.leases, month, clock, processes, &tools.limits).await;
            match now {
                Ok(holders) if holders.at_work.is_none() => {}
                Ok(_) => {
                    let what = format!("{}: a run has begun on {ipe} {period}", orphan.uri);
                    report.not_found_out.insert(what);
                    continue;
                }
                Err(error) => {
                    report
                        .not_found_out
                        .insert(format!("{}: {error}", orphan.uri));
                    continue;
                }
            }
        }
        let (files, folder) = (&orphan.files, orphan.folder.as_deref());
        if let Err(error) = orphan.root.delete(files, folder).await {
            let what = format!("{}: not removed: {error}", orphan.uri);
            report.not_found_out.insert(what);
        }
    }
    report
}

/// What is gone already is no error, so that two may clean at once.
pub(super) fn delete(root: &Path, files: &[Stored], folder: Option<&str>) -> io::Result<()> {
    let absent_is_fine = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    for file in files {
        absent_is_fine(fs::remove_file(root.join(&file.path)))?;
    }
    let Some(folder) = folder else {
        return Ok(());
    };
    let top = root.join(folder);
    let parents = files
        .iter()
        .filter_map(|file| Path::new(&file.path).parent());
    let mut below: Vec<_> = parents.map(|parent| root.join(parent)).collect();
    below.push(top.clone());
    below.sort();
    below.dedup();
    // The deepest first; a folder that holds something else stays.
    for folder in below.iter().rev().filter(|folder| folder.starts_with(&top)) {
        match absent_is_fine(fs::remove_dir(folder)) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            other => other?,
        }
    }
    Ok(())
}
