//! Real kills: the program is gone between any two steps, and the next run of the month needs nobody's help.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::ports::{Cell, Warehouse as _};
use tempfile::TempDir;

const TABLE: &str = "pg01_validated_ipe_cr_04";
const STAGES: [&str; 7] = ["open", "ask", "extract", "check", "load", "verify", "seal"];

fn soxauto(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
    command.args(args).current_dir(folder).env("TMPDIR", folder);
    command
}

/// A run of CR_04 over so many rows of the stand-in.
fn run(folder: &Path, rows: &str) -> Command {
    let args = [
        "run",
        "--period",
        "2024-04",
        "--ipe",
        "CR_04",
        "--sandbox-rows",
        rows,
    ];
    soxauto(folder, &args)
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

/// Starts a run and kills it `pause` after it says that it begins `stage`.
fn kill_at(folder: &Path, stage: &str, pause: Duration) {
    let mut command = run(folder, "600");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let wanted = format!("CR_04: {stage}");
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.map(|line| line.unwrap()).any(|line| line == wanted);
    assert!(said, "the run never said `{wanted}`");
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Rows of the month by run, counted in the warehouse's own files; what cannot be read is a panic.
fn month(folder: &Path) -> BTreeMap<String, i64> {
    let root = |name: &str| store::open(folder.join("out").join(name).to_str().unwrap()).unwrap();
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let sql = format!("SELECT _run_id, COUNT(*) AS n FROM {TABLE} GROUP BY _run_id");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let table = runtime.block_on(warehouse.rows(&sql, 10)).unwrap();
    let rows = table.rows.into_iter().map(|row| match row.as_slice() {
        [Cell::Text(run), Cell::Int(rows)] => (run.clone(), *rows),
        other => panic!("{other:?}"),
    });
    rows.collect()
}

/// Packages of the item, in order of their runs.
fn packages(folder: &Path) -> Vec<PathBuf> {
    let folder = folder.join("out/evidence/CR_04/period=2024-04");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// A package counts as sealed when its manifest is there; then it verifies, and otherwise it never does.
fn assert_whole_or_nothing(folder: &Path) {
    for package in packages(folder) {
        let sealed = package.join("manifest-sha256.txt").exists();
        let verified = soxauto(folder, &["verify", package.to_str().unwrap()]).output();
        let verified = verified.unwrap();
        assert_eq!(verified.status.success(), sealed, "{}", text(&verified));
    }
}

fn killed_and_run_again(stage: &str, pause: Duration, with_old_month: bool) {
    let folder = TempDir::new().unwrap();
    let mut old = BTreeMap::new();
    if with_old_month {
        let first = run(folder.path(), "300").output().unwrap();
        assert!(first.status.success(), "{}", text(&first));
        old = month(folder.path());
        assert_eq!(old.len(), 1);
    }
    kill_at(folder.path(), stage, pause);
    let loaded = folder.path().join("out/warehouse").join(TABLE);
    if loaded.join("schema.json").exists() {
        let after = month(folder.path());
        let is_new = after.len() == 1 && !after.keys().eq(old.keys());
        assert!(after == old || is_new, "{stage}: {old:?} became {after:?}");
    }
    assert_whole_or_nothing(folder.path());

    let again = run(folder.path(), "600").output().unwrap();
    assert!(again.status.success(), "{stage}: {}", text(&again));
    let now = month(folder.path());
    assert_eq!(now.len(), 1, "exactly one copy: {now:?}");
    assert!(!now.keys().eq(old.keys()));
    let last = packages(folder.path()).pop().unwrap();
    let run_id = now.keys().next().unwrap();
    assert!(last.to_str().unwrap().ends_with(run_id), "{last:?}");
    assert_whole_or_nothing(folder.path());
}

#[test]
fn a_kill_at_the_begin_of_any_stage_leaves_the_old_month_or_one_copy() {
    for stage in STAGES {
        killed_and_run_again(stage, Duration::ZERO, true);
    }
}

#[test]
fn a_kill_in_the_midst_of_load_and_seal_leaves_nothing_half_published() {
    for (stage, millis) in [
        ("load", 1),
        ("load", 4),
        ("verify", 2),
        ("seal", 1),
        ("seal", 3),
        ("seal", 8),
    ] {
        killed_and_run_again(stage, Duration::from_millis(millis), false);
    }
}
