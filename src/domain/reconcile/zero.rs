//! What must come to nothing whatever the lines say: balances that roll forward, balances that mean what we think.
//!
//! A check whose inputs are not there did not run; it did not pass.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::contract::ReconciliationContract;
use super::evaluate::{EvaluateError, Place, SCALE};
use super::fx::plain;
use super::result::{Code, ReconcileFinding};
use crate::domain::amount::{Amount, AmountError};
use crate::domain::check::Verdict;

/// What a zero check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZeroCheck {
    /// Name, such as `Z1`.
    pub id: String,
    /// What it says.
    pub title: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was counted, or why it did not run.
    pub what: String,
    /// Places that differ.
    pub differences: Vec<ZeroDifference>,
}

/// A place where two ways to an amount do not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZeroDifference {
    /// Company code.
    pub company: String,
    /// Account.
    pub gl: String,
    /// What it must be.
    pub expected: Amount,
    /// What it is.
    pub found: Amount,
    /// Found minus expected.
    pub difference: Amount,
}

/// Amounts by company and account, and the companies that delivered: what is not there of one that did is zero.
#[derive(Debug, Clone, Copy)]
pub struct Amounts<'a> {
    /// In ledger sign.
    pub by_place: &'a BTreeMap<Place, Amount>,
    /// Companies that have rows, or of which it is proven that they have none.
    pub delivered: &'a BTreeSet<String>,
}

/// Z1: last month's sealed balances and the entries of the month make this month's balances, per company and account.
///
/// # Shape
/// `None` where the amounts could not be found out. A company without an entry in the month must be in `delivered` all the
/// same: somebody proved that it has none.
///
/// # Errors
/// [`EvaluateError`] for a sum beyond 38 digits.
pub fn roll_forward(
    contract: &ReconciliationContract,
    opening: Option<Amounts<'_>>,
    entries: Option<Amounts<'_>>,
    closing: Option<Amounts<'_>>,
) -> Result<ZeroCheck, EvaluateError> {
    let parts = [
        ("last month's balances", opening),
        ("the month's entries", entries),
        ("this month's balances", closing),
    ];
    let missing = parts.iter().filter(|(_, part)| part.is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    let (Some(opening), Some(entries), Some(closing)) = (opening, entries, closing) else {
        let what = format!("{} could not be found out", missing.join(" and "));
        return Ok(of(contract, "Z1", Verdict::NotRun, what, Vec::new()));
    };
    let gls: Vec<&String> = contract.lines.iter().flat_map(|line| &line.gls).collect();
    let mut differences = Vec::new();
    let (mut places, mut silent) = (0_usize, BTreeSet::new());
    for company in contract.companies.keys() {
        let delivered = [opening, entries, closing];
        if delivered
            .iter()
            .any(|part| !part.delivered.contains(company))
        {
            silent.insert(company.as_str());
            continue;
        }
        for gl in &gls {
            let place = (company.clone(), (*gl).clone());
            let amount = |part: Amounts<'_>| at(part, &place);
            let expected = amount(opening)
                .and_then(|opening| opening.checked_add(amount(entries)?))
                .map_err(|source| failed(&place, source))?;
            let found = amount(closing).map_err(|source| failed(&place, source))?;
            differences.extend(difference(&place, expected, found)?);
            places += 1;
        }
    }
    let silent: Vec<&str> = silent.into_iter().collect();
    let (verdict, what) = match (differences.is_empty(), silent.as_slice()) {
        (true, []) => (Verdict::Pass, format!("{places} places tie")),
        (true, silent) => (
            Verdict::NotRun,
            format!("not for {}, which did not deliver", silent.join(", ")),
        ),
        (false, silent) => {
            let count = differences.len();
            let mut what = format!("{count} of {places} places differ");
            if !silent.is_empty() {
                what.push_str(&format!(", and {} did not deliver", silent.join(", ")));
            }
            (Verdict::Fail, what)
        }
    };
    Ok(of(contract, "Z1", verdict, what, differences))
}

/// Z2: all ledger entries of a company on an account make its balances there, over all currencies.
///
/// # Errors
/// [`EvaluateError`] for a sum beyond 38 digits.
pub fn meaning(
    contract: &ReconciliationContract,
    place: &Place,
    entries: Option<Amount>,
    balances: Option<Amount>,
) -> Result<ZeroCheck, EvaluateError> {
    let (company, gl) = place;
    let (Some(entries), Some(balances)) = (entries, balances) else {
        let what = format!("{company} {gl}: entries or balances could not be found out");
        return Ok(of(contract, "Z2", Verdict::NotRun, what, Vec::new()));
    };
    let scaled = |amount: Amount| {
        let scaled = amount.rescale(SCALE);
        scaled.map_err(|source| failed(place, source))
    };
    let found = difference(place, scaled(entries)?, scaled(balances)?)?;
    let verdict = match &found {
        None => Verdict::Pass,
        Some(_) => Verdict::Fail,
    };
    let what = format!("{company} {gl}");
    Ok(of(
        contract,
        "Z2",
        verdict,
        what,
        found.into_iter().collect(),
    ))
}

/// Z3, or any check that was made elsewhere.
#[must_use]
pub fn elsewhere(
    contract: &ReconciliationContract,
    id: &str,
    verdict: Verdict,
    what: String,
) -> ZeroCheck {
    of(contract, id, verdict, what, Vec::new())
}

impl ZeroCheck {
    /// What is to be reported: every difference, or that nobody knows.
    #[must_use]
    pub fn findings(&self) -> Vec<ReconcileFinding> {
        let find = |place: String, what: String| ReconcileFinding {
            code: Code::ZeroCheck,
            place,
            what,
        };
        let differences = self.differences.iter();
        let mut found: Vec<_> = differences
            .map(|one| {
                let what = format!(
                    "{} was expected and {} is there, a difference of {}: {}",
                    plain(one.expected),
                    plain(one.found),
                    plain(one.difference),
                    self.title
                );
                find(format!("{} {} {}", self.id, one.company, one.gl), what)
            })
            .collect();
        if found.is_empty() && matches!(self.verdict, Verdict::Fail | Verdict::NotRun) {
            let word = match self.verdict {
                Verdict::Fail => "does not hold",
                _ => "did not run",
            };
            found.push(find(self.id.clone(), format!("{word}: {}", self.what)));
        }
        found
    }
}

fn of(
    contract: &ReconciliationContract,
    id: &str,
    verdict: Verdict,
    what: String,
    differences: Vec<ZeroDifference>,
) -> ZeroCheck {
    let rule = contract.zero_checks.iter().find(|rule| rule.id == id);
    ZeroCheck {
        id: id.to_owned(),
        title: rule.map_or_else(String::new, |rule| rule.title.clone()),
        verdict,
        what,
        differences,
    }
}

fn at(amounts: Amounts<'_>, place: &Place) -> Result<Amount, AmountError> {
    let amount = amounts.by_place.get(place).copied();
    amount.unwrap_or(Amount::zero(SCALE)).rescale(SCALE)
}

fn failed((company, gl): &Place, source: AmountError) -> EvaluateError {
    EvaluateError::Amount {
        place: format!("{company} {gl}"),
        source,
    }
}

fn difference(
    place: &Place,
    expected: Amount,
    found: Amount,
) -> Result<Option<ZeroDifference>, EvaluateError> {
    let minus = Amount::new(-expected.units(), expected.scale());
    let difference = minus.and_then(|minus| found.checked_add(minus));
    let difference = difference.map_err(|source| failed(place, source))?;
    Ok((difference.units() != 0).then(|| ZeroDifference {
        company: place.0.clone(),
        gl: place.1.clone(),
        expected,
        found,
        difference,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reconcile::month::{amount, contract};

    fn balances(rows: &[(&str, &str, &str)]) -> BTreeMap<Place, Amount> {
        let rows = rows.iter();
        rows.map(|(company, gl, text)| (((*company).to_owned(), (*gl).to_owned()), amount(text)))
            .collect()
    }

    /// Planted difference F14: a posting of April that is dated into March, which was sealed as final.
    #[test]
    fn a_late_posting_does_not_roll_forward() {
        let contract = contract();
        let all: BTreeSet<String> = contract.companies.keys().cloned().collect();
        let of = |by_place| {
            Some(Amounts {
                by_place,
                delivered: &all,
            })
        };
        let opening = balances(&[("JD_DZ", "13003", "100.00"), ("EC_NG", "18412", "-7")]);
        let entries = balances(&[("JD_DZ", "13003", "20.00"), ("EC_NG", "18412", "7.0")]);
        let late = balances(&[("JD_DZ", "13003", "250120.00")]);
        let check = roll_forward(&contract, of(&opening), of(&entries), of(&late)).unwrap();
        assert_eq!((check.id.as_str(), check.verdict), ("Z1", Verdict::Fail));
        let [one] = check.differences.as_slice() else {
            panic!("{check:?}");
        };
        assert_eq!((one.company.as_str(), one.gl.as_str()), ("JD_DZ", "13003"));
        assert!(one.difference.to_string().starts_with("250000.000"));
        assert_eq!(check.findings().len(), 1);
        let tied = balances(&[("JD_DZ", "13003", "120")]);
        let check = roll_forward(&contract, of(&opening), of(&entries), of(&tied)).unwrap();
        assert_eq!(check.verdict, Verdict::Pass);
        assert!(check.findings().is_empty());
    }

    #[test]
    fn what_is_missing_did_not_run_and_did_not_pass() {
        let contract = contract();
        let all: BTreeSet<String> = contract.companies.keys().cloned().collect();
        let mut some = all.clone();
        some.remove("EC_KE");
        let none = BTreeMap::new();
        let of = |delivered| {
            Some(Amounts {
                by_place: &none,
                delivered,
            })
        };
        let check = roll_forward(&contract, None, of(&all), of(&all)).unwrap();
        assert_eq!(check.verdict, Verdict::NotRun);
        assert!(check.what.starts_with("last month's balances"));
        assert_eq!(check.findings()[0].code, Code::ZeroCheck);
        let check = roll_forward(&contract, of(&all), of(&some), of(&all)).unwrap();
        assert_eq!(check.verdict, Verdict::NotRun);
        assert!(check.what.contains("EC_KE"), "{}", check.what);
    }

    #[test]
    fn balances_mean_what_the_entries_say_or_not() {
        let contract = contract();
        let place = ("EC_NG".to_owned(), "13003".to_owned());
        let check = |entries, balances| meaning(&contract, &place, entries, balances).unwrap();
        let (sum, same) = (Some(amount("1450000")), Some(amount("1450000.00")));
        assert_eq!(check(sum, same).verdict, Verdict::Pass);
        // The balance in the currency of the posting instead of the company's own.
        assert_eq!(check(sum, Some(amount("1000"))).verdict, Verdict::Fail);
        assert_eq!(check(sum, None).verdict, Verdict::NotRun);
        let stale = elsewhere(&contract, "Z3", Verdict::Fail, "HF_SN is stale".to_owned());
        assert_eq!(stale.findings()[0].what, "does not hold: HF_SN is stale");
    }
}
