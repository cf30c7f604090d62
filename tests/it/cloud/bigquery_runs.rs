//! A whole run into the BigQuery stand-in: read, checked, staged, loaded, counted there and sealed.

use std::sync::Arc;

use soxauto::adapters::store;
use soxauto::catalog::Catalog;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::sandbox::{Sandbox, SandboxConfig};

use super::bigquery_stand_in::World;
use crate::rig::Rig;

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
