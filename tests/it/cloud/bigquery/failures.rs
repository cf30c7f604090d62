//! What fails on the way: jobs, replies, rights and the network.

use serde_json::json;
use soxauto::kernels::bigquery::job::attempt;
use soxauto::ports::{PortErrorKind, Warehouse as _};

use super::super::fakes::bigquery::{DATASET, Jobs, PROJECT};
use super::super::fakes::server::Fault;
use super::{MONTH, brisk, job, name, says, service, uris};
use crate::evidence::sample::{contract, ipe};

#[tokio::test]
async fn a_failed_job_is_tried_again_only_where_that_may_help() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    jobs.service.fail("backendError", "try again");
    assert_eq!(
        warehouse.load(&first).await.unwrap().job_id,
        attempt(&name(&first), 2)
    );

    let second = job(2, Some(2));
    jobs.service.fail("invalid", "bad value 'SENTINEL'");
    let error = warehouse.load(&second).await.unwrap_err();
    says(
        &error,
        PortErrorKind::Query,
        &["invalid", &attempt(&name(&second), 1)],
    );
    assert_eq!(
        jobs.service.month(MONTH),
        uris(&first),
        "the old month stands"
    );

    let third = job(3, Some(3));
    for _ in 0..brisk().load_attempts_max {
        jobs.service.fail("backendError", "");
    }
    says(
        &warehouse.load(&third).await.unwrap_err(),
        PortErrorKind::Unreachable,
        &["attempts 5"],
    );
    assert_eq!(jobs.service.month(MONTH), uris(&first));
}

#[tokio::test]
async fn a_job_that_is_there_already_is_awaited_taken_or_followed_by_the_next() {
    let good = json!({"load": {}});
    for (ended, expected) in [
        (None, 1),
        (Some(json!({"reason": "invalid", "message": ""})), 2),
    ] {
        let (jobs, warehouse) = service().await;
        let first = job(1, None);
        let load = json!({"labels": {}, "load": {
            "destinationTable": {"tableId": MONTH}, "sourceUris": uris(&first),
            "writeDisposition": "WRITE_TRUNCATE", "decimalTargetTypes": ["NUMERIC", "BIGNUMERIC"],
        }});
        jobs.service
            .left(&attempt(&name(&first), 1), load, 3, ended);
        let receipt = warehouse.load(&first).await.unwrap();
        assert_eq!(receipt.job_id, attempt(&name(&first), expected));
        assert_eq!(jobs.service.month(MONTH), uris(&first));
    }
    let (jobs, warehouse) = service().await;
    let first = job(1, None);
    let stopped = json!({"reason": "stopped", "message": ""});
    jobs.service
        .left(&attempt(&name(&first), 1), good, 0, Some(stopped));
    says(
        &warehouse.load(&first).await.unwrap_err(),
        PortErrorKind::Denied,
        &["stopped"],
    );
    assert_eq!(
        jobs.service.loads().len(),
        1,
        "what was cancelled is not begun again"
    );
}

#[tokio::test]
async fn a_lost_reply_to_the_submission_makes_no_second_job() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    // Place and load are both submitted, and both replies are lost.
    jobs.fake.plan(
        "POST /bigquery/v2/projects/test-project/jobs",
        [Fault::LostReply, Fault::Served, Fault::LostReply],
    );
    warehouse.load(&first).await.unwrap();
    jobs.fake.assert_spent();
    assert_eq!(jobs.service.loads(), [attempt(&name(&first), 1)]);
    assert_eq!(jobs.service.month(MONTH), uris(&first));
}

#[tokio::test]
async fn a_missing_right_names_the_role_at_every_step_and_the_old_month_stands() {
    let base = format!("/bigquery/v2/projects/{PROJECT}");
    let table = ipe().table_name();
    let steps = [
        (
            format!("GET {base}/datasets/{DATASET}"),
            "roles/bigquery.dataEditor",
        ),
        (format!("POST {base}/datasets"), "roles/bigquery.user"),
        (
            format!("GET {base}/datasets/{DATASET}/tables"),
            "roles/bigquery.dataEditor",
        ),
        (format!("POST {base}/queries"), "roles/bigquery.jobUser"),
        (format!("POST {base}/jobs"), "roles/bigquery.jobUser"),
        (format!("GET {base}/jobs"), "roles/bigquery.jobUser"),
    ];
    for (step, role) in steps {
        let jobs = Jobs::start(None).await;
        jobs.service.makes(&contract());
        jobs.service.files(&job(1, None).parts);
        let warehouse = jobs.warehouse(brisk());
        jobs.fake
            .plan(&step, [Fault::Error(403, "PERMISSION_DENIED")]);
        let result = match warehouse.prepare(&table, &contract()).await {
            Ok(()) => warehouse.load(&job(1, Some(1))).await.map(drop),
            Err(error) => Err(error),
        };
        says(
            &result.unwrap_err(),
            PortErrorKind::Denied,
            &[role, "@test-project.iam"],
        );
        jobs.fake.assert_spent();
        assert!(jobs.service.month(MONTH).is_empty(), "{step}");
    }
}

#[tokio::test]
async fn an_error_page_keeps_its_status_and_a_short_failure_is_waited_out() {
    let (jobs, warehouse) = service().await;
    let post = "POST /bigquery/v2/projects/test-project/jobs";
    jobs.fake
        .plan(post, [Fault::Page(502), Fault::Later(429, 0), Fault::Cut]);
    warehouse.load(&job(1, Some(1))).await.unwrap();
    jobs.fake.assert_spent();
    jobs.fake
        .plan(post, std::iter::repeat_n(Fault::Page(502), 4));
    let error = warehouse.load(&job(2, Some(2))).await.unwrap_err();
    says(
        &error,
        PortErrorKind::Unreachable,
        &["answered 502", "after 4 attempts"],
    );
    // A page of a proxy is not BigQuery's word that something is absent.
    jobs.fake.plan("/tables/", [Fault::Page(404)]);
    let error = warehouse
        .prepare(&ipe().table_name(), &contract())
        .await
        .unwrap_err();
    says(&error, PortErrorKind::Config, &["answered 404"]);
    assert_eq!(jobs.service.month(MONTH), uris(&job(1, None)));
}

#[tokio::test]
async fn statistics_that_are_not_those_of_the_staged_files_are_said_in_the_receipt() {
    let (jobs, warehouse) = service().await;
    let good = warehouse.load(&job(1, Some(1))).await.unwrap();
    assert_eq!(good.differing, Vec::<String>::new());
    jobs.service.miscount();
    let receipt = warehouse.load(&job(2, Some(2))).await.unwrap();
    assert_eq!(receipt.differing, ["3 files instead of 2"]);
    assert_eq!(jobs.service.month(MONTH), uris(&job(2, None)));
}

/// What was told last is what the month may show: a load whose end is not known, or none.
#[tokio::test]
async fn a_load_is_told_of_before_it_is_there_and_taken_back_when_it_replaced_nothing() {
    let posts = "POST /bigquery/v2/projects/test-project/jobs";
    let attempt_of = |n| attempt(&name(&job(n, None)), 1);
    let looks = |n| {
        format!(
            "GET /bigquery/v2/projects/test-project/jobs/{}",
            attempt_of(n)
        )
    };
    let no = || Fault::Error(403, "PERMISSION_DENIED");
    for (step, faults, is_told) in [
        (looks(2), vec![no()], true),
        (looks(2), vec![Fault::Served, no()], true),
        (posts.to_owned(), vec![Fault::Served, no()], true),
        // The place was not taken: no load was begun.
        (posts.to_owned(), vec![no()], false),
    ] {
        let (jobs, warehouse) = service().await;
        jobs.fake.plan(&step, faults);
        let mut told = Vec::new();
        let load = job(2, Some(1));
        let mut tell = |submitted| told.push(submitted);
        let error = warehouse.load_telling(&load, &mut tell).await.unwrap_err();
        says(&error, PortErrorKind::Denied, &[]);
        jobs.fake.assert_spent();
        let told = told.pop().flatten();
        assert_eq!(told.is_some(), is_told, "{step}: {told:?}");
        let Some(told) = told else { continue };
        assert_eq!(told.job_id, attempt_of(2));
        assert_eq!(
            told.look,
            format!(
                "bq show --project_id={PROJECT} --location=EU -j {}",
                told.job_id
            )
        );
    }
    let (jobs, warehouse) = service().await;
    jobs.service.fail("invalid", "no");
    let mut told = Vec::new();
    let mut tell = |submitted: Option<_>| told.push(submitted.is_some());
    let load = job(2, Some(1));
    warehouse.load_telling(&load, &mut tell).await.unwrap_err();
    assert_eq!(told, [true, false], "a job that failed replaced nothing");
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_exchanged_and_the_month_is_loaded_once() {
    let (jobs, warehouse) = service().await;
    jobs.google.issuer.revoke_all();
    warehouse.load(&job(1, Some(1))).await.unwrap();
    assert_eq!(jobs.google.issuer.issued().len(), 2);
    assert_eq!(jobs.service.loads().len(), 1);
    assert_eq!(jobs.service.month(MONTH), uris(&job(1, None)));
}

#[tokio::test]
async fn a_bucket_in_another_location_than_the_dataset_is_said_and_the_old_month_stands() {
    let (jobs, warehouse) = service().await;
    warehouse.load(&job(1, Some(1))).await.unwrap();
    let said = "Cannot read and write in different locations: source: US, destination: EU";
    jobs.service.fail("invalid", said);
    let error = warehouse.load(&job(2, Some(2))).await.unwrap_err();
    says(
        &error,
        PortErrorKind::Config,
        &[said, "a staging bucket in its location"],
    );
    assert_eq!(jobs.service.month(MONTH), uris(&job(1, None)));
    // The twin: what is invalid for another reason does not send anybody to look at locations.
    jobs.service.fail("invalid", "bad");
    let error = warehouse.load(&job(3, Some(3))).await.unwrap_err();
    assert!(!error.to_string().contains("location"), "{error}");
}
