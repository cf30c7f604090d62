//! The sealed reconciliation of a month, and what must come to nothing: balances that roll forward and mean what we think.

use std::fs;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::SandboxConfig;

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use crate::reconcile::{codes, json, month_of, reconcile};

const ITEMS: [&str; 4] = ["CR_03", "CR_04", "CR_05", "IPE_07"];

pub(crate) fn clean() -> SandboxConfig {
    SandboxConfig::of(Some(2_000), None)
}

/// Verdict and differences of a zero check.
pub(crate) fn check(result: &Value, id: &str) -> (String, Vec<[String; 3]>) {
    let checks = result["zero_checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == id).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let differences = check["differences"].as_array().unwrap().iter();
    let differences = differences.map(|one| {
        let amount = text(&one["difference"]);
        let amount = amount.trim_end_matches('0').trim_end_matches('.');
        [text(&one["company"]), text(&one["gl"]), amount.to_owned()]
    });
    (
        serde_json::from_value(check["verdict"].clone()).unwrap(),
        differences.collect(),
    )
}

/// The package that a reconciliation was sealed in.
fn sealed(said: &Said) -> String {
    let line = said
        .err
        .lines()
        .find_map(|line| line.strip_prefix("sealed "));
    line.unwrap_or_else(|| panic!("{}{}", said.out, said.err))
        .to_owned()
}

/// What `verify` says of a judgement that somebody bent; it is mended again afterwards.
pub(crate) fn bent(shell: &Shell, package: &str, bend: impl Fn(&mut Value)) -> Said {
    let folder = package.strip_prefix("file://").unwrap();
    let place = format!("{folder}/data/judgement.json");
    let text = fs::read_to_string(&place).unwrap();
    let mut judgement: Value = serde_json::from_str(&text).unwrap();
    bend(&mut judgement["reconciled"]);
    fs::write(&place, judgement.to_string()).unwrap();
    let said = shell.run(&["verify", package]);
    fs::write(&place, text).unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_roll_forward_and_a_late_posting_does_not() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-03", &ITEMS).await;
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    let result = json(&shell);
    let passed = |id: &str| check(&result, id).0;
    assert_eq!((passed("Z1"), passed("Z2")), ("Pass".into(), "Pass".into()));
    assert_eq!(check(&result, "Z3").0, "NotRun", "no vouchers were read");

    // F14: an entry that is dated into March and was entered in April, in both ledgers. Vouchers are planted with what was
    // booked of them since their issuance, which a clean March lacks too.
    let vouchers = ["F08", "F09", "E01", "E02", "N03", "N04"];
    let late = planted(PlantProfile::Recon, &vouchers);
    let late = SandboxConfig {
        rows: Some(2_000),
        ..late
    };
    month_of(&shell, late, "2024-04", &ITEMS).await;
    let result = json(&shell);
    let difference = ["JD_DZ", "13003", "250000"].map(str::to_owned);
    assert_eq!(check(&result, "Z1"), ("Fail".into(), vec![difference]));
    assert_eq!(check(&result, "Z2").0, "Pass");
    let found = codes(&result);
    assert!(
        found.contains(&"ZERO_CHECK Z1 JD_DZ 13003".to_owned()),
        "{found:?}"
    );
    let lines = result["result"]["lines"][0]["buckets"].as_array().unwrap();
    let bucket = lines
        .iter()
        .find(|one| one["company"] == "JD_DZ" && one["gl"] == "13003");
    assert_eq!(bucket.unwrap()["status"], "OK", "both ledgers have it");

    // A judgement that hides last month has nothing to roll forward from: the evidence has it.
    let package = sealed(&reconcile(&shell, &["--seal"]));
    assert_eq!(shell.run(&["verify", &package]).code, 0);
    let said = bent(&shell, &package, |reconciled| {
        reconciled["is_first"] = Value::Bool(true);
        reconciled["opening"] = Value::Null;
    });
    assert_eq!(said.code, 1, "{}", said.out);
    let found = "the balances that it rolls forward from are not those of the evidence";
    assert!(said.out.contains(found), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_month_has_nothing_to_roll_forward_from_and_a_gap_is_said() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    let first = json(&shell);
    assert_eq!(check(&first, "Z1").0, "NotApplicable");
    assert!(!codes(&first).iter().any(|code| code.contains("Z1")));
    // A month before last was sealed and last month was not: that is no first month.
    month_of(&shell, clean(), "2024-02", &["CR_04"]).await;
    let gap = json(&shell);
    assert_eq!(check(&gap, "Z1").0, "NotRun");
    assert!(codes(&gap).contains(&"ZERO_CHECK Z1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_judgement_is_made_again_and_a_change_is_found() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    let read_only = reconcile(&shell, &[]);
    assert!(!read_only.err.contains("sealed"), "{}", read_only.err);
    let first = sealed(&reconcile(&shell, &["--seal"]));
    let valid = shell.run(&["verify", &first]);
    assert_eq!(valid.code, 0, "{}{}", valid.out, valid.err);
    for line in [
        "checked  4 packages that it was made from",
        "checked  7 lines judged again from the staged rows",
    ] {
        assert!(valid.out.contains(line), "{}", valid.out);
    }

    // A later run of the items changes nothing in what was judged before it.
    month_of(&shell, planted(PlantProfile::Recon, &[]), "2024-04", &ITEMS).await;
    assert_eq!(shell.run(&["verify", &first]).code, 0);
    let second = sealed(&reconcile(&shell, &["--seal"]));
    let findings = json(&shell);
    assert!(codes(&findings).contains(&"FX_AMBIGUOUS JD_DZ".to_owned()));

    // An amount that somebody improves, with a manifest to match: only judging again finds it.
    let folder = second.strip_prefix("file://").unwrap().to_owned();
    let place = format!("{folder}/data/judgement.json");
    let text = fs::read_to_string(&place).unwrap();
    let better = text.replace("\"INVESTIGATE\"", "\"OK\"");
    assert_ne!(text, better);
    fs::write(&place, &better).unwrap();
    let said = shell.run(&["verify", &second]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("the file is not the one that was sealed"),
        "{}",
        said.out
    );
    let manifest = format!("{folder}/manifest-sha256.txt");
    let listed = fs::read_to_string(&manifest).unwrap();
    let sha256 = |text: &str| soxauto::domain::digest::sha256_hex(text.as_bytes());
    fs::write(&manifest, listed.replace(&sha256(&text), &sha256(&better))).unwrap();
    let said = shell.run(&["verify", &second]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out
            .contains("judging the month again gives something else"),
        "{}",
        said.out
    );
    fs::write(&place, &text).unwrap();
    fs::write(&manifest, &listed).unwrap();
    assert_eq!(shell.run(&["verify", &second]).code, 0);

    // A rule that is bent is not the rule of the judgement, and a package that is gone leaves it open.
    let thresholds = format!("{folder}/data/thresholds/DEFAULT/v1.toml");
    let rule = fs::read_to_string(&thresholds).unwrap();
    fs::write(&thresholds, rule.replacen("1000", "9999999", 1)).unwrap();
    assert_eq!(shell.run(&["verify", &second]).code, 1);
    fs::write(&thresholds, rule).unwrap();
    fs::rename(shell.path("out/evidence/IPE_07"), shell.path("away")).unwrap();
    let said = shell.run(&["verify", &second]);
    assert_ne!(said.code, 0, "{}", said.out);
}
