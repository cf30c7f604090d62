//! Runs that break or are held: one clear message, nothing half-published, and a sealed package.

use soxauto::domain::check::Verdict;
use soxauto::domain::run::{ItemStatus, OverallStatus};
use soxauto::pipeline::workflow::WorkflowResult;
use soxauto::sandbox::SandboxConfig;
use soxauto::sandbox::tds::fault::{FaultAction, FaultPoint, Faults, ResultFault};
use soxauto::sandbox::wire::SqlError;

use super::{Place, assert_held, assert_sealed, run, run_on, sandbox};

fn fault(at: FaultPoint, action: FaultAction) -> SandboxConfig {
    // Only the rows of the item are that many; questions before them stay whole.
    let results = vec![ResultFault {
        rows_min: 500,
        result_set: 1,
        at,
        action,
    }];
    SandboxConfig {
        faults: Faults {
            results,
            ..Default::default()
        },
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_mid_stream_is_sealed_and_loads_nothing() {
    let place = Place::new();
    let error = SqlError {
        number: 8134,
        class: 16,
        state: 1,
        message: "Divide by zero error encountered.".into(),
        procedure: String::new(),
        line: 1,
    };
    let config = fault(FaultPoint::Rows(1_500), FaultAction::Error(error));
    let result = run_on(&place, config, "IPE_07").await;
    let message = result.error_message.clone().unwrap();
    assert!(
        message.contains("error 8134") && message.contains("after_rows 1500"),
        "{message}"
    );
    assert_held(&result, ItemStatus::Error, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_in_mid_row_is_sealed_and_loads_nothing() {
    let place = Place::new();
    let result = run_on(
        &place,
        fault(FaultPoint::RowBytes(300_001), FaultAction::Cut),
        "IPE_07",
    )
    .await;
    assert!(
        result
            .error_message
            .clone()
            .unwrap()
            .contains("connection broke"),
        "{result:#?}"
    );
    assert_held(&result, ItemStatus::Error, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_run_leaves_the_old_month_whole() {
    let place = Place::new();
    let good = run_on(&place, SandboxConfig::default(), "IPE_07").await;
    let current = place.path("warehouse/pg01_validated_ipe_ipe_07/period=2024-04/CURRENT");
    let before = std::fs::read(&current).unwrap();
    let broken = run_on(
        &place,
        fault(FaultPoint::Rows(1_000), FaultAction::Cut),
        "IPE_07",
    )
    .await;
    assert_eq!(
        (good.status, broken.status),
        (ItemStatus::Success, ItemStatus::Error)
    );
    assert_eq!(std::fs::read(&current).unwrap(), before);
    assert_sealed(&broken).await;
}

/// Defect 20 of the predecessor: where the source gave nothing, rows of a fixture were taken in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_sealed_and_nowhere_to_be_found() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    let wrong = sandbox
        .odbc_connection_string()
        .replace("PWD={", "PWD={SENTINEL");
    place.secret(&wrong);
    let result = run(place.settings("IPE_07")).await;
    assert_eq!(result.overall_status, OverallStatus::Failed);
    let item = &result.ipe_results["IPE_07"];
    assert!(
        item.error_message
            .clone()
            .unwrap()
            .contains("check UID and PWD"),
        "{item:#?}"
    );
    assert_eq!(item.rows_extracted, 0, "no rows of anywhere else");
    assert_held(item, ItemStatus::Error, &place).await;
    for (name, text) in place.texts() {
        assert!(!text.contains("SENTINEL"), "{name} holds the password");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_connection_string_names_the_secret_not_its_value() {
    let place = Place::new();
    place.secret("DRIVER={x};SERVER=h;UID=u;PWD={SENTINEL");
    let result = run(place.settings("IPE_07")).await;
    let item = &result.ipe_results["IPE_07"];
    let message = item.error_message.clone().unwrap();
    assert!(
        message.contains("secret DB_CREDENTIALS_NAV_BI") && message.contains("never closed"),
        "{message}"
    );
    assert!(!message.contains("SENTINEL"));
    assert_held(item, ItemStatus::Error, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_the_source_breaks_holds_the_load_before_any_row() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog/CR_04");
    let item = place.dir.path().join("catalog/CR_04");
    std::fs::create_dir_all(&item).unwrap();
    for name in ["query.sql", "population.sql", "witness.sql"] {
        std::fs::copy(source.join(name), item.join(name)).unwrap();
    }
    let toml = std::fs::read_to_string(source.join("ipe.toml")).unwrap();
    let altered = toml.replacen("type = \"decimal(38,20)\"", "type = \"decimal(19,4)\"", 1);
    assert_ne!(toml, altered);
    std::fs::write(item.join("ipe.toml"), altered).unwrap();
    let mut settings = place.settings("CR_04");
    settings.catalog = Some(place.dir.path().join("catalog"));
    let result = run(settings).await;
    let item = &result.ipe_results["CR_04"];
    assert_eq!(item.status, ItemStatus::Failed, "{item:#?}");
    assert_eq!(item.validation_summary["contract.columns"], Verdict::Fail);
    assert_eq!(
        item.validation_summary["transfer.source_decoded"],
        Verdict::NotRun
    );
    assert_eq!(
        (item.rows_extracted, item.bigquery_table.clone()),
        (0, None)
    );
    assert!(
        item.error_message.clone().unwrap().contains("FX_RATE"),
        "{item:#?}"
    );
    assert_sealed(item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_item_that_fails_leaves_the_other_alone() {
    let place = Place::new();
    let sandbox = sandbox(fault(FaultPoint::Rows(1_900), FaultAction::Cut)).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    settings.items = ["CR_05", "IPE_07"].map(str::to_owned).to_vec();
    let result = run(settings).await;
    assert_eq!(
        result.overall_status,
        OverallStatus::PartialSuccess,
        "{result:#?}"
    );
    assert_eq!(result.ipe_results["IPE_07"].status, ItemStatus::Error);
    assert_eq!(result.ipe_results["CR_05"].status, ItemStatus::Success);
    assert_eq!(result.control_result.exit_code(), 2);
}

/// Writes an item of company, number and amount whose rows are these values.
pub(super) fn write_item(place: &Place, id: &str, values: &str) {
    write_item_with(place, id, values, None);
}

/// The same with one more column: its name, its type and its expression.
pub(super) fn write_item_with(
    place: &Place,
    id: &str,
    values: &str,
    extra: Option<(&str, &str, &str)>,
) {
    let item = place.dir.path().join("catalog").join(id);
    std::fs::create_dir_all(&item).unwrap();
    let query = format!(
        "SELECT CAST(v.c AS varchar(20)) AS id_company, CAST(v.n AS int) AS entry_no, \
         CAST(v.a AS decimal(38,0)) AS amount{} FROM (VALUES {values}) AS v (c, n, a)",
        extra.map_or(String::new(), |(name, sql_type, value)| {
            format!(", CAST({value} AS {sql_type}) AS {name}")
        })
    );
    std::fs::write(item.join("query.sql"), query).unwrap();
    let column = |name: &str, sql_type: &str, more: &str| {
        format!(
            "[[contract.columns]]\nsource = \"{name}\"\nname = \"{name}\"\ntype = \"{sql_type}\"\n{more}"
        )
    };
    let toml = format!(
        "id = \"{id}\"\ntitle = \"t\"\nsecret = \"DB_CREDENTIALS_NAV_BI\"\ndatabases = [\"AIG_Nav_DW\"]\n\
         [contract]\nversion = 1\nkey = [\"id_company\", \"entry_no\"]\ncompany = \"id_company\"\n{}{}{}{}",
        column("id_company", "varchar(20)", ""),
        column("entry_no", "int", ""),
        column("amount", "decimal(38,0)", "amount = true\n"),
        extra.map_or(String::new(), |(name, sql_type, _)| column(
            name, sql_type, ""
        )),
    );
    std::fs::write(item.join("ipe.toml"), toml).unwrap();
}

/// Runs the items of the written catalog.
pub(super) async fn run_written(place: &Place) -> WorkflowResult {
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("");
    settings.items.clear();
    settings.catalog = Some(place.dir.path().join("catalog"));
    run(settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_is_named_and_holds_the_load_of_its_own_item_only() {
    let place = Place::new();
    write_item(
        &place,
        "TWICE",
        "('JD_GH', 1, 14000), ('JD_GH', 2, 5), ('JD_GH', 1, 14000)",
    );
    // The same number in another company, the same amount twice: no key is repeated.
    write_item(
        &place,
        "ONCE",
        "('JD_GH', 1, 14000), ('JD_GH', 2, 14000), ('EC_NG', 1, 14000)",
    );
    let result = run_written(&place).await;
    let twice = &result.ipe_results["TWICE"];
    assert_eq!(twice.status, ItemStatus::Failed, "{twice:#?}");
    assert_eq!(twice.validation_summary["key.unique"], Verdict::Fail);
    assert_eq!(
        twice.validation_summary["transfer.source_decoded"],
        Verdict::Pass
    );
    let message = twice.error_message.clone().unwrap();
    assert!(
        message.contains("2 rows have the key id_company = JD_GH, entry_no = 1"),
        "{message}"
    );
    assert_eq!(twice.bigquery_table, None);
    assert_sealed(twice).await;
    let once = &result.ipe_results["ONCE"];
    assert_eq!(once.status, ItemStatus::Success, "{once:#?}");
    assert_eq!(once.validation_summary["key.unique"], Verdict::Pass);
}

/// Sums that need more than 38 digits: the server says so in the control totals, before any row.
#[tokio::test(flavor = "multi_thread")]
async fn a_sum_beyond_38_digits_is_named_with_its_remedy() {
    let place = Place::new();
    let top = "9".repeat(38);
    write_item(
        &place,
        "BIG",
        &format!("('EC_NG', 1, {top}), ('EC_NG', 2, {top})"),
    );
    let result = run_written(&place).await;
    let item = &result.ipe_results["BIG"];
    let message = item.error_message.clone().unwrap();
    assert!(
        message.contains("error 8115") && message.contains("more than 38 digits"),
        "{message}"
    );
    assert_eq!(item.status, ItemStatus::Error);
    assert_sealed(item).await;
}
