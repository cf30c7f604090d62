//! One's own tables: the example of the README as a run, as a driver sees it, and every way to get it wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::ports::{Cell, Warehouse};

use crate::cli::Shell;
use crate::sandbox_ledger::{Served, read_by};
use crate::support::odbc_parts;

fn example(part: &str) -> String {
    format!("{}/data/examples/shop/{part}", env!("CARGO_MANIFEST_DIR"))
}

/// The example's tables in a folder of this test, to be spoiled.
fn copy_of_tables(shell: &Shell) {
    let to = shell.dir.path().join("tables/Shop/dbo");
    fs::create_dir_all(&to).unwrap();
    for name in ["Payments.csv", "Payments.toml"] {
        fs::copy(example(&format!("tables/Shop/dbo/{name}")), to.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_runs_own_items_over_own_tables_to_the_last_digit() {
    let shell = Shell::new();
    let (catalog, tables) = (example("catalog"), example("tables"));
    let said = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--catalog",
        &catalog,
        "--sandbox-data",
        &tables,
        "--json",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    let item = &result["ipe_results"]["PAYMENTS"];
    assert_eq!(item["rows_extracted"], 3);
    assert!(said.err.contains("NOT CONTROL EVIDENCE"), "{}", said.err);
    let package = item["evidence"].as_str().unwrap();
    assert_eq!(shell.run(&["verify", package]).code, 0);

    let root = |name: &str| {
        store::open(shell.dir.path().join("out").join(name).to_str().unwrap()).unwrap()
    };
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let sql = "SELECT payment_no, amount, customer, memo FROM pg01_validated_ipe_payments ORDER BY payment_no";
    let rows = warehouse.rows(sql, 10).await.unwrap().rows;
    let amounts: Vec<String> = rows
        .iter()
        .map(|row| match &row[1] {
            Cell::Decimal(amount) => amount.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    let exact = [
        "1250.00000000000000000000",
        "-99.99900000000000000000",
        "0.00000000000000000010",
    ];
    assert_eq!(amounts, exact);
    let texts: Vec<_> = rows
        .iter()
        .map(|row| (row[2].clone(), row[3].clone()))
        .collect();
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        texts,
        [
            (text("Aïcha Diallo"), Cell::Null),
            (text("Okafor; Chinwe"), text("refund")),
            (text("Zoë Otieno"), text("")),
        ]
    );
}

#[test]
fn own_tables_lie_beside_the_ledger_and_any_driver_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(
        folder.path(),
        &["--rows", "300", "--data", &example("tables")],
    );
    let item = [
        "examples/shop/catalog/PAYMENTS/query.sql",
        "Company",
        "Amount",
    ];
    let expected = json!({
        "EC_NG": ["2", "1150.00100000000000000000"],
        "EC_KE": ["1", "0.00000000000000000010"],
    });
    for (driver, login) in [
        ("mssql-python", vec![served.odbc.clone()]),
        ("pymssql", odbc_parts(&served.odbc)),
    ] {
        let said = read_by(driver, item, login);
        assert_eq!(said["by_rows"], expected, "{driver}");
    }
}

#[test]
fn without_the_ledger_the_connection_names_the_own_database() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--data", &example("tables")]);
    assert!(served.odbc.contains("DATABASE=Shop;"), "{}", served.odbc);
}

#[test]
fn what_cannot_be_served_is_one_error_and_nothing_is_written() {
    // A file of the example, the change that spoils it (none: it is removed), and what is said.
    for (file, change, part) in [
        (
            "Payments.toml",
            None,
            "the types of a CSV file are never guessed; declare its columns in tables/Shop/dbo/Payments.toml",
        ),
        (
            "Payments.csv",
            None,
            "tables/Shop/dbo/Payments.toml: describes a table that has no .csv or .parquet file",
        ),
        (
            "Payments.csv",
            Some(("1250.00", "1250.000000000000000000001")),
            "tables/Shop/dbo/Payments.csv: line 2: column `Amount`: has 21 fraction digits, decimal(38,20) holds 20; \
             declare more or correct the file, nothing is rounded",
        ),
        (
            "Payments.csv",
            Some(("2024-04-03", "03.04.2024")),
            "line 3: column `PaidOn`: is not a date; write YYYY-MM-DD",
        ),
    ] {
        let shell = Shell::new();
        copy_of_tables(&shell);
        let path = shell.dir.path().join("tables/Shop/dbo").join(file);
        match change {
            None => fs::remove_file(path).unwrap(),
            Some((from, to)) => {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(from));
                fs::write(path, text.replacen(from, to, 1)).unwrap();
            }
        }
        for args in [
            &["run", "--period", "2024-04", "--sandbox-data", "tables"][..],
            &["sandbox", "--port", "0", "--data", "tables"],
        ] {
            let said = shell.run(args);
            assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
            assert!(said.err.contains(part), "{}", said.err);
            assert!(!said.err.contains("panicked"), "{}", said.err);
        }
        assert!(!shell.dir.path().join("out/evidence/IPE_07").exists());
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let shell = Shell::new();
    copy_of_tables(&shell);
    let ledger = shell.dir.path().join("ledger/AIG_Nav_DW/dbo");
    fs::create_dir_all(&ledger).unwrap();
    fs::write(ledger.join("customers.csv"), "a\n1\n").unwrap();
    fs::write(
        ledger.join("customers.toml"),
        "columns = [{ name = \"a\", type = \"int\" }]",
    )
    .unwrap();
    for (args, part) in [
        (
            &["run", "--secrets", "env", "--sandbox-data", "tables"][..],
            "leave --sandbox-data out, or use --secrets sandbox",
        ),
        (
            &[
                "sandbox",
                "--port",
                "0",
                "--data",
                "tables",
                "--writers",
                "1",
            ],
            "need the generated ledger",
        ),
        (
            &["sandbox", "--port", "0", "--data", "ledger", "--rows", "10"],
            "the ledger has the table AIG_Nav_DW.dbo.customers too",
        ),
        (
            &["sandbox", "--data", "tables", "--replay"],
            "cannot be used with",
        ),
        (&["sandbox", "--writers", "65"], "65 is not in 0..=64"),
    ] {
        let said = shell.run(args);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
    }
}

/// Every type that a table can have, with a value of it.
const EVERY_TYPE: [(&str, &str); 28] = [
    ("bit", "1"),
    ("tinyint", "255"),
    ("smallint", "-32768"),
    ("int", "2147483647"),
    ("bigint", "-9223372036854775808"),
    ("decimal(38,20)", "-123456789012345678.00000000000000000001"),
    ("money", "-225179981368.5247"),
    ("smallmoney", "214748.3647"),
    ("real", "0.5"),
    ("float", "0.1"),
    ("date", "0001-01-01"),
    ("datetime", "1753-01-01 00:00:00.003"),
    ("smalldatetime", "2079-06-06 23:59"),
    ("datetime2(7)", "9999-12-31 23:59:59.999999"),
    ("time(7)", "23:59:59.999999"),
    ("char(5)", "ab"),
    ("varchar(20)", "5 € Café"),
    ("varchar(max)", "long"),
    ("nchar(2)", "é"),
    ("nvarchar(40)", "طلب عميل"),
    ("nvarchar(max)", "𝄞"),
    ("text", "old"),
    ("ntext", "ältest"),
    ("uniqueidentifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
    ("binary(4)", "0xCAFE"),
    ("varbinary(8)", "00ff"),
    ("varbinary(max)", "CAFEBABE"),
    ("image", "01"),
];

/// Writes the item `ALL_TYPES` over `T.dbo.T`, whose columns are a company and one of each type.
fn item_of_every_type(shell: &Shell) {
    let item = shell.dir.path().join("items/ALL_TYPES");
    fs::create_dir_all(&item).unwrap();
    let mut contract = "id = \"ALL_TYPES\"\ntitle = \"t\"\nsecret = \"S\"\ndatabases = [\"T\"]\n[contract]\nversion = 1\n\
                        key = [\"company\"]\ncompany = \"company\"\n"
        .to_owned();
    let columns = [("company", "varchar(5)")]
        .into_iter()
        .map(|(n, t)| (n.to_owned(), t));
    let typed = EVERY_TYPE
        .iter()
        .enumerate()
        .map(|(n, (ty, _))| (format!("c{n}"), *ty));
    let mut names = Vec::new();
    for (name, ty) in columns.chain(typed) {
        names.push(format!("t.[{name}]"));
        let amount = ty.starts_with("decimal") || ty.ends_with("money");
        contract += &format!(
            "[[contract.columns]]\nsource = \"{name}\"\nname = \"{name}\"\ntype = \"{ty}\"\namount = {amount}\n"
        );
    }
    fs::write(item.join("ipe.toml"), contract).unwrap();
    let query = format!("SELECT {} FROM [T].[dbo].[T] AS t", names.join(", "));
    fs::write(item.join("query.sql"), query).unwrap();
}

/// The content digest of a good run of the item over the tables of the folder.
fn run_every_type(shell: &Shell) -> Value {
    let said = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--catalog",
        "items",
        "--sandbox-data",
        "tables",
        "--json",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    let item = &result["ipe_results"]["ALL_TYPES"];
    assert_eq!(item["rows_extracted"], 2, "{item}");
    item["digest"].clone()
}

/// The schema file of `T.dbo.T`.
fn schema_of_every_type(csv: &str) -> String {
    let mut schema = format!("{csv}\n[[columns]]\nname = \"company\"\ntype = \"varchar(5)\"\n");
    for (n, (ty, _)) in EVERY_TYPE.iter().enumerate() {
        schema += &format!("[[columns]]\nname = \"c{n}\"\ntype = \"{ty}\"\n");
    }
    schema
}

/// The same two rows as texts in a Parquet file.
fn parquet_of_every_type(path: &Path) {
    let column = |name: String, values: [Option<&str>; 2]| {
        let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        (name, array)
    };
    let company = column("company".to_owned(), [Some("A"), Some("B")]);
    let typed = EVERY_TYPE.iter().enumerate();
    let typed = typed.map(|(n, (_, value))| column(format!("c{n}"), [Some(value), None]));
    let batch = RecordBatch::try_from_iter([company].into_iter().chain(typed)).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn every_type_goes_from_csv_and_parquet_through_a_whole_run() {
    let shell = Shell::new();
    item_of_every_type(&shell);
    let tables = shell.dir.path().join("tables/T/dbo");
    fs::create_dir_all(&tables).unwrap();
    let values: String = EVERY_TYPE
        .iter()
        .map(|(_, value)| format!(",{value}"))
        .collect();
    let nulls = ",".repeat(EVERY_TYPE.len());
    let csv = format!("A{values}\nB{nulls}\n");
    let form = "csv = { header = false }";
    fs::write(tables.join("T.toml"), schema_of_every_type(form)).unwrap();
    fs::write(tables.join("T.csv"), &csv).unwrap();
    let digest = run_every_type(&shell);

    // One digit more at the far end is another digest.
    let other = csv.replace("00000001,", "00000002,");
    assert_ne!(other, csv);
    fs::write(tables.join("T.csv"), other).unwrap();
    assert_ne!(run_every_type(&shell), digest);

    fs::remove_file(tables.join("T.csv")).unwrap();
    fs::write(tables.join("T.toml"), schema_of_every_type("")).unwrap();
    parquet_of_every_type(&tables.join("T.parquet"));
    assert_eq!(run_every_type(&shell), digest);
}
