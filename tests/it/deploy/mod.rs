//! The texts and Terraform of `deploy/`, held to each other and to the program: two languages, commands and Terraform may
//! not drift apart, and none may name what is not there.

mod agreement;
mod alerts;
mod deadline;
mod filters;
mod grants;
mod program;
mod terraform;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The pages that hold commands.
const PAGES: [&str; 4] = ["README.md", "LISEZMOI.md", "network.md", "migration.md"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

/// Names of the files in a folder of `deploy/` that begin and end so.
fn files(place: &str, begin: &str, end: &str) -> BTreeSet<String> {
    fs::read_dir(folder().join(place))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(begin) && name.ends_with(end))
        .collect()
}

/// All Terraform files as one text.
fn terraform() -> String {
    let names = files("terraform", "", ".tf");
    assert!(names.len() > 5, "the files of deploy/terraform: {names:?}");
    let texts: Vec<_> = names
        .iter()
        .map(|name| text(&format!("terraform/{name}")))
        .collect();
    texts.join("\n")
}

/// The commands of a page: lines of its `bash` blocks, with continued lines joined and comments left out.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut open = String::new();
    for line in page.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            inside = trimmed == "```bash";
            continue;
        }
        if !inside || trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (part, continued) = match trimmed.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (trimmed, false),
        };
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(part);
        if !continued {
            found.push(std::mem::take(&mut open));
        }
    }
    assert!(open.is_empty(), "a command that does not end: {open}");
    found
}

/// What stands between `begin` and `end`, each time.
fn between<'a>(text: &'a str, begin: &str, end: char) -> Vec<&'a str> {
    text.split(begin)
        .skip(1)
        .map(|rest| rest.split(end).next().unwrap())
        .collect()
}

/// The words of a text that hold only such characters.
fn words(text: &str, part: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c: char| !part(c))
        .filter(|word| !word.is_empty())
}
