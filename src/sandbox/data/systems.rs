//! The systems beside the ledger: each writes its own tables and posts the same events to the general ledger.

use arrow::record_batch::RecordBatch;

use crate::sandbox::data::central;
use crate::sandbox::data::chart::Company;
use crate::sandbox::data::collections;
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::orders;
use crate::sandbox::data::sellers;
use crate::sandbox::data::table::TableDef;
use crate::sandbox::data::vouchers;
use crate::sandbox::tsql::error::SqlResult;

/// Rows of tables; one table may come several times.
pub(super) type Rows = Vec<(&'static TableDef, Vec<RecordBatch>)>;

/// How much a system of a company writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemSpec {
    pub(super) seed: u64,
    /// Random stream of the company; a system takes sixteen times this and its own number.
    pub(super) stream: u64,
    /// Open customer entries of the company.
    pub(super) open: u64,
}

impl SystemSpec {
    /// That of the company at a position of `COMPANIES`.
    pub(super) fn of(index: usize, open: u64, seed: u64) -> Self {
        let stream = u64::try_from(index).unwrap_or(0) * 2 + 1;
        Self { seed, stream, open }
    }
}

/// Every table of every system.
pub(super) fn tables() -> Vec<&'static TableDef> {
    [
        &orders::TABLES[..],
        &collections::TABLES,
        &sellers::TABLES,
        &vouchers::TABLES,
        &central::TABLES,
    ]
    .concat()
}

/// Writes what all systems of a company hold.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let mut rows = orders::write(company, spec, books)?;
    rows.extend(collections::write(company, spec, books)?);
    rows.extend(sellers::write(company, spec, books)?);
    rows.extend(vouchers::write(company, spec, books)?);
    rows.extend(central::write(company)?);
    Ok(rows)
}

/// Rows of a system that a planted difference adds.
pub(super) trait SourceRows: Sync {
    /// The rows of a company.
    fn rows(&self, company: &'static Company) -> SqlResult<Rows>;

    /// Table and key of each of them, as the answer key names them.
    fn keys(&self) -> Vec<(&'static str, String)>;
}
