//! What `soxauto run` prints of an item that did not pass: every check that failed, causes first, each once.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::Shell;

const RUN: [&str; 9] = [
    "run",
    "--period",
    "2024-04",
    "--sandbox-rows",
    "300",
    "--ipe",
    "IPE_07",
    "--catalog",
    "own",
];

/// A catalog of IPE_07 with some texts of its files exchanged.
fn altered(shell: &Shell, edits: &[(&str, &str, &str)]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog/IPE_07");
    let to = shell.path("own/IPE_07");
    fs::create_dir_all(&to).unwrap();
    for name in ["ipe.toml", "population.sql", "query.sql", "witness.sql"] {
        let mut text = fs::read_to_string(from.join(name)).unwrap();
        for (_, from, to) in edits.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(to.join(name), text).unwrap();
    }
}

/// Names a company that is nowhere.
const ABSENT: (&str, &str, &str) = ("ipe.toml", "\"EC_NG\", \"EC_KE\"", "\"EC_NG\", \"ZZ_XX\"");
/// The lines of one predicate bear the name of another.
const RENAMED: [(&str, &str, &str); 2] = [
    (
        "query.sql",
        "predicate: company in consolidation scope",
        "predicate: x",
    ),
    (
        "query.sql",
        "predicate: detail does not add up to zero",
        "predicate: company in consolidation scope",
    ),
];

/// The lines about the item's failures, without its name.
fn said(out: &str) -> Vec<&str> {
    let lines = out.lines();
    lines
        .filter_map(|line| line.strip_prefix("IPE_07: "))
        .collect()
}

#[test]
fn every_check_that_failed_is_printed_and_the_json_keeps_the_first() {
    let shell = Shell::new();
    altered(&shell, &[ABSENT, RENAMED[0], RENAMED[1]]);
    let run = shell.run(&RUN);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let lines = said(&run.out);
    let [company, predicate] = lines.as_slice() else {
        panic!("{}", run.out)
    };
    assert!(
        company.starts_with("check population.companies Fail: company `ZZ_XX` has no row at all"),
        "{company}"
    );
    assert!(
        predicate.starts_with("check accuracy.negative.2 Fail: "),
        "{predicate}"
    );
    assert!(predicate.ends_with("more, see the package)"), "{predicate}");

    let json = shell.run(&[&RUN[..], &["--json"]].concat());
    let item: Value = serde_json::from_str(&json.out).unwrap();
    let item = &item["ipe_results"]["IPE_07"];
    assert_eq!(item["error_message"], **company);
    let failures: Vec<&str> = item["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert_eq!(failures, ["population.companies", "accuracy.negative.2"]);
    assert_eq!(item["not_reached"], serde_json::json!([]));
}

#[test]
fn an_accepted_check_is_no_failure_and_holds_nothing_back() {
    let shell = Shell::new();
    altered(&shell, &[ABSENT, RENAMED[0], RENAMED[1]]);
    let accept = [
        "--reason",
        "late",
        "--approver",
        "A. Mwangi",
        "--accept-check",
    ];
    let one = [&RUN[..], &accept, &["population.companies"]].concat();
    let run = shell.run(&one);
    let lines = said(&run.out);
    assert!(
        lines[0].starts_with("check accuracy.negative.2 Fail: "),
        "{}",
        run.out
    );
    let accepted = "accepted, no failure: check population.companies Fail: company `ZZ_XX`";
    assert!(lines[1].starts_with(accepted), "{}", run.out);
    assert_eq!((lines.len(), run.code), (2, 1), "{}", run.out);
    let both = [&one[..], &["--accept-check", "accuracy.negative.2"]].concat();
    let json = shell.run(&[&both[..], &["--json"]].concat());
    let item: Value = serde_json::from_str(&json.out).unwrap();
    let item = &item["ipe_results"]["IPE_07"];
    assert_eq!(
        (&item["status"], &item["error_message"]),
        (&"SUCCESS".into(), &Value::Null)
    );
    assert_eq!(item["failures"], serde_json::json!([]));
    assert_eq!(item["accepted"].as_array().unwrap().len(), 2);
}

/// What was not made for the first failure is named in one line.
#[test]
fn checks_that_were_not_reached_take_one_line() {
    let shell = Shell::new();
    let narrower = (
        "ipe.toml",
        "name = \"original_amount\"\ntype = \"decimal(38,20)\"",
        "name = \"original_amount\"\ntype = \"decimal(38,10)\"",
    );
    altered(&shell, &[narrower]);
    let run = shell.run(&RUN);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let lines = said(&run.out);
    assert!(
        lines[0].starts_with("check contract.columns Fail: column `Original Amount` is"),
        "{}",
        run.out
    );
    let rest = "not reached: contract.nulls, quality.rules, transfer.source_decoded, ";
    assert!(
        lines[1].starts_with(rest) && lines[1].ends_with("population.scope, accuracy.positive"),
        "{}",
        run.out
    );
    assert_eq!(lines.len(), 2, "{}", run.out);
}
