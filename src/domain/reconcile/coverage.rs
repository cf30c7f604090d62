//! What no line compares, and what is too small to be looked at by itself.

use super::contract::ReconciliationContract;
use super::evaluate::Inputs;
use super::result::{LineResult, NotCovered, Residual, Status};
use super::threshold::{Context, Kind};
use super::wide::Dollars;

/// Amounts that no line compares: of companies outside the scope, and on accounts of no line.
pub(super) fn not_covered(inputs: Inputs<'_>) -> Vec<NotCovered> {
    let contract = inputs.contract;
    let mut found = Vec::new();
    for ((company, gl), balance) in inputs.actuals {
        let why = match (outside(contract, company), contract.line_of(gl)) {
            _ if balance.units() == 0 => continue,
            (Some(why), _) => why.to_owned(),
            (None, None) => match contract.uncovered.get(gl) {
                Some(why) => why.clone(),
                None => "no line owns the account".to_owned(),
            },
            (None, Some(line)) if line.without.contains(company) => {
                "the line leaves the company out".to_owned()
            }
            (None, Some(_)) => continue,
        };
        found.push(NotCovered {
            company: company.clone(),
            gl: gl.clone(),
            item: None,
            balance: *balance,
            why,
        });
    }
    for (place, sum) in inputs.targets {
        let company = &place.company;
        let line = contract.lines.iter().find(|line| {
            let mut targets = line.targets.iter();
            targets.any(|target| target.item == place.item)
        });
        let is_left_out = line.is_some_and(|line| line.without.contains(company));
        let why = match outside(contract, company) {
            _ if sum.amount.units() == 0 => continue,
            Some(why) => why,
            None if is_left_out => "the line leaves the company out",
            None => continue,
        };
        found.push(NotCovered {
            company: company.clone(),
            gl: place.gl.clone().unwrap_or_default(),
            item: Some(place.item.clone()),
            balance: sum.amount,
            why: why.to_owned(),
        });
    }
    found
}

/// Why a company is in no line at all.
fn outside(contract: &ReconciliationContract, company: &str) -> Option<&'static str> {
    if contract.outside.contains(company) {
        Some("the company is outside the scope")
    } else if contract.companies.contains_key(company) {
        None
    } else {
        Some("nobody knows the company")
    }
}

/// Residuals of every company, of judged lines, against the materiality of its country.
pub(super) fn residuals(inputs: Inputs<'_>, lines: &[LineResult]) -> Vec<Residual> {
    let companies = inputs.contract.companies.iter();
    let all = companies.map(|(code, company)| {
        let judged = lines.iter().filter(|line| !line.memo);
        let buckets = judged.flat_map(|line| &line.buckets);
        let small = buckets.filter(|b| b.company == *code && b.status == Status::Ok);
        let gross = small.filter_map(|b| Some(Dollars::of(b.unexplained?, b.rate?)?.abs()));
        let gross = gross.reduce(|sum, one| sum.add(&one));
        let materiality = inputs.thresholds.resolve(
            Kind::CountryMaterialityUsd,
            &company.country,
            Context::default(),
            inputs.period.end(),
        );
        Residual {
            company: code.clone(),
            is_reached: gross
                .as_ref()
                .is_some_and(|gross| gross.reaches(materiality.usd)),
            gross_usd: gross.and_then(|gross| gross.shown()),
            materiality,
        }
    });
    all.collect()
}
