//! What is reported beside the lines: rates, companies that are not there, amounts that are in no bucket, residuals.

use super::contract::Line;
use super::evaluate::Inputs;
use super::fx::plain;
use super::result::{Code, ReconcileFinding, Residual};
use crate::domain::ids::IpeId;

/// Everything that the inputs show, in the order in which it is looked for.
pub(super) fn findings(inputs: Inputs<'_>, residuals: &[Residual]) -> Vec<ReconcileFinding> {
    let mut found = Found(Vec::new());
    if inputs.items.contains_key(&inputs.contract.rates.item) {
        found.rates(inputs);
    }
    found.companies(inputs, &inputs.contract.actual.item, None);
    let judged = inputs.contract.lines.iter().filter(|line| !line.memo);
    for line in judged {
        for item in line.targets.iter().map(|target| &target.item) {
            found.companies(inputs, item, Some(line));
        }
        if line.is_split() {
            found.elsewhere(inputs, line);
        }
    }
    for (item, state) in inputs.items {
        for reported in &state.reported {
            let place = format!("{item} {}", reported.company);
            found.push(reported.code, place.trim_end(), reported.what.clone());
        }
    }
    found.residuals(residuals);
    found.0
}

struct Found(Vec<ReconcileFinding>);

impl Found {
    fn push(&mut self, code: Code, place: &str, what: String) {
        self.0.push(ReconcileFinding {
            code,
            place: place.to_owned(),
            what,
        });
    }

    fn rates(&mut self, inputs: Inputs<'_>) {
        let companies = &inputs.contract.companies;
        for company in companies.keys() {
            if let Some((code, what)) = inputs.rates.of(company).problem() {
                self.push(code, company, what);
            }
        }
        let currencies = companies.iter();
        let currencies = currencies.map(|(code, c)| (code.as_str(), c.currency.as_str()));
        for (currency, rates) in inputs.rates.unequal(currencies) {
            let rates: Vec<String> = rates
                .iter()
                .map(|(c, rate)| format!("{c} {}", plain(*rate)))
                .collect();
            let what = format!("different rates: {}", rates.join(", "));
            self.push(Code::FxUnequal, currency, what);
        }
    }

    /// Companies of which an item that passed its checks has nothing, and rows that it has in no sum.
    fn companies(&mut self, inputs: Inputs<'_>, item: &IpeId, line: Option<&Line>) {
        let state = inputs.items.get(item);
        let Some(state) = state.filter(|state| state.unsound.is_empty()) else {
            return;
        };
        let contract = inputs.contract;
        let all: Vec<&str> = match line {
            Some(line) => contract.scope(line).collect(),
            None => contract.companies.keys().map(String::as_str).collect(),
        };
        for company in all {
            let place = format!("{company} {item}");
            if !state.delivered.contains(company) {
                let lines = line.map_or("its lines", |line| &line.id);
                let what =
                    format!("{lines} cannot be concluded: no row, and no proof that there is none");
                self.push(Code::CompanyEmpty, &place, what);
            }
            if let Some(rows) = state.rows_without_amount.get(company) {
                let what = format!(
                    "{rows} rows lack an amount or leave a condition open, and are in no sum"
                );
                self.push(Code::AmountMissing, &place, what);
            }
        }
    }

    /// Amounts of a company of the scope on accounts that the line of their item does not own: they are in no bucket.
    fn elsewhere(&mut self, inputs: Inputs<'_>, line: &Line) {
        let companies: Vec<&str> = inputs.contract.scope(line).collect();
        for (place, sum) in inputs.targets {
            let is_its = line.targets.iter().any(|target| target.item == place.item);
            let is_owned = place.gl.as_ref().is_some_and(|gl| line.gls.contains(gl));
            let is_scoped = companies.contains(&place.company.as_str());
            if !is_its || is_owned || !is_scoped || sum.amount.units() == 0 {
                continue;
            }
            let gl = place.gl.as_deref().filter(|gl| !gl.is_empty());
            let what = format!(
                "{} rows with {} in sum on {}, which {} does not own",
                sum.rows,
                plain(sum.amount),
                gl.map_or_else(|| "no account".to_owned(), |gl| format!("account {gl}")),
                line.id
            );
            let place = format!("{} {}", place.company, place.item);
            self.push(Code::AmountElsewhere, &place, what);
        }
    }

    fn residuals(&mut self, residuals: &[Residual]) {
        for residual in residuals.iter().filter(|residual| residual.is_reached) {
            let gross = residual.gross_usd;
            let gross = gross.map_or_else(String::new, |usd| usd.to_string());
            let what = format!(
                "residuals below their thresholds come to {gross} dollars together, and the country's materiality is {}",
                residual.materiality.usd
            );
            self.push(Code::Aggregate, &residual.company, what);
        }
    }
}
