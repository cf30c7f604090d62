//! The reconciliation as values and rules: the contract, thresholds, rates, and what they make of balances and targets.
//!
//! Pure: no rows, no I/O, no clock, no float. Nothing that is missing counts as zero, and no rate is ever assumed.

mod bucket;
pub mod contract;
mod coverage;
pub mod drift;
pub mod evaluate;
mod file;
mod findings;
mod fingerprint;
pub mod fx;
#[cfg(test)]
mod golden_tests;
mod known;
mod line_item;
mod lint;
#[cfg(test)]
mod month;
pub mod months;
#[cfg(test)]
mod plants;
#[cfg(test)]
mod plants_tests;
pub mod rate_source;
pub mod result;
pub mod statement;
pub mod threshold;
mod verdict;
pub mod wide;
pub mod zero;

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
