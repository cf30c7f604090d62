//! Makes the files of a package from the record, and seals them.
//!
//! Pure but for [`seal`]; the same record and log give the same bytes, which is what the verifier rests on.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::{BAG_INFO, BAGIT, BAGIT_TEXT, CONTROL, LOG, MANIFEST, RECORD, summary};
use crate::domain::digest::{DIGEST_VERSION, TableDigest, sha256_hex};
use crate::domain::query::ParamValue;
use crate::domain::totals::ControlTotals;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::run_folder;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

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

/// Folder of the package of a record below the evidence root.
#[must_use]
pub fn package_folder(record: &ItemRecord) -> String {
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
    let folder = package_folder(record);
    let mut payload = views(record)?;
    payload.insert(LOG.to_owned(), Bytes::copy_from_slice(log));
    let manifest = manifest(&payload);
    let tags = [
        (BAGIT, BAGIT_TEXT.to_owned()),
        (BAG_INFO, bag_info(record, &payload)),
        (MANIFEST, manifest.clone()),
    ];
    let tags = tags.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    for (path, bytes) in payload.into_iter().chain(tags) {
        evidence.create(&format!("{folder}/{path}"), bytes).await?;
    }
    Ok(SealedPackage {
        uri: evidence.uri_of(&folder),
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

/// Every file under `data/` but the log, as the record makes them.
///
/// # Errors
/// `Corrupt` when a value cannot be written as JSON.
pub fn views(record: &ItemRecord) -> Result<Files, PortError> {
    let mut files = Files::new();
    let mut put = |path: &str, bytes: Vec<u8>| files.insert(path.to_owned(), Bytes::from(bytes));
    put(RECORD, pretty(record)?);
    put("data/context.json", pretty(&context(record))?);
    put("data/access.json", pretty(&access(record))?);
    put("data/schema.json", pretty(&json!({ "described": record.described, "contract": record.contract }))?);
    put("data/totals.json", pretty(&totals(record))?);
    put("data/digest.json", pretty(&digests(record))?);
    put("data/checks.json", pretty(&record.checks)?);
    put("data/verification.json", pretty(&record.verification)?);
    put("data/receipt.json", pretty(&record.receipt)?);
    put("data/parts.json", pretty(&record.staged.as_ref().map(|staged| &staged.parts))?);
    put("data/parts.sha256", parts_sha256(record).into_bytes());
    put("data/parameters.json", pretty(&parameters(record))?);
    put("data/query.sql", record.query_file.clone().into_bytes());
    put("data/executed.sql", executed(record).into_bytes());
    put("data/summary.md", summary::summary(record).into_bytes());
    Ok(files)
}

/// JSON for people: indented, a line feed at the end, fields in a fixed order.
fn pretty(value: &impl Serialize) -> Result<Vec<u8>, PortError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| {
        PortError::new(PortErrorKind::Corrupt, format!("the record cannot be written: {error}"))
    })?;
    text.push(b'\n');
    Ok(text)
}

fn context(record: &ItemRecord) -> Value {
    let period = record.context.period;
    json!({
        "control": CONTROL,
        "ipe": record.ipe,
        "title": record.title,
        "definition_sha256": record.definition_sha256,
        "run": record.context,
        "first_day": period.start(),
        "last_day": period.end(),
        "cutoff_date_exclusive": period.cutoff(),
        "state": record.state,
        "status": record.status,
        "error": record.error,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
    })
}

fn access(record: &ItemRecord) -> Value {
    json!({ "source": record.access, "consistency": record.consistency, "places": record.places })
}

/// The four counts side by side, company by company; what was not taken is null.
fn totals(record: &ItemRecord) -> Value {
    let staged = record.staged.as_ref();
    let taken: [(&str, Option<&ControlTotals>); 5] = [
        ("source", record.source_totals.as_ref()),
        ("source_after", record.source_totals_after.as_ref()),
        ("decoded", staged.map(|staged| &staged.totals)),
        ("staged", record.recomputed.as_ref().map(|second| &second.totals)),
        ("warehouse", record.read_back.as_ref().map(|counted| &counted.totals)),
    ];
    let companies: BTreeSet<&String> = taken
        .iter()
        .filter_map(|(_, totals)| *totals)
        .flat_map(|totals| totals.groups.keys())
        .collect();
    let amounts = taken.iter().map(|(name, totals)| (*name, totals.map(|t| &t.amounts)));
    let rows = taken.iter().map(|(name, totals)| (*name, totals.map(ControlTotals::rows)));
    let company = |company: &String| {
        let groups = taken.iter();
        groups
            .map(|(name, totals)| (*name, totals.and_then(|totals| totals.groups.get(company))))
            .collect::<BTreeMap<_, _>>()
    };
    let companies: BTreeMap<_, _> = companies.iter().map(|name| (*name, company(name))).collect();
    json!({
        "amounts": amounts.collect::<BTreeMap<_, _>>(),
        "rows": rows.collect::<BTreeMap<_, _>>(),
        "companies": companies,
    })
}

fn digests(record: &ItemRecord) -> Value {
    let (within, without): (Vec<_>, Vec<_>) = record
        .contract
        .columns
        .iter()
        .partition(|column| column.column_type.digestible());
    let names = |columns: Vec<&crate::domain::contract::Column>| {
        columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    let said = |digest: Option<&TableDigest>| {
        digest.map(|digest| json!({ "digest": digest, "fingerprint": digest.fingerprint() }))
    };
    json!({
        "version": DIGEST_VERSION,
        "columns": names(within),
        "left_out": names(without),
        "decoded": said(record.staged.as_ref().map(|staged| &staged.digest)),
        "staged": said(record.recomputed.as_ref().map(|second| &second.digest)),
        "warehouse": said(record.read_back.as_ref().map(|counted| &counted.digest)),
    })
}

/// Lines for `sha256sum -c`, to be run in the staging root.
fn parts_sha256(record: &ItemRecord) -> String {
    let parts = record.staged.iter().flat_map(|staged| &staged.parts);
    parts.map(|part| format!("{}  {}\n", part.sha256, part.path)).collect()
}

fn parameters(record: &ItemRecord) -> Vec<Value> {
    let executed = record.executed.iter();
    executed
        .map(|executed| json!({ "purpose": executed.purpose, "params": executed.query.params }))
        .collect()
}

fn executed(record: &ItemRecord) -> String {
    if record.executed.is_empty() {
        return "-- nothing was executed\n".to_owned();
    }
    let mut text = String::new();
    for (index, executed) in record.executed.iter().enumerate() {
        text.push_str(&format!("-- {}. {}\n", index + 1, one_line(&executed.purpose)));
        for (position, param) in executed.query.params.iter().enumerate() {
            let value = match &param.value {
                ParamValue::Date(date) => date.to_string(),
                ParamValue::Int(number) => number.to_string(),
                ParamValue::Text(text) => one_line(text),
            };
            let (name, sql_type) = (one_line(&param.name), one_line(&param.sql_type));
            text.push_str(&format!("-- @P{} {name} {sql_type} = {value}\n", position + 1));
        }
        text.push_str(executed.query.text.trim_end());
        text.push_str("\n\n");
    }
    text
}

/// Text without line breaks, so that it cannot end a comment or a header line.
pub(super) fn one_line(text: &str) -> String {
    text.split(['\r', '\n']).collect::<Vec<_>>().join(" ")
}
