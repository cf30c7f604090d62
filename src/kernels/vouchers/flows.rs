//! The roll-forward of the voucher account: what the shop issued, used, let expire and cancelled in the month beside what the
//! ledger booked in it. Flows are compared with flows; the ledger's year and the shop's stock never meet.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, Expr, IntoLazy as _, col};
use serde::{Deserialize, Serialize};

use super::expression::test;
use super::{AMOUNT, CATEGORY, Categorised, VOUCHER_TYPE};
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::vouchers::VoucherRules;
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::cells::{COMPANY, Group, code, grouped, units};
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
    /// Postings of no category that moves the account, or of none at all; the shop has nothing beside them.
    Uncategorized,
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
    /// Rows on either side without an amount or a date; they are in no sum. A row without a date may be of any month and
    /// counts in each. A voucher that says of no day that it ended was not cancelled, and is none of them.
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

/// Rows of the month, and those of which nobody knows whether they are.
struct Chosen {
    rows: DataFrame,
    undated: DataFrame,
}

impl Chosen {
    /// Rows for which it holds, and those that it leaves undecided.
    fn by(frame: &DataFrame, met: Expr, column: &str) -> Result<Self, ReconcileError> {
        let doing = || format!("choosing what is of the month by {column}");
        let part = |met: Expr| guarded(doing, || frame.clone().lazy().filter(met).collect());
        Ok(Self {
            undated: part(met.clone().is_null())?,
            rows: part(met)?,
        })
    }

    /// Groups of the month, and those of no known month: their rows are in no sum, so all of them lack an amount.
    fn grouped(&self, keys: Keys, amount: &str) -> Result<Vec<Group>, ReconcileError> {
        let mut groups = grouped(&self.rows, &keys(&self.rows)?, amount)?;
        for mut group in grouped(&self.undated, &keys(&self.undated)?, amount)? {
            group.without_amount = group.rows;
            group.amount = Amount::zero(group.amount.scale());
            groups.push(group);
        }
        Ok(groups)
    }
}

/// What rows are grouped by.
type Keys = fn(&DataFrame) -> Result<Vec<Expr>, ReconcileError>;

fn of_shop(rows: &DataFrame) -> Result<Vec<Expr>, ReconcileError> {
    Ok(vec![code(rows, COMPANY)?, code(rows, "business_use")?])
}

fn of_ledger(rows: &DataFrame) -> Result<Vec<Expr>, ReconcileError> {
    Ok(vec![code(rows, COMPANY)?, col(CATEGORY), col(VOUCHER_TYPE)])
}

/// Rows that are dated in the month by a column.
fn in_month(frame: &DataFrame, column: &str, period: Period) -> Result<Chosen, ReconcileError> {
    let dated = |test| Condition::new(column, test);
    let met = all(
        &[
            dated(Test::AtLeast(Literal::Day(period.start()))),
            dated(Test::Below(Literal::Day(period.next_start()))),
        ],
        frame,
    )?;
    Chosen::by(frame, met, column)
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
        let mut rows = in_month(issued, date, input.period)?;
        // What was never ended has no such day.
        if flow == Flow::Cancellation {
            rows.undated = rows.undated.head(Some(0));
        }
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
    let rows = Chosen::by(used, met, "delivery_mth")?;
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
    rows: &Chosen,
    (flow, negative): (Flow, bool),
    amount: &str,
    rules: &VoucherRules,
) -> Result<(), ReconcileError> {
    for group in rows.grouped(of_shop, amount)? {
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

/// What the ledger booked on the account in the month: a liability grows by a credit.
fn ledger(input: FlowInput<'_>) -> Result<Sides, ReconcileError> {
    let frame = &input.ledger.table.frame;
    let account = test(frame, &input.rules.account)?;
    let doing = || "filtering the voucher account".to_owned();
    let frame = guarded(doing, || frame.clone().lazy().filter(account).collect())?;
    let rows = in_month(&frame, "posting_date", input.period)?;
    let scale = units(&frame, AMOUNT)?.scale;
    let mut sides = Sides::new();
    for group in rows.grouped(of_ledger, AMOUNT)? {
        let mut keys = group.keys.into_iter();
        let company = keys.next().flatten().unwrap_or_default();
        let flow = match keys.next().flatten().as_deref() {
            Some("Issuance") => Flow::Issuance,
            Some("Usage") => Flow::Usage,
            Some("Expired") => Flow::Expiry,
            Some("Cancellation" | "VTC") => Flow::Cancellation,
            _ => Flow::Uncategorized,
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
