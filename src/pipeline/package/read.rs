//! Reads a package as it lies in a store, without judging it.

use std::collections::BTreeMap;

use super::write::Files;
use crate::ports::{PortError, StoreRoot};

/// Largest file of a package in bytes; a larger one is not read. The log is the only file that grows with a run.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The files of a package.
#[derive(Debug, Clone, Default)]
pub struct Bag {
    /// Every file that could be read, by path below the package.
    pub files: Files,
    /// Files that are there and could not be read, with the reason.
    pub unread: BTreeMap<String, String>,
}

/// Reads every file of the package at `root`.
///
/// # Errors
/// `Unreachable`, `Denied` when the package cannot even be listed.
pub async fn read_bag(root: &StoreRoot) -> Result<Bag, PortError> {
    let mut bag = Bag::default();
    for stored in root.list("").await? {
        if stored.bytes > FILE_BYTES_MAX {
            let why = format!("{} bytes, more than {FILE_BYTES_MAX}", stored.bytes);
            bag.unread.insert(stored.path, why);
            continue;
        }
        match root.get(&stored.path).await {
            Ok(bytes) => bag.files.insert(stored.path, bytes),
            Err(error) => {
                bag.unread.insert(stored.path, error.to_string());
                None
            }
        };
    }
    Ok(bag)
}

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestLine {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// Path below the package.
    pub path: String,
}

/// The lines of a manifest; a line that is none comes back as its number, from 1.
#[must_use]
pub fn manifest_lines(text: &str) -> Vec<Result<ManifestLine, usize>> {
    let parse = |line: &str| {
        let (sha256, path) = line.split_once("  ")?;
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let valid = sha256.len() == 64 && sha256.chars().all(is_hex) && path.starts_with("data/");
        valid.then(|| ManifestLine {
            sha256: sha256.to_owned(),
            path: path.to_owned(),
        })
    };
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| parse(line).ok_or(index + 1))
        .collect()
}
