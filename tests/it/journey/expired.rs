//! Leases that expire while their run is stopped, over the real binary with the real limits. Nobody waits: the test
//! sets the signs of life back by an hour, which is what the next run would see an hour later.

use std::path::{Path, PathBuf};
use std::process::Child;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::killed::{assert_whole_or_nothing, month, run, signal, started, text};

fn leases(folder: &Path) -> PathBuf {
    folder.join("out/evidence/runs/CR_04/period=2024-04")
}

/// Changes every sign of life of a generation.
fn change_signs(folder: &Path, generation: &str, change: impl Fn(&mut Value)) {
    for entry in std::fs::read_dir(leases(folder).join(generation)).unwrap() {
        let path = entry.unwrap().path();
        let mut sign = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut sign);
        std::fs::write(&path, sign.to_string()).unwrap();
    }
}

fn an_hour_passes(folder: &Path) {
    change_signs(folder, "000001", |sign| {
        let at: chrono::DateTime<chrono::Utc> = sign["at"].as_str().unwrap().parse().unwrap();
        sign["at"] = json!(at - chrono::TimeDelta::hours(1));
    });
}

fn run_of(folder: &Path, generation: &str) -> String {
    let lease = std::fs::read(leases(folder).join(generation).join("lease.json")).unwrap();
    let lease: Value = serde_json::from_slice(&lease).unwrap();
    let run_id = lease["record"]["context"]["run_id"].as_str();
    run_id.unwrap().to_owned()
}

fn summary(folder: &Path, run: &str) -> String {
    let package = format!("out/evidence/CR_04/period=2024-04/run={run}");
    std::fs::read_to_string(folder.join(package).join("data/summary.md")).unwrap()
}

/// The next run takes the next generation, seals the silent one as abandoned, and completes.
fn taken_over(folder: &Path) -> (String, String) {
    let next = run(folder, "600").output().unwrap();
    assert!(next.status.success(), "{}", text(&next));
    taken(folder)
}

/// What the next run left: its own month, and the package of the silent one.
fn taken(folder: &Path) -> (String, String) {
    let (silent, next) = (run_of(folder, "000001"), run_of(folder, "000002"));
    assert!(month(folder).keys().eq([&next]));
    let said = summary(folder, &format!("{silent}.abandoned"));
    assert!(
        said.contains("**ABANDONED**") && said.contains(&next),
        "{said}"
    );
    (silent, next)
}

/// Lets a stopped run go on after it lost the month; gives its own summary.
fn continued(folder: &Path, mut child: Child, (silent, next): &(String, String)) -> String {
    signal(&child, "-CONT");
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(month(folder).keys().eq([next]), "it switched the month");
    assert_whole_or_nothing(folder);
    assert!(!leases(folder).join("000003").exists());
    summary(folder, silent)
}

#[test]
fn a_stopped_run_whose_lease_expired_notices_it_at_its_last_look() {
    for stage in ["open", "extract", "check"] {
        let folder = TempDir::new().unwrap();
        let (child, lines) = started(folder.path(), stage);
        signal(&child, "-STOP");
        let refused = run(folder.path(), "600").output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "its lease has not expired");
        an_hour_passes(folder.path());
        let runs = taken_over(folder.path());
        let said = continued(folder.path(), child, &runs);
        assert!(
            said.contains("took this item and month over; nothing was loaded"),
            "{stage}: {said}"
        );
        drop(lines);
    }
}

/// The moment that the last look cannot see: the month itself refuses who comes late.
#[test]
fn a_run_that_was_stopped_in_its_load_does_not_switch_the_month_back() {
    let folder = TempDir::new().unwrap();
    let (mut child, lines) = started(folder.path(), "load");
    signal(&child, "-STOP");
    an_hour_passes(folder.path());
    let next = run(folder.path(), "600").output().unwrap();
    if !next.status.success() {
        // It was stopped in the very turn in which a month is switched: then nobody passes it, and it switches first.
        let said = text(&next);
        assert!(
            said.contains("another run is switching this month"),
            "{said}"
        );
        signal(&child, "-CONT");
        child.wait().unwrap();
        assert_whole_or_nothing(folder.path());
        return;
    }
    let runs = taken(folder.path());
    signal(&child, "-CONT");
    child.wait().unwrap();
    assert!(month(folder.path()).keys().eq([&runs.1]), "back to the old");
    assert_whole_or_nothing(folder.path());
    assert!(!summary(folder.path(), &runs.0).is_empty(), "sealed itself");
    drop(lines);
}

#[test]
fn a_run_that_was_killed_elsewhere_is_waited_for_until_its_lease_expires() {
    let folder = TempDir::new().unwrap();
    let (mut child, lines) = started(folder.path(), "extract");
    child.kill().unwrap();
    child.wait().unwrap();
    change_signs(folder.path(), "000001", |sign| {
        if sign.get("process").is_some() {
            sign["process"]["boot"] = json!("another machine");
        }
    });
    let refused = run(folder.path(), "600").output().unwrap();
    let said = text(&refused);
    assert!(
        !refused.status.success() && said.contains("its lease expires at"),
        "{said}"
    );
    an_hour_passes(folder.path());
    taken_over(folder.path());
    assert_whole_or_nothing(folder.path());
    drop(lines);
}
