//! Every token of every answer cut, an error and a silence in every answer: whatever breaks where, the run ends with a
//! sealed package that names the step and the next one, and the old month stays whole.

use std::collections::BTreeSet;
use std::time::Duration;

use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::sandbox::tds::fault::{AnswerFault, FaultAction, Faults, TokenKind, TokenPart};
use soxauto::sandbox::wire::SqlError;
use tempfile::TempDir;

use crate::evidence::world::verify;
use crate::rig::Rig;
use crate::small_ledger::{self, ROWS, item, serve};

/// The answers of a run on one SNAPSHOT, by the step that asks: who am I, what may I, SET, BEGIN; describe; totals;
/// rows; COMMIT.
const STEPS: [&str; 8] = [
    "open", "open", "open", "open", "describe", "totals", "rows", "close",
];
/// Without SNAPSHOT there is no BEGIN and no COMMIT, and the totals are asked again.
const STEPS_BRACKETED: [&str; 7] = [
    "open",
    "open",
    "open",
    "describe",
    "totals",
    "rows",
    "totals after",
];
const PARTS: [TokenPart; 3] = [TokenPart::Before, TokenPart::Inside, TokenPart::After];

/// A place with an old month.
struct Site {
    rig: Rig,
    old: Option<String>,
    _dir: TempDir,
}

impl Site {
    async fn new(limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let rig = Rig::new(dir.path(), limits);
        let (_server, odbc) = serve(Faults::default(), true).await;
        let good = rig.run(&odbc, &item()).await;
        assert_eq!(good.record.status, ItemStatus::Success, "{good:#?}");
        let old = rig.month(&item());
        assert!(old.is_some());
        Self {
            rig,
            old,
            _dir: dir,
        }
    }

    /// Runs with one fault; `None` when it did not strike or nothing was missing after it, else what the run said.
    async fn struck(&mut self, fault: AnswerFault, snapshot: bool) -> Option<String> {
        let shown = format!("{fault:?}");
        let faults = Faults {
            answers: vec![fault],
            ..Faults::default()
        };
        let (_server, odbc) = serve(faults, snapshot).await;
        let outcome = self.rig.run(&odbc, &item()).await;
        self.assert_sealed(&outcome, &shown).await;
        let month = self.rig.month(&item());
        if outcome.record.status == ItemStatus::Success {
            assert_ne!(month, self.old, "{shown}");
            self.old = month;
            return None;
        }
        assert_eq!(outcome.record.status, ItemStatus::Error, "{shown}");
        assert_eq!(month, self.old, "{shown}: the old month stays");
        let said = outcome.record.error.unwrap();
        assert!(said.contains("hint: "), "{shown}: {said}");
        Some(said)
    }

    async fn assert_sealed(&self, outcome: &ItemOutcome, shown: &str) {
        let package = outcome.package.as_ref().expect("every run is sealed");
        let folder = package.uri.strip_prefix("memory:///").unwrap();
        let report = verify(&self.rig.evidence.below(folder)).await;
        assert!(report.findings.is_empty(), "{shown}: {report:#?}");
    }
}

fn assert_step(said: &str, step: &str) {
    let named = format!(", step {step}\n");
    assert!(said.contains(&named), "{step}: {said}");
}

fn at(answer: usize, token: (TokenKind, u32), part: TokenPart, action: FaultAction) -> AnswerFault {
    AnswerFault {
        answer: u32::try_from(answer).unwrap(),
        token,
        part,
        action,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_token_of_any_answer_is_sealed_and_named() {
    use TokenKind as K;
    let mut site = Site::new(small_ledger::limits()).await;
    let mut struck = BTreeSet::new();
    let last = u32::try_from(ROWS).unwrap();
    let tokens = [
        (K::Columns, 1),
        (K::Row, 1),
        (K::Row, last / 2),
        (K::Row, last),
        (K::Done, 1),
        (K::Done, 2),
        (K::Message, 1),
        (K::EnvChange, 1),
        (K::ReturnStatus, 1),
    ];
    for (answer, step) in (1..).zip(STEPS) {
        for token in tokens {
            for part in PARTS {
                let fault = at(answer, token, part, FaultAction::Cut);
                let said = site.struck(fault, true).await;
                match said {
                    Some(said) => {
                        assert_step(&said, step);
                        struck.insert((step, format!("{:?} {}", token.0, token.1)));
                    }
                    // No such token, or all that matters was sent before the end of the last one.
                    None if part == TokenPart::Before => break,
                    None => assert_eq!((step, token.0), ("close", K::Done), "{part:?}"),
                }
            }
        }
    }
    let kinds = |step: &str| {
        let of_step = struck.iter().filter(|(of, _)| *of == step);
        of_step.map(|(_, token)| token.as_str()).collect::<Vec<_>>()
    };
    let every = [
        "Columns 1",
        "Done 1",
        "Done 2",
        "EnvChange 1",
        "Message 1",
        "ReturnStatus 1",
    ];
    let rows = [format!("Row {}", last / 2), format!("Row {last}")];
    assert!(
        every.iter().all(|token| kinds("rows").contains(token)),
        "{struck:?}"
    );
    assert!(
        rows.iter()
            .all(|token| kinds("rows").contains(&token.as_str())),
        "{struck:?}"
    );
    assert!(kinds("open").contains(&"EnvChange 1"), "BEGIN: {struck:?}");
    assert_eq!(kinds("close"), ["Done 1", "EnvChange 1"]);
}

fn deadlock() -> FaultAction {
    FaultAction::Error(SqlError {
        number: 1205,
        class: 13,
        state: 51,
        message: "Transaction was deadlocked.".into(),
        procedure: String::new(),
        line: 1,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_server_in_any_step_is_sealed_and_named() {
    let mut site = Site::new(small_ledger::limits()).await;
    for (steps, snapshot) in [(&STEPS[..], true), (&STEPS_BRACKETED[..], false)] {
        for (answer, step) in (1..).zip(steps) {
            let fault = at(answer, (TokenKind::Done, 1), TokenPart::Before, deadlock());
            let said = site.struck(fault, snapshot).await.expect("an error");
            assert_step(&said, step);
            assert!(said.contains("error 1205"), "{said}");
        }
    }
    let last = u32::try_from(ROWS).unwrap();
    for row in [1, last / 2, last] {
        let fault = at(7, (TokenKind::Row, row), TokenPart::After, deadlock());
        let said = site.struck(fault, true).await.expect("an error");
        assert_step(&said, "rows");
        assert!(said.contains(&format!("after_rows {row}")), "{said}");
    }
}

/// Statements without a result have a deadline, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_in_any_step_is_left_in_time() {
    let limits = small_ledger::waiting(Duration::from_secs(1));
    let mut site = Site::new(limits).await;
    for (answer, step) in (1..).zip(STEPS) {
        let silent = FaultAction::Stall(None);
        let fault = at(answer, (TokenKind::Done, 1), TokenPart::Before, silent);
        let run = tokio::time::timeout(Duration::from_secs(20), site.struck(fault, true));
        let said = run.await.expect("an end in time").expect("an error");
        assert_step(&said, step);
        assert!(said.contains("did not come within"), "{said}");
    }
}
