//! Work floor: the reconciliation of a month from sealed packages.
//!
//! Reads packages and the parts that they name, each proven to be what was sealed and staged; asks no source, and no
//! warehouse but the one that is to compute. A part that is not what the package says is an error, never a smaller sum.

pub mod as_of;
mod bridge_sums;
mod candidates;
mod changes;
pub mod closing;
mod engine;
mod explain;
mod history;
pub mod inputs;
pub mod judgement;
mod last_year;
mod late;
mod matched;
mod rates;
mod rules;
mod sums;
mod wanted;
mod zeros;

use std::collections::BTreeMap;

use crate::domain::amount::Amount;
use crate::domain::check::Acceptance;
use crate::domain::contract::Contract;
use crate::domain::ids::IpeId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{ReconciliationContract, Source};
use crate::domain::reconcile::drift::Drift;
use crate::domain::reconcile::evaluate::{
    InputState, Inputs, Place, Reported, TargetPlace, TargetSum, evaluate,
};
use crate::domain::reconcile::fx::Rates;
use crate::domain::reconcile::result::{Code, Reconciliation};
use crate::domain::reconcile::statement::{Change, Input, Since};
use crate::domain::reconcile::zero::ZeroCheck;
use crate::domain::run::ItemStatus;
use crate::kernels::reconcile::sums::Sums;
use crate::ports::{PortError, PortErrorKind, StoreRoot, Warehouse};

use super::check;
use super::findings;
use super::package::verify::Opener;
use super::record::ItemRecord;
use inputs::{Chosen, InputUsed, Packaged};

pub use explain::{Categories, Explanations};
pub use history::{LinePoint, MonthPoint};
pub use late::Final;
pub use matched::ScratchMaker;
pub use rules::Rules;

/// Where everything lies.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Root of the packages.
    pub evidence: &'a StoreRoot,
    /// Where parts are now, if not at the staging root that their package names.
    pub staging: Option<&'a StoreRoot>,
    /// Opens the staging root that a package names.
    pub open: Opener<'a>,
    /// A BigQuery that sums, joins and subtracts over its loaded months; `None` sums over the staged parts.
    pub engine: Option<&'a dyn Warehouse>,
    /// Where rows wait while they are matched.
    pub scratch: ScratchMaker<'a>,
    /// How much may be held at once.
    pub limits: &'a Limits,
}

/// What a month came to, and from what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reconciled {
    /// The packages that were used, by item; an item without one is not here.
    pub inputs: Vec<InputUsed>,
    /// The package of last month's balances, if there is one.
    pub opening: Option<InputUsed>,
    /// Whether no earlier month was ever sealed.
    pub is_first: bool,
    /// Earlier months that are closed, with the run that is final.
    pub finals: Vec<Final>,
    /// Earlier months as they were judged, the oldest first.
    pub history: Vec<MonthPoint>,
    /// SHA-256 of every rule file, in hex, by its place.
    pub rules: BTreeMap<String, String>,
    /// Versions of thresholds that somebody named, by country.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, u32>,
    /// The earlier month that it is compared with; `None` where none was judged, or an older version made this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Definitions and rules that are not as they were then.
    pub changes: Vec<Change>,
    /// What moved since then; `None` where nothing says what was, or an older version made this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What a report says of every item that the contract needs.
    pub items: Vec<Input>,
    /// Checks that somebody answers for.
    pub accepted: Vec<Acceptance>,
    /// What they come to.
    pub result: Reconciliation,
    /// What must come to nothing whatever the lines say.
    pub zero_checks: Vec<ZeroCheck>,
    /// What stands behind the bridges, and what is only listed.
    pub explanations: Explanations,
}

/// Reconciles a month from the packages that are chosen.
///
/// # Errors
/// `Corrupt` for a package or a part that is not what was sealed; `Config` for rules that do not fit the items; storage
/// errors. What an item's run did not conclude is no error: its lines say so.
pub async fn reconcile(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    chosen: &Chosen,
) -> Result<Reconciled, PortError> {
    let contract = &rules.contract;
    let packages = packages(sources.evidence, contract, period, chosen).await?;
    fits(rules, &packages)?;
    let known = Known::of(sources, contract, &packages).await?;
    let sound: BTreeMap<&IpeId, &Packaged> = packages
        .iter()
        .filter(|(item, _)| known.is_sound(item))
        .collect();
    let (mut explanations, bridges) = explain::explain(sources, rules, period, &sound).await?;
    let judged = evaluate(Inputs {
        contract,
        thresholds: &rules.thresholds,
        period,
        actuals: &known.actuals,
        targets: &known.targets,
        bridges: &bridges,
        rates: &known.rates,
        items: &known.items,
    });
    let mut result = judged.map_err(sums::failed_amount)?;
    engine::agree(sources, contract, period, &sound, &result).await?;
    let (targets, all) = (&known.targets, &mut explanations);
    matched::matches(sources, contract, period, &sound, targets, all).await?;
    candidates::name(sources, contract, &sound, &mut result, &mut explanations).await?;
    let item = &contract.actual.item;
    let past = history::past(sources.evidence, item, period, chosen).await?;
    let all = &mut explanations;
    rates::compare(sources, contract, &sound, &past, &mut result, all).await?;
    let opening = zeros::balances(sources, rules, past.opening.as_ref()).await?;
    explanations.opening = zeros::of_vouchers(contract, opening.as_ref())?;
    let from = (&past, opening.as_ref());
    let zero_checks = zeros::zero_checks(sources, rules, period, &packages, &known, from).await?;
    let mut entries = sound.iter();
    let entries = entries.find(|(item, _)| item.as_str() == zeros::ENTRIES);
    let entries = entries.map(|(_, package)| *package);
    result.report(late::late_postings(sources, entries, &past).await?);
    result.report(zero_checks.iter().flat_map(ZeroCheck::findings));
    let hashes = changes::hashes(rules);
    let changes = changes::changes(past.compared(), &packages, rules, &hashes);
    let items = contract.items();
    let items = items.iter();
    let items: Vec<Input> = items
        .map(|item| inputs::input(item, packages.get(item)))
        .collect();
    let drift = changes::drift(past.compared(), &items, &result);
    Ok(Reconciled {
        inputs: packages.values().map(InputUsed::of).collect(),
        opening: past.opening.as_ref().map(InputUsed::of),
        is_first: past.is_first,
        since: past.since(),
        finals: past.finals,
        history: past.months,
        rules: hashes,
        pins: rules.thresholds.pins().clone(),
        changes,
        drift,
        items,
        accepted: accepted(&packages),
        result,
        zero_checks,
        explanations,
    })
}

/// The packages that speak for the items of the contract.
async fn packages(
    evidence: &StoreRoot,
    contract: &ReconciliationContract,
    period: Period,
    chosen: &Chosen,
) -> Result<BTreeMap<IpeId, Packaged>, PortError> {
    let mut packages: BTreeMap<IpeId, Packaged> = BTreeMap::new();
    for item in contract.items() {
        let found = chosen.package(evidence, &item, period).await?;
        packages.extend(found.map(|package| (item, package)));
    }
    if packages.is_empty() {
        let of_run = match chosen {
            Chosen::Run(run) => format!(" of run {run}"),
            Chosen::Newest | Chosen::Exactly { .. } => String::new(),
        };
        let what = format!("there is no sealed package{of_run} of {period}");
        return Err(PortError::new(PortErrorKind::Query, what)
            .at("evidence", evidence.uri.clone())
            .hint("run the month first, or name the evidence root with --evidence"));
    }
    Ok(packages)
}

/// Checks the rules against the contracts of the items that have a package.
fn fits(rules: &Rules, packages: &BTreeMap<IpeId, Packaged>) -> Result<(), PortError> {
    let items: BTreeMap<IpeId, &Contract> = packages
        .iter()
        .map(|(item, package)| (item.clone(), &package.record.contract))
        .collect();
    let fitted = rules.contract.fits(&rules.place, &items);
    fitted.map_err(|error| {
        PortError::new(PortErrorKind::Config, error.to_string())
            .hint("the rules and the catalog that the month was run with do not belong together")
    })
}

/// Checks that somebody answers for, each once.
fn accepted(packages: &BTreeMap<IpeId, Packaged>) -> Vec<Acceptance> {
    let mut accepted: Vec<Acceptance> = Vec::new();
    for package in packages.values() {
        let record = &package.record;
        let open: Vec<&str> = check::exceptions(record)
            .iter()
            .map(|check| check.id.as_str())
            .collect();
        let answered = record.context.accepted.iter();
        for one in answered.filter(|one| open.contains(&one.check.as_str())) {
            if !accepted.contains(one) {
                accepted.push(one.clone());
            }
        }
    }
    accepted
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
    state.unsound_of = stale(record);
    let found = record.findings.iter();
    state.reported.extend(found.map(|finding| Reported {
        code: findings::code(finding),
        company: finding.company.clone(),
        what: finding.what.clone(),
    }));
    let accepted = check::exceptions(record).into_iter();
    state.reported.extend(accepted.map(|check| Reported {
        code: Code::Item,
        company: String::new(),
        what: format!(
            "check {} did not clear, and somebody answers for it",
            check.id
        ),
    }));
    state
}

/// Companies whose rows are not as fresh as the catalog asks: somebody may answer for loading them, and nothing is concluded
/// from them all the same.
fn stale(record: &ItemRecord) -> BTreeMap<String, Vec<String>> {
    let Some(population) = &record.population else {
        return BTreeMap::new();
    };
    let Some(rule) = &population.freshness else {
        return BTreeMap::new();
    };
    let companies = population.base.iter().map(|(company, base)| {
        let must_deliver = population.expected.contains(company);
        let why = rule.stale(&base.dates, record.context.period, must_deliver);
        (company.clone(), why)
    });
    companies.filter(|(_, why)| !why.is_empty()).collect()
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
    /// Reads what the contract needs of every item that passed.
    async fn of(
        sources: Sources<'_>,
        contract: &ReconciliationContract,
        packages: &BTreeMap<IpeId, Packaged>,
    ) -> Result<Self, PortError> {
        let mut known = Self::default();
        for (item, package) in packages {
            let state = state(package);
            let is_sound = state.unsound.is_empty();
            known.items.insert(item.clone(), state);
            if is_sound {
                known.read(sources, contract, package).await?;
            }
        }
        Ok(known)
    }

    /// Whether an item has a package that passed.
    fn is_sound(&self, item: &IpeId) -> bool {
        let state = self.items.get(item);
        state.is_some_and(|state| state.unsound.is_empty())
    }

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
