//! Anyone's own tables: `DIR/<database>/<schema>/<table>.csv` or `.parquet`, typed by a `<table>.toml` beside them.
//!
//! Reads files and nothing else. A value is the declared type's or an error that names file, line, column and remedy;
//! nothing is guessed, rounded or cut. Messages never hold a value: rows do not belong in a log.

mod builder;
mod csv;
mod layout;
mod parquet;
mod schema;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::fs;
use std::path::Path;

use crate::sandbox::data::Table;

use layout::{Format, TableFiles};
use schema::TableSchema;

/// Largest file: its rows are held in memory, several times their size while they are read.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// A file that cannot be served as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {place}{what}")]
pub struct FileError {
    /// File or folder.
    pub path: String,
    /// Where in it.
    pub place: Place,
    /// What is wrong and how to mend it.
    pub what: String,
}

/// A place in a file; empty when the whole file is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Line of a CSV file or row of a Parquet file, from 1.
    pub line: Option<(LineKind, usize)>,
    /// Column by its name.
    pub column: Option<String>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Lines of text.
    Line,
    /// Rows of a table.
    Row,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some((LineKind::Line, line)) => write!(f, "line {line}: ")?,
            Some((LineKind::Row, row)) => write!(f, "row {row}: ")?,
            None => {}
        }
        match &self.column {
            Some(column) => write!(f, "column `{column}`: "),
            None => Ok(()),
        }
    }
}

impl FileError {
    /// An error of the whole file.
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self {
            path: path.display().to_string(),
            place: Place::default(),
            what: what.into(),
        }
    }

    fn at(mut self, kind: LineKind, line: usize) -> Self {
        self.place.line = Some((kind, line));
        self
    }

    fn column(mut self, name: &str) -> Self {
        self.place.column = Some(name.to_owned());
        self
    }

    fn unreadable(path: &Path, io: &std::io::Error) -> Self {
        Self::new(path, format!("cannot be read: {io}"))
    }
}

/// Every table below `dir`, in the order of the names.
///
/// # Errors
/// The first file that cannot be served, with the place and the remedy.
pub fn read(dir: &Path) -> Result<Vec<Table>, FileError> {
    layout::tables(dir)?.into_iter().map(table).collect()
}

fn table(files: TableFiles) -> Result<Table, FileError> {
    let size = fs::metadata(&files.data).map_err(|io| FileError::unreadable(&files.data, &io))?;
    if size.len() > FILE_BYTES_MAX {
        let what = format!(
            "the file has {} bytes and the sandbox holds at most {FILE_BYTES_MAX} of one; serve a part of it",
            size.len()
        );
        return Err(FileError::new(&files.data, what));
    }
    let schema = match &files.schema {
        Some(path) => Some(TableSchema::read(path)?),
        None => None,
    };
    match (files.format, schema) {
        (Format::Parquet, schema) => parquet::read(files.name, &files.data, schema),
        (Format::Csv, Some(schema)) => csv::read(files.name, &files.data, &schema),
        (Format::Csv, None) => {
            let what = format!(
                "the types of a CSV file are never guessed; declare its columns in {}",
                schema::example(&files.data)
            );
            Err(FileError::new(&files.data, what))
        }
    }
}
