//! Every item of a month and its reconciliation: each planted difference comes out to the last digit and nothing else does,
//! a clean month is silent, and a script that shares nothing with the program finds the same in the raw tables.

mod matched;
mod published;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use crate::reconcile::{codes, json};
use crate::support::{client, items, odbc_parts};
use matched::{matched_is_compared, planted_rows_are_matched_or_open};
use published::{publishes_again, shows_the_month};

const SCRIPT: &str = "check_reconciliation.py";

/// Place of an amount in the result: measure, company, and line or account; zero amounts are left out.
type Amounts = BTreeMap<[String; 3], String>;

/// A month that ran to its end, while its sources still answer.
struct Month {
    shell: Shell,
    sandbox: Sandbox,
    key: Value,
    ran: Said,
    result: Value,
}

impl Month {
    async fn of(config: SandboxConfig) -> Self {
        let config = SandboxConfig {
            rows: Some(2_000),
            ..config
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let shell = Shell::new();
        fs::create_dir(shell.path("secrets")).unwrap();
        let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
        fs::write(secret, sandbox.odbc_connection_string()).unwrap();
        let used = sandbox.jdash("2024-05-01".parse().unwrap()).unwrap();
        fs::write(shell.path("used.csv"), used.unwrap()).unwrap();
        let args = "run --period 2024-04 --secrets file:secrets --file JDASH=used.csv";
        let args: Vec<&str> = args.split(' ').collect();
        let ran = tokio::task::block_in_place(|| shell.run(&args));
        let result = tokio::task::block_in_place(|| json(&shell));
        let key = sandbox.answer_key().unwrap().to_json().unwrap();
        Self {
            key: serde_json::from_str(&key).unwrap(),
            shell,
            sandbox,
            ran,
            result,
        }
    }

    /// Arguments of the script for a result that is written to a file.
    fn arguments(&self, result: &Value) -> Vec<String> {
        let file = self.shell.path("result.json");
        fs::write(&file, result.to_string()).unwrap();
        let mut arguments = vec![file.to_str().unwrap().to_owned()];
        arguments.extend(odbc_parts(&self.sandbox.portable_odbc_connection_string()));
        arguments
    }

    /// Rows of the warehouse, as SQL has them.
    fn sql(&self, statement: &str) -> Vec<Value> {
        let args = ["sql", statement, "--format", "json"];
        let said = tokio::task::block_in_place(|| self.shell.run(&args));
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
    }

    /// The publication that both tables show, and no other.
    fn publication(&self) -> Value {
        let of = |table: &str| self.sql(&format!("SELECT DISTINCT _run_id FROM {table}"));
        let (validations, registry) = (of("soxauto_validations"), of("soxauto_runs"));
        assert_eq!((validations.len(), &validations), (1, &registry));
        validations[0].clone()
    }

    /// Publishes the month by itself.
    fn publish(&self, more: &[&str]) -> Said {
        let mut args = vec!["reconcile", "--period", "2024-04", "--publish"];
        args.extend(["--staging", "out/staging"]);
        args.extend(more);
        tokio::task::block_in_place(|| self.shell.run(&args))
    }

    /// What the script says of the result.
    fn recomputed(&self) -> Value {
        let arguments = self.arguments(&self.result);
        tokio::task::block_in_place(|| client(SCRIPT, arguments))
    }
}

fn short(amount: &Value) -> String {
    let amount = amount.as_str().unwrap();
    if !amount.contains('.') {
        return amount.to_owned();
    }
    amount
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the answer key says of the reconciliation.
fn wanted(key: &Value) -> Amounts {
    let planted = key["planted"].as_array().unwrap().iter();
    let effects = planted.flat_map(|plant| plant["effects"].as_array().unwrap());
    let of_result = effects.filter(|effect| {
        ["variance", "line", "bridge"].contains(&effect["measure"].as_str().unwrap())
    });
    let amounts = of_result.map(|effect| {
        let place = ["measure", "company", "at"].map(|name| text(&effect[name]));
        (place, short(&effect["amount"]))
    });
    amounts.filter(|(_, amount)| amount != "0").collect()
}

/// Variances and bridges of the result, by the names of the answer key.
fn found(result: &Value) -> Amounts {
    let mut found = Amounts::new();
    for line in result["result"]["lines"].as_array().unwrap() {
        for bucket in line["buckets"].as_array().unwrap() {
            let company = text(&bucket["company"]);
            let (measure, at) = match bucket["gl"].as_str() {
                Some(account) => ("variance", account.to_owned()),
                None => ("line", text(&line["id"])),
            };
            if !bucket["variance"].is_null() {
                let place = [measure.to_owned(), company.clone(), at];
                found.insert(place, short(&bucket["variance"]));
            }
            for (bridge, amount) in bucket["bridges"].as_object().unwrap() {
                let place = ["bridge".to_owned(), company.clone(), bridge.clone()];
                found.insert(place, short(amount));
            }
        }
    }
    found.retain(|_, amount| amount != "0");
    found
}

/// Line, company, account and status of every bucket that is neither OK nor a memo.
fn exceptions(result: &Value) -> Vec<String> {
    let lines = result["result"]["lines"].as_array().unwrap().iter();
    let lines = lines.filter(|line| line["memo"] == false);
    let buckets = lines.flat_map(|line| {
        let buckets = line["buckets"].as_array().unwrap().iter();
        buckets.map(move |bucket| (line, bucket))
    });
    let wrong = buckets.filter(|(_, bucket)| bucket["status"] != "OK");
    let said = wrong.map(|(line, bucket)| {
        let parts = [
            &line["id"],
            &bucket["company"],
            &bucket["gl"],
            &bucket["status"],
        ];
        parts
            .map(text)
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    said.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_plant_comes_out_to_the_last_digit_and_nothing_else() {
    let month = Month::of(planted(PlantProfile::Recon, &[])).await;
    let (ran, all) = (&month.ran, items().len());
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let last = format!("SUCCESS, EXCEPTIONS: {all} of {all} items");
    assert!(ran.out.contains(&last), "{}", ran.out);
    let wanted = wanted(&month.key);
    assert!(wanted.len() > 15, "{wanted:?}");
    assert_eq!(found(&month.result), wanted);
    assert_eq!(
        exceptions(&month.result),
        [
            "L1 EC_IC 13003 INVESTIGATE",
            "L1 EC_NG 13003 INVESTIGATE",
            "L1 JD_GH 13003 INVESTIGATE",
            "L1 JD_GH 13004 INVESTIGATE",
            "L1 JM_EG 13009 INVESTIGATE",
            "L2 EC_MA INVESTIGATE",
            "L3 EC_IC INVESTIGATE",
            "L3 HF_SN INVESTIGATE",
            "L4 EC_IC INVESTIGATE",
            "L4 JD_UG INVESTIGATE",
            "L5 EC_KE INVESTIGATE",
            "L6 EC_MA OVER_EXPLAINED",
            "L6 HF_SN INVESTIGATE",
        ]
    );
    assert_eq!(
        codes(&month.result),
        [
            "FX_MISSING JD_UG",
            "FX_AMBIGUOUS JD_DZ",
            "AMOUNT_ELSEWHERE EC_IC IPE_07",
            "SCOPE IPE_07 EC_IC",
        ]
    );
    matched_is_compared(&month.result);
    planted_rows_are_matched_or_open(&month.result);
    let said = month.recomputed();
    assert_eq!(said["wrong"], Value::Array(vec![]), "{said}");
    let told = "\npublished soxauto_runs$202404";
    assert!(ran.out.contains(told), "{}", ran.out);
    shows_the_month(&month);
    publishes_again(&month);
    month.sandbox.stop().await;
}

/// A month without some of the plants says what is left of them, and nothing else.
async fn left_without(plants: &[&str], buckets: &[&str], findings: &[&str]) {
    let month = Month::of(planted(PlantProfile::Recon, plants)).await;
    assert_eq!(found(&month.result), wanted(&month.key));
    assert_eq!(exceptions(&month.result), buckets);
    assert_eq!(codes(&month.result), findings);
    month.sandbox.stop().await;
}

/// The mutation twins: every plant is left out of one of two months, and what it does is gone with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_planted_is_not_found_in_one_half() {
    let without = [
        "F01", "F03", "F06", "F08", "F09", "F11", "F13", "F14", "E01", "N02", "N04", "N06",
    ];
    let buckets = [
        "L1 EC_IC 13003 INVESTIGATE",
        "L1 JM_EG 13009 INVESTIGATE",
        "L2 EC_MA INVESTIGATE",
        "L4 JD_UG INVESTIGATE",
        "L5 EC_KE INVESTIGATE",
    ];
    let findings = [
        "FX_MISSING JD_UG",
        "AMOUNT_ELSEWHERE EC_IC IPE_07",
        "SCOPE IPE_07 EC_IC",
    ];
    left_without(&without, &buckets, &findings).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_planted_is_not_found_in_the_other_half() {
    let without = [
        "F02", "F04", "F05", "F07", "F10", "E02", "N01", "N03", "N05", "N07",
    ];
    let buckets = [
        "L1 EC_NG 13003 INVESTIGATE",
        "L1 JD_GH 13003 INVESTIGATE",
        "L1 JD_GH 13004 INVESTIGATE",
        "L3 EC_IC INVESTIGATE",
        "L3 HF_SN INVESTIGATE",
        "L4 EC_IC INVESTIGATE",
        "L6 EC_MA OVER_EXPLAINED",
        "L6 HF_SN INVESTIGATE",
    ];
    left_without(&without, &buckets, &["FX_AMBIGUOUS JD_DZ"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_month_is_silent_and_one_changed_digit_is_not_confirmed() {
    let month = Month::of(SandboxConfig::default()).await;
    let ran = &month.ran;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("\nlines: L1 OK, L2 OK, L3 OK, L4 OK, L5 OK, L6 OK\n"),
        "{}",
        ran.out
    );
    assert_eq!(found(&month.result), Amounts::new());
    assert_eq!(codes(&month.result), Vec::<String>::new());
    matched_is_compared(&month.result);
    let said = month.recomputed();
    assert_eq!(said["wrong"], Value::Array(vec![]), "{said}");
    for line in ["L1", "L2", "L3", "L4", "L5", "L6"] {
        assert!(
            said["compared"][line].as_u64().unwrap_or_default() >= 9,
            "{line}: {said}"
        );
    }

    // The negative twin of the script.
    let mut bent = month.result.clone();
    let bucket = &mut bent["result"]["lines"][3]["buckets"][0];
    assert!(!bucket["target"].is_null());
    bucket["target"] = Value::from("0.01");
    let arguments = month.arguments(&bent);
    let output = tokio::task::block_in_place(|| {
        Command::new(std::env::var_os("SOXAUTO_TEST_PYTHON").unwrap())
            .arg(format!(
                "{}/tests/clients/{SCRIPT}",
                env!("CARGO_MANIFEST_DIR")
            ))
            .args(arguments)
            .output()
            .unwrap()
    });
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        said["wrong"][0].as_str().unwrap().contains("target 0.01"),
        "{said}"
    );
    month.sandbox.stop().await;
}
