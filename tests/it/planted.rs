//! Planted differences and their answer key, confirmed from the raw tables by a Python script of its own arithmetic.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::{Planting, Sandbox, SandboxConfig};

use crate::cli::Shell;
use crate::sandbox_ledger::Served;
use crate::support::{client, odbc_parts};

const SCRIPT: &str = "check_answer_key.py";

/// The arguments of the script.
fn arguments(key: &Path, odbc: &str) -> Vec<String> {
    let mut arguments = vec![key.to_str().unwrap().to_owned()];
    arguments.extend(odbc_parts(odbc));
    arguments
}

/// What the script found, by measure and place, once it agrees with the key.
fn found(said: &Value) -> BTreeMap<String, String> {
    assert_eq!(said["wrong"], Value::Array(vec![]));
    serde_json::from_value(said["found"].clone()).unwrap()
}

/// The effects of a plant that are not zero, in the form of the script.
fn effects(planted: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let place = |effect: &Value| {
        ["measure", "company", "at"]
            .map(|name| text(&effect[name]))
            .join("/")
    };
    let short = |amount: String| {
        amount
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    let effects = planted["effects"].as_array().unwrap().iter();
    let effects = effects.map(|effect| (place(effect), short(text(&effect["amount"]))));
    effects.filter(|(_, amount)| amount != "0").collect()
}

#[test]
fn the_key_of_every_profile_is_confirmed_from_the_raw_tables() {
    for (asked, buckets) in [
        ("--rows 500 --clean", 0),
        ("--rows 500 --plant recon", 23),
        ("--rows 500 --plant hold", 2),
        ("--rows 0 --seed 9 --plant recon", 23),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.json");
        let mut flags: Vec<&str> = asked.split(' ').collect();
        flags.extend(["--answer-key", file.to_str().unwrap()]);
        let served = Served::start(folder.path(), &flags);
        let said = client(SCRIPT, arguments(&file, &served.odbc));
        assert_eq!(found(&said).len(), buckets, "{asked}: {said}");
    }
}

/// The negative twin of the script: one changed digit anywhere and it does not confirm the key.
#[test]
fn a_key_that_is_wrong_by_a_digit_is_not_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    let said = [
        "--rows",
        "100",
        "--plant",
        "recon",
        "--answer-key",
        file.to_str().unwrap(),
    ];
    let served = Served::start(folder.path(), &said);
    let good = std::fs::read_to_string(&file).unwrap();
    for (change, broken, named) in [
        (
            "\"amount\": \"129999.99\"",
            "\"amount\": \"129999.98\"",
            "EC_KE",
        ),
        ("\"usd\": \"1226.99\"", "\"usd\": \"1226.98\"", "F02"),
        (
            "\"amount_lcy\": \"1450000.00\"",
            "\"amount_lcy\": \"1450000.01\"",
            "N06",
        ),
        (
            "\"posting_group\": \"B2C-NEW\"",
            "\"posting_group\": \"NAT\"",
            "F04",
        ),
        ("\"134.90\"", "\"134.91\"", "closing rates of DZ"),
        (
            "\"creation_date\": \"2024-04-18\"",
            "\"creation_date\": \"2024-03-29\"",
            "F14",
        ),
        ("\"0.00000000000000000001\"", "\"0.00\"", "EC_MA"),
        ("\"at\": \"L3\"", "\"at\": \"L2\"", "EC_IC"),
    ] {
        let bad = good.replace(change, broken);
        assert_ne!(bad, good, "{change}");
        std::fs::write(&file, bad).unwrap();
        let output = Command::new(std::env::var_os("SOXAUTO_TEST_PYTHON").unwrap())
            .arg(format!(
                "{}/tests/clients/{SCRIPT}",
                env!("CARGO_MANIFEST_DIR")
            ))
            .args(arguments(&file, &served.odbc))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{broken}: {output:?}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            said["wrong"].to_string().contains(named),
            "{broken}: {said}"
        );
    }
}

/// The mutation twin: a ledger without one plant differs in exactly that plant's places.
#[tokio::test(flavor = "multi_thread")]
async fn leaving_one_plant_out_removes_exactly_its_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    for profile in [PlantProfile::Recon, PlantProfile::Hold] {
        let measured = async |without: Vec<String>| {
            let sandbox = Sandbox::start(SandboxConfig {
                rows: Some(60),
                planting: Planting { profile, without },
                ..SandboxConfig::default()
            })
            .await
            .unwrap();
            let key = sandbox.answer_key().unwrap().to_json().unwrap();
            std::fs::write(&file, &key).unwrap();
            let arguments = arguments(&file, &sandbox.portable_odbc_connection_string());
            let said = tokio::task::spawn_blocking(|| client(SCRIPT, arguments))
                .await
                .unwrap();
            sandbox.stop().await;
            (found(&said), serde_json::from_str::<Value>(&key).unwrap())
        };
        let (all, key) = measured(vec![]).await;
        let planted = key["planted"].as_array().unwrap();
        assert!(planted.len() > 1);
        for plant in planted {
            let id = plant["id"].as_str().unwrap();
            let (rest, _) = measured(vec![id.to_owned()]).await;
            let mut expected = all.clone();
            for (place, amount) in effects(plant) {
                assert_eq!(expected.remove(&place), Some(amount), "{id}: {place}");
            }
            assert_eq!(rest, expected, "without {id}");
        }
    }
}

#[test]
fn a_run_plants_what_it_is_told_and_says_what_it_holds() {
    let all = crate::support::items().len();
    let exceptions = format!("SUCCESS, EXCEPTIONS: {all} of {all} items");
    for (profile, lines) in [
        (
            "recon",
            [
                exceptions.as_str(),
                "IPE_07: finding scope.new_value: company `EC_IC`: Customer Posting Group has the value `B2C-NEW`, which \
                 ipe.toml does not know: 1 rows, rem_amt_lcy 1200000.00000000000000000000\n",
                "\nlines: L1 INVESTIGATE, L2 INVESTIGATE, L3 INVESTIGATE, L4 INVESTIGATE, L5 INVESTIGATE, L6 OVER_EXPLAINED\n",
            ],
        ),
        (
            "hold",
            [
                "CR_04: check population.freshness Fail: company `HF_SN`: the oldest REFRESH_DATE is 2024-04-29 03:00:00, \
                 before 2024-05-01",
                "IPE_31: check population.companies Fail: company `EC_KE` has no row at all: neither in the extract nor in \
                 the base table",
                "IPE_12: check key.unique Fail: 2 rows have the key id_company = JD_GH, cod_oms_sales_order_item = 90000021: ",
            ],
        ),
    ] {
        let shell = Shell::new();
        let environment = [
            ("SOXAUTO_SANDBOX_PLANT", profile),
            ("SOXAUTO_SANDBOX_ROWS", "300"),
        ];
        let run = shell.run_with(&["run", "--period", "2024-04"], &environment);
        assert_eq!(run.code, 1, "{}{}", run.out, run.err);
        for line in lines {
            assert!(run.out.contains(line), "{line} in {}", run.out);
        }
        let is_told = run.err.contains(" rows not unique, 1 repeated, 1 pass, ");
        assert_eq!(is_told, profile == "hold", "{}", run.err);
    }
}

#[test]
fn what_cannot_be_planted_is_one_error_with_its_remedy() {
    let shell = Shell::new();
    std::fs::write(shell.path("other.json"), "{}").unwrap();
    std::fs::create_dir_all(shell.path("tables/Shop/dbo")).unwrap();
    let table = shell.path("tables/Shop/dbo/Payments");
    std::fs::write(table.with_extension("csv"), "Id\n1\n").unwrap();
    let types = "[[columns]]\nname = \"Id\"\ntype = \"int\"\n";
    std::fs::write(table.with_extension("toml"), types).unwrap();
    let once = ["sandbox", "--port", "0", "--seconds", "0"];
    for (args, part) in [
        (&["--plant", "all"][..], "write clean, recon or hold"),
        (&["--clean", "--plant", "recon"], "cannot be used with"),
        (&["--replay", "--plant", "recon"], "cannot be used with"),
        (
            &["--data", "tables", "--plant", "hold"],
            "say how many rows it has",
        ),
        (
            &["--data", "tables", "--answer-key", "key.json"],
            "say how many rows it has",
        ),
        (
            &["--rows", "9", "--answer-key", "other.json"],
            "remove it, or name another file",
        ),
        (
            &["--rows", "9", "--answer-key", "no/key.json"],
            "no/key.json: cannot be written",
        ),
    ] {
        let said = shell.run(&[&once, args].concat());
        assert_eq!(said.code, 2, "{args:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
    }
    for _ in 0..2 {
        let said = shell.run(&[&once[..], &["--rows", "9", "--answer-key", "key.json"]].concat());
        assert_eq!(said.code, 0, "an equal key stays: {}", said.err);
    }
    let elsewhere = ["run", "--secrets", "env", "--sandbox-plant", "recon"];
    let said = shell.run(&elsewhere);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(
        said.err.contains("leave --sandbox-plant out"),
        "{}",
        said.err
    );
}
