//! The check of freshness: a pure function of the dates that the source said.

use std::collections::BTreeSet;

use super::check_population::POPULATION_FRESHNESS;
use super::record::ItemRecord;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::population::Population;

/// Every company of the base table and every expected one: a company without rows is not fresh.
pub(super) fn check(record: &ItemRecord, population: &Population) -> CheckResult {
    let kind = CheckKind::Population;
    let Some(rule) = &population.freshness else {
        let why = "the catalog names no date of the base table: 0 companies looked at";
        return CheckResult::not_applicable(POPULATION_FRESHNESS, kind, why, 0);
    };
    let newest = population.base.values().filter_map(|b| b.dates.newest);
    let newest = match (newest.clone().min(), newest.max()) {
        (Some(from), Some(to)) => format!("the newest {} is {from} to {to}", rule.column),
        _ => format!("no row has a {}", rule.column),
    };
    let counted = u64::try_from(population.base.len()).unwrap_or(u64::MAX);
    if rule.every_from.is_none() && rule.newest_from.is_none() {
        let why = format!("no bound is declared; {counted} companies, {newest}");
        return CheckResult::not_applicable(POPULATION_FRESHNESS, kind, why, counted);
    }
    let companies: BTreeSet<&String> = population.base.keys().chain(&population.expected).collect();
    let mut findings = Vec::new();
    for company in companies {
        let Some(base) = population.base.get(company) else {
            findings.push(format!("company `{company}` has no row to be fresh"));
            continue;
        };
        let stale = rule.stale(&base.dates, record.context.period).into_iter();
        findings.extend(stale.map(|what| format!("company `{company}`: {what}")));
    }
    let summary = format!("the source is as fresh as the catalog asks; {newest}");
    CheckResult::of_findings(POPULATION_FRESHNESS, kind, summary, counted, findings)
}
