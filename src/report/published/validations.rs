//! What every bucket of a judged month came to, in the words of Google's Data Validation Tool.
//!
//! Its source is our target, what the source systems come to; its target is our actual, the ledger that is validated. So
//! its `difference`, target minus source, is the variance to the last digit and sign.
//!
//! # Source
//! `terraform/results_schema.json` of GoogleCloudPlatform/professional-services-data-validator, read in 2026. ADR 44 says
//! where this departs from it.

use chrono::{DateTime, Utc};

use super::Kind::{Dollars, Exact, Flag, Moment, PerCent, Text, Whole};
use super::runs::{json, reasons};
use super::words::{configuration, decision_word, each, grouped_by, labels, sides_word, summed};
use super::{Field, MonthTable, exact, joined, maybe, moment, table, text, whole};
use crate::domain::amount::Amount;
use crate::domain::reconcile::contract::{Line, ReconciliationContract};
use crate::domain::reconcile::result::{Bucket, LineResult, Status};
use crate::domain::reconcile::statement::{Disposition, MonthState, Statement};
use crate::domain::reconcile::wide::per_cent;
use crate::ports::Cell;

/// Name of the table.
pub const VALIDATIONS: &str = "soxauto_validations";

/// A judged month and the contract that it was judged by.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The month.
    pub statement: &'a Statement,
    /// When it was judged.
    pub at: DateTime<Utc>,
    /// What was compared with what.
    pub contract: &'a ReconciliationContract,
}

/// What a row is made of.
struct Row<'a> {
    judged: Judged<'a>,
    line: &'a LineResult,
    bucket: &'a Bucket,
    /// The line as the contract has it.
    rule: Option<&'a Line>,
}

type Of<'a> = Field<Row<'a>>;

/// A row for every bucket of a judged month, memos among them.
#[must_use]
pub fn validations(judged: Judged<'_>) -> MonthTable {
    let fields: Vec<Of<'_>> = [names(), sides(), place(), amounts(), word()]
        .into_iter()
        .flatten()
        .collect();
    let lines = judged.statement.result.lines.iter();
    let rows = lines.flat_map(|line| {
        let rule = judged.contract.lines.iter().find(|rule| rule.id == line.id);
        line.buckets.iter().map(move |bucket| Row {
            judged,
            line,
            bucket,
            rule,
        })
    });
    let rows: Vec<Row<'_>> = rows.collect();
    let key = ["line", "company", "gl"];
    table(VALIDATIONS, &fields, &rows, (&key, "company"))
}

/// Columns of the tool that name the validation.
fn names<'a>() -> Vec<Of<'a>> {
    vec![
        Of::must("run_id", Text, "Run that judged the month", |row| {
            text(&row.judged.statement.run_id)
        }),
        Of::must("validation_name", Text, "Control and line", |row| {
            let control = &row.judged.statement.result.control;
            text(format!("{control} {}", row.line.id))
        }),
        Of::must("validation_type", Text, "Always GroupedColumn", |_| {
            text("GroupedColumn")
        }),
        Of::may("start_time", Moment, "Start of the run", |row| {
            moment(row.judged.statement.run_id.started_at())
        }),
        Of::must("end_time", Moment, "When the month was judged", |row| {
            moment(Some(row.judged.at))
        }),
        Of::must("aggregation_type", Text, "Always sum", |_| text("sum")),
        Of::must(
            "group_by_columns",
            Text,
            "Company and, where the line is compared by account, account, as JSON",
            |row| text(grouped_by(row.bucket)),
        ),
        Of::must(
            "labels",
            Text,
            "Labels as JSON: key and value of each",
            |row| text(labels(&row.judged.statement.result)),
        ),
        Of::must(
            "configuration_json",
            Text,
            "Contract and threshold that it was judged by, as JSON",
            |row| {
                text(configuration(
                    &row.judged.statement.result,
                    &row.bucket.threshold,
                ))
            },
        ),
    ]
}

/// Columns of the tool that compare.
fn sides<'a>() -> Vec<Of<'a>> {
    vec![
        Of::may(
            "source_table_name",
            Text,
            "Tables of the items that the source systems deliver",
            |row| joined(&each(row.rule, |source| source.item.table_name())),
        ),
        Of::must("target_table_name", Text, "Table of the ledger", |row| {
            text(row.judged.contract.actual.item.table_name())
        }),
        Of::may(
            "source_column_name",
            Text,
            "Columns that are summed of each of those tables",
            |row| joined(&each(row.rule, summed)),
        ),
        Of::must("target_column_name", Text, "Column of the ledger", |row| {
            text(summed(&row.judged.contract.actual))
        }),
        Of::sum(
            "source_agg_value",
            Exact,
            "What the source systems come to, in ledger sign and local currency; null where they have no row, or it is not known",
            |row| exact(row.bucket.target),
        ),
        Of::sum(
            "target_agg_value",
            Exact,
            "Balance of the ledger in local currency; null where it has none, or it is not known",
            |row| exact(row.bucket.actual),
        ),
        Of::sum(
            "difference",
            Exact,
            "The variance: target minus source, where one side has nothing the other alone; null where it is not known",
            |row| exact(row.bucket.variance),
        ),
        Of::may(
            "pct_difference",
            PerCent,
            "Difference in per cent of the source, rounded half away from zero; null where the source is zero or has nothing",
            |row| {
                let of = row.bucket.variance.zip(row.bucket.target);
                exact(of.and_then(|(variance, target)| per_cent(variance, target)))
            },
        ),
        Of::may(
            "validation_status",
            Text,
            "success for OK, fail for every other status, also NOT_CONCLUDED; null for a memo, which has no verdict",
            |row| maybe(validation_status(row)),
        ),
    ]
}

/// Where it is.
fn place<'a>() -> Vec<Of<'a>> {
    vec![
        Of::must("line", Text, "Line of the reconciliation", |row| {
            text(&row.line.id)
        }),
        Of::must("line_title", Text, "What the line is", |row| {
            text(&row.line.title)
        }),
        Of::must("company", Text, "Company code", |row| {
            text(&row.bucket.company)
        }),
        Of::may(
            "gl",
            Text,
            "Account of the group's chart; null where the line is compared as a whole",
            |row| maybe(row.bucket.gl.as_ref()),
        ),
        Of::must(
            "currency",
            Text,
            "Currency of the company; empty where the contract does not say",
            |row| text(&row.bucket.currency),
        ),
        Of::must("is_memo", Flag, "Whether it is only shown", |row| {
            Cell::Bool(row.line.memo)
        }),
        Of::may("owner", Text, "Who answers for the line", |row| {
            maybe(row.line.owner.as_ref())
        }),
        Of::must("sides", Text, "both, ledger, source or neither", |row| {
            text(sides_word(row.bucket.sides))
        }),
        Of::may(
            "source_rows",
            Whole,
            "Rows behind the source's value",
            |row| {
                let bucket = row.bucket;
                // Of a source that could not be found out nobody knows the rows.
                let is_known = bucket.target.is_some() || bucket.reasons.is_empty();
                whole(is_known.then_some(bucket.target_rows))
            },
        ),
    ]
}

/// What explains the difference, and what is left of it.
fn amounts<'a>() -> Vec<Of<'a>> {
    vec![
        Of::sum(
            "explained",
            Exact,
            "What the bridges explain of the difference; null where that is not known",
            |row| exact(explained(row.bucket)),
        ),
        Of::sum(
            "unexplained",
            Exact,
            "Difference without the bridges; null where it is not known",
            |row| exact(row.bucket.unexplained),
        ),
        Of::must(
            "bridges",
            Text,
            "Amount of each bridge that has one, as JSON",
            |row| text(json(&row.bucket.bridges)),
        ),
        Of::may(
            "fx_rate",
            Exact,
            "Local currency per dollar; null where there is not one rate",
            |row| exact(row.bucket.rate),
        ),
        Of::may("no_rate", Text, "Why there is no rate", |row| {
            maybe(row.bucket.no_rate.as_ref())
        }),
        Of::may(
            "difference_usd",
            Dollars,
            "Difference in dollars, for display",
            |row| exact(row.bucket.variance_usd),
        ),
        Of::may(
            "unexplained_usd",
            Dollars,
            "What is left in dollars, for display",
            |row| exact(row.bucket.unexplained_usd),
        ),
        Of::must(
            "threshold_usd",
            Exact,
            "Dollars that what is left must not reach",
            |row| exact(Some(row.bucket.threshold.usd)),
        ),
        Of::must("threshold_rule", Text, "Rule of that threshold", |row| {
            text(&row.bucket.threshold.rule)
        }),
    ]
}

/// The word on it, and what people said.
fn word<'a>() -> Vec<Of<'a>> {
    vec![
        Of::must(
            "status",
            Text,
            "OK, INVESTIGATE, OVER_EXPLAINED or NOT_CONCLUDED; of a memo what it would be",
            |row| text(row.bucket.status.word()),
        ),
        Of::may("reasons", Text, "Why it is not concluded", |row| {
            joined(&row.bucket.reasons)
        }),
        Of::may(
            "age_months",
            Whole,
            "Months since the day of the only candidate, a row that alone has the amount left and proves nothing; null without one, or with several",
            |row| whole(row.bucket.age_months.map(u64::from)),
        ),
        Of::may(
            "decision",
            Text,
            "accept, adjust or carry_forward: the last word on this amount",
            |row| maybe(said(row).map(|said| decision_word(said.decision))),
        ),
        Of::may("decision_by", Text, "Who said that", |row| {
            maybe(said(row).map(|said| &said.by))
        }),
        Of::must(
            "state",
            Text,
            "PRELIMINARY, or FINAL where the month is closed with this run",
            |row| match row.judged.statement.state {
                MonthState::Preliminary => text("PRELIMINARY"),
                MonthState::Final { .. } => text("FINAL"),
            },
        ),
        Of::may(
            "final_number",
            Whole,
            "Number of the closing, from 1",
            |row| match row.judged.statement.state {
                MonthState::Preliminary => Cell::Null,
                MonthState::Final { number, .. } => whole(Some(u64::from(number))),
            },
        ),
        Of::must(
            "is_control_evidence",
            Flag,
            "Whether nothing speaks against the judgement as control evidence",
            |row| Cell::Bool(row.judged.statement.stamps.is_empty()),
        ),
        Of::may(
            "not_control_evidence",
            Text,
            "What speaks against it",
            |row| reasons(&row.judged.statement.stamps),
        ),
    ]
}

fn validation_status(row: &Row<'_>) -> Option<&'static str> {
    match (row.line.memo, row.bucket.status) {
        (true, _) => None,
        (false, Status::Ok) => Some("success"),
        (false, Status::Investigate | Status::OverExplained | Status::NotConcluded) => Some("fail"),
    }
}

fn said<'a>(row: &Row<'a>) -> Option<&'a Disposition> {
    row.judged.statement.disposition(&row.line.id, row.bucket)
}

/// Variance minus what is left of it: the bridges together.
fn explained(bucket: &Bucket) -> Option<Amount> {
    let (variance, left) = (bucket.variance?, bucket.unexplained?);
    let minus = Amount::new(-left.units(), left.scale()).ok()?;
    variance.checked_add(minus).ok()
}
