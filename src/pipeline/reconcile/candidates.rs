//! Rows that alone have the amount that nothing explains: where a reader looks first. They prove nothing and explain
//! nothing.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::explain::{Sound, package};
use super::inputs::Packaged;
use super::sums::{failed, table};
use super::zeros::ENTRIES;
use super::{Explanations, Sources};
use crate::domain::age::AgeBucket;
use crate::domain::amount::Amount;
use crate::domain::reconcile::contract::{ReconciliationContract, Sign, Source};
use crate::domain::reconcile::result::{Bucket, Reconciliation, RowRef, Status};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::spec::condition;
use crate::kernels::reconcile::{ReconcileError, StagedTable};
use crate::ports::{PortError, PortErrorKind};

/// Rows that are named for one bucket.
const ROWS_MAX: usize = 10;

/// A bucket by its line, company and account.
type Place = (String, String, Option<String>);

/// What is looked for, and what was found with its day.
#[derive(Default)]
struct Looked {
    wanted: BTreeMap<Place, Amount>,
    found: BTreeMap<Place, Vec<(RowRef, Option<NaiveDate>)>>,
}

impl Looked {
    fn of_line<'a>(&'a self, line: &'a str) -> impl Iterator<Item = (&'a Place, Amount)> {
        let wanted = self.wanted.iter();
        let own = wanted.filter(move |((own, ..), _)| own == line);
        own.map(|(place, amount)| (place, *amount))
    }

    fn note(&mut self, place: &Place, row: RowRef, day: Option<NaiveDate>) {
        let found = self.found.entry(place.clone()).or_default();
        if found.len() < ROWS_MAX {
            found.push((row, day));
        }
    }
}

/// Names the candidates of every exception whose amount is known.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged; a row limit is noted in `all` and is no error.
pub(super) async fn name(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    sound: &Sound<'_>,
    result: &mut Reconciliation,
    all: &mut Explanations,
) -> Result<(), PortError> {
    let mut looked = Looked::default();
    for (line, bucket) in result.exceptions() {
        let is_open = bucket.status != Status::NotConcluded;
        if let Some(amount) = bucket.unexplained.filter(|a| is_open && a.units() != 0) {
            looked.wanted.insert(place(&line.id, bucket), amount);
        }
    }
    if looked.wanted.is_empty() {
        return Ok(());
    }
    for line in &contract.lines {
        if looked.of_line(&line.id).next().is_none() {
            continue;
        }
        let gls: Vec<&str> = line.gls.iter().map(String::as_str).collect();
        if let Some(entries) = package(sound, ENTRIES) {
            let rows = ledger(sources, entries, &line.id, &gls, &mut looked).await;
            skipped(rows, &line.id, all)?;
        }
        for target in &line.targets {
            let found = sound.iter().find(|(item, _)| ***item == target.item);
            if let Some((_, delivered)) = found {
                let rows = targets(sources, delivered, &line.id, target, &mut looked).await;
                skipped(rows, &line.id, all)?;
            }
        }
    }
    give(result, looked);
    Ok(())
}

fn place(line: &str, bucket: &Bucket) -> Place {
    (line.to_owned(), bucket.company.clone(), bucket.gl.clone())
}

/// Too many rows to look at are said, and hold nothing.
fn skipped(
    looked: Result<(), PortError>,
    line: &str,
    all: &mut Explanations,
) -> Result<(), PortError> {
    match looked {
        Err(error) if error.kind == PortErrorKind::Limit => {
            let what = format!("rows behind the exceptions of {line}");
            all.not_computed.insert(what, error.message);
            Ok(())
        }
        other => other,
    }
}

/// Entries of the ledger with one of the amounts.
async fn ledger(
    sources: Sources<'_>,
    entries: &Packaged,
    line: &str,
    gls: &[&str],
    looked: &mut Looked,
) -> Result<(), PortError> {
    let texts = gls.iter().map(|gl| Literal::Text((*gl).to_owned()));
    let amounts = looked
        .of_line(line)
        .map(|(_, amount)| Literal::Amount(amount));
    let keep = vec![
        Condition::new("group_coa_account_no", Test::OneOf(texts.collect())),
        Condition::new("amount", Test::OneOf(amounts.collect())),
    ];
    let columns = [
        "id_company",
        "entry_no",
        "document_no",
        "group_coa_account_no",
        "posting_date",
        "amount",
    ];
    let rows = table(sources, entries, &columns, keep).await?;
    let wrong = |error: ReconcileError| failed(entries, &error);
    let (companies, gls) = (
        rows.texts("id_company").map_err(wrong)?,
        rows.texts("group_coa_account_no").map_err(wrong)?,
    );
    let (amounts, days) = (
        rows.amounts("amount").map_err(wrong)?,
        rows.days("posting_date").map_err(wrong)?,
    );
    let keys = keys(&rows, &["id_company", "entry_no", "document_no"]).map_err(wrong)?;
    let places = companies.into_iter().zip(gls).zip(keys);
    for (((company, gl), key), (amount, day)) in places.zip(amounts.into_iter().zip(days)) {
        let (company, gl) = (company.unwrap_or_default(), gl.unwrap_or_default());
        let meant = looked.of_line(line).find(|(place, wanted)| {
            let (_, of, at) = place;
            *of == company
                && at.as_ref().is_none_or(|at| *at == gl)
                && amount.is_some_and(|a| equal(a, *wanted))
        });
        if let Some(place) = meant.map(|(place, _)| place.clone()) {
            let row = RowRef {
                item: entries.record.ipe.clone(),
                key,
                amount,
            };
            looked.note(&place, row, day);
        }
    }
    Ok(())
}

/// Rows of a source that count and have, in ledger sign, the opposite of one of the amounts.
async fn targets(
    sources: Sources<'_>,
    delivered: &Packaged,
    line: &str,
    target: &Source,
    looked: &mut Looked,
) -> Result<(), PortError> {
    let period = delivered.record.context.period;
    let mut keep: Vec<Condition> = target
        .conditions
        .iter()
        .map(|one| condition(one, period))
        .collect();
    // One column decides by itself; a sum of several is made of every row that counts.
    if let ([term], false) = (target.amount.as_slice(), target.sign == Sign::Unknown) {
        let negative = term.negative == (target.sign == Sign::Minus);
        let amounts = looked.of_line(line).filter_map(|(_, amount)| {
            let units = if negative {
                -amount.units()
            } else {
                amount.units()
            };
            Some(Literal::Amount(Amount::new(units, amount.scale()).ok()?))
        });
        keep.push(Condition::new(&term.column, Test::OneOf(amounts.collect())));
    }
    let key: Vec<&str> = delivered
        .record
        .contract
        .key
        .iter()
        .map(String::as_str)
        .collect();
    let terms = target.amount.iter().map(|term| term.column.as_str());
    let gl = target.gl.as_deref();
    let mut columns: Vec<&str> = key.iter().copied().chain(terms).chain(gl).collect();
    columns.push(&target.company);
    columns.sort_unstable();
    columns.dedup();
    let rows = table(sources, delivered, &columns, keep).await?;
    let wrong = |error: ReconcileError| failed(delivered, &error);
    let companies = rows.texts(&target.company).map_err(wrong)?;
    let gls = match gl {
        Some(gl) => rows.texts(gl).map_err(wrong)?,
        None => vec![None; companies.len()],
    };
    let sums = sums(&rows, target).map_err(wrong)?;
    let keys = keys(&rows, &key).map_err(wrong)?;
    for (((company, gl), amount), key) in companies.into_iter().zip(gls).zip(sums).zip(keys) {
        let company = company.unwrap_or_default();
        let meant = looked.of_line(line).find(|(place, wanted)| {
            let (_, of, at) = place;
            let opposite = amount.and_then(|a| Amount::new(-a.units(), a.scale()).ok());
            *of == company && *at == gl && opposite.is_some_and(|a| equal(a, *wanted))
        });
        if let Some(place) = meant.map(|(place, _)| place.clone()) {
            let row = RowRef {
                item: delivered.record.ipe.clone(),
                key,
                amount,
            };
            looked.note(&place, row, None);
        }
    }
    Ok(())
}

/// The amount expression of every row in ledger sign; nothing where a part of it is missing.
fn sums(rows: &StagedTable, target: &Source) -> Result<Vec<Option<Amount>>, ReconcileError> {
    let mut sums: Vec<Option<Amount>> = vec![Some(Amount::zero(0)); rows.rows()];
    for term in &target.amount {
        let negative = term.negative != (target.sign == Sign::Minus);
        for (sum, cell) in sums.iter_mut().zip(rows.amounts(&term.column)?) {
            *sum = sum.zip(cell).and_then(|(sum, cell)| {
                let units = if negative {
                    -cell.units()
                } else {
                    cell.units()
                };
                let cell = Amount::new(units, cell.scale()).ok()?;
                let sum = sum.rescale(cell.scale().max(sum.scale())).ok()?;
                sum.checked_add(cell.rescale(sum.scale()).ok()?).ok()
            });
        }
    }
    Ok(sums)
}

/// The cells of the key of every row.
fn keys(rows: &StagedTable, columns: &[&str]) -> Result<Vec<Vec<String>>, ReconcileError> {
    let mut keys = vec![Vec::new(); rows.rows()];
    for column in columns {
        for (key, cell) in keys.iter_mut().zip(rows.shown(column)?) {
            key.push(cell.unwrap_or_default());
        }
    }
    Ok(keys)
}

fn equal(one: Amount, other: Amount) -> bool {
    let scale = one.scale().max(other.scale());
    match (one.rescale(scale), other.rescale(scale)) {
        (Ok(one), Ok(other)) => one.units() == other.units(),
        _ => false,
    }
}

/// Puts what was found into the buckets, with the age of the oldest.
fn give(result: &mut Reconciliation, mut looked: Looked) {
    let period = result.period;
    for line in &mut result.lines {
        for bucket in &mut line.buckets {
            let Some(found) = looked.found.remove(&place(&line.id, bucket)) else {
                continue;
            };
            let oldest = found.iter().filter_map(|(_, day)| *day).min();
            let (months, _) = AgeBucket::of(oldest, period);
            bucket.age_months = months.and_then(|months| u32::try_from(months).ok());
            bucket.rows = found.into_iter().map(|(row, _)| row).collect();
        }
    }
}
