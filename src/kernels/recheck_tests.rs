use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::kernels::digest::DigestFold;
use crate::kernels::samples;

fn part(batches: &[RecordBatch], row_group_rows: usize) -> Bytes {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group_rows))
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batches[0].schema(), Some(properties)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

#[test]
fn published_vectors() {
    let contract = samples::vector_contract();
    let batch = samples::vector_batch();
    for (row, (_, _, limbs, _)) in samples::VECTORS.into_iter().enumerate() {
        let bytes = part(&[batch.slice(row, 1)], 10);
        let found = recheck_part(bytes, &contract, 10).unwrap();
        assert_eq!(found.digest, TableDigest { rows: 1, limbs });
    }
    for (row_group_rows, rows_max) in [(10, 10), (10, 3), (3, 1), (1, 2), (2, 0)] {
        let bytes = part(std::slice::from_ref(&batch), row_group_rows);
        let found = recheck_part(bytes, &contract, rows_max).unwrap();
        assert_eq!(found.digest.to_string(), samples::VECTOR_DIGEST);
        assert_eq!(found.digest.fingerprint(), samples::VECTOR_FINGERPRINT);
        assert_eq!(found.totals.amounts, ["amount"]);
        let sum = |company: &str| found.totals.groups[company].sums[0].to_string();
        assert_eq!(sum("EC_NG"), format!("1234567.39{}", "0".repeat(18)));
        assert_eq!(sum("JM_EG"), format!("0.{}", "0".repeat(20)));
    }
}

#[test]
fn row_texts_are_the_published_ones() {
    let bytes = part(&[samples::vector_batch()], 10);
    let contract = samples::vector_contract();
    let names: Vec<String> = contract
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let frame = Part::open(bytes).unwrap().row_group(0, &names).unwrap();
    let rows = Recheck::new(&contract, 10).row_texts(frame).unwrap();
    let texts = rows.column("row").unwrap().str().unwrap();
    for (row, (text, ..)) in samples::VECTORS.into_iter().enumerate() {
        assert_eq!(texts.get(row), Some(text));
    }
}

#[test]
fn parts_add_up_and_none_is_empty() {
    let contract = samples::vector_contract();
    let batch = samples::vector_batch();
    let empty = part(&[batch.slice(0, 0)], 10);
    let parts = [
        part(&[batch.slice(0, 3)], 2),
        empty.clone(),
        part(&[batch.slice(3, 1)], 2),
    ];
    let found = recheck_parts(parts, &contract, 2).unwrap();
    assert_eq!(found.digest.to_string(), samples::VECTOR_DIGEST);
    assert_eq!(found.totals.rows(), 4);
    for none in [
        recheck_part(empty, &contract, 2),
        recheck_parts([], &contract, 2),
    ] {
        let none = none.unwrap();
        assert_eq!(none.digest, TableDigest::default());
        assert_eq!((none.totals.rows(), none.totals.amounts.len()), (0, 1));
    }
}

fn sums(values: &[i128]) -> Result<Recomputed, RecheckError> {
    let contract = samples::contract(vec![
        samples::column("company", "nvarchar(20)"),
        Column {
            amount: true,
            ..samples::column("amount", "decimal(38,2)")
        },
    ]);
    let amounts = Decimal128Array::from(values.to_vec());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["EC_NG  "; values.len()])),
        Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
    ];
    recheck_part(
        part(&[samples::batch(&contract, columns)], 2),
        &contract,
        10,
    )
}

#[test]
fn a_sum_beyond_38_digits_is_an_error_whatever_the_order() {
    let top = 10_i128.pow(38) - 1;
    for values in [vec![top, 1], vec![-top, -1], vec![top; 5], vec![-top; 5]] {
        let Err(RecheckError::Totals(error)) = sums(&values) else {
            panic!("{values:?}");
        };
        assert_eq!(
            (error.column.as_str(), error.company.as_str()),
            ("amount", "EC_NG")
        );
    }
    for values in [
        vec![top, top, -top],
        vec![-top, top, -top, -top, top],
        vec![top, 1, -1],
        vec![-1, -top + 1],
        vec![expressions::SPLIT - 1, 1, -expressions::SPLIT - 1],
    ] {
        let expected = values
            .iter()
            .fold(0_i128, |sum, value| sum.wrapping_add(*value));
        let found = sums(&values).unwrap();
        assert_eq!(
            found.totals.groups["EC_NG"].sums[0].units(),
            expected,
            "{values:?}"
        );
    }
}

#[test]
fn another_part_is_refused_by_name() {
    let contract = samples::vector_contract();
    let batch = samples::vector_batch();
    let refused = |contract: &Contract, batch: &RecordBatch| {
        let error = recheck_part(part(std::slice::from_ref(batch), 9), contract, 9).unwrap_err();
        error.to_string()
    };
    let error = refused(&contract, &batch.project(&[0, 1, 2, 3]).unwrap());
    assert!(
        error.contains("column `name` of the part is missing"),
        "{error}"
    );
    let mut other = contract.clone();
    other.columns[2] = samples::column("amount", "decimal(38,19)");
    let error = refused(&other, &batch);
    assert!(error.contains("column `amount` of the part is"), "{error}");
    let mut other = contract.clone();
    other.company = "entry_no".to_owned();
    assert!(refused(&other, &batch).contains("column `entry_no`"));
}

#[test]
fn bytes_that_are_no_part_are_an_error() {
    let contract = samples::vector_contract();
    let good = part(&[samples::vector_batch()], 10);
    for bad in [
        Bytes::new(),
        Bytes::from_static(b"PAR1 no"),
        good.slice(..good.len() - 9),
    ] {
        let error = recheck_part(bad, &contract, 10).unwrap_err();
        assert!(matches!(error, RecheckError::Frame(_)), "{error}");
    }
    let mut broken = good.to_vec();
    for byte in &mut broken[4..40] {
        *byte ^= 0xff;
    }
    assert!(recheck_part(broken.into(), &contract, 10).is_err());
}

#[test]
fn dates_outside_the_calendar_are_an_error() {
    let columns = vec![
        samples::column("company", "nvarchar(20)"),
        samples::column("day", "date"),
    ];
    let contract = samples::contract(columns);
    for (day, good) in [
        (-719_162, true),
        (2_932_896, true),
        (-719_163, false),
        (2_932_897, false),
    ] {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["EC_NG"])),
            Arc::new(Date32Array::from(vec![day])),
        ];
        let found = recheck_part(part(&[samples::batch(&contract, columns)], 9), &contract, 9);
        assert_eq!(found.is_ok(), good, "{day}");
    }
}

#[test]
fn lengths_beyond_the_table_are_written_too() {
    let contract = samples::contract(vec![
        samples::column("company", "nvarchar(20)"),
        samples::column("note", "nvarchar(max)"),
    ]);
    let notes = [1_022, 1_023, 1_024, 70_000].map(|length| "é".repeat(length / 2));
    for notes in [notes[..2].to_vec(), notes.to_vec()] {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![None::<&str>; notes.len()])),
            Arc::new(StringArray::from(notes)),
        ];
        let batch = samples::batch(&contract, columns);
        let mut fold = DigestFold::new(&contract);
        fold.fold(&batch).unwrap();
        let found = recheck_part(part(&[batch], 9), &contract, 9).unwrap();
        assert_eq!(found.digest, fold.finish().total);
    }
}
