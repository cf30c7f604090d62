//! A month for tests: every item delivered every company, every bridge was computed, and nothing is anywhere.

use std::collections::BTreeMap;

use super::contract::ReconciliationContract;
use super::evaluate::{
    BridgeSums, EvaluateError, InputState, Inputs, Place, TargetPlace, TargetSum, evaluate,
};
use super::fx::Rates;
use super::result::{Bucket, LineResult, Reconciliation, Status};
use super::threshold::Thresholds;
use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;

pub(super) const CONTRACT: &str = include_str!("../../../data/rules/reconciliation/v1.toml");
pub(super) const DEFAULTS: &str = include_str!("../../../data/thresholds/DEFAULT/v1.toml");
pub(super) const EGYPT: &str = include_str!("../../../data/thresholds/EG/v1.toml");

pub(super) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(super) fn contract() -> ReconciliationContract {
    ReconciliationContract::read("v1.toml", CONTRACT).unwrap()
}

pub(super) fn item(name: &str) -> IpeId {
    name.parse().unwrap()
}

/// What a test says of a month.
#[derive(Clone)]
pub(super) struct Month {
    pub(super) contract: ReconciliationContract,
    pub(super) thresholds: Thresholds,
    pub(super) actuals: BTreeMap<Place, Amount>,
    pub(super) targets: BTreeMap<TargetPlace, TargetSum>,
    pub(super) bridges: BTreeMap<String, BridgeSums>,
    pub(super) rates: BTreeMap<&'static str, Vec<Option<&'static str>>>,
    pub(super) items: BTreeMap<IpeId, InputState>,
}

impl Month {
    pub(super) fn new() -> Self {
        let contract = contract();
        let sound = InputState {
            delivered: contract.companies.keys().cloned().collect(),
            ..InputState::default()
        };
        let items = contract.items().into_iter();
        let bridges = contract.lines.iter().flat_map(|line| &line.bridges);
        let rates = [
            ("EC_NG", "1650"),
            ("EC_KE", "130"),
            ("EC_IC", "600"),
            ("HF_SN", "600"),
            ("JD_GH", "13.5"),
            ("JD_UG", "3800"),
            ("JD_DZ", "134.5"),
            ("JM_EG", "48.9"),
            ("EC_MA", "10.1"),
        ];
        Self {
            items: items.map(|item| (item, sound.clone())).collect(),
            bridges: bridges
                .map(|id| (id.clone(), BridgeSums::default()))
                .collect(),
            thresholds: Thresholds::read([("DEFAULT", DEFAULTS), ("EG", EGYPT)]).unwrap(),
            actuals: BTreeMap::new(),
            targets: BTreeMap::new(),
            rates: rates
                .map(|(company, rate)| (company, vec![Some(rate)]))
                .into(),
            contract,
        }
    }

    /// Adds to a balance.
    pub(super) fn actual(mut self, company: &str, gl: &str, balance: &str) -> Self {
        let sum = self.actuals.entry((company.into(), gl.into()));
        let sum = sum.or_insert(Amount::zero(20));
        let more = amount(balance).rescale(20).unwrap();
        *sum = sum.checked_add(more).unwrap();
        self
    }

    /// Adds to what an item says.
    pub(super) fn target(
        mut self,
        name: &str,
        company: &str,
        gl: Option<&str>,
        more: &str,
    ) -> Self {
        let place = TargetPlace {
            item: item(name),
            company: company.into(),
            gl: gl.map(str::to_owned),
        };
        let none = TargetSum {
            amount: Amount::zero(20),
            rows: 0,
        };
        let sum = self.targets.entry(place).or_insert(none);
        let more = amount(more).rescale(20).unwrap();
        sum.amount = sum.amount.checked_add(more).unwrap();
        sum.rows += 1;
        self
    }

    pub(super) fn bridge(mut self, bridge: &str, company: &str, sum: &str) -> Self {
        let sums = self.bridges.entry(bridge.into()).or_default();
        sums.amounts.insert(company.into(), amount(sum));
        self
    }

    pub(super) fn rate(mut self, company: &'static str, rates: &[Option<&'static str>]) -> Self {
        self.rates.insert(company, rates.to_vec());
        self
    }

    pub(super) fn state(&mut self, name: &str) -> &mut InputState {
        self.items.get_mut(&item(name)).unwrap()
    }

    pub(super) fn tried(&self) -> Result<Reconciliation, EvaluateError> {
        let rows = self.rates.iter().flat_map(|(company, rates)| {
            rates
                .iter()
                .map(|rate| ((*company).to_owned(), rate.map(amount)))
        });
        evaluate(Inputs {
            contract: &self.contract,
            thresholds: &self.thresholds,
            period: "2024-04".parse().unwrap(),
            actuals: &self.actuals,
            targets: &self.targets,
            bridges: &self.bridges,
            rates: &Rates::read(rows),
            items: &self.items,
        })
    }

    pub(super) fn judged(&self) -> Reconciliation {
        self.tried().unwrap()
    }
}

/// Line, company, account, unexplained amount in local currency and in dollars, status.
pub(super) type Exception = (String, String, String, String, String, Status);

pub(super) fn one(
    line: &str,
    company: &str,
    gl: &str,
    lcy: &str,
    usd: &str,
    status: Status,
) -> Exception {
    let [line, company, gl, lcy, usd] = [line, company, gl, lcy, usd].map(str::to_owned);
    (line, company, gl, lcy, usd, status)
}

fn text(amount: Option<Amount>) -> String {
    let text = amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// What is not OK, in the order of lines and companies.
pub(super) fn exceptions(result: &Reconciliation) -> Vec<Exception> {
    let found = result.exceptions().into_iter();
    let mut found: Vec<Exception> = found
        .map(|(line, b)| {
            let gl = b.gl.clone().unwrap_or_default();
            let (lcy, usd) = (text(b.unexplained), text(b.unexplained_usd));
            (line.id.clone(), b.company.clone(), gl, lcy, usd, b.status)
        })
        .collect();
    found.sort();
    found
}

pub(super) fn line<'a>(result: &'a Reconciliation, id: &str) -> &'a LineResult {
    result.lines.iter().find(|line| line.id == id).unwrap()
}

pub(super) fn bucket<'a>(
    result: &'a Reconciliation,
    id: &str,
    company: &str,
    gl: Option<&str>,
) -> &'a Bucket {
    let mut buckets = line(result, id).buckets.iter();
    buckets
        .find(|b| b.company == company && b.gl.as_deref() == gl)
        .unwrap()
}
