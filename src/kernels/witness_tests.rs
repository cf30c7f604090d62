use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::*;
use crate::domain::query::QueryFile;
use crate::kernels::cells::{batch, param, parse, shown};
use crate::kernels::samples::{column, vector_contract};

fn definition(oldest: Option<&str>) -> WitnessDefinition {
    WitnessDefinition {
        by: "amount".into(),
        oldest: oldest.map(str::to_owned),
        query: QueryFile::parse("SELECT 1 AS x").unwrap(),
        sample: None,
    }
}

fn columns(counts_delivered: bool) -> FunnelColumns {
    FunnelColumns {
        predicates: vec!["in]scope".into()],
        amounts: vec![],
        counts_delivered,
    }
}

fn population() -> BoundQuery {
    BoundQuery {
        text: "SELECT 1 ;".into(),
        params: vec![BoundParam {
            name: "next_start".into(),
            sql_type: "date".into(),
            value: ParamValue::Date("2024-05-01".parse().unwrap()),
        }],
    }
}

#[test]
fn only_what_every_predicate_keeps_is_drawn_and_the_seed_is_bound() {
    let draw = |oldest, delivered| {
        let definition = definition(oldest);
        draw_query(
            &vector_contract(),
            &definition,
            &columns(delivered),
            &population(),
            "run'1",
        )
    };
    let query = draw(Some("posted_at"), false);
    assert!(
        query.text.contains("WHERE p.[keep: in]]scope] = 1\n"),
        "{}",
        query.text
    );
    assert!(
        query
            .text
            .contains("CONCAT(@P2, N'|', CONVERT(nvarchar(4000), p.[company]))")
    );
    assert_eq!(query.params[1].value, ParamValue::Text("run'1".into()));
    assert!(!query.text.contains("run'1"));
    let dated =
        "ORDER BY CASE WHEN p.[posted_at] IS NULL THEN 1 ELSE 0 END, p.[posted_at], p.[company]";
    assert!(query.text.contains(dated), "{}", query.text);
    let query = draw(None, true);
    assert!(
        query.text.contains("CAST(0 AS bigint) AS [oldest]") && !query.text.contains("posted_at")
    );
    assert!(
        query
            .text
            .contains("p.[keep: in]]scope] = 1 AND p.[delivered] = 1")
    );
    // An amount that is part of the key stands in no order twice.
    let mut contract = vector_contract();
    contract.key.push("amount".into());
    let query = draw_query(
        &contract,
        &definition(None),
        &columns(false),
        &population(),
        "",
    );
    let once = "ORDER BY p.[amount] DESC, p.[company])";
    assert!(query.text.contains(once), "{}", query.text);
}

/// Ranks of the extremes, of the random order, and a key.
fn drawn(company: &str, extremes: [i64; 3], random: i64, key: i64) -> Vec<Cell> {
    let ranks = extremes.into_iter().chain([random]).map(Cell::Int);
    let mut row = vec![Cell::Text(company.into())];
    row.extend(ranks);
    row.push(Cell::Int(key));
    row
}

#[test]
fn extremes_come_first_and_random_rows_fill_up_to_five_different_ones() {
    let mut rows = vec![
        drawn("B", [1, 1, 1], 1, 10),
        drawn("A", [9, 9, 9], 2, 4),
        drawn("A", [9, 9, 1], 9, 3),
        drawn("A", [9, 1, 9], 8, 2),
        drawn("A ", [1, 9, 9], 4, 1),
        drawn("A", [9, 9, 9], 5, 6),
        drawn("A", [9, 9, 9], 3, 5),
        drawn("A", [9, 9, 9], 1, 7),
    ];
    let table = |rows: &[Vec<Cell>]| SmallTable {
        columns: vec![],
        rows: rows.to_vec(),
    };
    let chosen = parse_drawn(&table(&rows)).unwrap();
    let shown = |drawn: &Drawn| {
        (
            drawn.company.clone(),
            drawn.why.clone(),
            drawn.key[0].clone(),
        )
    };
    let expected = [
        ("A", vec![Why::Largest], 1),
        ("A", vec![Why::Smallest], 2),
        ("A", vec![Why::Oldest], 3),
        ("A", vec![Why::Random], 7),
        ("A", vec![Why::Random], 4),
        ("B", vec![Why::Largest, Why::Smallest, Why::Oldest], 10),
    ];
    let expected = expected.map(|(company, why, key)| (company.to_owned(), why, Cell::Int(key)));
    assert_eq!(chosen.iter().map(shown).collect::<Vec<_>>(), expected);
    // The same choice in whatever order the server answers.
    rows.reverse();
    assert_eq!(parse_drawn(&table(&rows)).unwrap(), chosen);
    for wrong in [vec![Cell::Null], {
        let mut row = drawn("A", [1, 1, 1], 1, 1);
        row[1] = Cell::Null;
        row
    }] {
        assert!(parse_drawn(&table(&[wrong])).is_err());
    }
}

fn answer(company: &str, entry: i64, amount: Option<&str>, name: &str) -> Vec<Cell> {
    let amount = amount.map_or(Cell::Null, |text| Cell::Decimal(text.parse().unwrap()));
    vec![
        Cell::Text(name.into()),
        amount,
        Cell::Text(company.into()),
        Cell::Int(entry),
    ]
}

#[test]
fn a_source_row_and_a_staged_one_are_the_same_or_differ_in_named_columns() {
    let delivered = ["name", "amount", "company", "entry_no"].map(str::to_owned);
    let compared = Compared::new(&vector_contract(), &delivered);
    assert_eq!(compared.names(), ["company", "entry_no", "amount", "name"]);
    let row = |cells: Vec<Cell>| {
        let batch = batch(&compared.contract, &delivered, &[cells]).unwrap();
        compared.row(&batch, 0).unwrap()
    };
    // The scale of the answer does not matter, its value does.
    let ours = row(answer("EC_NG", 1, Some("-0.5"), "Café"));
    let same = row(answer("EC_NG", 1, Some("-0.50000000000000000000"), "Café"));
    assert_eq!(ours, same);
    assert_eq!(ours.differing(&same), Vec::<String>::new());
    let cent = row(answer("EC_NG", 1, Some("-0.50000000000000000001"), "Café "));
    assert_eq!(ours.differing(&cent), ["amount", "name"]);
    assert_ne!(ours.sha256, cent.sha256);
    let null = row(answer("EC_NG", 1, None, ""));
    assert_eq!(ours.differing(&null), ["amount", "name"]);
    let seen = compared.seen(std::slice::from_ref(&ours));
    assert_eq!(seen.amounts, [Some("-0.50000000000000000000".to_owned())]);
    assert_eq!(compared.seen(&[null]).amounts, [None]);
    let two = compared.seen(&[ours.clone(), ours]);
    assert_eq!((two.rows, two.sha256, two.amounts), (2, None, vec![]));
}

#[test]
fn what_is_no_value_of_its_column_is_refused() {
    let contract = vector_contract();
    let delivered = ["company", "entry_no", "amount", "name", "posted_at"].map(str::to_owned);
    let compared = Compared::new(&contract, &delivered);
    let good = |entry: Cell| vec![Cell::Null, entry, Cell::Null, Cell::Null, Cell::Null];
    assert!(batch(&compared.contract, &delivered, &[good(Cell::Int(1))]).is_ok());
    for entry in [Cell::Text("1".into()), Cell::Int(1 << 40)] {
        let error = batch(&compared.contract, &delivered, &[good(entry)]).unwrap_err();
        assert!(error.contains("entry_no"), "{error}");
    }
    let missing = batch(&compared.contract, &delivered[..2], &[]).unwrap_err();
    assert!(missing.contains("`amount` is missing"), "{missing}");
    let strange: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let strange = RecordBatch::try_from_iter([("company", strange)]).unwrap();
    assert!(compared.row(&strange, 0).is_err());
}

#[test]
fn values_of_a_file_are_read_exactly_and_bound_for_any_language() {
    for (sql_type, text, value) in [
        ("varchar(9)", " O'B ", ParamValue::Text(" O'B ".into())),
        ("int", "-7", ParamValue::Int(-7)),
        ("bit", "1", ParamValue::Int(1)),
        ("decimal(38,20)", "-0.10", ParamValue::Text("-0.10".into())),
        (
            "date",
            "2024-04-30",
            ParamValue::Date("2024-04-30".parse().unwrap()),
        ),
        (
            "datetime",
            "2024-04-30",
            ParamValue::Text("2024-04-30T00:00:00.000".into()),
        ),
        (
            "datetime",
            "2024-04-30 23:59:59.997",
            ParamValue::Text("2024-04-30T23:59:59.997".into()),
        ),
        (
            "datetime2(6)",
            "2024-04-30T01:02:03.000004",
            ParamValue::Text("2024-04-30T01:02:03.000004".into()),
        ),
    ] {
        let column = column("k", sql_type);
        let cell = parse(&column, Some(text)).unwrap();
        assert_eq!(param(&column, &cell).unwrap(), value, "{sql_type} {text}");
        assert_eq!(parse(&column, None).unwrap(), Cell::Null);
    }
    for (sql_type, text) in [
        ("int", "4711.0"),
        ("bit", "yes"),
        ("decimal(38,20)", "1,5"),
        ("date", "30.04.2024"),
        ("datetime", "4711"),
        ("time(7)", "00:00"),
    ] {
        let error = parse(&column("k", sql_type), Some(text)).unwrap_err();
        assert!(error.contains("`k`") && !error.contains("4711"), "{error}");
    }
}

#[test]
fn a_personal_key_is_not_shown() {
    let mut contract = vector_contract();
    contract.key = vec!["company".into(), "name".into()];
    contract.columns[4].personal = true;
    let key = [Cell::Text("EC_NG".into()), Cell::Text("Jane".into())];
    assert_eq!(shown(&contract, &key), "company = EC_NG, name = (personal)");
    contract.columns[2].personal = true;
    let delivered = ["company", "amount", "name"].map(str::to_owned);
    assert!(
        Compared::new(&contract, &delivered).amounts.is_empty(),
        "nor a personal amount"
    );
}
