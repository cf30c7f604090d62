//! The page that may leave: what came of an item, without anything that stands in a row.
//!
//! A pure function of the record, written from a list of what may be said: names of the catalog, counts, verdicts, hashes,
//! and sums over more than one row. No text of a finding, a check or an error is taken over, and no key. The same record
//! gives the same bytes in every build: a page that was delivered is known again by them.

use super::CONTROL;
use super::summary::{cell, heading, line, verdict_text};
use crate::domain::check::CheckResult;
use crate::domain::run::ItemStatus;
use crate::pipeline::check;
use crate::pipeline::record::ItemRecord;

/// Rows whose sum says nothing of one of them.
const ROWS_SUMMED_MIN: u64 = 2;

/// The page, for a package whose manifest has this SHA-256.
#[must_use]
pub fn outline(record: &ItemRecord, manifest_sha256: &str) -> String {
    let mut page = format!("# {CONTROL} · {}: {}\n\n", record.ipe, cell(&record.title));
    heading(&mut page, record);
    outcome(&mut page, record);
    totals(&mut page, record);
    counts(&mut page, record);
    checks(&mut page, "Checks before the load", &record.checks);
    checks(&mut page, "Checks after the load", &record.verification);
    line(&mut page, format_args!("## Where the rest is\n"));
    line(
        &mut page,
        format_args!(
            "This page holds nothing of any row. Findings, errors, keys and witnesses stand in the sealed package, whose \
             manifest has the SHA-256 `{manifest_sha256}`; `soxauto verify` proves it."
        ),
    );
    page
}

fn outcome(page: &mut String, record: &ItemRecord) {
    let word = match record.status {
        ItemStatus::Success if check::exceptions(record).is_empty() => "SUCCESS",
        ItemStatus::Success => "SUCCESS WITH EXCEPTIONS",
        ItemStatus::Failed => "FAILED: a check did not pass",
        ItemStatus::Error => "ERROR: it could not be found out",
        ItemStatus::Abandoned => "ABANDONED: the run never ended",
    };
    let loaded = match (&record.receipt, &record.submitted) {
        (Some(receipt), _) => format!(
            "{} rows were loaded into {}",
            receipt.output_rows,
            cell(&receipt.destination_table)
        ),
        (None, Some(load)) => format!(
            "{} may have been replaced by job {}, whose end nobody saw: look it up with `{}`",
            cell(&load.destination_table),
            cell(&load.job_id),
            cell(&load.look)
        ),
        (None, None) => "nothing was loaded".to_owned(),
    };
    line(page, format_args!("## Result\n\n**{word}**; {loaded}.\n"));
}

/// Rows and sums per company, as they were decoded. A column of people's data is not summed here.
fn totals(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## Rows and totals per company\n"));
    let Some(staged) = &record.staged else {
        line(page, format_args!("Nothing was staged.\n"));
        return;
    };
    let totals = &staged.totals;
    let column = |name: &String| record.contract.column(name);
    let may_show = |name: &String| column(name).is_some_and(|column| !column.personal);
    let shown: Vec<bool> = totals.amounts.iter().map(may_show).collect();
    let row = |cells: &mut dyn Iterator<Item = String>| -> String {
        let shown = cells.zip(&shown).filter(|(_, shown)| **shown);
        shown.map(|(cell, _)| format!(" {cell} |")).collect()
    };
    let names = row(&mut totals.amounts.iter().map(|name| cell(name)));
    let rules = row(&mut totals.amounts.iter().map(|_| "---:".to_owned()));
    line(page, format_args!("| company | rows |{names}"));
    line(page, format_args!("|---|---:|{rules}"));
    for (company, group) in &totals.groups {
        let sums = row(&mut group.sums.iter().map(|sum| {
            let sum = (group.rows >= ROWS_SUMMED_MIN).then(|| sum.to_string());
            sum.unwrap_or_else(|| "left out".to_owned())
        }));
        let company = if company.is_empty() {
            "(no company)".to_owned()
        } else {
            cell(company)
        };
        line(page, format_args!("| {company} | {} |{sums}", group.rows));
    }
    line(page, format_args!("| **all** | **{}** |\n", totals.rows()));
    line(
        page,
        format_args!("Sums are exact; of a single row none is shown.\n"),
    );
}

fn counts(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## Counts\n"));
    let digest = record.staged.as_ref().map(|staged| staged.digest);
    let digest = digest.map_or("not taken".to_owned(), |digest| digest.fingerprint());
    line(page, format_args!("- content digest: `{digest}`"));
    let parts = record
        .staged
        .as_ref()
        .map_or(0, |staged| staged.parts.len());
    line(page, format_args!("- parts in staging: {parts}"));
    if let Some(audit) = &record.witnesses {
        let differing = audit.witnesses.iter();
        let differing = differing.filter(|witness| witness.source != witness.staged);
        line(
            page,
            format_args!(
                "- rows read again at the source and compared: {}, of which differ: {}",
                audit.witnesses.len(),
                differing.count()
            ),
        );
    }
    line(
        page,
        format_args!("- findings that hold no load: {}\n", record.findings.len()),
    );
}

fn checks(page: &mut String, title: &str, checks: &[CheckResult]) {
    line(page, format_args!("## {title}\n"));
    if checks.is_empty() {
        line(page, format_args!("None were made.\n"));
        return;
    }
    line(
        page,
        format_args!("| check | verdict | counted | findings |\n|---|---|---:|---:|"),
    );
    for check in checks {
        let verdict = verdict_text(check.verdict);
        let counted = check.counted.map_or("–".to_owned(), |n| n.to_string());
        line(
            page,
            format_args!(
                "| {} | {verdict} | {counted} | {} |",
                cell(&check.id),
                check.findings.len()
            ),
        );
    }
    page.push('\n');
}
