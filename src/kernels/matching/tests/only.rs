//! Rows that the conditions of a side leave out: held against parts inside, they give what leaving the rows out before gives.

use arrow::array::BooleanArray;
use bytes::Bytes;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::random::{listed, rows, without_places};
use super::*;
use crate::domain::patterns::Patterns;
use crate::kernels::reconcile::filter::{Literal, Nulls, Test};
use crate::kernels::reconcile::keep::rows_that_meet;

/// A part of several row groups.
fn part(rows: &[Row]) -> Bytes {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch(&[]).schema(), None).unwrap();
    for group in rows.chunks(5) {
        writer.write(&batch(group)).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

/// Matches parts of at most twelve rows, read three rows at a time.
fn of_parts(rule: &Rule, actual: &[Row], target: &[Row]) -> Result<Matched, MatchError> {
    let scratch = Waiting::default();
    let limits = MatchingLimits {
        batch_rows_max: 3,
        ..MatchingLimits::default()
    };
    let rows = u64::try_from(actual.len() + target.len()).unwrap();
    let matching = Matching::new(rule.clone(), rows, limits, &scratch)?;
    let parts = |rows: &[Row]| -> Vec<Bytes> { rows.chunks(12).map(part).collect() };
    let (mut actual, mut target) = (parts(actual).into_iter(), parts(target).into_iter());
    matching.match_parts(Sides {
        actual: Box::new(|| Ok(actual.next())),
        target: Box::new(|| Ok(target.next())),
    })
}

fn april() -> NaiveDate {
    "2024-04-01".parse().unwrap()
}

/// Conditions by number.
fn conditions(numbers: &[usize]) -> Vec<Condition> {
    let text = |text: &str| Literal::Text(text.to_owned());
    let all = [
        Condition::new("company", Test::OneOf(vec![text("x"), text("Y")])),
        Condition::new("gl", Test::NoneOf(vec![text("2")])),
        Condition::new("day", Test::AtLeast(Literal::Day(april()))),
        Condition::new("amount", Test::Above(Literal::Amount(cents(-2)))),
        Condition {
            nulls: Nulls::Keep,
            ..Condition::new("day", Test::Below(Literal::Day(april())))
        },
        Condition {
            nulls: Nulls::Drop,
            ..Condition::new("amount", Test::AtMost(Literal::Int(0)))
        },
        Condition::new(
            "key",
            Test::Meets(Patterns {
                equals: vec!["A".to_owned(), "7".to_owned()],
                ..Patterns::default()
            }),
        ),
    ];
    numbers.iter().map(|number| all[*number].clone()).collect()
}

/// What one of them says of a row, without Polars.
fn says(number: usize, row: &Row) -> Option<bool> {
    let company = row
        .company
        .as_deref()
        .map(|company| company.trim_end_matches(' '));
    let first = april().to_epoch_days();
    match number {
        0 => company.map(|company| ["x", "Y"].contains(&company)),
        1 => row.gl.as_deref().map(|gl| gl != "2"),
        2 => row.day.map(|day| day >= first),
        3 => row.cents.map(|cents| cents > -2),
        4 => Some(row.day.is_none_or(|day| day < first)),
        5 => Some(row.cents.is_some_and(|cents| cents <= 0)),
        _ => row
            .key
            .as_deref()
            .map(|key| ["A", "7"].contains(&key.trim().to_uppercase().as_str())),
    }
}

/// Whether all of them hold.
fn keeps(numbers: &[usize], row: &Row) -> bool {
    numbers
        .iter()
        .all(|number| says(*number, row) == Some(true))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_filter_inside_is_a_filter_before(
        actual in rows(),
        target in rows(),
        of_actual in subsequence(vec![0, 1, 3, 5], 0..=2),
        of_target in subsequence((0..7).collect::<Vec<usize>>(), 1..=3),
    ) {
        let mut inside = rule();
        inside.columns.actual.only = conditions(&of_actual);
        inside.columns.target.only = conditions(&of_target);
        let found = of_parts(&inside, &actual, &target).unwrap();

        let kept = |rows: &[Row], numbers: &[usize]| -> Vec<Row> {
            rows.iter().filter(|row| keeps(numbers, row)).cloned().collect()
        };
        let before = Sides {
            actual: kept(&actual, &of_actual),
            target: kept(&target, &of_target),
        };
        let expected = of_parts(&rule(), &before.actual, &before.target).unwrap();
        prop_assert_eq!(without_places(&found), without_places(&expected));
        prop_assert_eq!(listed(&found), listed(&expected));
        let left_out = |all: usize, kept: usize| u64::try_from(all - kept).unwrap();
        prop_assert_eq!(found.left_out, Sides {
            actual: left_out(actual.len(), before.actual.len()),
            target: left_out(target.len(), before.target.len()),
        });
        // What is read of the rows that take part is what they come to.
        for scope in &found.scopes {
            prop_assert_eq!(scope.prove(), Ok(()));
        }
    }
}

#[test]
fn a_row_that_is_left_out_matches_nothing_and_keeps_the_place_of_the_others() {
    let mut rule = rule();
    let is_left = |text: &str| Test::OneOf(vec![Literal::Text(text.to_owned())]);
    rule.columns.target.only = vec![Condition::new("key", is_left("b"))];
    let actual = [row("a", 1), row("b", 2)];
    let target = [row("a", 1), row(None, 4), row("b", 2), row("B", 8)];
    let matched = of_parts(&rule, &actual, &target).unwrap();
    let left_out = Sides {
        actual: 0,
        target: 3,
    };
    assert_eq!(matched.left_out, left_out, "a, the null and the capital");
    let scope = only(matched);
    assert_eq!((scope.rows.target, scope.sums.target), (1, cents(2)));
    let found = classes(&scope);
    assert_eq!(found[&Class::OneToOne], (1, [1, 1], [2, 2]));
    assert_eq!(found[&Class::ActualOnly], (1, [1, 0], [1, 0]));
    assert_eq!(found.len(), 2);

    rule.columns.target.only = vec![Condition::new("key", is_left("B"))];
    let scope = only(of_parts(&rule, &actual[..1], &target).unwrap());
    let open = &scope.open.target.items[0];
    assert_eq!(open.place, RowPlace { part: 0, row: 3 });
}

#[test]
fn conditions_that_cannot_be_held_against_a_part_are_an_error_with_their_column() {
    let day = || Literal::Day(april());
    for (column, says) in [
        (
            "absent",
            "column `absent` is missing, needed is a column of the part",
        ),
        ("key", "column `key` is str, needed is a date"),
    ] {
        let mut rule = rule();
        rule.columns.target.only = vec![Condition::new(column, Test::AtLeast(day()))];
        let error = of_parts(&rule, &[], &[row("secret", 1)]).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("part 0 of the target rows cannot be filtered: ")
                && error.ends_with(says),
            "{error}"
        );
    }
}

#[test]
fn flags_stand_in_the_order_of_the_part_and_a_null_says_nothing() {
    let keys = ["a", "b", "a", "a", "b", "a", "b"];
    let mut rows: Vec<Row> = keys.into_iter().map(|key| row(key, 1)).collect();
    rows[3].key = None;
    let is_a = Test::OneOf(vec![Literal::Text("a".to_owned())]);
    let flags = rows_that_meet(&[Condition::new("key", is_a.clone())], part(&rows)).unwrap();
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(
        flags,
        BooleanArray::from(vec![yes, no, yes, None, no, yes, no])
    );
    let none = rows_that_meet(&[Condition::new("key", is_a)], part(&[])).unwrap();
    assert!(none.is_empty());
    // Nothing can be one of nothing: as many flags as rows all the same.
    let nothing = Condition::new("key", Test::OneOf(Vec::new()));
    let flags = rows_that_meet(&[nothing], part(&rows)).unwrap();
    assert_eq!((flags.len(), flags.true_count()), (rows.len(), 0));
}
