//! Good runs.

use std::collections::BTreeMap;
use std::path::Path;

use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::catalog::Catalog;
use soxauto::domain::check::Verdict;
use soxauto::domain::reconcile::result::Status;
use soxauto::domain::run::{ControlResult, ItemStatus, OverallStatus};
use soxauto::pipeline::check::CHECKS;
use soxauto::pipeline::record::ItemRecord;
use soxauto::ports::{Cell, Consistency, Warehouse};
use soxauto::sandbox::SandboxConfig;

use super::{Place, assert_sealed, run, run_on, sandbox};

pub(super) fn record(evidence: &str) -> ItemRecord {
    let path = Path::new(evidence.trim_start_matches("file://")).join("data/record.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Defects 1, 11 and 25 of the predecessor: a template was run as an item, rules failed on sound rows, and no check was ever
/// made of live data.
#[tokio::test(flavor = "multi_thread")]
async fn all_items_pass_load_and_verify() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    settings.items.clear();
    settings.jobs = 2;
    let result = run(settings).await;
    assert_eq!(
        (result.overall_status, result.control_result),
        (OverallStatus::Success, ControlResult::NotConcluded)
    );
    // JDASH is read from a file, and none was said: what it would explain is not concluded, and all else is.
    let judged = result.reconciliation.as_ref().unwrap();
    let open = judged
        .lines
        .iter()
        .filter(|(_, status)| **status != Status::Ok);
    let open: Vec<&str> = open.map(|(line, _)| line.as_str()).collect();
    assert_eq!(open, ["L6"]);
    let asked = crate::support::asked().len();
    assert_eq!(usize::try_from(result.summary.total_ipes), Ok(asked));
    assert_eq!(result.ipe_results["IPE_07"].rows_extracted, 2_000);
    let catalog = Catalog::embedded().unwrap();
    for (name, item) in &result.ipe_results {
        assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
        assert!(item.validation_summary.len() >= CHECKS.len());
        let ipe = catalog.select(std::slice::from_ref(name)).unwrap()[0];
        let has_no_rules = ipe.quality.is_empty();
        // What does not apply is about populations and rules that the catalog does not define, or that a predicate leaves
        // whole.
        let may_not_apply = |id: &str| match id {
            "quality.rules" => has_no_rules,
            _ => id.starts_with("population.") || id.starts_with("accuracy."),
        };
        for (id, verdict) in &item.validation_summary {
            let holds = match verdict {
                Verdict::Pass => true,
                Verdict::NotApplicable => may_not_apply(id),
                Verdict::Fail | Verdict::NotRun => false,
            };
            assert!(holds, "{name}: {id} is {verdict:?}");
        }
        assert_sealed(item).await;
    }
}

/// What the sub-ledger says per company and account is what the general ledger says: read from the warehouse by SQL.
#[tokio::test(flavor = "multi_thread")]
async fn the_loaded_ledgers_tie_to_the_cent() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    settings.items = ["CR_04", "IPE_07"].map(str::to_owned).to_vec();
    run(settings).await;
    let staging = store::open(&place.path("staging")).unwrap();
    let warehouse =
        LocalWarehouse::new(&store::open(&place.path("warehouse")).unwrap(), staging).unwrap();
    let sub_ledger = "SELECT id_company, group_coa_account_no AS account, SUM(rem_amt_lcy) AS total \
         FROM pg01_validated_ipe_ipe_07 GROUP BY id_company, group_coa_account_no ORDER BY id_company, account";
    let ledger = "SELECT id_company, group_coa_account_no AS account, SUM(balance_at_date) AS total \
         FROM pg01_validated_ipe_cr_04 GROUP BY id_company, group_coa_account_no ORDER BY id_company, account";
    let sub = warehouse.rows(sub_ledger, 1_000).await.unwrap();
    let general = warehouse.rows(ledger, 1_000).await.unwrap();
    assert!(
        sub.rows.len() > 20,
        "nine companies with several accounts each"
    );
    for row in &sub.rows {
        assert!(
            matches!(row[2], Cell::Decimal(amount) if amount.scale() == 20),
            "{row:?}"
        );
        assert!(general.rows.contains(row), "no equal balance for {row:?}");
    }
}

/// Sums of an amount in a month of a table, by company and group account.
pub(super) async fn sums(
    place: &Place,
    table: &str,
    amount: &str,
    month: &str,
) -> BTreeMap<(String, String), i128> {
    let staging = store::open(&place.path("staging")).unwrap();
    let warehouse =
        LocalWarehouse::new(&store::open(&place.path("warehouse")).unwrap(), staging).unwrap();
    // CR_03 holds the year so far; what moved in the month is what was posted in it.
    let posted = if table == "cr_03" {
        format!("AND CAST(posting_date AS DATE) >= DATE '{month}-01' ")
    } else {
        String::new()
    };
    let sql = format!(
        "SELECT id_company, group_coa_account_no, SUM({amount}) AS total FROM pg01_validated_ipe_{table} \
         WHERE _period = DATE '{month}-01' {posted}GROUP BY id_company, group_coa_account_no"
    );
    let rows = warehouse.rows(&sql, 1_000).await.unwrap().rows;
    let sum = |row: &Vec<Cell>| match (&row[0], &row[1], &row[2]) {
        (Cell::Text(company), Cell::Text(account), Cell::Decimal(total)) => {
            ((company.clone(), account.clone()), total.units())
        }
        other => panic!("{other:?}"),
    };
    rows.iter().map(sum).collect()
}

/// Check Z1 of the control, from loaded rows: opening balance + entries of the month = closing balance.
#[tokio::test(flavor = "multi_thread")]
async fn the_loaded_entries_are_the_movement_between_two_loaded_balances() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut march = place.settings("CR_04");
    march.period = Some("2024-03".parse().unwrap());
    run(march).await;
    let mut april = place.settings("CR_04");
    april.items.push("CR_03".to_owned());
    run(april).await;
    let opening = sums(&place, "cr_04", "balance_at_date", "2024-03").await;
    let entries = sums(&place, "cr_03", "amount", "2024-04").await;
    let closing = sums(&place, "cr_04", "balance_at_date", "2024-04").await;
    assert!(entries.len() > 5, "{entries:?}");
    for (place, balance) in &closing {
        let of = |sums: &BTreeMap<_, i128>| sums.get(place).copied().unwrap_or_default();
        assert_eq!(of(&opening) + of(&entries), *balance, "{place:?}");
    }
    assert!(entries.keys().all(|place| closing.contains_key(place)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_snapshot_is_bracketed_and_says_so() {
    let place = Place::new();
    let result = run_on(
        &place,
        SandboxConfig {
            snapshot_allowed: false,
            ..Default::default()
        },
        "IPE_07",
    )
    .await;
    assert_eq!(result.status, ItemStatus::Success, "{result:#?}");
    let record = record(result.evidence.as_deref().unwrap());
    assert_eq!(record.consistency, Some(Consistency::Bracketed));
    assert_eq!(record.source_totals, record.source_totals_after);
    assert!(record.source_totals_after.is_some());
    assert_sealed(&result).await;
}

/// Defect 3 of the predecessor: the hash covered the time of the run, so that the same rows never had the same one.
#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_gives_one_copy_and_keeps_history() {
    let place = Place::new();
    let first = run_on(&place, SandboxConfig::default(), "IPE_07").await;
    let second = run_on(&place, SandboxConfig::default(), "IPE_07").await;
    assert!(first.digest.is_some());
    assert_ne!(first.evidence, second.evidence, "two runs");
    assert_eq!(
        first.digest, second.digest,
        "the same books give the same digest"
    );
    let staging = store::open(&place.path("staging")).unwrap();
    let warehouse =
        LocalWarehouse::new(&store::open(&place.path("warehouse")).unwrap(), staging).unwrap();
    let count =
        "SELECT COUNT(*) AS n, COUNT(DISTINCT _run_id) AS runs FROM pg01_validated_ipe_ipe_07";
    assert_eq!(
        warehouse.rows(count, 10).await.unwrap().rows,
        vec![vec![Cell::Int(2_000), Cell::Int(1)]]
    );
    let month = std::fs::read_dir(place.path("warehouse/pg01_validated_ipe_ipe_07/period=2024-04"))
        .unwrap();
    let folders = month
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .count();
    assert_eq!(folders, 2, "the first run's files stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_rows_are_a_result_with_evidence() {
    let place = Place::new();
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    // Long before the first entry of the books.
    settings.period = Some("1999-01".parse().unwrap());
    let result = run(settings).await;
    let item = &result.ipe_results["IPE_07"];
    assert_eq!(
        (item.status, item.rows_extracted),
        (ItemStatus::Success, 0),
        "{item:#?}"
    );
    assert_sealed(item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stamps_say_why_a_run_is_no_evidence() {
    let place = Place::new();
    let result = run_on(&place, SandboxConfig::default(), "CR_04").await;
    let record = record(result.evidence.as_deref().unwrap());
    let stamps = serde_json::to_string(&record.context.stamps).unwrap();
    assert!(stamps.contains("file_secrets"), "{stamps}");
    let folder = result.evidence.unwrap().replace("file://", "");
    let summary = std::fs::read_to_string(Path::new(&folder).join("data/summary.md")).unwrap();
    assert!(
        summary.contains("NOT CONTROL EVIDENCE")
            && summary.contains("secrets were read from files")
    );
    assert!(summary.contains("PRELIMINARY"));
}
