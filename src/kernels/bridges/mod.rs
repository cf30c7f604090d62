//! The bridges: what of a difference is timing, what is cancelled and not yet booked, and what only needs a look.
//!
//! May use Polars through `reconcile`, and what `vouchers` made. Amounts are in ledger sign: what they add to actual
//! minus target. Every amount is the sum of rows that stand beside it. What cannot be counted without doubt (no amount,
//! two rows of one key, two companies of one id) is listed and not counted.

mod candidates;
pub mod collections;
pub mod groups;
mod jdash;
pub mod reclass;
pub mod timing;
pub mod vtc;

pub use collections::{LabelCell, label_cells, label_rows};
pub use groups::{PostingGroups, posting_groups};
pub use reclass::{Reclass, reclass};
pub use timing::{Timing, TimingInput, timing};
pub use vtc::{Vtc, VtcInput, vtc};

use serde::{Deserialize, Serialize};

use super::reconcile::ReconcileError;
use crate::domain::amount::Amount;

/// A row that is listed, with its amount as the source has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Serialize, Deserialize)]
pub struct ListedRow {
    /// Key in the spelling in which it is compared; empty where the row has none.
    pub key: String,
    /// Amount, where the source says one.
    pub amount: Option<Amount>,
}

/// Adds amounts of one scale.
fn add(sum: &mut Amount, amount: Amount, column: &str) -> Result<(), ReconcileError> {
    let added = sum.checked_add(amount);
    *sum = added.map_err(ReconcileError::summing(column))?;
    Ok(())
}
