//! Runs that overtake each other: the later one has the last word, whatever the earlier one still does.

use std::time::Duration;

use soxauto::kernels::bigquery::job::attempt;
use soxauto::ports::{PortErrorKind, Warehouse as _};

use super::super::fakes::server::Fault;
use super::{MONTH, job, name, prepared, says, service, uris};
use crate::evidence::sample::context;

#[tokio::test]
async fn a_run_that_was_overtaken_before_it_loads_never_loads() {
    let (jobs, warehouse) = service().await;
    warehouse.load(&job(3, Some(3))).await.unwrap();
    for (n, place) in [(2, 2), (1, 1)] {
        let error = warehouse.load(&job(n, Some(place))).await.unwrap_err();
        let by = context(3).run_id.to_string().to_lowercase();
        says(
            &error,
            PortErrorKind::Denied,
            &[
                "took this item and month over",
                &by,
                "see the other run's package",
            ],
        );
    }
    assert_eq!(jobs.service.month(MONTH), uris(&job(3, None)));
    // Places of another line say nothing of these.
    let mut other = job(4, Some(1));
    other.fence.as_mut().unwrap().line = context(4).run_id;
    warehouse.load(&other).await.unwrap();
    assert_eq!(jobs.service.month(MONTH), uris(&other));
}

#[tokio::test]
async fn a_run_that_slept_between_its_place_and_its_load_finds_the_job_id_taken() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    // The first run takes its place, and then nothing of it is heard for long.
    let posts = "POST /bigquery/v2/projects/test-project/jobs";
    jobs.fake.plan(
        posts,
        [Fault::Served, Fault::Slow(Duration::from_millis(400))],
    );
    let sleeper = prepared(&jobs).await;
    let slept = {
        let first = first.clone();
        async move { sleeper.load(&first).await }
    };
    let overtaker = async {
        while jobs.fake.seen(posts).len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        warehouse.load(&job(2, Some(2))).await
    };
    let (slept, overtook) = tokio::join!(slept, overtaker);
    overtook.unwrap();
    says(
        &slept.unwrap_err(),
        PortErrorKind::Denied,
        &["took this item and month over"],
    );
    assert_eq!(jobs.service.month(MONTH), uris(&job(2, None)));
    assert_eq!(jobs.service.loads(), [attempt(&name(&job(2, Some(2))), 1)]);
}

#[tokio::test]
async fn a_dead_runs_job_that_is_still_at_work_is_ended_before_the_next_run_loads() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    jobs.service.hold(true);
    let sleeper = prepared(&jobs).await;
    let watching = sleeper.load(&first);
    let overtaker = async {
        while jobs.service.loads().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let second = job(2, Some(2));
        let loading = warehouse.load(&second);
        let release = async {
            while jobs.service.loads().len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            jobs.service.hold(false);
        };
        tokio::join!(loading, release).0
    };
    let (watched, overtook) = tokio::join!(watching, overtaker);
    overtook.unwrap();
    says(&watched.unwrap_err(), PortErrorKind::Denied, &["stopped"]);
    assert_eq!(jobs.service.month(MONTH), uris(&job(2, None)));
    assert_eq!(jobs.fake.seen("/cancel").len(), 1);
}

#[tokio::test]
async fn who_may_not_cancel_waits_for_the_end_of_the_dead_runs_job() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    let sleeper = prepared(&jobs).await;
    jobs.service.hold(true);
    jobs.fake
        .plan("/cancel", [Fault::Error(403, "PERMISSION_DENIED")]);
    let overtaker = async {
        while jobs.service.loads().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let release = async {
            while jobs.fake.seen("/cancel").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            jobs.service.hold(false);
        };
        let second = job(2, Some(2));
        tokio::join!(warehouse.load(&second), release).0
    };
    let (watched, overtook) = tokio::join!(sleeper.load(&first), overtaker);
    watched.unwrap();
    overtook.unwrap();
    assert_eq!(
        jobs.service.month(MONTH),
        uris(&job(2, None)),
        "the later run has the last word"
    );
}
