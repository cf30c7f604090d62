//! Folds over small arrays with known answers.

use std::sync::Arc;

use arrow::array::{Date32Array, Decimal128Array, Float64Array, Int32Array, StringArray};

use super::*;
use crate::kernels::values::BEYOND;

fn amounts(units: Vec<Option<i128>>) -> ArrayRef {
    let array = Decimal128Array::from(units);
    Arc::new(array.with_precision_and_scale(38, 20).unwrap())
}

fn folded(array: &ArrayRef) -> ColumnFold {
    let mut fold = ColumnFold::new(array.data_type());
    fold.fold(array);
    fold
}

#[test]
fn bounds_sums_nulls_and_distinct_values_are_exact_at_38_digits() {
    let top = 10_i128.pow(38) - 1;
    let fold = folded(&amounts(vec![
        Some(top),
        None,
        Some(1 - top),
        Some(top - 1),
        Some(1 - top),
    ]));
    assert_eq!(fold.nulls, 1);
    let [least, greatest] = fold.bounds();
    assert_eq!(least.unwrap(), "-999999999999999999.99999999999999999998");
    assert_eq!(greatest.unwrap(), "999999999999999999.99999999999999999999");
    assert_eq!(fold.sum().unwrap(), "0.00000000000000000001");
    let three = Distinct {
        count: 3,
        exact: true,
    };
    assert_eq!(fold.distinct(), three);
}

#[test]
fn a_sum_that_cannot_be_held_says_so_and_never_wraps() {
    let top = 10_i128.pow(38) - 1;
    for rows in [2, 3, 5] {
        let fold = folded(&amounts(vec![Some(top); rows]));
        assert_eq!(fold.sum().unwrap(), BEYOND);
    }
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    assert_eq!(folded(&floats).sum(), None, "floats have no exact sum");
}

#[test]
fn a_histogram_has_round_bounds_and_loses_no_row() {
    let dates: ArrayRef = Arc::new(Date32Array::from_iter(
        (0..400).map(|d| (d % 7 != 0).then_some(d)),
    ));
    let fold = folded(&dates);
    let mut histogram = Histogram::new(dates.data_type(), fold.whole_bounds().unwrap(), 20);
    histogram.fold(&dates);
    let bins = histogram.bins();
    assert!((8..=21).contains(&bins.len()), "{} bins", bins.len());
    assert_eq!(bins[0].from, "1970-01-01");
    assert_eq!(bins[0].to, bins[1].from);
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    assert_eq!(rows + histogram.nulls, 400);

    let top = 10_i128.pow(38) - 1;
    let extremes = amounts(vec![Some(-top), Some(0), Some(top)]);
    let mut histogram = Histogram::new(extremes.data_type(), (-top, top), 20);
    histogram.fold(&extremes);
    let bins = histogram.bins();
    assert!(bins.len() <= 21, "{} bins", bins.len());
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 3);

    let one: ArrayRef = Arc::new(Int32Array::from(vec![7, 7]));
    let mut histogram = Histogram::new(one.data_type(), (7, 7), 20);
    histogram.fold(&one);
    let bin = Bin {
        from: "7".into(),
        to: "8".into(),
        rows: 2,
    };
    assert_eq!(histogram.bins(), vec![bin]);
}

#[test]
fn totals_by_a_column_keep_null_apart_from_the_empty_text() {
    let by: ArrayRef = Arc::new(StringArray::from(vec![
        Some("b"),
        None,
        Some(""),
        Some("b"),
    ]));
    let sums = amounts([1, 2, 4, 8].map(|n| Some(n * 10_i128.pow(20))).to_vec());
    let mut fold = GroupFold::new(by.data_type(), vec![sums.data_type().clone()]);
    fold.fold(&by, &[Arc::clone(&sums)]).unwrap();
    fold.fold(&by, &[sums]).unwrap();
    let lines: Vec<_> = fold
        .lines()
        .into_iter()
        .map(|line| (line.value, line.rows, line.sums))
        .collect();
    let zeros = ".00000000000000000000";
    let line = |value: Option<&str>, rows, sum| {
        (
            value.map(str::to_owned),
            rows,
            vec![format!("{sum}{zeros}")],
        )
    };
    assert_eq!(
        lines,
        [
            line(None, 2, 4),
            line(Some(""), 2, 8),
            line(Some("b"), 4, 18)
        ]
    );
}

#[test]
fn too_many_values_are_refused() {
    let by: ArrayRef = Arc::new(Int32Array::from_iter(
        0..=i32::try_from(GROUPS_MAX).unwrap(),
    ));
    let mut fold = GroupFold::new(by.data_type(), vec![]);
    assert_eq!(fold.fold(&by, &[]), Err(TooManyGroups));
}
