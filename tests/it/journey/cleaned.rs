//! What `soxauto clean` lists, what it removes, and everything that it must leave as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use soxauto::domain::run::ItemStatus;
use tempfile::TempDir;

use super::broken::{run_written, write_item};
use super::killed::{
    TABLE, assert_whole_or_nothing, kill_at, month, run, signal, soxauto, started, text,
};
use super::{Place, assert_sealed};

pub(super) const DEAD: &str = "20240501T090000Z-0badcafe";

/// Every file below a folder with its bytes, and every folder.
pub(super) fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}

fn clean(folder: &Path, more: &[&str]) -> Output {
    soxauto(folder, &[&["clean"], more].concat())
        .output()
        .unwrap()
}

/// Cleans and gives exit code and report.
pub(super) fn report(folder: &Path, more: &[&str]) -> (i32, Value) {
    let output = clean(folder, &[&["--json"], more].concat());
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|_| panic!("{}", text(&output)));
    (output.status.code().unwrap(), report)
}

pub(super) fn write(path: PathBuf, bytes: &str) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(super) fn good_run(folder: &Path) {
    let done = run(folder, "300").output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
}

/// A lease of the dead run, older than that of the run that ended well.
fn lease_of_the_dead(out: &Path) {
    let leases = out.join("evidence/runs/CR_04/period=2024-04");
    let ended = std::fs::read_to_string(leases.join("000001/lease.json")).unwrap();
    let record: Value = serde_json::from_str(&ended).unwrap();
    let run_id = record["record"]["context"]["run_id"].as_str().unwrap();
    write(
        leases.join("000000/lease.json"),
        &ended.replace(run_id, DEAD),
    );
}

/// What a run that was killed at any time may leave: every kind of orphan, four bytes a file.
fn plant(out: &Path) {
    let run_folder = format!("CR_04/period=2024-04/run={DEAD}");
    let (staged, package) = (
        out.join("staging").join(&run_folder),
        out.join("evidence").join(&run_folder),
    );
    let loaded = out.join("warehouse").join(TABLE).join("period=2024-04");
    let planted = [
        staged.join("part-00000.parquet"),
        staged.join("part-00000.keys"),
        staged.join("part-00001.parquet#1"),
        out.join(format!("evidence/.reserve-CR_04-{DEAD}")),
        package.join("bagit.txt"),
        package.join("data/record.json"),
        package.join("data/log.jsonl#1"),
        out.join("evidence/runs/CR_04/period=2024-04/000000/beat-000001.json#1"),
        loaded.join("CURRENT.tmp"),
        loaded.join(DEAD).join("part-00000.parquet"),
        loaded.join(DEAD).join("part-00001.tmp"),
    ];
    for path in planted {
        write(path, "half");
    }
}

#[test]
fn every_kind_of_orphan_is_listed_and_removed_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    good_run(folder.path());
    lease_of_the_dead(&out);
    let run_folder = format!("CR_04/period=2024-04/run={DEAD}");
    let staged = out.join("staging").join(&run_folder);
    // Nobody's business: other people's files, also in folders of runs.
    write(out.join("staging/notes.txt"), "mine");
    write(out.join("evidence/.reserve"), "mine");
    write(out.join("warehouse/other/part-00000.parquet"), "mine");
    write(staged.join("notes.txt"), "mine");
    let before = tree(folder.path());
    assert_eq!(report(folder.path(), &[]).0, 0);

    plant(&out);
    let with_orphans = tree(folder.path());
    let (code, listed) = report(folder.path(), &[]);
    assert_eq!(code, 1, "{listed:#}");
    assert_eq!(tree(folder.path()), with_orphans, "a list changes nothing");
    let mut found: Vec<(String, u64)> = Vec::new();
    for orphan in listed["orphans"].as_array().unwrap() {
        assert!(orphan["why"].as_str().unwrap().len() > 20, "{orphan}");
        let files = orphan["files"].as_array().unwrap().len();
        assert_eq!(orphan["bytes"], 4 * files, "{orphan}");
        found.push((
            orphan["kind"].as_str().unwrap().to_owned(),
            files.try_into().unwrap(),
        ));
    }
    found.sort();
    let expected = [
        ("never_shown", 2),
        ("reserve", 1),
        ("staged", 3),
        ("temporary", 1),
        ("temporary", 1),
        ("unsealed_package", 3),
    ];
    let expected: Vec<(String, u64)> = expected.map(|(kind, n)| (kind.to_owned(), n)).into();
    assert_eq!(found, expected, "{listed:#}");

    let said = clean(folder.path(), &["--remove"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said));
    assert!(
        text(&said).contains("6 orphans, 44 bytes removed"),
        "{}",
        text(&said)
    );
    assert_eq!(tree(folder.path()), before, "everything else is as it was");
    let again = clean(folder.path(), &["--remove"]);
    assert_eq!(
        (again.status.code(), text(&again)),
        (Some(0), "no orphans\n".into())
    );
    assert_whole_or_nothing(folder.path());
}

#[test]
fn what_no_lease_vouches_for_is_left_alone_and_said() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    good_run(folder.path());
    let run_folder = format!("CR_04/period=2024-04/run={DEAD}");
    write(
        out.join("staging")
            .join(&run_folder)
            .join("part-00000.parquet"),
        "x",
    );
    write(
        out.join("warehouse")
            .join(TABLE)
            .join("period=2024-04")
            .join(DEAD)
            .join("part-00000.parquet"),
        "x",
    );
    // Written a moment ago by a run without a lease: it may be about to take it.
    write(
        out.join("evidence").join(&run_folder).join("bagit.txt"),
        "x",
    );
    write(out.join(format!("evidence/.reserve-CR_04-{DEAD}")), "x");
    let before = tree(folder.path());
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!(code, 2, "{said:#}");
    assert_eq!(
        said["not_found_out"].as_array().unwrap().len(),
        2,
        "{said:#}"
    );
    assert_eq!(said["at_work"].as_array().unwrap().len(), 2, "{said:#}");
    assert_eq!(tree(folder.path()), before);

    // Without the evidence root nothing can be judged; without any root there is nothing.
    let elsewhere = clean(folder.path(), &["--remove", "--evidence", "elsewhere"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(
        text(&elsewhere).contains("name it with --evidence"),
        "{}",
        text(&elsewhere)
    );
    assert_eq!(tree(folder.path()), before);
    let empty = TempDir::new().unwrap();
    assert_eq!(clean(empty.path(), &["--remove"]).status.code(), Some(0));
    assert!(tree(empty.path()).is_empty());
}

#[test]
fn a_package_that_cannot_be_read_protects_what_it_may_name() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    let packages = folder.path().join("out/evidence/CR_04/period=2024-04");
    let package = std::fs::read_dir(packages)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    std::fs::write(package.path().join("data/record.json"), "{").unwrap();
    let before = tree(folder.path());
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!(
        (code, said["orphans"].as_array().unwrap().len()),
        (2, 0),
        "{said:#}"
    );
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn what_a_live_run_has_written_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let (mut child, lines) = started(folder.path(), "check");
    signal(&child, "-STOP");
    let before = tree(folder.path());
    assert!(
        before
            .keys()
            .any(|path| path.extension().is_some_and(|e| e == "parquet"))
    );
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!(tree(folder.path()), before);
    signal(&child, "-CONT");
    assert_eq!(code, 0, "{said:#}");
    assert_eq!(said["orphans"], Value::Array(vec![]), "{said:#}");
    let at_work = said["at_work"].as_array().unwrap();
    // The run may have gone on a little before it was halted: the schema of a table, half written,
    // names neither a run nor a month.
    let (nameless, named): (Vec<_>, Vec<_>) = at_work
        .iter()
        .map(|what| what.as_str().unwrap())
        .partition(|what| what.contains("/schema.tmp: "));
    assert!(
        named
            .iter()
            .all(|what| what.contains("is at work on CR_04 2024-04")),
        "{said:#}"
    );
    assert!(
        nameless
            .iter()
            .all(|what| what.contains("so its run may be at work")),
        "{said:#}"
    );
    assert!(named.len() >= 2, "parts and room: {said:#}");
    drop(lines.last());
    assert!(child.wait().unwrap().success());
    assert_whole_or_nothing(folder.path());
}

#[test]
fn after_a_kill_in_the_load_the_leftovers_go_and_the_next_run_works() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    let out = folder.path().join("out");
    let whole = tree(&out);
    let shown = month(folder.path());
    for (stage, millis) in [("check", 0), ("load", 0), ("load", 3)] {
        kill_at(folder.path(), stage, Duration::from_millis(millis));
        if month(folder.path()) != shown {
            continue;
        }
        let killed = tree(&out);
        let (code, said) = report(folder.path(), &["--remove"]);
        assert_eq!(
            (code, &said["not_found_out"]),
            (0, &Value::Array(vec![])),
            "{said:#}"
        );
        let after = tree(&out);
        let removed = killed
            .keys()
            .filter(|path| !after.contains_key(*path))
            .count();
        assert!(removed > 2, "{said:#}");
        // What is left of the killed run: leases and empty folders.
        for (path, bytes) in after
            .iter()
            .filter(|(path, bytes)| whole.get(*path) != Some(bytes))
        {
            let is_lease = path.starts_with(out.join("evidence/runs"));
            let is_sealed = path.to_str().unwrap().contains(".abandoned");
            let is_note = path.to_str().unwrap().contains("/SHOWN-");
            assert!(
                is_lease || is_sealed || is_note,
                "{} {}",
                path.display(),
                bytes.is_some()
            );
        }
    }
    let again = run(folder.path(), "300").output().unwrap();
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(month(folder.path()).len(), 1);
    assert_eq!(clean(folder.path(), &[]).status.code(), Some(0));
    assert_whole_or_nothing(folder.path());
}

#[test]
fn a_run_that_was_shown_and_died_before_its_package_is_history() {
    let folder = TempDir::new().unwrap();
    kill_at(folder.path(), "verify", Duration::ZERO);
    let shown = month(folder.path());
    assert_eq!(shown.len(), 1);
    good_run(folder.path());
    let (_, before) = report(folder.path(), &["--remove"]);
    let kinds = before["orphans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|orphan| &orphan["kind"]);
    assert!(
        kinds.clone().any(|kind| kind == "staged")
            && kinds.clone().all(|kind| kind != "never_shown"),
        "{before:#}"
    );
    let run_id = shown.keys().next().unwrap();
    let old = folder
        .path()
        .join("out/warehouse")
        .join(TABLE)
        .join("period=2024-04")
        .join(run_id);
    assert!(old.join("part-00000.parquet").exists());
    assert_whole_or_nothing(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_failed_run_stay_with_its_package() {
    let place = Place::new();
    write_item(&place, "TWICE", "('JD_GH', 1, 14000), ('JD_GH', 1, 14000)");
    let result = run_written(&place).await;
    let item = &result.ipe_results["TWICE"];
    assert_eq!(item.status, ItemStatus::Failed);
    let before = tree(place.dir.path());
    let names = ["staging", "warehouse", "evidence"];
    let flags = names.map(|name| format!("--{name}={}", place.path(name)));
    let flags: Vec<&str> = std::iter::once("--remove")
        .chain(flags.iter().map(String::as_str))
        .collect();
    assert_eq!(report(place.dir.path(), &flags).0, 0);
    assert_eq!(tree(place.dir.path()), before);
    assert_sealed(item).await;
}
