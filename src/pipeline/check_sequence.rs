//! The check of the running numbers: a pure function of what the source counts now and what last month's run counted.

use super::check_population::POPULATION_SEQUENCE;
use super::record::ItemRecord;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::population::Population;
use crate::domain::run::RunState;
use crate::domain::sequence::PreviousMonth;

/// Numbers repeat nowhere, and no row that last month's run counted has disappeared (ADR 23).
pub(super) fn check(record: &ItemRecord, population: &Population) -> CheckResult {
    let kind = CheckKind::Population;
    let base = population.base.iter();
    let gaps: Vec<(&String, i64)> = base
        .filter_map(|(company, count)| Some((company, count.gaps()?)))
        .collect();
    if gaps.is_empty() && population.previous.is_none() {
        let why = "no running number is defined: 0 companies counted";
        return CheckResult::not_applicable(POPULATION_SEQUENCE, kind, why, 0);
    }
    let repeated = gaps.iter().filter(|(_, gaps)| *gaps < 0);
    let mut findings: Vec<String> = repeated
        .map(|(company, gaps)| format!("company `{company}`: {} running numbers repeat", -gaps))
        .collect();
    let missing: i64 = gaps.iter().map(|(_, gaps)| gaps.max(&0)).sum();
    let compared = match &population.previous {
        Some(previous) => {
            findings.extend(disappeared(previous));
            since(previous)
        }
        None => record.context.period.previous().map_or_else(
            |_| "no month before".to_owned(),
            |month| {
                format!("no sealed package of {month} was loaded, so nothing is compared with it")
            },
        ),
    };
    CheckResult::of_findings(
        POPULATION_SEQUENCE,
        kind,
        format!("running numbers do not repeat; {missing} numbers are not used; {compared}"),
        u64::try_from(gaps.len()).unwrap_or(u64::MAX),
        findings,
    )
}

fn disappeared(previous: &PreviousMonth) -> impl Iterator<Item = String> {
    let companies = previous.companies.iter();
    let gone = companies.filter(|(_, numbers)| numbers.disappeared() > 0);
    gone.map(|(company, numbers)| {
        format!(
            "company `{company}`: {} rows of {} have disappeared: run {} counted {} with numbers {} to {}, the source \
             now has {}; who deleted them, or dated them into another month?",
            numbers.disappeared(),
            previous.period,
            previous.run_id,
            numbers.rows,
            numbers.first,
            numbers.last,
            numbers.still
        )
    })
}

/// What became of last month's gaps, for people.
fn since(previous: &PreviousMonth) -> String {
    let companies = previous.companies.values();
    let then: i64 = companies.clone().map(|n| n.gaps_then().max(0)).sum();
    let now: i64 = companies.map(|n| n.gaps_now().max(0)).sum();
    let state = match previous.state {
        RunState::Preliminary => "preliminary",
        RunState::Final => "final",
    };
    format!(
        "up to the highest numbers of {} ({state} run {}) it was {then} and is {now}",
        previous.period, previous.run_id
    )
}
