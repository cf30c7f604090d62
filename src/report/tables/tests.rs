//! The tables of a month, and that files hold them to the last digit.

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Decimal128Type;
use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::report::beside::Beside;
use crate::report::month;
use crate::report::words::Language::{English, French};

fn all(language: Language) -> Vec<Table> {
    tables(Material::of(&month::planted()), language).unwrap()
}

/// The tables of the planted month with everything beside it.
pub(super) fn explained(beside: &Beside, language: Language) -> Vec<Table> {
    let statement = month::planted();
    let material = Material {
        explained: beside.shown(),
        ..Material::of(&statement)
    };
    tables(material, language).unwrap()
}

/// The cells of some columns, as texts.
pub(super) fn cells(table: &Table, names: &[&str]) -> Vec<Vec<String>> {
    let text = |cell: &Cell| match cell {
        Cell::None => "none".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
        Cell::Count(count) => count.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Moment(moment) => moment.to_string(),
    };
    let places: Vec<usize> = names
        .iter()
        .map(|name| table.place(name).unwrap())
        .collect();
    let rows = table.rows.iter();
    rows.map(|row| places.iter().map(|place| text(&row[*place])).collect())
        .collect()
}

pub(super) fn named(name: &str) -> Table {
    let mut all = all(English).into_iter();
    all.find(|table| table.name == name).unwrap()
}

#[test]
fn tables_come_in_the_order_of_page_one_and_every_cell_is_of_its_column() {
    let names: Vec<&str> = all(English).iter().map(|table| table.name).collect();
    let first = [
        "control",
        "lines",
        "exceptions",
        "not_covered",
        "assumptions",
        "accepted_checks",
        "inputs",
        "since_last_month",
        "sign_offs",
        "proposed_entries",
        "buckets",
    ];
    assert_eq!(names[..first.len()], first);
    let beside = Beside::new();
    for language in [English, French] {
        for table in all(language)
            .into_iter()
            .chain(explained(&beside, language))
        {
            for row in &table.rows {
                assert_eq!(row.len(), table.columns.len(), "{}", table.name);
                for (column, cell) in table.columns.iter().zip(row) {
                    let fits = match cell {
                        Cell::None => true,
                        Cell::Text(_) => column.kind == Kind::Text,
                        Cell::Amount(_) => matches!(column.kind, Kind::Amount | Kind::Number),
                        Cell::Count(_) => column.kind == Kind::Count,
                        Cell::Date(_) => column.kind == Kind::Date,
                        Cell::Moment(_) => column.kind == Kind::Moment,
                    };
                    assert!(fits, "{} {}: {cell:?}", table.name, column.name);
                }
            }
        }
    }
    // Names of columns are for programs: they are the same in both languages, headings are not.
    let (english, french) = (all(English), all(French));
    for (left, right) in english.iter().zip(&french) {
        let names = |table: &Table| -> Vec<String> {
            table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect()
        };
        assert_eq!(names(left), names(right));
    }
    assert_ne!(english[1].columns, french[1].columns);
}

#[test]
fn exceptions_of_a_clean_month_and_of_what_was_not_run() {
    let of = |statement| {
        let all = tables(Material::of(&statement), English).unwrap();
        all.into_iter()
            .find(|table| table.name == "exceptions")
            .unwrap()
            .rows
            .len()
    };
    assert_eq!(of(month::clean()), 0);
    assert!(of(month::sparse()) > 30);
    assert_eq!(
        of(month::planted()),
        month::planted().result.exceptions().len()
    );
}

#[test]
fn candidates_are_called_so_and_a_list_that_stops_says_it() {
    let of = |unlisted: u64, language: Language| {
        let mut statement = month::planted();
        let line = &mut statement.result.lines[0];
        let mut buckets = line.buckets.iter_mut();
        let bucket = buckets.find(|bucket| !bucket.rows.is_empty()).unwrap();
        bucket.rows_unlisted = unlisted;
        let all = tables(Material::of(&statement), language).unwrap();
        let mut all = all.into_iter();
        all.find(|table| table.name == "candidates").unwrap()
    };
    let (whole, cut) = (of(0, English), of(3, English));
    assert_eq!(cut.rows.len(), whole.rows.len() + 1);
    let key = cut.place("key").unwrap();
    let says = |table: &Table, words: &str| {
        let mut rows = table.rows.iter();
        rows.any(|row| matches!(&row[key], Cell::Text(text) if text == words))
    };
    assert!(says(&cut, "… 3 more rows") && !says(&whole, "… 3 more rows"));
    assert!(says(&of(3, French), "… 3 autres lignes"));
    assert!(cut.title.starts_with("Candidates:"), "{}", cut.title);
    let french = of(0, French).title;
    assert!(french.starts_with("Lignes candidates"), "{french}");
    for table in all(English) {
        let mut labels = table.columns.iter().map(|column| &column.label);
        assert!(
            !labels.any(|label| label.contains("upport")),
            "{}",
            table.name
        );
    }
}

#[test]
fn what_changed_says_since_when_or_that_nobody_knows() {
    let first = |since_is_known: bool| {
        let mut statement = month::planted();
        if !since_is_known {
            statement.since = None;
            statement.changes.clear();
        }
        let all = tables(Material::of(&statement), English).unwrap();
        let mut all = all.iter();
        let table = all.find(|table| table.name == "since_last_month");
        cells(table.unwrap(), &["what", "before", "now"])[0].join(" | ")
    };
    let run = "2024-03, run 20240403T090000Z-0badcafe, final";
    assert_eq!(first(true), format!("compared with | {run} | none"));
    let none = "compared with | none | not known: no earlier month was judged";
    assert_eq!(first(false), none);
}

#[test]
fn proposed_entries_balance_what_is_to_be_adjusted_once() {
    let entries = named("proposed_entries");
    let text = |row: &Vec<Cell>, name: &str| match &row[entries.place(name).unwrap()] {
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
        other => panic!("{other:?}"),
    };
    let of = |company: &str| -> Vec<[String; 4]> {
        let own = entries
            .rows
            .iter()
            .filter(|row| text(row, "company") == company);
        own.map(|row| ["line", "debit", "credit", "amount_usd"].map(|name| text(row, name)))
            .collect()
    };
    // Two accounts that cancel each other are one entry.
    let moved = ["L1", "13003", "13004", "1481.48"].map(str::to_owned);
    assert_eq!(of("JD_GH"), [moved]);
    // A ledger that is too high is credited; who posts names the other account.
    let nigeria = of("EC_NG");
    assert_eq!(
        nigeria[0],
        ["L1", "", "13003", "1000.00"].map(str::to_owned)
    );
    // Carried forward, accepted, or not concluded: nothing is proposed.
    assert_eq!(of("JM_EG"), Vec::<[String; 4]>::new());
    assert!(
        of("EC_KE")
            .iter()
            .all(|entry| entry[0] != "L5" && entry[0] != "L3")
    );
}

/// Defect 24 of the predecessor: files named csv had tabs and no header.
#[test]
fn csv_and_json_have_all_digits_and_no_formula() {
    let mut table = named("buckets");
    let text = String::from_utf8(csv(&table).unwrap()).unwrap();
    let dust = "0.00000000000000000001";
    assert!(text.starts_with("line,company,gl,currency,memo,actual,"));
    assert!(
        text.lines()
            .any(|line| line.starts_with("L4,EC_MA,") && line.contains(dust))
    );
    let value: Value = serde_json::from_slice(&json(&table).unwrap()).unwrap();
    assert_eq!(value["name"], "buckets");
    assert_eq!(value["columns"][5]["type"], "decimal");
    let rows = value["rows"].as_array().unwrap();
    assert_eq!(rows.len(), table.rows.len());
    assert!(
        rows.iter()
            .any(|row| row["unexplained"] == dust && row["company"] == "EC_MA")
    );
    table.rows[0][0] = "=HYPERLINK(\"x\")".into();
    let text = String::from_utf8(csv(&table).unwrap()).unwrap();
    assert!(text.contains("'=HYPERLINK") && !text.contains("\n=HYPERLINK"));
    let value: Value = serde_json::from_slice(&json(&table).unwrap()).unwrap();
    assert_eq!(
        value["rows"][0]["line"], "=HYPERLINK(\"x\")",
        "JSON has it as it is"
    );
}

#[test]
fn parquet_reads_back_to_the_last_digit_and_refuses_what_has_no_place() {
    for table in all(English) {
        let bytes = Bytes::from(parquet(&table).unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let batches = reader.build().unwrap();
        let rows: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, table.rows.len(), "{}", table.name);
    }
    let mut table = named("buckets");
    let place = table.place("unexplained").unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet(&table).unwrap()));
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let column = batch.column(place).as_primitive::<Decimal128Type>();
    assert_eq!((column.precision(), column.scale()), (38, 20));
    for (at, row) in table.rows.iter().enumerate() {
        match &row[place] {
            Cell::Amount(amount) => assert_eq!(column.value(at), amount.units()),
            _ => assert!(column.is_null(at)),
        }
    }
    let widest = Amount::new(10_i128.pow(37), 2).unwrap();
    table.rows[0][place] = widest.into();
    let error = parquet(&table).unwrap_err().to_string();
    assert!(
        error.contains("buckets") && error.contains("unexplained"),
        "{error}"
    );
}

#[test]
fn an_input_says_how_many_of_its_balances_have_no_rate() {
    let of = |statement| {
        let all = tables(Material::of(&statement), English).unwrap();
        let mut all = all.iter();
        let table = all.find(|table| table.name == "inputs").unwrap();
        let mut rows = cells(table, &["item", "compared_without_rate"]).into_iter();
        let ledger = rows.find(|row| row[0] == "CR_04").unwrap();
        let rates = rows.find(|row| row[0] == "CR_05").unwrap();
        assert_eq!(rates[1], "none", "nothing of it is compared");
        ledger[1].clone()
    };
    assert_eq!(of(month::clean()), "0");
    assert_ne!(of(month::planted()), "0", "two companies have no one rate");
}
