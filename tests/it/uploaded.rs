//! An item that is read from a file: from the export to the warehouse, and every way to spoil it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::ports::{Cell, Warehouse};

use crate::cli::{Said, Shell};
use crate::sandbox_ledger::Served;

/// Semicolons, decimal commas, a customer, and a voucher that stands in two lines; the last day of the month in the evening.
const USED: &str = "Voucher Id;Ordered Amount;Usage Date;Customer Id;Seller\r\n\
                    V-1;1.250,50;2024-04-30 18:30:00;C-SENTINEL;x\r\n\
                    V-1;0,25;2024-04-02;;y\r\n\
                    \"V;2\";7;;C-SENTINEL;z\r\n";

fn run(shell: &Shell, bytes: &[u8], more: &[&str]) -> Said {
    fs::write(shell.path("used.csv"), bytes).unwrap();
    let mut args = vec![
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "JDASH",
    ];
    args.extend(["--file", "JDASH=used.csv", "--json"]);
    args.extend(more);
    shell.run(&args)
}

fn result(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

fn package(said: &Said) -> PathBuf {
    let result = result(said);
    let evidence = result["ipe_results"]["JDASH"]["evidence"]
        .as_str()
        .unwrap()
        .to_owned();
    Path::new(evidence.trim_start_matches("file://")).to_owned()
}

fn text(package: &Path, name: &str) -> String {
    fs::read_to_string(package.join(name)).unwrap()
}

/// The first piece of the copy of the file.
fn piece(shell: &Shell, package: &Path) -> PathBuf {
    let file: Value = serde_json::from_str(&text(package, "data/file.json")).unwrap();
    let path = file["copy"]["pieces"][0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    shell.path("out/staging").join(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_through_to_the_warehouse_and_its_package_verifies() {
    let shell = Shell::new();
    let said = run(&shell, USED.as_bytes(), &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let result = result(&said);
    let item = &result["ipe_results"]["JDASH"];
    assert_eq!(
        (&item["rows_extracted"], &item["status"]),
        (&3.into(), &"SUCCESS".into())
    );
    let package = package(&said);
    let verified = shell.run(&["verify", package.to_str().unwrap()]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert!(
        verified
            .out
            .contains("counted, summed and drawn from again"),
        "{}",
        verified.out
    );

    let summary = text(&package, "data/summary.md");
    for part in [
        "semicolon: by it",
        "decimal-comma: line 2",
        "4 lines, 3 rows",
        "not read: Seller",
    ] {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    assert_eq!(fs::read(piece(&shell, &package)).unwrap(), USED.as_bytes());
    for name in [
        "data/summary.md",
        "data/log.jsonl",
        "data/record.json",
        "data/witnesses.json",
    ] {
        assert!(!text(&package, name).contains("SENTINEL"), "{name}");
    }

    let root = |name: &str| store::open(shell.path("out").join(name).to_str().unwrap()).unwrap();
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let sql = "SELECT line_no, voucher_id, amount_used, usage_date FROM pg01_validated_ipe_jdash ORDER BY line_no";
    let rows = warehouse.rows(sql, 10).await.unwrap().rows;
    let shown: Vec<String> = rows.iter().map(|row| format!("{:?}", &row[..2])).collect();
    assert_eq!(
        shown,
        [
            "[Int(2), Text(\"V-1\")]",
            "[Int(3), Text(\"V-1\")]",
            "[Int(4), Text(\"V;2\")]",
        ]
    );
    let amounts = rows.iter().map(|row| match &row[2] {
        Cell::Decimal(amount) => amount.to_string(),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        amounts.collect::<Vec<_>>(),
        ["1250.5000", "0.2500", "7.0000"]
    );
    assert_eq!(rows[2][3], Cell::Null);
}

#[test]
fn the_same_rows_in_another_form_have_the_same_digest() {
    let digest = |bytes: &[u8], more: &[&str]| {
        let shell = Shell::new();
        let said = run(&shell, bytes, more);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        result(&said)["ipe_results"]["JDASH"]["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = digest(USED.as_bytes(), &[]);
    let other = "status\tseller\tcustomer_id\tUSAGE_DATE\tamount_used\tVOUCHER\n\
                 \tx\tC-SENTINEL\t30/04/2024 18:30\t1,250.50\tV-1\n\
                 \ty\t\t2/4/2024\t.25\tV-1\n\
                 \tz\tC-SENTINEL\t\t7.00\tV;2";
    let utf16: Vec<u8> = format!("\u{feff}{other}")
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(digest(&utf16, &["--file-form", "JDASH=day-first"]), first);
    let changed = USED.replace("0,25", "0,26");
    assert_ne!(digest(changed.as_bytes(), &[]), first);
}

#[test]
fn without_a_file_the_item_is_no_part_of_the_run() {
    let shell = Shell::new();
    let served = Served::start(shell.dir.path(), &["--rows", "300"]);
    fs::create_dir(shell.path("secrets")).unwrap();
    fs::write(shell.path("secrets/DB_CREDENTIALS_NAV_BI"), &served.odbc).unwrap();
    let args = "run --period 2024-04 --secrets file:secrets --json";
    let said = shell.run(&args.split(' ').collect::<Vec<_>>());
    assert!(
        said.err.contains("JDASH is no part of this run"),
        "{}",
        said.err
    );
    let result = result(&said);
    assert!(result["ipe_results"]["JDASH"].is_null());
    let why = result["not_part_of_run"]["JDASH"].as_str().unwrap();
    assert!(why.contains("--file JDASH=PATH"), "{why}");
    assert!(!shell.path("out/evidence/JDASH").exists());
    // The month is judged all the same: what the file would explain is not concluded, and nothing passes for a zero.
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert_eq!(result["control_result"], "NOT_CONCLUDED");
    let lines = &result["reconciliation"]["lines"];
    let all = ["OK", "OK", "OK", "OK", "OK", "NOT_CONCLUDED"];
    for (line, status) in ["L1", "L2", "L3", "L4", "L5", "L6"].into_iter().zip(all) {
        assert_eq!(lines[line], status, "{line} {lines}");
    }
    assert!(result["publication"]["error_message"].is_null());

    let named = shell.run(&["run", "--period", "2024-04", "--ipe", "JDASH"]);
    assert_eq!(named.code, 2, "{}{}", named.out, named.err);
    assert!(named.err.contains("--file JDASH=PATH"), "{}", named.err);
    let gone = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--ipe",
        "JDASH",
        "--file",
        "JDASH=gone.csv",
    ]);
    assert_eq!(gone.code, 2, "{}{}", gone.out, gone.err);
    assert!(
        gone.out.contains("no such file"),
        "{}{}",
        gone.out,
        gone.err
    );
    for (args, part) in [
        (["--file", "IPE_07=used.csv"], "is asked of a server"),
        (["--file-form", "JDASH=tab"], "no file was said"),
        (["--file", "used.csv"], "write ITEM=PATH"),
    ] {
        let mut all = vec!["run", "--period", "2024-04"];
        all.extend(args);
        let said = shell.run(&all);
        assert!(said.code == 2 && said.err.contains(part), "{}", said.err);
    }
}

/// What is wrong in a file is an error with its line, sealed without a value, and nothing is loaded.
#[test]
fn a_spoiled_file_is_sealed_as_an_error_without_a_value_of_it() {
    for (bytes, part) in [
        ("SENTINEL\t12\nSENTINEL\t13\n", "line 1: names no column"),
        ("voucher_id,amount_used\nSENTINEL,1.234\n", "line 2"),
        (
            "voucher_id,amount_used\nV,1\nSENTINEL\n",
            "line 3: 1 fields",
        ),
        (
            "voucher_id,amount_used\nSENTINEL,-1\n",
            "line 2: column `amount_used` is negative",
        ),
        (
            "voucher_id,amount_used\n4711.0,1\n",
            "line 2: column `voucher_id` is an identifier",
        ),
        ("", "the file is empty"),
    ] {
        let shell = Shell::new();
        let said = run(&shell, bytes.as_bytes(), &["--log", "trace"]);
        assert_eq!(said.code, 2, "{}{}", said.out, said.err);
        let error = result(&said)["ipe_results"]["JDASH"]["error_message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(error.contains(part), "{part}: {error}");
        let package = package(&said);
        let verified = shell.run(&["verify", package.to_str().unwrap()]);
        assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
        let files = ["data/record.json", "data/log.jsonl", "data/summary.md"];
        let texts = files.map(|name| text(&package, name));
        for text in texts.iter().chain([&said.out, &said.err]) {
            assert!(
                !text.contains("SENTINEL") && !text.contains("4711"),
                "{text}"
            );
        }
        assert!(
            !shell
                .path("out/warehouse/pg01_validated_ipe_jdash/period=2024-04")
                .exists()
        );
    }
}

#[test]
fn companies_that_the_file_names_must_all_be_in_it() {
    let shell = Shell::new();
    let nine = [
        "EC_NG", "EC_KE", "EC_MA", "EC_IC", "HF_SN", "JD_DZ", "JD_GH", "JD_UG", "JM_EG",
    ];
    let file = |companies: &[&str]| {
        let rows = companies.iter().map(|company| format!("{company},V,1\n"));
        format!(
            "id_company,voucher_id,amount_used\n{}",
            rows.collect::<String>()
        )
    };
    let said = run(&shell, file(&nine).as_bytes(), &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = run(&shell, file(&nine[1..]).as_bytes(), &[]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let failure = &result(&said)["ipe_results"]["JDASH"]["failures"][0];
    assert_eq!(failure["check"], "population.companies");
    assert!(
        failure["what"].as_str().unwrap().contains("EC_NG"),
        "{failure}"
    );
}

#[test]
fn a_copy_or_a_record_that_was_changed_is_found() {
    let shell = Shell::new();
    let said = run(&shell, USED.as_bytes(), &[]);
    let package = package(&said);
    let piece = piece(&shell, &package);
    fs::write(&piece, USED.replace("0,25", "0,35")).unwrap();
    let verified = shell.run(&["verify", package.to_str().unwrap()]);
    assert_eq!(verified.code, 1, "{}{}", verified.out, verified.err);
    assert!(
        verified.out.contains("not the one that was copied"),
        "{}",
        verified.out
    );
    fs::remove_file(&piece).unwrap();
    let verified = shell.run(&["verify", package.to_str().unwrap()]);
    assert_eq!(verified.code, 2, "{}{}", verified.out, verified.err);
    fs::write(&piece, USED).unwrap();
    let verified = shell.run(&["verify", package.to_str().unwrap()]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}
