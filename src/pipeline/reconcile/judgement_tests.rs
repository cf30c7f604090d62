//! A judgement made from a statement, and what the fingerprint of its statement covers.

use super::*;
use crate::domain::reconcile::drift::Drift;
use crate::pipeline::reconcile::Explanations;
use crate::report::month;
use crate::report::tables::tables;

/// The judgement that a statement is of, with nothing beside it.
pub(crate) fn judged(statement: Statement) -> Judgement {
    Judgement {
        run_id: statement.run_id,
        at: DateTime::UNIX_EPOCH,
        program: statement.program,
        stamps: statement.stamps,
        reconciled: Reconciled {
            inputs: Vec::new(),
            opening: None,
            is_first: true,
            finals: Vec::new(),
            history: Vec::new(),
            rules: BTreeMap::new(),
            pins: statement.pins,
            since: statement.since,
            changes: statement.changes,
            drift: statement.drift,
            items: statement.inputs,
            accepted: statement.accepted,
            result: statement.result,
            zero_checks: statement.zero_checks,
            explanations: Explanations::default(),
        },
    }
}

/// An earlier month as a later judgement has it.
fn point(period: &str, judgement: &Judgement) -> crate::pipeline::reconcile::MonthPoint {
    let mut shown = crate::report::material::MonthPoint::of(&month::clean());
    shown.period = period.parse().unwrap();
    crate::pipeline::reconcile::MonthPoint {
        period: shown.period,
        run_id: judgement.run_id.clone(),
        manifest_sha256: "5f".repeat(32),
        records: 0,
        log_sha256: None,
        shown,
        program: judgement.program.clone(),
        lines: BTreeMap::new(),
        rows: BTreeMap::new(),
    }
}

#[test]
fn a_signature_is_of_what_stands_beside_the_lines_too() {
    let fingerprint = |judgement: &Judgement| {
        let statement = judgement.statement(&MonthLog::default()).unwrap();
        statement.fingerprint().unwrap()
    };
    let judgement = judged(month::planted());
    let own = fingerprint(&judgement);
    // Read back, and said again, it is the same.
    let json = serde_json::to_vec(&judgement).unwrap();
    let back: Judgement = serde_json::from_slice(&json).unwrap();
    assert_eq!(fingerprint(&back), own);

    let mut explained = judgement.clone();
    let not_computed = &mut explained.reconciled.explanations.not_computed;
    not_computed.insert("B1".to_owned(), "no package".to_owned());
    assert_ne!(fingerprint(&explained), own, "an explanation more");

    let mut older = judgement.clone();
    older.reconciled.history.push(point("2024-03", &judgement));
    assert_ne!(fingerprint(&older), own, "an earlier month more");

    let mut moved = judgement.clone();
    moved.reconciled.drift = Some(Drift {
        since: "2024-03".parse().unwrap(),
        items: Vec::new(),
        lines: Vec::new(),
    });
    assert_ne!(fingerprint(&moved), own, "compared with last month");

    // What an older version sealed has no drift and no columns: it is read, and written again as it was.
    let text = String::from_utf8(json).unwrap();
    assert!(!text.contains("\"drift\"") && !text.contains("\"schema\""));

    // Where the month was judged and when it is looked at are nobody's finding.
    let mut later = judgement.clone();
    later.at = DateTime::UNIX_EPOCH + chrono::Days::new(1);
    assert_eq!(fingerprint(&later), own);
}

/// What the version before sealed says nothing of the month that it was compared with: that was the last one.
#[test]
fn what_an_older_version_sealed_keeps_its_change_of_the_binary() {
    let said = |month: &str, binary: &str| {
        let mut judgement = judged(month::clean());
        judgement.reconciled.since = None;
        judgement.reconciled.changes.clear();
        let mut point = point(month, &judgement);
        point.program.binary_sha256 = binary.to_owned();
        judgement.reconciled.history.push(point);
        let json = serde_json::to_string(&judgement).unwrap();
        assert!(!json.contains("\"since\""), "as it was sealed");
        let judgement: Judgement = serde_json::from_str(&json).unwrap();
        let statement = judgement.statement(&MonthLog::default()).unwrap();
        let months = judgement.months();
        let material = Material {
            months: &months,
            ..Material::of(&statement)
        };
        let english = page(material, Language::English).unwrap();
        let (_, part) = english.split_once(" id=\"since\"").unwrap();
        let (part, _) = part.split_once(" id=\"signatures\"").unwrap();
        let none = "not known: no earlier month was judged";
        let tables = tables(material, Language::English).unwrap();
        let mut tables = tables.iter();
        let table = tables.find(|table| table.name == "since_last_month");
        let first = format!("{:?}", table.unwrap().rows[0]);
        assert_eq!(first.contains(none), part.contains(none), "{first}");
        (statement.changes, part.contains(none))
    };
    let own = judged(month::clean()).program.binary_sha256;
    let other = "0b".repeat(32);
    let binary = Change {
        what: "binary".to_owned(),
        before: Some(other.clone()),
        now: Some(own.clone()),
    };
    assert_eq!(said("2024-03", &other), (vec![binary], false));
    assert_eq!(said("2024-03", &own), (Vec::new(), false));
    // February is not the month before April: nothing was compared with it.
    assert_eq!(said("2024-02", &other), (Vec::new(), true));
}
