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
    let gls: Vec<&str> = of_lines(contract).collect();
    let parts = [
        ("last month's balances", opening),
        ("the month's entries", entries),
        ("this month's balances", closing),
    ];
    tie(contract, "Z1", &gls, parts)
}

/// Z2: all ledger entries of a company up to the cutoff make its balances over all currencies, so that a balance is in the
/// company's own currency. Account by account: two errors that cancel each other are two differences.
///
/// # Shape
/// As [`roll_forward`], of the accounts that [`accounts`] names.
///
/// # Errors
/// [`EvaluateError`] for a sum beyond 38 digits.
pub fn meaning(
    contract: &ReconciliationContract,
    entries: Option<Amounts<'_>>,
    balances: Option<Amounts<'_>>,
) -> Result<ZeroCheck, EvaluateError> {
    let gls: Vec<&str> = accounts(contract).collect();
    let parts = [
        ("all ledger entries", entries),
        ("this month's balances", balances),
    ];
    tie(contract, "Z2", &gls, parts)
}

/// Every account that the contract names: those that its lines compare, and those that none does.
pub fn accounts(contract: &ReconciliationContract) -> impl Iterator<Item = &str> {
    of_lines(contract).chain(contract.uncovered.keys().map(String::as_str))
}

fn of_lines(contract: &ReconciliationContract) -> impl Iterator<Item = &str> {
    let gls = contract.lines.iter().flat_map(|line| &line.gls);
    gls.map(String::as_str)
}

/// Compares the sum of all parts but the last with the last, company by company.
fn tie<const N: usize>(
    contract: &ReconciliationContract,
    id: &str,
    gls: &[&str],
    parts: [(&str, Option<Amounts<'_>>); N],
) -> Result<ZeroCheck, EvaluateError> {
    let missing = parts.iter().filter(|(_, part)| part.is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    let known: Vec<Amounts<'_>> = parts.iter().filter_map(|(_, part)| *part).collect();
    let (Some((found, expected)), []) = (known.split_last(), missing.as_slice()) else {
        let what = format!("{} could not be found out", missing.join(" and "));
        return Ok(of(contract, id, Verdict::NotRun, what, Vec::new()));
    };
    let mut differences = Vec::new();
    let (mut places, mut silent) = (0_usize, Vec::new());
    for company in contract.companies.keys() {
        if !known.iter().all(|part| part.delivered.contains(company)) {
            silent.push(company.as_str());
            continue;
        }
        for gl in gls {
            let place = (company.clone(), (*gl).to_owned());
            let mut sum = Amount::zero(SCALE);
            for part in expected {
                let added = at(*part, &place).and_then(|amount| sum.checked_add(amount));
                sum = added.map_err(|source| failed(&place, source))?;
            }
            let found = at(*found, &place).map_err(|source| failed(&place, source))?;
            differences.extend(difference(&place, sum, found)?);
            places += 1;
        }
    }
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
    Ok(of(contract, id, verdict, what, differences))
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
        let all: BTreeSet<String> = contract.companies.keys().cloned().collect();
        let entries = balances(&[
            ("EC_NG", "13003", "1450000"),
            ("EC_NG", "18350", "-1450000"),
        ]);
        let check = |now: Option<&BTreeMap<Place, Amount>>| {
            let of = |by_place| Amounts {
                by_place,
                delivered: &all,
            };
            meaning(&contract, Some(of(&entries)), now.map(of)).unwrap()
        };
        let same = balances(&[
            ("EC_NG", "13003", "1450000.00"),
            ("EC_NG", "18350", "-1450000.00"),
        ]);
        assert_eq!(check(Some(&same)).verdict, Verdict::Pass);
        // Both balances in the currency of the posting instead of the company's own: together they are nothing, as the
        // entries are.
        let foreign = balances(&[("EC_NG", "13003", "1000"), ("EC_NG", "18350", "-1000")]);
        let wrong = check(Some(&foreign));
        assert_eq!(wrong.verdict, Verdict::Fail);
        let places: Vec<String> = wrong.findings().into_iter().map(|one| one.place).collect();
        assert_eq!(places, ["Z2 EC_NG 13003", "Z2 EC_NG 18350"]);
        // An account that no line compares is one of the control too.
        let mut more = same.clone();
        more.extend(balances(&[("EC_NG", "18397", "1")]));
        assert_eq!(check(Some(&more)).differences.len(), 1);
        assert_eq!(check(None).verdict, Verdict::NotRun);
        let stale = elsewhere(&contract, "Z3", Verdict::Fail, "HF_SN is stale".to_owned());
        assert_eq!(stale.findings()[0].what, "does not hold: HF_SN is stale");
    }
}
