//! Rules of the voucher account: what a posting is, under which name its type goes, what the bridges look for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::digest::sha256_hex;
use super::patterns::{PatternError, Patterns, TextTest, shadowed};

/// The rules that are built in.
pub const VOUCHER_RULES: &str = include_str!("../../data/rules/vouchers/v1.toml");
/// Label of a type that no label knows.
pub const OTHER: &str = "other";
/// Label of a row without a type.
pub const UNKNOWN: &str = "Unknown";
/// Category of a row that no rule takes.
pub const UNCATEGORIZED: &str = "Uncategorized";

/// The rules of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherRules {
    /// Version.
    pub version: u32,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The rows that are voucher postings.
    pub account: TextTest,
    /// The rows that the batch user posted.
    pub integration: TextTest,
    /// In order: the first that holds wins.
    pub rules: Vec<VoucherRule>,
    /// Where a looked-up type comes from, in order.
    pub lookups: Vec<LookupStep>,
    /// Names of types, in order.
    pub labels: Vec<Label>,
    /// Labels that a category may have.
    pub pairs: BTreeMap<String, BTreeSet<String>>,
    /// What the bridges look for.
    pub bridges: BridgeUses,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesToml {
    version: u32,
    account: TextTest,
    integration: TextTest,
    rule: Vec<VoucherRule>,
    #[serde(default)]
    lookup: Vec<LookupStep>,
    label: Vec<Label>,
    pairs: BTreeMap<String, BTreeSet<String>>,
    bridges: BridgeUses,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherRule {
    /// Name, as findings say it.
    pub id: String,
    /// A decision that a reviewer should know.
    #[serde(default)]
    pub note: String,
    /// Category that it gives.
    pub category: String,
    /// Who posted the row.
    pub integration: Integration,
    /// Sign of the amount; a row of zero meets neither.
    pub amount: Sign,
    /// Further conditions; all must hold.
    #[serde(default)]
    pub when: Vec<TextTest>,
    /// The type that it always gives.
    pub voucher_type: Option<String>,
    /// Types by further conditions, in order; none of them: no type.
    #[serde(default)]
    pub types: Vec<TypeRule>,
    /// Whether the type is that of the voucher.
    #[serde(default)]
    pub lookup: bool,
}

/// Who posted a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integration {
    /// A person.
    Manual,
    /// The batch user.
    Integration,
}

/// Sign of an amount in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Debit.
    Positive,
    /// Credit.
    Negative,
}

/// A type and the text that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeRule {
    /// The type.
    pub voucher_type: String,
    /// Canonical column name.
    pub column: String,
    /// What its text must meet.
    pub is: Patterns,
}

/// One place where the type of a voucher may be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupStep {
    /// Column of the ledger.
    pub ledger: String,
    /// Where to look.
    pub source: LookupSource,
    /// Its column with the same key.
    pub key: String,
    /// Whether the source may lack the column; the step is then reported as not taken.
    #[serde(default)]
    pub optional: bool,
}

/// An item in which vouchers are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LookupSource {
    /// Issued vouchers.
    #[serde(rename = "IPE_08")]
    Issuance,
    /// Usage by month of delivery.
    #[serde(rename = "IPE_08_USAGE")]
    Usage,
}

/// A name under which types of both systems meet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The name.
    pub name: String,
    /// Texts that mean it.
    pub is: Patterns,
}

/// What the bridges of the voucher line look for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeUses {
    /// Business uses that are no marketing.
    pub non_marketing: Patterns,
    /// Business uses that are refunds.
    pub refund: Patterns,
    /// Beginnings of the categories in which the ledger books what the shop has cancelled.
    pub booked: Vec<String>,
}

/// Whether a category may have a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// It may.
    Allowed,
    /// It may not.
    NotAllowed,
    /// A category without a type.
    NoType,
    /// No rule took the rows.
    NoCategory,
}

impl VoucherRules {
    /// Reads and checks a rule file.
    ///
    /// # Errors
    /// [`PatternError`] names the first mistake; a rule that no row can reach is one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let file: RulesToml = toml::from_str(text)
            .map_err(|error| PatternError(error.to_string().trim().to_owned()))?;
        let rules = Self {
            version: file.version,
            sha256: sha256_hex(text.as_bytes()),
            account: file.account,
            integration: file.integration,
            rules: file.rule,
            lookups: file.lookup,
            labels: file.label,
            pairs: file.pairs,
            bridges: file.bridges,
        };
        rules.check()?;
        Ok(rules)
    }

    /// The label of a type or a business use.
    #[must_use]
    pub fn label(&self, voucher_type: Option<&str>) -> &str {
        let text = voucher_type.unwrap_or_default();
        if text.trim().is_empty() {
            return UNKNOWN;
        }
        let mut labels = self.labels.iter();
        let label = labels.find(|label| label.is.meet(text));
        label.map_or(OTHER, |label| label.name.as_str())
    }

    /// Whether rows of this category may have this label.
    #[must_use]
    pub fn verdict(&self, category: &str, label: &str) -> PairVerdict {
        match self.pairs.get(category) {
            _ if category == UNCATEGORIZED => PairVerdict::NoCategory,
            _ if label == UNKNOWN => PairVerdict::NoType,
            Some(labels) if labels.contains(label) => PairVerdict::Allowed,
            _ => PairVerdict::NotAllowed,
        }
    }

    /// Whether a row of this category books what the shop has cancelled.
    #[must_use]
    pub fn books_cancellation(&self, category: &str) -> bool {
        let mut booked = self.bridges.booked.iter();
        booked.any(|begin| category.starts_with(begin.as_str()))
    }

    fn check(&self) -> Result<(), PatternError> {
        if self.version == 0 || self.rules.is_empty() {
            let what = "a rule file has a version from 1 and at least one rule";
            return Err(PatternError(what.to_owned()));
        }
        self.account.is.check("account")?;
        self.integration.is.check("integration")?;
        self.bridges.non_marketing.check("bridges.non_marketing")?;
        self.bridges.refund.check("bridges.refund")?;
        let booked = &self.bridges.booked;
        if booked.is_empty() || booked.iter().any(String::is_empty) {
            return Err(PatternError("bridges.booked has no category".to_owned()));
        }
        for label in &self.labels {
            label.is.check(&format!("label `{}`", label.name))?;
        }
        let known: BTreeSet<&String> = self.labels.iter().map(|label| &label.name).collect();
        for (category, labels) in &self.pairs {
            if let Some(label) = labels.iter().find(|label| !known.contains(label)) {
                let what = format!("pairs of {category} name `{label}`, which is no label");
                return Err(PatternError(what));
            }
        }
        for (place, rule) in self.rules.iter().enumerate() {
            let earlier = self.rules.get(..place).unwrap_or_default();
            self.check_rule(rule, earlier)?;
        }
        Ok(())
    }

    fn check_rule(&self, rule: &VoucherRule, earlier: &[VoucherRule]) -> Result<(), PatternError> {
        let id = &rule.id;
        let refuse = |what: String| Err(PatternError(format!("rule `{id}` {what}")));
        if earlier.iter().any(|other| other.id == *id) {
            return refuse("stands there twice".to_owned());
        }
        for test in &rule.when {
            test.is.check(&format!("rule `{id}`"))?;
        }
        let ways = [
            rule.voucher_type.is_some(),
            !rule.types.is_empty(),
            rule.lookup,
        ];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            return refuse("needs one of voucher_type, types and lookup".to_owned());
        }
        let takes_all = |other: &&VoucherRule| {
            let alike = other.integration == rule.integration && other.amount == rule.amount;
            alike && shadowed(&rule.when, &other.when)
        };
        if let Some(other) = earlier.iter().find(takes_all) {
            let by = &other.id;
            return refuse(format!("is never reached: rule `{by}` takes all its rows"));
        }
        for (place, choice) in rule.types.iter().enumerate() {
            let given = &choice.voucher_type;
            choice.is.check(&format!("rule `{id}`, type {given}"))?;
            let mut before = rule.types.iter().take(place);
            if before.any(|b| b.column == choice.column && choice.is.imply(&b.is)) {
                return refuse(format!(
                    "never gives {given}: an earlier type takes all its rows"
                ));
            }
        }
        let given = rule.types.iter().map(|choice| &choice.voucher_type);
        for given in given.chain(&rule.voucher_type) {
            let verdict = self.verdict(&rule.category, self.label(Some(given)));
            if verdict != PairVerdict::Allowed {
                let category = &rule.category;
                return refuse(format!(
                    "gives {category} with {given}, which no pair allows"
                ));
            }
        }
        if !self.pairs.contains_key(&rule.category) {
            return refuse(format!("gives {}, which has no pairs", rule.category));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "vouchers_tests.rs"]
mod tests;
