//! A month that is judged by a version of the thresholds that somebody named: it must hold on the month's last day, and
//! `verify` judges by the same.

use std::fs;

use serde_json::{Value, json};
use soxauto::domain::plant::PlantProfile;

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use crate::judgement::bent;
use crate::reconcile::{exceptions, month, reconcile};

fn said(said: &Said, code: i32, text: &str) {
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains(text), "{text} in {all}");
}

/// Adds a version of the thresholds of all countries to the rules of one's own.
fn add(shell: &Shell, version: u32, from: &str, usd: &str) {
    let folder = shell.path("own/thresholds/DEFAULT");
    let first = fs::read_to_string(folder.join("v1.toml")).unwrap();
    let text = first
        .replacen("version = 1", &format!("version = {version}"), 1)
        .replacen("2024-01-01", from, 1)
        .replacen("usd = \"1000\"", &format!("usd = \"{usd}\""), 1);
    fs::write(folder.join(format!("v{version}.toml")), text).unwrap();
}

/// Reconciles by the rules of one's own, and by the versions that are named.
fn by(shell: &Shell, pins: &[&str], more: &[&str]) -> Said {
    let mut args = vec!["--rules", "own"];
    for pin in pins {
        args.extend(["--threshold-version", pin]);
    }
    args.extend(more);
    reconcile(shell, &args)
}

fn judged(shell: &Shell, pins: &[&str]) -> Value {
    let said = by(shell, pins, &["--format", "json"]);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

/// Rules of the thresholds of a bucket of the customer ledger, and of a row behind it.
fn rules(result: &Value) -> [&str; 2] {
    let bucket = &result["result"]["lines"][0]["buckets"][0];
    ["threshold", "line_item"].map(|name| bucket[name]["rule"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_named_is_used_sealed_and_verified() {
    let shell = Shell::new();
    let items = ["CR_04", "CR_05", "IPE_07"];
    month(&shell, planted(PlantProfile::Recon, &[]), &items).await;
    said(&shell.run(&["reconcile", "--write-rules", "own"]), 0, "own");
    add(&shell, 2, "2024-04-30", "10000000");
    add(&shell, 3, "2024-05-01", "1");

    // The newest that holds on the last day of the month, and the one that is named.
    let newest = judged(&shell, &[]);
    assert_eq!(
        rules(&newest),
        ["DEFAULT v2 bucket", "DEFAULT v2 line-item"]
    );
    assert!(exceptions(&newest, "L1").is_empty());
    assert!(newest.get("pins").is_none());
    let first = judged(&shell, &["DEFAULT=1", "EG=1"]);
    let pinned = ["DEFAULT v1 bucket, pinned", "DEFAULT v1 line-item, pinned"];
    assert_eq!(rules(&first), pinned);
    assert_eq!(exceptions(&first, "L1").len(), 5);
    assert_eq!(first["pins"], json!({"DEFAULT": 1, "EG": 1}));

    // The report says it, and `verify` judges by what was sealed.
    let sealed = by(&shell, &["DEFAULT=1"], &["--seal", "--tables", "april"]);
    let mut lines = sealed.err.lines();
    let place = lines.find_map(|line| line.strip_prefix("sealed ")).unwrap();
    for table in ["thresholds", "buckets"] {
        let rows = fs::read_to_string(shell.path(&format!("april/{table}.csv"))).unwrap();
        assert!(
            rows.contains("DEFAULT v1 bucket, pinned"),
            "{table}: {rows}"
        );
    }
    said(&shell.run(&["verify", place]), 0, "VALID");
    let other = "judging the month again gives something else";
    let none = |reconciled: &mut Value| reconciled["pins"] = json!({});
    said(&bent(&shell, place, none), 1, other);
    let newer = |reconciled: &mut Value| reconciled["pins"] = json!({"DEFAULT": 2});
    said(&bent(&shell, place, newer), 1, other);
    let early = |reconciled: &mut Value| reconciled["pins"] = json!({"DEFAULT": 3});
    said(&bent(&shell, place, early), 2, "the rules cannot be used");
    said(&shell.run(&["verify", place]), 0, "VALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_apply_is_refused_with_the_reason() {
    let shell = Shell::new();
    said(&shell.run(&["reconcile", "--write-rules", "own"]), 0, "own");
    add(&shell, 2, "2024-05-01", "10");
    for (pins, says) in [
        (
            &["DEFAULT=3"][..],
            "there is no version 3 of the thresholds of DEFAULT; there are [1, 2]",
        ),
        (&["NG=1"], "there is no version 1 of the thresholds of NG"),
        (
            &["DEFAULT=2"],
            "version 2 of the thresholds of DEFAULT holds from 2024-05-01 on, not on 2024-04-30",
        ),
        (&["EG"], "write COUNTRY=N, such as EG=1"),
        (
            &["EG=1", "EG=2"],
            "--threshold-version names versions 1 and 2 of EG; name one",
        ),
    ] {
        let refused = by(&shell, pins, &[]);
        said(&refused, 2, says);
        assert_eq!(refused.out, "", "{pins:?}");
    }
}
