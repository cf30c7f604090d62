//! What happened in a company: invoices, credit memos and payments, with their later applications, drawn from a seed.
//!
//! The only source of both ledgers: `ledger` posts each [`Entry`] to the customer ledger and to the general ledger.
//! Draws nothing from the clock; never touches Arrow.

use chrono::{Days, NaiveDate};

use crate::sandbox::data::chart::{
    BUSLINES, CURRENCIES, Company, NEXT_START, POSTING_GROUPS, START,
};
use crate::sandbox::data::rng::Rng;

/// 10^20: one unit of currency in the scale of `decimal(38,20)`.
pub(super) const UNIT: i128 = 100_000_000_000_000_000_000;
/// One hundredth of a unit.
const CENT: i128 = UNIT / 100;
/// Microseconds of a day.
pub(super) const DAY_US: i64 = 86_400_000_000;

/// Kinds of customer ledger entries, in NAV's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoice,
    CreditMemo,
    Payment,
    /// A line of the general journal: it has no customer.
    Journal,
}

/// One movement of a detailed ledger entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Movement {
    /// False for the initial entry.
    pub(super) application: bool,
    /// Days since 1970.
    pub(super) day: i64,
    pub(super) amount: i128,
    pub(super) amount_lcy: i128,
}

/// One customer ledger entry with everything that was posted to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Days since 1970.
    pub(super) day: i64,
    pub(super) due_day: i64,
    pub(super) customer: u64,
    /// Index into [`POSTING_GROUPS`].
    pub(super) group: usize,
    /// Index into [`BUSLINES`].
    pub(super) busline: usize,
    /// Index into `PARTNERS`.
    pub(super) partner: usize,
    /// Index into [`CURRENCIES`].
    pub(super) currency: usize,
    /// Initial amount and at most one application.
    pub(super) initial: Movement,
    pub(super) application: Option<Movement>,
    /// Any number, for decorations.
    pub(super) dice: u64,
}

impl Entry {
    /// Day on which nothing was left open, if it came.
    pub(super) fn closed_day(&self) -> Option<i64> {
        let application = self.application?;
        (application.amount_lcy + self.initial.amount_lcy == 0).then_some(application.day)
    }
}

/// What one unit of business leaves behind.
#[derive(Clone, Copy)]
enum Plan {
    /// One entry, open.
    Open,
    /// An open invoice and the closed payment of a part of it.
    Partial,
    /// An invoice open at the cutoff and paid in full after it.
    Late,
    /// An invoice and its payment, both closed before the cutoff.
    Closed,
    /// One entry posted after the cutoff.
    Future,
}

/// Of twenty units seventeen leave one entry open at the cutoff; together they make 24 entries.
const PLANS: [Plan; 20] = [
    Plan::Open,
    Plan::Open,
    Plan::Open,
    Plan::Closed,
    Plan::Open,
    Plan::Open,
    Plan::Open,
    Plan::Partial,
    Plan::Open,
    Plan::Open,
    Plan::Open,
    Plan::Open,
    Plan::Late,
    Plan::Open,
    Plan::Open,
    Plan::Closed,
    Plan::Open,
    Plan::Open,
    Plan::Future,
    Plan::Open,
];

const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(1970, 1, 1);

/// Days since 1970 of a calendar day; 0 for an impossible one.
pub(super) const fn day_number((year, month, day): (i32, u32, u32)) -> i64 {
    match (NaiveDate::from_ymd_opt(year, month, day), EPOCH) {
        (Some(date), Some(epoch)) => date.signed_duration_since(epoch).num_days(),
        _ => 0,
    }
}

/// The calendar day of a number of days since 1970.
pub(super) fn calendar(day: i64) -> NaiveDate {
    let days = u64::try_from(day).unwrap_or(0);
    NaiveDate::default()
        .checked_add_days(Days::new(days))
        .unwrap_or_default()
}

/// Draws the entries of one company until `open` of them are open at the cutoff.
#[derive(Debug)]
pub(super) struct Events {
    rng: Rng,
    /// Open entries still to make.
    left: u64,
    open: u64,
    unit: u64,
    customers: u64,
    rate: i128,
    first_day: i64,
    cutoff: i64,
}

impl Events {
    pub(super) fn new(company: &Company, seed: u64, stream: u64, open: u64) -> Self {
        Self {
            rng: Rng::new(seed, stream),
            left: open,
            open,
            unit: 0,
            customers: customers_of(open),
            rate: i128::from(company.rate_hundredths),
            first_day: day_number((2021, 1, 4)),
            cutoff: day_number(NEXT_START),
        }
    }

    /// Customers that the company has; entries know them by their positions.
    pub(super) fn customers(&self) -> u64 {
        self.customers
    }

    /// The entries of the next unit of business, or `None` at the end; a payment comes after its invoice.
    pub(super) fn next_unit(&mut self) -> Option<(Entry, Option<Entry>)> {
        if self.left == 0 {
            return None;
        }
        let slot = usize::try_from(self.unit % 20).unwrap_or(0);
        let plan = PLANS.get(slot).copied().unwrap_or(Plan::Open);
        self.unit += 1;
        let mut entry = self.draw();
        match plan {
            Plan::Open => {}
            Plan::Future => {
                let later = i64::try_from(self.rng.below(19)).unwrap_or(0);
                self.move_to(&mut entry, self.cutoff + later);
                return Some((entry, None));
            }
            Plan::Partial | Plan::Late | Plan::Closed => {
                let payment = self.pay(&mut entry, plan);
                if !matches!(plan, Plan::Closed) {
                    self.left -= 1;
                }
                return Some((entry, Some(payment)));
            }
        }
        self.left -= 1;
        Some((entry, None))
    }

    /// One more entry, posted on the last day before the cutoff and open.
    pub(super) fn late_entry(&mut self) -> Entry {
        let mut entry = self.draw();
        let last_day = self.cutoff - 1;
        self.move_to(&mut entry, last_day);
        entry
    }

    /// Days in which the company's history is spread; entries come nearly in the order of their dates. The last open one is
    /// of the last days, however few there are: a company without an entry of the month would be a stale source.
    fn draw(&mut self) -> Entry {
        let span = u64::try_from(self.cutoff - self.first_day - 12).unwrap_or(1);
        let done = self.open - self.left;
        let base = match self.left {
            0 | 1 => span,
            _ => span.saturating_mul(done) / self.open,
        };
        let day = self.first_day + i64::try_from(base + self.rng.below(12)).unwrap_or(0);
        let dice = self.rng.next();
        let group = self.rng.index(POSTING_GROUPS.len());
        let currency = if self.rng.percent(6) {
            1 + self.rng.index(CURRENCIES.len() - 1)
        } else {
            0
        };
        let kind = match dice % 100 {
            0..=7 => Kind::CreditMemo,
            8..=10 => Kind::Payment,
            _ => Kind::Invoice,
        };
        let (amount, amount_lcy) = self.money(currency);
        let sign = if kind == Kind::Invoice { 1 } else { -1 };
        let initial = Movement {
            application: false,
            day,
            amount: sign * amount,
            amount_lcy: sign * amount_lcy,
        };
        let terms = if group.is_multiple_of(3) { 0 } else { 30 };
        Entry {
            kind,
            day,
            due_day: day + terms,
            customer: self.rng.below(self.customers),
            group,
            busline: self.rng.index(BUSLINES.len()),
            partner: usize::from(dice.is_multiple_of(11)) + usize::from(dice.is_multiple_of(33)),
            currency,
            initial,
            application: None,
            dice,
        }
    }

    /// A positive amount in the entry's currency and in local currency.
    ///
    /// Most have two decimals; one in eight has up to twenty (a discount shared out over items).
    fn money(&mut self, currency: usize) -> (i128, i128) {
        let magnitude = 10_u64.saturating_pow(u32::try_from(self.rng.below(4)).unwrap_or(0));
        let dollars_hundredths = 1 + self.rng.below(900 * magnitude);
        let mut amount = i128::from(dollars_hundredths) * CENT;
        if self.rng.percent(12) {
            amount = amount / 7 * 3 + 1;
        }
        let dollar = CURRENCIES
            .get(currency)
            .map_or(0, |(_, dollar)| i128::from(*dollar));
        if dollar == 0 {
            // The local currency: scaled by its rate, kept at two decimals unless it was shared out.
            let lcy = if amount % CENT == 0 {
                amount / CENT * self.rate / 100 * CENT + CENT
            } else {
                amount * self.rate / 100
            };
            return (lcy, lcy);
        }
        (amount, amount * dollar * self.rate / 10_000)
    }

    fn move_to(&self, entry: &mut Entry, day: i64) {
        entry.due_day += day - entry.day;
        entry.day = day;
        entry.initial.day = day;
    }

    /// Makes `invoice` an invoice with a payment as the plan says, and gives the payment's own entry.
    fn pay(&mut self, invoice: &mut Entry, plan: Plan) -> Entry {
        invoice.kind = Kind::Invoice;
        invoice.initial.amount = invoice.initial.amount.abs();
        invoice.initial.amount_lcy = invoice.initial.amount_lcy.abs();
        let later = i64::try_from(self.rng.below(45)).unwrap_or(0);
        let day = match plan {
            Plan::Late => self.cutoff + later % 20,
            _ => (invoice.day + later).min(self.cutoff - 1),
        };
        let (amount, amount_lcy) = match plan {
            Plan::Partial => (invoice.initial.amount / 3, invoice.initial.amount_lcy / 3),
            _ => (invoice.initial.amount, invoice.initial.amount_lcy),
        };
        let paid = Movement {
            application: true,
            day,
            amount: -amount,
            amount_lcy: -amount_lcy,
        };
        invoice.application = Some(paid);
        let mut payment = *invoice;
        payment.kind = Kind::Payment;
        payment.day = day;
        payment.due_day = day;
        payment.initial = Movement {
            application: false,
            ..paid
        };
        payment.application = Some(Movement {
            amount,
            amount_lcy,
            ..paid
        });
        payment
    }
}

/// Customers of a company with that many open entries.
pub(super) fn customers_of(open: u64) -> u64 {
    (open / 12).clamp(5, 400_000)
}

/// The two month ends for which balances are kept, as the first day after them.
pub(super) fn closings() -> [i64; 2] {
    [day_number(START), day_number(NEXT_START)]
}
