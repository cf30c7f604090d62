//! Postings after the books were made: each is one open customer entry with its two general ledger lines, and a new
//! version of every table that it changes.

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::balances::{self, Balances};
use crate::sandbox::data::chart::Company;
use crate::sandbox::data::decor::Decor;
use crate::sandbox::data::events::Events;
use crate::sandbox::data::ledger::{Books, Numbers, Written};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::data::{LedgerSpec, Table, Tables, defs, shares};
use crate::sandbox::tsql::error::{SqlResult, internal};

/// Random streams of postings begin here, beyond those of the books.
const FIRST_STREAM: u64 = 1_000;
/// Postings are gathered in batches of so many rows, so that a long night does not leave a batch for each.
const BATCH_ROWS: usize = 512;

/// The books of all companies, ready for one more entry.
#[derive(Debug)]
pub struct Postings {
    spec: LedgerSpec,
    decor: Vec<Decor>,
    companies: Vec<Open>,
    /// Entries posted so far.
    posted: usize,
}

/// The open books of one company.
#[derive(Debug)]
struct Open {
    company: &'static Company,
    events: Events,
    last: Numbers,
    balances: Balances,
}

impl Postings {
    pub(super) fn new(spec: LedgerSpec, decor: Vec<Decor>) -> Self {
        Self {
            spec,
            decor,
            companies: Vec::new(),
            posted: 0,
        }
    }

    /// Adds the books of the next company.
    pub(super) fn begin(&mut self, company: &'static Company, last: Numbers, balances: Balances) {
        let index = self.companies.len();
        let stream = FIRST_STREAM + u64::try_from(index).unwrap_or(0);
        let open = shares(self.spec.rows).get(index).copied().unwrap_or(0);
        self.companies.push(Open {
            company,
            events: Events::new(company, self.spec.seed, stream, open),
            last,
            balances,
        });
    }

    /// The view over the balances as they are now.
    pub(super) fn balances(&self) -> SqlResult<Table> {
        let companies = self.companies.iter();
        balances::view(companies.map(|open| (open.company, &open.balances)))
    }

    /// The version after `tables`, in which the next company in scope has one more open entry on the last day of
    /// 2024-04.
    ///
    /// # Errors
    /// `tables` are not those of this ledger, or a balance leaves 38 digits.
    pub fn post(&mut self, tables: &Tables) -> SqlResult<Tables> {
        let in_scope = self
            .companies
            .iter_mut()
            .filter(|open| open.company.in_scope);
        let mut in_scope: Vec<&mut Open> = in_scope.collect();
        let turn = self.posted % in_scope.len().max(1);
        let open = in_scope
            .get_mut(turn)
            .ok_or_else(|| internal("no company in scope"))?;
        let mut books = Books::new(open.company, &self.decor, open.last);
        books.post(&open.events.late_entry())?;
        let Written {
            last,
            entries,
            details,
            general,
            balances,
        } = books.finish()?;
        open.last = last;
        open.balances.merge(&balances)?;
        self.posted += 1;
        Ok(tables.with(vec![
            appended(tables, &defs::CUSTOMER_LEDGER, entries)?,
            appended(tables, &defs::CUSTOMER_DETAIL, details)?,
            appended(tables, &defs::GENERAL_LEDGER, general)?,
            self.balances()?,
        ]))
    }
}

/// The table with more rows.
fn appended(tables: &Tables, def: &TableDef, rows: Vec<RecordBatch>) -> SqlResult<Table> {
    let [database, schema, name] = def.name;
    let table = tables.find(database, schema, name);
    let mut table = Table::clone(table.ok_or_else(|| internal(format!("no table {name}")))?);
    for more in rows {
        match table.batches.last_mut() {
            Some(last) if last.num_rows() + more.num_rows() <= BATCH_ROWS => {
                *last = concat_batches(&table.schema, [&*last, &more]).map_err(internal)?;
            }
            _ => table.batches.push(more),
        }
    }
    Ok(table)
}
