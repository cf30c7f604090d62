//! Planned failures, as data: where in an answer something breaks, and how.
//!
//! Pure apart from counters; it must never decide anything by chance, so that a fault test can be repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::sandbox::wire::SqlError;

/// All planned failures of a server; the default has none.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// What happens to logins, in the order in which clients connect; later logins work.
    pub logins: Vec<LoginFault>,
    /// What happens in result sets.
    pub results: Vec<ResultFault>,
    /// What happens in answers, with or without a result set.
    pub answers: Vec<AnswerFault>,
}

/// What happens to one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginFault {
    /// It works.
    None,
    /// It is refused with this error.
    Refuse(SqlError),
    /// The connection is closed instead of an answer.
    Cut,
}

/// One planned failure in one result set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFault {
    /// Result sets count only when they have sent more rows than this; 0 counts from COLMETADATA on.
    pub rows_min: u64,
    /// Which of the counted result sets of this server is hit, from 1.
    pub result_set: u32,
    /// Where in it.
    pub at: FaultPoint,
    /// What happens there.
    pub action: FaultAction,
}

/// One planned failure in one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFault {
    /// Which of this server's answers is hit, from 1; logins do not count.
    pub answer: u32,
    /// At the n-th token (from 1) of this kind in it.
    pub token: (TokenKind, u32),
    /// Where in the token.
    pub part: TokenPart,
    /// What happens there.
    pub action: FaultAction,
}

/// A place in a result set; one that lies before `rows_min` is moved to where the set begins to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// After this many rows. Pre-encoded rows (replay) count by whole chunks.
    Rows(u64),
    /// After this many bytes of row tokens, in mid-row if it falls there.
    RowBytes(u64),
    /// At the n-th token (from 1) of a kind since the COLMETADATA, that one included.
    Token(TokenKind, u32, TokenPart),
}

/// The kinds of tokens in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// COLMETADATA.
    Columns,
    /// ROW or NBCROW; a pre-encoded chunk counts as one.
    Row,
    /// DONE, DONEPROC or DONEINPROC.
    Done,
    /// ERROR or INFO.
    Message,
    /// ENVCHANGE.
    EnvChange,
    /// RETURNSTATUS.
    ReturnStatus,
    /// RETURNVALUE.
    ReturnValue,
}

/// Where in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPart {
    /// Before its first byte.
    Before,
    /// After half of its bytes.
    Inside,
    /// After its last byte.
    After,
}

impl TokenPart {
    /// Bytes of a token of `len` bytes that come before this place.
    fn bytes_kept(self, len: usize) -> usize {
        match self {
            Self::Before => 0,
            Self::Inside => len / 2,
            Self::After => len,
        }
    }
}

/// What happens at the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// What came before is sent, then the socket is closed without a word.
    Cut,
    /// The server sends nothing for this long, or never again (until the client goes or sends an attention).
    Stall(Option<Duration>),
    /// The server ends the answer with this error; inside a token it waits for the token's end.
    Error(SqlError),
}

/// The faults of a server with their counters, shared by its connections.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    faults: Faults,
    logins: AtomicU32,
    answers: AtomicU32,
    /// Per planned result fault, how many result sets have counted so far.
    counted: Vec<AtomicU32>,
}

impl FaultPlan {
    pub(crate) fn new(faults: Faults) -> Self {
        let counted = faults.results.iter().map(|_| AtomicU32::new(0)).collect();
        Self {
            faults,
            logins: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            counted,
        }
    }

    /// What happens to the login that comes now.
    pub(super) fn login(&self) -> LoginFault {
        let at = usize::try_from(self.logins.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
        self.faults
            .logins
            .get(at)
            .cloned()
            .unwrap_or(LoginFault::None)
    }
}

/// A fault that strikes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strike {
    /// Bytes of the token that still go out before.
    pub(super) keep_bytes: usize,
    pub(super) action: FaultAction,
}

/// Follows one answer through the plan.
#[derive(Debug)]
pub(super) struct FaultWatch {
    plan: Arc<FaultPlan>,
    states: Vec<WatchState>,
    /// Which answer this is, from 1.
    answer: u32,
    /// Per planned answer fault, tokens of its kind so far.
    tokens: Vec<u32>,
    rows: u64,
    row_bytes: u64,
    in_result_set: bool,
}

#[derive(Debug, Clone, Default)]
struct WatchState {
    /// Whether this result set was counted, and whether it is the one meant.
    counted: bool,
    armed: bool,
    tokens: u32,
}

impl FaultWatch {
    pub(super) fn new(plan: Arc<FaultPlan>) -> Self {
        let states = vec![WatchState::default(); plan.counted.len()];
        let tokens = vec![0; plan.faults.answers.len()];
        let answer = plan.answers.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            plan,
            states,
            answer,
            tokens,
            rows: 0,
            row_bytes: 0,
            in_result_set: false,
        }
    }

    /// True when nothing is planned, so that rows can be sent in one go.
    pub(super) fn is_idle(&self) -> bool {
        self.states.is_empty() && self.tokens.is_empty()
    }

    /// Tells of a token about to be sent, with the rows it carries.
    pub(super) fn token(&mut self, kind: TokenKind, len: usize, rows: u64) -> Option<Strike> {
        if self.is_idle() {
            return None;
        }
        let in_answer = self.token_of_answer(kind, len);
        self.token_of_result(kind, len, rows).or(in_answer)
    }

    fn token_of_answer(&mut self, kind: TokenKind, len: usize) -> Option<Strike> {
        let plan = Arc::clone(&self.plan);
        let planned = plan.faults.answers.iter().zip(&mut self.tokens);
        let mut first = None;
        for (fault, seen) in planned.filter(|(fault, _)| fault.token.0 == kind) {
            *seen += 1;
            if fault.answer == self.answer && *seen == fault.token.1 && first.is_none() {
                first = Some(Strike {
                    keep_bytes: fault.part.bytes_kept(len),
                    action: fault.action.clone(),
                });
            }
        }
        first
    }

    fn token_of_result(&mut self, kind: TokenKind, len: usize, rows: u64) -> Option<Strike> {
        if kind == TokenKind::Columns {
            self.in_result_set = true;
            (self.rows, self.row_bytes) = (0, 0);
            self.states.fill(WatchState::default());
        }
        if !self.in_result_set {
            return None;
        }
        let bytes_before = self.row_bytes;
        if kind == TokenKind::Row {
            self.rows += rows;
            self.row_bytes += u64::try_from(len).unwrap_or(u64::MAX);
        }
        let plan = Arc::clone(&self.plan);
        let (rows, bytes_after) = (self.rows, self.row_bytes);
        let mut first: Option<Strike> = None;
        for ((fault, state), counted) in plan
            .faults
            .results
            .iter()
            .zip(&mut self.states)
            .zip(&plan.counted)
        {
            if !state.counted && (fault.rows_min == 0 || rows > fault.rows_min) {
                state.counted = true;
                state.armed = counted.fetch_add(1, Ordering::Relaxed) + 1 == fault.result_set;
            }
            if let FaultPoint::Token(meant, _, _) = fault.at {
                state.tokens += u32::from(meant == kind);
            }
            let keep_bytes = match fault.at {
                FaultPoint::Rows(n) if rows >= n && state.armed => Some(len),
                FaultPoint::RowBytes(n) if bytes_after >= n && state.armed => {
                    usize::try_from(n.saturating_sub(bytes_before)).ok()
                }
                FaultPoint::Token(meant, n, part)
                    if meant == kind && state.tokens >= n && state.armed =>
                {
                    Some(part.bytes_kept(len))
                }
                _ => None,
            };
            if let Some(keep_bytes) = keep_bytes.filter(|_| first.is_none()) {
                state.armed = false;
                first = Some(Strike {
                    keep_bytes,
                    action: fault.action.clone(),
                });
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(fault: ResultFault) -> (Arc<FaultPlan>, FaultWatch) {
        let plan = Arc::new(FaultPlan::new(Faults {
            results: vec![fault],
            ..Faults::default()
        }));
        (Arc::clone(&plan), FaultWatch::new(plan))
    }

    fn cut(rows_min: u64, result_set: u32, at: FaultPoint) -> ResultFault {
        ResultFault {
            rows_min,
            result_set,
            at,
            action: FaultAction::Cut,
        }
    }

    #[test]
    fn bytes_cut_in_mid_row() {
        let (_, mut watch) = watch(cut(0, 1, FaultPoint::RowBytes(25)));
        assert_eq!(watch.token(TokenKind::Columns, 50, 0), None);
        assert_eq!(watch.token(TokenKind::Row, 10, 1), None);
        assert_eq!(watch.token(TokenKind::Row, 10, 1), None);
        let strike = watch.token(TokenKind::Row, 10, 1).unwrap();
        assert_eq!(strike.keep_bytes, 5);
        assert_eq!(
            watch.token(TokenKind::Row, 10, 1),
            None,
            "a fault strikes once"
        );
    }

    #[test]
    fn only_the_kth_long_result_set_is_hit() {
        let (plan, mut watch) = watch(cut(2, 2, FaultPoint::Rows(1)));
        let rows = |watch: &mut FaultWatch, n: usize| {
            watch.token(TokenKind::Columns, 9, 0);
            (0..n)
                .filter(|_| watch.token(TokenKind::Row, 9, 1).is_some())
                .count()
        };
        assert_eq!(rows(&mut watch, 2), 0, "too short to count");
        assert_eq!(rows(&mut watch, 5), 0, "the first that counts");
        assert_eq!(
            rows(&mut FaultWatch::new(plan), 5),
            1,
            "the second, on another connection"
        );
    }

    #[test]
    fn answers_count_with_and_without_rows() {
        let fault = AnswerFault {
            answer: 2,
            token: (TokenKind::Done, 2),
            part: TokenPart::Inside,
            action: FaultAction::Cut,
        };
        let plan = Arc::new(FaultPlan::new(Faults {
            answers: vec![fault],
            ..Faults::default()
        }));
        let strikes = |watch: &mut FaultWatch| {
            let tokens = (0..3).map(|_| watch.token(TokenKind::Done, 13, 0).is_some());
            tokens.collect::<Vec<_>>()
        };
        let mut answers = [0; 3].map(|_| FaultWatch::new(Arc::clone(&plan)));
        assert_eq!(strikes(&mut answers[0]), [false; 3]);
        assert_eq!(strikes(&mut answers[1]), [false, true, false]);
        assert_eq!(strikes(&mut answers[2]), [false; 3]);
    }

    #[test]
    fn tokens_are_hit_before_inside_and_after() {
        for (part, keep) in [
            (TokenPart::Before, 0),
            (TokenPart::Inside, 6),
            (TokenPart::After, 13),
        ] {
            let (_, mut watch) = watch(cut(0, 1, FaultPoint::Token(TokenKind::Done, 2, part)));
            assert_eq!(
                watch.token(TokenKind::Done, 13, 0),
                None,
                "outside a result set"
            );
            watch.token(TokenKind::Columns, 9, 0);
            assert_eq!(watch.token(TokenKind::Done, 13, 0), None);
            assert_eq!(
                watch.token(TokenKind::Done, 13, 0).unwrap().keep_bytes,
                keep
            );
        }
    }
}
