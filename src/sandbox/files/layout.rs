//! Which tables a folder holds: `<database>/<schema>/<table>.csv|parquet`, each with its `<table>.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::FileError;

/// How rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Parquet,
}

/// The files of one table.
#[derive(Debug)]
pub(super) struct TableFiles {
    /// Database, schema and table.
    pub(super) name: [String; 3],
    pub(super) data: PathBuf,
    pub(super) format: Format,
    pub(super) schema: Option<PathBuf>,
}

/// What a file is by its extension.
enum Role {
    Data(Format),
    Schema,
    /// Hidden files and notes for people.
    Aside,
    Unknown,
}

fn role(path: &Path) -> Role {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Role::Data(Format::Csv),
        "parquet" => Role::Data(Format::Parquet),
        "toml" => Role::Schema,
        "md" => Role::Aside,
        _ => Role::Unknown,
    }
}

/// The tables below `dir`, in the order of their names.
pub(super) fn tables(dir: &Path) -> Result<Vec<TableFiles>, FileError> {
    let mut found: Vec<TableFiles> = Vec::new();
    for (database, folder) in folders(dir)? {
        if database.eq_ignore_ascii_case("master") {
            let what =
                "the server keeps the database `master` for itself; name the folder otherwise";
            return Err(FileError::new(&folder, what));
        }
        for (schema, folder) in folders(&folder)? {
            if ["sys", "information_schema"].contains(&schema.to_ascii_lowercase().as_str()) {
                let what = "the server keeps this schema for itself; name the folder otherwise, such as dbo";
                return Err(FileError::new(&folder, what));
            }
            found.extend(of_schema(&database, &schema, &folder)?);
        }
    }
    if found.is_empty() {
        let what = "holds no table; a table is a file <database>/<schema>/<table>.csv or .parquet below it";
        return Err(FileError::new(dir, what));
    }
    let mut seen = BTreeMap::new();
    for table in &found {
        let key = table.name.join("\0").to_lowercase();
        if let Some(other) = seen.insert(key, &table.data) {
            let what = format!(
                "is the same table as {}, names differ by case at most; rename one",
                other.display()
            );
            return Err(FileError::new(&table.data, what));
        }
    }
    Ok(found)
}

fn of_schema(database: &str, schema: &str, folder: &Path) -> Result<Vec<TableFiles>, FileError> {
    let mut data: BTreeMap<String, (PathBuf, Format)> = BTreeMap::new();
    let mut schemas: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in entries(folder)? {
        if path.is_dir() {
            return Err(FileError::new(&path, "a folder among tables; move it away"));
        }
        let stem = name_of(&path, path.file_stem())?;
        match role(&path) {
            Role::Aside => {}
            Role::Unknown => return Err(unknown(&path)),
            Role::Schema => {
                schemas.insert(stem, path);
            }
            Role::Data(format) => {
                if let Some((other, _)) = data.insert(stem, (path.clone(), format)) {
                    let what = format!("is the same table as {}; remove one", other.display());
                    return Err(FileError::new(&path, what));
                }
            }
        }
    }
    let tables = data.into_iter().map(|(table, (data, format))| TableFiles {
        schema: schemas.remove(&table),
        name: [database.to_owned(), schema.to_owned(), table],
        data,
        format,
    });
    let tables = tables.collect();
    match schemas.into_values().next() {
        Some(orphan) => {
            let what = "describes a table that has no .csv or .parquet file of that name beside it";
            Err(FileError::new(&orphan, what))
        }
        None => Ok(tables),
    }
}

/// The folders in `dir` with their names; tables must not lie there.
fn folders(dir: &Path) -> Result<Vec<(String, PathBuf)>, FileError> {
    let mut found = Vec::new();
    for path in entries(dir)? {
        if path.is_dir() {
            found.push((name_of(&path, path.file_name())?, path));
            continue;
        }
        match role(&path) {
            Role::Aside => {}
            Role::Unknown => return Err(unknown(&path)),
            Role::Data(_) | Role::Schema => {
                let what = "lies too high; a table is <database>/<schema>/<table>.csv below the folder of --data";
                return Err(FileError::new(&path, what));
            }
        }
    }
    Ok(found)
}

/// What lies in a folder, sorted, without hidden files.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unreadable = |io: std::io::Error| FileError::unreadable(dir, &io);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path, name: Option<&std::ffi::OsStr>) -> Result<String, FileError> {
    let name = name.and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| FileError::new(path, "the name is not UTF-8; rename it"))
}

fn unknown(path: &Path) -> FileError {
    let what =
        "is no .csv, .parquet or .toml; convert or remove it (.md and hidden files are left alone)";
    FileError::new(path, what)
}
