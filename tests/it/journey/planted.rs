//! Runs on ledgers with planted differences: what loads, what is held, and what loaded months show.

use soxauto::domain::check::Verdict;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::run::{ControlResult, ItemStatus, OverallStatus};
use soxauto::sandbox::{Planting, SandboxConfig};

use super::whole::sums;
use super::{Place, assert_held, run, sandbox};

fn planted(profile: PlantProfile, without: &[&str]) -> SandboxConfig {
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
    let result = month(&place, planted(PlantProfile::Recon, &[]), "2024-04", &[]).await;
    assert_eq!(
        (result.overall_status, result.control_result),
        (OverallStatus::Success, ControlResult::NoExceptions)
    );
    let actual = sums(&place, "cr_04", "balance_at_date", "2024-04").await;
    let at = |company: &str, account: &str| actual[&(company.to_owned(), account.to_owned())];
    assert_eq!(at("EC_MA", "18350"), 1, "10^-20 arrives");
    assert_eq!(at("EC_IC", "13001") + at("HF_SN", "13001"), 0);
    assert_ne!(at("EC_IC", "13001"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_entry_holds_its_item_and_names_the_key_and_the_others_load() {
    let place = Place::new();
    let hold = planted(PlantProfile::Hold, &[]);
    let result = month(&place, hold, "2024-04", &[]).await;
    let held = &result.ipe_results["IPE_07"];
    assert_held(held, ItemStatus::Failed, &place).await;
    assert_eq!(held.validation_summary["key.unique"], Verdict::Fail);
    for item in ["CR_03", "CR_04", "CR_05"] {
        assert_eq!(result.ipe_results[item].status, ItemStatus::Success);
    }
    let evidence = held
        .evidence
        .as_deref()
        .unwrap()
        .trim_start_matches("file://");
    let record = std::fs::read_to_string(format!("{evidence}/data/record.json")).unwrap();
    assert!(record.contains("2 rows have the key id_company = JD_GH, entry_no = "));

    let place = Place::new();
    let cured = planted(PlantProfile::Hold, &["H01"]);
    let result = month(&place, cured, "2024-04", &["IPE_07"]).await;
    assert_eq!(result.ipe_results["IPE_07"].status, ItemStatus::Success);
}

/// Check Z1 against a March that was loaded before the late posting came.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_posting_is_what_the_roll_forward_lacks() {
    for (without, missing) in [(&[][..], true), (&["F14"], false)] {
        let place = Place::new();
        month(&place, SandboxConfig::default(), "2024-03", &["CR_04"]).await;
        let april = planted(PlantProfile::Recon, without);
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
