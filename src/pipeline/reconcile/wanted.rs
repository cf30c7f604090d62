//! Amounts that are looked for in rows, and the rows that have them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;
use crate::domain::reconcile::contract::{Sign, Source};
use crate::domain::reconcile::result::{Bucket, Reconciliation, RowRef, Status};
use crate::kernels::reconcile::{ReconcileError, StagedTable};

/// Candidates that are named for one bucket; the others are counted.
const ROWS_MAX: usize = 10;

/// A bucket by its line, company and account.
pub(super) type Place = (String, String, Option<String>);

/// What is looked for: places with the amount that they miss, by company.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(BTreeMap<String, Vec<(Place, Amount)>>);

impl Wanted {
    /// Every exception whose amount is known.
    pub(super) fn of(result: &Reconciliation) -> Self {
        let mut wanted = Self::default();
        for (line, bucket) in result.exceptions() {
            let is_open = bucket.status != Status::NotConcluded;
            if let Some(amount) = bucket.unexplained.filter(|a| is_open && a.units() != 0) {
                wanted.add(place(&line.id, bucket), amount);
            }
        }
        wanted
    }

    fn add(&mut self, place: Place, amount: Amount) {
        let company = place.1.clone();
        self.0.entry(company).or_default().push((place, amount));
    }

    /// The amounts that a line misses.
    pub(super) fn of_line<'a>(&'a self, line: &'a str) -> impl Iterator<Item = Amount> + 'a {
        let all = self.0.values().flatten();
        let own = all.filter(move |((of, ..), _)| of == line);
        own.map(|(_, amount)| *amount)
    }

    /// The place on a line that misses this amount of a company and account.
    fn place(&self, line: &str, (company, gl): (&str, &str), amount: Amount) -> Option<&Place> {
        let mut own = self.0.get(company)?.iter();
        let meant = own.find(|((of, _, at), wanted)| {
            of == line && at.as_ref().is_none_or(|at| at == gl) && equal(amount, *wanted)
        });
        meant.map(|(place, _)| place)
    }
}

/// A row that has a wanted amount.
struct Hit {
    /// Its number among the rows that were read.
    row: usize,
    place: Place,
    amount: Amount,
    day: Option<NaiveDate>,
}

/// What was found for one bucket.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) named: Vec<(RowRef, Option<NaiveDate>)>,
    /// How many more there are.
    pub(super) unlisted: u64,
}

impl Candidates {
    /// The day of the only one; of several nobody knows which it is.
    pub(super) fn only_day(&self) -> Option<NaiveDate> {
        match self.named.as_slice() {
            [(_, day)] if self.unlisted == 0 => *day,
            _ => None,
        }
    }
}

/// What was found, by place.
#[derive(Debug, Default)]
pub(super) struct Found(pub(super) BTreeMap<Place, Candidates>);

impl Found {
    /// The rows that were hit, with their keys.
    fn read(
        rows: &StagedTable,
        (item, key): (&IpeId, &[String]),
        hits: Vec<Hit>,
    ) -> Result<Self, ReconcileError> {
        let mut found = Self::default();
        let mut keys = vec![Vec::new(); hits.len()];
        for column in key.iter().filter(|_| !hits.is_empty()) {
            let cells = rows.shown(column)?;
            for (key, hit) in keys.iter_mut().zip(&hits) {
                key.push(cells.get(hit.row).cloned().flatten().unwrap_or_default());
            }
        }
        for (hit, key) in hits.into_iter().zip(keys) {
            let row = RowRef {
                item: item.clone(),
                key,
                amount: Some(hit.amount),
            };
            found.note(hit.place, row, hit.day);
        }
        Ok(found)
    }

    fn note(&mut self, place: Place, row: RowRef, day: Option<NaiveDate>) {
        let found = self.0.entry(place).or_default();
        if found.named.len() < ROWS_MAX {
            found.named.push((row, day));
        } else {
            found.unlisted += 1;
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        for (place, candidates) in more.0 {
            for (row, day) in candidates.named {
                self.note(place.clone(), row, day);
            }
            if candidates.unlisted > 0 {
                self.0.entry(place).or_default().unlisted += candidates.unlisted;
            }
        }
    }
}

pub(super) fn place(line: &str, bucket: &Bucket) -> Place {
    (line.to_owned(), bucket.company.clone(), bucket.gl.clone())
}

/// The entries of the ledger that have a wanted amount. `accounts`: the line of each account.
pub(super) fn in_ledger(
    rows: &StagedTable,
    item: &IpeId,
    accounts: &BTreeMap<String, String>,
    wanted: &Wanted,
) -> Result<Found, ReconcileError> {
    let places = rows.codes("id_company")?.into_iter();
    let places = places.zip(rows.codes("group_coa_account_no")?);
    let cells = rows.amounts("amount")?.into_iter();
    let cells = cells.zip(rows.days("posting_date")?);
    let mut hits = Vec::new();
    for (row, ((company, gl), (amount, day))) in places.zip(cells).enumerate() {
        let (company, gl) = (company.unwrap_or_default(), gl.unwrap_or_default());
        let Some((line, amount)) = accounts.get(&gl).zip(amount) else {
            continue;
        };
        if let Some(place) = wanted.place(line, (&company, &gl), amount) {
            let place = place.clone();
            hits.push(Hit {
                row,
                place,
                amount,
                day,
            });
        }
    }
    let key = ["id_company", "entry_no", "document_no"].map(str::to_owned);
    Found::read(rows, (item, &key), hits)
}

/// The rows of a source that have a wanted amount. `key`: its columns; `target`: what the line says of the source; `date`: the
/// column that its rows age by.
pub(super) fn in_target(
    rows: &StagedTable,
    (item, key): (&IpeId, &[String]),
    (line, target): (&str, &Source),
    date: Option<&str>,
    wanted: &Wanted,
) -> Result<Found, ReconcileError> {
    let companies = rows.codes(&target.company)?;
    let gls = match &target.gl {
        Some(gl) => rows.codes(gl)?,
        None => vec![None; companies.len()],
    };
    let days = match date {
        Some(date) => rows.days(date)?,
        None => vec![None; companies.len()],
    };
    let places = companies.into_iter().zip(gls);
    let cells = sums(rows, target)?.into_iter().zip(days);
    let mut hits = Vec::new();
    for (row, ((company, gl), (amount, day))) in places.zip(cells).enumerate() {
        let (company, gl) = (company.unwrap_or_default(), gl.unwrap_or_default());
        let opposite = amount.and_then(|amount| turned(amount, true));
        let Some((amount, opposite)) = amount.zip(opposite) else {
            continue;
        };
        if let Some(place) = wanted.place(line, (&company, &gl), opposite) {
            hits.push(Hit {
                row,
                place: place.clone(),
                amount,
                day,
            });
        }
    }
    Found::read(rows, (item, key), hits)
}

/// The amount, or its opposite.
pub(super) fn turned(amount: Amount, negative: bool) -> Option<Amount> {
    let units = amount.units();
    Amount::new(if negative { -units } else { units }, amount.scale()).ok()
}

/// The amount expression of every row in ledger sign; nothing where a part of it is missing.
fn sums(rows: &StagedTable, target: &Source) -> Result<Vec<Option<Amount>>, ReconcileError> {
    let mut sums: Vec<Option<Amount>> = vec![Some(Amount::zero(0)); rows.rows()];
    for term in &target.amount {
        let negative = term.negative != (target.sign == Sign::Minus);
        for (sum, cell) in sums.iter_mut().zip(rows.amounts(&term.column)?) {
            *sum = sum.zip(cell).and_then(|(sum, cell)| {
                let cell = turned(cell, negative)?;
                let sum = sum.rescale(cell.scale().max(sum.scale())).ok()?;
                sum.checked_add(cell.rescale(sum.scale()).ok()?).ok()
            });
        }
    }
    Ok(sums)
}

fn equal(one: Amount, other: Amount) -> bool {
    let scale = one.scale().max(other.scale());
    match (one.rescale(scale), other.rescale(scale)) {
        (Ok(one), Ok(other)) => one.units() == other.units(),
        _ => false,
    }
}

#[cfg(test)]
#[path = "wanted_tests.rs"]
mod tests;
