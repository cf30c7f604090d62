//! The schema file of a table: columns with SQL types, and how a CSV file is written.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::domain::sql_type::SqlType;
use crate::domain::text_file::encoding::Encoding;
use crate::sandbox::data::Column;
use crate::sandbox::tsql::types::arrow_type;

use super::FileError;

/// A schema file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaToml {
    csv: Option<CsvForm>,
    columns: Vec<ColumnToml>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnToml {
    name: String,
    #[serde(rename = "type")]
    sql_type: SqlType,
    #[serde(default = "yes")]
    nullable: bool,
}

fn yes() -> bool {
    true
}

/// How a CSV file is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CsvForm {
    /// Between two fields.
    pub(super) delimiter: char,
    /// Whether the first line names the columns.
    pub(super) header: bool,
    pub(super) encoding: Encoding,
    /// The unquoted field that means null.
    pub(super) null: String,
    /// Whether `"` encloses fields; otherwise it is a character like any other.
    pub(super) quotes: bool,
}

impl Default for CsvForm {
    fn default() -> Self {
        Self {
            delimiter: ',',
            header: true,
            encoding: Encoding::default(),
            null: String::new(),
            quotes: true,
        }
    }
}

/// A checked schema file.
#[derive(Debug, Clone)]
pub(super) struct TableSchema {
    pub(super) csv: Option<CsvForm>,
    pub(super) columns: Vec<Column>,
}

impl TableSchema {
    /// Reads and checks a schema file.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let text = fs::read_to_string(path).map_err(|io| FileError::unreadable(path, &io))?;
        let file: SchemaToml = toml::from_str(&text)
            .map_err(|error| FileError::new(path, error.to_string().trim()))?;
        if file.columns.is_empty() {
            return Err(FileError::new(
                path,
                "columns is empty; declare at least one",
            ));
        }
        if let Some(bad) = file.csv.as_ref().map(|csv| csv.delimiter)
            && ['"', '\n', '\r'].contains(&bad)
        {
            let what =
                "the delimiter cannot be a quote or a line end; use \",\", \";\", \"|\" or \"\\t\"";
            return Err(FileError::new(path, what));
        }
        let mut columns: Vec<Column> = Vec::with_capacity(file.columns.len());
        for column in file.columns {
            let lower = column.name.to_lowercase();
            if columns
                .iter()
                .any(|other| other.name.to_lowercase() == lower)
            {
                let what = "is declared twice, in any case; rename one";
                return Err(FileError::new(path, what).column(&column.name));
            }
            if arrow_type(&column.sql_type).is_err() {
                let what = format!(
                    "the sandbox does not hold the type {}; declare another, such as nvarchar(max) or datetime2(6)",
                    column.sql_type
                );
                return Err(FileError::new(path, what).column(&column.name));
            }
            columns.push(Column {
                name: column.name,
                sql_type: column.sql_type,
                nullable: column.nullable,
            });
        }
        Ok(Self {
            csv: file.csv,
            columns,
        })
    }

    /// Checks that a file's own column names are the declared ones, in order.
    pub(super) fn require(&self, path: &Path, found: &[&str]) -> Result<(), FileError> {
        for (index, column) in self.columns.iter().enumerate() {
            let name = found.get(index).copied().unwrap_or("");
            if !name.eq_ignore_ascii_case(&column.name) {
                let what = format!(
                    "is declared as column {}, where the file has `{name}`; declare the columns of the file in their \
                     order",
                    index + 1
                );
                return Err(FileError::new(path, what).column(&column.name));
            }
        }
        match found.get(self.columns.len()) {
            Some(extra) => {
                let what = "is not declared; add it to the schema file";
                Err(FileError::new(path, what).column(extra))
            }
            None => Ok(()),
        }
    }
}

/// Name and form of the schema file of a table, for the message that asks for one.
pub(super) fn example(data: &Path) -> String {
    format!(
        "{}, one by one:\n[[columns]]\nname = \"Amount\"\ntype = \"decimal(38,20)\"\nnullable = false",
        data.with_extension("toml").display()
    )
}
