use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;

use super::*;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::reconcile::contract::Term;
use crate::kernels::conform::staged_schema;
use crate::kernels::reconcile::StagedReader;

/// Entries of EC_NG, each with its number, account, day and amount in cents.
fn entries(rows: &[(i64, &str, &str, i128)]) -> StagedTable {
    let column = |(name, sql_type): (&str, &str)| {
        let sql_type = sql_type.parse().unwrap();
        Column {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: true,
            amount: false,
            personal: false,
            description: String::new(),
        }
    };
    let columns = [
        ("id_company", "nvarchar(20)"),
        ("entry_no", "bigint"),
        ("document_no", "nvarchar(20)"),
        ("group_coa_account_no", "nvarchar(20)"),
        ("posting_date", "datetime"),
        ("amount", "decimal(38,2)"),
    ];
    let names = columns.map(|(name, _)| name);
    let contract = Contract {
        version: 1,
        columns: columns.map(column).into(),
        key: vec!["entry_no".to_owned()],
        company: "id_company".to_owned(),
    };
    let micros = |day: &str| {
        let day: NaiveDate = day.parse().unwrap();
        day.and_time(Default::default())
            .and_utc()
            .timestamp_micros()
    };
    let amounts = Decimal128Array::from_iter_values(rows.iter().map(|row| row.3));
    let cells: [ArrayRef; 6] = [
        Arc::new(StringArray::from(vec!["EC_NG"; rows.len()])),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringArray::from(vec!["D-1"; rows.len()])),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(
            rows.iter().map(|row| micros(row.2)),
        )),
        Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
    ];
    let schema = staged_schema(&contract);
    let fields: Vec<_> = schema.fields().iter().take(6).cloned().collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), cells.into()).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut reader = StagedReader::new(&contract, &names, Vec::new(), 100).unwrap();
    reader.add(bytes.into()).unwrap();
    reader.finish()
}

fn at(line: &str, gl: Option<&str>) -> Place {
    (line.to_owned(), "EC_NG".to_owned(), gl.map(str::to_owned))
}

fn looked(rows: &[(i64, &str, &str, i128)]) -> Found {
    let mut wanted = Wanted::default();
    wanted.add(at("L1", Some("13003")), "16.50".parse().unwrap());
    wanted.add(at("L3", None), "16.5000".parse().unwrap());
    let accounts = [("13003", "L1"), ("13004", "L1"), ("13001", "L3")];
    let accounts = accounts.map(|(gl, line)| (gl.to_owned(), line.to_owned()));
    let item = "CR_03".parse().unwrap();
    in_ledger(&entries(rows), &item, &accounts.into(), &wanted).unwrap()
}

#[test]
fn one_reading_of_the_ledger_finds_the_candidates_of_every_line() {
    let found = looked(&[
        (1, "13003", "2024-02-29", 1650),
        (2, "13004", "2024-03-01", 1650),
        (3, "13001", "2024-01-05", 1650),
        (4, "13003", "2024-04-05", 1651),
        (5, "18412", "2024-04-05", 1650),
    ]);
    let keys: Vec<_> = found
        .0
        .iter()
        .map(|(place, of)| {
            (
                place.0.as_str(),
                of.named[0].0.key.join(" "),
                of.named.len(),
            )
        })
        .collect();
    let expected = [
        ("L1", "EC_NG 1 D-1".to_owned(), 1),
        ("L3", "EC_NG 3 D-1".to_owned(), 1),
    ];
    assert_eq!(
        keys, expected,
        "another account, amount or line is no candidate"
    );
    let day = found.0[&at("L1", Some("13003"))].only_day();
    assert_eq!(day, "2024-02-29".parse().ok());
    assert!(looked(&[(1, "13004", "2024-02-29", 1650)]).0.is_empty());
}

#[test]
fn of_several_candidates_nobody_knows_the_age_and_the_list_says_what_it_leaves_out() {
    let many: Vec<_> = (1..=12).map(|n| (n, "13003", "2024-02-29", 1650)).collect();
    let place = at("L1", Some("13003"));
    let of = |rows: &[(i64, &str, &str, i128)]| looked(rows).0.remove(&place).unwrap();
    let all = of(&many);
    assert_eq!((all.named.len(), all.unlisted), (ROWS_MAX, 2));
    assert_eq!(all.only_day(), None);
    let two = of(&many[..2]);
    assert_eq!(
        (two.named.len(), two.unlisted, two.only_day()),
        (2, 0, None)
    );
    assert!(of(&many[..1]).only_day().is_some());
    // One of the ledger and one of a source are two.
    let mut both = looked(&many[..1]);
    both.add(looked(&many));
    let both = &both.0[&place];
    assert_eq!((both.named.len(), both.unlisted), (ROWS_MAX, 3));
}

#[test]
fn a_row_of_a_source_ages_by_the_date_that_is_declared() {
    let item: IpeId = "IPE_07".parse().unwrap();
    let target = Source {
        item: item.clone(),
        company: "id_company".to_owned(),
        gl: Some("group_coa_account_no".to_owned()),
        sign: Sign::Plus,
        amount: vec![Term {
            column: "amount".to_owned(),
            negative: false,
        }],
        conditions: Vec::new(),
        key: BTreeSet::new(),
        by_query: Vec::new(),
        matching: None,
    };
    let place = at("L1", Some("13003"));
    let mut wanted = Wanted::default();
    wanted.add(place.clone(), "16.50".parse().unwrap());
    let day = |rows: &[(i64, &str, &str, i128)], date| {
        let key = ["entry_no".to_owned()];
        let of = ("L1", &target);
        let found = in_target(&entries(rows), (&item, &key), of, date, &wanted).unwrap();
        found.0.get(&place).map(Candidates::only_day)
    };
    // What the source has and the ledger lacks is the opposite of what is missed.
    let one = [(1, "13003", "2024-02-29", -1650)];
    let date = "2024-02-29".parse().ok();
    assert_eq!(day(&one, Some("posting_date")), Some(date));
    assert_eq!(day(&one, None), Some(None), "none is declared");
    let empty = [(1, "13003", "1753-01-01", -1650)];
    assert_eq!(day(&empty, Some("posting_date")), Some(None));
    let two = [one[0], (2, "13003", "2024-02-29", -1650)];
    assert_eq!(day(&two, Some("posting_date")), Some(None));
    assert_eq!(day(&[(1, "13003", "2024-02-29", 1650)], None), None);
}
