//! The check that the scope values were counted for every row. What is new among them is for `findings`.

use std::collections::BTreeMap;

use super::check_population::{POPULATION_SCOPE, differences};
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::population::Population;

/// The rows of all values of a column are the rows of the base table, per company.
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
    let mut findings = Vec::new();
    let mut unknown = 0;
    for scope in &population.scopes {
        let column = &scope.rule.column;
        let values = format!("all values of {column}");
        let found = differences(&base, &scope.rows(), ("the base table", &values));
        findings.extend(found);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;
    use crate::domain::freshness::SourceDates;
    use crate::domain::population::BaseCount;
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
