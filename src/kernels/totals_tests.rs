use std::sync::Arc;

use arrow::array::{Decimal128Array, Int32Array};

use super::*;
use crate::domain::contract::Column;
use crate::kernels::samples;

fn contract() -> Contract {
    let amount = |name, sql_type| Column {
        amount: true,
        ..samples::column(name, sql_type)
    };
    samples::contract(vec![
        samples::column("company", "nvarchar(20)"),
        amount("amount", "decimal(38,2)"),
        amount("quantity", "int"),
    ])
}

fn batch(rows: &[(Option<&str>, Option<i128>, Option<i32>)]) -> RecordBatch {
    let amounts = Decimal128Array::from_iter(rows.iter().map(|row| row.1));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0))),
        Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.2))),
    ];
    samples::batch(&contract(), columns)
}

fn totals(batches: &[RecordBatch]) -> Result<ControlTotals, TotalsError> {
    let mut fold = TotalsFold::new(&contract());
    for batch in batches {
        fold.fold(batch).unwrap();
    }
    fold.finish()
}

#[test]
fn companies_lose_trailing_spaces_and_null_stands_under_empty() {
    let found = totals(&[
        batch(&[
            (Some("EC_NG"), Some(150), Some(1)),
            (Some("EC_NG  "), Some(-50), None),
            (None, None, Some(7)),
        ]),
        batch(&[
            (Some(" EC_NG"), Some(1), Some(-1)),
            (Some(""), Some(5), Some(1)),
        ]),
    ])
    .unwrap();
    let lines = found.groups.iter().map(|(company, group)| {
        format!(
            "{company:?} {} {} {}",
            group.rows, group.sums[0], group.sums[1]
        )
    });
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            r#""" 2 0.05 8"#,
            r#"" EC_NG" 1 0.01 -1"#,
            r#""EC_NG" 2 1.00 1"#
        ]
    );
    assert_eq!(found.amounts, ["amount", "quantity"]);
}

#[test]
fn no_rows_have_no_groups() {
    let found = totals(&[]).unwrap();
    assert_eq!(found.rows(), 0);
    assert_eq!(found.amounts, ["amount", "quantity"]);
}

#[test]
fn a_sum_beyond_38_digits_is_an_error_whatever_the_order() {
    let top = 10_i128.pow(38) - 1;
    let rows = |values: &[i128]| {
        let rows: Vec<_> = values
            .iter()
            .map(|v| (Some("EC_NG"), Some(*v), None))
            .collect();
        totals(&[batch(&rows)])
    };
    for values in [vec![top, 1], vec![-top, -1], vec![top; 5], vec![-top; 5]] {
        let error = rows(&values).unwrap_err();
        assert_eq!(error.column, "amount");
        assert_eq!(error.company, "EC_NG");
    }
    // On the way above 38 digits and even above 127 bits, in the end within.
    for values in [
        vec![top, top, -top],
        vec![-top, top, -top, -top, top],
        vec![top, 1, -1],
    ] {
        let expected = values
            .iter()
            .fold(0_i128, |sum, value| sum.wrapping_add(*value));
        assert_eq!(
            rows(&values).unwrap().groups["EC_NG"].sums[0].units(),
            expected
        );
    }
}

#[test]
fn a_company_that_is_not_text_is_refused() {
    let mut contract = contract();
    contract.company = "quantity".to_owned();
    let error = TotalsFold::new(&contract).fold(&batch(&[])).unwrap_err();
    assert!(matches!(error, KernelError::Company { .. }), "{error}");
}
