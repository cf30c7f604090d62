//! `soxauto catalog` as people and programs use it, and the run that refuses what the lint refuses.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::Shell;

fn embedded(item: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/catalog")
        .join(item)
}

/// A catalog of one item whose query was altered.
fn altered(shell: &Shell, item: &str, alter: impl Fn(String) -> String) {
    let folder = shell.path("own").join(item);
    fs::create_dir_all(&folder).unwrap();
    for name in ["ipe.toml", "population.sql", "witness.sql"] {
        fs::copy(embedded(item).join(name), folder.join(name)).unwrap();
    }
    let query = fs::read_to_string(embedded(item).join("query.sql")).unwrap();
    let text = alter(query.clone());
    assert_ne!(text, query);
    fs::write(folder.join("query.sql"), text).unwrap();
}

#[test]
fn list_and_show_say_what_an_item_is() {
    let shell = Shell::new();
    let list = shell.run(&["catalog", "list"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
    let items: Vec<&str> = list
        .out
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(items[0], "item");
    assert_eq!(items[1..], crate::support::items());
    let json: Value = serde_json::from_str(&shell.run(&["catalog", "list", "--json"]).out).unwrap();
    let is_it = |item: &&Value| item["id"] == "IPE_07";
    let json = json.as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!(json["columns"], 35);
    let hash = json["definition_sha256"].as_str().unwrap();
    assert!(hash.len() == 64 && list.out.contains(&hash[..16]));
    let show = shell.run(&["catalog", "show", "CR_05"]);
    insta::assert_snapshot!("catalog_show_cr_05", show.out);
    let json: Value =
        serde_json::from_str(&shell.run(&["catalog", "show", "CR_05", "--json"]).out).unwrap();
    assert_eq!(json["parameters"][0]["name"], "period_end");
    assert_eq!(json["contract"]["columns"][8]["name"], "fx_rate");
    assert_eq!(json["checks"].as_array().unwrap().len(), 20);
    assert!(json["sql"].as_str().unwrap().contains("RPT_FX_RATES"));
}

/// `--accept-check` takes these identifiers, and a run numbers them in the order of the funnel.
#[test]
fn show_names_the_check_of_every_predicate() {
    let shell = Shell::new();
    let names = [
        "company is known",
        "company in consolidation scope",
        "entry has detail",
        "detail does not add up to zero",
    ];
    let text = shell.run(&["catalog", "show", "IPE_07"]).out;
    let json = shell.run(&["catalog", "show", "IPE_07", "--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let checks = json["checks"].as_array().unwrap();
    let mut listed: Vec<&str> = checks.iter().map(|c| c["id"].as_str().unwrap()).collect();
    for (place, name) in names.into_iter().enumerate() {
        let id = format!("accuracy.negative.{}", place + 1);
        let what = format!("{name}: rows that it keeps out are not staged");
        let check = checks.iter().find(|check| check["id"] == id.as_str());
        assert_eq!(check.unwrap()["what"], what.as_str());
        let is_line = |line: &str| line.starts_with(&id) && line.ends_with(&what);
        assert!(text.lines().any(is_line), "{id} in {text}");
    }
    let run = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "IPE_07",
        "--json",
    ]);
    let made: Value = serde_json::from_str(&run.out).unwrap();
    let made = &made["ipe_results"]["IPE_07"];
    let record = made["evidence"]
        .as_str()
        .unwrap()
        .trim_start_matches("file://");
    let record = fs::read_to_string(Path::new(record).join("data/record.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["population"]["predicates"], serde_json::json!(names));
    let mut made: Vec<&str> = made["validation_summary"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    made.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, made);
}

#[test]
fn lint_names_every_mistake_and_run_refuses_the_item_before_it_connects() {
    let shell = Shell::new();
    let clean = shell.run(&["catalog", "lint"]);
    assert_eq!(
        (clean.code, clean.out.as_str()),
        (
            0,
            format!("no finding in {}\n", crate::support::items().join(", ")).as_str()
        )
    );
    altered(&shell, "CR_04", |query| {
        query
            .replace("AS bal", "AS bal WITH (NOLOCK)")
            .replace("= @period_end", "= GETDATE()")
    });
    let said = shell.run(&["catalog", "lint", "--catalog", "own"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let places: Vec<&str> = said
        .out
        .lines()
        .filter_map(|line| line.split(": ").next())
        .collect();
    assert_eq!(
        places,
        [
            "own/CR_04/query.sql:2:1",
            "own/CR_04/query.sql:32:106",
            "own/CR_04/query.sql:33:28",
            "3 findings in CR_04"
        ]
    );
    let json = shell.run(&["catalog", "lint", "--catalog", "own", "--json"]);
    let findings: Value = serde_json::from_str(&json.out).unwrap();
    let rules: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["rule"].as_str().unwrap())
        .collect();
    assert_eq!(
        (json.code, rules),
        (1, vec!["param-unused", "hint", "clock"])
    );
    // Neither of the two asks for the secret, which is not set: they stop before that.
    for command in [
        &["run", "--ipe", "CR_04"][..],
        &["catalog", "plan", "CR_04"],
    ] {
        let refused = shell.run(&[command, &["--catalog", "own", "--secrets", "env"]].concat());
        assert_eq!(refused.code, 2, "{}", refused.out);
        for part in ["3 findings", ":33:28: GETDATE", "soxauto catalog lint"] {
            assert!(refused.err.contains(part), "{part} in {}", refused.err);
        }
        assert!(!shell.path("out").exists(), "nothing was written");
    }
}

#[test]
fn what_cannot_be_read_is_neither_clean_nor_a_finding() {
    let shell = Shell::new();
    for (args, part) in [
        (
            &["catalog", "lint", "--catalog", "nowhere"][..],
            "nowhere: cannot be read",
        ),
        (&["catalog", "lint", "IPE_99"], "items are CR_03, CR_04"),
        (&["catalog", "show", "IPE_99"], "no item `IPE_99`"),
        (&["catalog", "plan", "IPE_99"], "no item `IPE_99`"),
        (
            &[
                "catalog",
                "plan",
                "CR_05",
                "--sandbox-plant",
                "recon",
                "--secrets",
                "env",
            ],
            "leave --sandbox-plant out, or use --secrets sandbox",
        ),
        (&["catalog", "new", "IPE_99"], "--catalog"),
        (
            &["catalog", "new", "ipe-99", "--catalog", "c"],
            "upper-case letter",
        ),
        (
            &[
                "catalog",
                "new",
                "IPE_99",
                "--catalog",
                "c",
                "--from-query",
                "q.sql",
            ],
            "--key",
        ),
    ] {
        let said = shell.run(args);
        assert_eq!(said.code, 2, "{args:?}: {}", said.out);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
    }
    fs::create_dir_all(shell.path("half/IPE_99")).unwrap();
    let said = shell.run(&["catalog", "lint", "--catalog", "half"]);
    assert!(
        said.code == 2 && said.err.contains("half/IPE_99/ipe.toml: cannot be read"),
        "{}",
        said.err
    );
}

#[test]
fn a_new_item_lints_and_runs_and_is_never_overwritten() {
    let shell = Shell::new();
    let new = ["catalog", "new", "IPE_99", "--catalog", "own"];
    let said = shell.run(&new);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "own/IPE_99\n"),
        "{}",
        said.err
    );
    assert_eq!(shell.run(&["catalog", "lint", "--catalog", "own"]).code, 0);
    let run = shell.run(&[
        "run",
        "--catalog",
        "own",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
    ]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let query = shell.path("own/IPE_99/query.sql");
    fs::write(&query, "mine").unwrap();
    let again = shell.run(&new);
    assert!(
        again.code == 2 && again.err.contains("exists already"),
        "{}",
        again.err
    );
    assert_eq!(fs::read_to_string(&query).unwrap(), "mine");
}

#[test]
fn a_new_item_from_a_query_has_the_columns_that_the_server_describes() {
    let shell = Shell::new();
    let query = fs::read_to_string(embedded("IPE_07").join("query.sql")).unwrap();
    let new = |item: &str, file: &str| {
        let common = [
            "--catalog",
            "own",
            "--key",
            "id_company,entry_no",
            "--sandbox-rows",
            "10",
        ];
        shell.run(&[&["catalog", "new", item, "--from-query", file], &common[..]].concat())
    };
    fs::write(shell.path("good.sql"), &query).unwrap();
    let said = new("IPE_99", "good.sql");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let shown = shell.run(&["catalog", "show", "IPE_99", "--catalog", "own", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    let known = shell.run(&["catalog", "show", "IPE_07", "--json"]);
    let known: Value = serde_json::from_str(&known.out).unwrap();
    for part in ["source", "sql_type"] {
        let of = |item: &Value| -> Vec<String> {
            let columns = item["contract"]["columns"].as_array().unwrap().iter();
            columns.map(|column| column[part].to_string()).collect()
        };
        assert_eq!(of(&shown), of(&known), "{part}");
    }
    assert_eq!(shown["item"]["databases"], known["item"]["databases"]);
    // A query with findings is shown to no server; one whose key is wrong is not written.
    fs::write(
        shell.path("bad.sql"),
        query.replace("AS cle", "AS cle WITH (NOLOCK)"),
    )
    .unwrap();
    fs::write(
        shell.path("keyless.sql"),
        query.replace("cle.[Entry No_],\n", ""),
    )
    .unwrap();
    for (item, file, part) in [
        ("IPE_97", "bad.sql", "[hint]"),
        ("IPE_98", "keyless.sql", "key names `entry_no`"),
    ] {
        let said = new(item, file);
        assert!(said.code == 2 && said.err.contains(part), "{}", said.err);
        assert!(
            !shell.path("own").join(item).exists(),
            "nothing was written"
        );
    }
}

#[test]
fn a_plan_shows_mapping_losses_and_estimate() {
    let shell = Shell::new();
    let plan = [
        "catalog",
        "plan",
        "CR_05",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "10",
    ];
    insta::assert_snapshot!("catalog_plan_cr_05", shell.run(&plan).out);
    let planted = shell.run(&[&plan[..], &["--sandbox-plant", "recon"]].concat());
    assert!(
        planted.out.contains("estimate: 67 rows"),
        "the second rate of a country: {}",
        planted.out
    );
    let json = shell.run(&[&plan[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["columns"][8]["arrow_type"], "Decimal128(38, 20)");
    assert_eq!(json["estimate"]["rows"], "66");
    altered(&shell, "CR_05", |query| {
        let query = query.replace(
            "co.[Company_Name]",
            "CAST('2024-05-01' AS datetime2(7)) AS [Company_Name]",
        );
        query.replace("co.[Is_Active?]", "CAST(1.5 AS float) AS [Is_Active?]")
    });
    let differs = shell.run(&[&plan[..], &["--catalog", "own"]].concat());
    assert_eq!(differs.code, 1, "{}{}", differs.out, differs.err);
    for part in [
        "100 ns",
        "left out of the content digest",
        "FINDING  column `Company_Name` is nvarchar(100) by the contract",
        "2 with a note",
    ] {
        assert!(differs.out.contains(part), "{part} in {}", differs.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_may_not_see_plans_gets_the_rest() {
    let shell = Shell::new();
    let sandbox = Sandbox::start(SandboxConfig {
        rows: Some(10),
        showplan_allowed: false,
        ..SandboxConfig::default()
    });
    let sandbox = sandbox.await.unwrap();
    fs::create_dir(shell.path("secrets")).unwrap();
    fs::write(
        shell.path("secrets/DB_CREDENTIALS_NAV_BI"),
        sandbox.odbc_connection_string(),
    )
    .unwrap();
    let said = shell.run(&["catalog", "plan", "CR_04", "--secrets", "file:secrets"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("25 columns, 0 with a note, 0 findings"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("\nno estimate: SQL Server error 262: SHOWPLAN permission denied"),
        "{}",
        said.out
    );
    sandbox.stop().await;
}
