//! Postings after the books were made, each a new version of every table that it changes: open customer entries with
//! their two general ledger lines, and what is planted.

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::balances::{self, Balances};
use crate::sandbox::data::chart::Company;
use crate::sandbox::data::collections;
use crate::sandbox::data::decor::Decor;
use crate::sandbox::data::documents::Document;
use crate::sandbox::data::events::{Entry, Events};
use crate::sandbox::data::ledger::{Books, Written};
use crate::sandbox::data::route::{Named, Numbers, Route};
use crate::sandbox::data::systems::{SourceRows, SystemSpec};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::data::{LedgerSpec, Table, Tables, defs, dimensions, shares};
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
    /// Day on which the last balances were refreshed, if it was not the usual one.
    refreshed: Option<i64>,
}

impl Open {
    /// Takes what later books came to and gives the tables that it changes, without the balances.
    fn take(&mut self, tables: &Tables, written: Written) -> SqlResult<Vec<Table>> {
        self.last = written.last;
        self.balances.merge(&written.balances)?;
        Ok(vec![
            appended(tables, &defs::CUSTOMER_LEDGER, written.entries)?,
            appended(tables, &defs::CUSTOMER_DETAIL, written.details)?,
            appended(tables, &defs::GENERAL_LEDGER, written.general)?,
        ])
    }
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
            refreshed: None,
        });
    }

    /// The view over the balances as they are now.
    pub(super) fn balances(&self) -> SqlResult<Table> {
        let companies = self.companies.iter();
        balances::view(companies.map(|open| (open.company, &open.balances, open.refreshed)))
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
        let mut books = Books::new(open.company, &self.decor, open.last)?;
        books.post(&open.events.late_entry())?;
        let written = books.finish()?;
        let mut changed = open.take(tables, written)?;
        self.posted += 1;
        changed.push(self.balances()?);
        Ok(tables.with(changed))
    }

    fn open(&mut self, company: &str) -> SqlResult<&mut Open> {
        find(&mut self.companies, company)
    }

    /// The version after `tables` in which a company has a new customer, and the customer's position; `beyond` tells
    /// those of different plants apart.
    pub(super) fn meet(
        &mut self,
        tables: &Tables,
        company: &str,
        beyond: u64,
    ) -> SqlResult<(Tables, u64)> {
        let seed = self.spec.seed;
        let open = self.open(company)?;
        let position = open.events.customers() + beyond;
        let number = position + 1;
        let row =
            dimensions::customers(open.company, seed, FIRST_STREAM + number, number..=number)?;
        let customers = appended(tables, &defs::CUSTOMERS, row)?;
        Ok((tables.with(vec![customers]), position))
    }

    /// The version after `tables` with one entry that somebody made by hand, and how it is found.
    pub(super) fn plant(
        &mut self,
        tables: &Tables,
        company: &str,
        entry: &Entry,
        route: &Route,
        (user, description): (&str, &str),
    ) -> SqlResult<(Tables, Named)> {
        let decor = self.decor.first();
        let decor = decor.ok_or_else(|| internal("no decorations"))?;
        let decor = [decor.by_hand(user, description)];
        let open = self.open(company)?;
        let mut books = Books::new(open.company, &decor, open.last)?;
        books.post_by(entry, route)?;
        let named = books.named();
        let mut changed = open.take(tables, books.finish()?)?;
        changed.push(self.balances()?);
        Ok((tables.with(changed), named))
    }

    /// The version after `tables` with one document, and how it is found.
    pub(super) fn document(
        &mut self,
        tables: &Tables,
        company: &str,
        document: &Document<'_>,
    ) -> SqlResult<(Tables, Named)> {
        let open = find(&mut self.companies, company)?;
        let mut books = Books::new(open.company, &self.decor, open.last)?;
        books.post_document(document)?;
        let named = books.named();
        let mut changed = open.take(tables, books.finish()?)?;
        changed.push(self.balances()?);
        Ok((tables.with(changed), named))
    }

    /// The version after `tables` with more rows of another system.
    pub(super) fn source_rows(
        &mut self,
        tables: &Tables,
        company: &str,
        rows: &dyn SourceRows,
    ) -> SqlResult<Tables> {
        let mut tables = tables.clone();
        for (def, rows) in rows.rows(self.open(company)?.company)? {
            let table = appended(&tables, def, rows)?;
            tables = tables.with(vec![table]);
        }
        Ok(tables)
    }

    /// The version after `tables` in which a company never collected: its rows are gone, and every posting that they
    /// brought is taken back.
    pub(super) fn silence(&mut self, tables: &Tables, company: &str) -> SqlResult<Tables> {
        let mut companies = self.companies.iter();
        let index = companies.position(|open| open.company.code == company);
        let index = index.ok_or_else(|| internal(format!("no company {company}")))?;
        let entries = shares(self.spec.rows).get(index).copied().unwrap_or(0);
        let open = find(&mut self.companies, company)?;
        let mut books = Books::new(open.company, &self.decor, open.last)?;
        let spec = SystemSpec::of(index, entries, self.spec.seed);
        collections::take_back(open.company, spec, &mut books)?;
        let mut changed = open.take(tables, books.finish()?)?;
        changed.push(self.balances()?);
        for def in collections::HAPPENED {
            changed.push(without(tables, def, company)?);
        }
        Ok(tables.with(changed))
    }

    /// Says that the last balances of a company were refreshed on `day`.
    pub(super) fn refresh(&mut self, company: &str, day: i64) -> SqlResult<Table> {
        self.open(company)?.refreshed = Some(day);
        self.balances()
    }
}

fn find<'a>(companies: &'a mut [Open], company: &str) -> SqlResult<&'a mut Open> {
    let open = companies
        .iter_mut()
        .find(|open| open.company.code == company);
    open.ok_or_else(|| internal(format!("no company {company}")))
}

fn known(tables: &Tables, def: &TableDef) -> SqlResult<Table> {
    let [database, schema, name] = def.name;
    let table = tables.find(database, schema, name);
    let table = table.ok_or_else(|| internal(format!("no table {name}")))?;
    Ok(Table::clone(table))
}

/// The table without the rows of a company.
fn without(tables: &Tables, def: &TableDef, company: &str) -> SqlResult<Table> {
    let mut table = known(tables, def)?;
    for batch in &mut table.batches {
        let codes = batch.column_by_name(collections::ID_COMPANY);
        let codes = codes.and_then(|codes| codes.as_string_opt::<i32>());
        let codes = codes.ok_or_else(|| internal("no company in the rows"))?;
        let others = codes.iter().map(|code| Some(code != Some(company)));
        let others: BooleanArray = others.collect();
        *batch = filter_record_batch(batch, &others).map_err(internal)?;
    }
    table.batches.retain(|batch| batch.num_rows() > 0);
    Ok(table)
}

/// The table with more rows.
fn appended(tables: &Tables, def: &TableDef, rows: Vec<RecordBatch>) -> SqlResult<Table> {
    let mut table = known(tables, def)?;
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
