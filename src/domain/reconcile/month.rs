//! A month for tests, put together piece by piece.

use std::collections::BTreeMap;

use super::contract::ReconciliationContract;
use super::evaluate::{InputState, Inputs, Place, TargetPlace, TargetSum, evaluate};
use super::fx::Rates;
use super::result::Reconciliation;
use super::threshold::Thresholds;
use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;

const CONTRACT: &str = include_str!("../../../data/rules/reconciliation/v1.toml");
pub(super) const DEFAULTS: &str = include_str!("../../../data/thresholds/DEFAULT/v1.toml");
const EGYPT: &str = include_str!("../../../data/thresholds/EG/v1.toml");

pub(super) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A month in which every item delivered every company and nothing is anywhere.
pub(super) struct Month {
    contract: ReconciliationContract,
    pub(super) thresholds: Thresholds,
    actuals: BTreeMap<Place, Amount>,
    targets: BTreeMap<TargetPlace, TargetSum>,
    bridges: BTreeMap<(String, String, String), Amount>,
    pub(super) rates: BTreeMap<&'static str, Vec<Option<&'static str>>>,
    pub(super) items: BTreeMap<IpeId, InputState>,
}

impl Month {
    pub(super) fn new() -> Self {
        let contract = ReconciliationContract::read("v1.toml", CONTRACT).unwrap();
        let sound = InputState {
            delivered: contract.companies.keys().cloned().collect(),
            ..InputState::default()
        };
        let items = contract.items().into_iter();
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
            thresholds: Thresholds::read([("DEFAULT", DEFAULTS), ("EG", EGYPT)]).unwrap(),
            actuals: BTreeMap::new(),
            targets: BTreeMap::new(),
            bridges: BTreeMap::new(),
            rates: rates
                .map(|(company, rate)| (company, vec![Some(rate)]))
                .into(),
            contract,
        }
    }

    pub(super) fn actual(mut self, company: &str, gl: &str, balance: &str) -> Self {
        self.actuals
            .insert((company.into(), gl.into()), amount(balance));
        self
    }

    pub(super) fn target(mut self, item: &str, company: &str, gl: Option<&str>, sum: &str) -> Self {
        let place = TargetPlace {
            item: item.parse().unwrap(),
            company: company.into(),
            gl: gl.map(str::to_owned),
        };
        self.targets.insert(
            place,
            TargetSum {
                amount: amount(sum),
                rows: 1,
            },
        );
        self
    }

    pub(super) fn bridge(mut self, bridge: &str, company: &str, sum: &str) -> Self {
        self.bridges
            .insert(("L6".into(), bridge.into(), company.into()), amount(sum));
        self
    }

    pub(super) fn state(&mut self, item: &str) -> &mut InputState {
        self.items.get_mut(&item.parse::<IpeId>().unwrap()).unwrap()
    }

    pub(super) fn judged(&self) -> Reconciliation {
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
        .unwrap()
    }
}
