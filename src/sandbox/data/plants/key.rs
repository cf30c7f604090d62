//! The answer key: what was planted, where its rows are, and what must come of it. Written from the instructions; the
//! row numbers are those that the books gave.

use serde::Serialize;

use crate::domain::amount::Amount;
use crate::sandbox::data::chart::COMPANIES;
use crate::sandbox::tsql::error::{SqlResult, internal};

use super::instructions::{Effect, Measure, Plant};

/// The answer key of a generated ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerKey {
    pub(super) profile: String,
    pub(super) period: &'static str,
    pub(super) cutoff_date: &'static str,
    pub(super) rows: u64,
    pub(super) seed: u64,
    /// How amounts are to be read.
    pub(super) amounts: &'static str,
    pub(super) bridges: &'static str,
    pub(super) planted: Vec<Planted>,
    pub(super) not_planted: Vec<NotPlanted>,
}

impl AnswerKey {
    /// The key as a file holds it.
    ///
    /// # Errors
    /// An internal error.
    pub fn to_json(&self) -> SqlResult<String> {
        let json = serde_json::to_string_pretty(self).map_err(internal)?;
        Ok(json + "\n")
    }

    /// Company, voucher and amount of what the list of used vouchers must say of planted ones.
    pub fn jdash(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let rows = self.planted.iter().flat_map(|planted| &planted.jdash);
        rows.map(|row| (row.company, row.voucher_id, row.amount_used.as_str()))
    }

    /// The ids that are planted, in order.
    pub fn planted(&self) -> impl Iterator<Item = &str> {
        self.planted.iter().map(|planted| planted.id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Planted {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) effects: Vec<Measured>,
    pub(super) entries: Vec<EntryKey>,
    pub(super) lines: Vec<LineKey>,
    pub(super) rows: Vec<RowKey>,
    pub(super) jdash: Vec<JdashKey>,
    pub(super) closing_rates: Vec<RatesKey>,
    pub(super) refreshed: Vec<RefreshKey>,
    pub(super) silent: Vec<SilentKey>,
    pub(super) expected: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) note: &'static str,
}

impl Planted {
    /// The plant without the rows that it is to leave.
    pub(super) fn of(plant: &'static Plant) -> SqlResult<Self> {
        Ok(Self {
            id: plant.id,
            kind: plant.kind,
            effects: plant
                .effects
                .iter()
                .map(Measured::of)
                .collect::<SqlResult<_>>()?,
            entries: Vec::new(),
            lines: Vec::new(),
            rows: Vec::new(),
            jdash: Vec::new(),
            closing_rates: Vec::new(),
            refreshed: Vec::new(),
            silent: Vec::new(),
            expected: plant.expected,
            note: plant.note,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NotPlanted {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) why: String,
}

/// What a plant does to a measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Measured {
    measure: Measure,
    company: &'static str,
    /// Group account, posting group, line, or bridge.
    at: &'static str,
    currency: &'static str,
    amount: String,
    usd: Option<&'static str>,
}

impl Measured {
    fn of(effect: &Effect) -> SqlResult<Self> {
        let company = COMPANIES.iter().find(|known| known.code == effect.company);
        let company = company.ok_or_else(|| internal(format!("no company {}", effect.company)))?;
        Ok(Self {
            measure: effect.measure,
            company: company.code,
            at: effect.at,
            currency: company.currency,
            amount: exact(effect.amount)?,
            usd: effect.usd,
        })
    }
}

/// An entry of the customer ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct EntryKey {
    pub(super) company: &'static str,
    pub(super) entry_no: i32,
    pub(super) document_no: String,
    pub(super) posting_group: &'static str,
    pub(super) posting_date: String,
    pub(super) currency: &'static str,
    pub(super) amount: String,
    pub(super) amount_lcy: String,
}

/// A line of the general ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LineKey {
    pub(super) company: &'static str,
    pub(super) entry_no: i32,
    pub(super) document_no: String,
    pub(super) account: &'static str,
    pub(super) posting_date: String,
    pub(super) creation_date: String,
    pub(super) user: String,
    pub(super) currency: &'static str,
    pub(super) amount_lcy: String,
}

/// A row of another system; a row that stands there twice is named twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RowKey {
    pub(super) company: &'static str,
    pub(super) table: &'static str,
    pub(super) key: String,
}

/// A row of the shop's list of used vouchers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct JdashKey {
    pub(super) company: &'static str,
    pub(super) voucher_id: &'static str,
    pub(super) amount_used: String,
}

/// Closing rates of a country in US dollars; null where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RatesKey {
    pub(super) country: &'static str,
    pub(super) rates: Vec<Option<String>>,
}

/// A table that has no row of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SilentKey {
    pub(super) company: &'static str,
    pub(super) table: &'static str,
}

/// When the balances of a company were refreshed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RefreshKey {
    pub(super) company: &'static str,
    pub(super) date: String,
}

/// 10^-20 units as exact text with two decimals at least.
pub(super) fn exact(units: i128) -> SqlResult<String> {
    let text = Amount::new(units, 20).map_err(internal)?.to_string();
    let shortest = text.find('.').map_or(text.len(), |point| point + 3);
    let digits = text.trim_end_matches('0').len();
    Ok(text.chars().take(digits.max(shortest)).collect())
}
