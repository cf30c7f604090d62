//! `soxauto sql`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{Desk, MONTH, TABLE, widest};

/// Defect 24 of the predecessor: an answer named csv had neither commas nor the names of its columns.
#[tokio::test]
async fn a_group_by_gives_the_recorded_totals_in_every_form() {
    let desk = Desk::new(1_500).await;
    let query = format!(
        "SELECT id_company, COUNT(*) AS n, SUM(rem_amt_lcy) AS total, SUM(fee) AS fees FROM {TABLE} \
         GROUP BY id_company ORDER BY id_company"
    );
    let totals = &desk.world.record.staged.as_ref().unwrap().totals;
    let rows: Value =
        serde_json::from_str(&desk.out(&["sql", &query, "--format", "json"])).unwrap();
    let csv = desk.out(&["sql", &query, "--format", "csv"]);
    let table = desk.out(&["sql", &query]);
    assert_eq!(rows.as_array().unwrap().len(), totals.groups.len());
    assert_eq!(csv.lines().next(), Some("id_company,n,total,fees"));
    for (row, (company, group)) in rows.as_array().unwrap().iter().zip(&totals.groups) {
        assert_eq!(row["id_company"], company.as_str());
        assert_eq!(row["n"], group.rows);
        let [total, fees] = [0, 1].map(|place| group.sums[place].to_string());
        assert_eq!(row["total"], total);
        assert_eq!(row["fees"], fees);
        let line = format!("\r\n{company},{},{total},{fees}\r\n", group.rows);
        assert!(csv.contains(&line), "{csv}");
        assert!(table.contains(&total), "{table}");
    }
    let file = desk.folder("answer.parquet");
    desk.out(&[
        "sql",
        &query,
        "--format",
        "parquet",
        "--output",
        file.to_str().unwrap(),
    ]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    assert_eq!(
        reader.schema().field(2).data_type(),
        &DataType::Decimal128(38, 20)
    );
    let rows: usize = reader
        .build()
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(rows, totals.groups.len());
}

#[tokio::test]
async fn months_runs_and_common_tables_have_names() {
    let desk = Desk::new(300).await;
    let run = format!("\"{}\"", desk.run());
    for from in [TABLE, MONTH, run.as_str(), "x"] {
        let query = format!("WITH x AS (SELECT * FROM {MONTH}) SELECT COUNT(*) AS n FROM {from}");
        let out = desk.out(&["sql", &query, "--format", "csv"]);
        assert_eq!(out, "n\r\n300\r\n", "{from}");
    }
    // A run that is staged and not loaded is only in its own name.
    fs::remove_dir_all(desk.folder("warehouse").join(TABLE).join("period=2024-04")).unwrap();
    let count = |from: &str| {
        desk.out(&[
            "sql",
            &format!("SELECT COUNT(*) AS n FROM {from}"),
            "--format",
            "csv",
        ])
    };
    assert_eq!(count(&run), "n\r\n300\r\n");
    assert_eq!(count(TABLE), "n\r\n0\r\n");
    desk.refused(
        &["sql", &format!("SELECT 1 FROM {MONTH}")],
        "hint: loaded are: none",
    );
}

#[tokio::test]
async fn null_is_not_the_empty_text_and_types_are_kept() {
    let desk = Desk::new(10).await;
    let query = format!(
        "SELECT entry_no, note, '' AS empty, 'a,\"b\"' AS quoted, open, day, posting_date, changed, at, stamp, rate \
         FROM {MONTH} WHERE entry_no IN (0, 1) ORDER BY entry_no"
    );
    let said = desk.ask(&["sql", &query, "--format", "csv"]);
    let lines: Vec<&str> = said.out.split("\r\n").collect();
    let stamp = "0x0000000000000000";
    let first = format!(
        "0,,\"\",\"a,\"\"b\"\"\",,1970-01-01,1970-01-01T00:00:00,1970-01-01T00:00:00Z,00:00:00.000000,{stamp},0"
    );
    assert_eq!(lines[1], first);
    assert!(
        said.err.contains("note: floats, not exact: rate"),
        "{}",
        said.err
    );
    let rows: Value =
        serde_json::from_str(&desk.out(&["sql", &query, "--format", "json"])).unwrap();
    assert_eq!(rows[0]["note"], Value::Null);
    assert_eq!(rows[1]["note"], "Café n° 1");
    assert_eq!(rows[1]["open"], false);
    assert_eq!(rows[1]["rate"], 1.0);
    assert_eq!(rows[1]["changed"], "1970-01-01T00:00:00.000001Z");
}

#[tokio::test]
async fn amounts_of_38_digits_stay_exact_and_sums_beyond_them_are_refused() {
    let desk = Desk::new(1).await;
    let run = "20240501T090000Z-000000aa";
    let folder = format!("staging/IPE_09/period=2024-04/run={run}");
    widest(&desk.folder(&folder).join("part-00000.parquet"));
    let from = format!("FROM \"IPE_09@{run}\"");
    let out = desk.out(&["sql", &format!("SELECT amount {from}"), "--format", "csv"]);
    let top = "999999999999999999.99999999999999999999";
    assert_eq!(out.lines().nth(1), Some(top));
    let least = desk.out(&[
        "sql",
        &format!("SELECT MIN(amount) AS a {from}"),
        "--format",
        "csv",
    ]);
    assert_eq!(least, format!("a\r\n-{top}\r\n"));
    // Two of the largest: 2 × (10^38 - 1) units fit in no decimal, and in 127 bits neither.
    let beyond = format!("SELECT SUM(amount) AS a {from} WHERE side = 1");
    for format in ["csv", "json", "table", "parquet"] {
        let file = desk.folder("beyond");
        let args = [
            "sql",
            &beyond,
            "--format",
            format,
            "--output",
            file.to_str().unwrap(),
        ];
        desk.refused(&args, "38 digits");
        assert!(!file.exists(), "half an answer is no answer");
    }
    let product = format!("SELECT amount * amount AS a {from}");
    let said = desk.ask(&["sql", &product]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        !said.err.contains("99999"),
        "a value in an error: {}",
        said.err
    );
}

#[tokio::test]
async fn numbers_in_a_query_are_exact_too() {
    let desk = Desk::new(300).await;
    let count = |condition: &str| {
        let query = format!("SELECT COUNT(*) AS n FROM {MONTH} WHERE {condition}");
        let out = desk.out(&["sql", &query, "--format", "csv"]);
        out.lines().nth(1).unwrap().to_owned()
    };
    // Row n has (n - 40) / 10; every fifth is null.
    assert_eq!(count("rem_amt_lcy = 12.3"), "1");
    assert_eq!(count("rem_amt_lcy = 12.30"), "1");
    assert_eq!(
        count("rem_amt_lcy = 12.3 OR rem_amt_lcy = 12.2 OR rem_amt_lcy = 12.25"),
        "2"
    );
    assert_eq!(count("rem_amt_lcy BETWEEN -0.2 AND 0.2"), "4");
    assert_eq!(count("rem_amt_lcy = 12.30000000000000000001"), "0");
    assert_eq!(count("rem_amt_lcy - 0.00000000000000000001 < -3.9"), "1");
    let list = format!("SELECT 1 FROM {MONTH} WHERE rem_amt_lcy IN (12.3, 12.2)");
    desk.refused(&["sql", &list], "hint: Polars wants one decimal type in IN");
    // The twin: a float finds a row that is not equal, and is named where one is shown.
    assert_eq!(count("rem_amt_lcy = 12.30000000000000000001e0"), "1");
    let query = format!(
        "SELECT COALESCE(rem_amt_lcy, 0.0) AS a, fee * 0.5 AS b FROM {MONTH} WHERE entry_no = 123"
    );
    let said = desk.ask(&["sql", &query, "--format", "csv"]);
    assert_eq!(said.out, "a,b\r\n8.30000000000000000000,0.1538\r\n");
    assert_eq!(said.err, "");
    let said = desk.ask(&["sql", &format!("SELECT AVG(fee) AS mean FROM {MONTH}")]);
    assert!(
        said.err.contains("note: floats, not exact: mean"),
        "{}",
        said.err
    );
}

/// Polars would compare the amounts as texts with twenty digits behind the point, and find nothing.
#[tokio::test]
async fn an_amount_in_quotes_is_refused_and_a_text_may_be_compared() {
    let desk = Desk::new(300).await;
    let of = |condition: &str| format!("SELECT COUNT(*) AS n FROM {MONTH} WHERE {condition}");
    for condition in [
        "rem_amt_lcy = '12.3'",
        "'12.3' = rem_amt_lcy",
        "rem_amt_lcy <> '12.3'",
        "rem_amt_lcy BETWEEN '1' AND '2'",
        "note = 'x' OR (entry_no > 3 AND rem_amt_lcy + fee > '12.3')",
        "NOT rem_amt_lcy IS DISTINCT FROM '12.3'",
        "rem_amt_lcy = note",
        "CASE rem_amt_lcy WHEN '12.3' THEN 1 ELSE 0 END = 1",
    ] {
        let said = desk.ask(&["sql", &of(condition), "--format", "csv"]);
        assert_eq!(said.code, 2, "{condition}: {}", said.out);
        let column = "column `rem_amt_lcy` is no text and is compared with one";
        assert!(said.err.contains(column), "{condition}: {}", said.err);
        assert!(
            said.err.contains("hint: write the number without quotes"),
            "{}",
            said.err
        );
    }
    let grouped = format!(
        "WITH sums AS (SELECT id_company, SUM(rem_amt_lcy) AS total FROM {MONTH} GROUP BY id_company) \
         SELECT * FROM sums WHERE total > '0'"
    );
    desk.refused(&["sql", &grouped], "column `total` is no text");
    let having =
        format!("SELECT id_company FROM {MONTH} GROUP BY id_company HAVING SUM(rem_amt_lcy) > '0'");
    desk.refused(&["sql", &having], "is no text and is compared with one");
    desk.refused(&["sql", &of("rem_amt_lcy IN ('12.3')")], "error");
    // The twins: numbers, texts, and what is said to be one.
    for (condition, rows) in [
        ("rem_amt_lcy = 12.3", "1"),
        ("note = 'Café n° 1'", "1"),
        (
            "CAST(rem_amt_lcy AS VARCHAR) = '12.30000000000000000000'",
            "1",
        ),
        ("CAST('12.3' AS DECIMAL(38, 20)) = rem_amt_lcy", "1"),
        (
            "COALESCE(CAST(rem_amt_lcy AS VARCHAR), 'none') = 'none'",
            "60",
        ),
    ] {
        let out = desk.out(&["sql", &of(condition), "--format", "csv"]);
        assert_eq!(out, format!("n\r\n{rows}\r\n"), "{condition}");
    }
}

/// Every file below a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn nothing_but_queries_is_answered_and_nothing_changes() {
    let desk = Desk::new(10).await;
    let before = contents(desk.world.dir.path());
    for statement in [
        format!("DELETE FROM {TABLE}"),
        format!("DROP TABLE {TABLE}"),
        format!("TRUNCATE TABLE {TABLE}"),
        format!("INSERT INTO {TABLE} SELECT * FROM {TABLE}"),
        format!("CREATE TABLE mine AS SELECT * FROM {TABLE}"),
        format!("COPY {TABLE} TO 'out.csv'"),
        "-- SELECT\nUPDATE x SET a = 1".to_owned(),
        String::new(),
    ] {
        desk.refused(&["sql", &statement], "only queries are answered");
    }
    desk.refused(
        &["sql", &format!("SELECT 1; DROP TABLE {TABLE}")],
        "one (and only one) statement",
    );
    desk.refused(
        &["sql", "SELECT * FROM read_parquet('/etc/x.parquet')"],
        "files are not read by their path",
    );
    assert_eq!(contents(desk.world.dir.path()), before);
}

#[tokio::test]
async fn errors_name_what_there_is() {
    let desk = Desk::new(10).await;
    for (query, part) in [
        (
            "SELECT 1 FROM nowhere",
            "hint: tables are: pg01_validated_ipe_ipe_07",
        ),
        (
            "SELECT nothing FROM pg01_validated_ipe_ipe_07",
            "hint: columns are id_company, entry_no",
        ),
        (
            "WITH x AS (SELECT nothing FROM pg01_validated_ipe_ipe_07) SELECT * FROM x",
            "hint: columns are id_company, entry_no",
        ),
        ("SELECT FROM", "sql parser error"),
        (
            "SELECT 1 FROM pg01_validated_ipe_ipe_07$202405",
            "hint: loaded are: 2024-04",
        ),
        (
            "SELECT 1 FROM pg01_validated_ipe_ipe_07$april",
            "write it as YYYYMM",
        ),
        (
            "SELECT 1 FROM \"IPE_07@20240501T090000Z-ffffffff\"",
            "is neither staged nor sealed here",
        ),
        ("SELECT 1 FROM \"@x\"", "names no staged run"),
    ] {
        desk.refused(&["sql", query], part);
    }
    let nowhere = desk.folder("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    desk.refused(
        &["sql", "SELECT 1 FROM x", "--warehouse", nowhere],
        "there is no directory",
    );
    let file = desk.folder("kept.csv");
    fs::write(&file, "mine").unwrap();
    let file = file.to_str().unwrap();
    desk.refused(
        &["sql", "SELECT 1 AS a", "--output", file],
        "a file that is not there yet",
    );
    assert_eq!(fs::read(file).unwrap(), b"mine");
}

#[tokio::test]
async fn answers_of_any_size_reach_the_pipe_and_a_table_ends() {
    let desk = Desk::new(12_000).await;
    let query = format!("SELECT entry_no FROM {MONTH} ORDER BY entry_no");
    let csv = desk.out(&["sql", &query, "--format", "csv"]);
    assert_eq!(csv.lines().count(), 12_001);
    assert_eq!(csv.lines().last(), Some("11999"));
    let json: Value =
        serde_json::from_str(&desk.out(&["sql", &query, "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 12_000);
    let said = desk.ask(&["sql", &query]);
    assert_eq!(said.out.lines().count(), 1_001);
    assert!(said.err.contains("the first 1000 rows"), "{}", said.err);
    let none: Value = serde_json::from_str(&desk.out(&[
        "sql",
        &format!("SELECT entry_no FROM {MONTH} WHERE entry_no < 0"),
        "--format",
        "json",
    ]))
    .unwrap();
    assert_eq!(none, serde_json::json!([]));
}

#[tokio::test]
async fn a_query_can_come_through_a_pipe() {
    let desk = Desk::new(10).await;
    let folder = |name: &str| desk.folder(name).to_str().unwrap().to_owned();
    let ask = |query: String| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_soxauto"));
        command.args(["sql", "-", "--format", "csv"]);
        command.args(["--warehouse", &folder("warehouse")]);
        command.args(["--staging", &folder("staging")]);
        command.write_stdin(query).output().unwrap()
    };
    let answered = ask(format!("SELECT COUNT(*) AS n\nFROM {TABLE} -- all\n"));
    assert_eq!(answered.stdout, b"n\r\n10\r\n");
    let long = ask(format!("SELECT 1 -- {}", "x".repeat(1 << 20)));
    assert_eq!(long.status.code(), Some(2));
    let error = String::from_utf8(long.stderr).unwrap();
    assert!(error.contains("more than 1048576 bytes"), "{error}");
}
