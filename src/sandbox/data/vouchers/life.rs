//! What happens to a voucher: issued, used in the shop, delivered, expired, cancelled. Values only; `draw` makes them,
//! `rows` and `postings` write them down.

use crate::sandbox::data::chart::{NEXT_START, START};
use crate::sandbox::data::events::{DAY_US, day_number};

/// First microsecond after the month that is closed.
pub(in crate::sandbox::data) const CUTOFF: i64 = day_number(NEXT_START) * DAY_US;
/// First microsecond of that month.
pub(super) const OPENING: i64 = day_number(START) * DAY_US;
/// First microsecond of the ledger: what was issued before is in no book of it.
pub(super) const LEDGER_BEGINS: i64 = day_number((2021, 1, 1)) * DAY_US;
/// Last microsecond that the ledger's postings reach.
pub(super) const LEDGER_ENDS: i64 = CUTOFF + 20 * DAY_US;
/// The last tick of `datetime` before a midnight, as a distance to it.
pub(super) const LAST_TICK: i64 = 3_000;
/// Smallest unit of the shop's money in units of the ledger's.
pub(super) const TO_LEDGER: i128 = 10_000_000_000_000_000;

/// What a voucher is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::data) enum BusinessUse {
    Refund,
    Apology,
    JForce,
    StoreCredit,
    /// Credit of the payment service, with the beginning of its code.
    Pay(&'static str),
    /// No liability: it never reaches the ledger.
    Marketing,
    /// The shop does not say; no liability either.
    Unsaid,
}

impl BusinessUse {
    /// The shop's word.
    pub(super) fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Refund => "refund",
            Self::Apology => "apology_v2",
            Self::JForce => "jforce",
            Self::StoreCredit => "store_credit",
            Self::Pay(_) => "jpay_store_credit",
            Self::Marketing => "marketing",
            Self::Unsaid => return None,
        })
    }

    /// How its codes begin.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Refund => "RF",
            Self::Apology => "CG",
            Self::JForce => "JF",
            Self::StoreCredit => "SC",
            Self::Pay(prefix) => prefix,
            Self::Marketing | Self::Unsaid => "MK",
        }
    }

    /// Whether the company owes it to somebody.
    pub(super) fn is_liability(self) -> bool {
        !matches!(self, Self::Marketing | Self::Unsaid)
    }
}

/// One order item that was paid with a voucher. Times are in microseconds, money in 10^-4.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Use {
    pub(in crate::sandbox::data) ordered: i64,
    /// `None` while it is on its way.
    pub(in crate::sandbox::data) delivered: Option<i64>,
    pub(in crate::sandbox::data) amount: i64,
    /// As a coupon, which takes its amount off the shipping fee.
    pub(in crate::sandbox::data) is_coupon: bool,
}

/// Who ended a voucher before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::data) enum EndedBy {
    Voucher,
    /// With all others of its template.
    Template,
}

/// A voucher and everything that happens to it. Times are in microseconds, money in 10^-4 of the local currency.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Life {
    pub(in crate::sandbox::data) usage: BusinessUse,
    pub(in crate::sandbox::data) amount: i64,
    pub(in crate::sandbox::data) created: i64,
    /// First moment at which it is not valid any more.
    pub(in crate::sandbox::data) to: i64,
    pub(in crate::sandbox::data) uses: [Option<Use>; 2],
    pub(in crate::sandbox::data) ended: Option<(i64, EndedBy)>,
}

/// A voucher with its names.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Voucher<'a> {
    /// Number, which the ledger knows too.
    pub(in crate::sandbox::data) id: &'a str,
    /// What the customer types in.
    pub(in crate::sandbox::data) code: &'a str,
    pub(in crate::sandbox::data) life: Life,
}

/// What a voucher is at a moment.
pub(super) struct State {
    pub(super) used: i64,
    pub(super) times: i32,
    pub(super) last_used: Option<i64>,
    pub(super) ended: Option<(i64, EndedBy)>,
    /// Nothing where the shop does not say.
    pub(super) is_active: Option<u8>,
}

impl Life {
    /// Orders that it paid, by the time of the order.
    pub(super) fn uses(&self) -> impl Iterator<Item = &Use> {
        self.uses.iter().flatten()
    }

    /// What was delivered before a moment.
    pub(super) fn delivered_before(&self, moment: i64) -> i64 {
        let delivered = |one: &&Use| one.delivered.is_some_and(|at| at < moment);
        self.uses().filter(delivered).map(|one| one.amount).sum()
    }

    /// How the shop sees it at a moment.
    pub(super) fn at(&self, moment: i64) -> State {
        let mut state = State {
            used: 0,
            times: 0,
            last_used: None,
            ended: self.ended.filter(|(at, _)| *at < moment),
            is_active: Some(1),
        };
        for one in self.uses().filter(|one| one.ordered < moment) {
            state.used += one.amount;
            state.times += 1;
            state.last_used = Some(one.ordered);
        }
        let by_template = matches!(state.ended, Some((_, EndedBy::Template)));
        if by_template && self.usage == BusinessUse::Marketing {
            state.is_active = None;
        } else if state.ended.is_some() || state.used == self.amount {
            state.is_active = Some(0);
        }
        state
    }

    /// Whether the ledger has it.
    pub(super) fn is_booked(&self) -> bool {
        self.usage.is_liability() && self.created >= LEDGER_BEGINS
    }
}
