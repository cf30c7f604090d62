//! Every file below a directory, also those that an object store does not list.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::ports::{PortError, Stored};

/// A file.
#[derive(Debug, Clone)]
pub(super) struct FileAt {
    pub(super) stored: Stored,
    pub(super) modified: DateTime<Utc>,
}

impl FileAt {
    pub(super) fn path(&self) -> &str {
        &self.stored.path
    }

    /// Whether the local object store was writing it: `name#1`.
    pub(super) fn is_temporary(&self) -> bool {
        let number = self.path().rsplit_once('#').map(|(_, number)| number);
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// Files below `root` by path. Links are neither followed nor listed; what goes away meanwhile is passed over.
///
/// # Errors
/// `Denied`, `Unreachable`.
pub(super) fn walk(root: &Path) -> Result<Vec<FileAt>, PortError> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        let folder = root.join(&below);
        let fail =
            |error: io::Error| PortError::from(error).at("path", folder.display().to_string());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(fail)?,
        };
        for entry in entries {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = match below.as_str() {
                "" => name,
                below => format!("{below}/{name}"),
            };
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(fail)?,
            };
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() {
                found.push(FileAt {
                    stored: Stored {
                        path,
                        bytes: metadata.len(),
                    },
                    modified: metadata.modified().map_err(fail)?.into(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.stored.cmp(&b.stored));
    Ok(found)
}

/// The folder of one run of one item: `<item>/period=YYYY-MM/run=<run_id>`, also one that was sealed in its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunFolder {
    pub(super) ipe: IpeId,
    pub(super) period: Period,
    pub(super) run_id: RunId,
    pub(super) path: String,
}

impl RunFolder {
    /// The run folder in which a file lies; `None` for the file of another program.
    pub(super) fn of(path: &str) -> Option<Self> {
        let mut steps = path.splitn(4, '/');
        let (item, month, run) = (steps.next()?, steps.next()?, steps.next()?);
        steps.next()?;
        let run_id = run.strip_prefix("run=")?;
        Some(Self {
            ipe: item.parse().ok()?,
            period: month.strip_prefix("period=")?.parse().ok()?,
            run_id: run_id.trim_end_matches(".abandoned").parse().ok()?,
            path: format!("{item}/{month}/{run}"),
        })
    }
}

/// The item and month of a lease's path, `runs/<item>/period=YYYY-MM/…`.
pub(super) fn leased_month(path: &str) -> Option<(IpeId, Period)> {
    let mut steps = path.strip_prefix("runs/")?.splitn(3, '/');
    let (item, month) = (steps.next()?, steps.next()?);
    Some((
        item.parse().ok()?,
        month.strip_prefix("period=")?.parse().ok()?,
    ))
}
