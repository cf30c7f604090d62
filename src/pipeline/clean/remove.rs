//! The one place that deletes what a run wrote.
//!
//! Stores and warehouse only create, and `StoreRoot` has no way to delete, so that no mistake elsewhere can take evidence
//! away. Here only the exact files of an [`Orphan`] go, which nobody outside this folder can make; then its folders, if
//! that left them empty.

use std::fs;
use std::io;
use std::path::Path;

use super::{CleanReport, CleanTools, Orphan};
use crate::pipeline::lease;

/// Removes the orphans of a report. What a run has begun to work on meanwhile stays, and what cannot be removed is said.
pub async fn remove(tools: &CleanTools, mut report: CleanReport) -> CleanReport {
    report.removed = true;
    for orphan in &report.orphans {
        if let Some((ipe, period)) = &orphan.month {
            let (clock, processes) = (&tools.clock, &tools.processes);
            let month = (ipe, *period);
            let now = lease::holders(&tools.evidence, month, clock, processes, &tools.limits).await;
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
        if let Err(error) = delete(orphan) {
            let what = format!("{}: not removed: {error}", orphan.uri);
            report.not_found_out.insert(what);
        }
    }
    report
}

/// What is gone already is no error, so that two may clean at once.
fn delete(orphan: &Orphan) -> io::Result<()> {
    let absent_is_fine = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    for file in &orphan.files {
        absent_is_fine(fs::remove_file(orphan.root.join(&file.path)))?;
    }
    let Some(folder) = &orphan.folder else {
        return Ok(());
    };
    let top = orphan.root.join(folder);
    let parents = orphan
        .files
        .iter()
        .filter_map(|file| Path::new(&file.path).parent());
    let mut below: Vec<_> = parents.map(|parent| orphan.root.join(parent)).collect();
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
