//! Labels of open collections: which accounts an entry would touch. A label explains no variance.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::digest::sha256_hex;
use super::patterns::{PatternError, TextTest, shadowed};

/// The rules that are built in.
pub const COLLECTION_RULES: &str = include_str!("../../data/rules/collections/v1.toml");

/// The rules of one version, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionRules {
    /// Version.
    pub version: u32,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// By priority, then as the file has them.
    pub rules: Vec<CollectionRule>,
    /// Rules of the predecessor that are not carried over.
    pub left_out: Vec<LeftOut>,
}

/// A rule and the entry that it proposes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionRule {
    /// Name: the label.
    pub id: String,
    /// Asked before rules of a higher number.
    pub priority: u32,
    /// All must hold.
    pub when: Vec<TextTest>,
    /// Accounts to debit, as finance writes them.
    pub debit: Vec<String>,
    /// Accounts to credit.
    pub credit: Vec<String>,
}

/// A rule that is not carried over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Name.
    pub id: String,
    /// Reason.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesToml {
    version: u32,
    rule: Vec<CollectionRule>,
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

impl CollectionRules {
    /// Reads and checks a rule file.
    ///
    /// # Errors
    /// [`PatternError`] names the first mistake; a rule that no row can reach is one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let file: RulesToml = toml::from_str(text)
            .map_err(|error| PatternError(error.to_string().trim().to_owned()))?;
        if file.version == 0 || file.rule.is_empty() {
            let what = "a rule file has a version from 1 and at least one rule";
            return Err(PatternError(what.to_owned()));
        }
        let mut rules = file.rule;
        rules.sort_by_key(|rule| rule.priority);
        let mut ids = BTreeSet::new();
        for (place, rule) in rules.iter().enumerate() {
            let id = &rule.id;
            if !ids.insert(id) {
                return Err(PatternError(format!("rule `{id}` stands there twice")));
            }
            if rule.when.is_empty() {
                return Err(PatternError(format!("rule `{id}` has no condition")));
            }
            for test in &rule.when {
                test.is.check(&format!("rule `{id}`"))?;
            }
            let mut earlier = rules.iter().take(place);
            if let Some(by) = earlier.find(|earlier| shadowed(&rule.when, &earlier.when)) {
                let by = &by.id;
                return Err(PatternError(format!(
                    "rule `{id}` is never reached: rule `{by}` takes all its rows"
                )));
            }
        }
        Ok(Self {
            version: file.version,
            sha256: sha256_hex(text.as_bytes()),
            rules,
            left_out: file.left_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_readable_and_every_rule_can_be_reached() {
        let rules = CollectionRules::parse(COLLECTION_RULES).unwrap();
        let ids: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["CASH_DEPOSITS", "CASH_DEPOSITS_CANCEL"]);
        assert_eq!(rules.sha256, sha256_hex(COLLECTION_RULES.as_bytes()));
        let left_out = |id: &str| rules.left_out.iter().any(|rule| rule.id == id);
        assert!(left_out("PAYMENT_RECONCILES") && left_out("PREPAID_DELIVERIES"));
    }

    fn rule(id: &str, priority: u32, kinds: &str) -> String {
        format!(
            "[[rule]]\nid = '{id}'\npriority = {priority}\ndebit = []\ncredit = []\n\
             when = [{{ column = 'transaction_type', is = {{ equals = [{kinds}] }} }}]\n"
        )
    }

    #[test]
    fn priority_goes_before_order_and_a_shadowed_rule_is_refused_by_name() {
        let text = |rules: &[String]| format!("version = 1\n{}", rules.concat());
        let late = rule("LATE", 2, "'Payment', 'Refund'");
        let early = rule("EARLY", 1, "'Payment', 'Transfer'");
        let both = CollectionRules::parse(&text(&[late.clone(), early.clone()])).unwrap();
        assert_eq!(both.rules[0].id, "EARLY");
        let never = rule("PAYMENT_RECONCILES", 2, "'payment'");
        let error = CollectionRules::parse(&text(&[never, early.clone()])).unwrap_err();
        let said = "rule `PAYMENT_RECONCILES` is never reached: rule `EARLY` takes all its rows";
        assert_eq!(error.to_string(), said);
        for bad in [
            text(&[early.clone(), early.clone()]),
            text(&[early.replace("when", "where")]),
            "version = 0\n".to_owned() + &early,
            "version = 1\nrule = []".to_owned(),
        ] {
            assert!(CollectionRules::parse(&bad).is_err(), "{bad}");
        }
    }
}
