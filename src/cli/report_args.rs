//! `--report`, `--workbook` and `--tables`: a statement as files that people read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::output;
use crate::report::material::Material;
use crate::report::page::page;
use crate::report::tables::{csv, json, parquet, tables};
use crate::report::words::Language;
use crate::report::workbook::workbook;

/// Language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    /// English
    En,
    /// French
    Fr,
}

/// Which files are written beside what is printed.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Write the report as one HTML file
    #[arg(long, env = "SOXAUTO_REPORT", value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write every table as a sheet of an Excel workbook
    #[arg(long, env = "SOXAUTO_WORKBOOK", value_name = "FILE")]
    workbook: Option<PathBuf>,
    /// Write every table as CSV, JSON and Parquet into this folder
    #[arg(long, env = "SOXAUTO_TABLES", value_name = "FOLDER")]
    tables: Option<PathBuf>,
    /// Language of these files
    #[arg(
        long,
        env = "SOXAUTO_LANGUAGE",
        value_enum,
        default_value = "en",
        value_name = "LANGUAGE"
    )]
    language: Tongue,
}

impl ReportArgs {
    /// Whether any file is asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.report.is_some() || self.workbook.is_some() || self.tables.is_some()
    }

    /// Writes what is asked for, and says where it is.
    pub(super) fn write(&self, material: Material<'_>) -> anyhow::Result<()> {
        let language = match self.language {
            Tongue::En => Language::English,
            Tongue::Fr => Language::French,
        };
        if let Some(file) = &self.report {
            put(file, page(material, language)?.as_bytes())?;
        }
        if let Some(file) = &self.workbook {
            put(file, &workbook(material, language)?)?;
        }
        if let Some(folder) = &self.tables {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            for table in tables(material, language)? {
                let file = |ending: &str| folder.join(format!("{}.{ending}", table.name));
                replace(&file("csv"), &csv(&table)?)?;
                replace(&file("json"), &json(&table)?)?;
                replace(&file("parquet"), &parquet(&table)?)?;
            }
            output::tell(&format!("wrote {}", folder.display()));
        }
        Ok(())
    }
}

fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(file, bytes)?;
    output::tell(&format!("wrote {}", file.display()));
    Ok(())
}

/// Writes a file whole or not at all: what has its name is never half of it.
fn replace(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, file));
    if written.is_err() {
        // The cause is said below; what is left over is only tidied.
        fs::remove_file(&part).ok();
    }
    written.with_context(|| format!("cannot write {}", file.display()))
}
