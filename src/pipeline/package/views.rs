//! The files of a package under `data/`, each a pure function of the record.
//!
//! The same record gives the same bytes in every build, which is what the verifier rests on: so all JSON here is
//! written from structs and sorted maps, never from `serde_json::Value`, whose key order depends on a cargo feature.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::write::Files;
use super::{CONTROL, RECORD, summary};
use crate::domain::contract::{Column, Contract};
use crate::domain::digest::{DIGEST_VERSION, TableDigest};
use crate::domain::ids::IpeId;
use crate::domain::losses::{Carried, Changes};
use crate::domain::query::{BoundParam, ParamValue};
use crate::domain::run::{ItemStatus, RunContext, RunState};
use crate::domain::totals::{ControlTotals, GroupTotals};
use crate::domain::uploaded::FilePiece;
use crate::pipeline::keys::sidecar_path;
use crate::pipeline::record::{ItemRecord, Places};
use crate::ports::{AccessEvidence, Consistency, Described, PortError, PortErrorKind};

/// Every file under `data/` but the log, as the record makes them.
///
/// # Errors
/// `Corrupt` when a value cannot be written as JSON.
pub fn views(record: &ItemRecord) -> Result<Files, PortError> {
    let mut files = Files::new();
    let mut put = |path: &str, bytes: Vec<u8>| files.insert(path.to_owned(), Bytes::from(bytes));
    let access = AccessView {
        source: record.access.as_ref(),
        consistency: record.consistency,
        places: &record.places,
    };
    put(RECORD, pretty(record)?);
    put("data/context.json", pretty(&context(record))?);
    put("data/access.json", pretty(&access)?);
    put(
        "data/schema.json",
        pretty(&SchemaView {
            described: record.described.as_ref(),
            contract: &record.contract,
        })?,
    );
    put("data/totals.json", pretty(&totals(record))?);
    put("data/digest.json", pretty(&digests(record))?);
    put("data/losses.json", pretty(&losses(record))?);
    put("data/checks.json", pretty(&record.checks)?);
    put("data/witnesses.json", pretty(&record.witnesses)?);
    put("data/findings.json", pretty(&record.findings)?);
    put("data/verification.json", pretty(&record.verification)?);
    put("data/receipt.json", pretty(&record.receipt)?);
    put(
        "data/parts.json",
        pretty(&record.staged.as_ref().map(|staged| &staged.parts))?,
    );
    put("data/parts.sha256", parts_sha256(record).into_bytes());
    put("data/parameters.json", pretty(&parameters(record))?);
    if let Some(file) = &record.file {
        put("data/file.json", pretty(file)?);
    }
    put("data/query.sql", record.query_file.clone().into_bytes());
    put("data/executed.sql", executed(record).into_bytes());
    put("data/summary.md", summary::summary(record).into_bytes());
    Ok(files)
}

/// JSON for people: indented, a line feed at the end, fields in a fixed order.
fn pretty(value: &impl Serialize) -> Result<Vec<u8>, PortError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("the record cannot be written: {error}"),
        )
    })?;
    text.push(b'\n');
    Ok(text)
}

#[derive(Serialize)]
struct ContextView<'a> {
    control: &'static str,
    ipe: &'a IpeId,
    title: &'a str,
    definition_sha256: &'a str,
    run: &'a RunContext,
    first_day: NaiveDate,
    last_day: NaiveDate,
    cutoff_date_exclusive: NaiveDate,
    state: RunState,
    status: ItemStatus,
    error: Option<&'a str>,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
}

fn context(record: &ItemRecord) -> ContextView<'_> {
    let period = record.context.period;
    ContextView {
        control: CONTROL,
        ipe: &record.ipe,
        title: &record.title,
        definition_sha256: &record.definition_sha256,
        run: &record.context,
        first_day: period.start(),
        last_day: period.end(),
        cutoff_date_exclusive: period.cutoff(),
        state: record.state,
        status: record.status,
        error: record.error.as_deref(),
        started_at: record.started_at,
        ended_at: record.ended_at,
    }
}

#[derive(Serialize)]
struct AccessView<'a> {
    source: Option<&'a AccessEvidence>,
    consistency: Option<Consistency>,
    places: &'a Places,
}

#[derive(Serialize)]
struct SchemaView<'a> {
    described: Option<&'a Described>,
    contract: &'a Contract,
}

/// One value for each count that is taken of an item; what was not taken is null.
#[derive(Serialize)]
struct Counts<T> {
    source: Option<T>,
    source_after: Option<T>,
    decoded: Option<T>,
    staged: Option<T>,
    warehouse: Option<T>,
}

impl<T> Counts<T> {
    fn map<U>(&self, each: impl Fn(&T) -> Option<U>) -> Counts<U> {
        Counts {
            source: self.source.as_ref().and_then(&each),
            source_after: self.source_after.as_ref().and_then(&each),
            decoded: self.decoded.as_ref().and_then(&each),
            staged: self.staged.as_ref().and_then(&each),
            warehouse: self.warehouse.as_ref().and_then(&each),
        }
    }
}

#[derive(Serialize)]
struct TotalsView<'a> {
    amounts: Counts<&'a Vec<String>>,
    rows: Counts<u64>,
    companies: BTreeMap<&'a String, Counts<&'a GroupTotals>>,
}

/// The counts side by side, company by company.
fn totals(record: &ItemRecord) -> TotalsView<'_> {
    let taken: Counts<&ControlTotals> = Counts {
        source: record.source_totals.as_ref(),
        source_after: record.source_totals_after.as_ref(),
        decoded: record.staged.as_ref().map(|staged| &staged.totals),
        staged: record.recomputed.as_ref().map(|second| &second.totals),
        warehouse: record.read_back.as_ref().map(|counted| &counted.totals),
    };
    let every = [
        taken.source,
        taken.source_after,
        taken.decoded,
        taken.staged,
        taken.warehouse,
    ];
    let companies: BTreeSet<&String> = every
        .into_iter()
        .flatten()
        .flat_map(|totals| totals.groups.keys())
        .collect();
    let companies = companies.into_iter();
    TotalsView {
        amounts: taken.map(|totals| Some(&totals.amounts)),
        rows: taken.map(|totals| Some(totals.rows())),
        companies: companies
            .map(|company| (company, taken.map(|totals| totals.groups.get(company))))
            .collect(),
    }
}

#[derive(Serialize)]
struct DigestValue {
    digest: TableDigest,
    fingerprint: String,
}

#[derive(Serialize)]
struct DigestView {
    version: &'static str,
    columns: Vec<String>,
    left_out: Vec<String>,
    decoded: Option<DigestValue>,
    staged: Option<DigestValue>,
    warehouse: Option<DigestValue>,
}

fn digests(record: &ItemRecord) -> DigestView {
    let (within, without): (Vec<&Column>, Vec<&Column>) = record
        .contract
        .columns
        .iter()
        .partition(|column| column.column_type.digestible());
    let names = |columns: Vec<&'_ Column>| columns.into_iter().map(|c| c.name.clone()).collect();
    let value = |digest: TableDigest| DigestValue {
        digest,
        fingerprint: digest.fingerprint(),
    };
    DigestView {
        version: DIGEST_VERSION,
        columns: names(within),
        left_out: names(without),
        decoded: record.staged.as_ref().map(|staged| value(staged.digest)),
        staged: record
            .recomputed
            .as_ref()
            .map(|second| value(second.digest)),
        warehouse: record
            .read_back
            .as_ref()
            .map(|counted| value(counted.digest)),
    }
}

#[derive(Serialize)]
struct LossView<'a> {
    column: &'a str,
    sql_type: Option<&'a str>,
    carried: Carried,
    values: Option<u64>,
    changes: Option<Changes>,
}

/// How every column was carried; `None` when not all rows passed.
fn losses(record: &ItemRecord) -> Option<Vec<LossView<'_>>> {
    let lines = record.losses.as_ref()?;
    let columns = record.contract.columns.iter().enumerate();
    let view = columns.map(|(ordinal, column)| {
        let line = lines.iter().find(|line| line.column == column.name);
        let described = record.described.as_ref();
        let described = described.and_then(|described| described.columns.get(ordinal));
        LossView {
            column: &column.name,
            sql_type: described.map(|source| source.sql_type.as_str()),
            carried: Carried::of(line),
            values: line.map(|line| line.values),
            changes: line
                .map(|line| line.changes)
                .filter(|changes| !changes.is_empty()),
        }
    });
    Some(view.collect())
}

/// The pieces of the file's copy; none for an item that is asked of a server.
pub(super) fn pieces(record: &ItemRecord) -> impl Iterator<Item = &FilePiece> {
    let copy = record.file.iter().filter_map(|file| file.copy.as_ref());
    copy.flat_map(|copy| &copy.pieces)
}

/// Lines for `sha256sum -c`, to be run in the staging root.
fn parts_sha256(record: &ItemRecord) -> String {
    let pieces = pieces(record).map(|piece| format!("{}  {}\n", piece.sha256, piece.path));
    let parts = record.staged.iter().flat_map(|staged| &staged.parts);
    let parts = parts.map(|part| {
        let sidecar = sidecar_path(&part.path);
        format!(
            "{}  {}\n{}  {sidecar}\n",
            part.sha256, part.path, part.keys_sha256
        )
    });
    pieces.chain(parts).collect()
}

#[derive(Serialize)]
struct ParametersView<'a> {
    purpose: &'a str,
    params: &'a [BoundParam],
}

fn parameters(record: &ItemRecord) -> Vec<ParametersView<'_>> {
    let executed = record.executed.iter();
    executed
        .map(|executed| ParametersView {
            purpose: &executed.purpose,
            params: &executed.query.params,
        })
        .collect()
}

fn executed(record: &ItemRecord) -> String {
    if record.executed.is_empty() {
        return "-- nothing was executed\n".to_owned();
    }
    let mut text = String::new();
    for (index, executed) in record.executed.iter().enumerate() {
        text.push_str(&format!(
            "-- {}. {}\n",
            index + 1,
            one_line(&executed.purpose)
        ));
        for (position, param) in executed.query.params.iter().enumerate() {
            let value = match &param.value {
                ParamValue::Date(date) => date.to_string(),
                ParamValue::Int(number) => number.to_string(),
                ParamValue::Text(text) => one_line(text),
                ParamValue::Null => "NULL".to_owned(),
            };
            let (name, sql_type) = (one_line(&param.name), one_line(&param.sql_type));
            text.push_str(&format!(
                "-- @P{} {name} {sql_type} = {value}\n",
                position + 1
            ));
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
