//! The rules that a month is judged by, as the files that they were read from: the same files give the same judgement.

use std::collections::BTreeMap;

use crate::domain::collections::CollectionRules;
use crate::domain::period::Period;
use crate::domain::reconcile::RuleError;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::threshold::Thresholds;
use crate::domain::vouchers::VoucherRules;

/// Where the files of each kind lie.
const CONTRACT: &str = "rules/reconciliation/";
const VOUCHERS: &str = "rules/vouchers/";
const COLLECTIONS: &str = "rules/collections/";
const THRESHOLDS: &str = "thresholds/";

/// The rules of one judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Every file that was used, by its path such as `rules/reconciliation/v1.toml`, with its text.
    pub files: BTreeMap<String, String>,
    /// Where the contract was read, as whoever mends it looks for it; in messages alone.
    pub place: String,
    /// The contract.
    pub contract: ReconciliationContract,
    /// Thresholds.
    pub thresholds: Thresholds,
    /// What postings of the voucher account are.
    pub vouchers: VoucherRules,
    /// Labels of open collections.
    pub collections: CollectionRules,
}

impl Rules {
    /// Reads rules by their place: of contracts, voucher rules and labels the newest version, of thresholds all.
    ///
    /// # Errors
    /// [`RuleError`] names the file and the remedy.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, RuleError> {
        let mut used = BTreeMap::new();
        let mut take = |place: &str| {
            let text = files.get(place).cloned().unwrap_or_default();
            used.insert(place.to_owned(), text);
        };
        let (place, contract) = newest(files, CONTRACT, |place, text| {
            let contract = ReconciliationContract::read(place, text)?;
            Ok((contract.version, contract))
        })?;
        let (vouchers_at, vouchers) = newest(files, VOUCHERS, |place, text| {
            let rules = VoucherRules::parse(text).map_err(|error| at(place, &error))?;
            Ok((rules.version, rules))
        })?;
        let (collections_at, collections) = newest(files, COLLECTIONS, |place, text| {
            let rules = CollectionRules::parse(text).map_err(|error| at(place, &error))?;
            Ok((rules.version, rules))
        })?;
        let of_thresholds = files
            .iter()
            .filter(|(place, _)| place.starts_with(THRESHOLDS))
            .map(|(place, text)| (place.as_str(), text.as_str()));
        let thresholds = Thresholds::read(of_thresholds)?;
        let all = files.keys().filter(|place| place.starts_with(THRESHOLDS));
        for place in all.chain([&place, &vouchers_at, &collections_at]) {
            take(place);
        }
        Ok(Self {
            files: used,
            place,
            contract,
            thresholds,
            vouchers,
            collections,
        })
    }

    /// Judges by these versions of the thresholds of countries, although later ones are in force.
    ///
    /// # Errors
    /// A version that there is not, or that does not hold yet on the last day of the month, in words.
    pub fn pinned(mut self, pins: &BTreeMap<String, u32>, period: Period) -> Result<Self, String> {
        for (country, version) in pins {
            self.thresholds.pin(country, *version, period.end())?;
        }
        Ok(self)
    }
}

fn at(place: &str, error: &dyn std::fmt::Display) -> RuleError {
    RuleError {
        file: place.to_owned(),
        place: "rules".to_owned(),
        what: error.to_string(),
    }
}

/// The newest version of a kind of file, and where it lies.
fn newest<T>(
    files: &BTreeMap<String, String>,
    below: &str,
    read: impl Fn(&str, &str) -> Result<(u32, T), RuleError>,
) -> Result<(String, T), RuleError> {
    let mut newest: Option<(u32, String, T)> = None;
    for (place, text) in files.iter().filter(|(place, _)| place.starts_with(below)) {
        let (version, rules) = read(place, text)?;
        let same = newest.as_ref().filter(|(known, ..)| *known == version);
        if let Some((_, other, _)) = same {
            return Err(RuleError {
                file: place.clone(),
                place: "version".to_owned(),
                what: format!(
                    "{version} is that of {other} too; give the later file the next one, or take one out"
                ),
            });
        }
        if newest.as_ref().is_none_or(|(known, ..)| *known < version) {
            newest = Some((version, place.clone(), rules));
        }
    }
    let (_, place, rules) = newest.ok_or_else(|| RuleError {
        file: below.to_owned(),
        place: "rules".to_owned(),
        what: "there is no such file; the built-in ones lie in data/".to_owned(),
    })?;
    Ok((place, rules))
}
