//! FreeTDS' own command line against the ledger of `soxauto sandbox`, over TLS.
//!
//! The program is no part of this repository. `scripts/test` finds or unpacks it and runs this, or counts it as ignored.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use soxauto::domain::amount::Amount;

use crate::sandbox_ledger::{Served, read_by_soxauto};
use crate::support::odbc_parts;

/// Lines that `tsql` prints for a batch, without header and footer.
fn tsql(folder: &std::path::Path, odbc: &str, batch: &str) -> Vec<String> {
    let program = std::env::var_os("SOXAUTO_TEST_TSQL")
        .expect("SOXAUTO_TEST_TSQL must name FreeTDS' tsql; scripts/test finds it");
    let [host, port, user, password, database] = odbc_parts(odbc).try_into().unwrap();
    let conf = folder.join("freetds.conf");
    let server = format!("[it]\nhost={host}\nport={port}\ntds version=7.4\nencryption=require\n");
    fs::write(&conf, server).unwrap();
    let mut child = Command::new(program)
        .args(["-S", "it", "-U", &user, "-P", &password, "-D", &database])
        .args(["-o", "fhq"])
        .env("FREETDSCONF", conf)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    write!(input, "{batch}\nGO\nexit\n").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let mut lines: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.extend(errors.lines().map(str::to_owned));
    lines
}

#[test]
#[ignore = "needs FreeTDS' tsql, which scripts/test looks for"]
fn tsql_runs_an_items_file_and_gets_what_a_run_gets() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--rows", "3000"]);
    let record = read_by_soxauto(folder.path(), &served.odbc);
    let names: Vec<_> = record
        .contract
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    let at = |name| names.iter().position(|found| *found == name).unwrap();
    let (company, amount) = (at("id_company"), at("rem_amt_lcy"));

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/catalog/IPE_07/query.sql");
    let lines = tsql(
        folder.path(),
        &served.odbc,
        &fs::read_to_string(file).unwrap(),
    );
    let mut found: BTreeMap<String, (u64, Amount)> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), names.len(), "{line}");
        let value: Amount = fields[amount].parse().unwrap();
        let zero = (0, Amount::zero(20));
        let group = found.entry(fields[company].to_owned()).or_insert(zero);
        group.0 += 1;
        group.1 = group.1.checked_add(value.rescale(20).unwrap()).unwrap();
    }
    let totals = record.source_totals.unwrap();
    let place = totals.amounts.iter().position(|name| name == "rem_amt_lcy");
    let groups = totals.groups.into_iter();
    let ours: BTreeMap<_, _> = groups
        .map(|(company, group)| (company, (group.rows, group.sums[place.unwrap()])))
        .collect();
    assert!(ours.len() > 5);
    assert_eq!(found, ours);

    // The negative twin: what is wrong is said, with the server's number.
    let wrong = "SELECT [No such column] FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries]";
    let said = tsql(folder.path(), &served.odbc, wrong).join("\n");
    assert!(
        said.contains("Msg") && said.contains("No such column"),
        "{said}"
    );
}
