//! The reconciliation of a month from sealed packages: the planted differences of the customer ledger come out, and
//! nothing that is missing is taken for zero.

use std::fs;

use serde_json::Value;
use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use soxauto::domain::plant::PlantProfile;

/// Runs items of 2024-04 over a ledger.
pub(crate) async fn month(shell: &Shell, config: SandboxConfig, items: &[&str]) {
    month_of(shell, config, "2024-04", items).await;
}

/// Runs items of a month over a ledger.
pub(crate) async fn month_of(shell: &Shell, config: SandboxConfig, month: &str, items: &[&str]) {
    let sandbox = Sandbox::start(config).await.unwrap();
    let secrets = shell.path("secrets");
    fs::create_dir_all(&secrets).unwrap();
    let secret = secrets.join("DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let mut args = vec!["run", "--period", month, "--secrets", "file:secrets"];
    for item in items {
        args.extend(["--ipe", item]);
    }
    let said = tokio::task::block_in_place(|| shell.run(&args));
    assert!(said.code < 2, "{}{}", said.out, said.err);
    sandbox.stop().await;
}

pub(crate) fn reconcile(shell: &Shell, more: &[&str]) -> Said {
    let mut args = vec!["reconcile", "--period", "2024-04"];
    args.extend(more);
    shell.run(&args)
}

/// Writes the report in every form, and looks whether each says what was found.
fn written(shell: &Shell) {
    let asked = [
        "--report",
        "april.html",
        "--language",
        "fr",
        "--workbook",
        "april.xlsx",
        "--tables",
        "april",
    ];
    let said = reconcile(shell, &asked);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.err.contains("wrote april.html\n"), "{}", said.err);
    let page = fs::read_to_string(shell.path("april.html")).unwrap();
    for part in [
        "À EXAMINER",
        "NOT CONTROL EVIDENCE",
        "1\u{202f}650\u{202f}000,00",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let workbook = fs::read(shell.path("april.xlsx")).unwrap();
    assert!(workbook.starts_with(b"PK"));
    let rows = fs::read_to_string(shell.path("april/exceptions.csv")).unwrap();
    let row = "L1,EC_NG,13003,NGN,INVESTIGATE,1650000.00000000000000000000,1000.00,";
    assert!(rows.lines().any(|line| line.starts_with(row)), "{rows}");
    let said = reconcile(shell, &["--report", "nowhere/april.html"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.err.contains("cannot write nowhere/april.html"),
        "{}",
        said.err
    );
}

pub(crate) fn json(shell: &Shell) -> Value {
    let said = reconcile(shell, &["--format", "json"]);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

/// Line, company, account, unexplained amount and status of every bucket of a line that is not OK.
pub(crate) fn exceptions(result: &Value, line: &str) -> Vec<[String; 4]> {
    let lines = result["result"]["lines"].as_array().unwrap();
    let line = lines.iter().find(|one| one["id"] == line).unwrap();
    let buckets = line["buckets"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wrong = buckets.iter().filter(|bucket| bucket["status"] != "OK");
    wrong
        .map(|bucket| {
            let amount = text(&bucket["unexplained"]);
            let amount = amount
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned();
            [
                text(&bucket["company"]),
                text(&bucket["gl"]),
                amount,
                text(&bucket["status"]),
            ]
        })
        .collect()
}

fn wrong(company: &str, gl: &str, amount: &str) -> [String; 4] {
    [company, gl, amount, "INVESTIGATE"].map(str::to_owned)
}

pub(crate) fn codes(result: &Value) -> Vec<String> {
    let findings = result["result"]["findings"].as_array().unwrap();
    let code = |finding: &Value| {
        format!(
            "{} {}",
            finding["code"].as_str().unwrap(),
            finding["place"].as_str().unwrap()
        )
    };
    findings.iter().map(code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_differences_of_the_customer_ledger_come_out_and_nothing_else() {
    let shell = Shell::new();
    month(
        &shell,
        planted(PlantProfile::Recon, &[]),
        &["CR_04", "CR_05", "IPE_07"],
    )
    .await;
    let result = json(&shell);
    let all = [
        wrong("EC_IC", "13003", "1200000"),
        wrong("EC_NG", "13003", "1650000"),
        wrong("JD_GH", "13003", "-20000"),
        wrong("JD_GH", "13004", "20000"),
        wrong("JM_EG", "13009", "60000"),
    ];
    assert_eq!(exceptions(&result, "L1"), all);
    assert_eq!(
        codes(&result),
        [
            "FX_MISSING JD_UG",
            "FX_AMBIGUOUS JD_DZ",
            "AMOUNT_ELSEWHERE EC_IC IPE_07",
            "SCOPE IPE_07 EC_IC",
            "ZERO_CHECK Z2",
            "ZERO_CHECK Z3"
        ]
    );
    let said = reconcile(&shell, &[]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let of_shop = reconcile(&shell, &["--component", "IPE_12,IPE_10"]).out;
    let printed = of_shop.lines().filter(|line| line.starts_with('L'));
    let printed: Vec<&str> = printed.filter_map(|line| line.get(..2)).collect();
    assert!(
        printed.contains(&"L2") && printed.contains(&"L4"),
        "{of_shop}"
    );
    assert!(!printed.contains(&"L1"), "{of_shop}");
    let wide = said
        .out
        .lines()
        .filter(|line| line.starts_with('L') && line.chars().count() > 100);
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new());
    for line in [
        "L2   NOT_CONCLUDED in 9 companies: IPE_12 was not run",
        "result: NOT_CONCLUDED",
    ] {
        assert!(said.out.contains(line), "{}", said.out);
    }
    let files = || fs::read_dir(shell.dir.path()).unwrap().count();
    let before = files();
    written(&shell);
    assert_eq!(files(), before + 3, "a page, a workbook and a folder");

    // The mutation twin: taking one plant out takes out its own and nothing else.
    let twin = Shell::new();
    let without = planted(PlantProfile::Recon, &["F02", "F04", "F10"]);
    month(&twin, without, &["CR_04", "CR_05", "IPE_07"]).await;
    let result = json(&twin);
    let left = all
        .into_iter()
        .filter(|one| !["EC_IC", "JM_EG"].contains(&one[0].as_str()));
    assert_eq!(exceptions(&result, "L1"), left.collect::<Vec<_>>());
    assert_eq!(
        codes(&result),
        ["FX_AMBIGUOUS JD_DZ", "ZERO_CHECK Z2", "ZERO_CHECK Z3"],
        "what was not run is said"
    );
}

/// The lines of the shop: what was planted among its orders, and a company whose rate is missing.
#[tokio::test(flavor = "multi_thread")]
async fn planted_differences_of_the_shop_come_out_and_nothing_else() {
    let shop = ["CR_04", "CR_05", "IPE_10", "IPE_12", "IPE_34"];
    let of_line = |result: &Value| ["L2", "L4", "L5"].map(|line| exceptions(result, line));
    let shell = Shell::new();
    month(&shell, planted(PlantProfile::Recon, &[]), &shop).await;
    let late = wrong("EC_MA", "", "-15000");
    let afternoon = wrong("EC_IC", "", "800000");
    let without_rate = wrong("JD_UG", "", "40000000");
    let returned = wrong("EC_KE", "", "200000");
    let result = json(&shell);
    let all = [vec![late], vec![afternoon, without_rate], vec![returned]];
    assert_eq!(of_line(&result), all);
    // What the shop alone has ages by the date that its line declares: verified on 30 April, returned on 10 April. L2 declares
    // none, and what the ledger alone has was not read here.
    let ages = |line: &str| {
        let lines = result["result"]["lines"].as_array().unwrap();
        let line = lines.iter().find(|one| one["id"] == line).unwrap();
        let buckets = line["buckets"].as_array().unwrap().iter();
        let wrong = buckets.filter(|bucket| bucket["status"] != "OK");
        wrong
            .map(|bucket| bucket["age_months"].as_u64())
            .collect::<Vec<_>>()
    };
    assert_eq!(ages("L2"), [None]);
    assert_eq!(ages("L4"), [Some(0), None]);
    assert_eq!(ages("L5"), [Some(0)]);

    // The mutation twin: taking a plant out takes out its own.
    let twin = Shell::new();
    let without = planted(PlantProfile::Recon, &["F05", "F07", "F10"]);
    month(&twin, without, &shop).await;
    let left = [vec![], vec![wrong("EC_IC", "", "800000")], vec![]];
    assert_eq!(of_line(&json(&twin)), left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_month_ties_and_what_was_not_run_is_not_concluded() {
    let shell = Shell::new();
    let clean = || SandboxConfig::of(Some(2_000), None);
    month(&shell, clean(), &["CR_04", "CR_05"]).await;
    let without = json(&shell);
    assert_eq!(
        exceptions(&without, "L1").len(),
        27,
        "nine companies, three accounts"
    );
    assert!(
        exceptions(&without, "L1")
            .iter()
            .all(|one| one[2].is_empty() && one[3] == "NOT_CONCLUDED")
    );
    month(&shell, clean(), &["IPE_07", "IPE_12"]).await;
    let whole = json(&shell);
    for line in ["L1", "L2"] {
        assert_eq!(exceptions(&whole, line), Vec::<[String; 4]>::new());
    }
    assert_eq!(codes(&whole), ["ZERO_CHECK Z2", "ZERO_CHECK Z3"]);
    let inputs = whole["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 4);
    assert!(
        inputs
            .iter()
            .all(|input| input["manifest_sha256"].as_str().unwrap().len() == 64)
    );

    // Of two runs the newest speaks, also when it was held; a run that is named speaks for itself.
    let first = inputs[2]["run_id"].as_str().unwrap().to_owned();
    month(&shell, planted(PlantProfile::Hold, &["H02"]), &["IPE_12"]).await;
    let held = json(&shell);
    let reasons = &held["result"]["lines"][1]["buckets"][0]["reasons"];
    assert!(
        reasons[0]
            .as_str()
            .unwrap()
            .contains("is FAILED: check key.unique"),
        "{reasons}"
    );
    let named = reconcile(
        &shell,
        &["--format", "csv", "--line", "L1", "--from", &first],
    );
    assert!(named.out.contains("CR_04 was not run"), "{}", named.out);

    // A part that is not what was staged is an error, never a smaller sum.
    let parts = format!(
        "out/staging/CR_04/period=2024-04/run={}",
        inputs[0]["run_id"].as_str().unwrap()
    );
    let part = shell.path(&parts).join("part-00000.parquet");
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).unwrap();
    let said = reconcile(&shell, &[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("a part reads back differently"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reconciled_is_one_error_with_its_remedy() {
    let shell = Shell::new();
    month(
        &shell,
        SandboxConfig::of(Some(2_000), None),
        &["CR_04", "CR_05", "IPE_07"],
    )
    .await;
    let contract = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/rules/reconciliation/v1.toml"
    ));
    let contract = contract.unwrap();
    for (from, to, says) in [
        (
            "[\"rem_amt_lcy\"]",
            "[\"remaining\"]",
            "own.toml: L1: there is no column `remaining`; there are id_company",
        ),
        (
            "[\"rem_amt_lcy\"]",
            "[\"posting_date\"]",
            "own.toml: L1: column `posting_date` is datetime, not an exact number",
        ),
        (
            "version = 1",
            "version = 0",
            "own.toml: version: 0; versions begin with 1",
        ),
    ] {
        fs::write(shell.path("own.toml"), contract.replacen(from, to, 1)).unwrap();
        let said = reconcile(&shell, &["--contract", "own.toml"]);
        assert_eq!(said.code, 2, "{}", said.out);
        let by_its_path = format!("error: {says}");
        assert!(said.err.starts_with(&by_its_path), "{}", said.err);
    }
    for (args, says) in [
        (vec!["--line", "L9"], "--line L9: the contract has L1, L2"),
        (
            vec!["--component", "CR_03"],
            "--component CR_03: the contract has IPE_07, IPE_12",
        ),
        (vec!["--evidence", "nowhere"], "nowhere"),
        (
            vec!["--from", "20200101T000000Z-00000000"],
            "there is no sealed package of run 20200101T000000Z-00000000",
        ),
        (
            vec!["--contract", "nowhere.toml"],
            "nowhere.toml: file: cannot be read",
        ),
    ] {
        let said = reconcile(&shell, &args);
        assert_eq!(said.code, 2, "{args:?} {}", said.out);
        assert!(said.err.contains(says), "{args:?} {}", said.err);
    }
}
