//! The protocol with BigQuery, against a scripted service: whatever fails, one copy of the month or the old one whole.

mod buckets;
mod by_hand;
mod failures;
mod judge;
mod overtaken;
mod published;
mod random;
mod submitted;
mod world;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use soxauto::adapters::bigquery::BigQuery;
use soxauto::domain::limits::BigQueryLimits;
use soxauto::domain::manifest::PartFile;
use soxauto::domain::run::Fence;
use soxauto::kernels::bigquery::job::{attempt, load_name};
use soxauto::ports::{LoadJob, PortError, PortErrorKind, Warehouse};

use super::fakes::bigquery::{DATASET, Jobs, PROJECT, table_of};
use crate::evidence::sample::{context, contract, ipe};

const MONTH: &str = "pg01_validated_ipe_ipe_07$202404";

pub(crate) fn brisk() -> BigQueryLimits {
    BigQueryLimits {
        load_deadline: Duration::from_secs(30),
        query_deadline: Duration::from_secs(30),
        query_wait: Duration::from_millis(300),
        poll_first: Duration::from_millis(2),
        poll_max: Duration::from_millis(10),
        missing_looks_max: 3,
        ..BigQueryLimits::default()
    }
}

/// The job of the n-th run, with two files of its own, at a place of the line that run 1 began.
fn job(n: u32, place: Option<u64>) -> LoadJob {
    let context = context(n);
    let part = |at: u64| PartFile {
        uri: format!("gs://staging/run-{n}/part-{at}.parquet"),
        path: format!("run-{n}/part-{at}.parquet"),
        bytes: 1_000 + at,
        sha256: format!("{at}").repeat(64),
        rows: 10 + at,
        keys_sha256: String::new(),
    };
    LoadJob {
        table: ipe().table_name(),
        period: context.period,
        metadata: context.row_metadata(&ipe()),
        parts: vec![part(0), part(1)],
        fence: place.map(|generation| Fence {
            line: self::context(1).run_id,
            generation,
        }),
    }
}

fn uris(job: &LoadJob) -> Vec<String> {
    job.parts.iter().map(|part| part.uri.clone()).collect()
}

fn name(job: &LoadJob) -> String {
    load_name(&format!("{PROJECT}.{DATASET}"), &contract(), job)
}

/// A service with the table and the files of four runs.
async fn service() -> (Jobs, BigQuery) {
    let jobs = Jobs::start(None).await;
    jobs.service.dataset("EU");
    jobs.service
        .table(&ipe().table_name(), table_of(&contract()));
    for n in 1..5 {
        jobs.service.files(&job(n, None).parts);
    }
    let warehouse = prepared(&jobs).await;
    (jobs, warehouse)
}

/// Another process over the same service.
async fn prepared(jobs: &Jobs) -> BigQuery {
    let warehouse = jobs.warehouse(brisk());
    warehouse
        .prepare(&ipe().table_name(), &contract())
        .await
        .unwrap();
    warehouse
}

fn says(error: &PortError, kind: PortErrorKind, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind, kind, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
    assert!(!text.contains("SENTINEL"), "{text}");
}

#[tokio::test]
async fn dataset_and_table_are_made_once_and_in_the_location() {
    let jobs = Jobs::start(None).await;
    jobs.service.makes(&contract());
    prepared(&jobs).await;
    let made = jobs.service.statements();
    assert!(
        made.len() == 1 && made[0].starts_with("CREATE TABLE IF NOT EXISTS"),
        "{made:?}"
    );
    let created = jobs
        .fake
        .seen(&format!("POST /bigquery/v2/projects/{PROJECT}/datasets"));
    let created: serde_json::Value = serde_json::from_slice(&created[0].body).unwrap();
    assert_eq!(created["location"], "EU");
    prepared(&jobs).await;
    assert_eq!(jobs.service.statements().len(), 1, "nothing is made twice");

    let elsewhere = Jobs::start(None).await;
    elsewhere.service.dataset("US");
    let error = elsewhere
        .warehouse(brisk())
        .prepare("t", &contract())
        .await
        .unwrap_err();
    says(
        &error,
        PortErrorKind::Config,
        &["is in US", "asks for EU", "?location=US"],
    );
    assert!(elsewhere.service.statements().is_empty());
}

#[tokio::test]
async fn a_table_of_another_schema_or_a_view_is_refused_and_nothing_is_dropped() {
    let table = ipe().table_name();
    let jobs = Jobs::start(None).await;
    jobs.service.dataset("EU");
    let mut other = table_of(&contract());
    other["schema"]["fields"][2]["scale"] = json!("2");
    other["schema"]["fields"][3]["name"] = json!("posted_on");
    jobs.service.table(&table, other);
    let warehouse = jobs.warehouse(brisk());
    let error = warehouse.prepare(&table, &contract()).await.unwrap_err();
    says(
        &error,
        PortErrorKind::Corrupt,
        &[
            "`rem_amt_lcy` is BIGNUMERIC(38, 2)",
            "`posting_date` is not in the table",
            "`posted_on`",
        ],
    );
    jobs.service
        .table(&table, json!({"type": "VIEW", "schema": {"fields": []}}));
    let error = warehouse.prepare(&table, &contract()).await.unwrap_err();
    says(&error, PortErrorKind::Corrupt, &["is a VIEW"]);
    assert!(jobs.service.statements().is_empty());
}

#[tokio::test]
async fn a_load_is_one_job_over_exact_files_and_one_partition() {
    let (jobs, warehouse) = service().await;
    let first = job(1, Some(1));
    let receipt = warehouse.load(&first).await.unwrap();
    assert_eq!(receipt.output_rows, 21);
    assert_eq!(receipt.source_uris, uris(&first));
    assert_eq!(
        receipt.destination_table,
        format!("{PROJECT}.{DATASET}.{MONTH}")
    );
    assert_eq!(receipt.job_id, attempt(&name(&first), 1));
    assert_eq!(jobs.service.month(MONTH), uris(&first));
    let sent = jobs
        .fake
        .seen("POST /bigquery/v2/projects/test-project/jobs");
    let sent: serde_json::Value = serde_json::from_slice(&sent.last().unwrap().body).unwrap();
    assert_eq!(
        sent["configuration"]["load"],
        json!({
            "sourceUris": uris(&first), "sourceFormat": "PARQUET", "createDisposition": "CREATE_NEVER",
            "writeDisposition": "WRITE_TRUNCATE", "decimalTargetTypes": ["NUMERIC", "BIGNUMERIC"], "maxBadRecords": 0,
            "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": MONTH},
        })
    );
    assert_eq!(sent["jobReference"]["location"], "EU");
    let labels = &sent["configuration"]["labels"];
    assert_eq!(
        (&labels["ipe"], &labels["period"]),
        (&json!("ipe_07"), &json!("2024-04"))
    );

    assert_eq!(
        warehouse.load(&first).await.unwrap(),
        receipt,
        "the same load again is the same job"
    );
    let second = job(2, Some(2));
    warehouse.load(&second).await.unwrap();
    assert_eq!(jobs.service.month(MONTH), uris(&second));
    assert_eq!(jobs.service.loads().len(), 2);
}

#[tokio::test]
async fn what_is_not_an_exact_file_of_cloud_storage_is_refused() {
    let (jobs, warehouse) = service().await;
    for uri in [
        "file:///staging/part-0.parquet",
        "gs://staging/part-*.parquet",
    ] {
        let mut other = job(1, None);
        other.parts[1].uri = uri.into();
        says(
            &warehouse.load(&other).await.unwrap_err(),
            PortErrorKind::Config,
            &["--staging gs://", uri],
        );
    }
    let never = jobs
        .warehouse(brisk())
        .load(&job(1, None))
        .await
        .unwrap_err();
    says(&never, PortErrorKind::Query, &["was not prepared"]);
    assert!(jobs.service.loads().is_empty());
}

#[tokio::test]
async fn an_answer_comes_whole_or_not_at_all() {
    let (jobs, warehouse) = service().await;
    let schema =
        json!({"fields": [{"name": "n", "type": "INTEGER"}, {"name": "t", "type": "STRING"}]});
    let row = |n: &str| json!({"f": [{"v": n}, {"v": null}]});
    let reference = json!({"jobId": "j", "projectId": PROJECT, "location": "EU"});
    let ask = async || warehouse.rows("SELECT 1", 10).await;

    jobs.service
        .answer(json!({"jobComplete": false, "jobReference": reference}));
    jobs.service.answer(json!({"jobComplete": false}));
    jobs.service.answer(json!({"jobComplete": true, "schema": schema, "rows": [row("1")], "totalRows": "2", "pageToken": "p"}));
    jobs.service
        .answer(json!({"jobComplete": true, "rows": [row("2")], "totalRows": "2"}));
    let table = ask().await.unwrap();
    assert_eq!(
        (table.rows.len(), table.columns.join(",").as_str()),
        (2, "n,t")
    );
    assert!(!jobs.fake.seen("pageToken=p").is_empty());

    jobs.service.answer(
        json!({"jobComplete": true, "schema": schema, "rows": [row("1")], "totalRows": "2"}),
    );
    says(
        &ask().await.unwrap_err(),
        PortErrorKind::Corrupt,
        &["1 rows, announced were 2"],
    );

    let errors = json!([{"reason": "invalidQuery", "message": "near 'SENTINEL'"}]);
    jobs.service
        .answer(json!({"jobComplete": true, "totalRows": "0", "errors": errors}));
    says(
        &ask().await.unwrap_err(),
        PortErrorKind::Query,
        &["invalidQuery"],
    );

    let eleven: Vec<_> = (0..11).map(|_| row("1")).collect();
    jobs.service
        .answer(json!({"jobComplete": true, "schema": schema, "rows": eleven, "totalRows": "11"}));
    says(
        &ask().await.unwrap_err(),
        PortErrorKind::Limit,
        &["more than 10 rows"],
    );
}

#[tokio::test]
async fn a_reading_place_of_its_own_changes_only_the_uris() {
    let (jobs, _) = service().await;
    let mut staged = job(1, None);
    for part in &mut staged.parts {
        part.uri = part.uri.replace("gs://staging", "file:///staging");
    }
    let map = |uri: &str| uri.replace("file:///staging", "gs://staging");
    let warehouse = jobs.warehouse(brisk()).reading(Arc::new(map));
    warehouse
        .prepare(&ipe().table_name(), &contract())
        .await
        .unwrap();
    assert_eq!(
        warehouse.load(&staged).await.unwrap().source_uris,
        uris(&job(1, None))
    );
}
