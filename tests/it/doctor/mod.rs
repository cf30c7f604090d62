//! `soxauto doctor`: every way in which something that a run needs can be missing is told apart, named, and stops only
//! what cannot be looked at without it.

mod cloud;
mod locations;
mod outside;
mod source;
mod trial;

use serde_json::Value;
use soxauto::app::doctor::{Check, Outcome, Report, examine};
use soxauto::domain::job::JobName;
use soxauto::domain::limits::DoctorLimits;
use soxauto::settings::{DoctorSettings, RunSettings};

use crate::cli::Shell;

/// Looks at what these settings name, without a scratch table.
pub(crate) async fn look(run: RunSettings) -> Report {
    look_with(run, None).await
}

/// The same with the job that makes runs.
pub(crate) async fn look_with(run: RunSettings, async_job: Option<JobName>) -> Report {
    let settings = DoctorSettings {
        run,
        async_job,
        scratch: false,
        limits: DoctorLimits::default(),
    };
    let mut told = Vec::new();
    let mut tell = |check: &Check| told.push(check.clone());
    let report = examine(&settings, &mut tell).await;
    assert_eq!(told, report.checks, "each check is told once, in order");
    report
}

/// The check of that name.
pub(crate) fn check<'a>(report: &'a Report, name: &str) -> &'a Check {
    let found = report.checks.iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no check {name}: {report:#?}"))
}

/// Asserts that these checks failed in this way, and no other.
pub(crate) fn assert_only(report: &Report, outcome: Outcome, names: &[&str]) {
    let found = report.checks.iter();
    let found = found.filter(|check| matches!(check.outcome, Outcome::Failed | Outcome::NoAnswer));
    let found: Vec<_> = found
        .map(|check| (check.name.as_str(), check.outcome))
        .collect();
    let wanted: Vec<_> = names.iter().map(|name| (*name, outcome)).collect();
    assert_eq!(found, wanted, "{report:#?}");
}

#[test]
fn all_is_well_on_the_stand_in_and_what_is_left_disturbs_nothing() {
    let shell = Shell::new();
    let said = shell.run(&["doctor", "--sandbox-rows", "300"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.ends_with("all is well\n"), "{}", said.out);
    for line in [
        "source DB_CREDENTIALS_NAV_BI: login: as ",
        "source DB_CREDENTIALS_NAV_BI: item IPE_07: ",
        "evidence: file://",
        "google identity: nothing of Google Cloud is used",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let clean = shell.run(&["clean"]);
    assert_eq!((clean.code, clean.out.as_str()), (0, "no orphans\n"));
    let run = ["run", "--period", "2024-04", "--sandbox-rows", "300"];
    assert_eq!(shell.run(&run).code, 0);
    // A login that is found is no reason to call Google.
    let folder = shell.path(".config/gcloud");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("application_default_credentials.json"), "{}").unwrap();
    let home = [("HOME", shell.dir.path().to_str().unwrap())];
    let said = shell.run_with(&["doctor", "--sandbox-rows", "300"], &home);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let tables = shell.run(&["sql", "SELECT COUNT(*) AS n FROM pg01_validated_ipe_cr_04"]);
    assert_eq!(tables.code, 0, "{}", tables.err);
}

#[test]
fn the_document_has_a_shape_that_stays() {
    let shell = Shell::new();
    let args = ["doctor", "--sandbox-rows", "300", "--format", "json"];
    let said = shell.run(&args);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let mut report: Value = serde_json::from_str(&said.out).unwrap();
    for check in report["checks"].as_array_mut().unwrap() {
        assert!(check["seconds"].take().is_number());
        let said = check["said"].take();
        assert!(said.is_string());
        // What is said of this machine and of this port is another everywhere.
        check.as_object_mut().unwrap().remove("todo");
    }
    let text = serde_json::to_string_pretty(&report).unwrap();
    insta::assert_snapshot!("doctor_json", text);
}

#[test]
fn a_root_that_cannot_be_written_is_named_and_the_others_are_looked_at() {
    let shell = Shell::new();
    std::fs::create_dir_all(shell.path("out")).unwrap();
    std::fs::write(shell.path("out/staging"), "a file").unwrap();
    let said = shell.run(&["doctor", "--sandbox-rows", "300"]);
    assert_ne!(said.code, 0, "{}", said.out);
    let line = |name: &str| {
        let found = said.out.lines().find(|line| line.contains(name));
        found
            .unwrap_or_else(|| panic!("{name}: {}", said.out))
            .to_owned()
    };
    assert!(!line(" staging: ").starts_with("ok"), "{}", said.out);
    assert!(line(" evidence: ").starts_with("ok"), "{}", said.out);
    assert!(line(" warehouse: ").starts_with("ok"), "{}", said.out);
    assert!(said.out.contains("NOT WELL"), "{}", said.out);
}

#[test]
fn a_disk_that_is_memory_and_a_catalog_with_mistakes_are_found() {
    let shell = Shell::new();
    let broken = shell.path("items/IPE_07");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("ipe.toml"), "title = 7").unwrap();
    std::fs::write(broken.join("query.sql"), "SELECT 1").unwrap();
    let said = shell.run_with(
        &["doctor", "--sandbox-rows", "300", "--catalog", "items"],
        &[("CLOUD_RUN_JOB", "soxauto-pg01-run")],
    );
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(
        said.out
            .contains("--staging out/staging: the disk of Cloud Run is memory")
    );
    assert!(said.out.contains("write --evidence gs://bucket/prefix"));
    assert!(said.out.contains("`soxauto catalog lint`"), "{}", said.out);
    assert!(said.out.contains("source: behind catalog"), "{}", said.out);
    assert!(!shell.path("out").exists(), "nothing was written there");
}
