//! The same months in an engine that nobody here made: SQL, types and digest by the BigQuery stand-in.
//!
//! `scripts/test` installs it where there is a Python that can run it, or counts these as ignored.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use soxauto::adapters::bigquery::BigQuery;
use soxauto::adapters::store;
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::domain::manifest::Staged;
use soxauto::kernels::bigquery::table::replace_empty;
use soxauto::ports::{LoadJob, PortErrorKind, ReadBack, StoreRoot, Warehouse};
use tempfile::TempDir;

use super::bigquery::brisk;
use super::fakes::bigquery::{DATASET, Jobs};
use super::fakes::stand_in::Engine;
use crate::evidence::sample::{context, contract, ipe, job, period, staged};

/// An engine of its own for one test, with a bucket in a folder.
pub(crate) struct World {
    _dir: TempDir,
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    pub(crate) staging: StoreRoot,
}

impl World {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(dir.path()).await;
        let jobs = Jobs::start(Some(engine.clone())).await;
        let bucket: PathBuf = dir.path().join("buckets/staging");
        let staging = store::open(bucket.to_str().unwrap()).unwrap();
        Self {
            _dir: dir,
            engine,
            jobs,
            staging,
        }
    }

    /// BigQuery sees the bucket where the program has a folder.
    pub(crate) fn warehouse(&self) -> BigQuery {
        let folder = self.staging.uri.clone();
        let map = move |uri: &str| uri.replace(&folder, "gs://staging");
        self.jobs.warehouse(brisk()).reading(Arc::new(map))
    }

    async fn load(&self, warehouse: &BigQuery, n: u32, rows: i32) -> (LoadJob, Staged) {
        let context = context(n);
        let staged = staged(&self.staging, &context, rows).await;
        let job = job(&context, &staged);
        let receipt = warehouse.load(&job).await.unwrap();
        assert_eq!(receipt.output_rows, staged.rows());
        (job, staged)
    }
}

async fn back(warehouse: &BigQuery, contract: &Contract) -> ReadBack {
    let table = ipe().table_name();
    warehouse
        .read_back(&table, period(), contract, 1)
        .await
        .unwrap()
}

fn assert_holds(back: &ReadBack, job: &LoadJob, staged: &Staged) {
    assert_eq!(back.recomputed.digest, staged.digest);
    assert_eq!(
        back.recomputed
            .totals
            .differences(&staged.totals, "warehouse", "staging"),
        Vec::<String>::new()
    );
    assert_eq!(
        back.run_ids,
        [(job.metadata.run_id.to_string(), staged.rows())].into()
    );
}

/// The columns of the published vectors, ADR-0007.
fn vectors() -> Contract {
    let column = |name: &str, sql_type: &str, amount| {
        let sql_type = sql_type.parse().unwrap();
        Column {
            source: name.into(),
            name: name.into(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: true,
            amount,
            personal: false,
            description: "it's a vector".into(),
        }
    };
    Contract {
        version: 1,
        columns: vec![
            column("company", "varchar(20)", false),
            column("entry_no", "int", false),
            column("amount", "decimal(38,20)", true),
            column("posted_at", "datetime", false),
            column("name", "nvarchar(50)", false),
        ],
        key: vec!["company".into()],
        company: "company".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn the_published_vectors_have_the_published_digest_in_sql() {
    let world = World::start().await;
    let (warehouse, table) = (world.warehouse(), ipe().table_name());
    warehouse.prepare(&table, &vectors()).await.unwrap();
    let row = |values: &str, period: &str| {
        format!(
            "({values}, 'X', TIMESTAMP '2024-05-01 00:00:00+00', DATE '2024-05-01', TIMESTAMP '2024-05-01 00:00:00+00', 'x', 'r', DATE '{period}')"
        )
    };
    let small = "'JM_EG', 1, BIGNUMERIC '0', DATETIME '1753-01-01 00:00:00', ''";
    let rows = [
        row(
            "'EC_NG', 1, BIGNUMERIC '-0.5', DATETIME '2024-05-31 00:00:00', 'Café à Abidjan'",
            "2024-04-01",
        ),
        row(
            "'EC_NG', 2, BIGNUMERIC '1234567.89', DATETIME '2024-05-30 23:59:59.997', NULL",
            "2024-04-01",
        ),
        row(small, "2024-04-01"),
        // The whole partition is counted, not its first day.
        row(small, "2024-04-30"),
        row(small, "2024-05-01"),
        row(small, "2024-03-31"),
    ];
    let sql = format!("INSERT INTO `{DATASET}.{table}` VALUES {}", rows.join(", "));
    world.engine.run(&sql).await.unwrap();
    let back = back(&warehouse, &vectors()).await;
    assert_eq!(
        back.recomputed.digest.to_string(),
        "v1:4:201931783583158069:137829738126653398:100227104151049926:105473825057171830"
    );
    assert_eq!(
        back.recomputed.digest.fingerprint(),
        "46c5ae89f99317edc69f418c3c96503783b585710ffa294dcfd53037e579786d"
    );
    let buckets = back.buckets;
    assert_eq!(
        buckets.keys().copied().collect::<Vec<_>>(),
        [2335, 3544, 4067]
    );
    assert_eq!(buckets[&4067].rows, 2);
    let sum = back.recomputed.totals.groups["EC_NG"].sums[0].to_string();
    assert_eq!(sum, "1234567.39000000000000000000");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn a_month_of_every_type_is_loaded_replaced_and_counted_to_the_last_digit() {
    let world = World::start().await;
    let (warehouse, table) = (world.warehouse(), ipe().table_name());
    warehouse.prepare(&table, &contract()).await.unwrap();
    warehouse.prepare(&table, &contract()).await.unwrap();
    let (first, staged_first) = world.load(&warehouse, 1, 1_500).await;
    assert!(staged_first.parts.len() > 1);
    assert_holds(&back(&warehouse, &contract()).await, &first, &staged_first);
    let (second, staged_second) = world.load(&warehouse, 2, 200).await;
    let good = back(&warehouse, &contract()).await;
    assert_holds(&good, &second, &staged_second);
    let (third, staged_third) = world.load(&warehouse, 3, 0).await;
    let empty = back(&warehouse, &contract()).await;
    assert_eq!(
        (empty.recomputed.digest, empty.run_ids.len()),
        (staged_third.digest, 0),
        "{third:?}"
    );

    world.load(&warehouse, 4, 200).await;
    let sql = format!("UPDATE `{DATASET}.{table}` SET fee = fee + 0.0001 WHERE entry_no = 7");
    world.engine.run(&sql).await.unwrap();
    let changed = back(&warehouse, &contract()).await;
    assert_ne!(changed.recomputed.digest, staged_second.digest);
    assert_ne!(changed.recomputed.totals, staged_second.totals);
    let (a, b) = (good.buckets, changed.buckets);
    let differing = (0..4_096)
        .filter(|bucket| a.get(bucket) != b.get(bucket))
        .count();
    assert!((1..=2).contains(&differing), "{differing} buckets");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn files_of_another_month_or_that_are_gone_leave_the_old_month_whole() {
    let world = World::start().await;
    let (warehouse, table) = (world.warehouse(), ipe().table_name());
    warehouse.prepare(&table, &contract()).await.unwrap();
    let (first, staged_first) = world.load(&warehouse, 1, 300).await;
    let other = staged(&world.staging, &context(2), 300).await;
    let mut of_another_month = job(&context(2), &other);
    of_another_month.period = "2024-05".parse().unwrap();
    let error = warehouse.load(&of_another_month).await.unwrap_err();
    assert!(
        error.to_string().contains("different partitions"),
        "{error}"
    );
    let mut gone = job(&context(3), &other);
    gone.parts[0].uri = gone.parts[0].uri.replace("part-", "gone-");
    let error = warehouse.load(&gone).await.unwrap_err();
    assert!(
        matches!(error.kind, PortErrorKind::Query | PortErrorKind::Config),
        "{error}"
    );
    assert_holds(&back(&warehouse, &contract()).await, &first, &staged_first);
    let left: Vec<Vec<Value>> = world
        .engine
        .run(&format!("SELECT COUNT(*) FROM `{DATASET}.{table}`"))
        .await
        .unwrap();
    assert_eq!(left[0][0], "300");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn an_empty_table_is_looked_at_again_dropped_and_made_by_its_script() {
    for (made, rows) in [
        (
            format!("CREATE TABLE `{DATASET}.{}` (x INT64)", ipe().table_name()),
            None,
        ),
        (
            format!(
                "CREATE TABLE `{DATASET}.{}` AS SELECT 1 AS x",
                ipe().table_name()
            ),
            Some("holds 1 rows"),
        ),
    ] {
        let world = World::start().await;
        let (warehouse, table) = (world.warehouse(), ipe().table_name());
        // The dataset is made with another table in it.
        warehouse
            .prepare("pg01_validated_ipe_cr_04", &contract())
            .await
            .unwrap();
        world.engine.run(&made).await.unwrap();
        let prepared = warehouse.prepare(&table, &contract()).await;
        match rows {
            Some(rows) => {
                let error = prepared.unwrap_err();
                assert!(error.to_string().contains(rows), "{error}");
            }
            None => {
                prepared.unwrap();
                let (job, staged) = world.load(&warehouse, 1, 200).await;
                assert_holds(&back(&warehouse, &contract()).await, &job, &staged);
            }
        }
        // The script itself leaves what holds a row.
        let name = (super::fakes::bigquery::PROJECT, DATASET, table.as_str());
        for has_columns in [true, false] {
            let script = replace_empty(name, &contract(), has_columns);
            let refused = world.engine.run(&script).await.unwrap_err();
            assert!(refused.to_string().contains("by now"), "{refused}");
        }
    }
}
