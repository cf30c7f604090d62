//! The voucher account by company, category and label: exact sums and counts, and whether each pair may be.
//!
//! The total is a function of the cells and no cell among them, so nothing that adds the cells counts it again.

use std::collections::BTreeMap;

use polars::prelude::{IntoLazy as _, col};
use serde::{Deserialize, Serialize};

use super::expression::test;
use super::{AMOUNT, CATEGORY, Categorised, VOUCHER_TYPE};
use crate::domain::amount::Amount;
use crate::domain::vouchers::{PairVerdict, UNCATEGORIZED, VoucherRules};
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::cells::{COMPANY, code, grouped, units};

/// Rows that share company, category and label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PivotCell {
    /// Company code; empty where cells of several companies were added.
    pub company: String,
    /// Category, or [`UNCATEGORIZED`].
    pub category: String,
    /// Label of the type.
    pub label: String,
    /// Whether the category may have the label.
    pub verdict: PairVerdict,
    /// Rows.
    pub rows: u64,
    /// Rows among them without an amount: no part of the sum, and a finding.
    pub rows_without_amount: u64,
    /// Their sum.
    pub amount: Amount,
}

/// The cells, in the order of company, category and label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pivot {
    /// Fraction digits of all amounts.
    pub scale: u8,
    /// Every combination that has a row.
    pub cells: Vec<PivotCell>,
}

/// Sums what [`categorise`](super::categorise) gave; rows of other accounts are no part of it.
///
/// # Errors
/// [`ReconcileError`] for a sum beyond 38 digits.
pub fn pivot(categorised: &Categorised, rules: &VoucherRules) -> Result<Pivot, ReconcileError> {
    let frame = &categorised.table.frame;
    let scale = units(frame, AMOUNT)?.scale;
    let account = test(frame, &rules.account)?;
    let doing = || "filtering the voucher account".to_owned();
    let frame = guarded(doing, || frame.clone().lazy().filter(account).collect())?;
    let keys = [code(&frame, COMPANY)?, col(CATEGORY), col(VOUCHER_TYPE)];
    let cells = grouped(&frame, &keys, AMOUNT)?.into_iter().map(|group| {
        let [company, category, voucher_type] = [0, 1, 2].map(|place| {
            let key = group.keys.get(place);
            key.cloned().flatten()
        });
        let category = category.unwrap_or_else(|| UNCATEGORIZED.to_owned());
        let label = rules.label(voucher_type.as_deref()).to_owned();
        PivotCell {
            company: company.unwrap_or_default(),
            verdict: rules.verdict(&category, &label),
            category,
            label,
            rows: group.rows,
            rows_without_amount: group.without_amount,
            amount: group.amount,
        }
    });
    added(cells, scale)
}

impl Pivot {
    /// The cells of all companies together, where that means something: one currency.
    ///
    /// # Errors
    /// [`ReconcileError::Amount`] for a sum beyond 38 digits.
    pub fn by_pair(&self) -> Result<Self, ReconcileError> {
        let cells = self.cells.iter().cloned().map(|cell| PivotCell {
            company: String::new(),
            ..cell
        });
        added(cells, self.scale)
    }

    /// Rows and sum of each company.
    ///
    /// # Errors
    /// [`ReconcileError::Amount`] for a sum beyond 38 digits.
    pub fn totals(&self) -> Result<BTreeMap<String, (u64, Amount)>, ReconcileError> {
        let mut totals = BTreeMap::new();
        for cell in &self.cells {
            let total = totals
                .entry(cell.company.clone())
                .or_insert_with(|| (0, Amount::zero(self.scale)));
            total.0 += cell.rows;
            total.1 = total
                .1
                .checked_add(cell.amount)
                .map_err(ReconcileError::summing(AMOUNT))?;
        }
        Ok(totals)
    }
}

/// Cells of one key added.
fn added(cells: impl Iterator<Item = PivotCell>, scale: u8) -> Result<Pivot, ReconcileError> {
    let mut all: BTreeMap<(String, String, String), PivotCell> = BTreeMap::new();
    for cell in cells {
        let key = (
            cell.company.clone(),
            cell.category.clone(),
            cell.label.clone(),
        );
        match all.get_mut(&key) {
            None => {
                all.insert(key, cell);
            }
            Some(sum) => {
                sum.rows += cell.rows;
                sum.rows_without_amount += cell.rows_without_amount;
                let amount = sum.amount.checked_add(cell.amount);
                sum.amount = amount.map_err(ReconcileError::summing(AMOUNT))?;
            }
        }
    }
    Ok(Pivot {
        scale,
        cells: all.into_values().collect(),
    })
}

#[cfg(test)]
#[path = "pivot_tests.rs"]
mod tests;
