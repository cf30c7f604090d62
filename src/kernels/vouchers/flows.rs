//! The roll-forward of the voucher account: what the shop issued, used, let expire and cancelled in the month beside what the
//! ledger booked in it. Flows are compared with flows; the ledger's year and the shop's stock never meet.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, IntoLazy as _, col};
use serde::{Deserialize, Serialize};

use super::{AMOUNT, CATEGORY, Categorised, VOUCHER_TYPE};
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::vouchers::VoucherRules;
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::cells::{COMPANY, code, grouped, units};
use crate::kernels::reconcile::filter::{Condition, Literal, Test, all};
use crate::kernels::reconcile::{ReconcileError, StagedTable, signed};

/// What moves the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Vouchers created, by what they were issued for.
    Issuance,
    /// Vouchers used in orders that were delivered.
    Usage,
    /// What was left on vouchers that expired.
    Expiry,
    /// What was left on vouchers that were cancelled or paid out.
    Cancellation,
}

/// One flow of one kind of voucher in a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowCell {
    /// Company code.
    pub company: String,
    /// What moves the account.
    pub flow: Flow,
    /// Kind of voucher, under the one name of both systems.
    pub label: String,
    /// What the shop says, as a movement of the liability: issued above zero, everything else below.
    pub shop: Amount,
    /// What the ledger booked, likewise.
    pub ledger: Amount,
    /// Ledger minus shop.
    pub difference: Amount,
    /// Rows on either side without an amount or a date; they are in no sum.
    pub rows_left_out: u64,
}

/// What the flows are made from.
#[derive(Debug, Clone, Copy)]
pub struct FlowInput<'a> {
    /// Rows of IPE_08: id_company, business_use, created_at, to_date, voucher_inactive_date, discount_amount,
    /// remaining_amount.
    pub issued: &'a StagedTable,
    /// Rows of IPE_08_USAGE: id_company, business_use, delivery_mth (YYYYMM), totalamountused.
    pub used: &'a StagedTable,
    /// The postings of the account with their column posting_date.
    pub ledger: &'a Categorised,
    /// The month.
    pub period: Period,
    /// Names of kinds.
    pub rules: &'a VoucherRules,
}

/// Sums of one side by company, flow and label.
type Sides = BTreeMap<(String, Flow, String), (Amount, u64)>;

/// Compares the flows of the month.
///
/// # Errors
/// [`ReconcileError::Column`] for a missing column; a sum beyond 38 digits.
pub fn flows(input: FlowInput<'_>) -> Result<Vec<FlowCell>, ReconcileError> {
    let (shop, ledger) = (shop(input)?, ledger(input)?);
    let scale = |side: &Sides| side.values().map(|(amount, _)| amount.scale()).max();
    let scale = scale(&shop).max(scale(&ledger)).unwrap_or(0);
    let mut keys: Vec<_> = shop.keys().chain(ledger.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    let at = |side: &Sides, key: &(String, Flow, String)| {
        let (amount, left) = side.get(key).copied().unwrap_or((Amount::zero(scale), 0));
        let amount = amount.rescale(scale);
        Ok::<_, ReconcileError>((amount.map_err(ReconcileError::summing(AMOUNT))?, left))
    };
    let mut cells = Vec::with_capacity(keys.len());
    for key in keys {
        let (shop, left) = at(&shop, &key)?;
        let (booked, booked_left) = at(&ledger, &key)?;
        let minus = signed(shop, true);
        let difference = minus.and_then(|minus| booked.checked_add(minus));
        let (company, flow, label) = key;
        cells.push(FlowCell {
            company,
            flow,
            label,
            shop,
            ledger: booked,
            difference: difference.map_err(ReconcileError::summing(AMOUNT))?,
            rows_left_out: left + booked_left,
        });
    }
    Ok(cells)
}

/// Rows that are dated in the month by a column.
fn in_month(frame: &DataFrame, column: &str, period: Period) -> Result<DataFrame, ReconcileError> {
    let dated = |test| Condition::new(column, test);
    let met = all(
        &[
            dated(Test::AtLeast(Literal::Day(period.start()))),
            dated(Test::Below(Literal::Day(period.next_start()))),
        ],
        frame,
    )?;
    let doing = || format!("choosing what is dated in the month by {column}");
    Ok(guarded(doing, || {
        frame.clone().lazy().filter(met).collect()
    })?)
}

fn shop(input: FlowInput<'_>) -> Result<Sides, ReconcileError> {
    let issued = &input.issued.frame;
    let mut sides = Sides::new();
    for (flow, date, amount) in [
        (Flow::Issuance, "created_at", "discount_amount"),
        (Flow::Expiry, "to_date", "remaining_amount"),
        (
            Flow::Cancellation,
            "voucher_inactive_date",
            "remaining_amount",
        ),
    ] {
        let rows = in_month(issued, date, input.period)?;
        add(
            &mut sides,
            &rows,
            (flow, flow != Flow::Issuance),
            amount,
            input.rules,
        )?;
    }
    let period = input.period.start().format("%Y%m").to_string();
    let month = period.parse().unwrap_or_default();
    let used = &input.used.frame;
    let of_month = Condition::new("delivery_mth", Test::OneOf(vec![Literal::Int(month)]));
    let met = all(&[of_month], used)?;
    let doing = || "choosing what was used in the month".to_owned();
    let rows = guarded(doing, || used.clone().lazy().filter(met).collect())?;
    add(
        &mut sides,
        &rows,
        (Flow::Usage, true),
        "totalamountused",
        input.rules,
    )?;
    Ok(sides)
}

/// Sums rows of the shop by company and kind.
fn add(
    sides: &mut Sides,
    rows: &DataFrame,
    (flow, negative): (Flow, bool),
    amount: &str,
    rules: &VoucherRules,
) -> Result<(), ReconcileError> {
    let keys = [code(rows, COMPANY)?, code(rows, "business_use")?];
    for group in grouped(rows, &keys, amount)? {
        let mut keys = group.keys.into_iter().map(Option::unwrap_or_default);
        let company = keys.next().unwrap_or_default();
        let label = rules.label(keys.next().as_deref()).to_owned();
        let sum = signed(group.amount, negative).map_err(ReconcileError::summing(amount))?;
        note(sides, (company, flow, label), sum, group.without_amount)?;
    }
    Ok(())
}

fn note(
    sides: &mut Sides,
    key: (String, Flow, String),
    amount: Amount,
    left: u64,
) -> Result<(), ReconcileError> {
    let (sum, left_out) = sides
        .entry(key)
        .or_insert((Amount::zero(amount.scale()), 0));
    let scale = sum.scale().max(amount.scale());
    let together = sum
        .rescale(scale)
        .and_then(|sum| sum.checked_add(amount.rescale(scale)?));
    *sum = together.map_err(ReconcileError::summing(AMOUNT))?;
    *left_out += left;
    Ok(())
}

/// What the ledger booked in the month: a liability grows by a credit.
fn ledger(input: FlowInput<'_>) -> Result<Sides, ReconcileError> {
    let rows = in_month(&input.ledger.table.frame, "posting_date", input.period)?;
    let scale = units(&rows, AMOUNT)?.scale;
    let keys = [code(&rows, COMPANY)?, col(CATEGORY), col(VOUCHER_TYPE)];
    let mut sides = Sides::new();
    for group in grouped(&rows, &keys, AMOUNT)? {
        let mut keys = group.keys.into_iter();
        let company = keys.next().flatten().unwrap_or_default();
        let flow = match keys.next().flatten().as_deref() {
            Some("Issuance") => Flow::Issuance,
            Some("Usage") => Flow::Usage,
            Some("Expired") => Flow::Expiry,
            Some("Cancellation" | "VTC") => Flow::Cancellation,
            _ => continue,
        };
        let label = input
            .rules
            .label(keys.next().flatten().as_deref())
            .to_owned();
        let amount = signed(group.amount, true).map_err(ReconcileError::summing(AMOUNT))?;
        let amount = amount
            .rescale(scale)
            .map_err(ReconcileError::summing(AMOUNT))?;
        note(
            &mut sides,
            (company, flow, label),
            amount,
            group.without_amount,
        )?;
    }
    Ok(sides)
}

#[cfg(test)]
#[path = "flows_tests.rs"]
mod tests;
