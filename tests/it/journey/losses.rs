//! The loss ledger of whole runs: in the record, in its own file, on the page that people read. The stand-in knows
//! microseconds only, so that a digit that is cut is tested below it, in `source::losses` and `evidence::losses`.

use serde_json::{Value, json};
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::workflow::IpeResult;
use soxauto::sandbox::SandboxConfig;

use super::broken::write_item_with;
use super::{Place, assert_sealed, run, sandbox};

const ROWS: &str = "('JD_GH', 1, 14000), ('JD_GH', 2, 5), ('EC_NG', 3, 1)";

/// Runs one written item, so many rows a batch.
async fn run_item(place: &Place, item: &str, batch_rows_max: usize) -> IpeResult {
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings(item);
    settings.catalog = Some(place.dir.path().join("catalog"));
    settings.limits.batch_rows_max = batch_rows_max;
    let result = run(settings).await;
    sandbox.stop().await;
    result.ipe_results[item].clone()
}

fn file(result: &IpeResult, name: &str) -> String {
    let package = result.evidence.clone().unwrap();
    let path = package.trim_start_matches("file://").to_owned() + "/data/" + name;
    std::fs::read_to_string(path).unwrap()
}

fn losses(result: &IpeResult) -> Value {
    let record: Value = serde_json::from_str(&file(result, "record.json")).unwrap();
    record["losses"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_carries_everything_has_an_empty_ledger() {
    let place = Place::new();
    let same = "'2024-04-30 22:30:00.1234560'";
    write_item_with(&place, "WHOLE", ROWS, Some(("at", "datetime2(7)", same)));
    let result = run_item(&place, "WHOLE", 2).await;
    assert_eq!(result.status, ItemStatus::Success, "{result:#?}");
    assert_eq!(losses(&result), json!([]));
    assert!(file(&result, "summary.md").contains("Nothing: every value is what the source sent."));
    assert_sealed(&result).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_carrier_is_in_the_ledger_and_changes_nothing() {
    let place = Place::new();
    write_item_with(&place, "WIDE", ROWS, Some(("fee", "money", "v.n")));
    let result = run_item(&place, "WIDE", 2).await;
    assert_eq!(result.status, ItemStatus::Success, "{result:#?}");
    let view: Value = serde_json::from_str(&file(&result, "losses.json")).unwrap();
    assert_eq!(
        (&view[3]["carried"], &view[3]["values"]),
        (&json!("widened"), &json!(3))
    );
    assert!(file(&result, "summary.md").contains("Nothing: every value is what the source sent."));
    assert_sealed(&result).await;
}
