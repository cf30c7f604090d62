//! Seals a package: the views of the record, the log, the tag files, and last the manifest.
//!
//! Creates only; what stands there already is compared, never replaced.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::views::{one_line, views};
use super::{ABANDONED, BAG_INFO, BAGIT, BAGIT_TEXT, CONTROL, LOG, MANIFEST};
use crate::domain::digest::sha256_hex;
use crate::domain::run::ItemStatus;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::run_folder;
use crate::ports::{PortError, StoreRoot};

/// A package that was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPackage {
    /// Where it is.
    pub uri: String,
    /// SHA-256 of its manifest, in hex: names the whole package.
    pub manifest_sha256: String,
}

/// Files by path below the package, with their bytes.
pub type Files = BTreeMap<String, Bytes>;

/// Folder of the package of a record below the evidence root. One that was sealed in the name of a dead run lies beside
/// whatever that run had begun to write.
#[must_use]
pub fn package_folder(record: &ItemRecord) -> String {
    let folder = folder_of_run(record);
    match record.status {
        ItemStatus::Abandoned => format!("{folder}{ABANDONED}"),
        ItemStatus::Success | ItemStatus::Failed | ItemStatus::Error => folder,
    }
}

/// Folder in which the run itself seals.
#[must_use]
pub fn folder_of_run(record: &ItemRecord) -> String {
    run_folder(&record.ipe, record.context.period, &record.context.run_id)
}

/// Writes the package of a record, the manifest last. A run that failed is sealed like one that succeeded. Sealing
/// the same again is success; nothing is ever overwritten.
///
/// # Errors
/// `Corrupt` when another package is there already; `Limit` when storage is full; `Denied`, `Unreachable`.
pub async fn seal(
    evidence: &StoreRoot,
    record: &ItemRecord,
    log: &[u8],
) -> Result<SealedPackage, PortError> {
    let mut payload = views(record)?;
    payload.insert(LOG.to_owned(), Bytes::copy_from_slice(log));
    let info = bag_info(record, &payload);
    seal_bag(evidence, &package_folder(record), payload, info).await
}

/// Writes a bag, the manifest last, as [`seal`] does.
///
/// # Errors
/// As [`seal`].
pub async fn seal_bag(
    evidence: &StoreRoot,
    folder: &str,
    payload: Files,
    info: String,
) -> Result<SealedPackage, PortError> {
    let manifest = manifest(&payload);
    let tags = [
        (BAGIT, BAGIT_TEXT.to_owned()),
        (BAG_INFO, info),
        (MANIFEST, manifest.clone()),
    ];
    let tags = tags.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    for (path, bytes) in payload.into_iter().chain(tags) {
        evidence.create(&format!("{folder}/{path}"), bytes).await?;
    }
    Ok(SealedPackage {
        uri: evidence.uri_of(folder),
        manifest_sha256: sha256_hex(manifest.as_bytes()),
    })
}

/// The manifest of a payload: one line a file, sorted by path.
#[must_use]
pub fn manifest(payload: &Files) -> String {
    let lines = payload
        .iter()
        .map(|(path, bytes)| format!("{}  {path}\n", sha256_hex(bytes)));
    lines.collect()
}

/// Text of `bag-info.txt`.
#[must_use]
pub fn bag_info(record: &ItemRecord, payload: &Files) -> String {
    let bytes: usize = payload.values().map(Bytes::len).sum();
    format!(
        "Bag-Software-Agent: soxauto {}\nBagging-Date: {}\nExternal-Description: {CONTROL} {}: {}\n\
         External-Identifier: {}\nPayload-Oxum: {bytes}.{}\n",
        record.context.program.version,
        record.ended_at.date_naive(),
        record.ipe,
        one_line(&record.title),
        package_folder(record),
        payload.len(),
    )
}
