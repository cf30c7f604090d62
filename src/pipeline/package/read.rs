//! Reads a package as it lies in a store, without judging it; finds the packages of an item.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::write::Files;
use super::{ABANDONED, MANIFEST};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

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

/// The folders of the sealed packages of an item and month, the newest run first.
///
/// # Errors
/// `Unreachable`, `Denied`.
pub async fn sealed_folders(
    evidence: &StoreRoot,
    ipe: &IpeId,
    period: Period,
) -> Result<Vec<String>, PortError> {
    let stored = evidence.list(&format!("{ipe}/period={period}")).await?;
    let mut folders: Vec<String> = stored
        .iter()
        .filter_map(|file| file.path.strip_suffix(&format!("/{MANIFEST}")))
        .filter(|folder| run_of(folder).is_some())
        .map(str::to_owned)
        .collect();
    // A run id begins with the time of its start.
    folders.sort_by_key(|folder| std::cmp::Reverse(run_of(folder)));
    Ok(folders)
}

/// The run whose package lies in a folder, also where another run sealed it in its name.
#[must_use]
pub fn run_of(folder: &str) -> Option<RunId> {
    let (_, run) = folder.rsplit_once("/run=")?;
    run.strip_suffix(ABANDONED).unwrap_or(run).parse().ok()
}

/// A file of a sealed package whose bytes are those that were sealed, with the SHA-256 of the manifest that says so.
///
/// # Errors
/// `Corrupt` when the manifest does not name these bytes; storage errors.
pub async fn sealed_file(
    evidence: &StoreRoot,
    folder: &str,
    path: &str,
) -> Result<(Bytes, String), PortError> {
    let manifest = evidence.get(&format!("{folder}/{MANIFEST}")).await?;
    let bytes = evidence.get(&format!("{folder}/{path}")).await?;
    let (of_file, of_manifest) = (bytes.clone(), manifest.clone());
    let hashing = spawn_blocking(move || [of_file, of_manifest].map(|bytes| sha256_hex(&bytes)));
    let [sha256, manifest_sha256] = hashing.await.map_err(|lost| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("hashing a sealed file: {lost}"),
        )
    })?;
    let text = String::from_utf8_lossy(&manifest);
    let mut lines = manifest_lines(&text).into_iter().flatten();
    if !lines.any(|line| line.path == path && line.sha256 == sha256) {
        let what = format!("the package does not hold the {path} that was sealed");
        return Err(broken(evidence, folder, what));
    }
    Ok((bytes, manifest_sha256))
}

/// A package that is not what was sealed.
pub(crate) fn broken(evidence: &StoreRoot, folder: &str, what: impl Into<String>) -> PortError {
    let uri = evidence.uri_of(folder);
    PortError::new(PortErrorKind::Corrupt, what)
        .at("package", uri.clone())
        .hint(format!(
            "`soxauto verify {uri}` says what is wrong with it; restore the package, then run the item again"
        ))
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
