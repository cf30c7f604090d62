//! The deadline query asks for what the program publishes of a month, and names every item.

use std::collections::BTreeSet;
use std::fs;

use chrono::DateTime;
use soxauto::domain::ids::RunId;
use soxauto::domain::run::Stamp;
use soxauto::kernels::bigquery::table::{PARTITION_COLUMN, columns};
use soxauto::ports::Cell;
use soxauto::report::published::{JUDGEMENT, RUNS, RunRow, Standing, runs};

use super::{between, folder, text, words};

fn sql() -> String {
    text("alerts/deadline.sql")
}

/// The question whose answer is a month that is closed.
fn question(sql: &str) -> &str {
    let (_, after) = sql.split_once("IF NOT EXISTS (").unwrap();
    after.split_once(") THEN").unwrap().0
}

/// Columns of the question's conditions with the value that each must have; `None` where it must be true.
fn conditions(question: &str) -> Vec<(&str, Option<&str>)> {
    let (_, conditions) = question.split_once("WHERE ").unwrap();
    let conditions = conditions.trim().split(" AND ");
    conditions
        .map(|condition| match condition.split_once(" = ") {
            Some((column, value)) => (column, Some(value)),
            None => (condition, None),
        })
        .collect()
}

/// Whether a row of the registry, in the right month, answers the question.
fn answers(sql: &str, row: RunRow) -> bool {
    let table = runs(&[row]);
    conditions(question(sql)).into_iter().all(|(name, value)| {
        if name == PARTITION_COLUMN {
            return value == Some("due_month");
        }
        let mut columns = table.contract.columns.iter();
        let place = columns.position(|column| column.name == name);
        let place = place.unwrap_or_else(|| panic!("{RUNS} has no column {name}"));
        match (&table.rows[0][place], value) {
            (Cell::Null, _) => false,
            (Cell::Text(text), Some(value)) => value.trim_matches('\'') == text,
            (Cell::Bool(flag), None) => *flag,
            (cell, value) => panic!("{name} is {cell:?} and is asked for {value:?}"),
        }
    })
}

/// A package of April.
fn package(item: &str, standing: Option<Standing>, stamps: Option<Vec<Stamp>>) -> RunRow {
    let run_id = RunId::new(DateTime::UNIX_EPOCH, 1);
    let of = (run_id, "2024-04".parse().unwrap());
    RunRow {
        standing,
        stamps,
        ..RunRow::unread(item, of, "gs://evidence/x".to_owned(), String::new())
    }
}

#[test]
fn only_a_final_judgement_that_is_control_evidence_ends_the_alert() {
    let (sql, clean) = (sql(), Some(Vec::new()));
    let closed = package(JUDGEMENT, Some(Standing::Final(2)), clean.clone());
    assert!(answers(&sql, closed.clone()));
    for (why, row) in [
        (
            "a run that nobody closed",
            package(JUDGEMENT, Some(Standing::Preliminary), clean.clone()),
        ),
        (
            "a month that was opened again",
            package(JUDGEMENT, Some(Standing::Superseded(1)), clean.clone()),
        ),
        ("an item", package("CR_04", Some(Standing::Final(2)), clean)),
        (
            "no control evidence",
            package(
                JUDGEMENT,
                Some(Standing::Final(2)),
                Some(vec![Stamp::DirtyBuild]),
            ),
        ),
        (
            "a package that cannot be read",
            package(JUDGEMENT, Some(Standing::Final(2)), None),
        ),
        ("nothing is known", package(JUDGEMENT, None, None)),
    ] {
        assert!(!answers(&sql, row), "{why}");
    }
    let loose = sql.replace("state = 'FINAL' AND ", "");
    let open = package(JUDGEMENT, Some(Standing::Preliminary), Some(Vec::new()));
    assert!(answers(&loose, open));
    let other_month = sql.replace("_period = due_month", "_period = today");
    assert!(!answers(&other_month, closed));
}

#[test]
fn it_asks_one_partition_of_a_table_that_is_published() {
    let sql = sql();
    let question = question(&sql);
    let tables = between(question, "${PROJECT_ID}.${DATASET}.", '`');
    assert_eq!(tables, [RUNS]);
    let contract = runs(&[]).contract;
    let there = columns(&contract);
    let there: BTreeSet<&str> = there.iter().map(|column| column.name.as_str()).collect();
    let asked = conditions(question);
    for (name, _) in &asked {
        assert!(there.contains(name), "{RUNS} has no column {name}");
    }
    assert!(asked.iter().any(|(name, _)| *name == PARTITION_COLUMN));
}

/// A table that is not there yet makes the query fail; before the day that must be no alert.
#[test]
fn nothing_is_asked_before_the_day_and_what_is_not_loaded_is_no_reason() {
    let sql = sql();
    let code = sql.lines().filter(|line| !line.starts_with("--"));
    let code: String = code.map(|line| format!("{line}\n")).collect();
    let (before, after) = code.split_once("IF today >= due_day THEN\n").unwrap();
    assert!(before.contains("DECLARE due_day") && !before.contains("${DATASET}"));
    let (before, raised) = after.split_once(question(&sql)).unwrap();
    assert!(before.contains("SET not_loaded = (") && !before.contains("RAISE"));
    assert_eq!(after.matches("RAISE").count(), 1);
    assert!(raised.contains("IFNULL(not_loaded, 'none')"), "{raised}");
}

#[test]
fn it_names_every_item_of_the_catalog() {
    let sql = sql();
    let listed = between(&sql, "UNNEST([", ']');
    let listed: BTreeSet<_> = words(listed[0], |c| c.is_ascii_alphanumeric() || c == '_').collect();
    let catalog = folder().join("../data/catalog");
    let items: BTreeSet<_> = fs::read_dir(catalog)
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name();
            name.into_string().unwrap().to_lowercase()
        })
        .collect();
    let items: BTreeSet<_> = items.iter().map(String::as_str).collect();
    assert_eq!(listed, items, "deploy/alerts/deadline.sql and data/catalog");
}
