//! The habits of this crate, as tests: sizes, floors, vendors, names, and that no test file is forgotten.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// What each part of `src` may name besides itself. Imports point down only.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("kernels", &["domain", "ports"]),
    ("catalog", &["domain"]),
    ("adapters", &["domain", "kernels", "ports"]),
    ("report", &["domain", "kernels", "ports"]),
    ("pipeline", &["domain", "kernels", "ports", "report"]),
    ("sandbox", &["domain"]),
    ("settings", &["domain"]),
    ("telemetry", &[]),
    (
        "app",
        &[
            "domain", "kernels", "ports", "catalog", "adapters", "report", "pipeline", "sandbox",
            "settings",
        ],
    ),
    (
        "analysts",
        &[
            "domain", "kernels", "ports", "catalog", "adapters", "pipeline", "settings", "app",
        ],
    ),
    (
        "server",
        &["domain", "ports", "pipeline", "settings", "app"],
    ),
    (
        "cli",
        &[
            "server",
            "domain",
            "ports",
            "catalog",
            "adapters",
            "report",
            "pipeline",
            "sandbox",
            "settings",
            "telemetry",
            "app",
            "analysts",
        ],
    ),
];

/// Where a vendor may be named.
const VENDORS: &[(&str, &[&str])] = &[
    ("tiberius", &["src/adapters/mssql/"]),
    ("polars", &["src/kernels/", "src/adapters/local_warehouse"]),
    ("datafusion", &["src/sandbox/"]),
    ("rcgen", &["src/sandbox/"]),
    ("reqwest", &["src/adapters/google/"]),
    ("gcp_bigquery_client", &["src/adapters/bigquery/"]),
    ("jsonwebtoken", &["src/adapters/google/"]),
    ("rustls", &["src/adapters/google/", "src/sandbox/"]),
    ("rust_xlsxwriter", &["src/report/"]),
    ("axum", &["src/server/"]),
    ("hyper", &["src/server/"]),
    ("clap", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
];

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

/// Every source of the crate: its path below the root, and its text.
pub(crate) fn rust_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for dir in ["src", "tests", "benches"] {
        files(&root().join(dir), "rs", &mut found);
    }
    assert!(found.len() > 20, "the tree was not found");
    let name = |path: &Path| {
        path.strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The text before the inline tests, without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(word).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        (!before.is_alphanumeric() && before != '_').then(|| &code[at + word.len()..])
    })
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for (name, text) in rust_files() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            long.push(format!("{name}: {} lines", lines.len()));
        }
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_fn = words(line, "fn ").next().is_some() && !line.trim_start().starts_with("//");
            // A declaration without a body ends before any brace opens.
            let has_body = lines[start..].iter().find_map(|l| {
                let l = l.trim_end();
                l.ends_with('{')
                    .then_some(true)
                    .or(l.ends_with(';').then_some(false))
            });
            if !is_fn || has_body != Some(true) {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let end = lines[start..]
                .iter()
                .position(|line| *line == close)
                .unwrap_or(0);
            if end + 1 > FUNCTION_LINES_MAX {
                long.push(format!(
                    "{name}:{}: a function of {} lines",
                    start + 1,
                    end + 1
                ));
            }
        }
    }
    assert!(
        long.is_empty(),
        "split by what they do:\n{}",
        long.join("\n")
    );
}

#[test]
fn imports_point_down_the_floors() {
    let mut upward = Vec::new();
    for (name, text) in rust_files()
        .iter()
        .filter(|(name, _)| name.starts_with("src/"))
    {
        let part = name["src/".len()..].split(['/', '.']).next().unwrap();
        if matches!(part, "lib" | "main") {
            continue;
        }
        let allowed = FLOORS.iter().find(|(floor, _)| *floor == part);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("{name}: the part `{part}` has no floor"));
        for rest in words(&code(text), "crate::") {
            let target = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap();
            if target != part && !allowed.contains(&target) && !target.is_empty() {
                upward.push(format!("{name} names crate::{target}"));
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn adapters_do_not_name_each_other() {
    let mut crossed = Vec::new();
    for (name, text) in rust_files()
        .iter()
        .filter(|(name, _)| name.starts_with("src/adapters/"))
    {
        let own = name["src/adapters/".len()..]
            .split(['/', '.'])
            .next()
            .unwrap();
        for rest in words(&code(text), "crate::adapters::") {
            let target = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap();
            // The session is what all of Google's services are asked through.
            if target != own && target != "google" {
                crossed.push(format!("{name} names {target}"));
            }
        }
    }
    assert!(crossed.is_empty(), "{}", crossed.join("\n"));
}

#[test]
fn vendors_are_named_in_one_place() {
    let mut strayed = Vec::new();
    for (name, text) in rust_files()
        .iter()
        .filter(|(name, _)| name.starts_with("src/"))
    {
        let code = code(text);
        for (vendor, places) in VENDORS {
            let used = words(&code, vendor).any(|rest| rest.starts_with("::"));
            if used && !places.iter().any(|place| name.starts_with(place)) {
                strayed.push(format!("{name} names {vendor}"));
            }
        }
    }
    assert!(strayed.is_empty(), "{}", strayed.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for (name, _) in rust_files() {
        let stem = Path::new(&name)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let banned = ["utils", "util", "helpers", "helper", "misc", "manager"];
        assert!(!banned.contains(&stem.as_str()), "{name}");
        assert!(
            stem != "common" || name.starts_with("tests/") || name.starts_with("benches/"),
            "{name}"
        );
    }
}

#[test]
fn every_test_file_is_part_of_the_binary() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            stem == "snapshots" || stem == "main" || main.contains(&format!("mod {stem};")),
            "tests/it/main.rs forgets {stem}"
        );
    }
}

#[test]
fn nothing_is_left_unfinished_or_skipped_in_silence() {
    // Written apart, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
    ];
    for (name, text) in rust_files() {
        for mark in marks {
            assert!(!text.contains(mark), "{name} holds {mark}");
        }
        let bare_ignore = concat!("#[ig", "nore]");
        assert!(
            !text.contains(bare_ignore),
            "{name}: an ignored test needs a reason"
        );
    }
}
