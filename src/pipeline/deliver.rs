//! Delivers a sealed package to a place outside: what may leave is listed here, and nothing else does.
//!
//! Reads what was sealed and writes nothing beside it. Never touches the outcome of a run: a delivery that fails is
//! reported, and can be repeated.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::package::MANIFEST;
use super::package::archive::Archive;
use super::package::outline::outline;
use super::package::read::{Bag, read_bag};
use super::package::verify::{Opener, verify_bag};
use super::package::write::Files;
use super::record::ItemRecord;
use crate::domain::digest::sha256_hex;
use crate::domain::limits::Limits;
use crate::domain::run::ItemStatus;
use crate::ports::{
    Content, Delivered, EvidenceSink, Outgoing, PortError, PortErrorKind, StoreRoot,
};

/// Files of a package that hold nothing of a row, with their media types: names, places, counts and hashes.
const HARMLESS: [(&str, &str); 2] = [
    ("data/parts.json", "application/json"),
    ("data/parts.sha256", "text/plain"),
];

/// What to deliver, and where it is.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The folder of the package.
    pub package: &'a StoreRoot,
    /// Opens the staging root that the package names, if the whole package with its rows is to leave.
    pub rows: Option<Opener<'a>>,
    /// How large it may be.
    pub limits: &'a Limits,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// Where to.
    pub place: String,
    /// Files that lie there, the manifest last: where it is, all are.
    pub files: Vec<Delivered>,
    /// Why not all of them do, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Delivers a package, file by file, until one cannot be.
pub async fn deliver(sink: &dyn EvidenceSink, delivery: Delivery<'_>) -> DeliveryReport {
    let mut report = DeliveryReport {
        place: sink.location(),
        files: Vec::new(),
        error: None,
    };
    if let Err(error) = each_file(sink, delivery, &mut report.files).await {
        let error = error.at("package", delivery.package.uri.clone());
        report.error = Some(error.to_string());
    }
    report
}

async fn each_file(
    sink: &dyn EvidenceSink,
    delivery: Delivery<'_>,
    delivered: &mut Vec<Delivered>,
) -> Result<(), PortError> {
    let bag = read_bag(delivery.package).await?;
    let record = sealed(&bag)?;
    let of = |path: &str| bag.files.get(path).cloned().unwrap_or_default();
    let manifest = of(MANIFEST);
    let summary = Bytes::from(outline(&record, &sha256_hex(&manifest)));
    let archive = match delivery.rows {
        Some(open) => Some(archive(&bag.files, &record, open, delivery.limits)?),
        None => None,
    };
    let harmless = HARMLESS.map(|(path, media_type)| (path, media_type, of(path)));
    let mut leaving: Vec<(&str, &'static str, &dyn Content)> =
        vec![("summary.md", "text/markdown", &summary)];
    for (path, media_type, bytes) in &harmless {
        leaving.push((path.trim_start_matches("data/"), media_type, bytes));
    }
    if let Some(archive) = &archive {
        leaving.push(("package-with-rows.zip", "application/zip", archive));
    }
    leaving.push((MANIFEST, "text/plain", &manifest));
    for (name, media_type, content) in leaving {
        let file = Outgoing {
            name: format!("{}_{name}", stem(&record)),
            media_type,
            run: record.context.run_id.to_string(),
            content,
        };
        delivered.push(sink.deliver(&file).await?);
    }
    Ok(())
}

/// The record of a package that is whole: only then is it evidence of anything.
fn sealed(bag: &Bag) -> Result<ItemRecord, PortError> {
    if !bag.files.contains_key(MANIFEST) {
        let what = "there is no sealed package, so nothing is delivered";
        return Err(PortError::new(PortErrorKind::Config, what)
            .hint("name the folder that `soxauto run` printed as evidence"));
    }
    let (report, record) = verify_bag(bag);
    let first = report.findings.first().map(|finding| {
        let more = report.findings.len() - 1;
        format!(
            "{}: {} (and {more} more findings)",
            finding.place, finding.what
        )
    });
    match (first.or_else(|| report.not_run.first().cloned()), record) {
        (None, Some(record)) => Ok(record),
        (why, _) => {
            let why = why.unwrap_or_default();
            let what = format!("the package is not whole, so nothing is delivered: {why}");
            Err(PortError::new(PortErrorKind::Corrupt, what)
                .hint("run `soxauto verify` on the package"))
        }
    }
}

fn archive(
    files: &Files,
    record: &ItemRecord,
    open: Opener<'_>,
    limits: &Limits,
) -> Result<Archive, PortError> {
    let staging = open(&record.places.staging)?;
    let bytes_max = limits.archive_bytes_max;
    Ok(Archive::new(files, record, staging, bytes_max))
}

/// How the names of a package's files begin: no two packages share it.
fn stem(record: &ItemRecord) -> String {
    let dead = match record.status {
        ItemStatus::Abandoned => "_abandoned",
        ItemStatus::Success | ItemStatus::Failed | ItemStatus::Error => "",
    };
    let context = &record.context;
    format!(
        "PG-01_{}_{}_{}{dead}",
        record.ipe, context.period, context.run_id
    )
}
