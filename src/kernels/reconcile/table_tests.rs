use parquet::arrow::ArrowWriter;

use super::super::filter::{Literal, Test};
use super::super::samples::day;
use super::*;
use crate::kernels::samples::{vector_batch, vector_contract};

fn part() -> Bytes {
    let batch = vector_batch();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    for rows in [batch.slice(0, 1), batch.slice(1, 3)] {
        writer.write(&rows).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

fn posted(test: Test) -> Vec<Condition> {
    vec![Condition::new("posted_at", test)]
}

#[test]
fn only_what_a_condition_excludes_for_sure_is_left_out() {
    let read = |keep: Vec<Condition>, rows_max: usize| {
        let mut reader =
            StagedReader::new(&vector_contract(), &["name", "amount"], keep, rows_max).unwrap();
        reader.add(part())?;
        reader.add(part())?;
        Ok::<_, ReconcileError>(reader.finish())
    };
    assert_eq!(read(vec![], 8).unwrap().rows(), 8);
    let too_many = ReconcileError::TooManyRows { rows_max: 7 };
    assert_eq!(read(vec![], 7).unwrap_err(), too_many);

    let since = posted(Test::AtLeast(Literal::Day(day("2024-05-31"))));
    let table = read(since, 6).unwrap();
    // NAV's empty date is no date: the row stays, undecided.
    assert_eq!(table.rows(), 6);
    assert!(table.has("name") && table.has("posted_at") && !table.has("entry_no"));
    assert_eq!(
        table.texts("name").unwrap()[0].as_deref(),
        Some("Café à Abidjan")
    );
    let amounts = table.amounts("amount").unwrap();
    assert_eq!(
        amounts[0].unwrap().to_string(),
        format!("-0.5{}", "0".repeat(19))
    );
    assert!(table.amounts("name").is_err());
    let shown = format!("{table:?}");
    assert_eq!(shown, "StagedTable(6 rows)", "no cell is ever printed");
}

#[test]
fn a_month_without_parts_has_its_columns_and_no_rows() {
    let reader = StagedReader::new(&vector_contract(), &["amount"], vec![], 1).unwrap();
    let table = reader.finish();
    assert_eq!((table.rows(), table.has("amount")), (0, true));
    assert_eq!(table.amounts("amount").unwrap(), []);
    let unknown = StagedReader::new(&vector_contract(), &["amounts"], vec![], 1);
    assert!(unknown.is_err());
    let unknown = Condition::new("is_active", Test::IsNull);
    assert!(StagedReader::new(&vector_contract(), &["amount"], vec![unknown], 1).is_err());
}
