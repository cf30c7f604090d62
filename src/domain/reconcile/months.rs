//! The log of a month: closed, opened again, what people said of exceptions, who signed. Records are appended and never
//! edited; each names the one before it by its hash, so that none can be taken out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::statement::{Disposition, MonthState, SignOff};
use crate::domain::ids::RunId;
use crate::domain::run::FinalMark;

/// What happened to a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MonthEvent {
    /// Somebody closed it with a judged run.
    Closed {
        /// The run whose judgement is final.
        run_id: RunId,
        /// SHA-256 of the manifest of its sealed judgement, in hex.
        manifest_sha256: String,
        /// Who.
        by: String,
    },
    /// It was opened again.
    Reopened {
        /// Why.
        reason: String,
        /// Ticket in which that was asked for.
        ticket: String,
        /// Who approved: not the person who closed.
        approver: String,
        /// Who did it.
        by: String,
    },
    /// Somebody said what becomes of an exception.
    Disposed(Disposition),
    /// Somebody signed a run.
    Signed(SignOff),
}

impl MonthEvent {
    /// What of it says nothing, though somebody must answer for it.
    fn blank(&self) -> Option<&'static str> {
        let said: Vec<(&str, &String)> = match self {
            Self::Closed { by, .. } => vec![("--by", by)],
            Self::Reopened {
                reason,
                ticket,
                approver,
                by,
            } => vec![
                ("--reason", reason),
                ("--ticket", ticket),
                ("--approver", approver),
                ("--by", by),
            ],
            Self::Disposed(said) => vec![("--text", &said.text), ("--by", &said.by)],
            Self::Signed(signed) => vec![("--by", &signed.by)],
        };
        let mut said = said.into_iter();
        said.find(|(_, text)| text.trim().is_empty())
            .map(|(name, _)| name)
    }
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthRecord {
    /// From 1, without gaps.
    pub number: u32,
    /// SHA-256 of the record before, in hex; `None` for the first.
    pub after: Option<String>,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Kind and name of the account at Google that wrote it; `None` where the log does not lie there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What happened.
    pub event: MonthEvent,
}

/// The records of a month in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthLog {
    /// The records.
    pub records: Vec<MonthRecord>,
}

impl MonthLog {
    /// Who closed the month, when and with which run, if it is closed now.
    #[must_use]
    pub fn closed(&self) -> Option<FinalMark> {
        let mut closed = None;
        for record in &self.records {
            match &record.event {
                MonthEvent::Closed { run_id, by, .. } => {
                    closed = Some(FinalMark {
                        run_id: run_id.clone(),
                        at: record.at,
                        by: by.clone(),
                    });
                }
                MonthEvent::Reopened { .. } => closed = None,
                MonthEvent::Disposed(_) | MonthEvent::Signed(_) => {}
            }
        }
        closed
    }

    /// Runs with which the month was closed, also those that are final no more; the last is the newest.
    pub fn closings(&self) -> impl DoubleEndedIterator<Item = (&RunId, &str)> {
        self.records
            .iter()
            .filter_map(|record| match &record.event {
                MonthEvent::Closed {
                    run_id,
                    manifest_sha256,
                    ..
                } => Some((run_id, manifest_sha256.as_str())),
                _ => None,
            })
    }

    /// How far the closing has come.
    #[must_use]
    pub fn state(&self) -> MonthState {
        if self.closed().is_none() {
            return MonthState::Preliminary;
        }
        let runs: Vec<&RunId> = self.closings().map(|(run, _)| run).collect();
        let before = runs.len().checked_sub(2).and_then(|place| runs.get(place));
        MonthState::Final {
            number: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            supersedes: before.map(|run| (*run).clone()),
        }
    }

    /// What people said of exceptions, in their order.
    #[must_use]
    pub fn dispositions(&self) -> Vec<Disposition> {
        let said = self
            .records
            .iter()
            .filter_map(|record| match &record.event {
                MonthEvent::Disposed(said) => Some(said.clone()),
                _ => None,
            });
        said.collect()
    }

    /// Who signed, in their order.
    #[must_use]
    pub fn sign_offs(&self) -> Vec<SignOff> {
        let signed = self
            .records
            .iter()
            .filter_map(|record| match &record.event {
                MonthEvent::Signed(signed) => Some(signed.clone()),
                _ => None,
            });
        signed.collect()
    }

    /// Why this event may not happen now; `None` when it may.
    #[must_use]
    pub fn refuses(&self, event: &MonthEvent) -> Option<String> {
        if let Some(blank) = event.blank() {
            return Some(format!("{blank} is empty; it must say something"));
        }
        let closed = self.closed();
        match (event, closed) {
            (MonthEvent::Closed { .. }, Some(mark)) => Some(format!(
                "the month is final: {} closed it on {} with run {}",
                mark.by,
                mark.at.format("%Y-%m-%d %H:%M UTC"),
                mark.run_id
            )),
            (MonthEvent::Reopened { .. }, None) => Some("the month is not closed".to_owned()),
            (MonthEvent::Reopened { approver, .. }, Some(mark)) if is_same(approver, &mark.by) => {
                Some(format!(
                    "{approver} closed the month; somebody else must approve that it is opened again"
                ))
            }
            (MonthEvent::Disposed(_), Some(_)) => {
                Some("the month is final; open it again to say something else".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether two names are of one person, in whatever case and blanks.
fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u64) -> RunId {
        RunId::new(DateTime::UNIX_EPOCH, u32::try_from(number).unwrap())
    }

    fn log(events: Vec<MonthEvent>) -> MonthLog {
        let records = events
            .into_iter()
            .zip(1..)
            .map(|(event, number)| MonthRecord {
                number,
                after: None,
                at: DateTime::UNIX_EPOCH,
                account: None,
                event,
            });
        MonthLog {
            records: records.collect(),
        }
    }

    fn closed(number: u64, by: &str) -> MonthEvent {
        MonthEvent::Closed {
            run_id: run(number),
            manifest_sha256: String::new(),
            by: by.to_owned(),
        }
    }

    fn reopened(approver: &str) -> MonthEvent {
        MonthEvent::Reopened {
            reason: "an invoice".to_owned(),
            ticket: "FIN-1".to_owned(),
            approver: approver.to_owned(),
            by: "clerk".to_owned(),
        }
    }

    #[test]
    fn a_month_that_is_opened_again_gets_the_next_number() {
        assert_eq!(log(vec![]).state(), MonthState::Preliminary);
        let once = log(vec![closed(1, "A")]);
        let number = |number, supersedes| MonthState::Final { number, supersedes };
        assert_eq!(once.state(), number(1, None));
        let open = log(vec![closed(1, "A"), reopened("B")]);
        assert_eq!(open.state(), MonthState::Preliminary);
        assert_eq!(open.closed(), None);
        let again = log(vec![closed(1, "A"), reopened("B"), closed(2, "A")]);
        assert_eq!(again.state(), number(2, Some(run(1))));
        assert_eq!(again.closed().unwrap().run_id, run(2));
        assert_eq!(again.closings().count(), 2, "the first stays readable");
    }

    #[test]
    fn what_may_not_happen_is_refused_with_the_reason() {
        let once = log(vec![closed(1, "A. Mwangi")]);
        let why = |event| once.refuses(&event).unwrap_or_default();
        assert!(why(closed(2, "B")).contains("A. Mwangi closed it on 1970-01-01"));
        assert!(why(reopened(" a. mwangi")).contains("somebody else must approve"));
        assert_eq!(why(reopened("B. Diallo")), "");
        assert!(why(reopened(" ")).contains("--approver is empty"));
        assert!(log(vec![]).refuses(&closed(1, "")).is_some());
        let open = log(vec![]);
        assert_eq!(
            open.refuses(&reopened("B")).unwrap(),
            "the month is not closed"
        );
        assert_eq!(open.refuses(&closed(1, "A")), None);
    }
}
