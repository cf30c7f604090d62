use super::*;
use crate::domain::totals::GroupTotals;

fn rule(column: &str) -> ColumnRule {
    ColumnRule {
        column: column.to_owned(),
        ..ColumnRule::default()
    }
}

fn found(rule: ColumnRule, rows: u64, [nulls, below, above]: [u64; 3]) -> Vec<String> {
    let seen = QualitySeen {
        rows,
        columns: vec![ColumnSeen {
            column: rule.column.clone(),
            nulls,
            below,
            above,
        }],
    };
    let rules = QualityRules {
        columns: vec![rule],
        ..QualityRules::default()
    };
    rules.findings(&seen, &ControlTotals::default(), "2024-04".parse().unwrap())
}

#[test]
fn every_kind_of_rule_holds_or_says_what_does_not() {
    let amount = |text: &str| Some(text.parse().unwrap());
    let range = ColumnRule {
        min: amount("0"),
        max: amount("100"),
        ..rule("used")
    };
    assert_eq!(found(range.clone(), 9, [3, 0, 0]), Vec::<String>::new());
    assert_eq!(
        found(range, 9, [0, 2, 1]),
        [
            "column `used`: 2 of 9 rows are below 0",
            "column `used`: 1 of 9 rows are above 100"
        ]
    );
    let dates = ColumnRule {
        from: DayBound::of("2019-01-01"),
        before: DayBound::of("@next_start"),
        ..rule("day")
    };
    assert_eq!(
        found(dates.clone(), 9, [0, 1, 1]),
        [
            "column `day`: 1 of 9 rows are dated before 2019-01-01",
            "column `day`: 1 of 9 rows are dated 2024-05-01 or later"
        ]
    );
    assert_eq!(
        found(dates.clone(), 9, [9, 0, 0]),
        ["column `day`: none of 9 rows has a date"]
    );
    assert_eq!(found(dates, 0, [0, 0, 0]), Vec::<String>::new());
}

#[test]
fn how_much_is_filled_depends_on_what_a_column_is_for() {
    let of = |meaning, rows, nulls| {
        let rule = ColumnRule {
            meaning: Some(meaning),
            ..rule("x")
        };
        found(rule, rows, [nulls, 0, 0]).len()
    };
    assert_eq!((of(Meaning::Key, 100, 5), of(Meaning::Key, 100, 6)), (0, 1));
    assert_eq!(
        (of(Meaning::Amount, 20, 1), of(Meaning::Date, 19, 1)),
        (0, 1)
    );
    assert_eq!((of(Meaning::Other, 9, 8), of(Meaning::Other, 9, 9)), (0, 1));
    assert_eq!(of(Meaning::Other, 0, 0), 0);
}

#[test]
fn rows_and_sums_are_held_to_their_bounds() {
    let rules = QualityRules {
        rows_min: Some(1),
        rows_max: Some(2),
        columns: vec![ColumnRule {
            sum: Some(SumRule::NotZero),
            ..rule("amount")
        }],
    };
    let totals = |sums: [&str; 2]| ControlTotals {
        amounts: vec!["amount".to_owned()],
        groups: ["EC_NG", "EC_KE"]
            .into_iter()
            .zip(sums)
            .map(|(company, sum)| {
                let group = GroupTotals {
                    rows: 1,
                    sums: vec![sum.parse().unwrap()],
                };
                (company.to_owned(), group)
            })
            .collect(),
    };
    let seen = |rows| QualitySeen {
        rows,
        columns: vec![ColumnSeen::default()],
    };
    let month = "2024-04".parse().unwrap();
    let found = |rows, sums| rules.findings(&seen(rows), &totals(sums), month);
    assert_eq!(found(2, ["5", "1"]), Vec::<String>::new());
    assert_eq!(
        found(3, ["5", "-5"]).len(),
        2,
        "too many rows, and nothing in sum"
    );
    assert_eq!(found(0, ["5", "1"]), ["0 rows, at least 1 are expected"]);
    assert_eq!(rules.conditions(), 3);
}
