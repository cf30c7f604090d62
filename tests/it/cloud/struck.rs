//! Runs in buckets that are struck: every request once, kills at every stage, and what cleaning makes of the rest.

use std::collections::BTreeMap;
use std::process::Command;

use soxauto::adapters::google::storage;
use soxauto::domain::limits::HttpLimits;
use tempfile::TempDir;

use super::buckets::{EVIDENCE, STAGING, assert_valid, shell, verified};
use super::fakes::server::Fault;
use super::fakes::{Google, quick};
use crate::cli::Said;
use crate::journey::killed::{month, run, started_of, text};
use crate::journey::storage::{fail_each_of, limits};
use crate::rig::Rig;

fn one_attempt() -> HttpLimits {
    HttpLimits {
        attempts_max: 1,
        ..quick()
    }
}

/// The n-th request about `bucket` goes wrong, for every n; gives the number of runs that failed.
async fn fail_each_request(bucket: &str, fault: Fault, http: HttpLimits, says: &str) -> usize {
    let google = Google::start().await;
    google.buckets.page(1_000);
    let dir = TempDir::new().unwrap();
    let mut rig = Rig::new(dir.path(), limits());
    let root = |location| storage::root(google.session_within(http.clone()), location).unwrap();
    (rig.staging, rig.evidence) = (root(STAGING), root(EVIDENCE));
    let fake = &google.fake;
    let failed = fail_each_of(&rig, says, |nth| {
        let before = fake.seen(bucket).len();
        fake.plan(bucket, vec![Fault::Served; nth - 1]);
        fake.plan(bucket, [fault.clone()]);
        let count = move || {
            // What this run did not meet must not strike those who look at it.
            fake.forget();
            fake.seen(bucket).len() - before
        };
        (rig.clone(), count)
    });
    failed.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staging_bucket_that_fails_once_anywhere_never_half_publishes() {
    for (fault, says) in [
        (Fault::Error(503, "UNAVAILABLE"), "answered 503"),
        (Fault::Error(403, "forbidden"), "grant roles/storage."),
        (Fault::LostReply, "no reply of"),
    ] {
        let shown = format!("{fault:?}");
        let failed = fail_each_request("staging", fault, one_attempt(), says).await;
        assert!(failed > 2, "{shown}: {failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evidence_bucket_that_fails_once_anywhere_is_said_and_never_half_publishes() {
    for (fault, says) in [
        (Fault::Error(503, "UNAVAILABLE"), "answered 503"),
        (Fault::Error(403, "forbidden"), "grant roles/storage."),
        (Fault::LostReply, "no reply of"),
    ] {
        let shown = format!("{fault:?}");
        let failed = fail_each_request("evidence", fault, one_attempt(), says).await;
        assert!(failed > 2, "{shown}: {failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_once_anywhere_is_asked_again_and_the_run_succeeds() {
    for (bucket, fault) in [("staging", Fault::Cut), ("evidence", Fault::LostReply)] {
        let failed = fail_each_request(bucket, fault, quick(), "").await;
        assert_eq!(failed, 0, "{bucket}");
    }
}

/// A run of CR_04 in buckets as a process of its own.
pub(super) fn process(folder: &TempDir, google: &Google) -> Command {
    let mut command = run(folder.path(), "600");
    for (name, url) in google.endpoints() {
        command.args(["--google-endpoint", &format!("{name}={url}")]);
    }
    command.args(["--staging", STAGING, "--evidence", EVIDENCE]);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_in_and_after_the_load_leaves_the_old_month_or_one_copy() {
    for stage in ["extract", "load", "seal"] {
        let (google, folder) = (Google::start().await, TempDir::new().unwrap());
        let command = process(&folder, &google);
        let killed = move || {
            let (mut child, _lines) = started_of(command, stage);
            child.kill().unwrap();
            child.wait().unwrap();
        };
        tokio::task::spawn_blocking(killed).await.unwrap();
        let mut command = process(&folder, &google);
        let again = tokio::task::spawn_blocking(move || command.output().unwrap());
        let again = again.await.unwrap();
        assert!(again.status.success(), "{stage}: {}", text(&again));
        let path = folder.path().to_owned();
        let now = tokio::task::spawn_blocking(move || month(&path))
            .await
            .unwrap();
        assert_eq!(now.len(), 1, "{stage}: exactly one copy: {now:?}");

        let objects = google.buckets.objects("evidence");
        let sealed: Vec<&str> = objects
            .keys()
            .filter_map(|name| name.strip_suffix("/manifest-sha256.txt"))
            .collect();
        let run_id = now.keys().next().unwrap();
        assert!(
            sealed.iter().any(|package| package.ends_with(run_id)),
            "{stage}"
        );
        assert_eq!(sealed.len(), 2, "{stage}: the dead run has its package too");
        for package in sealed {
            assert_valid(&verified(&google, &format!("gs://evidence/{package}")).await);
        }
    }
}

/// Objects that were there before and are gone, by their path below their root; what stayed was not written again.
fn gone_between(before: &[BTreeMap<String, u64>], after: &[BTreeMap<String, u64>]) -> Vec<String> {
    let mut gone = Vec::new();
    for (before, after) in before.iter().zip(after) {
        assert!(after.iter().all(|(name, of)| before.get(name) == Some(of)));
        let lost = before.keys().filter(|name| !after.contains_key(*name));
        gone.extend(lost.map(|name| {
            let below = name.strip_prefix("soxauto/").unwrap();
            below.strip_prefix("2024/").unwrap_or(below).to_owned()
        }));
    }
    gone
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_lists_and_removes_what_a_killed_run_left_in_its_bucket_and_nothing_else() {
    let (google, folder) = (Google::start().await, TempDir::new().unwrap());
    let mut good = process(&folder, &google);
    let command = process(&folder, &google);
    let runs = move || {
        let good = good.output().unwrap();
        assert!(good.status.success(), "{}", text(&good));
        let (mut child, _lines) = started_of(command, "load");
        child.kill().unwrap();
        child.wait().unwrap();
    };
    tokio::task::spawn_blocking(runs).await.unwrap();
    let both = ["staging", "evidence"];
    let before = both.map(|bucket| google.buckets.objects(bucket));
    let roots = ["--staging", STAGING, "--evidence", EVIDENCE, "--json"];
    let listing = [&["clean"][..], &roots].concat();
    let removing = [&["clean", "--remove"][..], &roots].concat();
    let report = |said: &Said| serde_json::from_str::<serde_json::Value>(&said.out).unwrap();

    let said = shell(&listing, &google).await;
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let orphans = report(&said)["orphans"].as_array().unwrap().clone();
    assert_eq!(
        both.map(|bucket| google.buckets.objects(bucket)),
        before,
        "only listed"
    );
    let staged = orphans
        .iter()
        .find(|orphan| orphan["kind"] == "staged")
        .unwrap();
    assert!(
        staged["uri"].as_str().unwrap().starts_with(STAGING),
        "{staged}"
    );
    let mut gone: Vec<String> = orphans
        .iter()
        .flat_map(|orphan| orphan["files"].as_array().unwrap())
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    gone.sort();

    let said = shell(&removing, &google).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let after = both.map(|bucket| google.buckets.objects(bucket));
    let mut removed = gone_between(&before, &after);
    removed.sort();
    assert_eq!(removed, gone, "exactly what was listed");
    assert_eq!(shell(&removing, &google).await.code, 0);

    let objects = google.buckets.objects("evidence");
    let sealed = objects
        .keys()
        .find_map(|name| name.strip_suffix("/manifest-sha256.txt"));
    let package = format!("gs://evidence/{}", sealed.unwrap());
    assert_valid(&verified(&google, &package).await);

    google.buckets.deny("evidence");
    let said = shell(&removing, &google).await;
    assert_eq!(said.code, 2, "without leases nobody can tell: {}", said.out);
    assert!(
        said.err.contains("objectViewer on bucket evidence"),
        "{}",
        said.err
    );
}
