//! One's own tables: the example of the README as a run, as a driver sees it, and every way to get it wrong.

use std::fs;

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
            "writers and replay need the generated ledger",
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
