//! The rules as one expression: a chain of conditions that gives the place of the first leaf that holds.
//!
//! A leaf is a rule with one of its types; a rule with types ends in a leaf without one. So the order of the leaves is the
//! order of rules and of types within them, and category, type and rule of a row come from one answer.

use polars::prelude::{DataFrame, DataType, Expr, NULL, Scalar, col, lit, when};

use super::AMOUNT;
use crate::domain::patterns::{Patterns, TextTest};
use crate::domain::vouchers::{Integration, Sign, VoucherRule, VoucherRules};
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::cells::{dtype, units, wrong};

/// What a row becomes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) rule: &'a str,
    pub(super) category: &'a str,
    pub(super) given: Given<'a>,
    condition: &'a VoucherRule,
    /// The type's own condition: place in the rule's types.
    choice: Option<usize>,
}

/// The type of a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// This one.
    Type(&'a str),
    /// That of the voucher.
    LookedUp,
    /// None.
    Nothing,
}

/// The leaves in order.
pub(super) fn leaves(rules: &VoucherRules) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    for rule in &rules.rules {
        let leaf = |given, choice| Leaf {
            rule: &rule.id,
            category: &rule.category,
            given,
            condition: rule,
            choice,
        };
        for (place, choice) in rule.types.iter().enumerate() {
            leaves.push(leaf(Given::Type(&choice.voucher_type), Some(place)));
        }
        let last = match &rule.voucher_type {
            Some(given) => Given::Type(given),
            None if rule.lookup => Given::LookedUp,
            None => Given::Nothing,
        };
        leaves.push(leaf(last, None));
    }
    leaves
}

/// The place of the first leaf that holds; null where none does, and on rows of other accounts.
///
/// # Errors
/// [`ReconcileError::Column`] for a column that a rule names and the frame does not have.
pub(super) fn place(
    frame: &DataFrame,
    rules: &VoucherRules,
    leaves: &[Leaf<'_>],
) -> Result<Expr, ReconcileError> {
    let amount = units(frame, AMOUNT)?.expr;
    let integrated = test(frame, &rules.integration)?.fill_null(lit(false));
    let zero = || lit(Scalar::from(0_i128));
    // A chain is built from its end.
    let mut chain = lit(NULL).cast(DataType::Int128);
    for (place, leaf) in leaves.iter().enumerate().rev() {
        let rule = leaf.condition;
        let posted = match rule.integration {
            Integration::Integration => integrated.clone(),
            Integration::Manual => integrated.clone().not(),
        };
        let sign = match rule.amount {
            Sign::Positive => amount.clone().gt(zero()),
            Sign::Negative => amount.clone().lt(zero()),
        };
        let mut holds = posted.and(sign);
        for condition in &rule.when {
            holds = holds.and(test(frame, condition)?);
        }
        if let Some(choice) = leaf.choice.and_then(|choice| rule.types.get(choice)) {
            let text = text(frame, &choice.column)?;
            holds = holds.and(patterns(&text, &choice.is));
        }
        let place = i128::try_from(place).unwrap_or(i128::MAX);
        chain = when(holds).then(lit(Scalar::from(place))).otherwise(chain);
    }
    let none = lit(NULL).cast(DataType::Int128);
    Ok(when(test(frame, &rules.account)?)
        .then(chain)
        .otherwise(none))
}

/// `Integration` or `Manual`, of every row.
pub(super) fn integration(frame: &DataFrame, rules: &VoucherRules) -> Result<Expr, ReconcileError> {
    let integrated = test(frame, &rules.integration)?;
    Ok(when(integrated)
        .then(lit("Integration"))
        .otherwise(lit("Manual")))
}

/// Whether the column's text meets the patterns; null where it has none.
pub(in crate::kernels) fn test(frame: &DataFrame, test: &TextTest) -> Result<Expr, ReconcileError> {
    Ok(patterns(&text(frame, &test.column)?, &test.is))
}

fn text(frame: &DataFrame, column: &str) -> Result<Expr, ReconcileError> {
    match dtype(frame, column)? {
        DataType::String => Ok(col(column)),
        found => Err(wrong(column, "text", &found.to_string())),
    }
}

/// Whether a text meets the patterns.
fn patterns(text: &Expr, patterns: &Patterns) -> Expr {
    let whole = || text.clone().str().to_uppercase();
    let bare = || whole().str().strip_chars(lit(NULL));
    let equals = patterns.equals.iter().map(|p| bare().eq(lit(p.as_str())));
    let begins = patterns.starts_with.iter();
    let begins = begins.map(|p| bare().str().starts_with(lit(p.as_str())));
    let holds = patterns.contains.iter();
    let holds = holds.map(|p| whole().str().contains_literal(lit(p.as_str())));
    let all = equals.chain(begins).chain(holds);
    all.reduce(Expr::or).unwrap_or_else(|| lit(false))
}
