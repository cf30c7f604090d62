//! What the predecessor got wrong does not come back: each defect has a test whose doc comment names it, and
//! `docs/defects.md` lists them all.

use std::collections::BTreeSet;
use std::fs;

use crate::tidy::{root, rust_files};

/// The defects are numbered from 1 to this.
const DEFECTS: u8 = 25;

/// Number of a defect, and the test that would find it: file and function.
type Named = (u8, String);

/// The numbers of a doc comment of the form `Defect 4 of the predecessor: …` or `Defects 7, 8 and 11 of the predecessor: …`;
/// none for any other.
fn numbers(line: &str) -> Option<Vec<u8>> {
    let text = line.strip_prefix("/// ")?;
    let (list, what) = text.split_once(" of the predecessor: ")?;
    let one = list.strip_prefix("Defect ");
    let list = one.or_else(|| list.strip_prefix("Defects "))?;
    let list = list.replace(" and ", ", ");
    let numbers: Vec<u8> = list
        .split(", ")
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let is_sound = numbers.is_sorted_by(|a, b| a < b) && one.is_some() == (numbers.len() == 1);
    (is_sound && !what.trim().is_empty()).then_some(numbers)
}

/// The test that the doc comment in the first line stands on: only comments and attributes lie between.
fn test_below<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let mut is_test = false;
    for &line in lines {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if !line.starts_with("///") && !line.starts_with("#[") {
            let (_, rest) = line.split_once("fn ")?;
            let (name, _) = rest.split_once('(')?;
            return is_test.then_some(name);
        }
    }
    None
}

/// Every test of a source that says to be about a defect; a comment that says so and is none of that form is an error.
fn named_in(file: &str, text: &str) -> Result<Vec<Named>, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut named = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !line.starts_with("/// Defect") {
            continue;
        }
        let place = format!("{file}:{}", at + 1);
        let numbers = numbers(line).ok_or_else(|| {
            format!("{place}: write `Defect 4 of the predecessor: what was wrong there`")
        })?;
        let test = test_below(&lines[at..])
            .ok_or_else(|| format!("{place}: the comment stands on no test"))?;
        let test = format!("{file}::{test}");
        named.extend(numbers.into_iter().map(|number| (number, test.clone())));
    }
    Ok(named)
}

/// The rows of the table: number, and the tests in its last column.
fn listed_in(page: &str) -> Result<Vec<Named>, String> {
    let mut listed = Vec::new();
    let mut last = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(number) = cells[0].parse::<u8>() else {
            continue;
        };
        let [_, what, tests] = cells[..] else {
            return Err(format!("row {number} has {} cells", cells.len()));
        };
        if what.is_empty() || number != last + 1 {
            return Err(format!("row {number} says nothing or is not in its place"));
        }
        last = number;
        for test in tests.split("<br>") {
            listed.push((number, test.trim_matches('`').to_owned()));
        }
    }
    Ok(listed)
}

#[test]
fn every_defect_of_the_predecessor_is_named_by_a_test_and_listed() {
    let mut named = BTreeSet::new();
    for (file, text) in rust_files() {
        named.extend(named_in(&file, &text).unwrap());
    }
    let numbers: BTreeSet<u8> = named.iter().map(|(number, _)| *number).collect();
    let all: BTreeSet<u8> = (1..=DEFECTS).collect();
    assert_eq!(numbers, all, "every defect has a test that names it");
    let page = fs::read_to_string(root().join("docs/defects.md")).unwrap();
    let listed: BTreeSet<Named> = listed_in(&page).unwrap().into_iter().collect();
    let missing: Vec<&Named> = named.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/defects.md lacks {missing:#?}");
    let gone: Vec<&Named> = listed.difference(&named).collect();
    assert!(gone.is_empty(), "no test is {gone:#?}");
}

#[test]
fn a_comment_of_another_form_or_on_no_test_is_found() {
    let good = "/// Defects 7, 8 and 11 of the predecessor: x.\n    /// More.\n#[tokio::test(a = 1)]\n#[b]\nasync fn c() {";
    let of = |number| (number, "f.rs::c".to_owned());
    assert_eq!(named_in("f.rs", good), Ok(vec![of(7), of(8), of(11)]));
    for (old, new) in [
        ("tokio::test(a = 1)", "cfg(test)"),
        ("#[b]", "\n#[b]"),
        ("async fn c() {", "mod c {"),
    ] {
        let error = named_in("f.rs", &good.replace(old, new)).unwrap_err();
        assert_eq!(error, "f.rs:1: the comment stands on no test");
    }
    for (old, new) in [
        ("predecessor: x.", "predecessor: "),
        ("predecessor: x.", "predecessor again: x."),
        ("Defects", "Defect"),
        ("7, 8 and 11", "8, 7 and 11"),
        ("7, 8 and 11", "7"),
        ("7, 8 and 11", "7 to 11"),
    ] {
        let error = named_in("f.rs", &good.replace(old, new)).unwrap_err();
        assert!(error.starts_with("f.rs:1: write `Defect 4 "), "{error}");
    }
}

#[test]
fn a_row_that_is_not_whole_or_not_in_its_place_is_found() {
    let row = |number: u8| format!("| {number} | x | `f.rs::c`<br>`g.rs::d` |\n");
    let head = "| Number | What | Test |\n|---|---|---|\n";
    let page = format!("{head}{}{}", row(1), row(2));
    let of = |number, test: &str| (number, test.to_owned());
    let [c, d] = ["f.rs::c", "g.rs::d"];
    let whole = vec![of(1, c), of(1, d), of(2, c), of(2, d)];
    assert_eq!(listed_in(&page), Ok(whole));
    for (old, new) in [("| x |", "|  |"), ("| x |", "|"), ("| 2 |", "| 3 |")] {
        let spoilt = page.replace(old, new);
        assert!(listed_in(&spoilt).is_err(), "{spoilt}");
    }
}
