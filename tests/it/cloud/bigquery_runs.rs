//! Whole runs into the BigQuery stand-in: read, checked, staged, loaded, counted there and sealed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use soxauto::adapters::store;
use soxauto::app::App;
use soxauto::catalog::Catalog;
use soxauto::domain::limits::{HttpLimits, Limits};
use soxauto::domain::run::{ItemStatus, OverallStatus};
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::workflow::WorkflowResult;
use soxauto::ports::Warehouse as _;
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{RunSettings, SecretsChoice};

use super::bigquery::brisk;
use super::bigquery_stand_in::World;
use super::buckets::{assert_valid, verified};
use super::fakes::bigquery::{DATASET, PROJECT};
use super::fakes::quick;
use super::fakes::secret_manager::Damage;
use crate::journey::Place;
use crate::rig::Rig;

const ITEMS: [&str; 3] = ["CR_04", "CR_05", "IPE_07"];

/// Everything in the cloud: staging and evidence in buckets, months in a dataset, the secret in Secret Manager.
pub(super) fn settings(world: &World, place: &Place) -> RunSettings {
    let settings = place.settings("CR_04");
    RunSettings {
        items: ITEMS.map(str::to_owned).into(),
        staging: "gs://staging/pg01".to_owned(),
        evidence: "gs://evidence/pg01".to_owned(),
        warehouse: format!("bigquery://{PROJECT}/{DATASET}?location=EU")
            .parse()
            .unwrap(),
        source: soxauto::settings::SourceSettings {
            secrets: SecretsChoice::Gcp(PROJECT.parse().unwrap()),
            ..settings.source
        },
        google: world.jobs.settings(),
        limits: Limits {
            // A look that ends a load waits for the engine; it must not be sent twice.
            http: HttpLimits {
                silence_timeout: Duration::from_secs(60),
                attempt_timeout: Duration::from_secs(60),
                ..quick()
            },
            bigquery: brisk(),
            ..settings.limits
        },
        ..settings
    }
}

async fn run(world: &World, place: &Place) -> WorkflowResult {
    let app = App::build(settings(world, place), Arc::new(Silent)).await;
    app.unwrap().run().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn an_item_ends_in_the_dataset_and_a_second_run_replaces_it() {
    let world = World::start().await;
    let sandbox = Sandbox::start(SandboxConfig::of(Some(2_000), None))
        .await
        .unwrap();
    let catalog = Catalog::embedded().unwrap();
    let ipe = catalog.select(&["CR_04".to_owned()]).unwrap()[0].clone();
    let rig = Rig {
        staging: world.staging.clone(),
        evidence: store::memory(),
        warehouse: String::new(),
        limits: Limits::default(),
    };
    for _ in 0..2 {
        let warehouse = Arc::new(world.warehouse());
        let outcome = rig
            .run_into(warehouse, &sandbox.odbc_connection_string(), &ipe)
            .await;
        let record = &outcome.record;
        assert_eq!(
            record.status,
            ItemStatus::Success,
            "{:?} {:#?}",
            record.error,
            record.verification
        );
        assert!(outcome.package.is_some());
        let run = record.context.run_id.to_string();
        let runs = record.read_back_runs.clone().unwrap();
        assert_eq!(runs.keys().collect::<Vec<_>>(), [&run]);
        let receipt = record.receipt.as_ref().unwrap();
        assert!(
            receipt
                .destination_table
                .ends_with("pg01_validated_ipe_cr_04$202404"),
            "{receipt:?}"
        );
        assert!(
            receipt
                .source_uris
                .iter()
                .all(|uri| uri.starts_with("gs://staging/CR_04/")),
            "{receipt:?}"
        );
    }
    sandbox.stop().await;
}

/// Rows of a month by run, as the engine has them.
async fn runs(world: &World, item: &str) -> Vec<Vec<serde_json::Value>> {
    let table = format!("pg01_validated_ipe_{}", item.to_lowercase());
    let sql = format!("SELECT `_run_id`, COUNT(*) FROM `{DATASET}.{table}` GROUP BY 1");
    world.engine.run(&sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn a_month_goes_through_buckets_into_the_engine_and_is_counted_there() {
    let (world, place) = (World::start().await, Place::new());
    let sandbox = Sandbox::start(SandboxConfig::of(Some(2_000), None))
        .await
        .unwrap();
    let secret = sandbox.odbc_connection_string();
    let secrets = &world.jobs.google.secrets;
    secrets.add("DB_CREDENTIALS_NAV_BI", &secret, Damage::None);
    run(&world, &place).await;
    let result = run(&world, &place).await;
    sandbox.stop().await;
    assert_eq!(result.overall_status, OverallStatus::Success, "{result:#?}");
    let run_id = result.run_id.to_string();
    for item in ITEMS {
        let outcome = &result.ipe_results[item];
        let rows = outcome.rows_extracted.to_string();
        assert_eq!(
            runs(&world, item).await,
            [[run_id.clone(), rows].map(serde_json::Value::from)],
            "{item}: one copy, of the second run"
        );
        let package = outcome.evidence.as_deref().unwrap();
        assert!(package.starts_with("gs://evidence/pg01/"), "{package}");
        assert_valid(&verified(&world.jobs.google, package).await);
    }
    // A cent that somebody moves is seen by the read-back that the run makes.
    let ipe = Catalog::embedded().unwrap();
    let ipe = ipe.select(&["IPE_07".to_owned()]).unwrap()[0].clone();
    let table = ipe.id.table_name();
    let warehouse = world.warehouse();
    let back = async || {
        let period = result.period;
        let found = warehouse.read_back(&table, period, &ipe.contract, 1).await;
        found.unwrap()
    };
    let before = back().await;
    let digest = result.ipe_results["IPE_07"].digest.clone().unwrap();
    assert_eq!(before.recomputed.digest.to_string(), digest);
    world
        .engine
        .run(&format!(
            "UPDATE `{DATASET}.{table}` SET original_amount = original_amount + BIGNUMERIC '0.01' \
             WHERE id_company = 'JM_EG' AND entry_no = (SELECT MIN(entry_no) FROM `{DATASET}.{table}` WHERE id_company = 'JM_EG')"
        ))
        .await
        .unwrap();
    let after = back().await;
    let buckets: BTreeSet<&u16> = before.buckets.keys().chain(after.buckets.keys()).collect();
    let differs = |bucket: &&&u16| before.buckets.get(bucket) != after.buckets.get(bucket);
    assert_eq!(
        buckets.iter().filter(differs).count(),
        2,
        "the row left one bucket for another"
    );
    assert_ne!(after.recomputed.digest.to_string(), digest);
    assert_ne!(after.recomputed.totals, before.recomputed.totals);
}
