//! The sandbox's databases: a double-entry ledger drawn from a seed, in Arrow batches.
//!
//! Customer ledger and general ledger are posted from the same events, and CR_04's balances are kept by the general
//! ledger, so a clean ledger ties to zero by construction; later postings keep it so, and `plants` puts known differences
//! in. May use `domain` and the type table of `tsql`; must never read a clock, a file or the network.
//!
//! # Shape
//! `rows` entries are open on 2024-05-01 in the nine consolidated companies, exactly: that many rows IPE_07 gives for
//! 2024-04. For every 17 of them there are 24 entries in all (paid before, paid after, posted after), and the three
//! companies outside the scope add 4 % more. A later version of the tables is made with [`Tables::with`].

mod balances;
mod central;
pub mod chart;
mod chunk;
mod collections;
mod columns;
mod decor;
mod defs;
mod dimensions;
mod documents;
mod events;
mod general;
pub mod jdash;
mod ledger;
mod orders;
pub mod plants;
mod postings;
mod rates;
mod rng;
mod route;
mod sellers;
mod systems;
pub mod table;
mod vouchers;

use std::sync::Mutex;

use crate::sandbox::data::chart::{COMPANIES, Company};
use crate::sandbox::data::decor::Decor;
use crate::sandbox::data::events::{Events, customers_of};
use crate::sandbox::data::ledger::{Books, Written};
use crate::sandbox::data::route::Numbers;
use crate::sandbox::data::systems::{Rows, SystemSpec};
use crate::sandbox::tsql::error::{SqlResult, internal};

pub use postings::Postings;
pub use table::{Column, Table, Tables};

/// Most rows that entry numbers (`int`) and memory allow.
pub const ROWS_MAX: u64 = 100_000_000;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerSpec {
    /// Rows that IPE_07 returns for 2024-04.
    pub rows: u64,
    /// Equal seeds give equal books.
    pub seed: u64,
}

/// A generated ledger.
#[derive(Debug)]
pub struct Ledger {
    /// The tables as they are now.
    pub tables: Tables,
    /// What can be posted next.
    pub postings: Postings,
}

/// The books of one company with its customers.
struct Book {
    written: Written,
    customers: Vec<arrow::record_batch::RecordBatch>,
    systems: Rows,
}

/// Generates every table of every database, on all processors.
///
/// # Errors
/// More than [`ROWS_MAX`] rows, or an internal error.
pub fn generate(spec: LedgerSpec) -> SqlResult<Ledger> {
    if spec.rows > ROWS_MAX {
        return Err(internal(format!(
            "{} rows; the sandbox holds at most {ROWS_MAX}",
            spec.rows
        )));
    }
    let decor = Decor::variants(spec.seed);
    let jobs: Vec<(usize, &'static Company, u64)> = COMPANIES
        .iter()
        .zip(shares(spec.rows))
        .enumerate()
        .map(|(index, (company, open))| (index, company, open))
        .collect();
    let results: Mutex<Vec<(usize, SqlResult<Book>)>> = Mutex::new(Vec::new());
    let queue = Mutex::new(jobs.iter());
    let workers = std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, company, open)) =
                    queue.lock().ok().and_then(|mut q| q.next())
                {
                    let book = write_company(company, *index, *open, spec.seed, &decor);
                    if let Ok(mut results) = results.lock() {
                        results.push((*index, book));
                    }
                }
            });
        }
    });
    let mut books = results.into_inner().map_err(internal)?;
    books.sort_by_key(|(index, _)| *index);
    let mut postings = Postings::new(spec, decor);
    let tables = collect(books.into_iter().map(|(_, book)| book), &mut postings)?;
    Ok(Ledger { tables, postings })
}

/// Open entries per company: the in-scope shares add up to `rows` exactly.
fn shares(rows: u64) -> Vec<u64> {
    let total: u64 = COMPANIES
        .iter()
        .filter(|c| c.in_scope)
        .map(|c| c.weight)
        .sum();
    let mut left_rows = rows;
    let mut left_weight = total;
    COMPANIES
        .iter()
        .map(|company| {
            if !company.in_scope {
                return rows.saturating_mul(company.weight) / total.max(1);
            }
            let share = left_rows.saturating_mul(company.weight) / left_weight.max(1);
            left_rows -= share;
            left_weight -= company.weight;
            share
        })
        .collect()
}

fn write_company(
    company: &'static Company,
    index: usize,
    open: u64,
    seed: u64,
    decor: &[Decor],
) -> SqlResult<Book> {
    let spec = SystemSpec::of(index, open, seed);
    let stream = spec.stream;
    let mut books = Books::new(company, decor, Numbers::default())?;
    let mut events = Events::new(company, seed, stream, open);
    while let Some((entry, payment)) = events.next_unit() {
        books.post(&entry)?;
        if let Some(payment) = payment {
            books.post(&payment)?;
        }
    }
    let systems = systems::write(company, spec, &mut books)?;
    let customers = dimensions::customers(company, seed, stream + 1, 1..=customers_of(open))?;
    Ok(Book {
        systems,
        written: books.finish()?,
        customers,
    })
}

fn collect(
    books: impl Iterator<Item = SqlResult<Book>>,
    postings: &mut Postings,
) -> SqlResult<Tables> {
    let [mut entries, mut details, mut general, mut customers] =
        [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut of_systems: Rows = systems::tables()
        .into_iter()
        .map(|def| (def, Vec::new()))
        .collect();
    for (company, book) in COMPANIES.iter().zip(books) {
        let book = book?;
        for (def, rows) in book.systems {
            let table = of_systems
                .iter_mut()
                .find(|(known, _)| known.name == def.name);
            let (_, all) =
                table.ok_or_else(|| internal(format!("{:?} is not listed", def.name)))?;
            all.extend(rows);
        }
        entries.extend(book.written.entries);
        details.extend(book.written.details);
        general.extend(book.written.general);
        customers.extend(book.customers);
        postings.begin(company, book.written.last, book.written.balances);
    }
    let mut tables = vec![
        defs::CUSTOMER_LEDGER.table(entries)?,
        defs::CUSTOMER_DETAIL.table(details)?,
        dimensions::customers_table(customers)?,
        dimensions::posting_groups()?,
        defs::GENERAL_LEDGER.table(general)?,
        dimensions::companies()?,
        dimensions::chart_of_accounts()?,
        rates::country_table()?,
        rates::rate_table(&[])?,
        postings.balances()?,
    ];
    for (def, rows) in of_systems {
        tables.push(def.table(rows)?);
    }
    Ok(Tables::default().with(tables))
}

#[cfg(test)]
mod tests;
