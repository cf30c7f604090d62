//! B2, VTC: refund vouchers that the shop has cancelled in the month and the ledger has not booked yet.
//!
//! Bridge = −Σ remaining amount of valid refund vouchers that became inactive in the month and whose key no cancellation
//! of the ledger has. Unbooked ones of earlier months are listed with their age and explain nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};
use polars::prelude::{Expr, IntoLazy as _, col, lit};
use serde::{Deserialize, Serialize};

use super::candidates::{Candidate, Wanted, candidates};
use super::{ListedRow, add};
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::vouchers::VoucherRules;
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::audit::{JoinAudit, Side, audit};
use crate::kernels::reconcile::cells::{COMPANY, code, grouped, key, units};
use crate::kernels::reconcile::filter::{Condition, Literal, Test, all};
use crate::kernels::reconcile::{ReconcileError, StagedTable, signed};
use crate::kernels::vouchers::{CATEGORY, Categorised};

/// Column of IPE_08 with the day from which a voucher is inactive.
const INACTIVE: &str = "min_inactive_date";
/// Column of IPE_08 with what is left on a voucher.
const REMAINING: &str = "remaining_amount";
/// Column of CR_03 with the amount.
const LEDGER_AMOUNT: &str = "amount";

/// What the bridge is computed from.
#[derive(Debug, Clone, Copy)]
pub struct VtcInput<'a> {
    /// Rows of IPE_08: id_company, id, business_use, is_active, to_date, min_inactive_date, remaining_amount.
    pub vouchers: &'a StagedTable,
    /// The ledger of the year up to the end of the month, with its column posting_date.
    pub ledger: &'a Categorised,
    /// The month.
    pub period: Period,
    /// What is a refund, and which categories book it.
    pub rules: &'a VoucherRules,
}

/// The bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vtc {
    /// First day of the ledger that was looked at: older cancellations cannot be judged.
    pub ledger_from: NaiveDate,
    /// What the plain join would have done.
    pub audit: JoinAudit,
    /// By company.
    pub companies: BTreeMap<String, VtcCompany>,
}

/// The bridge of one company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VtcCompany {
    /// In ledger sign: −Σ remaining amount of `rows`.
    pub amount: Amount,
    /// Vouchers of the month that are not booked, with what is left on them.
    pub rows: Vec<VtcRow>,
    /// Vouchers of the month that are booked.
    pub booked: u64,
    /// What is left on them; no part of `amount`.
    pub booked_amount: Amount,
    /// Vouchers of earlier months of the year that are not booked; no part of `amount`.
    pub carried: Vec<VtcRow>,
    /// Σ remaining amount of `carried`.
    pub carried_amount: Amount,
    /// Vouchers of earlier years, for which the ledger was not looked at.
    pub not_judged: Vec<VtcRow>,
    /// Cancellations of the ledger without a voucher's number: they book something, nobody knows what.
    pub ledger_rows_without_key: u64,
    /// Their sum, in ledger sign.
    pub ledger_amount_without_key: Amount,
    /// Vouchers that cannot be counted: no key, no amount, or a key that stands there twice.
    pub doubtful: Vec<ListedRow>,
    /// Rows that a null leaves undecided.
    pub undecided: u64,
}

/// One voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VtcRow {
    /// Voucher.
    pub key: String,
    /// What is left on it, as the shop has it.
    pub remaining: Amount,
    /// Day from which it is inactive.
    pub inactive: NaiveDate,
    /// Months from then to the month that is closed.
    pub age_months: i32,
}

/// Computes the bridge.
///
/// # Errors
/// [`ReconcileError::Column`] for a missing column. A sum beyond 38 digits.
pub fn vtc(input: VtcInput<'_>) -> Result<Vtc, ReconcileError> {
    let vouchers = &input.vouchers.frame;
    let until = input.period.next_start();
    let wanted = Wanted {
        uses: &input.rules.bridges.refund,
        conditions: vec![
            Condition::new("is_active", Test::OneOf(vec![Literal::Int(0)])),
            Condition::new("to_date", Test::AtLeast(Literal::Day(until))),
            Condition::new(INACTIVE, Test::Below(Literal::Day(until))),
        ],
        amount: REMAINING,
        day: Some(INACTIVE),
    };
    let found = candidates(vouchers, &wanted)?;
    let start = input.period.start();
    let ledger_from = start.with_month(1).unwrap_or(start);
    let booked = Booked::read(input, ledger_from)?;
    let left = Side {
        frame: &found.frame,
        key: vec![col("company"), col("key")],
    };
    let right = Side {
        frame: &booked.frame.frame,
        key: vec![
            code(&booked.frame.frame, COMPANY)?,
            key(&booked.frame.frame, "voucher_no")?,
        ],
    };
    let mut vtc = Vtc {
        ledger_from,
        audit: audit("IPE_08.id = CR_03.voucher_no", &left, &right)?,
        companies: BTreeMap::new(),
    };
    let scales = (found.scale, booked.scale);
    for (company, doubtful) in found.doubtful {
        let entry = vtc.company(company, scales);
        entry.doubtful = doubtful.rows;
        entry.undecided = doubtful.undecided;
    }
    for (company, (rows, amount)) in &booked.without_key {
        let entry = vtc.company(company.clone(), scales);
        entry.ledger_rows_without_key = *rows;
        entry.ledger_amount_without_key = *amount;
    }
    for candidate in found.rows {
        let is_booked = booked
            .keys
            .contains(&(candidate.company.clone(), candidate.key.clone()));
        let company = vtc.company(candidate.company.clone(), scales);
        company.place(candidate, is_booked, start, ledger_from)?;
    }
    Ok(vtc)
}

impl Vtc {
    fn company(&mut self, company: String, (scale, ledger_scale): (u8, u8)) -> &mut VtcCompany {
        self.companies.entry(company).or_insert_with(|| VtcCompany {
            amount: Amount::zero(scale),
            rows: Vec::new(),
            booked: 0,
            booked_amount: Amount::zero(scale),
            carried: Vec::new(),
            carried_amount: Amount::zero(scale),
            not_judged: Vec::new(),
            ledger_rows_without_key: 0,
            ledger_amount_without_key: Amount::zero(ledger_scale),
            doubtful: Vec::new(),
            undecided: 0,
        })
    }
}

impl VtcCompany {
    /// Puts a voucher where it belongs.
    fn place(
        &mut self,
        candidate: Candidate,
        is_booked: bool,
        start: NaiveDate,
        ledger_from: NaiveDate,
    ) -> Result<(), ReconcileError> {
        let Candidate { key, amount, .. } = candidate;
        // The condition on this date has no null left.
        let Some(inactive) = candidate.day else {
            let amount = Some(amount);
            self.doubtful.push(ListedRow { key, amount });
            return Ok(());
        };
        let month = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0);
        let row = VtcRow {
            key,
            remaining: amount,
            inactive,
            age_months: month(start) - month(inactive),
        };
        if inactive >= start && is_booked {
            self.booked += 1;
            add(&mut self.booked_amount, amount, REMAINING)?;
        } else if inactive >= start {
            let opposite = signed(amount, true).map_err(ReconcileError::summing(REMAINING))?;
            add(&mut self.amount, opposite, REMAINING)?;
            self.rows.push(row);
        } else if inactive < ledger_from {
            self.not_judged.push(row);
        } else if !is_booked {
            add(&mut self.carried_amount, amount, REMAINING)?;
            self.carried.push(row);
        }
        Ok(())
    }
}

/// What the ledger has booked.
struct Booked {
    frame: StagedTable,
    scale: u8,
    keys: BTreeSet<(String, String)>,
    without_key: BTreeMap<String, (u64, Amount)>,
}

impl Booked {
    fn read(input: VtcInput<'_>, from: NaiveDate) -> Result<Self, ReconcileError> {
        let ledger = &input.ledger.table.frame;
        let until = input.period.next_start();
        let posted = all(
            &[
                Condition::new("posting_date", Test::AtLeast(Literal::Day(from))),
                Condition::new("posting_date", Test::Below(Literal::Day(until))),
            ],
            ledger,
        )?;
        let begins = input.rules.bridges.booked.iter();
        let begins = begins.map(|begin| col(CATEGORY).str().starts_with(lit(begin.as_str())));
        let books = begins.reduce(Expr::or).unwrap_or_else(|| lit(false));
        let doing = || "choosing cancellations of the ledger".to_owned();
        let frame = guarded(doing, || {
            ledger.clone().lazy().filter(posted.and(books)).collect()
        })?;
        let parts = [code(&frame, COMPANY)?, key(&frame, "voucher_no")?];
        let mut booked = Self {
            scale: units(&frame, LEDGER_AMOUNT)?.scale,
            keys: BTreeSet::new(),
            without_key: BTreeMap::new(),
            frame: StagedTable { frame },
        };
        for group in grouped(&booked.frame.frame, &parts, LEDGER_AMOUNT)? {
            match group.keys.as_slice() {
                [Some(company), Some(key)] => {
                    booked.keys.insert((company.clone(), key.clone()));
                }
                [company, ..] => {
                    let company = company.clone().unwrap_or_default();
                    booked
                        .without_key
                        .insert(company, (group.rows, group.amount));
                }
                [] => {}
            }
        }
        Ok(booked)
    }
}

#[cfg(test)]
#[path = "vtc_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "vtc_properties.rs"]
mod properties;
