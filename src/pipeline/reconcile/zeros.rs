//! Z1 to Z3 from the packages: balances that roll forward, balances that mean what we think, sources that are fresh.

use std::collections::{BTreeMap, BTreeSet};

use super::history::Past;
use super::inputs::Packaged;
use super::sums::{failed_amount, sum, sum_of};
use super::{Known, Rules, Sources, state};
use crate::domain::amount::Amount;
use crate::domain::check::Verdict;
use crate::domain::ids::IpeId;
use crate::domain::period::Period;
use crate::domain::population::Population;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::evaluate::Place;
use crate::domain::reconcile::zero::{
    Amounts, ZeroCheck, accounts, elsewhere, meaning, roll_forward,
};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::sums::{SumSpec, Sums, Term};
use crate::pipeline::check_population::POPULATION_FRESHNESS;
use crate::ports::PortError;

/// The item of the ledger's entries, the column of its population that names the account of an entry, and its amount.
pub(super) const ENTRIES: &str = "CR_03";
const ACCOUNT: &str = "reconciled_account";
const AMOUNT: &str = "amount";
/// The item whose line is the voucher account.
const VOUCHERS: &str = "IPE_08";

/// Amounts with the companies that delivered.
#[derive(Default)]
pub(super) struct Side {
    by_place: BTreeMap<Place, Amount>,
    delivered: BTreeSet<String>,
}

impl Side {
    fn amounts(&self) -> Amounts<'_> {
        Amounts {
            by_place: &self.by_place,
            delivered: &self.delivered,
        }
    }
}

/// Makes the checks that the contract names.
///
/// # Errors
/// As reading packages; a sum beyond 38 digits.
pub(super) async fn zero_checks(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    packages: &BTreeMap<IpeId, Packaged>,
    known: &Known,
    (past, opening): (&Past, Option<&Side>),
) -> Result<Vec<ZeroCheck>, PortError> {
    let contract = &rules.contract;
    let mut checks = Vec::new();
    let closing = side(known, &contract.actual.item, &known.actuals);
    let mut entries = packages.iter();
    let entries = entries.find(|(item, _)| item.as_str() == ENTRIES);
    let entries = entries.map(|(_, package)| package);
    let entries = entries.filter(|package| state(package).unsound.is_empty());
    for rule in &contract.zero_checks {
        let check = match rule.id.as_str() {
            "Z1" if past.is_first => {
                let what = "no earlier month was sealed: 0 packages to roll forward from";
                elsewhere(contract, "Z1", Verdict::NotApplicable, what.to_owned())
            }
            "Z1" => {
                let movement = movement(sources, period, entries).await?;
                let parts = [opening, movement.as_ref(), closing.as_ref()];
                let [opening, movement, closing] = parts.map(|side| side.map(Side::amounts));
                roll_forward(contract, opening, movement, closing).map_err(failed_amount)?
            }
            "Z2" => {
                let entries = entries.and_then(|package| {
                    let population = package.record.population.as_ref()?;
                    entries_to_date(contract, population)
                });
                let parts = [entries.as_ref(), closing.as_ref()];
                let [entries, balances] = parts.map(|side| side.map(Side::amounts));
                meaning(contract, entries, balances).map_err(failed_amount)?
            }
            _ => {
                let (verdict, what) = freshness(packages, &rule.inputs);
                elsewhere(contract, &rule.id, verdict, what)
            }
        };
        checks.push(check);
    }
    Ok(checks)
}

/// Balances by place, if their item passed.
fn side(known: &Known, item: &IpeId, by_place: &BTreeMap<Place, Amount>) -> Option<Side> {
    let state = known.items.get(item)?;
    let mut side = Side {
        by_place: by_place.clone(),
        delivered: state.delivered.clone(),
    };
    side.delivered
        .retain(|company| !state.rows_without_amount.contains_key(company));
    state.unsound.is_empty().then_some(side)
}

/// The balances of last month's package, if it passed.
pub(super) async fn balances(
    sources: Sources<'_>,
    rules: &Rules,
    package: Option<&Packaged>,
) -> Result<Option<Side>, PortError> {
    let Some(package) = package else {
        return Ok(None);
    };
    let state = state(package);
    if !state.unsound.is_empty() {
        return Ok(None);
    }
    let found = sum(sources, package, &rules.contract.actual).await?;
    Ok(Some(of_sums(&found, state.delivered)))
}

/// Last month's balances of the voucher account by company: what is not there of one that delivered is zero.
pub(super) fn of_vouchers(
    contract: &ReconciliationContract,
    opening: Option<&Side>,
) -> Result<BTreeMap<String, Amount>, PortError> {
    let lines = contract.lines.iter().filter(|line| {
        let mut targets = line.targets.iter();
        targets.any(|target| target.item.as_str() == VOUCHERS)
    });
    let gls: Vec<&String> = lines.flat_map(|line| &line.gls).collect();
    let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
    // Of a company with rows that are in no sum nobody knows the balance.
    let is_known = |company: &String| opening.is_some_and(|side| side.delivered.contains(company));
    for ((company, gl), amount) in opening.into_iter().flat_map(|side| &side.by_place) {
        if gls.contains(&gl) && is_known(company) {
            let sum = sums.entry(company.clone());
            let sum = sum.or_insert(Amount::zero(amount.scale()));
            *sum = sum.checked_add(*amount).map_err(failed_amount)?;
        }
    }
    for company in opening.into_iter().flat_map(|side| &side.delivered) {
        sums.entry(company.clone()).or_insert(Amount::zero(0));
    }
    Ok(sums)
}

/// What was posted in the month.
async fn movement(
    sources: Sources<'_>,
    period: Period,
    entries: Option<&Packaged>,
) -> Result<Option<Side>, PortError> {
    let Some(package) = entries else {
        return Ok(None);
    };
    let posted = |test| Condition::new("posting_date", test);
    let spec = SumSpec {
        company: "id_company".to_owned(),
        account: Some("group_coa_account_no".to_owned()),
        negative: false,
        terms: vec![Term {
            column: AMOUNT.to_owned(),
            negative: false,
        }],
        conditions: vec![
            posted(Test::AtLeast(Literal::Day(period.start()))),
            posted(Test::Below(Literal::Day(period.next_start()))),
        ],
    };
    let found = sum_of(sources, package, spec).await?;
    Ok(Some(of_sums(&found, state(package).delivered)))
}

/// Sums of the companies that delivered; of a company with rows that are in no sum nobody knows what it has.
fn of_sums(sums: &Sums, mut delivered: BTreeSet<String>) -> Side {
    for (company, rows) in sums.companies() {
        if rows.without_amount + rows.undecided > 0 {
            delivered.remove(&company);
        }
    }
    let groups = sums.groups.iter();
    let places = groups.map(|(key, sum)| {
        let account = key.account.clone().unwrap_or_default();
        ((key.company.clone(), account), sum.amount)
    });
    Side {
        by_place: places.collect(),
        delivered,
    }
}

/// Every entry up to the cutoff by company and account, as the population of the item counted them; `None` where it did
/// not, or not every account of the contract by itself.
fn entries_to_date(contract: &ReconciliationContract, population: &Population) -> Option<Side> {
    let mut scopes = population.scopes.iter();
    let scope = scopes.find(|scope| scope.rule.column == ACCOUNT)?;
    if !accounts(contract).all(|gl| scope.rule.known.contains(gl)) {
        return None;
    }
    let mut amounts = population.amounts.iter();
    let amount = amounts.position(|name| name == AMOUNT)?;
    let mut side = Side::default();
    let base = population.base.iter().filter(|(_, base)| base.rows > 0);
    side.delivered
        .extend(base.map(|(company, _)| company.clone()));
    for cell in &scope.cells {
        let account = cell.value.clone().unwrap_or_default();
        let place = (cell.company.clone(), account);
        side.by_place.insert(place, *cell.sums.get(amount)?);
    }
    Some(side)
}

/// What the checks of freshness said of these items: what is wrong first, then the names of those that are fresh.
fn freshness(packages: &BTreeMap<IpeId, Packaged>, items: &[IpeId]) -> (Verdict, String) {
    let mut worst = Verdict::Pass;
    let (mut said, mut fresh) = (Vec::new(), Vec::new());
    for item in items {
        let record = packages.get(item).map(|package| &package.record);
        let mut checks = record.iter().flat_map(|record| &record.checks);
        match checks.find(|check| check.id == POPULATION_FRESHNESS) {
            Some(check) if check.verdict == Verdict::Fail => {
                worst = Verdict::Fail;
                said.push(format!("{item}: {}", check.findings.join("; ")));
            }
            Some(check) if check.verdict == Verdict::Pass => fresh.push(item.as_str()),
            Some(check) => {
                worst = worse(worst);
                said.push(format!("{item}: {}", check.summary));
            }
            None => {
                worst = worse(worst);
                said.push(format!("{item} was not run"));
            }
        }
    }
    if !fresh.is_empty() {
        said.push(format!(
            "as fresh as the catalog asks: {}",
            fresh.join(", ")
        ));
    }
    (worst, said.join("; "))
}

fn worse(worst: Verdict) -> Verdict {
    match worst {
        Verdict::Fail => Verdict::Fail,
        _ => Verdict::NotRun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::freshness::SourceDates;
    use crate::domain::population::BaseCount;
    use crate::domain::scope::{Scope, ScopeCell, ScopeRule};

    const CONTRACT: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

    #[test]
    fn the_voucher_account_opens_with_last_month_or_with_nothing_that_is_known() {
        let contract = ReconciliationContract::read("v1.toml", CONTRACT).unwrap();
        let place = |company: &str, gl: &str| (company.to_owned(), gl.to_owned());
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let side = Side {
            by_place: BTreeMap::from([
                (place("EC_NG", "18412"), amount("-100.00")),
                (place("EC_NG", "13003"), amount("7.00")),
            ]),
            delivered: BTreeSet::from(["EC_NG".to_owned(), "EC_KE".to_owned()]),
        };
        let opening = of_vouchers(&contract, Some(&side)).unwrap();
        assert_eq!(opening["EC_NG"], amount("-100.00"));
        assert_eq!(opening["EC_KE"].units(), 0, "it delivered, and has none");
        assert!(!opening.contains_key("EC_IC"), "nobody knows");
        assert!(of_vouchers(&contract, None).unwrap().is_empty());
    }

    #[test]
    fn entries_to_date_are_by_account_and_an_account_that_nobody_counted_is_not_zero() {
        let contract = ReconciliationContract::read("v1.toml", CONTRACT).unwrap();
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let cell = |account: &str, sum: &str| ScopeCell {
            company: "EC_NG".to_owned(),
            value: Some(account.to_owned()),
            rows: 1,
            sums: vec![amount(sum)],
        };
        let base = BaseCount {
            rows: 3,
            first: None,
            last: None,
            dates: SourceDates::default(),
        };
        let population = |known: &[&str]| Population {
            amounts: vec![AMOUNT.to_owned()],
            base: BTreeMap::from([("EC_NG".to_owned(), base)]),
            scopes: vec![Scope {
                rule: ScopeRule {
                    column: ACCOUNT.to_owned(),
                    known: known.iter().map(|gl| (*gl).to_owned()).collect(),
                },
                cells: vec![
                    cell("13003", "1000"),
                    cell("18350", "-1000"),
                    cell("other", "5"),
                ],
            }],
            ..Population::default()
        };
        let known: Vec<&str> = accounts(&contract).collect();
        let side = entries_to_date(&contract, &population(&known)).unwrap();
        let at = |gl: &str| side.by_place[&("EC_NG".to_owned(), gl.to_owned())];
        assert_eq!(at("13003"), amount("1000"));
        assert_eq!(at("18350"), amount("-1000"));
        assert!(side.delivered.contains("EC_NG"));
        assert!(entries_to_date(&contract, &population(&known[1..])).is_none());
        assert!(entries_to_date(&contract, &Population::default()).is_none());
    }
}
