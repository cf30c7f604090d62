//! B5, collections: a label for each open collection by rules. A label explains no variance.

use polars::prelude::{DataType, IntoLazy as _, NULL, col, lit, when};
use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;
use crate::domain::collections::CollectionRules;
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::cells::{COMPANY, code, grouped};
use crate::kernels::reconcile::{ReconcileError, StagedTable};
use crate::kernels::vouchers::meets;

/// Column: the label, null where no rule holds.
pub const LABEL: &str = "label";

/// Rows of one company with one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCell {
    /// Company code.
    pub company: String,
    /// Label; nothing where no rule holds.
    pub label: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Rows among them without an amount.
    pub rows_without_amount: u64,
    /// Their sum, as the source has it.
    pub amount: Amount,
}

/// The rows with one column more, [`LABEL`].
///
/// # Shape
/// `rows`: IPE_31.
/// # Errors
/// [`ReconcileError::Column`] for a column that a rule needs: a rule is never skipped.
pub fn label_rows(
    rows: &StagedTable,
    rules: &CollectionRules,
) -> Result<StagedTable, ReconcileError> {
    let mut chain = lit(NULL).cast(DataType::String);
    for rule in rules.rules.iter().rev() {
        let mut holds = lit(true);
        for test in &rule.when {
            holds = holds.and(meets(&rows.frame, test)?);
        }
        chain = when(holds).then(lit(rule.id.as_str())).otherwise(chain);
    }
    let doing = || "labelling collections".to_owned();
    let frame = guarded(doing, || {
        let frame = rows.frame.clone().lazy();
        frame.with_column(chain.alias(LABEL)).collect()
    })?;
    Ok(StagedTable { frame })
}

/// Sums what [`label_rows`] gave, by company and label.
///
/// # Errors
/// [`ReconcileError`] for a missing column and a sum beyond 38 digits.
pub fn label_cells(labelled: &StagedTable) -> Result<Vec<LabelCell>, ReconcileError> {
    let frame = &labelled.frame;
    let keys = [code(frame, COMPANY)?, col(LABEL)];
    let cells = grouped(frame, &keys, "amount")?.into_iter().map(|group| {
        let mut keys = group.keys.into_iter();
        LabelCell {
            company: keys.next().flatten().unwrap_or_default(),
            label: keys.next().flatten(),
            rows: group.rows,
            rows_without_amount: group.without_amount,
            amount: group.amount,
        }
    });
    Ok(cells.collect())
}

#[cfg(test)]
#[path = "collections_tests.rs"]
mod tests;
