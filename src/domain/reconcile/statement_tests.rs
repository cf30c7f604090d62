//! What surrounds the lines: closing, signing, and what keeps the control from saying that there is nothing.

use super::*;
use crate::domain::check::CheckKind;
use crate::domain::reconcile::month::{Month, amount};

fn clear() -> InputVerdicts {
    InputVerdicts {
        transfer: Verdict::Pass,
        population: Verdict::Pass,
        accuracy_positive: Verdict::Pass,
        accuracy_negative: Verdict::NotApplicable,
        all: Verdict::Pass,
    }
}

fn statement(month: &Month) -> Statement {
    let inputs = month.items.keys().map(|item| Input {
        item: item.clone(),
        title: String::new(),
        run_id: None,
        status: Some(ItemStatus::Success),
        manifest_sha256: None,
        rows: Some(1),
        totals: BTreeMap::new(),
        schema: None,
        refreshed_at: None,
        verdicts: clear(),
        digest: None,
    });
    Statement {
        run_id: "20240501T090000Z-1a2b3c4d".parse().unwrap(),
        state: MonthState::Preliminary,
        stamps: Vec::new(),
        program: Program {
            version: "0".to_owned(),
            commit: "0".to_owned(),
            dirty: false,
            binary_sha256: "0".to_owned(),
        },
        result: month.judged(),
        zero_checks: Vec::new(),
        inputs: inputs.collect(),
        accepted: Vec::new(),
        pins: BTreeMap::new(),
        since: None,
        changes: Vec::new(),
        drift: None,
        dispositions: Vec::new(),
        sign_offs: Vec::new(),
        beside_sha256: None,
    }
}

fn said(unexplained: &str) -> Disposition {
    Disposition {
        line: "L1".to_owned(),
        company: "EC_NG".to_owned(),
        gl: Some("13003".to_owned()),
        unexplained: amount(unexplained),
        decision: Decision::Adjust,
        text: "booked in May".to_owned(),
        by: "controller".to_owned(),
        at: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn a_month_is_closed_when_everything_is_concluded_and_spoken_of() {
    let month = Month::new().actual("EC_NG", "13003", "1650000.00");
    let mut statement = statement(&month);
    assert_eq!(statement.open(), ["L1 EC_NG 13003 has no disposition"]);
    // A word on another amount is none on this one.
    statement.dispositions.push(said("1650000.01"));
    assert_eq!(statement.open().len(), 1);
    statement.dispositions.push(said("1650000"));
    assert!(statement.open().is_empty());
    assert_eq!(statement.exit_code(), 1, "a word does not take it away");

    let mut missing = Month::new();
    missing.state("IPE_12").unsound.push("held".to_owned());
    let open = super::tests::statement(&missing).open();
    assert_eq!(open.len(), 9);
    assert_eq!(open[0], "L2 EC_IC is not concluded");
}

#[test]
fn checks_that_did_not_clear_are_exceptions_whatever_the_lines_say() {
    let tied = statement(&Month::new());
    assert_eq!(
        (tied.control_result(), tied.exit_code()),
        (ControlResult::NoExceptions, 0)
    );
    let zero = |verdict| ZeroCheck {
        id: "Z1".to_owned(),
        title: String::new(),
        verdict,
        what: String::new(),
        differences: Vec::new(),
    };
    for verdict in [Verdict::Fail, Verdict::NotRun] {
        let mut failed = tied.clone();
        failed.zero_checks.push(zero(verdict));
        assert_eq!(failed.control_result(), ControlResult::Exceptions);
        let mut failed = tied.clone();
        failed.inputs[0].verdicts.all = verdict;
        assert_eq!(failed.control_result(), ControlResult::Exceptions);
    }
    let mut passed = tied.clone();
    passed.zero_checks.push(zero(Verdict::Pass));
    assert_eq!(passed.exit_code(), 0);
    let mut accepted = tied;
    accepted.accepted.push(Acceptance {
        check: "population.companies".to_owned(),
        reason: "closed".to_owned(),
        approver: "controller".to_owned(),
    });
    assert_eq!(accepted.control_result(), ControlResult::Exceptions);
}

#[test]
fn a_statement_reads_back() {
    let mut statement = statement(&Month::new().actual("EC_NG", "13003", "1650000.00"));
    statement.state = MonthState::Final {
        number: 2,
        supersedes: "20240501T090000Z-00000000".parse().ok(),
    };
    statement.dispositions.push(said("1650000"));
    let json = serde_json::to_string(&statement).unwrap();
    assert_eq!(serde_json::from_str::<Statement>(&json).unwrap(), statement);
    assert_eq!(statement.late_postings().count(), 0);
}

#[test]
fn the_worst_check_of_a_kind_is_its_word() {
    let check = |id: &str, verdict, counted| CheckResult {
        verdict,
        counted,
        ..CheckResult::not_run(id, CheckKind::Accuracy, "")
    };
    let checks = [
        check("transfer.decoded_staged", Verdict::Pass, None),
        check("population.base", Verdict::Pass, None),
        check("population.extract", Verdict::Fail, None),
        check("accuracy.negative.1", Verdict::Pass, None),
        check("accuracy.negative.2", Verdict::NotApplicable, None),
    ];
    let verdicts = InputVerdicts::of(&checks);
    assert_eq!(verdicts.transfer, Verdict::Pass);
    assert_eq!(verdicts.population, Verdict::Fail);
    assert_eq!(
        verdicts.accuracy_positive,
        Verdict::NotRun,
        "nobody made it"
    );
    assert_eq!(
        verdicts.accuracy_negative,
        Verdict::NotRun,
        "no count shows it"
    );
    assert_eq!(verdicts.all, Verdict::Fail);
    let counted = [check(
        "accuracy.negative.1",
        Verdict::NotApplicable,
        Some(0),
    )];
    let verdicts = InputVerdicts::of(&counted);
    assert_eq!(verdicts.accuracy_negative, Verdict::NotApplicable);
    assert_eq!(InputVerdicts::of(&[]).all, Verdict::NotRun);
}

/// What people say and sign afterwards is not what they signed; everything that the run found is.
#[test]
fn a_fingerprint_covers_what_was_found_and_nothing_that_was_said_of_it() {
    let statement = statement(&Month::new().actual("EC_NG", "13003", "1650000.00"));
    let fingerprint = statement.fingerprint().unwrap();
    let mut spoken = statement.clone();
    spoken.dispositions.push(said("1650000"));
    spoken.sign_offs.push(SignOff {
        role: Role::Prepared,
        by: "controller".to_owned(),
        at: DateTime::UNIX_EPOCH,
        fingerprint: fingerprint.clone(),
        comment: String::new(),
    });
    spoken.state = MonthState::Final {
        number: 1,
        supersedes: None,
    };
    assert_eq!(spoken.fingerprint().unwrap(), fingerprint);
    let mut other = statement.clone();
    other.result.lines[0].buckets[0].actual = Some(amount("0.00000000000000000001"));
    assert_ne!(other.fingerprint().unwrap(), fingerprint);
    let mut other = statement;
    other.inputs[0].verdicts.all = Verdict::NotRun;
    assert_ne!(other.fingerprint().unwrap(), fingerprint);
}
