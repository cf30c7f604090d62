//! The words in which plants are written down: what is changed, and what must come of it. Constants and arithmetic on
//! them only; nothing here reads a table.

use crate::domain::plant::PlantProfile;
use crate::sandbox::data::chart::REVENUE;
use crate::sandbox::data::documents::Document;
use crate::sandbox::data::events::{Kind, UNIT, day_number};
use crate::sandbox::data::rates::RateChange;
use crate::sandbox::data::systems::SourceRows;

/// Who enters what is planted.
pub(super) const USER: &str = "JUMIA\\A.DIALLO";
/// The text of what is planted.
pub(super) const DESCRIPTION: &str = "Manual correction";
/// A day in the middle of the month.
const ORDINARY: Day = (2024, 4, 17);

/// A calendar day.
pub(super) type Day = (i32, u32, u32);

/// One planted difference.
pub(super) struct Plant {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) profile: PlantProfile,
    pub(super) changes: &'static [Change],
    pub(super) effects: &'static [Effect],
    /// What the control must say of it.
    pub(super) expected: &'static str,
    /// What the stand-in's tables cannot hold of it, or hold in another form; empty where they hold all.
    pub(super) note: &'static str,
}

/// One change of the tables.
pub(super) enum Change {
    Post(Line),
    /// A document that only the general ledger of a company has.
    Document(&'static str, Document<'static>),
    /// Rows of another system of a company.
    Rows(&'static str, &'static dyn SourceRows),
    Rates(RateChange),
    /// A row of the shop's list of used vouchers, which is no table: the key names it.
    Jdash(JdashRow),
    /// A company has no row of collections, and none of their postings.
    Silent(&'static str),
    /// The last balances of a company were refreshed on that day.
    Refreshed(&'static str, Day),
}

/// What the shop's list says was used of a voucher.
pub(super) struct JdashRow {
    pub(super) company: &'static str,
    pub(super) voucher_id: &'static str,
    /// In 10^-20 of the local currency.
    pub(super) amount: i128,
}

/// The books that an entry goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ledgers {
    Both,
    CustomerOnly,
}

/// One entry.
pub(super) struct Line {
    pub(super) company: &'static str,
    pub(super) ledgers: Ledgers,
    pub(super) kind: Kind,
    /// Position in `POSTING_GROUPS`, or beyond it.
    pub(super) group: usize,
    /// Position in `ACCOUNTS`.
    pub(super) account: usize,
    /// Position in `CURRENCIES`.
    pub(super) currency: usize,
    /// In 10^-20 of the currency.
    pub(super) amount: i128,
    pub(super) amount_lcy: i128,
    pub(super) day: Day,
    pub(super) created: Day,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    /// Balance of CR_04 less open customer entries, by company and group account; in scope.
    Variance,
    /// Balance of CR_04 less the target of a line that is not split by account, by company and line.
    Line,
    /// What a bridge explains of its line, by company and bridge.
    Bridge,
    /// A variance in a company outside the consolidation scope.
    NotCovered,
    /// Open customer entries whose posting group has no account, by company and posting group.
    WithoutAccount,
    /// Entries dated before the month and created in it or later, by company and group account.
    LatePosting,
}

/// What a plant does to a measure.
pub(super) struct Effect {
    pub(super) measure: Measure,
    pub(super) company: &'static str,
    /// Group account, posting group, line, or bridge.
    pub(super) at: &'static str,
    /// In 10^-20 of the local currency, debit positive.
    pub(super) amount: i128,
    /// The same in US dollars as a report shows it; `None` where there is no rate or nothing to show.
    pub(super) usd: Option<&'static str>,
}

/// Hundredths as an amount.
pub(super) const fn cents(hundredths: i128) -> i128 {
    hundredths * (UNIT / 100)
}

/// An entry of an ordinary day of the month in the company's own currency.
pub(super) const fn line(
    company: &'static str,
    ledgers: Ledgers,
    (account, group): (usize, usize),
    amount: i128,
) -> Line {
    let kind = if amount < 0 {
        Kind::CreditMemo
    } else {
        Kind::Invoice
    };
    Line {
        company,
        ledgers,
        kind,
        group,
        account,
        currency: 0,
        amount,
        amount_lcy: amount,
        day: ORDINARY,
        created: ORDINARY,
    }
}

/// A line of the general journal against revenue, on an ordinary day of the month.
pub(super) const fn journal(company: &'static str, account: usize, amount: i128) -> Change {
    Change::Document(
        company,
        Document {
            kind: Kind::Journal,
            day: day_number(ORDINARY),
            created_day: day_number(ORDINARY),
            accounts: [account, REVENUE],
            amount,
            number: "",
            external: None,
            voucher: None,
            description: DESCRIPTION,
            user: USER,
        },
    )
}

/// A variance.
pub(super) const fn variance(
    company: &'static str,
    account: &'static str,
    amount: i128,
    usd: &'static str,
) -> Effect {
    Effect {
        measure: Measure::Variance,
        company,
        at: account,
        amount,
        usd: Some(usd),
    }
}

/// A variance of a line that is not split by account.
pub(super) const fn on_line(
    company: &'static str,
    line: &'static str,
    amount: i128,
    usd: &'static str,
) -> Effect {
    Effect {
        measure: Measure::Line,
        ..variance(company, line, amount, usd)
    }
}
