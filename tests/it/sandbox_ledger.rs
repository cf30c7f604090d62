//! The ledger of `soxauto sandbox` seen by other people's drivers, and by ourselves: one server, three readings.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use soxauto::domain::check::Verdict;
use soxauto::pipeline::record::ItemRecord;

use crate::support::{client, odbc_parts};

/// `soxauto sandbox` in a process of its own, ended with this value.
pub(crate) struct Served {
    process: Child,
    pub(crate) odbc: String,
    ado: String,
}

impl Served {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_soxauto"))
            .args(["sandbox", "--port", "0", "--seconds", "600"])
            .args(arguments)
            .env("TMPDIR", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (odbc, ado) = (line(), line());
        Self { process, odbc, ado }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Rows and sum of an amount by company, and a bound count, as a driver reads them; the file lies below `data`.
pub(crate) fn read_by(driver: &str, item: [&str; 3], login: Vec<String>) -> Value {
    let [file, company, amount] = item;
    let file = format!("{}/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut arguments = vec![file, company.to_owned(), amount.to_owned()];
    arguments.extend(login);
    let said = client("ledger_client.py", arguments);
    assert_eq!(
        said["by_rows"], said["by_server"],
        "{driver}: the rows and the server's own sums"
    );
    let message = said["error"].as_str().unwrap_or_default();
    assert!(message.contains("No such column"), "{driver}: {message}");
    said
}

/// Runs IPE_07 on a server.
fn run_on(folder: &Path, odbc: &str) -> Output {
    let secrets = folder.join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    std::fs::write(secrets.join("DB_CREDENTIALS_NAV_BI"), odbc).unwrap();
    Command::new(env!("CARGO_BIN_EXE_soxauto"))
        .args(["run", "--period", "2024-04", "--ipe", "IPE_07", "--secrets"])
        .arg(format!("file:{}", secrets.display()))
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The record of the package that a run names.
fn record_of(out: &str) -> Vec<u8> {
    let package = out
        .lines()
        .find_map(|line| line.split(" evidence  ").nth(1));
    let package = package.unwrap().strip_prefix("file://").unwrap();
    std::fs::read(Path::new(package).join("data/record.json")).unwrap()
}

/// What `soxauto run` says of the same server: the package's record.
pub(crate) fn read_by_soxauto(folder: &Path, odbc: &str) -> ItemRecord {
    let output = run_on(folder, odbc);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    let record = record_of(&out);
    serde_json::from_slice(&record).unwrap()
}

#[test]
fn real_clients_run_an_items_file_by_hand_and_get_what_a_run_gets() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--rows", "3000"]);
    assert!(served.odbc.starts_with("DRIVER={"), "{}", served.odbc);
    assert!(served.ado.starts_with("Server=tcp:127.0.0.1,"));
    let encrypted = "Encrypt=yes;TrustServerCertificate=yes;";
    assert!(served.odbc.ends_with(encrypted), "{}", served.odbc);

    let item = ["catalog/IPE_07/query.sql", "id_company", "rem_amt_LCY"];
    let microsoft = read_by("mssql-python", item, vec![served.odbc.clone()]);
    let freetds = read_by("pymssql", item, odbc_parts(&served.odbc));
    assert_eq!(microsoft, {
        let mut same = freetds.clone();
        same["error"] = microsoft["error"].clone();
        same
    });

    let record = read_by_soxauto(folder.path(), &served.odbc);
    let totals = record.source_totals.unwrap();
    let place = totals.amounts.iter().position(|name| name == "rem_amt_lcy");
    let ours: BTreeMap<&str, Value> = totals
        .groups
        .iter()
        .map(|(company, group)| {
            let sum = group.sums[place.unwrap()].to_string();
            let pair = serde_json::json!([group.rows.to_string(), sum]);
            (company.as_str(), pair)
        })
        .collect();
    assert!(ours.len() > 5, "{ours:?}");
    assert_eq!(serde_json::to_value(ours).unwrap(), freetds["by_rows"]);
    let sources = record.contract.columns.iter().map(|column| &column.source);
    assert!(
        sources.eq(freetds["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap()))
    );
    let bound: u64 = freetds["bound"][0].as_str().unwrap().parse().unwrap();
    assert!(bound > 0 && freetds["bound"][1].as_str() < Some("2024-05-01"));
}

#[test]
fn a_busy_ledger_passes_in_one_snapshot_and_is_held_without() {
    let busy = ["--rows", "1000", "--writers", "2"];
    for (more, code, changed) in [(&[][..], 0, false), (&["--no-snapshot"], 1, true)] {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(folder.path(), &[&busy, more].concat());
        let output = run_on(folder.path(), &served.odbc);
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{out}");
        let record = String::from_utf8(record_of(&out)).unwrap();
        assert_eq!(record.contains("source changed while read"), changed);
        assert_eq!(out.contains("IPE_07 loaded"), !changed, "{out}");
        // Every check that fails has a line, and the cause has the first.
        let record: ItemRecord = serde_json::from_str(&record).unwrap();
        let failed = record.checks.iter().filter(|c| c.verdict == Verdict::Fail);
        let failed: BTreeSet<&str> = failed.map(|check| check.id.as_str()).collect();
        let lines = out
            .lines()
            .filter_map(|line| line.strip_prefix("IPE_07: check "));
        let printed: Vec<&str> = lines.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(printed.iter().copied().collect::<BTreeSet<_>>(), failed);
        let cause = changed.then_some("transfer.source_stable");
        assert_eq!(printed.first().copied(), cause, "{out}");
    }
}
