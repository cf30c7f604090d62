//! Rows of every status, and that nothing unknown is a zero.

use std::collections::BTreeSet;

use super::*;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::result::{Bucket, Status};
use crate::domain::reconcile::statement::{MonthState, Statement};
use crate::domain::run::Stamp;
use crate::report::month;

const CONTRACT: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

fn of(statement: &Statement) -> MonthTable {
    let contract = ReconciliationContract::read("v1.toml", CONTRACT).unwrap();
    validations(Judged {
        statement,
        at: "2024-05-03T09:10:00Z".parse().unwrap(),
        contract: &contract,
    })
}

/// A cell as text; `None` is null.
fn cell(table: &MonthTable, row: &[Cell], name: &str) -> Option<String> {
    let columns = &table.contract.columns;
    let place = columns.iter().position(|column| column.name == name);
    let place = place.unwrap_or_else(|| panic!("there is no column {name}"));
    match &row[place] {
        Cell::Null => None,
        Cell::Bool(flag) => Some(flag.to_string()),
        Cell::Int(number) => Some(number.to_string()),
        Cell::Decimal(amount) => Some(amount.to_string()),
        Cell::Text(text) => Some(text.clone()),
        Cell::DateTime(at) => Some(at.to_string()),
        other => panic!("{other:?}"),
    }
}

/// The row of a bucket; `gl` is empty where the line is compared as a whole.
fn row<'a>(table: &'a MonthTable, line: &str, company: &str, gl: &str) -> &'a [Cell] {
    let is_it = |row: &&Vec<Cell>| {
        ["line", "company", "gl"].map(|name| cell(table, row, name).unwrap_or_default())
            == [line, company, gl]
    };
    table.rows.iter().find(is_it).unwrap()
}

/// Every bucket with its row.
fn pairs<'a>(
    statement: &'a Statement,
    table: &'a MonthTable,
) -> impl Iterator<Item = (bool, &'a Bucket, &'a [Cell])> {
    let lines = statement.result.lines.iter();
    let buckets = lines.flat_map(|line| line.buckets.iter().map(|bucket| (line.memo, bucket)));
    let rows = table.rows.iter();
    buckets
        .zip(rows)
        .map(|((memo, bucket), row)| (memo, bucket, row.as_slice()))
}

#[test]
fn both_contracts_are_sound_and_every_cell_fits_its_column() {
    let (planted, sparse) = (month::planted(), month::sparse());
    let unread = unread();
    for table in [of(&planted), of(&sparse), runs(&[unread])] {
        table.contract.validate().unwrap();
        let item: Result<crate::domain::ids::IpeId, _> = table.name.to_ascii_uppercase().parse();
        assert!(item.is_ok(), "{}", table.name);
        assert_eq!(crate::domain::ids::IpeId::of_table(table.name), None);
        for column in &table.contract.columns {
            assert_eq!(ColumnType::of(&column.sql_type), Some(column.column_type));
            assert!(!column.description.is_empty(), "{}", column.name);
        }
        let names: BTreeSet<&str> = table
            .contract
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!(names.len(), table.contract.columns.len());
        let batch = crate::kernels::cells::own_batch(&table.contract, &table.rows).unwrap();
        assert_eq!(batch.num_rows(), table.rows.len());
        for (column, array) in table.contract.columns.iter().zip(batch.columns()) {
            let allowed = column.nullable || array.null_count() == 0;
            assert!(allowed, "{}.{}", table.name, column.name);
            let carrier = crate::kernels::conform::arrow_type(column.column_type);
            assert_eq!(*array.data_type(), carrier, "{}", column.name);
        }
    }
}

#[test]
fn the_difference_is_the_variance_and_only_ok_is_success() {
    for statement in [month::planted(), month::sparse(), month::clean()] {
        let table = of(&statement);
        let buckets: usize = statement.result.lines.iter().map(|l| l.buckets.len()).sum();
        assert_eq!(table.rows.len(), buckets);
        for (memo, bucket, row) in pairs(&statement, &table) {
            let of = |name| cell(&table, row, name);
            let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
            assert_eq!(of("difference"), text(bucket.variance));
            assert_eq!(of("target_agg_value"), text(bucket.actual));
            assert_eq!(of("source_agg_value"), text(bucket.target));
            assert_eq!(of("unexplained"), text(bucket.unexplained));
            assert_eq!(of("unexplained_usd"), text(bucket.unexplained_usd));
            assert_eq!(of("status").as_deref(), Some(bucket.status.word()));
            let wanted = match (memo, bucket.status) {
                (true, _) => None,
                (false, Status::Ok) => Some("success"),
                (false, _) => Some("fail"),
            };
            assert_eq!(of("validation_status").as_deref(), wanted);
        }
    }
}

#[test]
fn every_status_has_its_row_to_the_last_digit() {
    let statement = month::planted();
    let table = of(&statement);
    let nigeria = row(&table, "L1", "EC_NG", "13003");
    let of = |name| cell(&table, nigeria, name);
    for (name, wanted) in [
        ("run_id", "20240503T090000Z-1a2b3c4d"),
        ("validation_name", "PG-01 L1"),
        ("validation_type", "GroupedColumn"),
        ("aggregation_type", "sum"),
        ("start_time", "2024-05-03 09:00:00"),
        ("end_time", "2024-05-03 09:10:00"),
        ("group_by_columns", r#"{"company":"EC_NG","gl":"13003"}"#),
        ("source_table_name", "pg01_validated_ipe_ipe_07"),
        ("target_table_name", "pg01_validated_ipe_cr_04"),
        ("difference", "1650000.00000000000000000000"),
        ("explained", "0.00000000000000000000"),
        ("unexplained", "1650000.00000000000000000000"),
        ("unexplained_usd", "1000.00"),
        ("status", "INVESTIGATE"),
        ("validation_status", "fail"),
        ("decision", "adjust"),
        ("decision_by", "c.mensah@example.org"),
        ("state", "FINAL"),
        ("final_number", "2"),
    ] {
        assert_eq!(of(name).as_deref(), Some(wanted), "{name}");
    }
    let labels = of("labels").unwrap();
    assert!(
        labels.starts_with(r#"[{"key":"control","value":"PG-01"}"#),
        "{labels}"
    );
    assert!(
        of("configuration_json")
            .unwrap()
            .contains(&statement.result.contract_sha256)
    );

    let over = row(&table, "L6", "EC_MA", "");
    assert_eq!(
        cell(&table, over, "status").as_deref(),
        Some("OVER_EXPLAINED")
    );
    assert_eq!(
        cell(&table, over, "validation_status").as_deref(),
        Some("fail")
    );
    assert_eq!(cell(&table, over, "gl"), None);
    assert_eq!(
        cell(&table, over, "group_by_columns").as_deref(),
        Some(r#"{"company":"EC_MA"}"#)
    );
    assert_eq!(
        cell(&table, over, "bridges").as_deref(),
        Some(r#"{"B2":"-20000.00000000000000000000"}"#)
    );
    assert_eq!(
        cell(&table, over, "explained").as_deref(),
        Some("-20000.00000000000000000000")
    );
}

#[test]
fn what_is_not_known_is_null_and_never_a_zero_or_a_success() {
    let statement = month::planted();
    let table = of(&statement);
    // No rate, and so no dollars; the difference in local currency is there.
    let uganda = row(&table, "L4", "JD_UG", "");
    let of = |name| cell(&table, uganda, name);
    assert_eq!(
        of("difference").as_deref(),
        Some("40000000.00000000000000000000")
    );
    for name in ["fx_rate", "difference_usd", "unexplained_usd"] {
        assert_eq!(of(name), None, "{name}");
    }
    assert!(of("no_rate").is_some());
    assert_eq!(of("validation_status").as_deref(), Some("fail"));

    let sparse = month::sparse();
    let table = self::of(&sparse);
    let mut open = 0;
    for (memo, bucket, row) in pairs(&sparse, &table) {
        if bucket.status != Status::NotConcluded || bucket.variance.is_some() {
            continue;
        }
        open += 1;
        let of = |name| cell(&table, row, name);
        for name in [
            "difference",
            "pct_difference",
            "explained",
            "unexplained",
            "difference_usd",
            "unexplained_usd",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        assert!(of("reasons").is_some());
        if bucket.target.is_none() {
            assert_eq!(of("source_rows"), None);
        }
        let wanted = (!memo).then_some("fail");
        assert_eq!(of("validation_status").as_deref(), wanted);
    }
    assert!(open > 9, "{open}");
}

#[test]
fn a_preliminary_month_has_no_number_and_a_clean_one_only_successes() {
    let mut statement = month::clean();
    statement.state = MonthState::Preliminary;
    statement.stamps = vec![Stamp::SandboxSource];
    let table = of(&statement);
    for (memo, _, row) in pairs(&statement, &table) {
        let of = |name| cell(&table, row, name);
        assert_eq!(of("state").as_deref(), Some("PRELIMINARY"));
        assert_eq!(of("final_number"), None);
        assert_eq!(of("is_control_evidence").as_deref(), Some("false"));
        assert_eq!(
            of("not_control_evidence").as_deref(),
            Some("the source is the embedded sandbox")
        );
        let wanted = (!memo).then_some("success");
        assert_eq!(of("validation_status").as_deref(), wanted);
    }
}

fn unread() -> RunRow {
    RunRow::unread(
        "IPE_07",
        (
            "20240503T090000Z-1a2b3c4d".parse().unwrap(),
            "2024-04".parse().unwrap(),
        ),
        "file:///evidence/IPE_07".to_owned(),
        "broken".to_owned(),
    )
}

#[test]
fn of_a_package_that_cannot_be_read_only_its_place_is_known() {
    let table = runs(&[unread()]);
    let known = [
        "item",
        "run_id",
        "period",
        "is_newest",
        "package_uri",
        "problem",
    ];
    for column in &table.contract.columns {
        let name = column.name.as_str();
        let is_known = cell(&table, &table.rows[0], name).is_some();
        assert_eq!(is_known, known.contains(&name), "{name}");
    }
}

#[test]
fn a_run_says_how_it_stands_and_a_run_without_rows_has_none() {
    let at = |standing| RunRow {
        standing: Some(standing),
        stamps: Some(Vec::new()),
        rows: Some(0),
        totals: Some([("amount".to_owned(), "1.50".parse().unwrap())].into()),
        ..unread()
    };
    for (standing, word, number) in [
        (Standing::Preliminary, "PRELIMINARY", None),
        (Standing::Superseded(1), "SUPERSEDED", Some("1")),
        (Standing::Final(2), "FINAL", Some("2")),
    ] {
        let table = runs(&[at(standing)]);
        let of = |name| cell(&table, &table.rows[0], name);
        assert_eq!(of("state").as_deref(), Some(word));
        assert_eq!(of("final_number").as_deref(), number);
        assert_eq!(
            of("row_count").as_deref(),
            Some("0"),
            "none were staged, which is known"
        );
        assert_eq!(of("is_control_evidence").as_deref(), Some("true"));
        assert_eq!(of("not_control_evidence"), None);
        assert_eq!(
            of("control_totals").as_deref(),
            Some(r#"{"amount":"1.50"}"#)
        );
    }
    assert!(Standing::Final(1) > Standing::Superseded(9));
}
