//! Planted differences: what the control must find, put into a ledger that ties to zero, with the answer key.
//!
//! Posts through the same books as everything else, one path at a time; reads no table to write the key.

mod collected;
mod instructions;
mod key;
mod orders;
mod table;
mod vouchers;

use std::collections::BTreeMap;

use crate::domain::plant::PlantProfile;
use crate::sandbox::data::chart::{ACCOUNTS, CURRENCIES, REVENUE, posting_group};
use crate::sandbox::data::collections;
use crate::sandbox::data::documents::Document;
use crate::sandbox::data::events::{Entry, Movement, calendar, day_number};
use crate::sandbox::data::rates::{self, RateChange};
use crate::sandbox::data::route::{Named, Route};
use crate::sandbox::data::{Ledger, LedgerSpec};
use crate::sandbox::tsql::error::{SqlResult, internal};

use instructions::{Change, DESCRIPTION, Day, Ledgers, Line, Plant, USER, cents};
use key::{
    EntryKey, JdashKey, LineKey, NotPlanted, Planted, RatesKey, RefreshKey, RowKey, SilentKey,
    exact,
};
use table::plants;

pub use key::AnswerKey;

/// What to plant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planting {
    /// The set.
    pub profile: PlantProfile,
    /// Ids of the set to leave out.
    pub without: Vec<String>,
}

/// Puts the planted differences into a fresh ledger.
///
/// # Errors
/// An id to leave out that is not one of the profile, or books that cannot take a posting.
pub fn plant(ledger: &mut Ledger, spec: LedgerSpec, planting: &Planting) -> SqlResult<AnswerKey> {
    let of_profile = |plant: &&Plant| plant.profile == planting.profile;
    let known: Vec<&str> = plants().filter(of_profile).map(|p| p.id).collect();
    let mut without = planting.without.iter();
    if let Some(id) = without.find(|id| !known.contains(&id.as_str())) {
        let what = format!(
            "{} has no plant `{id}`; it has: {}",
            planting.profile,
            known.join(", ")
        );
        return Err(internal(what));
    }
    let mut key = AnswerKey {
        profile: planting.profile.to_string(),
        period: "2024-04",
        cutoff_date: "2024-05-01",
        rows: spec.rows,
        seed: spec.seed,
        amounts: "local currency, debit positive; variance and line are the balance of CR_04 less what the sources say",
        bridges: "in ledger sign: a line's variance is its bridges and what they leave unexplained",
        planted: Vec::new(),
        not_planted: Vec::new(),
    };
    let mut rate_changes = Vec::new();
    for (plant, beyond) in plants().zip(0..) {
        let why = if plant.profile != planting.profile {
            format!("belongs to the profile {}", plant.profile)
        } else if planting.without.iter().any(|id| id == plant.id) {
            "left out on request".to_owned()
        } else {
            key.planted
                .push(apply(ledger, plant, beyond, &mut rate_changes)?);
            continue;
        };
        key.not_planted.push(NotPlanted {
            id: plant.id,
            kind: plant.kind,
            why,
        });
    }
    if !rate_changes.is_empty() {
        let rates = rates::rate_table(&rate_changes)?;
        ledger.tables = ledger.tables.with(vec![rates]);
    }
    Ok(key)
}

/// Makes the changes of one plant; those of the rates are gathered, because they are made together.
fn apply(
    ledger: &mut Ledger,
    plant: &'static Plant,
    beyond: u64,
    rate_changes: &mut Vec<&RateChange>,
) -> SqlResult<Planted> {
    let mut planted = Planted::of(plant)?;
    // One customer for all entries of the plant in a company, met with the first of them.
    let mut customers: BTreeMap<&str, u64> = BTreeMap::new();
    for change in plant.changes {
        match change {
            Change::Post(line) => {
                if !customers.contains_key(line.company) {
                    let met = ledger.postings.meet(&ledger.tables, line.company, beyond)?;
                    ledger.tables = met.0;
                    customers.insert(line.company, met.1);
                }
                let customer = customers.get(line.company).copied().unwrap_or_default();
                post(ledger, line, customer, &mut planted)?;
            }
            Change::Document(company, document) => {
                let posted = ledger
                    .postings
                    .document(&ledger.tables, company, document)?;
                ledger.tables = posted.0;
                note_lines((company, ""), document, &posted.1, &mut planted)?;
            }
            Change::Rows(company, rows) => {
                let tables = &ledger.tables;
                ledger.tables = ledger.postings.source_rows(tables, company, *rows)?;
                let keys = rows.keys().into_iter();
                planted.rows.extend(keys.map(|(table, key)| RowKey {
                    company,
                    table,
                    key,
                }));
            }
            Change::Jdash(row) => planted.jdash.push(JdashKey {
                company: row.company,
                voucher_id: row.voucher_id,
                amount_used: exact(row.amount)?,
            }),
            Change::Silent(company) => {
                ledger.tables = ledger.postings.silence(&ledger.tables, company)?;
                let tables = collections::HAPPENED.iter().map(|def| {
                    let [_, _, table] = def.name;
                    SilentKey { company, table }
                });
                planted.silent.extend(tables);
            }
            Change::Rates(change) => {
                planted.closing_rates.push(rates_key(change)?);
                rate_changes.push(change);
            }
            Change::Refreshed(company, day) => {
                let view = ledger.postings.refresh(company, day_number(*day))?;
                ledger.tables = ledger.tables.with(vec![view]);
                let date = iso(*day);
                planted.refreshed.push(RefreshKey { company, date });
            }
        }
    }
    Ok(planted)
}

/// The rates that a country has then.
fn rates_key(change: &RateChange) -> SqlResult<RatesKey> {
    let text = |rate: &Option<i64>| match rate {
        Some(rate) => exact(cents((*rate).into())).map(Some),
        None => Ok(None),
    };
    let rates: SqlResult<_> = change.hundredths.iter().map(text).collect();
    Ok(RatesKey {
        country: change.country_code,
        rates: rates?,
    })
}

/// Posts one line and notes its keys.
fn post(
    ledger: &mut Ledger,
    line: &'static Line,
    customer: u64,
    planted: &mut Planted,
) -> SqlResult<()> {
    let route = Route {
        accounts: (line.ledgers != Ledgers::CustomerOnly).then_some([line.account, REVENUE]),
        created_day: day_number(line.created),
    };
    let (tables, named) = ledger.postings.plant(
        &ledger.tables,
        line.company,
        &entry(line, customer),
        &route,
        (USER, DESCRIPTION),
    )?;
    ledger.tables = tables;
    let currency = CURRENCIES.get(line.currency).map_or("", |(code, _)| *code);
    planted.entries.push(EntryKey {
        company: line.company,
        entry_no: named.entry_no,
        document_no: named.document.clone(),
        posting_group: posting_group(line.group).0,
        posting_date: iso(line.day),
        currency,
        amount: exact(line.amount)?,
        amount_lcy: exact(line.amount_lcy)?,
    });
    if let Some(accounts) = route.accounts {
        let document = Document {
            kind: line.kind,
            day: day_number(line.day),
            created_day: route.created_day,
            accounts,
            amount: line.amount_lcy,
            number: &named.document,
            external: None,
            voucher: None,
            description: DESCRIPTION,
            user: USER,
        };
        note_lines((line.company, currency), &document, &named, planted)?;
    }
    Ok(())
}

/// Notes the keys of the two general ledger lines of a posting.
fn note_lines(
    (company, currency): (&'static str, &'static str),
    document: &Document<'_>,
    named: &Named,
    planted: &mut Planted,
) -> SqlResult<()> {
    for ((account, sign), entry_no) in document
        .accounts
        .into_iter()
        .zip([1, -1])
        .zip(named.gl_entry_no..)
    {
        planted.lines.push(LineKey {
            company,
            entry_no,
            document_no: named.document.clone(),
            account: ACCOUNTS.get(account).map_or("", |account| account.local),
            posting_date: calendar(document.day).to_string(),
            creation_date: calendar(document.created_day).to_string(),
            user: document.user.to_owned(),
            currency,
            amount_lcy: exact(sign * document.amount)?,
        });
    }
    Ok(())
}

/// The entry of a line: open, without a partner or a document of the other side.
fn entry(line: &Line, customer: u64) -> Entry {
    let day = day_number(line.day);
    Entry {
        kind: line.kind,
        day,
        due_day: day + 30,
        customer,
        group: line.group,
        busline: 0,
        partner: 0,
        currency: line.currency,
        initial: Movement {
            application: false,
            day,
            amount: line.amount,
            amount_lcy: line.amount_lcy,
        },
        application: None,
        dice: NO_DOCUMENT,
    }
}

/// The number of an [`Entry`] that gives it no external document.
const NO_DOCUMENT: u64 = 9;

fn iso((year, month, day): Day) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests;
