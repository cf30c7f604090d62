//! The record against itself: identity, period, query, parts and receipt say one thing.

use super::VerifyReport;
use crate::domain::manifest::Staged;
use crate::domain::query::{ParamValue, QueryFile};
use crate::domain::run::Stamp;
use crate::domain::totals::ControlTotals;
use crate::pipeline::package::RECORD;
use crate::pipeline::population::previous_purpose;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::part_path;

pub(super) fn consistency(record: &ItemRecord, report: &mut VerifyReport) {
    identity(record, report);
    query(record, report);
    contract(record, report);
    if let Some(staged) = &record.staged {
        parts(record, staged, report);
    }
    receipt(record, report);
    report
        .checked
        .push("record: identity, query, contract, parts, receipt".to_owned());
}

fn identity(record: &ItemRecord, report: &mut VerifyReport) {
    let context = &record.context;
    let time = context.started_at.format("%Y%m%dT%H%M%SZ").to_string();
    if !context.run_id.as_str().starts_with(&time) {
        let what = "the run id is not that of its start";
        report.find(RECORD, what, time, &context.run_id);
    }
    if record.started_at < context.started_at || record.ended_at < record.started_at {
        let expected = "run start, item start and item end in this order";
        let actual = format!(
            "{}, {}, {}",
            context.started_at, record.started_at, record.ended_at
        );
        report.find(RECORD, "the times are out of order", expected, actual);
    }
    let program = &context.program;
    let is_unclean = program.dirty || program.commit == "unknown";
    if is_unclean && !context.stamps.contains(&Stamp::DirtyBuild) {
        let what = "a build from no clean commit is not stamped";
        report.find(RECORD, what, "NOT CONTROL EVIDENCE", "no stamp");
    }
}

/// The rows were asked for with the catalog's file, bound to the period.
fn query(record: &ItemRecord, report: &mut VerifyReport) {
    let period = record.context.period;
    let bound = QueryFile::parse(&record.query_file).and_then(|file| file.bind(period));
    let last = period.previous().ok();
    let of_last = last.map(|month| previous_purpose(month, month));
    for executed in &record.executed {
        // The running numbers of last month are counted up to its cutoff too.
        let is_of_last = of_last.as_ref() == Some(&executed.purpose);
        let period = last.filter(|_| is_of_last).unwrap_or(period);
        for param in &executed.query.params {
            let Some(expected) = period.parameter(&param.name) else {
                continue;
            };
            if param.value != ParamValue::Date(expected) {
                let what = format!(
                    "parameter {} of `{}` is not that of period {period}",
                    param.name, executed.purpose
                );
                report.find(RECORD, what, expected, format!("{:?}", param.value));
            }
        }
        if executed.purpose != "rows" {
            continue;
        }
        match &bound {
            Ok(bound) if *bound == executed.query => {}
            Ok(bound) => {
                let what = "the executed query is not the catalog's file bound to the period";
                report.find(RECORD, what, &bound.text, &executed.query.text);
            }
            Err(error) => {
                let what = "the catalog's file cannot be bound, yet rows were read";
                report.find(RECORD, what, "a file that can be bound", error);
            }
        }
    }
}

fn contract(record: &ItemRecord, report: &mut VerifyReport) {
    if let Err(error) = record.contract.validate() {
        report.find(
            RECORD,
            "the contract is not consistent",
            "a valid contract",
            error,
        );
    }
}

fn parts(record: &ItemRecord, staged: &Staged, report: &mut VerifyReport) {
    let context = &record.context;
    let place = "data/parts.json";
    if staged.parts.is_empty() {
        report.find(place, "no part is listed", "at least one part", 0);
    }
    for (index, part) in staged.parts.iter().enumerate() {
        let path = part_path(&record.ipe, context.period, &context.run_id, index);
        report.same(place, "a part is not at its path", &path, &part.path);
        let uri = format!("{}/{path}", record.places.staging);
        report.same(place, "a part is not at its URI", &uri, &part.uri);
        let is_hash = part.sha256.len() == 64;
        if !is_hash {
            report.find(
                place,
                "a part has no SHA-256",
                "64 hex digits",
                &part.sha256,
            );
        }
    }
    let rows = staged.rows();
    report.same(
        place,
        "rows of the parts and of the digest",
        staged.digest.rows,
        rows,
    );
    report.same(
        place,
        "rows of the parts and of the totals",
        staged.totals.rows(),
        rows,
    );
    let amounts: Vec<String> = record.contract.amounts().map(|c| c.name.clone()).collect();
    for (name, totals) in every_totals(record) {
        if totals.amounts != amounts {
            let what = format!("the summed columns of {name} are not those of the contract");
            report.find(
                "data/totals.json",
                what,
                amounts.join(", "),
                totals.amounts.join(", "),
            );
        }
    }
    let digests = [
        ("staged", record.recomputed.as_ref()),
        ("warehouse", record.read_back.as_ref()),
    ];
    for (name, counted) in digests {
        let Some(counted) = counted else { continue };
        let what = format!("rows of the digest and of the totals, {name}");
        report.same(
            "data/digest.json",
            &what,
            counted.totals.rows(),
            counted.digest.rows,
        );
    }
}

/// Every set of totals in the record, by name.
pub(super) fn every_totals(record: &ItemRecord) -> Vec<(&'static str, &ControlTotals)> {
    let taken = [
        ("source", record.source_totals.as_ref()),
        ("source after the rows", record.source_totals_after.as_ref()),
        (
            "decoded",
            record.staged.as_ref().map(|staged| &staged.totals),
        ),
        (
            "staged",
            record.recomputed.as_ref().map(|second| &second.totals),
        ),
        (
            "warehouse",
            record.read_back.as_ref().map(|counted| &counted.totals),
        ),
    ];
    let taken = taken.into_iter();
    taken
        .filter_map(|(name, totals)| Some((name, totals?)))
        .collect()
}

fn receipt(record: &ItemRecord, report: &mut VerifyReport) {
    let Some(receipt) = &record.receipt else {
        if record.read_back.is_some() {
            let what = "the warehouse was counted, yet nothing was loaded";
            report.find("data/receipt.json", what, "a receipt", "none");
        }
        return;
    };
    if record.submitted.is_some() {
        let what = "a load has a receipt, yet its end is not known";
        report.find(RECORD, what, "one of the two", "both");
    }
    let place = "data/receipt.json";
    let Some(staged) = &record.staged else {
        report.find(
            place,
            "something was loaded, yet nothing was staged",
            "staged parts",
            "none",
        );
        return;
    };
    let uris: Vec<&String> = staged.parts.iter().map(|part| &part.uri).collect();
    if !receipt.source_uris.iter().eq(uris.iter().copied()) {
        let (expected, actual) = (format!("{uris:?}"), format!("{:?}", receipt.source_uris));
        report.find(
            place,
            "the loaded files are not the parts",
            expected,
            actual,
        );
    }
    let what = "rows on the disk were not replaced";
    report.same(place, what, "WRITE_TRUNCATE", &receipt.write_disposition);
    let (table, month) = (
        record.ipe.table_name(),
        record.context.period.start().format("%Y%m"),
    );
    let names_both = receipt.destination_table.contains(&table)
        && receipt.destination_table.contains(&month.to_string());
    if !names_both {
        let expected = format!("{table}, partition {month}");
        report.find(
            place,
            "another destination",
            expected,
            &receipt.destination_table,
        );
    }
}
