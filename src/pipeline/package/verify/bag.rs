//! The bag: every file is there, is listed, has its hash, and says what the record says.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::VerifyReport;
use crate::domain::digest::sha256_hex;
use crate::pipeline::package::read::{Bag, manifest_lines};
use crate::pipeline::package::views::views;
use crate::pipeline::package::write::{Files, bag_info, manifest, package_folder};
use crate::pipeline::package::{BAG_INFO, BAGIT, BAGIT_TEXT, LOG, MANIFEST};
use crate::pipeline::record::ItemRecord;

pub(super) fn payload(bag: &Bag) -> Files {
    let data = bag
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("data/"));
    data.map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

/// Tag files, manifest, hashes; needs no record.
pub(super) fn structure(
    bag: &Bag,
    noted: Option<&str>,
    must_have: &[&str],
    report: &mut VerifyReport,
) {
    for (path, why) in &bag.unread {
        report.not_run.push(format!("{path} cannot be read: {why}"));
    }
    for path in must_have {
        if !bag.files.contains_key(*path) && !bag.unread.contains_key(*path) {
            report.find(
                *path,
                "a file of the package is missing",
                "there",
                "missing",
            );
        }
    }
    for path in bag.files.keys().chain(bag.unread.keys()) {
        let is_tag = [BAGIT, BAG_INFO, MANIFEST].contains(&path.as_str());
        if !is_tag && !path.starts_with("data/") {
            report.find(
                path,
                "a file that is no part of the package",
                "nothing",
                "a file",
            );
        }
    }
    if let Some(text) = bag.files.get(BAGIT) {
        let actual = String::from_utf8_lossy(text);
        report.same(
            BAGIT,
            "the bag declaration was changed",
            BAGIT_TEXT,
            &actual,
        );
    }
    if let Some(bytes) = bag.files.get(MANIFEST) {
        let sha256 = sha256_hex(bytes);
        if let Some(noted) = noted {
            let what = "the manifest is not the one that was sealed";
            report.same(MANIFEST, what, noted, sha256.as_str());
        }
        against_manifest(bag, bytes, report);
    }
    report
        .checked
        .push(format!("bag: {} files", bag.files.len()));
}

fn against_manifest(bag: &Bag, bytes: &Bytes, report: &mut VerifyReport) {
    let text = String::from_utf8_lossy(bytes);
    let mut listed: BTreeMap<String, String> = BTreeMap::new();
    for line in manifest_lines(&text) {
        match line {
            Ok(line) => {
                if listed.insert(line.path.clone(), line.sha256).is_some() {
                    report.find(MANIFEST, "a file is listed twice", "once", line.path);
                }
            }
            Err(number) => {
                let expected = "<SHA-256>  data/<file>";
                report.find(
                    MANIFEST,
                    "a malformed line",
                    expected,
                    format!("line {number}"),
                );
            }
        }
    }
    let payload = payload(bag);
    for (path, sha256) in &listed {
        match payload.get(path) {
            Some(bytes) => {
                let what = "the file is not the one that was sealed";
                report.same(path, what, sha256.as_str(), sha256_hex(bytes).as_str());
            }
            None if bag.unread.contains_key(path) => {}
            None => report.find(path, "a listed file is missing", sha256, "missing"),
        }
    }
    for path in payload.keys().filter(|path| !listed.contains_key(*path)) {
        report.find(
            path,
            "a file that the manifest does not list",
            "nothing",
            "a file",
        );
    }
    let expected = manifest(&payload);
    if bag.unread.is_empty() && expected.as_bytes() != bytes.as_ref() {
        let what = "the manifest is not that of the files that are there";
        let (expected, actual) = (sha256_hex(expected.as_bytes()), sha256_hex(bytes));
        report.find(MANIFEST, what, expected, actual);
    }
}

/// Every file is exactly what the record makes of it; the record itself stands in its one spelling.
pub(super) fn views_equal_record(bag: &Bag, record: &ItemRecord, report: &mut VerifyReport) {
    let made = match views(record) {
        Ok(made) => made,
        Err(error) => {
            report
                .not_run
                .push(format!("comparing the files with the record: {error}"));
            return;
        }
    };
    let known: BTreeSet<&str> = made.keys().map(String::as_str).chain([LOG]).collect();
    for path in bag.files.keys().filter(|path| path.starts_with("data/")) {
        if !known.contains(path.as_str()) {
            report.find(
                path,
                "a file that the record does not make",
                "nothing",
                "a file",
            );
        }
    }
    for (path, expected) in &made {
        match bag.files.get(path) {
            Some(actual) if actual == expected => {}
            Some(actual) => {
                let (expected, actual) = first_difference(expected, actual);
                report.find(
                    path,
                    "the file does not say what data/record.json says",
                    expected,
                    actual,
                );
            }
            None if bag.unread.contains_key(path) => {}
            None => report.find(path, "a file of the package is missing", "there", "missing"),
        }
    }
    // What could not be read is in the sum that the description states.
    if let Some(actual) = bag.files.get(BAG_INFO).filter(|_| bag.unread.is_empty()) {
        let expected = bag_info(record, &payload(bag));
        if actual.as_ref() != expected.as_bytes() {
            let (expected, actual) = first_difference(expected.as_bytes(), actual);
            report.find(
                BAG_INFO,
                "the bag description was changed",
                expected,
                actual,
            );
        }
    }
    report
        .checked
        .push(format!("{} files against data/record.json", made.len()));
}

/// The first line in which two texts differ, in both.
pub(super) fn first_difference(expected: &[u8], actual: &[u8]) -> (String, String) {
    let (expected, actual) = (
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(actual),
    );
    let (mut left, mut right) = (expected.lines(), actual.lines());
    let mut number = 0_usize;
    loop {
        number += 1;
        let pair = (left.next(), right.next());
        let shown = |line: Option<&str>| {
            line.map_or("nothing".to_owned(), |line| {
                format!("line {number}: {}", line.trim())
            })
        };
        match pair {
            (None, None) => return ("the same lines".to_owned(), "other line ends".to_owned()),
            (a, b) if a != b => return (shown(a), shown(b)),
            _ => {}
        }
    }
}

/// A package in a folder that names a run must be that run's.
pub(super) fn location(uri: &str, record: &ItemRecord, report: &mut VerifyReport) {
    let folder = package_folder(record);
    let names_a_run = uri
        .rsplit('/')
        .next()
        .is_some_and(|last| last.starts_with("run="));
    if names_a_run && !uri.ends_with(&format!("/{folder}")) {
        report.find(
            uri,
            "the folder names another item, period or run",
            folder,
            uri,
        );
    }
}
