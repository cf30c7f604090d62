//! What is known of a company's sources on a line: which sides were found out, and what keeps a conclusion away.

use super::contract::{Line, Sign};
use super::evaluate::{InputState, Inputs};
use crate::domain::ids::IpeId;

/// What is known before the amounts are looked at.
pub(super) struct Known {
    /// Why nothing may be concluded; empty where everything was found out.
    pub(super) reasons: Vec<String>,
    /// Whether the balances were found out at all.
    pub(super) actual: bool,
    /// Whether the targets were.
    pub(super) target: bool,
    /// Whether the sign of every target is known.
    pub(super) is_comparable: bool,
}

/// Looks at every source of a company's buckets on a line.
pub(super) fn known(inputs: Inputs<'_>, line: &Line, company: &str) -> Known {
    let contract = inputs.contract;
    let mut reasons = Vec::new();
    let actual = source(inputs, &contract.actual.item, Some(company), &mut reasons);
    let mut target = true;
    for item in line.targets.iter().map(|target| &target.item) {
        target &= source(inputs, item, Some(company), &mut reasons);
    }
    // A rate that is missing is a finding; rates that nobody may trust keep everything open.
    source(inputs, &contract.rates.item, None, &mut reasons);
    for bridge in &line.bridges {
        bridged(inputs, bridge, company, &mut reasons);
    }
    let unknown = line
        .targets
        .iter()
        .filter(|target| target.sign == Sign::Unknown);
    let unknown: Vec<String> = unknown
        .map(|target| format!("nobody has confirmed the sign of {}", target.item))
        .collect();
    let is_comparable = unknown.is_empty();
    reasons.extend(unknown);
    // An item that is a target and feeds a bridge says the same twice.
    let mut said = Vec::new();
    reasons.retain(|reason| {
        let is_new = !said.contains(reason);
        said.push(reason.clone());
        is_new
    });
    Known {
        reasons,
        actual,
        target,
        is_comparable,
    }
}

/// A bridge is known when it was computed, from inputs that are. One that was not computed is no bridge of zero: without
/// it a line that it over-explains would look fine.
fn bridged(inputs: Inputs<'_>, id: &str, company: &str, reasons: &mut Vec<String>) {
    let Some(bridge) = inputs.contract.bridge(id) else {
        return;
    };
    for item in &bridge.inputs {
        source(inputs, item, Some(company), reasons);
    }
    for item in &bridge.files {
        source(inputs, item, None, reasons);
    }
    let Some(sums) = inputs.bridges.get(id) else {
        reasons.push(format!("bridge {id} was not computed"));
        return;
    };
    let doubts = sums.doubts.get(company).into_iter().flatten();
    reasons.extend(doubts.map(|why| format!("bridge {id}: {why}")));
}

/// Adds why nothing may be concluded from an item, for one company or, where it names none, for all; tells whether its
/// amounts were found out.
fn source(
    inputs: Inputs<'_>,
    item: &IpeId,
    company: Option<&str>,
    reasons: &mut Vec<String>,
) -> bool {
    let Some(state) = inputs.items.get(item) else {
        reasons.push(format!("{item} was not run"));
        return false;
    };
    reasons.extend(state.unsound.iter().map(|why| format!("{item}: {why}")));
    let is_sound = state.unsound.is_empty();
    if let Some(company) = company.filter(|_| is_sound) {
        of_company(item, state, company, reasons);
    }
    is_sound
}

fn of_company(item: &IpeId, state: &InputState, company: &str, reasons: &mut Vec<String>) {
    if !state.delivered.contains(company) {
        reasons.push(format!("{item} has nothing of {company}"));
    }
    let unsound = state.unsound_of.get(company).into_iter().flatten();
    reasons.extend(unsound.map(|why| format!("{item} of {company}: {why}")));
    if let Some(rows) = state.rows_without_amount.get(company) {
        let what = format!("{item} has {rows} rows of {company} that are in no sum");
        reasons.push(what);
    }
}
