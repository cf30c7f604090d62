//! Closing rates against the rates that the balances carry.

use std::fs;
use std::path::Path;

use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::Shell;
use crate::reconcile::{codes, json, month_of};

const ITEMS: [&str; 2] = ["CR_04", "CR_05"];

/// A catalog of one's own: items whose SQL is changed.
pub(crate) fn own_catalog(shell: &Shell, items: &[&str], change: impl Fn(&str) -> String) {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog");
    for item in items {
        let own = shell.path("own").join(item);
        fs::create_dir_all(&own).unwrap();
        let toml = fs::read_to_string(catalog.join(item).join("ipe.toml")).unwrap();
        fs::write(own.join("ipe.toml"), toml).unwrap();
        for name in ["query.sql", "population.sql", "witness.sql"] {
            let text = fs::read_to_string(catalog.join(item).join(name)).unwrap();
            fs::write(own.join(name), change(&text)).unwrap();
        }
    }
}

/// Runs every item of one's own catalog over the month.
pub(crate) async fn run_own(shell: &Shell, items: usize) {
    let sandbox = Sandbox::start(clean()).await.unwrap();
    let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let args = "run --period 2024-04 --secrets file:secrets --catalog own";
    let args: Vec<&str> = args.split(' ').collect();
    let said = tokio::task::block_in_place(|| shell.run(&args));
    let all = format!("{items} of {items} items");
    assert!(said.out.contains(&all), "{}{}", said.out, said.err);
    sandbox.stop().await;
}

fn clean() -> SandboxConfig {
    SandboxConfig::of(Some(2_000), None)
}

/// Findings of one code.
pub(crate) fn found(shell: &Shell, code: &str) -> Vec<String> {
    let found = codes(&json(shell)).into_iter();
    found.filter(|found| found.starts_with(code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_that_were_computed_with_another_rate_are_reported() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    assert_eq!(found(&shell, "FX_DIFFERS"), Vec::<String>::new());
    own_catalog(&shell, &ITEMS, |text| {
        let two = "CAST(2 AS decimal(38, 20)) AS";
        let text = text.replace("bal.[FX_RATE],", &format!("{two} [FX_RATE],"));
        text.replace("bal.[FX_RATE] AS", two)
    });
    run_own(&shell, ITEMS.len()).await;
    let all = [
        "EC_IC", "EC_KE", "EC_MA", "EC_NG", "HF_SN", "JD_DZ", "JD_GH", "JD_UG", "JM_EG",
    ];
    assert_eq!(
        found(&shell, "FX_DIFFERS"),
        all.map(|company| format!("FX_DIFFERS {company}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_is_far_from_last_months_is_a_warning() {
    let shell = Shell::new();
    for month in ["2024-03", "2024-04"] {
        month_of(&shell, clean(), month, &ITEMS).await;
    }
    let sealed = shell.run(&["reconcile", "--period", "2024-03", "--seal"]);
    assert!(sealed.err.contains("sealed "), "{}", sealed.err);
    assert_eq!(found(&shell, "FX_MOVED"), Vec::<String>::new());
    let before = json(&shell);

    own_catalog(&shell, &["CR_05"], |text| {
        let other =
            "WHEN co.[Company_Code] = 'EC_NG' THEN CAST(2 AS decimal(38, 20))\n        ELSE ";
        text.replace("ELSE ", other)
    });
    run_own(&shell, 1).await;
    assert_eq!(found(&shell, "FX_MOVED"), ["FX_MOVED EC_NG"]);
    let now = json(&shell);
    let findings = now["result"]["findings"].as_array().unwrap();
    let moved = findings
        .iter()
        .find(|finding| finding["code"] == "FX_MOVED");
    let what = moved.unwrap()["what"].as_str().unwrap();
    for part in [
        "the closing rate is 2 and was ",
        " last month, more than 20 per cent away",
    ] {
        assert!(what.contains(part), "{what}");
    }
    // It is a warning: what the ledger and the sources come to in local currency is as it was.
    let status = |judged: &serde_json::Value| judged["result"]["lines"][0]["status"].clone();
    assert_eq!(status(&now), status(&before));
}
