//! Terraform's files hold together: nothing is unbalanced, undeclared or unused. The format is checked by Terraform itself
//! where it is installed.

use std::collections::BTreeSet;
use std::process::Command;

use super::{between, files, folder, terraform, text};

/// The text without comments, and whether its brackets close. Interpolations stay.
fn code(text: &str) -> Result<String, String> {
    let mut open = Vec::new();
    let mut kept = String::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split("# ").next().unwrap();
        if line.matches('"').count() % 2 == 1 {
            return Err(format!("line {}: a quote that does not close", at + 1));
        }
        for c in line.chars() {
            match c {
                '{' => open.push('}'),
                '[' => open.push(']'),
                '(' => open.push(')'),
                '}' | ']' | ')' if open.pop() != Some(c) => {
                    return Err(format!("line {}: {c} closes nothing", at + 1));
                }
                _ => {}
            }
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if open.is_empty() {
        Ok(kept)
    } else {
        Err(format!("{} brackets do not close", open.len()))
    }
}

/// Names that follow `begin` where it begins a word.
fn names_after(code: &str, begin: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(begin)
        .filter(|(at, _)| {
            let before = code[..*at].chars().next_back().unwrap_or(' ');
            !part(before) && before != '.' && before != '"' && before != '/'
        })
        .map(|(at, _)| {
            code[at + begin.len()..]
                .chars()
                .take_while(|c| part(*c))
                .collect()
        })
        .collect()
}

/// Names of the declarations of one kind, such as `variable "…"`; of two labels joined by a dot.
fn declared(code: &str, kind: &str) -> BTreeSet<String> {
    let lines = code.lines().filter_map(|line| line.strip_prefix(kind));
    lines
        .filter(|rest| rest.starts_with(" \""))
        .map(|rest| between(rest, " \"", '"').join("."))
        .collect()
}

/// Names of all `locals` blocks, which the format indents by two.
fn locals(code: &str) -> BTreeSet<String> {
    between(&code.replace("\n}", "\n\u{1}"), "locals {", '\u{1}')
        .iter()
        .flat_map(|block| block.lines())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

/// `TYPE.NAME` of every resource that an expression names.
fn resources_named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in names_after(code, "google_") {
        let kind = format!("google_{rest}");
        let names = names_after(code, &format!("{kind}."));
        found.extend(names.iter().map(|name| format!("{kind}.{name}")));
    }
    found
}

/// What is named and not declared, and what is declared and not named.
fn faults(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let sides = [
        ("var", names_after(code, "var."), declared(code, "variable")),
        ("local", names_after(code, "local."), locals(code)),
    ];
    for (kind, named, declared) in sides {
        found.extend(
            named
                .difference(&declared)
                .map(|name| format!("{kind}.{name} is not declared")),
        );
        found.extend(
            declared
                .difference(&named)
                .map(|name| format!("{kind}.{name} is not used")),
        );
    }
    let resources = declared(code, "resource");
    let named = resources_named(code);
    found.extend(
        named
            .difference(&resources)
            .map(|name| format!("{name} is not declared")),
    );
    found
}

#[test]
fn every_name_is_declared_and_every_variable_is_used() {
    for name in files("terraform", "", ".tf") {
        code(&text(&format!("terraform/{name}"))).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    let code = code(&terraform()).unwrap();
    assert!(declared(&code, "resource").len() > 20 && resources_named(&code).len() > 10);
    assert!(locals(&code).len() > 10, "{:?}", locals(&code));
    assert_eq!(faults(&code), Vec::<String>::new());
}

#[test]
fn what_is_missing_or_left_over_is_found() {
    let sound = "variable \"a\" {\n}\n\nlocals {\n  b = var.a\n}\n\nresource \"google_x\" \"c\" {\n  d = \"${local.b}\" # a note\n}\n\noutput \"e\" {\n  f = google_x.c.id\n}\n";
    assert_eq!(faults(&code(sound).unwrap()), Vec::<String>::new());
    for (from, to, fault) in [
        ("= var.a", "= var.z", "var.z is not declared"),
        ("= var.a", "= 1", "var.a is not used"),
        ("local.b", "local.y", "local.y is not declared"),
        (
            "google_x.c.id",
            "google_x.w.id",
            "google_x.w is not declared",
        ),
    ] {
        let broken = faults(&code(&sound.replacen(from, to, 1)).unwrap());
        assert!(broken.contains(&fault.to_owned()), "{broken:?}");
    }
    assert!(code(&sound.replacen("{\n}", "{\n", 1)).is_err());
    assert!(code(&sound.replacen("\"a\"", "\"a", 1)).is_err());
    assert!(code(&sound.replacen("var.a\n}", "var.a\n]", 1)).is_err());
}

#[test]
fn every_variable_says_what_it_is_and_holds_no_secret() {
    let variables = text("terraform/variables.tf");
    for block in variables.split("\nvariable ").skip(1) {
        assert!(
            block.contains("description = \"") && block.contains("type        ="),
            "{block}"
        );
    }
    let all = terraform();
    assert!(
        !all.contains("secret_data"),
        "a secret's value would enter the state"
    );
    assert!(
        !all.contains("google_service_account_key"),
        "nobody holds a key"
    );
    assert!(
        !all.contains("backend \""),
        "where the state lies is for the user to say"
    );
}

/// In a module of its own, so that `scripts/test` can name what needs the program.
mod with_terraform {
    use super::{Command, folder};

    #[test]
    #[ignore = "needs terraform or tofu; scripts/test looks for one"]
    fn the_files_are_formatted() {
        let program = std::env::var_os("SOXAUTO_TEST_TERRAFORM")
            .expect("SOXAUTO_TEST_TERRAFORM names the program");
        let output = Command::new(program)
            .args(["fmt", "-check", "-diff", "-recursive"])
            .current_dir(folder().join("terraform"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}
