//! Checks one after the other, each with its time and its limit.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Check, Outcome, Report};
use crate::domain::limits::DoctorLimits;
use crate::ports::{PortError, PortErrorKind};

/// A check that ended well, or that found out nothing which a run needs.
pub(super) struct Good<T> {
    said: String,
    todo: Option<String>,
    outcome: Outcome,
    value: T,
}

impl<T> Good<T> {
    /// What was found, and what later checks need of it.
    pub(super) fn new(said: impl Into<String>, value: T) -> Self {
        Self {
            said: said.into(),
            todo: None,
            outcome: Outcome::Ok,
            value,
        }
    }

    /// Not found out; a run works without it.
    pub(super) fn left_open(mut self) -> Self {
        self.outcome = Outcome::Unknown;
        self
    }

    /// What could be better all the same.
    pub(super) fn better(mut self, todo: Option<String>) -> Self {
        self.todo = todo;
        self
    }
}

/// The checks that were made so far.
pub(super) struct Examination<'a> {
    checks: Vec<Check>,
    tell: &'a mut (dyn FnMut(&Check) + Send),
    pub(super) limits: DoctorLimits,
}

impl<'a> Examination<'a> {
    pub(super) fn new(tell: &'a mut (dyn FnMut(&Check) + Send), limits: DoctorLimits) -> Self {
        Self {
            checks: Vec::new(),
            tell,
            limits,
        }
    }

    /// Makes a check within the time of one; gives what it found, or nothing.
    pub(super) async fn look<T>(
        &mut self,
        name: impl Into<String>,
        work: impl Future<Output = Result<Good<T>, PortError>>,
    ) -> Option<T> {
        let longest = self.limits.check_timeout;
        self.look_for(longest, name, work).await
    }

    /// The same within another time.
    pub(super) async fn look_for<T>(
        &mut self,
        longest: Duration,
        name: impl Into<String>,
        work: impl Future<Output = Result<Good<T>, PortError>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let ended = timeout(longest, work).await.unwrap_or_else(|_| {
            let what = format!("not done in {} s", longest.as_secs());
            Err(PortError::new(PortErrorKind::Timeout, what))
        });
        let (outcome, said, todo, value) = match ended {
            Ok(good) => (good.outcome, good.said, good.todo, Some(good.value)),
            Err(mut error) => {
                let todo = error.hint.take();
                (outcome(error.kind), error.to_string(), todo, None)
            }
        };
        self.note(Check {
            name: name.into(),
            outcome,
            seconds: to_the_millisecond(begun.elapsed()),
            said,
            todo,
        });
        value
    }

    /// Notes a check that is not made.
    pub(super) fn skip(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.note(Check {
            name: name.into(),
            outcome: Outcome::Skipped,
            seconds: 0.0,
            said: why.into(),
            todo: None,
        });
    }

    fn note(&mut self, check: Check) {
        (self.tell)(&check);
        self.checks.push(check);
    }

    pub(super) fn report(self) -> Report {
        let is_bad = |check: &Check| matches!(check.outcome, Outcome::Failed | Outcome::NoAnswer);
        Report {
            is_well: !self.checks.iter().any(is_bad),
            checks: self.checks,
        }
    }
}

fn to_the_millisecond(time: Duration) -> f64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis).as_secs_f64()
}

/// Who does not answer leaves it open; every other error is an answer.
fn outcome(kind: PortErrorKind) -> Outcome {
    match kind {
        PortErrorKind::Unreachable | PortErrorKind::Timeout => Outcome::NoAnswer,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_check_ends_with_its_time_and_the_next_one_is_made() {
        let mut told = Vec::new();
        let mut tell = |check: &Check| told.push(check.name.clone());
        let limits = DoctorLimits {
            check_timeout: Duration::from_millis(20),
            ..DoctorLimits::default()
        };
        let mut at = Examination::new(&mut tell, limits);
        let never = std::future::pending::<Result<Good<()>, PortError>>();
        assert!(at.look("silent", never).await.is_none());
        let found = at.look("good", async { Ok(Good::new("there", 7)) }).await;
        assert_eq!(found, Some(7));
        let report = at.report();
        assert_eq!(told, ["silent", "good"]);
        let [silent, good] = report.checks.as_slice() else {
            panic!("{report:?}")
        };
        assert_eq!(silent.outcome, Outcome::NoAnswer);
        assert!(silent.seconds >= 0.02, "{silent:?}");
        assert_eq!((good.outcome, good.said.as_str()), (Outcome::Ok, "there"));
        assert!(!report.is_well);
    }

    #[tokio::test]
    async fn an_error_gives_its_hint_apart() {
        let mut tell = |_: &Check| {};
        let mut at = Examination::new(&mut tell, DoctorLimits::default());
        let error = PortError::new(PortErrorKind::Denied, "no")
            .at("bucket", "b")
            .hint("grant it");
        let none: Option<()> = at.look("x", async { Err(error) }).await;
        at.skip("y", "behind x");
        assert!(none.is_none());
        let report = at.report();
        assert_eq!(report.checks[0].said, "no, bucket b");
        assert_eq!(report.todo(), ["grant it"]);
        assert_eq!(report.checks[0].outcome, Outcome::Failed);
        assert_eq!(report.exit_code(), 1);
    }

    #[tokio::test]
    async fn what_is_left_open_is_told_and_spoils_nothing() {
        let mut tell = |_: &Check| {};
        let mut at = Examination::new(&mut tell, DoctorLimits::default());
        let open = Good::new("not known", 7).left_open();
        let open = open.better(Some("grant it".to_owned()));
        assert_eq!(at.look("x", async { Ok(open) }).await, Some(7));
        let report = at.report();
        assert_eq!(report.checks[0].outcome, Outcome::Unknown);
        assert_eq!(report.todo(), ["grant it"]);
        assert_eq!((report.is_well, report.exit_code()), (true, 0));
    }
}
