//! The check of freshness: a pure function of the dates that the source said.

use std::collections::BTreeSet;

use super::check_population::POPULATION_FRESHNESS;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::period::Period;
use crate::domain::population::Population;

/// What is to be done where the newest row of a company is too old.
const REMEDY: &str =
    "; load its feed, or take it out of the item's `companies` by a reviewed change of the catalog";

/// Every company of the base table, and every expected one: a company without rows is not fresh where every row must be. Where
/// only the newest must be, the check of the companies says that there is none.
pub(super) fn check(population: &Population, period: Period) -> CheckResult {
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
    if rule.every_from.is_none() && population.base.is_empty() {
        let why = "the base table holds 0 rows before the cutoff: none of them is the newest";
        return CheckResult::not_applicable(POPULATION_FRESHNESS, kind, why, 0);
    }
    let companies: BTreeSet<&String> = population.base.keys().chain(&population.expected).collect();
    // Where every row must be fresh, a stale one is computed again.
    let remedy = match rule.every_from {
        Some(_) => "",
        None => REMEDY,
    };
    let mut findings = Vec::new();
    for company in companies {
        let Some(base) = population.base.get(company) else {
            if rule.every_from.is_some() {
                findings.push(format!("company `{company}` has no row to be fresh"));
            }
            continue;
        };
        let must_deliver = population.expected.contains(company);
        let stale = rule.stale(&base.dates, period, must_deliver).into_iter();
        findings.extend(stale.map(|what| format!("company `{company}`: {what}{remedy}")));
    }
    let summary = format!("the source is as fresh as the catalog asks; {newest}");
    CheckResult::of_findings(POPULATION_FRESHNESS, kind, summary, counted, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;
    use crate::domain::freshness::{Bound, FreshnessRule, SourceDates};
    use crate::domain::population::BaseCount;

    /// What is said of April where EC_KE and EC_NG must deliver.
    fn said(bounds: [Option<Bound>; 2], newest: &[(&str, &str)]) -> CheckResult {
        let [every_from, newest_from] = bounds;
        let base = newest.iter().map(|(company, day)| {
            let at = format!("{day}T00:00:00").parse().ok();
            let dates = SourceDates {
                oldest: at,
                newest: at,
                undated: 0,
            };
            let count = BaseCount {
                rows: 1,
                first: None,
                last: None,
                dates,
            };
            ((*company).to_owned(), count)
        });
        let population = Population {
            expected: ["EC_KE", "EC_NG"].map(str::to_owned).into(),
            base: base.collect(),
            freshness: Some(FreshnessRule {
                column: "D".to_owned(),
                every_from,
                newest_from,
            }),
            ..Population::default()
        };
        check(&population, "2024-04".parse().unwrap())
    }

    #[test]
    fn a_company_whose_feed_stopped_is_named_and_one_that_left_the_group_is_not() {
        let bounds = [None, Some(Bound::Start)];
        let fresh = [
            ("AT_TN", "2021-12-31"),
            ("EC_KE", "2024-04-01"),
            ("EC_NG", "2024-04-30"),
        ];
        assert_eq!(said(bounds, &fresh).verdict, Verdict::Pass);
        let mut stopped = fresh;
        stopped[1].1 = "2024-03-31";
        let stale = said(bounds, &stopped);
        let only = "company `EC_KE`: the newest D is 2024-03-31 00:00:00, before 2024-04-01; load its feed, or take it out \
                    of the item's `companies` by a reviewed change of the catalog";
        assert_eq!(
            (stale.verdict, stale.findings),
            (Verdict::Fail, vec![only.to_owned()])
        );
        // Nothing of one that has nothing, which another check says; and nothing of nobody is no pass.
        assert_eq!(said(bounds, &fresh[..2]).verdict, Verdict::Pass);
        let nobody = said(bounds, &[]);
        assert_eq!(
            (nobody.verdict, nobody.counted),
            (Verdict::NotApplicable, Some(0))
        );
    }

    #[test]
    fn where_every_row_must_be_fresh_nobody_may_be_missing_or_old() {
        let every = [Some(Bound::Start), None];
        let one = said(every, &[("AT_TN", "2021-12-31"), ("EC_KE", "2024-04-01")]);
        assert_eq!(
            one.findings,
            [
                "company `AT_TN`: the oldest D is 2021-12-31 00:00:00, before 2024-04-01",
                "company `EC_NG` has no row to be fresh",
            ]
        );
        let unbound = said([None, None], &[("EC_KE", "2021-12-31")]);
        assert_eq!(unbound.verdict, Verdict::NotApplicable);
    }
}
