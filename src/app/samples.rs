//! Files of witnesses: keys that an auditor chose, read before anything connects.

use std::path::PathBuf;

use crate::domain::digest::sha256_hex;
use crate::domain::ipe::Ipe;
use crate::domain::witness::Sample;
use crate::kernels::cells::parse;
use crate::kernels::keys::hashes_of;
use crate::pipeline::witness::given;
use crate::ports::SmallTable;

/// How null is written.
const NULL: &str = "NULL";

/// Gives each item the keys of its file.
///
/// # Errors
/// One sentence with item, file, line and remedy; never a value of the file.
pub(super) fn attach(
    items: &mut [Ipe],
    files: &[(String, PathBuf)],
    rows_max: usize,
) -> Result<(), String> {
    for (name, file) in files {
        let at = format!("{name}={}", file.display());
        let runs = items.iter_mut().find(|item| item.id.as_str() == name);
        let ipe = runs.ok_or_else(|| format!("{at}: the run has no item `{name}`"))?;
        let bytes = std::fs::read(file).map_err(|io| format!("{at}: {io}"))?;
        let keys = keys(ipe, &bytes, rows_max).map_err(|what| format!("{at}: {what}"))?;
        let Some(definition) = &ipe.witness else {
            return Err(format!(
                "{at}: the item reads no witnesses; give it a section [witness] and a witness.sql"
            ));
        };
        if definition.sample.is_some() {
            return Err(format!(
                "{at}: the item has a file already; put the keys into one"
            ));
        }
        let file = file.file_name().unwrap_or(file.as_os_str());
        let sample = Sample {
            file: file.to_string_lossy().into_owned(),
            sha256: sha256_hex(&bytes),
            keys,
        };
        fits(ipe, &sample).map_err(|what| format!("{at}: {what}"))?;
        if let Some(definition) = &mut ipe.witness {
            definition.sample = Some(sample);
        }
    }
    Ok(())
}

/// Whether every value fits its column, which a number that is too long does not.
fn fits(ipe: &Ipe, sample: &Sample) -> Result<(), String> {
    let given = given(&ipe.contract, sample)?.into_iter();
    let keys = SmallTable {
        columns: ipe.contract.key.clone(),
        rows: given.map(|drawn| drawn.key).collect(),
    };
    hashes_of(&ipe.contract, &keys).map(|_| ())
}

/// The keys of a file, each in the order of the contract's key.
fn keys(ipe: &Ipe, bytes: &[u8], rows_max: usize) -> Result<Vec<Vec<Option<String>>>, String> {
    let key = &ipe.contract.key;
    let mut reader = csv::Reader::from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let header = reader
        .headers()
        .map_err(|error| unreadable(&error))?
        .clone();
    let mut places = Vec::with_capacity(key.len());
    for name in key {
        let place = header.iter().position(|column| column.trim() == name);
        places.push(place.ok_or_else(|| {
            format!(
                "the first line has no column `{name}`; write {}",
                key.join(",")
            )
        })?);
    }
    let mut keys = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        if keys.len() == rows_max {
            return Err(format!(
                "more than {rows_max} keys; each is a question to the source"
            ));
        }
        let line = row.position().map_or(0, csv::Position::line);
        let mut values = Vec::with_capacity(key.len());
        for (name, place) in key.iter().zip(&places) {
            let text = row.get(*place).unwrap_or_default();
            let column = ipe
                .contract
                .column(name)
                .ok_or_else(|| format!("no column `{name}`"))?;
            let is_text = column.column_type == crate::domain::contract::ColumnType::Text;
            let text = Some(text).filter(|text| *text != NULL && (is_text || !text.is_empty()));
            parse(column, text).map_err(|what| format!("line {line}, {what}"))?;
            values.push(text.map(str::to_owned));
        }
        keys.push(values);
    }
    if keys.is_empty() {
        return Err("the file holds no key".to_owned());
    }
    Ok(keys)
}

/// Where the file breaks, without what stands there.
fn unreadable(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    format!("line {line} is no line of a CSV file in UTF-8 with as many fields as the first")
}
