//! A process that loads into BigQuery and is killed around the submission of its load, and the next one.

use std::process::Stdio;
use std::sync::Arc;

use tempfile::TempDir;

use super::buckets::{assert_valid, verified};
use super::fakes::bigquery::{DATASET, Jobs, PROJECT};
use super::fakes::server::{Fault, Gate, When};
use super::struck::process;
use crate::journey::killed::text;
use soxauto::catalog::Catalog;

const MONTH: &str = "pg01_validated_ipe_cr_04$202404";
const POSTS: &str = "POST /bigquery/v2/projects/test-project/jobs";
const LOOKS: &str = "GET /bigquery/v2/projects/test-project/jobs/soxauto_load_";

/// The run whose folder every file of the month lies in.
fn shown(jobs: &Jobs) -> Option<String> {
    let files = jobs.service.month(MONTH);
    let run = |uri: &String| {
        uri.split("run=")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let runs: std::collections::BTreeSet<String> = files.iter().map(run).collect();
    assert!(runs.len() <= 1, "a mixture: {runs:?}");
    runs.into_iter().next()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_and_after_the_submission_leaves_the_old_month_or_one_copy() {
    let catalog = Catalog::embedded().unwrap();
    let contract = catalog.select(&["CR_04".to_owned()]).unwrap()[0]
        .contract
        .clone();
    // The first job takes the place, the second one loads.
    for (step, before, when, is_loaded) in [
        (POSTS, 1, When::BeforeServing, false),
        (POSTS, 1, When::BeforeReply, true),
        (LOOKS, 0, When::BeforeServing, true),
    ] {
        let jobs = Jobs::start(None).await;
        jobs.service.makes(&contract);
        jobs.service
            .bucket(jobs.google.bucket("staging"), contract.clone());
        let folder = TempDir::new().unwrap();
        let command = || {
            let mut command = process(&folder, &jobs.google);
            let warehouse = format!("bigquery://{PROJECT}/{DATASET}?location=EU");
            command.args([
                "--google-endpoint",
                &format!("bigquery={}", jobs.fake.url()),
            ]);
            command.args(["--warehouse", &warehouse]);
            command
        };
        let gate = Arc::new(Gate::default());
        jobs.fake.plan(step, vec![Fault::Served; before]);
        jobs.fake.plan(step, [Fault::Held(Arc::clone(&gate), when)]);
        let mut child = command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        gate.reached().await;
        child.kill().unwrap();
        child.wait().unwrap();
        jobs.service.end_jobs();
        let dead = shown(&jobs);
        assert_eq!(dead.is_some(), is_loaded, "{step} {when:?}");

        let mut next = command();
        let next = tokio::task::spawn_blocking(move || next.output().unwrap());
        let next = next.await.unwrap();
        assert!(next.status.success(), "{step} {when:?}: {}", text(&next));
        let now = shown(&jobs).unwrap();
        assert_ne!(dead.as_ref(), Some(&now));
        jobs.service.end_jobs();
        assert_eq!(shown(&jobs).as_ref(), Some(&now), "nothing comes later");
        let objects = jobs.google.buckets.objects("evidence");
        let sealed = objects
            .keys()
            .filter_map(|name| name.strip_suffix("/manifest-sha256.txt"));
        let sealed: Vec<&str> = sealed.collect();
        assert_eq!(
            sealed.len(),
            2,
            "the dead run has its package too: {sealed:?}"
        );
        assert!(
            sealed.iter().any(|package| package.ends_with(".abandoned")),
            "{sealed:?}"
        );
        for package in sealed {
            assert_valid(&verified(&jobs.google, &format!("gs://evidence/{package}")).await);
        }
    }
}
