//! The running numbers of a company against those that last month's package counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::RunId;
use super::period::Period;
use super::run::RunState;

/// The running numbers of one company, then and now.
///
/// # Units
/// All counts are of rows between `first` and `last`, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumbersThen {
    /// Lowest number that last month's run saw.
    pub first: i64,
    /// Highest number that it saw.
    pub last: i64,
    /// Rows that it counted.
    pub rows: u64,
    /// Rows that the source has now up to last month's cutoff.
    pub still: u64,
    /// Rows that the source has now up to this month's cutoff.
    pub now: u64,
}

impl NumbersThen {
    /// Rows that last month's run counted and that the source has no more.
    #[must_use]
    pub fn disappeared(&self) -> u64 {
        self.rows.saturating_sub(self.still)
    }

    /// Numbers that no row had then.
    #[must_use]
    pub fn gaps_then(&self) -> i64 {
        self.gaps(self.rows)
    }

    /// Numbers among them that no row has now.
    #[must_use]
    pub fn gaps_now(&self) -> i64 {
        self.gaps(self.now)
    }

    fn gaps(&self, rows: u64) -> i64 {
        let span = self.last.saturating_sub(self.first).saturating_add(1);
        span.saturating_sub_unsigned(rows)
    }
}

/// What the running numbers are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousMonth {
    /// The month.
    pub period: Period,
    /// The run that counted.
    pub run_id: RunId,
    /// How far the closing of that month had come.
    pub state: RunState,
    /// SHA-256 of the package's manifest, in hex: names what was compared with.
    pub manifest_sha256: String,
    /// The numbers by company.
    pub companies: BTreeMap<String, NumbersThen>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_there_can_disappear() {
        let numbers = |still, now| NumbersThen {
            first: 11,
            last: 20,
            rows: 7,
            still,
            now,
        };
        assert_eq!(numbers(7, 9).disappeared(), 0, "later rows fill gaps");
        assert_eq!(numbers(8, 9).disappeared(), 0, "more is information");
        assert_eq!(numbers(6, 9).disappeared(), 1, "whatever else came since");
        assert_eq!(
            (numbers(7, 9).gaps_then(), numbers(7, 9).gaps_now()),
            (3, 1)
        );
    }
}
