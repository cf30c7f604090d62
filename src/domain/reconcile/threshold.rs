//! Thresholds: contracts of a country or of all, versions with dates from which they hold, and which rule applies.
//!
//! A rule that is restricted to accounts, categories or voucher types applies only where these are known and among them:
//! what is not known never makes a narrower rule apply.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::RuleError;
use crate::domain::amount::Amount;
use crate::domain::digest::sha256_hex;

/// The contract that holds where a country has none.
const DEFAULT: &str = "DEFAULT";
/// What holds where no contract does.
const FALLBACK: &str = "FALLBACK";

/// What a threshold is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A bucket of the reconciliation.
    BucketUsd,
    /// One row behind a bucket.
    LineItemUsd,
    /// All residuals of a country together.
    CountryMaterialityUsd,
}

/// What is known of that for which a threshold is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// Account of the group's chart.
    pub gl: Option<&'a str>,
    /// Voucher category.
    pub category: Option<&'a str>,
    /// Voucher type.
    pub voucher_type: Option<&'a str>,
}

/// The threshold that applies, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// In US dollars.
    pub usd: Amount,
    /// Rule in words, such as `EG v1 vouchers`, and `, pinned` where somebody named the version.
    pub rule: String,
    /// The contract that it stands in: a country, `DEFAULT`, or `FALLBACK` where none applied.
    pub source: String,
    /// Version of its contract; 0 where none applied.
    pub version: u32,
    /// SHA-256 of the contract's file, in hex; empty where none applied.
    pub sha256: String,
}

/// One version of one country's thresholds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ThresholdContract {
    country: String,
    version: u32,
    effective_from: NaiveDate,
    rules: Vec<Rule>,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    country: String,
    version: u32,
    effective_from: NaiveDate,
    rule: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    kind: Kind,
    usd: Amount,
    #[serde(default)]
    gl_accounts: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    voucher_types: Vec<String>,
}

/// All thresholds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thresholds {
    contracts: Vec<ThresholdContract>,
    /// Versions that are to be used whatever else is there, by country.
    pins: BTreeMap<String, u32>,
}

impl Thresholds {
    /// Reads contracts, each a file and its text.
    ///
    /// # Errors
    /// [`RuleError`] names the file, the rule and the remedy.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, RuleError> {
        let mut all = Self::default();
        for (file, text) in files {
            let contract = contract(file, text)?;
            let is_same = |known: &ThresholdContract| {
                (&known.country, known.version) == (&contract.country, contract.version)
            };
            if all.contracts.iter().any(is_same) {
                let what = format!(
                    "{} v{} is there already",
                    contract.country, contract.version
                );
                return Err(error(file, "version", what));
            }
            all.contracts.push(contract);
        }
        Ok(all)
    }

    /// Uses one version of a country's contract, although a later one is in force.
    ///
    /// # Shape
    /// `on`: last day of the period.
    ///
    /// # Errors
    /// A version that there is not, or that does not hold yet on that day, in words.
    pub fn pin(&mut self, country: &str, version: u32, on: NaiveDate) -> Result<(), String> {
        let of_country = self.contracts.iter().filter(|c| c.country == country);
        let versions: Vec<(u32, NaiveDate)> = of_country
            .map(|contract| (contract.version, contract.effective_from))
            .collect();
        let Some((_, from)) = versions.iter().find(|(known, _)| *known == version) else {
            let known: Vec<u32> = versions.iter().map(|(version, _)| *version).collect();
            return Err(format!(
                "there is no version {version} of the thresholds of {country}; there are {known:?}"
            ));
        };
        if *from > on {
            return Err(format!(
                "version {version} of the thresholds of {country} holds from {from} on, not on {on}"
            ));
        }
        self.pins.insert(country.to_owned(), version);
        Ok(())
    }

    /// The versions that are pinned, by country.
    #[must_use]
    pub fn pins(&self) -> &BTreeMap<String, u32> {
        &self.pins
    }

    /// The threshold of a kind: that of the country, else that of all, else the one that always holds.
    ///
    /// # Shape
    /// `on`: last day of the period, never a day of the run.
    #[must_use]
    pub fn resolve(
        &self,
        kind: Kind,
        country: &str,
        context: Context<'_>,
        on: NaiveDate,
    ) -> Threshold {
        for name in [country, DEFAULT] {
            let Some(contract) = self.in_force(name, on) else {
                continue;
            };
            let applying = contract.rules.iter().filter(|rule| rule.kind == kind);
            let applying = applying.filter(|rule| rule.applies(context));
            // The narrowest rule; of two that are as narrow, the lower one.
            let Some(rule) = applying.max_by_key(|rule| (rule.specificity(), -rule.units())) else {
                continue;
            };
            let pinned = match self.pins.contains_key(name) {
                true => ", pinned",
                false => "",
            };
            let (version, id) = (contract.version, &rule.id);
            return Threshold {
                usd: rule.usd,
                rule: format!("{name} v{version} {id}{pinned}"),
                source: contract.country.clone(),
                version: contract.version,
                sha256: contract.sha256.clone(),
            };
        }
        fallback(kind)
    }

    fn in_force(&self, country: &str, on: NaiveDate) -> Option<&ThresholdContract> {
        let contracts = self.contracts.iter();
        let of_country = contracts.filter(|contract| contract.country == country);
        let mut in_force = of_country.filter(|contract| contract.effective_from <= on);
        match self.pins.get(country) {
            Some(version) => in_force.find(|contract| contract.version == *version),
            None => in_force.max_by_key(|contract| contract.version),
        }
    }
}

impl Rule {
    fn applies(&self, context: Context<'_>) -> bool {
        let among = |list: &[String], known: Option<&str>| {
            list.is_empty() || known.is_some_and(|known| list.iter().any(|one| one == known))
        };
        among(&self.gl_accounts, context.gl)
            && among(&self.categories, context.category)
            && among(&self.voucher_types, context.voucher_type)
    }

    fn specificity(&self) -> usize {
        let lists = [&self.gl_accounts, &self.categories, &self.voucher_types];
        lists.iter().filter(|list| !list.is_empty()).count()
    }

    /// Hundredths of a dollar; [`contract`] refuses finer ones.
    fn units(&self) -> i128 {
        self.usd.units()
    }
}

/// What holds where no contract applies.
fn fallback(kind: Kind) -> Threshold {
    let hundredths = match kind {
        Kind::BucketUsd | Kind::LineItemUsd => 100_000,
        Kind::CountryMaterialityUsd => 1_000_000,
    };
    let zero = Amount::zero(2);
    Threshold {
        usd: Amount::new(hundredths, 2).unwrap_or(zero),
        rule: "no contract applies".to_owned(),
        source: FALLBACK.to_owned(),
        version: 0,
        sha256: String::new(),
    }
}

fn error(file: &str, place: &str, what: impl Into<String>) -> RuleError {
    RuleError {
        file: file.to_owned(),
        place: place.to_owned(),
        what: what.into(),
    }
}

fn contract(file: &str, text: &str) -> Result<ThresholdContract, RuleError> {
    let parsed: File = toml::from_str(text)
        .map_err(|problem| error(file, "TOML", problem.to_string().trim_end()))?;
    if parsed.version == 0 {
        return Err(error(file, "version", "0; versions begin with 1"));
    }
    let is_code =
        parsed.country.len() == 2 && parsed.country.chars().all(|c| c.is_ascii_uppercase());
    if !is_code && parsed.country != DEFAULT {
        let what = format!("`{}`; write an ISO code or {DEFAULT}", parsed.country);
        return Err(error(file, "country", what));
    }
    if parsed.rule.is_empty() {
        return Err(error(file, "rule", "there is none; add a [[rule]]"));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for mut rule in parsed.rule {
        let refuse = |what: &str| Err(error(file, &rule.id, what));
        if rule.usd.units() < 0 {
            return refuse("a negative threshold; write an amount of dollars from zero on");
        }
        let Ok(usd) = rule.usd.rescale(2) else {
            return refuse("finer than a cent; write two digits at most");
        };
        if rules.iter().any(|known| known.id == rule.id) {
            return refuse("two rules have this id; rename one");
        }
        rule.usd = usd;
        rules.push(rule);
    }
    Ok(ThresholdContract {
        country: parsed.country,
        version: parsed.version,
        effective_from: parsed.effective_from,
        rules,
        sha256: sha256_hex(text.as_bytes()),
    })
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
