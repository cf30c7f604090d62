//! A judgement made from a statement, and what the fingerprint of its statement covers.

use super::*;
use crate::domain::reconcile::drift::Drift;
use crate::pipeline::reconcile::Explanations;
use crate::report::month;

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
            pins: BTreeMap::new(),
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
    let mut march = crate::report::material::MonthPoint::of(&month::clean());
    march.period = "2024-03".parse().unwrap();
    older
        .reconciled
        .history
        .push(crate::pipeline::reconcile::MonthPoint {
            period: march.period,
            run_id: judgement.run_id.clone(),
            manifest_sha256: "5f".repeat(32),
            records: 0,
            log_sha256: None,
            shown: march,
            program: judgement.program.clone(),
            lines: BTreeMap::new(),
            rows: BTreeMap::new(),
        });
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
