//! Checks that somebody answers for: the item is loaded, what it does not know stays open, and page one says who answered.

use std::fs;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::Shell;
use crate::journey::planted::planted;
use crate::reconcile::{codes, json, reconcile};

/// Company, status and variance of every bucket of a line that is not OK.
fn open(result: &Value, line: &str) -> Vec<[String; 3]> {
    let lines = result["result"]["lines"].as_array().unwrap();
    let line = lines.iter().find(|one| one["id"] == line).unwrap();
    let buckets = line["buckets"].as_array().unwrap().iter();
    let buckets = buckets.filter(|bucket| bucket["status"] != "OK");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let short = |value: &Value| {
        let text = text(value);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    buckets
        .map(|bucket| {
            [
                text(&bucket["company"]),
                text(&bucket["status"]),
                short(&bucket["variance"]),
            ]
        })
        .collect()
}

/// Items of a month of which one company is stale (H02) and one did not deliver (F12).
async fn held(shell: &Shell, more: &[&str]) -> String {
    let sandbox = Sandbox::start(SandboxConfig {
        rows: Some(2_000),
        ..planted(PlantProfile::Hold, &["H01"])
    })
    .await
    .unwrap();
    fs::create_dir_all(shell.path("secrets")).unwrap();
    let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let mut args = vec!["run", "--period", "2024-04", "--secrets", "file:secrets"];
    for item in ["CR_04", "CR_05", "IPE_31"] {
        args.extend(["--ipe", item]);
    }
    args.extend(more);
    let said = tokio::task::block_in_place(|| shell.run(&args));
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    sandbox.stop().await;
    said.out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_loaded_and_what_is_not_known_stays_open() {
    let shell = Shell::new();
    let said = held(&shell, &[]).await;
    assert!(said.contains("1 of 3 items"), "{said}");
    let result = json(&shell);
    assert_eq!(
        open(&result, "L3").len(),
        9,
        "nothing is known of any company"
    );

    let accepted = [
        ["--accept-check", "population.companies"],
        ["--accept-check", "population.freshness"],
        ["--reason", "Kenya sends a file, Senegal is late"],
        ["--approver", "C. Okafor"],
    ];
    let said = held(&shell, accepted.as_flattened()).await;
    assert!(said.contains("3 of 3 items"), "{said}");
    let result = json(&shell);
    let not_concluded =
        |company: &str, variance: &str| [company, "NOT_CONCLUDED", variance].map(str::to_owned);
    assert_eq!(
        open(&result, "L3"),
        [
            not_concluded("EC_KE", "3900000"),
            not_concluded("HF_SN", "")
        ],
        "no variance of zero where a side is not known"
    );
    let found = codes(&result);
    assert!(
        found.contains(&"COMPANY_EMPTY EC_KE IPE_31".to_owned()),
        "{found:?}"
    );
    let why = result["result"]["lines"].as_array().unwrap().iter();
    let why = why.flat_map(|line| line["buckets"].as_array().unwrap());
    let stale = why.filter(|bucket| bucket["company"] == "HF_SN");
    for bucket in stale {
        let reasons = bucket["reasons"].to_string();
        assert!(
            reasons.contains("CR_04 of HF_SN: the oldest REFRESH_DATE"),
            "{reasons}"
        );
    }
    let accepted = result["accepted"].as_array().unwrap();
    assert_eq!(accepted.len(), 2, "{accepted:?}");
    let said = reconcile(&shell, &[]);
    assert_eq!(said.code, 1, "{}", said.out);
}
