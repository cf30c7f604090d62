//! The page that people read: what was extracted, whether it agrees, and what to do if not.
//!
//! A pure function of the record; says nothing that the record does not say, and never "effective" or "certified".

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::CONTROL;
use super::views::one_line;
use super::{outcome, uploaded, witnesses};
use crate::domain::check::{CheckResult, Verdict};
use crate::domain::run::RunState;
use crate::domain::totals::ControlTotals;
use crate::pipeline::record::ItemRecord;
use crate::ports::Consistency;

/// Hex digits of a fingerprint that people compare by eye.
const SHORT_DIGITS: usize = 12;

/// The summary in Markdown.
#[must_use]
pub fn summary(record: &ItemRecord) -> String {
    let mut page = format!("# {CONTROL} · {}: {}\n\n", record.ipe, cell(&record.title));
    heading(&mut page, record);
    outcome::outcome(&mut page, record);
    uploaded::section(&mut page, record);
    findings(&mut page, record);
    totals(&mut page, record);
    digest(&mut page, record);
    losses(&mut page, record);
    checks(&mut page, "Checks before the load", &record.checks);
    witnesses::table(&mut page, record);
    checks(&mut page, "Checks after the load", &record.verification);
    trail(&mut page, record);
    page
}

pub(super) fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _infallible = page.write_fmt(text);
    page.push('\n');
}

/// Text that cannot break a table or start a block.
pub(super) fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|").replace('<', "&lt;")
}

pub(super) fn heading(page: &mut String, record: &ItemRecord) {
    let period = record.context.period;
    let state = match record.state {
        RunState::Preliminary => "PRELIMINARY",
        RunState::Final => "FINAL",
    };
    line(page, format_args!("| | |\n|---|---|"));
    line(page, format_args!("| state | **{state}** |"));
    line(
        page,
        format_args!(
            "| period | {}: everything dated before {} (cutoff {}) |",
            period.start().format("%B %Y"),
            period.cutoff().format("%-d %B %Y"),
            period.cutoff()
        ),
    );
    let context = &record.context;
    line(page, format_args!("| run | {} |", context.run_id));
    let (from, to) = (record.started_at, record.ended_at);
    let shown = "%Y-%m-%d %H:%M:%S UTC";
    line(
        page,
        format_args!("| time | {} to {} |", from.format(shown), to.format(shown)),
    );
    line(page, format_args!("| source | {} |", source(record)));
    if let Some(caller) = &record.places.caller {
        line(page, format_args!("| Google | {} |", cell(caller)));
    }
    let consistency = match record.consistency {
        Some(Consistency::Snapshot) => "rows and totals read in one SNAPSHOT transaction",
        Some(Consistency::Bracketed) => "bracketed: totals taken before and after the rows",
        Some(Consistency::Copied) => "rows and totals read from one copy of the file",
        None => "not known",
    };
    line(page, format_args!("| consistency | {consistency} |"));
    let program = &context.program;
    let dirty = if program.dirty {
        ", with uncommitted changes"
    } else {
        ""
    };
    line(
        page,
        format_args!(
            "| program | soxauto {}, commit {}{dirty} |",
            program.version,
            cell(&program.commit)
        ),
    );
    line(
        page,
        format_args!("| contract | version {} |\n", record.contract.version),
    );
    if !context.stamps.is_empty() {
        line(page, format_args!("> **NOT CONTROL EVIDENCE**"));
        for stamp in &context.stamps {
            line(page, format_args!("> - {}", stamp.reason()));
        }
        page.push('\n');
    }
}

/// Where the rows come from; of a file its hash, for its name may say more than it should.
fn source(record: &ItemRecord) -> String {
    match (&record.file, &record.access) {
        (Some(file), _) => match &file.copy {
            Some(copy) => format!(
                "an uploaded file, {} bytes, SHA-256 `{}`",
                copy.bytes, copy.sha256
            ),
            None => "an uploaded file, not reached".to_owned(),
        },
        (None, Some(access)) => format!("{}, login {}", cell(&access.server), cell(&access.login)),
        (None, None) => "not reached, login none".to_owned(),
    }
}

/// What is to be reported although it held nothing.
fn findings(page: &mut String, record: &ItemRecord) {
    if record.findings.is_empty() {
        return;
    }
    line(page, format_args!("## Findings that hold no load\n"));
    for finding in &record.findings {
        let (id, what) = (cell(&finding.id), cell(&finding.what));
        line(page, format_args!("- **{id}** {what}"));
    }
    page.push('\n');
}

/// How another count relates to the decoded one, for one company.
fn agreement(
    decoded: &ControlTotals,
    other: Option<&ControlTotals>,
    company: &str,
) -> &'static str {
    match other {
        None => "not taken",
        Some(other) if decoded.amounts != other.amounts => "**differs**",
        Some(other) if decoded.groups.get(company) == other.groups.get(company) => "equal",
        Some(_) => "**differs**",
    }
}

fn totals(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## Rows and totals per company\n"));
    let Some(staged) = &record.staged else {
        line(page, format_args!("Nothing was staged.\n"));
        return;
    };
    let decoded = &staged.totals;
    let others = [
        record.source_totals.as_ref(),
        record.recomputed.as_ref().map(|second| &second.totals),
        record.read_back.as_ref().map(|counted| &counted.totals),
    ];
    let names: String = decoded
        .amounts
        .iter()
        .map(|name| format!(" {} |", cell(name)))
        .collect();
    let rules = "---:|".repeat(decoded.amounts.len());
    line(
        page,
        format_args!("| company | rows |{names} source | staged | warehouse |"),
    );
    line(page, format_args!("|---|---:|{rules}---|---|---|"));
    let taken = others.iter().flatten().copied().chain([decoded]);
    let companies: BTreeSet<&String> = taken.flat_map(|totals| totals.groups.keys()).collect();
    for company in companies {
        let (rows, sums) = match decoded.groups.get(company) {
            Some(group) => (
                group.rows.to_string(),
                group.sums.iter().map(|sum| format!(" {sum} |")).collect(),
            ),
            None => ("0".to_owned(), " – |".repeat(decoded.amounts.len())),
        };
        let shown = if company.is_empty() {
            "(no company)".to_owned()
        } else {
            cell(company)
        };
        let [source, second, warehouse] = others.map(|other| agreement(decoded, other, company));
        line(
            page,
            format_args!("| {shown} | {rows} |{sums} {source} | {second} | {warehouse} |"),
        );
    }
    line(page, format_args!("| **all** | **{}** |\n", decoded.rows()));
    let by = match record.file {
        None => "separate SQL on the source",
        Some(_) => "a second reader of the file",
    };
    line(
        page,
        format_args!(
            "Rows and sums are those decoded from the source's answer, exact. source: counted by {by} · staged: \
             recomputed from the stored files · warehouse: counted after the load.\n"
        ),
    );
}

fn digest(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## Content digest\n"));
    let taken = [
        (
            "decoded",
            record.staged.as_ref().map(|staged| staged.digest),
        ),
        (
            "staged",
            record.recomputed.as_ref().map(|second| second.digest),
        ),
        (
            "warehouse",
            record.read_back.as_ref().map(|counted| counted.digest),
        ),
    ];
    for (name, digest) in taken {
        let shown = digest.map_or("not taken".to_owned(), |digest| {
            let fingerprint = digest.fingerprint();
            format!(
                "`{}…`",
                fingerprint.get(..SHORT_DIGITS).unwrap_or(&fingerprint)
            )
        });
        line(page, format_args!("- {name}: {shown}"));
    }
    page.push('\n');
}

/// A line for each column that lost something.
fn losses(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## Changed on the way\n"));
    let Some(lines) = &record.losses else {
        line(page, format_args!("Not known: not all rows were staged.\n"));
        return;
    };
    let changed = lines.iter().filter(|line| !line.changes.is_empty());
    for losses in changed.clone() {
        let (name, values, changes) = (cell(&losses.column), losses.values, losses.changes);
        let mut said = Vec::new();
        if changes.cut > 0 {
            said.push(format!(
                "the 100 ns digit was cut in {} of {values} values, {} × 100 ns in all, at most {} in one",
                changes.cut, changes.ticks, changes.ticks_max
            ));
        }
        if changes.offsets > 0 {
            said.push(format!(
                "{} of {values} values are kept as UTC without their offset",
                changes.offsets
            ));
        }
        line(page, format_args!("- {name}: {}", said.join("; ")));
    }
    if changed.count() == 0 {
        line(
            page,
            format_args!("Nothing: every value is what the source sent."),
        );
    }
    page.push('\n');
}

/// A verdict as the pages say it.
pub(super) fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "**FAIL**",
        Verdict::NotRun => "**NOT RUN**",
        Verdict::NotApplicable => "not applicable",
    }
}

fn checks(page: &mut String, title: &str, checks: &[CheckResult]) {
    line(page, format_args!("## {title}\n"));
    if checks.is_empty() {
        line(page, format_args!("None were made.\n"));
        return;
    }
    line(
        page,
        format_args!("| check | verdict | what |\n|---|---|---|"),
    );
    for check in checks {
        let verdict = verdict_text(check.verdict);
        line(
            page,
            format_args!(
                "| {} | {verdict} | {} |",
                cell(&check.id),
                cell(&check.summary)
            ),
        );
    }
    page.push('\n');
    for check in checks.iter().filter(|check| !check.findings.is_empty()) {
        line(page, format_args!("Findings of {}:\n", cell(&check.id)));
        for finding in &check.findings {
            line(page, format_args!("- {}", cell(finding)));
        }
        page.push('\n');
    }
}

fn trail(page: &mut String, record: &ItemRecord) {
    line(page, format_args!("## How to check this package\n"));
    line(
        page,
        format_args!("- this package: `sha256sum -c manifest-sha256.txt` in its folder"),
    );
    line(
        page,
        format_args!(
            "- the rows: `sha256sum -c <this folder>/data/parts.sha256` in the staging root, {}",
            cell(&record.places.staging)
        ),
    );
    line(
        page,
        format_args!(
            "- everything, with totals and digest recomputed: `soxauto verify <this folder>`"
        ),
    );
}
