//! A month that is judged by rules and thresholds of one's own: all of a folder, and nothing that is built in.

use std::fs;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use crate::reconcile::{exceptions, json, month, reconcile};

const DEFAULT: &str = "own/thresholds/DEFAULT/v1.toml";

fn said(said: &Said, code: i32, text: &str) {
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains(text), "{text} in {all}");
}

/// Writes something else into the thresholds of all countries.
fn bend(shell: &Shell, from: &str, to: &str) {
    let text = fs::read_to_string(shell.path(DEFAULT)).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(shell.path(DEFAULT), text.replacen(from, to, 1)).unwrap();
}

fn judged(shell: &Shell) -> Value {
    let said = reconcile(shell, &["--rules", "own", "--format", "json"]);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_rules_is_used_whole_and_sealed_and_its_mistakes_are_named() {
    let shell = Shell::new();
    let items = ["CR_04", "CR_05", "IPE_07"];
    month(&shell, planted(PlantProfile::Recon, &[]), &items).await;
    let copied = shell.run(&["reconcile", "--write-rules", "own"]);
    said(&copied, 0, DEFAULT);
    assert_eq!(copied.out.lines().count(), 5, "{}", copied.out);
    let again = shell.run(&["reconcile", "--write-rules", "own"]);
    said(&again, 2, "own: exists already and is left as it is");

    // A copy says what the original says, and is no control evidence all the same.
    let built_in = json(&shell);
    assert_eq!(exceptions(&built_in, "L1").len(), 5);
    assert_eq!(judged(&shell)["result"], built_in["result"]);
    let stamp = "the rules and thresholds were overridden with --rules";
    said(&reconcile(&shell, &["--rules", "own"]), 1, stamp);
    assert!(!reconcile(&shell, &[]).err.contains(stamp));

    // Its own threshold decides, is sealed, and is what `verify` judges by whatever becomes of the folder.
    bend(&shell, "usd = \"1000\"", "usd = \"10000000\"");
    assert!(exceptions(&judged(&shell), "L1").is_empty());
    assert_eq!(exceptions(&json(&shell), "L1").len(), 5);
    let sealed = reconcile(&shell, &["--rules", "own", "--seal"]);
    said(&sealed, 1, stamp);
    let mut lines = sealed.err.lines();
    let place = lines.find_map(|line| line.strip_prefix("sealed ")).unwrap();
    bend(&shell, "version = 1", "version = 0");
    said(&shell.run(&["verify", place]), 0, "VALID");
    let kept = place.strip_prefix("file://").unwrap();
    let kept = fs::read_to_string(format!("{kept}/data/thresholds/DEFAULT/v1.toml")).unwrap();
    assert!(kept.contains("10000000"), "{kept}");

    // A file that is broken or missing is an error with its path; the binary's does not stand in for it.
    let broken = reconcile(&shell, &["--rules", "own"]);
    said(
        &broken,
        2,
        "error: own/thresholds/DEFAULT/v1.toml: version: 0",
    );
    assert_eq!(broken.out, "");
    fs::remove_file(shell.path(DEFAULT)).unwrap();
    let missing = reconcile(&shell, &["--rules", "own"]);
    said(
        &missing,
        2,
        "own/thresholds/DEFAULT/v1.toml: file: is missing",
    );
    said(&missing, 2, "--write-rules");
    said(
        &reconcile(&shell, &["--rules", "nowhere"]),
        2,
        "nowhere: file: cannot be read",
    );
    let both = ["--rules", "own", "--contract", "own.toml"];
    said(&reconcile(&shell, &both), 2, "cannot be used with");
    said(&shell.run(&["reconcile"]), 2, "--period");
}
