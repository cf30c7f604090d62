//! What is reported beside the lines: rates, companies, residuals, and balances that no line compares.

use super::evaluate::Inputs;
use super::fx::{Rate, plain};
use super::result::{Code, LineResult, NotCovered, ReconcileFinding, Residual, Status};
use super::threshold::{Context, Kind};
use super::wide::Dollars;

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

/// Everything that is to be reported beside the lines, in order.
pub(super) fn findings(inputs: Inputs<'_>, residuals: &[Residual]) -> Vec<ReconcileFinding> {
    let mut found = Vec::new();
    let mut find = |code, place: &str, what: String| {
        found.push(ReconcileFinding {
            code,
            place: place.to_owned(),
            what,
        });
    };
    if inputs.items.contains_key(&inputs.contract.rates.item) {
        of_rates(inputs, &mut find);
    }
    of_items(inputs, &mut find);
    elsewhere(inputs, &mut find);
    for residual in residuals.iter().filter(|residual| residual.is_reached) {
        let gross = residual
            .gross_usd
            .map_or_else(String::new, |usd| usd.to_string());
        let what = format!(
            "residuals below their thresholds come to {gross} dollars together, and the country's materiality is {}",
            residual.materiality.usd
        );
        find(Code::Aggregate, &residual.company, what);
    }
    found.sort();
    found
}

/// Companies without one closing rate, and currencies with several.
fn of_rates(inputs: Inputs<'_>, find: &mut impl FnMut(Code, &str, String)) {
    let companies = &inputs.contract.companies;
    for company in companies.keys() {
        match inputs.rates.of(company) {
            Rate::One(_) => {}
            Rate::Missing => find(Code::FxMissing, company, "no closing rate".to_owned()),
            Rate::Ambiguous(rates) => {
                let rates: Vec<String> = rates.iter().copied().map(plain).collect();
                let what = format!(
                    "several rows with rates {}; none is taken",
                    rates.join(" and ")
                );
                find(Code::FxAmbiguous, company, what);
            }
            Rate::NotPositive(rate) => {
                let what = format!("a closing rate of {}", plain(*rate));
                find(Code::FxNotPositive, company, what);
            }
        }
    }
    let currencies = companies.iter();
    let currencies = currencies.map(|(code, c)| (code.as_str(), c.currency.as_str()));
    for (currency, rates) in inputs.rates.unequal(currencies) {
        let rates: Vec<String> = rates
            .iter()
            .map(|(company, rate)| format!("{company} {}", plain(*rate)))
            .collect();
        let what = format!("different rates: {}", rates.join(", "));
        find(Code::FxUnequal, currency, what);
    }
}

/// Companies that did not deliver, rows that are in no sum, and what the items' own checks say.
fn of_items(inputs: Inputs<'_>, find: &mut impl FnMut(Code, &str, String)) {
    let contract = inputs.contract;
    let judged = contract.lines.iter().filter(|line| !line.memo);
    for line in judged {
        for item in line.targets.iter().map(|target| &target.item) {
            let state = inputs.items.get(item);
            let Some(state) = state.filter(|state| state.unsound.is_empty()) else {
                continue;
            };
            for company in contract.scope(line) {
                let place = format!("{company} {item}");
                if !state.delivered.contains(company) {
                    let what = format!(
                        "{} cannot be concluded: no row, and no proof that there is none",
                        line.id
                    );
                    find(Code::CompanyEmpty, &place, what);
                }
                if let Some(rows) = state.rows_without_amount.get(company) {
                    let what = format!("{rows} rows have no amount and are in no sum");
                    find(Code::AmountMissing, &place, what);
                }
            }
        }
    }
    for (item, state) in inputs.items {
        for (company, what) in &state.reported {
            let place = format!("{item} {company}");
            find(Code::Item, place.trim_end(), what.clone());
        }
    }
}

/// Amounts of a company of the scope on accounts that the line of their item does not own: they are in no bucket.
fn elsewhere(inputs: Inputs<'_>, find: &mut impl FnMut(Code, &str, String)) {
    let lines = inputs.contract.lines.iter().filter(|line| !line.memo);
    for line in lines.filter(|line| line.is_split()) {
        let of_line = inputs.targets.iter().filter(|(place, sum)| {
            let is_its = line.targets.iter().any(|target| target.item == place.item);
            let is_owned = place.gl.as_ref().is_some_and(|gl| line.gls.contains(gl));
            is_its && !is_owned && sum.amount.units() != 0
        });
        for (place, sum) in of_line.filter(|(place, _)| {
            inputs.contract.companies.contains_key(&place.company)
                && !line.without.contains(&place.company)
        }) {
            let gl = place.gl.as_deref().filter(|gl| !gl.is_empty());
            let what = format!(
                "{} rows with {} in sum on {}, which {} does not own",
                sum.rows,
                plain(sum.amount),
                gl.map_or_else(|| "no account".to_owned(), |gl| format!("account {gl}")),
                line.id
            );
            let (company, item) = (&place.company, &place.item);
            find(Code::AmountElsewhere, &format!("{company} {item}"), what);
        }
    }
}

/// Balances that no line compares: of companies outside the scope, and on accounts of no line.
pub(super) fn not_covered(inputs: Inputs<'_>) -> Vec<NotCovered> {
    let contract = inputs.contract;
    let mut found = Vec::new();
    for ((company, gl), balance) in inputs.actuals {
        let why = match contract.line_of(gl) {
            _ if balance.units() == 0 => continue,
            _ if contract.outside.contains(company) => "the company is outside the scope",
            _ if !contract.companies.contains_key(company) => "nobody knows the company",
            None => "no line owns the account",
            Some(line) if line.without.contains(company) => "the line leaves the company out",
            Some(_) => continue,
        };
        found.push(NotCovered {
            company: company.clone(),
            gl: gl.clone(),
            balance: *balance,
            why: why.to_owned(),
        });
    }
    found
}
