//! The systems beside the ledger: each writes its own tables and posts the same events to the general ledger.

use arrow::record_batch::RecordBatch;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::orders;
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

/// Every table of every system.
pub(super) fn tables() -> [&'static TableDef; 6] {
    [
        &orders::RPT_SOI,
        &orders::PACKAGE_CASHREC,
        &orders::REFUND_NO_RETURN,
        &orders::CUSTOMER_TYPE,
        &vouchers::CLOSING,
        &vouchers::VOUCHER,
    ]
}

/// Writes what all systems of a company hold.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let mut rows = orders::write(company, spec, books)?;
    rows.extend(vouchers::write(company, spec, books)?);
    Ok(rows)
}

/// Rows of a system that a planted difference adds.
pub(super) trait SourceRows: Sync {
    /// The rows of a company.
    fn rows(&self, company: &'static Company) -> SqlResult<Rows>;

    /// Table and key of each of them, as the answer key names them.
    fn keys(&self) -> Vec<(&'static str, String)>;
}
