//! Work floor: the reconciliation of a month from sealed packages.
//!
//! Reads packages and the parts that they name, each proven to be what was sealed and staged; asks no source and no
//! warehouse. A part that is not what the package says is an error, never a smaller sum.

pub mod inputs;
mod sums;

use std::collections::BTreeMap;

use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{ReconciliationContract, Source};
use crate::domain::reconcile::evaluate::{
    InputState, Inputs, Place, TargetPlace, TargetSum, evaluate,
};
use crate::domain::reconcile::fx::Rates;
use crate::domain::reconcile::result::Reconciliation;
use crate::domain::reconcile::threshold::Thresholds;
use crate::domain::run::ItemStatus;
use crate::kernels::reconcile::sums::Sums;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

use super::check;
use super::package::verify::Opener;
use inputs::{InputUsed, Packaged};

/// The rules that a month is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Where the contract was read.
    pub place: String,
    /// The contract.
    pub contract: ReconciliationContract,
    /// Thresholds.
    pub thresholds: Thresholds,
}

/// Where everything lies.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Root of the packages.
    pub evidence: &'a StoreRoot,
    /// Where parts are now, if not at the staging root that their package names.
    pub staging: Option<&'a StoreRoot>,
    /// Opens the staging root that a package names.
    pub open: Opener<'a>,
    /// How much may be held at once.
    pub limits: &'a Limits,
}

/// What a month came to, and from what.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Reconciled {
    /// The packages that were used, by item; an item without one is not here.
    pub inputs: Vec<InputUsed>,
    /// What they come to.
    pub result: Reconciliation,
}

/// Reconciles a month from the packages of `run`, or from the newest of each item.
///
/// # Errors
/// `Corrupt` for a package or a part that is not what was sealed; `Config` for rules that do not fit the items; storage
/// errors. What an item's run did not conclude is no error: its lines say so.
pub async fn reconcile(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    run: Option<&RunId>,
) -> Result<Reconciled, PortError> {
    let contract = &rules.contract;
    let mut packages: BTreeMap<IpeId, Packaged> = BTreeMap::new();
    for item in contract.items() {
        let found = inputs::find(sources.evidence, (&item, period), run).await?;
        packages.extend(found.map(|package| (item, package)));
    }
    if packages.is_empty() {
        let of_run = run.map_or_else(String::new, |run| format!(" of run {run}"));
        let what = format!("there is no sealed package{of_run} of {period}");
        return Err(PortError::new(PortErrorKind::Query, what)
            .at("evidence", sources.evidence.uri.clone())
            .hint("run the month first, or name the evidence root with --evidence"));
    }
    let contracts: BTreeMap<IpeId, &Contract> = packages
        .iter()
        .map(|(item, package)| (item.clone(), &package.record.contract))
        .collect();
    fits(rules, &contracts)?;
    let mut known = Known::default();
    for (item, package) in &packages {
        let state = state(package);
        let is_sound = state.unsound.is_empty();
        known.items.insert(item.clone(), state);
        if is_sound {
            known.read(sources, contract, package).await?;
        }
    }
    let judged = evaluate(Inputs {
        contract,
        thresholds: &rules.thresholds,
        period,
        actuals: &known.actuals,
        targets: &known.targets,
        bridges: &BTreeMap::new(),
        rates: &known.rates,
        items: &known.items,
    });
    let result = judged.map_err(|error| PortError::new(PortErrorKind::Limit, error.to_string()))?;
    Ok(Reconciled {
        inputs: packages.values().map(InputUsed::of).collect(),
        result,
    })
}

/// Checks the rules against the contracts of the items that have a package.
fn fits(rules: &Rules, items: &BTreeMap<IpeId, &Contract>) -> Result<(), PortError> {
    let fitted = rules.contract.fits(&rules.place, items);
    fitted.map_err(|error| {
        PortError::new(PortErrorKind::Config, error.to_string())
            .hint("the rules and the catalog that the month was run with do not belong together")
    })
}

/// What the run of an item says of it.
fn state(package: &Packaged) -> InputState {
    let record = &package.record;
    let mut state = InputState::default();
    if record.status != ItemStatus::Success {
        let checks = check::holding(record, &record.checks)
            .chain(check::holding(record, &record.verification));
        let held: Vec<&str> = checks.map(|check| check.id.as_str()).collect();
        let why = match (&record.error, held.as_slice()) {
            (Some(error), _) => error.lines().next().unwrap_or_default().to_owned(),
            (None, [first, ..]) => format!("check {first} holds it"),
            (None, []) => "it never ended".to_owned(),
        };
        let run = &record.context.run_id;
        let what = format!("run {run} is {}: {why}", record.status.word());
        state.unsound.push(what);
    }
    if let Some(staged) = &record.staged {
        state.delivered.extend(staged.totals.groups.keys().cloned());
    }
    // A company whose every row a predicate took away has delivered: the funnel says where they went.
    if let Some(population) = &record.population {
        let base = population.base.iter().filter(|(_, count)| count.rows > 0);
        state
            .delivered
            .extend(base.map(|(company, _)| company.clone()));
    }
    let findings = record.findings.iter();
    let findings = findings.map(|finding| (finding.company.clone(), finding.what.clone()));
    state.reported.extend(findings);
    let accepted = check::exceptions(record).into_iter();
    state.reported.extend(accepted.map(|check| {
        let what = format!(
            "check {} did not clear, and somebody answers for it",
            check.id
        );
        (String::new(), what)
    }));
    state
}

/// What the packages say.
#[derive(Default)]
struct Known {
    actuals: BTreeMap<Place, Amount>,
    targets: BTreeMap<TargetPlace, TargetSum>,
    rates: Rates,
    items: BTreeMap<IpeId, InputState>,
}

impl Known {
    /// Reads what the contract needs of an item.
    async fn read(
        &mut self,
        sources: Sources<'_>,
        contract: &ReconciliationContract,
        package: &Packaged,
    ) -> Result<(), PortError> {
        let item = &package.record.ipe;
        if contract.rates.item == *item {
            let rows = sums::rates(sources, package, &contract.rates).await?;
            self.rates = Rates::read(rows);
        }
        if contract.actual.item == *item {
            let found = sums::sum(sources, package, &contract.actual).await?;
            for (key, sum) in &found.groups {
                let account = key.account.clone().unwrap_or_default();
                self.actuals
                    .insert((key.company.clone(), account), sum.amount);
            }
            self.lacking(item, &found);
        }
        let targets = contract.lines.iter().flat_map(|line| &line.targets);
        let of_item: Vec<&Source> = targets.filter(|target| target.item == *item).collect();
        for target in of_item {
            let found = sums::sum(sources, package, target).await?;
            for (key, sum) in found.groups.iter().filter(|(_, sum)| sum.rows > 0) {
                let place = TargetPlace {
                    item: item.clone(),
                    company: key.company.clone(),
                    gl: key.account.clone(),
                };
                let (amount, rows) = (sum.amount, sum.rows);
                self.targets.insert(place, TargetSum { amount, rows });
            }
            self.lacking(item, &found);
        }
        Ok(())
    }

    /// Notes rows that are in no sum because something of them is not known.
    fn lacking(&mut self, item: &IpeId, sums: &Sums) {
        let state = self.items.entry(item.clone()).or_default();
        for (company, rows) in sums.companies() {
            let lacking = rows.without_amount + rows.undecided;
            if lacking > 0 {
                *state.rows_without_amount.entry(company).or_default() += lacking;
            }
        }
    }
}
