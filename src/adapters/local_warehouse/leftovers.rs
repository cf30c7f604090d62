//! What lies in the warehouse and no month shows or ever showed. Reads names only; removes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::layout::{Layout, SHOWN, at};
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::ports::{Leftover, PortError, Stored};

/// Extension of a file that is being written.
const BESIDE: &str = ".tmp";

pub(super) fn leftovers(layout: &Layout) -> Result<Vec<Leftover>, PortError> {
    let mut found = Vec::new();
    for (table, is_folder) in entries(&layout.root)? {
        // Other programs' folders are nobody's business here.
        let Ok(folder) = layout.table(&table) else {
            continue;
        };
        if !is_folder {
            continue;
        }
        for (name, is_folder) in entries(&folder)? {
            let path = format!("{table}/{name}");
            let period = name.strip_prefix("period=");
            match period.and_then(|period| period.parse::<Period>().ok()) {
                Some(period) if is_folder => of_month(layout, &table, period, &mut found)?,
                _ if !is_folder && name.ends_with(BESIDE) => {
                    found.push(file(layout, (&table, None), path)?);
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

fn of_month(
    layout: &Layout,
    table: &str,
    period: Period,
    found: &mut Vec<Leftover>,
) -> Result<(), PortError> {
    let month = layout.month(table, period)?;
    let below = format!("{table}/period={period}");
    let names = entries(&month)?;
    let mut shown: BTreeSet<String> = names
        .iter()
        .filter_map(|(name, _)| Some(name.strip_prefix(SHOWN)?.to_owned()))
        .collect();
    // Looked at after the folders were listed: a run that is shown by now is no leftover.
    let current = layout.current(table, period)?;
    shown.extend(current.map(|current| current.run_id.to_string()));
    for (name, is_folder) in names {
        let path = format!("{below}/{name}");
        if !is_folder && name.ends_with(BESIDE) {
            found.push(file(layout, (table, Some(period)), path)?);
            continue;
        }
        let Some(run_id) = name.parse::<RunId>().ok().filter(|_| is_folder) else {
            continue;
        };
        if shown.contains(&name) {
            continue;
        }
        let mut files = Vec::new();
        for (name, is_folder) in entries(&month.join(&name))? {
            let is_part = name.starts_with("part-");
            let is_ours = is_part && (name.ends_with(".parquet") || name.ends_with(BESIDE));
            if is_ours && !is_folder {
                files.push(stored(layout, format!("{path}/{name}"))?);
            }
        }
        found.push(Leftover {
            table: table.to_owned(),
            period: Some(period),
            run_id: Some(run_id),
            path,
            files,
        });
    }
    Ok(())
}

fn file(
    layout: &Layout,
    (table, period): (&str, Option<Period>),
    path: String,
) -> Result<Leftover, PortError> {
    Ok(Leftover {
        table: table.to_owned(),
        period,
        run_id: None,
        files: vec![stored(layout, path.clone())?],
        path,
    })
}

/// A file that a run renames meanwhile has no size any more; judging finds that run at work.
fn stored(layout: &Layout, path: String) -> Result<Stored, PortError> {
    let bytes = match fs::symlink_metadata(layout.root.join(&path)) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(at(error, &layout.root.join(&path))),
    };
    Ok(Stored { path, bytes })
}

/// Names in a folder, in order, and whether each is a folder itself; links are left out.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, PortError> {
    let fail = |error| at(error, folder);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let kind = entry.file_type().map_err(fail)?;
        let name = entry.file_name().into_string().ok();
        names.extend(
            name.filter(|_| !kind.is_symlink())
                .map(|name| (name, kind.is_dir())),
        );
    }
    names.sort();
    Ok(names)
}
