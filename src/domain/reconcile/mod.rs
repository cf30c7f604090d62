//! The reconciliation as values and rules: the contract, thresholds, rates, and what they make of balances and targets.
//!
//! Pure: no rows, no I/O, no clock, no float. Nothing that is missing counts as zero, and no rate is ever assumed.

mod beside;
pub mod contract;
pub mod evaluate;
pub mod fx;
mod lint;
#[cfg(test)]
mod month;
pub mod result;
pub mod threshold;
mod verdict;
pub mod wide;

use serde::{Deserialize, Serialize};

/// A file of rules that cannot be used: the file, where in it, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}: {what}")]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// Line of the contract, rule, or key.
    pub place: String,
    /// What is wrong and how to mend it.
    pub what: String,
}

/// Who answers for a set of rules, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Person of finance.
    pub by: String,
    /// Day.
    pub on: chrono::NaiveDate,
}
