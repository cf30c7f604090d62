//! Every command line of the program that `deploy/` gives, and every variable, is known to the program itself.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::{PAGES, between, commands, terraform, text, words};

/// Commands whose help names variables.
const SUBCOMMANDS: [&str; 6] = ["run", "serve", "verify", "clean", "catalog plan", "inspect"];

/// What the program says to `COMMAND --help`; `None` where it does not know the command.
fn help(command: &str) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_soxauto"))
        .args(command.split(' '))
        .arg("--help")
        .env_clear()
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

fn has_flag(help: &str, flag: &str) -> bool {
    words(help, |c| c.is_ascii_alphanumeric() || c == '-').any(|word| word == flag)
}

/// A command line as its command (`run`, `catalog plan`) and its flags.
fn split(line: &str, by: char) -> (String, BTreeSet<String>) {
    let parts = line.split(by).map(|part| part.trim().trim_matches('"'));
    let parts: Vec<_> = parts
        .take_while(|part| !["|", "\\", "&&"].contains(part))
        .collect();
    let depth = if parts[0] == "catalog" { 2 } else { 1 };
    let flags = parts.iter().filter(|part| part.starts_with("--"));
    let flags = flags.map(|flag| flag.split('=').next().unwrap().to_owned());
    (parts[..depth.min(parts.len())].join(" "), flags.collect())
}

/// Every command line of the program in a text: commands, `--args` of gcloud, code in prose, Terraform, the build.
fn calls(page: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    for line in commands(page) {
        if let Some(rest) = line.strip_prefix("soxauto ") {
            found.push(split(rest, ' '));
        }
        for args in between(&line, "--args=", ' ') {
            found.push(split(args.trim_matches('"'), ','));
        }
    }
    let prose = page.split("```").step_by(2).collect::<String>();
    found.extend(
        between(&prose, "`soxauto ", '`')
            .iter()
            .map(|rest| split(rest, ' ')),
    );
    for args in between(page, "args  = [", ']')
        .iter()
        .chain(&between(page, "args = [", ']'))
    {
        found.push(split(args.trim(), ','));
    }
    for args in between(page, "\"${_IMAGE}:${_COMMIT}\", catalog", ']') {
        found.push(split(&format!("catalog{args}"), ','));
    }
    found
}

/// What a text names and the help of its command does not.
fn unknown(page: &str) -> Vec<String> {
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut found = Vec::new();
    for (command, flags) in calls(page) {
        let help = helps
            .entry(command.clone())
            .or_insert_with(|| help(&command));
        if help.is_none() {
            found.push(command.clone());
        }
        for flag in flags {
            let known = help.as_ref().is_some_and(|help| has_flag(help, &flag));
            if !known {
                found.push(format!("{command} {flag}"));
            }
        }
    }
    found
}

fn everything() -> String {
    let mut texts: Vec<_> = PAGES.iter().map(|page| text(page)).collect();
    texts.push(terraform());
    texts.push(text("cloudbuild.yaml"));
    texts.join("\n")
}

#[test]
fn every_command_line_is_known_to_the_program() {
    let everything = everything();
    let called: BTreeSet<_> = calls(&everything)
        .into_iter()
        .map(|(command, _)| command)
        .collect();
    for command in [
        "run",
        "serve",
        "verify",
        "clean",
        "doctor",
        "reconcile",
        "dispose",
        "sign",
        "close",
        "reopen",
        "history",
        "catalog plan",
        "catalog lint",
    ] {
        assert!(
            called.contains(command),
            "no command line of `{command}` was found in {called:?}"
        );
    }
    assert_eq!(unknown(&everything), Vec::<String>::new());
}

#[test]
fn a_flag_that_does_not_exist_is_found_wherever_it_stands() {
    for page in [
        "```bash\nsoxauto run --cutof 2024-05-01\n```",
        "```bash\ngcloud run jobs execute x --args=run,--cutof=2024-05-01 --wait\n```",
        "Say `soxauto run --cutof 2024-05-01`.",
        "  args = [\n    \"run\",\n    \"--cutof=2024-05-01\",\n  ]",
    ] {
        assert_eq!(unknown(page), ["run --cutof"], "{page}");
        assert!(unknown(&page.replace("cutof", "cutoff-date")).is_empty());
    }
    assert_eq!(unknown("Say `soxauto conclude`."), ["conclude"]);
}

/// Variables that the help of a command names as `[env: NAME=]`.
fn variables_known() -> BTreeSet<String> {
    let helps = SUBCOMMANDS.iter().filter_map(|command| help(command));
    let names = |help: String| {
        let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let before_equals = help.split("=]").map(str::to_owned).collect::<Vec<_>>();
        before_equals
            .into_iter()
            .filter_map(move |text| words(&text, name).last().map(str::to_owned))
    };
    helps.flat_map(names).collect()
}

#[test]
fn every_variable_is_known_to_the_program() {
    let known = variables_known();
    assert!(known.contains("SOXAUTO_STAGING") && !known.contains("SOXAUTO_STAGNG"));
    let everything = everything();
    let part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let named: BTreeSet<_> = words(&everything, part)
        .filter(|word| {
            let guides = [
                "GOOGLE_DRIVE_FOLDER_ID",
                "BIGQUERY_DATASET",
                "GCP_PROJECT_ID",
            ];
            word.starts_with("SOXAUTO_") || guides.contains(word)
        })
        .collect();
    assert!(
        named.len() > 7
            && named.contains("GOOGLE_DRIVE_FOLDER_ID")
            && named.contains("BIGQUERY_DATASET"),
        "{named:?}"
    );
    for name in named {
        assert!(
            known.contains(name),
            "deploy/ names {name}, which no command knows"
        );
    }
}

/// The old guide sets these two and nothing else that says where months go.
#[cfg(feature = "sandbox")]
#[test]
fn the_guides_two_variables_are_the_warehouse_and_contradict_no_other() {
    let guide = [("GCP_PROJECT_ID", "p-1"), ("BIGQUERY_DATASET", "sox")];
    let run = [
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "CR_04",
    ];
    let shell = crate::cli::Shell::new();
    // BigQuery does not load from the folder that parts are staged in by default: it says so, and nothing has begun.
    let said = shell.run_with(&run, &guide);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("--staging gs://"), "{}", said.err);
    let folder = [&guide[..], &[("SOXAUTO_WAREHOUSE", "here")]].concat();
    let said = shell.run_with(&run, &folder);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(
        said.err.contains("two warehouses are named"),
        "{}",
        said.err
    );
    assert!(!shell.path("here").exists());
    let said = shell.run_with(&run, &guide[1..]);
    assert!(said.err.contains("set GCP_PROJECT_ID too"), "{}", said.err);
    let said = shell.run_with(&run, &guide[..1]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(shell.path("out/warehouse").is_dir());
}
