//! Real kills: the program is gone between any two steps, and the next run of the month needs nobody's help.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Duration;

use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::ports::{Cell, Warehouse as _};
use tempfile::TempDir;

pub(crate) const TABLE: &str = "pg01_validated_ipe_cr_04";
const STAGES: [&str; 7] = ["open", "ask", "extract", "check", "load", "verify", "seal"];

pub(crate) fn soxauto(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
    command.args(args).current_dir(folder).env_clear();
    command.env("TMPDIR", folder);
    command
}

/// A run of CR_04 over so many rows of the stand-in.
pub(crate) fn run(folder: &Path, rows: &str) -> Command {
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

pub(crate) fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

/// A run that has just said that it begins `stage`, with what it says from then on.
pub(crate) fn started(folder: &Path, stage: &str) -> (Child, Lines<BufReader<ChildStderr>>) {
    started_of(run(folder, "600"), stage)
}

/// The same of another command.
pub(crate) fn started_of(
    mut command: Command,
    stage: &str,
) -> (Child, Lines<BufReader<ChildStderr>>) {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let wanted = format!("CR_04: {stage}");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.any(|line| line.unwrap() == wanted);
    assert!(said, "the run never said `{wanted}`");
    (child, lines)
}

/// Sends a signal to a child that was not waited for yet.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .arg(name)
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
}

/// Starts a run and kills it `pause` after it says that it begins `stage`.
pub(crate) fn kill_at(folder: &Path, stage: &str, pause: Duration) {
    let (mut child, _lines) = started(folder, stage);
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Rows of the month by run, counted in the warehouse's own files; what cannot be read is a panic.
pub(crate) fn month(folder: &Path) -> BTreeMap<String, i64> {
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
pub(crate) fn assert_whole_or_nothing(folder: &Path) {
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
    let sealed = |package: &PathBuf| package.join("manifest-sha256.txt").exists();
    let sealed_before = packages(folder.path()).iter().filter(|p| sealed(p)).count();
    let sealed_itself = sealed_before > old.len();

    let again = run(folder.path(), "600").output().unwrap();
    assert!(again.status.success(), "{stage}: {}", text(&again));
    let now = month(folder.path());
    assert_eq!(now.len(), 1, "exactly one copy: {now:?}");
    assert!(!now.keys().eq(old.keys()));
    let packages = packages(folder.path());
    let abandoned = packages
        .iter()
        .filter(|package| package.to_str().unwrap().ends_with(".abandoned"));
    // A run that was killed after its last word needs nobody to say it.
    let expected = usize::from(!sealed_itself);
    assert_eq!(abandoned.count(), expected, "{stage}: {packages:?}");
    let run_id = now.keys().next().unwrap();
    let mut names = packages.iter().map(|package| package.to_str().unwrap());
    assert!(names.any(|name| name.ends_with(run_id)), "{packages:?}");
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

#[test]
fn a_run_that_is_asked_to_stop_seals_a_package_and_loads_nothing() {
    let folder = TempDir::new().unwrap();
    // Stopped at its begin, so that the request is there before the item can end.
    let (mut child, lines) = started(folder.path(), "open");
    signal(&child, "-STOP");
    signal(&child, "-TERM");
    signal(&child, "-CONT");
    let said: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2), "{said:#?}");
    assert!(said.iter().any(|line| line == "CR_04: ERROR"), "{said:#?}");
    assert!(!folder.path().join("out/warehouse").join(TABLE).exists());
    let packages = packages(folder.path());
    assert_eq!(packages.len(), 1);
    let summary = std::fs::read_to_string(packages[0].join("data/summary.md")).unwrap();
    assert!(
        summary.contains("the run was asked to stop before anything was loaded"),
        "{summary}"
    );
    assert_whole_or_nothing(folder.path());

    let again = run(folder.path(), "600").output().unwrap();
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(month(folder.path()).len(), 1);
}

#[test]
fn of_two_runs_of_one_month_the_second_is_told_who_is_at_work() {
    let folder = TempDir::new().unwrap();
    let (mut first, lines) = started(folder.path(), "extract");
    signal(&first, "-STOP");
    let second = run(folder.path(), "600").output().unwrap();
    // A whole month does not begin beside it: neither run would have all items.
    let args = "run --period 2024-04 --sandbox-rows 600";
    let args: Vec<&str> = args.split(' ').collect();
    let whole = soxauto(folder.path(), &args).output().unwrap();
    signal(&first, "-CONT");
    assert_eq!(whole.status.code(), Some(2), "{}", text(&whole));
    for part in [
        "on CR_04 2024-04 since",
        "nothing was started",
        "its lease expires at",
    ] {
        assert!(text(&whole).contains(part), "{}", text(&whole));
    }
    assert!(!folder.path().join("out/evidence/CR_05").exists());
    assert_eq!(second.status.code(), Some(2), "{}", text(&second));
    let said = text(&second);
    assert!(
        said.contains("has been at work on CR_04 2024-04 since"),
        "{said}"
    );
    drop(lines.last());
    assert!(first.wait().unwrap().success());
    assert_eq!(month(folder.path()).len(), 1);
    assert_eq!(packages(folder.path()).len(), 2, "both have sealed");
    assert_whole_or_nothing(folder.path());
}
