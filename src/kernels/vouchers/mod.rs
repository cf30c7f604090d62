//! What the postings of the voucher account are: category and type by rules, and what the two sum up to.
//!
//! May use Polars through `reconcile` and the rules of `domain::vouchers`. Knows no rule of its own.

mod expression;
pub mod flows;
mod lookup;
pub mod pivot;
#[cfg(test)]
mod postings;

pub use flows::{Flow, FlowCell, FlowInput, flows};
pub use lookup::LookupUse;
pub use pivot::{Pivot, PivotCell, pivot};

use polars::prelude::{Column, DataFrame, IntoLazy as _, NamedFrom as _, Series};

use super::frame::{guarded, whole_numbers};
use super::reconcile::audit::JoinAudit;
use super::reconcile::{ReconcileError, StagedTable};
use crate::domain::vouchers::VoucherRules;
pub(super) use expression::test as meets;
use expression::{Given, Leaf, leaves};

/// Column: `Integration` or `Manual`.
pub const INTEGRATION_TYPE: &str = "integration_type";
/// Column: the category, null where no rule holds.
pub const CATEGORY: &str = "category";
/// Column: the type as a rule or the shop says it, null where there is none.
pub const VOUCHER_TYPE: &str = "voucher_type";
/// Column: the rule.
pub const RULE_ID: &str = "rule_id";

/// Column of the ledger that is summed and whose sign the rules ask for.
pub(super) const AMOUNT: &str = "amount";

/// The ledger's rows with what they are, and what was found on the way.
#[derive(Debug, Clone)]
pub struct Categorised {
    /// The rows as they were given, in their order, with four columns more.
    pub table: StagedTable,
    /// What the plain joins would have done.
    pub audits: Vec<JoinAudit>,
    /// What each step of the look-up gave.
    pub lookups: Vec<LookupUse>,
}

/// Categorises the ledger.
///
/// # Shape
/// `ledger`: rows of CR_03; only those of the voucher account get a category. `issuance` and `usage`: rows of IPE_08 and
/// IPE_08_USAGE, in which types are looked up by company and key. No row of the ledger is lost or doubled.
/// # Errors
/// [`ReconcileError::Column`] for a column that a rule needs and the table does not have: a rule is never skipped.
pub fn categorise(
    ledger: &StagedTable,
    issuance: &StagedTable,
    usage: &StagedTable,
    rules: &VoucherRules,
) -> Result<Categorised, ReconcileError> {
    let found = lookup::look_up(&ledger.frame, &issuance.frame, &usage.frame, rules)?;
    let leaves = leaves(rules);
    let place = expression::place(&found.frame, rules, &leaves)?;
    let integration = expression::integration(&found.frame, rules)?;
    let doing = || "categorising vouchers".to_owned();
    let placed = guarded(doing, || {
        let columns = [place.alias(PLACE), integration.alias(INTEGRATION_TYPE)];
        found.frame.clone().lazy().with_columns(columns).collect()
    })?;
    let frame = with_leaves(placed, &leaves)?;
    Ok(Categorised {
        table: StagedTable { frame },
        audits: found.audits,
        lookups: found.uses,
    })
}

const PLACE: &str = "__place";

/// Puts category, type and rule where there was the place of the leaf.
fn with_leaves(frame: DataFrame, leaves: &[Leaf]) -> Result<DataFrame, ReconcileError> {
    let places = whole_numbers(&frame, PLACE)?;
    let looked_up = super::reconcile::cells::optional_texts(&frame, lookup::FOUND)?;
    let leaf_of = |place: &Option<i128>| {
        let place = place.and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| leaves.get(place))
    };
    let found: Vec<Option<&Leaf>> = places.iter().map(leaf_of).collect();
    let categories: Vec<_> = found
        .iter()
        .map(|leaf| leaf.map(|leaf| leaf.category))
        .collect();
    let ids: Vec<_> = found
        .iter()
        .map(|leaf| leaf.map(|leaf| leaf.rule))
        .collect();
    let types = found.iter().zip(&looked_up).map(|(leaf, looked_up)| {
        leaf.and_then(|leaf| match leaf.given {
            Given::Type(given) => Some(given),
            Given::LookedUp => looked_up.as_deref(),
            Given::Nothing => None,
        })
    });
    let types: Vec<Option<&str>> = types.collect();
    let column = |name: &str, texts: &[Option<&str>]| Column::from(Series::new(name.into(), texts));
    let columns = [
        column(CATEGORY, &categories),
        column(VOUCHER_TYPE, &types),
        column(RULE_ID, &ids),
    ];
    let doing = || "naming categories".to_owned();
    let frame = guarded(doing, || {
        let frame = frame.drop_many([PLACE, lookup::FOUND]);
        frame.hstack(&columns)
    })?;
    Ok(frame)
}

#[cfg(test)]
#[path = "vouchers_tests.rs"]
mod tests;
