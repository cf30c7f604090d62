//! B1, timing: vouchers that the shop has used and whose order is not delivered, so that the ledger still owes them.
//!
//! The shop's usage (JDASH) is summed per voucher and compared with what was used in delivered orders; the difference is
//! what the ledger will book later. Inner sum = Σ(JDASH − delivered), bridge = −inner sum. What JDASH does not have is no
//! zero there: such vouchers are listed with their amounts and explain nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use polars::prelude::col;
use serde::{Deserialize, Serialize};

use super::candidates::{Candidate, Candidates, Wanted, candidates};
use super::jdash::{AMOUNT_USED, Jdash, in_time, names_company};
use super::{ListedRow, add};
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::vouchers::VoucherRules;
use crate::kernels::reconcile::audit::{JoinAudit, Side, audit};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::{ReconcileError, StagedTable, signed};

/// Column of IPE_08 with what was used in delivered orders.
const TOTAL_USED: &str = "totalamountused";

/// What the bridge is computed from.
#[derive(Debug, Clone, Copy)]
pub struct TimingInput<'a> {
    /// Rows of IPE_08: id_company, id, business_use, is_active, created_at, totalamountused.
    pub vouchers: &'a StagedTable,
    /// Rows of JDASH: voucher_id, amount_used, usage_date, and id_company where the file says it. A row without a day
    /// counts where no row has one.
    pub jdash: &'a StagedTable,
    /// The month.
    pub period: Period,
    /// What is no marketing.
    pub rules: &'a VoucherRules,
}

/// The bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// First day of creation.
    pub from: NaiveDate,
    /// First day after it.
    pub until: NaiveDate,
    /// What the plain join would have done.
    pub audit: JoinAudit,
    /// By company.
    pub companies: BTreeMap<String, TimingCompany>,
    /// What JDASH has and this bridge does not count.
    pub jdash_only: Vec<JdashOnly>,
    /// Rows of JDASH without an amount; they are in no sum.
    pub jdash_without_amount: u64,
    /// Rows without a company in a file that names companies; they are in no sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdash_without_company: Option<LeftOut>,
    /// Rows without a day in a file that says days; they are in no sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdash_without_day: Option<LeftOut>,
    /// Rows of what was used after the month; they explain nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdash_after: Option<LeftOut>,
}

/// Rows of JDASH that are in no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub rows: u64,
    /// What they come to, whatever their currencies.
    pub amount: Amount,
}

/// The bridge of one company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingCompany {
    /// In ledger sign: −Σ(JDASH − delivered) of the vouchers that JDASH has.
    pub amount: Amount,
    /// Every voucher of the window, also those that JDASH does not have.
    pub rows: Vec<TimingRow>,
    /// What was used in delivered orders of the vouchers that JDASH does not have; no part of `amount`.
    pub amount_without_jdash: Amount,
    /// Vouchers that cannot be counted: no key, no amount on either side, a key that stands there twice, an id that
    /// several companies have, or one for which JDASH names no company or no day although it names some.
    pub doubtful: Vec<ListedRow>,
    /// Rows that a null leaves undecided.
    pub undecided: u64,
}

/// One voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Voucher.
    pub key: String,
    /// What JDASH says was used; nothing where JDASH does not have it.
    pub jdash: Option<Amount>,
    /// What was used in delivered orders.
    pub delivered: Amount,
    /// What it adds to the bridge, in ledger sign: zero where JDASH does not have it.
    pub amount: Amount,
}

/// What JDASH has of a voucher and the bridge does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JdashOnly {
    /// Voucher; empty where JDASH names none.
    pub key: String,
    /// Sum of its rows.
    pub amount: Amount,
    /// Why.
    pub why: JdashOnlyWhy,
    /// Companies in which IPE_08 knows it, or that of JDASH.
    pub companies: BTreeSet<String>,
}

/// Why an amount of JDASH is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JdashOnlyWhy {
    /// IPE_08 does not have it.
    Unknown,
    /// IPE_08 has it, outside the window, active, of another use, or not countable.
    NotCandidate,
    /// IPE_08 has it in several companies and JDASH names none.
    SeveralCompanies,
    /// JDASH names companies, and none here.
    NoCompany,
}

/// Days of creation that the bridge looks at: a year up to the end of the month.
///
/// # Shape
/// First day, and the first day after.
#[must_use]
pub fn window(period: Period) -> (NaiveDate, NaiveDate) {
    let until = period.next_start();
    let from = until.checked_sub_months(Months::new(12));
    (from.unwrap_or(NaiveDate::MIN), until)
}

/// Computes the bridge.
///
/// # Errors
/// [`ReconcileError::Column`] for a missing column: a bridge that found nothing is another thing. A sum beyond 38 digits.
pub fn timing(input: TimingInput<'_>) -> Result<Timing, ReconcileError> {
    let (from, until) = window(input.period);
    let vouchers = &input.vouchers.frame;
    let wanted = Wanted {
        uses: &input.rules.bridges.non_marketing,
        conditions: vec![
            Condition::new("is_active", Test::OneOf(vec![Literal::Int(0)])),
            Condition::new("created_at", Test::AtLeast(Literal::Day(from))),
            Condition::new("created_at", Test::Below(Literal::Day(until))),
        ],
        amount: TOTAL_USED,
        day: None,
    };
    let found = candidates(vouchers, &wanted)?;
    let names_company = names_company(input.jdash)?;
    let in_time = in_time(input)?;
    let input = TimingInput {
        jdash: &in_time.kept,
        ..input
    };
    let jdash = Jdash::read(input, names_company, in_time.of_no_day)?;
    let audit = audited(&found, &jdash, input)?;
    let scale = found.scale.max(jdash.scale);
    let mut timing = Timing {
        from,
        until,
        audit,
        companies: BTreeMap::new(),
        jdash_only: Vec::new(),
        jdash_without_amount: jdash.without_amount,
        jdash_without_company: jdash.without_company,
        jdash_without_day: in_time.without_day,
        jdash_after: in_time.after,
    };
    for (company, doubtful) in found.doubtful {
        let entry = timing.company(company, scale);
        entry.doubtful = doubtful.rows;
        entry.undecided = doubtful.undecided;
    }
    let mut counted = BTreeSet::new();
    for candidate in found.rows {
        let place = jdash.place_of(&candidate);
        // What is not sure stays out of the sum on both sides.
        if jdash.is_unsure(place, &candidate.key) {
            let listed = ListedRow {
                key: candidate.key,
                amount: Some(candidate.amount),
            };
            timing
                .company(candidate.company, scale)
                .doubtful
                .push(listed);
            continue;
        }
        counted.extend(place);
        let used = place.and_then(|place| jdash.uses.get(place));
        let used = used.map(|group| group.amount);
        timing.count(candidate, used, scale)?;
    }
    timing.jdash_only = jdash.only(&counted);
    Ok(timing)
}

/// What the plain join would do.
fn audited(
    found: &Candidates,
    jdash: &Jdash,
    input: TimingInput<'_>,
) -> Result<JoinAudit, ReconcileError> {
    let right = Side {
        frame: &input.jdash.frame,
        key: jdash.key(input)?,
    };
    let mut left_key = vec![col("key")];
    if jdash.names_company {
        left_key.insert(0, col("company"));
    }
    let left = Side {
        frame: &found.frame,
        key: left_key,
    };
    audit("IPE_08.id = JDASH.voucher_id", &left, &right)
}

impl Timing {
    fn company(&mut self, company: String, scale: u8) -> &mut TimingCompany {
        self.companies
            .entry(company)
            .or_insert_with(|| TimingCompany {
                amount: Amount::zero(scale),
                rows: Vec::new(),
                amount_without_jdash: Amount::zero(scale),
                doubtful: Vec::new(),
                undecided: 0,
            })
    }

    fn count(
        &mut self,
        candidate: Candidate,
        jdash: Option<Amount>,
        scale: u8,
    ) -> Result<(), ReconcileError> {
        let delivered = candidate.amount.rescale(scale);
        let delivered = delivered.map_err(ReconcileError::summing(TOTAL_USED))?;
        let jdash = jdash.map(|jdash| jdash.rescale(scale)).transpose();
        let jdash = jdash.map_err(ReconcileError::summing(AMOUNT_USED))?;
        let company = self.company(candidate.company, scale);
        let mut amount = Amount::zero(scale);
        if let Some(jdash) = jdash {
            let opposite = signed(jdash, true);
            amount = opposite.map_err(ReconcileError::summing(AMOUNT_USED))?;
            add(&mut amount, delivered, TOTAL_USED)?;
            add(&mut company.amount, amount, AMOUNT_USED)?;
        } else {
            add(&mut company.amount_without_jdash, delivered, TOTAL_USED)?;
        }
        company.rows.push(TimingRow {
            key: candidate.key,
            jdash,
            delivered,
            amount,
        });
        Ok(())
    }
}

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
