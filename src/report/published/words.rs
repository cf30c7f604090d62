//! Texts of cells: words for values, and JSON whose names stand in one order however the program was built.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::reconcile::contract::{Line, Source};
use crate::domain::reconcile::result::{Bucket, Reconciliation, Sides};
use crate::domain::reconcile::statement::Decision;
use crate::domain::reconcile::threshold::Threshold;

/// One text for each target of a line.
pub(super) fn each(rule: Option<&Line>, of: impl Fn(&Source) -> String) -> Vec<String> {
    let sources = rule.into_iter().flat_map(|rule| &rule.targets);
    sources.map(of).collect()
}

/// The columns of an amount as a sum, those that are subtracted with a minus.
pub(super) fn summed(source: &Source) -> String {
    let terms = source.amount.iter().cloned().map(String::from);
    terms.collect::<Vec<_>>().join(" + ")
}

/// Which sides have something.
pub(super) fn sides_word(sides: Sides) -> &'static str {
    match sides {
        Sides::Both => "both",
        Sides::ActualOnly => "ledger",
        Sides::TargetOnly => "source",
        Sides::Neither => "neither",
    }
}

/// A decision as the log of the month has it.
pub(super) fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::Adjust => "adjust",
        Decision::CarryForward => "carry_forward",
    }
}

/// Names and values by which a bucket is grouped.
pub(super) fn grouped_by(bucket: &Bucket) -> String {
    let company = Some(("company", bucket.company.as_str()));
    let gl = bucket.gl.as_deref().map(|gl| ("gl", gl));
    let columns: BTreeMap<&str, &str> = company.into_iter().chain(gl).collect();
    as_json(&columns)
}

#[derive(Serialize)]
struct Label<'a> {
    key: &'a str,
    value: &'a str,
}

/// What the validation belongs to.
pub(super) fn labels(result: &Reconciliation) -> String {
    let period = result.period.to_string();
    let labels = [
        ("control", result.control.as_str()),
        ("period", period.as_str()),
    ];
    as_json(&labels.map(|(key, value)| Label { key, value }))
}

#[derive(Serialize)]
struct Configuration<'a> {
    contract_version: u32,
    contract_sha256: &'a str,
    threshold_source: &'a str,
    threshold_version: u32,
    threshold_sha256: &'a str,
}

/// What a bucket was judged by.
pub(super) fn configuration(result: &Reconciliation, threshold: &Threshold) -> String {
    as_json(&Configuration {
        contract_version: result.contract_version,
        contract_sha256: &result.contract_sha256,
        threshold_source: &threshold.source,
        threshold_version: threshold.version,
        threshold_sha256: &threshold.sha256,
    })
}

/// Texts and numbers by name can always be written.
fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
