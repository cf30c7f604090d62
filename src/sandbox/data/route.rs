//! Where an entry goes, and the numbers under which it is found there.

use crate::sandbox::data::chart::{BANK, REVENUE, posting_group};
use crate::sandbox::data::events::{Entry, Kind};

/// Where an entry goes beside the customer ledger.
pub(super) struct Route {
    /// Account and balancing account in the general ledger, as positions in `ACCOUNTS`.
    pub(super) accounts: Option<[usize; 2]>,
    /// Day on which it was entered.
    pub(super) created_day: i64,
}

impl Route {
    /// The route of an event: both ledgers, on the account of the posting group, on the day itself.
    pub(super) fn of(entry: &Entry) -> Self {
        let (_, account) = posting_group(entry.group);
        let other = if entry.kind == Kind::Payment {
            BANK
        } else {
            REVENUE
        };
        Self {
            accounts: Some([account.unwrap_or(0), other]),
            created_day: entry.day,
        }
    }
}

/// Numbers and texts by which the last entry is found again.
pub(super) struct Named {
    pub(super) entry_no: i32,
    /// Of the first of two general ledger lines.
    pub(super) gl_entry_no: i32,
    pub(super) document: String,
}

/// Last numbers of the books of a company.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) entry: i32,
    pub(super) detail: i32,
    /// Of the general ledger, which takes two for every posting.
    pub(super) line: i32,
}

impl Numbers {
    /// Takes two lines of the general ledger and gives the number of the first.
    pub(super) fn take_lines(&mut self) -> i32 {
        self.line = self.line.saturating_add(2);
        self.first_line()
    }

    /// Number of the first of the two general ledger lines of the last posting.
    pub(super) fn first_line(self) -> i32 {
        self.line.saturating_sub(1)
    }
}
