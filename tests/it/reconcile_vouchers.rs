//! The line of the vouchers from sealed packages: a clean month ties in every company, and what is planted comes out to
//! the last digit.

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::SandboxConfig;

use crate::cli::Shell;
use crate::journey::planted::planted;
use crate::reconcile::{codes, json, month};

const ITEMS: [&str; 3] = ["CR_04", "CR_05", "IPE_08"];

/// Company, and balance less target in 10^-20, of every bucket of the line.
fn differences(result: &Value) -> Vec<(String, i128)> {
    let lines = result["result"]["lines"].as_array().unwrap();
    let line = lines.iter().find(|one| one["id"] == "L6").unwrap();
    let buckets = line["buckets"].as_array().unwrap().iter();
    let units = |amount: &Value| -> i128 {
        let (whole, digits) = amount.as_str().unwrap().split_once('.').unwrap();
        assert_eq!(digits.len(), 20);
        format!("{whole}{digits}").parse().unwrap()
    };
    let differences = buckets.map(|bucket| {
        let company = bucket["company"].as_str().unwrap();
        let difference = units(&bucket["actual"]) - units(&bucket["target"]);
        (company.to_owned(), difference)
    });
    differences.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vouchers_tie_in_every_company_and_what_is_planted_comes_out() {
    let clean = Shell::new();
    month(&clean, SandboxConfig::of(Some(2_000), None), &ITEMS).await;
    let result = json(&clean);
    let found = differences(&result);
    assert_eq!(found.len(), 9, "{found:?}");
    assert!(found.iter().all(|(_, amount)| *amount == 0), "{found:?}");
    assert_eq!(
        codes(&result),
        ["ZERO_CHECK Z2", "ZERO_CHECK Z3"],
        "CR_03 and others were not run"
    );

    let shell = Shell::new();
    month(&shell, planted(PlantProfile::Recon, &[]), &ITEMS).await;
    let all = [
        ("EC_MA", -5_000),
        ("EC_NG", -2_100_000),
        ("HF_SN", -900_000),
        ("JM_EG", -55_000),
    ];
    let wrong = |result: &Value| {
        let found = differences(result).into_iter();
        found.filter(|(_, amount)| *amount != 0).collect::<Vec<_>>()
    };
    let expected = |left_out: &str| {
        let kept = all.iter().filter(|(company, _)| *company != left_out);
        kept.map(|(company, amount)| ((*company).to_owned(), amount * 10_i128.pow(20)))
            .collect::<Vec<_>>()
    };
    let result = json(&shell);
    assert_eq!(wrong(&result), expected(""));
    assert!(
        codes(&result).iter().all(|code| !code.contains("IPE_08")),
        "the spelling of a voucher and its two types are no finding: {:?}",
        codes(&result)
    );

    // The mutation twin.
    let twin = Shell::new();
    month(&twin, planted(PlantProfile::Recon, &["E02"]), &ITEMS).await;
    assert_eq!(wrong(&json(&twin)), expected("JM_EG"));
}
