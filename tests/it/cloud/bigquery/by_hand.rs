//! Tables that somebody made by hand, or that the dataset would let end: replaced once, kept, or left as they are.

use std::sync::Arc;

use serde_json::{Value, json};
use soxauto::adapters::bigquery::BigQuery;
use soxauto::ports::{PortError, PortErrorKind, Warehouse as _};

use super::super::fakes::bigquery::{DATASET, Jobs, PROJECT, table_of};
use super::super::fakes::server::{Fault, Gate, When};
use super::{MONTH, brisk, job, prepared, says, uris};
use crate::evidence::sample::{contract, ipe};

const POSTS: &str = "POST /bigquery/v2/projects/test-project/jobs";

fn table() -> String {
    ipe().table_name()
}

fn full() -> String {
    format!("`{PROJECT}.{DATASET}.{}`", table())
}

/// What `bq mk --table` leaves.
fn bare() -> Value {
    json!({"type": "TABLE"})
}

/// The same with columns and rows.
fn filled(rows: u32) -> Value {
    let mut table = table_of(&contract());
    table.as_object_mut().unwrap().remove("timePartitioning");
    table["numRows"] = json!(rows.to_string());
    table
}

async fn with(found: Value) -> Jobs {
    let jobs = Jobs::start(None).await;
    jobs.service.dataset("EU");
    jobs.service.makes(&contract());
    jobs.service.table(&table(), found);
    for n in 1..3 {
        jobs.service.files(&job(n, None).parts);
    }
    jobs
}

async fn prepare(warehouse: &BigQuery) -> Result<(), PortError> {
    warehouse.prepare(&table(), &contract()).await
}

fn replacements(jobs: &Jobs) -> usize {
    let sent = jobs.fake.seen(POSTS);
    let is_one = |sent: &&_| String::from_utf8_lossy(&body(sent)).contains("soxauto_table_");
    sent.iter().filter(is_one).count()
}

fn body(seen: &super::super::fakes::server::Seen) -> Vec<u8> {
    seen.body.to_vec()
}

#[tokio::test]
async fn an_empty_table_without_months_is_replaced_once_and_a_filled_one_is_not_touched() {
    for (found, is_counted) in [(bare(), false), (filled(0), true)] {
        let jobs = with(found).await;
        prepared(&jobs).await;
        let counted = jobs.service.statements();
        assert_eq!(!counted.is_empty(), is_counted, "{counted:?}");
        let warehouse = prepared(&jobs).await;
        assert_eq!((jobs.service.dropped(), replacements(&jobs)), (1, 1));
        warehouse.load(&job(1, Some(1))).await.unwrap();
        prepared(&jobs).await;
        assert_eq!(jobs.service.month(MONTH), uris(&job(1, None)));
    }
    let jobs = with(filled(3)).await;
    let error = prepare(&jobs.warehouse(brisk())).await.unwrap_err();
    let command = format!("ALTER TABLE {} RENAME TO `{}_legacy`", full(), table());
    says(
        &error,
        PortErrorKind::Corrupt,
        &["holds 3 rows", &command, "--location=EU"],
    );
    assert_eq!((jobs.service.dropped(), replacements(&jobs)), (0, 0));
}

/// Why it is a job: the service takes neither another partitioning in place nor a question about a table without columns.
#[tokio::test]
async fn the_fake_refuses_what_bigquery_refuses() {
    let jobs = with(bare()).await;
    let warehouse = jobs.warehouse(brisk());
    for (sql, says_so) in [
        (
            format!("CREATE OR REPLACE TABLE {} (x)", full()),
            "different partitioning",
        ),
        (
            format!("SELECT COUNT(*) AS n FROM {}", full()),
            "does not have a schema",
        ),
    ] {
        let error = warehouse.rows(&sql, 1).await.unwrap_err();
        says(&error, PortErrorKind::Query, &[says_so]);
    }
}

/// March is loaded while the run of April still has the empty table before its eyes.
#[tokio::test]
async fn a_replacement_that_comes_late_or_again_does_not_drop_what_was_loaded_meanwhile() {
    let jobs = with(bare()).await;
    let gate = Arc::new(Gate::default());
    jobs.fake
        .plan(POSTS, [Fault::Held(Arc::clone(&gate), When::BeforeServing)]);
    let april = jobs.warehouse(brisk());
    let march = async {
        gate.reached().await;
        let warehouse = prepared(&jobs).await;
        warehouse.load(&job(1, Some(1))).await.unwrap();
        gate.open();
    };
    let (late, ()) = tokio::join!(prepare(&april), march);
    late.unwrap();
    assert_eq!(jobs.service.dropped(), 1);
    assert_eq!(jobs.service.month(MONTH), uris(&job(1, None)));

    let jobs = with(filled(0)).await;
    jobs.fake.plan(POSTS, [Fault::LostReply]);
    prepared(&jobs).await;
    jobs.fake.assert_spent();
    assert_eq!((jobs.service.dropped(), replacements(&jobs)), (1, 2));
}

#[tokio::test]
async fn a_table_that_is_filled_after_it_was_counted_is_not_dropped() {
    for found in [bare(), filled(0)] {
        let jobs = with(found).await;
        let gate = Arc::new(Gate::default());
        jobs.fake
            .plan(POSTS, [Fault::Held(Arc::clone(&gate), When::BeforeServing)]);
        let warehouse = jobs.warehouse(brisk());
        let somebody = async {
            gate.reached().await;
            jobs.service.change(&table(), |table| {
                table["schema"] = table_of(&contract())["schema"].clone();
                table["numRows"] = json!("3");
            });
            gate.open();
        };
        let (result, ()) = tokio::join!(prepare(&warehouse), somebody);
        says(
            &result.unwrap_err(),
            PortErrorKind::Query,
            &["by now", "run the item again"],
        );
        let again = prepare(&warehouse).await.unwrap_err();
        says(&again, PortErrorKind::Corrupt, &["holds 3 rows"]);
        assert_eq!(jobs.service.dropped(), 0);
        assert_eq!(jobs.service.described(&table())["numRows"], "3");
    }
}

#[tokio::test]
async fn a_replacement_that_ends_halfway_is_completed_and_never_repeated_over_another_table() {
    let jobs = with(bare()).await;
    jobs.service.fail("backendError", "try again");
    prepared(&jobs).await;
    assert_eq!((jobs.service.dropped(), replacements(&jobs)), (1, 2));

    let jobs = with(bare()).await;
    jobs.service.halt();
    prepared(&jobs).await;
    assert_eq!((jobs.service.dropped(), replacements(&jobs)), (1, 1));
    let made = jobs.service.statements();
    assert!(
        made.concat().starts_with("CREATE TABLE IF NOT EXISTS"),
        "{made:?}"
    );

    let jobs = with(bare()).await;
    for _ in 0..brisk().load_attempts_max {
        jobs.service.fail("backendError", "");
    }
    let error = prepare(&jobs.warehouse(brisk())).await.unwrap_err();
    says(
        &error,
        PortErrorKind::Unreachable,
        &[&format!("DROP TABLE {}", full())],
    );
    assert_eq!(jobs.service.dropped(), 0);
}

#[tokio::test]
async fn a_dataset_in_which_tables_end_does_not_let_ours_end() {
    let jobs = Jobs::start(None).await;
    jobs.service.makes(&contract());
    jobs.service.expire(5_184_000_000);
    prepared(&jobs).await;
    let said = jobs.service.statements();
    assert!(
        said.len() == 2 && said[1].starts_with("ALTER TABLE"),
        "{said:?}"
    );
    let by = jobs.service.described(&table())["timePartitioning"].clone();
    assert_eq!(by, json!({"type": "MONTH", "field": "_period"}));

    // One that was replaced, too.
    let jobs = with(bare()).await;
    jobs.service.expire(5_184_000_000);
    prepared(&jobs).await;
    assert!(jobs.service.described(&table())["timePartitioning"]["expirationMs"].is_null());
}

#[tokio::test]
async fn a_table_that_ends_is_refused_with_the_command_that_keeps_it_and_left_as_it_is() {
    let command = format!(
        "ALTER TABLE {} SET OPTIONS(partition_expiration_days=NULL, expiration_timestamp=NULL)",
        full()
    );
    let months =
        |table: &mut Value| table["timePartitioning"]["expirationMs"] = json!("5184000000");
    let whole = |table: &mut Value| table["expirationTime"] = json!("1735689600000");
    for (is_whole, what) in [
        (false, "deletes its months after 60 days"),
        (true, "deletes the table on 2025-01-01"),
    ] {
        let change = |table: &mut Value| match is_whole {
            true => whole(table),
            false => months(table),
        };
        let jobs = with(table_of(&contract())).await;
        let warehouse = prepared(&jobs).await;
        let before = warehouse.load(&job(1, Some(1))).await;
        jobs.service.change(&table(), change);
        let described = jobs.service.described(&table());
        for error in [
            prepare(&warehouse).await.unwrap_err(),
            warehouse.load(&job(2, Some(2))).await.unwrap_err(),
        ] {
            says(
                &error,
                PortErrorKind::Corrupt,
                &[what, &command, "--location=EU"],
            );
        }
        assert_eq!(jobs.service.described(&table()), described);
        assert_eq!(jobs.service.month(MONTH), before.unwrap().source_uris);
    }
}
