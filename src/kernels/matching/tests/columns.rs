//! Columns of all types, and those that are refused.

use arrow::array::{BooleanArray, Int32Array, TimestampMicrosecondArray};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;

use super::*;

fn part(rows: &[Row]) -> Bytes {
    let batch = batch(rows);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

#[test]
fn parts_are_read_from_their_files_and_places_count_within_them() {
    let scratch = Waiting::default();
    let limits = MatchingLimits {
        batch_rows_max: 2,
        ..MatchingLimits::default()
    };
    let matching = Matching::new(rule(), 9, limits, &scratch).unwrap();
    let actual = [
        part(&[row("a", 1), row("b", 2), row("c", 3)]),
        part(&[row("d", 4), row("e", 5), row("f", 6)]),
    ];
    let mut actual = actual.into_iter();
    let mut target = [part(&[row("a", 1), row("d", 4), row("c", 3)])].into_iter();
    let matched = matching.match_parts(Sides {
        actual: Box::new(|| Ok(actual.next())),
        target: Box::new(|| Ok(target.next())),
    });
    let scope = only(matched.unwrap());
    assert_eq!(classes(&scope)[&Class::OneToOne], (3, [3, 3], [8, 8]));
    let places = scope.open.actual.items.iter().map(|item| item.place);
    let place = |part, row| RowPlace { part, row };
    assert_eq!(
        places.collect::<Vec<_>>(),
        [place(1, 2), place(1, 1), place(0, 1)]
    );
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_side_and_part() {
    let scratch = Waiting::default();
    let matching = Matching::new(rule(), 9, MatchingLimits::default(), &scratch).unwrap();
    let fail = || PortError::new(crate::ports::PortErrorKind::Unreachable, "gone");
    let mut target = [Ok(Some(Bytes::from_static(b"no parquet")))].into_iter();
    let error = matching.match_parts(Sides {
        actual: Box::new(|| Ok(None)),
        target: Box::new(move || target.next().unwrap_or(Ok(None))),
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("part 0 of the target rows cannot be read"),
        "{error}"
    );
    let error = matching.match_parts(Sides {
        actual: Box::new(move || Err(fail())),
        target: Box::new(|| Ok(None)),
    });
    assert!(matches!(error, Err(MatchError::Port(_))));
}

/// One row a side: the ledger's as in all tests, the target's with numbers and moments.
fn typed(
    rule: Rule,
    target: &RecordBatch,
    keep: Option<&BooleanArray>,
) -> Result<Matched, MatchError> {
    let scratch = Waiting::default();
    let matching = Matching::new(rule, 9, MatchingLimits::default(), &scratch)?;
    let first = RowPlace { part: 0, row: 0 };
    let mut left = matching.splitter(Side::Actual);
    left.add_batch(first, &batch(&[row("7", 1_100), row("8.0", 2_200)]), None)?;
    let mut right = matching.splitter(Side::Target);
    right.add_batch(first, target, keep)?;
    matching.join(Sides {
        actual: left.finish()?,
        target: right.finish()?,
    })
}

/// Keys 7 and 8, prices −10 and −20 in whole units, shipping −1.0 and −2.0.
fn numbers() -> RecordBatch {
    let decimals = |units: Vec<i128>, scale| {
        let array = Decimal128Array::from(units);
        Arc::new(array.with_precision_and_scale(38, scale).unwrap())
    };
    let moments = vec![1_714_435_199_999_999, 1_714_521_600_000_000];
    let columns: [(&str, ArrayRef); 5] = [
        ("id", decimals(vec![7_000, 8_000], 3)),
        ("price", Arc::new(Int32Array::from(vec![-10, -20]))),
        ("shipping", decimals(vec![-10, -20], 1)),
        ("at", Arc::new(TimestampMicrosecondArray::from(moments))),
        (
            "company",
            Arc::new(StringArray::from(vec!["EC_NG", "EC_NG"])),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn number_rule() -> Rule {
    let mut rule = rule();
    rule.columns.target = SideColumns {
        company: "company".into(),
        gl: GlColumn::Fixed("13003".into()),
        keys: vec!["id".into()],
        amounts: vec!["price".into(), "shipping".into()],
        negated: true,
        date: Some("at".into()),
        only: Vec::new(),
    };
    rule
}

#[test]
fn numbers_are_keys_amounts_are_added_and_turned_and_a_gl_may_be_fixed() {
    let scope = only(typed(number_rule(), &numbers(), None).unwrap());
    let found = (2, [2, 2], [3_300, 3_300]);
    assert_eq!(classes(&scope), BTreeMap::from([(Class::OneToOne, found)]));
}

#[test]
fn rows_that_are_left_out_are_counted() {
    let keep = BooleanArray::from(vec![Some(true), None]);
    let matched = typed(number_rule(), &numbers(), Some(&keep)).unwrap();
    assert_eq!(
        matched.left_out,
        Sides {
            actual: 0,
            target: 1
        }
    );
    assert_eq!(classes(&only(matched))[&Class::ActualOnly].0, 1);
    let mut how = How::default();
    how.rule.gls = BTreeSet::from(["13004.0".to_owned()]);
    let other = Row {
        gl: Some("13004".into()),
        ..row("k", 1)
    };
    let matched = how
        .try_match(&[row("k", 1), other.clone()], &[other])
        .unwrap();
    assert_eq!(
        matched.left_out,
        Sides {
            actual: 1,
            target: 0
        }
    );
    assert_eq!(only(matched).gl, "13004");
}

#[test]
fn days_come_from_dates_and_moments() {
    let mut rule = number_rule();
    rule.columns.target.keys = vec!["price".into()];
    let scope = only(typed(rule, &numbers(), None).unwrap());
    let dates = scope.open.target.items.iter();
    let dates: Vec<_> = dates.map(|item| item.date.unwrap().to_string()).collect();
    assert_eq!(dates, ["2024-05-01", "2024-04-29"]);
    assert!(scope.ageing.target.contains_key(&AgeBucket::AfterPeriod));
    let undated = [None, Some(-79_257)].map(|day| Row { day, ..row("k", 1) });
    let scope = only(matched(&undated, &[]));
    assert_eq!(scope.ageing.actual[&AgeBucket::NoDate].rows, 2);
    assert!(
        scope
            .open
            .actual
            .items
            .iter()
            .all(|item| item.date.is_none())
    );
}

#[test]
fn a_column_that_cannot_serve_is_refused_by_name() {
    let refused = |change: fn(&mut Rule)| {
        let mut rule = number_rule();
        change(&mut rule);
        typed(rule, &numbers(), None).unwrap_err().to_string()
    };
    type Change = fn(&mut Rule);
    let changes: [(Change, &str); 8] = [
        (
            |rule| rule.columns.target.company = "nobody".into(),
            "column `nobody` of the target rows is missing",
        ),
        (
            |rule| rule.columns.target.keys = vec!["at".into()],
            "column `at` of the target rows is Timestamp(µs), which names no company, GL or key",
        ),
        (
            |rule| rule.columns.target.amounts = vec!["company".into()],
            "column `company` of the target rows is Utf8, which is no amount",
        ),
        (
            |rule| rule.columns.target.amounts = vec!["id".into()],
            "column `id` of the target rows has scale 3, and amounts are compared at scale 2",
        ),
        (
            |rule| rule.columns.target.date = Some("price".into()),
            "column `price` of the target rows is Int32, which is no date",
        ),
        (
            |rule| rule.columns.target.keys.clear(),
            "the rule of matching needs as many keys on both sides",
        ),
        (
            |rule| rule.columns.actual.amounts.clear(),
            "the rule of matching needs an amount on both sides",
        ),
        (
            |rule| rule.tolerance = cents(-1),
            "the rule of matching has a tolerance that is negative or not of scale 2",
        ),
    ];
    for (change, expected) in changes {
        assert_eq!(refused(change), expected);
    }
}
