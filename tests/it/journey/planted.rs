//! Runs on ledgers with planted differences: what loads, what is held, and what loaded months show.

use soxauto::domain::check::Verdict;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::run::{ControlResult, ItemStatus, OverallStatus};
use soxauto::pipeline::record::ItemRecord;
use soxauto::pipeline::workflow::IpeResult;
use soxauto::sandbox::{Planting, SandboxConfig};

use super::whole::sums;
use super::{Place, assert_held, assert_sealed, run, sandbox};

pub(crate) fn planted(profile: PlantProfile, without: &[&str]) -> SandboxConfig {
    SandboxConfig {
        planting: Planting {
            profile,
            without: without.iter().map(|id| (*id).to_owned()).collect(),
        },
        ..SandboxConfig::default()
    }
}

/// Runs all items of a month, or those that are named.
async fn month(
    place: &Place,
    config: SandboxConfig,
    month: &str,
    items: &[&str],
) -> soxauto::pipeline::workflow::WorkflowResult {
    let sandbox = sandbox(config).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    settings.period = Some(month.parse().unwrap());
    settings.items = items.iter().map(|item| (*item).to_owned()).collect();
    let result = run(settings).await;
    sandbox.stop().await;
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_for_the_reconciliation_hold_no_load() {
    let place = Place::new();
    let recon = planted(PlantProfile::Recon, &[]);
    let result = month(&place, recon, "2024-04", &["CR_04", "IPE_07"]).await;
    assert_eq!(
        (result.overall_status, result.control_result),
        (OverallStatus::Success, ControlResult::Exceptions)
    );
    let actual = sums(&place, "cr_04", "balance_at_date", "2024-04").await;
    let clean = Place::new();
    month(
        &clean,
        planted(PlantProfile::Clean, &[]),
        "2024-04",
        &["CR_04"],
    )
    .await;
    let before = sums(&clean, "cr_04", "balance_at_date", "2024-04").await;
    let moved = |company: &str, account: &str| {
        let place = (company.to_owned(), account.to_owned());
        actual[&place] - before.get(&place).copied().unwrap_or_default()
    };
    assert_eq!(moved("EC_MA", "18350"), 1, "10^-20 arrives");
    assert_eq!(moved("EC_IC", "13001") + moved("HF_SN", "13001"), 0);
    assert_ne!(moved("EC_IC", "13001"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_item_holds_its_item_and_names_the_key_and_the_others_load() {
    let place = Place::new();
    let hold = planted(PlantProfile::Hold, &[]);
    let result = month(&place, hold, "2024-04", &[]).await;
    let held = &result.ipe_results["IPE_12"];
    assert_held(held, ItemStatus::Failed, &place).await;
    assert_eq!(held.validation_summary["key.unique"], Verdict::Fail);
    for item in ["CR_03", "CR_05", "IPE_07", "IPE_10", "IPE_34"] {
        assert_eq!(result.ipe_results[item].status, ItemStatus::Success);
    }
    let evidence = held
        .evidence
        .as_deref()
        .unwrap()
        .trim_start_matches("file://");
    let record = std::fs::read_to_string(format!("{evidence}/data/record.json")).unwrap();
    let key = "2 rows have the key id_company = JD_GH, cod_oms_sales_order_item = 90000021";
    assert!(record.contains(key));

    let place = Place::new();
    let cured = planted(PlantProfile::Hold, &["H01"]);
    let result = month(&place, cured, "2024-04", &["IPE_12"]).await;
    assert_eq!(result.ipe_results["IPE_12"].status, ItemStatus::Success);
}

/// Check Z1 against a March that was loaded before the late posting came.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_posting_is_what_the_roll_forward_lacks() {
    // Vouchers are planted with what was booked of them since their issuance, which a clean March lacks too.
    let vouchers = ["F08", "F09", "E01", "E02", "N03", "N04"];
    for (without, missing) in [(&[][..], true), (&["F14"], false)] {
        let place = Place::new();
        month(&place, SandboxConfig::default(), "2024-03", &["CR_04"]).await;
        let april = planted(PlantProfile::Recon, &[&vouchers[..], without].concat());
        month(&place, april, "2024-04", &["CR_04", "CR_03"]).await;
        let opening = sums(&place, "cr_04", "balance_at_date", "2024-03").await;
        let entries = sums(&place, "cr_03", "amount", "2024-04").await;
        let mut closing = sums(&place, "cr_04", "balance_at_date", "2024-04").await;
        for (place, amount) in opening.iter().chain(&entries) {
            *closing.entry(place.clone()).or_default() -= amount;
        }
        closing.retain(|_, rest| *rest != 0);
        let late = 250_000 * 10_i128.pow(20);
        let expected = missing.then(|| (("JD_DZ".to_owned(), "13003".to_owned()), late));
        assert_eq!(closing, expected.into_iter().collect());
    }
}

/// The checks of an item that did not clear.
fn failed(item: &IpeResult) -> Vec<&str> {
    let verdicts = item.validation_summary.iter();
    let failed = verdicts.filter(|(_, v)| !matches!(v, Verdict::Pass | Verdict::NotApplicable));
    failed.map(|(id, _)| id.as_str()).collect()
}

/// Plant H02, and its cure.
#[tokio::test(flavor = "multi_thread")]
async fn stale_balances_hold_their_item_and_name_the_company() {
    let place = Place::new();
    let hold = planted(PlantProfile::Hold, &[]);
    let result = month(&place, hold, "2024-04", &["CR_04"]).await;
    let held = &result.ipe_results["CR_04"];
    assert_eq!(failed(held), ["population.freshness"]);
    assert_held(held, ItemStatus::Failed, &place).await;
    let said = held.error_message.as_deref().unwrap();
    let stale =
        "company `HF_SN`: the oldest REFRESH_DATE is 2024-04-29 03:00:00, before 2024-05-01";
    assert!(said.contains(stale), "{said}");
    let record = read_record(held);
    let freshness = record
        .checks
        .iter()
        .find(|check| check.id == "population.freshness");
    assert_eq!(freshness.unwrap().findings.len(), 1, "no other company");

    let place = Place::new();
    let cured = planted(PlantProfile::Hold, &["H02"]);
    let result = month(&place, cured, "2024-04", &["CR_04"]).await;
    let item = &result.ipe_results["CR_04"];
    assert_eq!(
        item.validation_summary["population.freshness"],
        Verdict::Pass
    );
    assert_eq!(result.control_result, ControlResult::NoExceptions);
}

/// A month for which nobody computed a balance is not fresh, and a ledger is when every company posted in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_without_balances_is_held_and_one_with_entries_is_fresh() {
    let place = Place::new();
    let clean = SandboxConfig::default();
    let result = month(&place, clean, "2023-06", &["CR_04", "IPE_07"]).await;
    let held = &result.ipe_results["CR_04"];
    assert_eq!(failed(held), ["population.freshness", "quality.rules"]);
    assert_held(held, ItemStatus::Failed, &place).await;
    let checks = read_record(held).checks;
    let found = checks.iter().map(|check| check.findings.len());
    assert_eq!(
        found.sum::<usize>(),
        9 + 2,
        "nine companies; no row, and no sum"
    );
    let ledger = &result.ipe_results["IPE_07"];
    assert_eq!(ledger.status, ItemStatus::Success);
    assert_eq!(
        ledger.validation_summary["population.freshness"],
        Verdict::Pass
    );
    let base = read_record(ledger).population.unwrap().base;
    let cutoff = "2023-07-01T00:00:00".parse().unwrap();
    assert!(
        base.values()
            .all(|count| count.dates.newest.unwrap() < cutoff)
    );
}

/// Plant F04: the item is loaded, and everything that people read names the group. Without it nothing does.
#[tokio::test(flavor = "multi_thread")]
async fn a_posting_group_that_nobody_approved_is_reported_and_holds_nothing() {
    for (without, is_found) in [(&[][..], true), (&["F04"], false)] {
        let place = Place::new();
        let recon = planted(PlantProfile::Recon, without);
        let result = month(&place, recon, "2024-04", &["IPE_07"]).await;
        let item = &result.ipe_results["IPE_07"];
        assert_eq!((item.status, failed(item)), (ItemStatus::Success, vec![]));
        assert!(item.bigquery_table.is_some());
        assert_sealed(item).await;
        assert_eq!(result.control_result == ControlResult::Exceptions, is_found);
        let found: Vec<_> = item
            .findings
            .iter()
            .map(|f| (f.id.as_str(), f.company.as_str()))
            .collect();
        let expected = [("scope.new_value", "EC_IC")];
        assert_eq!(found, if is_found { &expected[..] } else { &[] });
        let page = format!("{}/data/summary.md", folder(item));
        let page = std::fs::read_to_string(page).unwrap();
        let line = "Customer Posting Group has the value `B2C-NEW`, which ipe.toml does not know: 1 rows, rem_amt_lcy 1200000.00000000000000000000";
        assert_eq!(page.contains(line), is_found, "{page}");
        assert_eq!(read_record(item).findings, item.findings);
    }
}

/// Plant N04: what was used is joined by the code of a voucher, and the audit of that join counts the code of two types,
/// which a plain join would double. It is no finding.
#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_of_two_types_is_counted_by_the_audit_of_the_join_and_is_no_finding() {
    let mut counted = Vec::new();
    let whole: &[&str] = &[];
    for without in [whole, &["N04"]] {
        let place = Place::new();
        let recon = planted(PlantProfile::Recon, without);
        let result = month(&place, recon, "2024-04", &["IPE_08"]).await;
        let item = &result.ipe_results["IPE_08"];
        assert_eq!((item.status, failed(item)), (ItemStatus::Success, vec![]));
        assert!(item.findings.is_empty(), "{:?}", item.findings);
        let scopes = read_record(item).population.unwrap().scopes;
        let mut scopes = scopes.iter();
        let join = scopes.find(|scope| scope.rule.column == "join_by_code");
        let mut cells = join.unwrap().cells.iter();
        let of_two = cells
            .find(|cell| cell.company == "EC_KE" && cell.value.as_deref() == Some("several types"));
        counted.push(of_two.map_or(0, |cell| cell.rows));
    }
    assert_eq!(counted[0], counted[1] + 1);
}

/// A package whose finding was taken out does not verify: the finding follows from the values.
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_is_taken_out_is_missed() {
    let place = Place::new();
    let recon = planted(PlantProfile::Recon, &[]);
    let result = month(&place, recon, "2024-04", &["IPE_07"]).await;
    let mut record = read_record(&result.ipe_results["IPE_07"]);
    assert!(!record.findings.is_empty());
    record.findings.clear();
    let other = soxauto::adapters::store::open(&place.path("other")).unwrap();
    let sealed = soxauto::pipeline::package::seal(&other, &record, b"")
        .await
        .unwrap();
    let report = soxauto::app::verify(&sealed.uri, None, None).await.unwrap();
    let missed = report
        .findings
        .iter()
        .any(|f| f.place == "data/findings.json" && f.expected.contains("B2C-NEW"));
    assert!(missed, "{report:#?}");
}

/// Every item passes on the planted ledger, each with its population.
#[tokio::test(flavor = "multi_thread")]
async fn every_population_comes_out_on_the_planted_ledger() {
    let place = Place::new();
    let recon = planted(PlantProfile::Recon, &[]);
    let result = month(&place, recon, "2024-04", &[]).await;
    for (name, item) in &result.ipe_results {
        assert_eq!(failed(item), Vec::<&str>::new(), "{name}");
        for check in ["base", "extract", "companies", "scope"] {
            let verdict = item.validation_summary[&format!("population.{check}")];
            assert_eq!(verdict, Verdict::Pass, "{name} {check}");
        }
    }
    // JD_DZ has two rates: one row of the base table, two of the item.
    let rates = read_record(&result.ipe_results["CR_05"]);
    let cells = &rates.population.as_ref().unwrap().cells;
    let of = |company: &str| cells.iter().find(|cell| cell.company == company).unwrap();
    assert_eq!((of("JD_DZ").rows, of("JD_DZ").delivered), (1, 2));
    assert_eq!((of("JD_UG").rows, of("JD_UG").delivered), (1, 1));
    for (item, accuracy) in [("CR_03", ["1", "3"]), ("CR_04", ["1", "1"])] {
        for place in accuracy {
            let id = format!("accuracy.negative.{place}");
            assert_eq!(
                result.ipe_results[item].validation_summary[&id],
                Verdict::Pass,
                "{item} {id}"
            );
        }
    }
}

fn folder(item: &IpeResult) -> &str {
    item.evidence
        .as_deref()
        .unwrap()
        .trim_start_matches("file://")
}

fn read_record(item: &IpeResult) -> ItemRecord {
    let text = std::fs::read(format!("{}/data/record.json", folder(item))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What the check of the running numbers says in April, after `march` and on `april`.
async fn sequence(
    place: &Place,
    march: SandboxConfig,
    april: SandboxConfig,
) -> (IpeResult, String) {
    month(place, march, "2024-03", &["IPE_07"]).await;
    let result = month(place, april, "2024-04", &["IPE_07"]).await;
    let item = result.ipe_results["IPE_07"].clone();
    let record = read_record(&item);
    let check = record
        .checks
        .iter()
        .find(|check| check.id == "population.sequence");
    let check = check.unwrap();
    let said = format!("{} | {}", check.summary, check.findings.join(" | "));
    (item, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_there_last_month_and_is_gone_is_found() {
    // F14 is dated in March: its entry is there in the one ledger and deleted in the other.
    let place = Place::new();
    let (march, april) = (
        planted(PlantProfile::Recon, &[]),
        planted(PlantProfile::Recon, &["F14"]),
    );
    let (item, said) = sequence(&place, march, april).await;
    assert_eq!(failed(&item), ["population.sequence"]);
    assert_held(&item, ItemStatus::Failed, &place).await;
    let (_, findings) = said.split_once(" | ").unwrap();
    assert!(
        findings.starts_with("company `JD_DZ`: 1 rows of 2024-03 have disappeared: run 2"),
        "{said}"
    );
    assert!(!findings.contains(" | "), "no other company: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_came_since_last_month_are_no_finding() {
    let place = Place::new();
    let (march, april) = (SandboxConfig::default(), planted(PlantProfile::Recon, &[]));
    let (item, said) = sequence(&place, march, april).await;
    assert_eq!(failed(&item), [""; 0], "{said}");
    assert!(
        said.contains("up to the highest numbers of 2024-03 (preliminary run 2"),
        "{said}"
    );
    assert_sealed(&item).await;
    let previous = read_record(&item).population.unwrap().previous.unwrap();
    assert_eq!(previous.companies.len(), 12);
    assert!(
        previous
            .companies
            .values()
            .all(|n| n.still == n.rows && n.rows > 0)
    );

    let alone = Place::new();
    let result = month(&alone, SandboxConfig::default(), "2024-04", &["IPE_07"]).await;
    let record = read_record(&result.ipe_results["IPE_07"]);
    let check = record
        .checks
        .iter()
        .find(|check| check.id == "population.sequence")
        .unwrap();
    let nothing = "no sealed package of 2024-03 was loaded, so nothing is compared with it";
    assert!(check.summary.contains(nothing), "{}", check.summary);
    assert_eq!(check.verdict, Verdict::Pass);
}

/// A package of last month that somebody changed is no base, and not passed over either.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_package_of_last_month_is_an_error_with_its_remedy() {
    let place = Place::new();
    let march = month(&place, SandboxConfig::default(), "2024-03", &["IPE_07"]).await;
    let record = format!("{}/data/record.json", folder(&march.ipe_results["IPE_07"]));
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text + " ").unwrap();
    let result = month(&place, SandboxConfig::default(), "2024-04", &["IPE_07"]).await;
    let item = &result.ipe_results["IPE_07"];
    assert_held(item, ItemStatus::Error, &place).await;
    let said = item.error_message.as_deref().unwrap();
    assert!(
        said.contains("does not hold the data/record.json that was sealed")
            && said.contains("soxauto verify"),
        "{said}"
    );
}
