//! The reconciliation by two engines: over the staged parts here, and by SQL over the loaded months in the stand-in of BigQuery.
//!
//! The second one sums there, and joins and subtracts there: an answer that is not the result to the last digit is an error.

use std::sync::Arc;

use soxauto::app::App;
use soxauto::app::reconcile::{self, ReconcileSettings};
use soxauto::app::rules::RuleChoice;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::reconcile::result::Status;
use soxauto::domain::uploaded::DeclaredForm;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::reconcile::Reconciled;
use soxauto::ports::{PortError, PortErrorKind};
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{RunSettings, UploadSettings, WarehouseChoice};

use super::bigquery_runs::settings;
use super::bigquery_stand_in::World;
use super::fakes::bigquery::DATASET;
use super::fakes::secret_manager::Damage;
use crate::journey::Place;
use crate::journey::planted::planted;

/// Every item of the planted month, staged in buckets and loaded into the engine.
async fn load(world: &World, place: &Place) -> RunSettings {
    let sandbox = Sandbox::start(SandboxConfig {
        rows: Some(2_000),
        ..planted(PlantProfile::Recon, &[])
    })
    .await
    .unwrap();
    let secret = sandbox.odbc_connection_string();
    let secrets = &world.jobs.google.secrets;
    secrets.add("DB_CREDENTIALS_NAV_BI", &secret, Damage::None);
    let used = sandbox.jdash("2024-05-01".parse().unwrap()).unwrap();
    let path = place.file("used.csv", &used.unwrap());
    let settings = RunSettings {
        items: Vec::new(),
        files: vec![UploadSettings {
            item: "JDASH".to_owned(),
            location: path.display().to_string(),
            form: DeclaredForm::default(),
        }],
        jobs: 2,
        ..settings(world, place)
    };
    let app = App::build(settings.clone(), Arc::new(Silent))
        .await
        .unwrap();
    let result = app.run().await.unwrap();
    sandbox.stop().await;
    let published = result.publication.unwrap();
    assert_eq!(published.error_message, None);
    assert_eq!(published.tables.len(), 2, "counted where they were loaded");
    settings
}

async fn judged(settings: &RunSettings, is_engine: bool) -> Result<Reconciled, PortError> {
    let WarehouseChoice::BigQuery(dataset) = settings.warehouse.clone() else {
        panic!("{:?}", settings.warehouse);
    };
    let judged = reconcile::run(&ReconcileSettings {
        period: settings.period.unwrap(),
        run: None,
        evidence: settings.evidence.clone(),
        staging: None,
        rules: RuleChoice::BuiltIn,
        pins: Default::default(),
        seal: false,
        publish: None,
        engine: is_engine.then_some(dataset),
        google: settings.google.clone(),
    })
    .await?;
    Ok(judged.judgement.reconciled)
}

/// Whether the question of the deadline alert has an answer for April: a month that is closed.
async fn is_closed(world: &World) -> bool {
    let sql = include_str!("../../../deploy/alerts/deadline.sql");
    let (_, question) = sql.split_once("IF NOT EXISTS (").unwrap();
    let (question, _) = question.split_once(") THEN").unwrap();
    let question = question
        .replace("${PROJECT_ID}.${DATASET}", DATASET)
        .replace("due_month", "DATE '2024-04-01'");
    !world.engine.run(&question).await.unwrap().is_empty()
}

/// The deadline alert asks the table as it is published: a run that nobody closed does not end it, and one that is no control
/// evidence neither.
async fn assert_deadline(world: &World) {
    assert!(!is_closed(world).await);
    for (said, closed) in [
        ("state = 'FINAL'", false),
        ("is_control_evidence = TRUE", true),
    ] {
        let table = format!("{DATASET}.soxauto_runs");
        let sql = format!("UPDATE `{table}` SET {said} WHERE item = 'reconciliation'");
        world.engine.run(&sql).await.unwrap();
        assert_eq!(is_closed(world).await, closed, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the BigQuery stand-in (SOXAUTO_TEST_BIGQUERY); scripts/test installs it where Python 3.13 is"]
async fn sums_of_the_loaded_months_are_those_of_the_staged_parts() {
    let (world, place) = (World::start().await, Place::new());
    let settings = load(&world, &place).await;
    assert_deadline(&world).await;
    let here = judged(&settings, false).await.unwrap();
    let there = judged(&settings, true).await.unwrap();
    let lines = here.result.judged();
    let wrong = lines.flat_map(|line| &line.buckets);
    let wrong = wrong.filter(|bucket| bucket.status != Status::Ok).count();
    assert_eq!(wrong, 13, "as many as are planted");
    assert_eq!(there.result, here.result);
    assert_eq!(there.zero_checks, here.zero_checks);
    let asked = world.jobs.service.statements();
    let joined = asked.iter().filter(|sql| sql.contains("FULL OUTER JOIN"));
    let signed = here.result.judged().count();
    assert_eq!(joined.count(), signed, "one a line whose sign is known");

    // A cent that somebody moves in the dataset is in its sums and in the variance that it computes, and in that line alone: the
    // two meet, else there were no result.
    let first = |table: &str| {
        format!(
            "cod_oms_sales_order_item = (SELECT MIN(cod_oms_sales_order_item) FROM `{table}` WHERE id_company = 'EC_MA') AND id_company = 'EC_MA'"
        )
    };
    let move_by = async |table: &str, column: &str, cents: &str| {
        let one = first(table);
        let sql =
            format!("UPDATE `{table}` SET {column} = {column} + BIGNUMERIC '{cents}' WHERE {one}");
        world.engine.run(&sql).await.unwrap();
    };
    let delivered = format!("{DATASET}.pg01_validated_ipe_ipe_12");
    move_by(&delivered, "paid_price", "0.01").await;
    let moved = judged(&settings, true).await.unwrap();
    let pairs = moved.result.lines.iter().zip(&here.result.lines);
    let differ: Vec<&str> = pairs
        .filter(|(there, here)| there.buckets != here.buckets)
        .map(|(line, _)| line.id.as_str())
        .collect();
    assert_eq!(differ, ["L2"]);
    move_by(&delivered, "paid_price", "-0.01").await;

    // Where rows are matched, the staged ones are: a sum of the dataset that is not theirs is no result.
    let table = format!("{DATASET}.pg01_validated_ipe_ipe_10");
    move_by(&table, "paid_for_items", "0.01").await;
    let error = judged(&settings, true).await.unwrap_err().to_string();
    assert!(
        error.contains("in EC_MA 18350 do not come to its target"),
        "{error}"
    );
    assert!(
        error.contains("the loaded month is not what was staged"),
        "{error}"
    );

    // A row that is gone there is no smaller sum: it is said.
    let gone = format!("DELETE FROM `{table}` WHERE {}", first(&table));
    world.engine.run(&gone).await.unwrap();
    let error = judged(&settings, true).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt, "{error}");
    let said = error.to_string();
    assert!(said.contains("IPE_10 2024-04 holds"), "{said}");
    assert!(said.contains("--engine local"), "{said}");
    assert_eq!(
        judged(&settings, false).await.unwrap().result,
        here.result,
        "the parts are as they were"
    );
}
