//! The check that the scope values were counted for every row. What is new among them is for `findings`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::check_population::{POPULATION_SCOPE, differences};
use crate::domain::amount::Amount;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::population::Population;

/// Sums by company, in the order of the population's amounts; `None` for sums beyond 38 digits.
type Sums = Option<BTreeMap<String, Vec<Amount>>>;

/// The rows of all values of a column are the rows of the base table, and their sums those of the funnel, per company.
pub(super) fn check(population: &Population) -> CheckResult {
    let kind = CheckKind::Population;
    if population.scopes.is_empty() {
        let why = "the catalog declares no known values: 0 columns looked at";
        return CheckResult::not_applicable(POPULATION_SCOPE, kind, why, 0);
    }
    let base = population.base.iter();
    let base: BTreeMap<String, u64> = base
        .map(|(company, count)| (company.clone(), count.rows))
        .collect();
    let cells = population.cells.iter();
    let funnel = summed(cells.map(|cell| (&cell.company, &cell.sums)));
    let mut findings = Vec::new();
    let mut unknown = 0;
    for scope in &population.scopes {
        let column = &scope.rule.column;
        let values = format!("all values of {column}");
        let found = differences(&base, &scope.rows(), ("the base table", &values));
        findings.extend(found);
        let cells = scope.cells.iter();
        let sums = summed(cells.map(|cell| (&cell.company, &cell.sums)));
        let has_sums = !population.amounts.is_empty();
        if has_sums && (sums.is_none() || sums != funnel) {
            findings.push(format!("the sums of {values} are not those of the funnel"));
        }
        unknown += scope.unknown().count();
    }
    let columns = population.scopes.iter().map(|scope| &*scope.rule.column);
    let columns = columns.collect::<Vec<_>>().join(", ");
    CheckResult::of_findings(
        POPULATION_SCOPE,
        kind,
        format!(
            "values of {columns} counted for every row of the base table; not known: {unknown}"
        ),
        base.values().sum(),
        findings,
    )
}

fn summed<'a>(cells: impl Iterator<Item = (&'a String, &'a Vec<Amount>)>) -> Sums {
    let mut all: BTreeMap<String, Vec<Amount>> = BTreeMap::new();
    for (company, sums) in cells {
        match all.entry(company.clone()) {
            Entry::Vacant(first) => {
                first.insert(sums.clone());
            }
            Entry::Occupied(mut known) => {
                for (sum, more) in known.get_mut().iter_mut().zip(sums) {
                    *sum = sum.checked_add(*more).ok()?;
                }
            }
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;
    use crate::domain::freshness::SourceDates;
    use crate::domain::population::{BaseCount, FunnelCell};
    use crate::domain::scope::{Scope, ScopeCell, ScopeRule};

    fn population(rows: u64, value: &str) -> Population {
        let base = BaseCount {
            rows: 5,
            first: None,
            last: None,
            dates: SourceDates::default(),
        };
        let cell = ScopeCell {
            company: "X".into(),
            value: Some(value.into()),
            rows,
            sums: vec![],
        };
        let rule = ScopeRule {
            column: "G".into(),
            known: ["NAT".to_owned()].into(),
        };
        Population {
            base: BTreeMap::from([("X".to_owned(), base)]),
            scopes: vec![Scope {
                rule,
                cells: vec![cell],
            }],
            ..Population::default()
        }
    }

    #[test]
    fn values_whose_sums_are_not_those_of_the_funnel_fail() {
        let summed = |sums: [&str; 2]| {
            let mut population = population(5, "NAT");
            population.amounts = vec!["amount".into()];
            let mut cells = sums.map(|sum| FunnelCell {
                company: "X".into(),
                kept: vec![],
                rows: 1,
                delivered: 1,
                sums: vec![sum.parse().unwrap()],
            });
            cells[1].rows = 4;
            population.cells = cells.into();
            population.scopes[0].cells[0].sums = vec!["7.00".parse().unwrap()];
            check(&population)
        };
        assert_eq!(summed(["9.00", "-2.00"]).verdict, Verdict::Pass);
        let wrong = summed(["9.00", "-2.01"]);
        assert_eq!(
            wrong.findings,
            ["the sums of all values of G are not those of the funnel"]
        );
    }

    #[test]
    fn values_that_leave_rows_out_fail_and_a_new_value_does_not() {
        assert_eq!(check(&population(5, "NAT")).verdict, Verdict::Pass);
        let new = check(&population(5, "NEW"));
        assert_eq!(
            new.verdict,
            Verdict::Pass,
            "a new value is a finding and holds nothing"
        );
        assert!(new.summary.ends_with("not known: 1"), "{}", new.summary);
        let short = check(&population(4, "NAT"));
        assert_eq!(
            short.findings,
            ["company `X`: 5 rows in the base table, 4 in all values of G"]
        );
        let nothing = check(&Population::default());
        assert_eq!(
            (nothing.verdict, nothing.counted),
            (Verdict::NotApplicable, Some(0))
        );
    }
}
