//! The shop's vouchers: their stock at the month ends, the orders that they paid, and what the ledger books of them.
//!
//! Each voucher is one life (`life`) that is written to the shop's tables and posted to the general ledger, so that what
//! remains on valid vouchers is what account 18412 owes. Draws from the seed only.

mod defs;
mod draw;
mod life;
mod postings;
mod rows;
mod usage;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::orders::RPT_SOI;
use crate::sandbox::data::systems::{Rows, SystemSpec};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

pub(super) use defs::CLOSING;
use defs::VOUCHER;
use draw::{Draw, Drawn};
use rows::VoucherRows;

pub(super) use life::{BusinessUse, CUTOFF, EndedBy, Life, Use, Voucher};

/// The tables of the system.
pub(super) const TABLES: [&TableDef; 2] = [&CLOSING, &VOUCHER];
/// Vouchers whose order items are written together.
const CHUNK: usize = 4_096;

/// Writes the vouchers of a company and posts what happens to them.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let mut draw = Draw::new(company, spec);
    let mut rows = Rows::new();
    loop {
        let chunk: Vec<Drawn> = draw.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(rows);
        }
        let vouchers: Vec<(u64, Voucher<'_>)> = chunk
            .iter()
            .map(|drawn| (drawn.number, drawn.voucher()))
            .collect();
        for (number, voucher) in &vouchers {
            postings::post(company, *number, voucher, books)?;
        }
        rows.extend(rows_of(company, &vouchers)?);
    }
}

/// The rows of vouchers in all tables.
pub(super) fn rows_of(company: &Company, vouchers: &[(u64, Voucher<'_>)]) -> SqlResult<Rows> {
    let mut rows = VoucherRows::new(company.code);
    for (number, voucher) in vouchers {
        rows.push(voucher, *number)?;
    }
    let mut written = rows.finish()?;
    written.push((&RPT_SOI, usage::sold(company, vouchers)?));
    Ok(written)
}

#[cfg(test)]
mod tests;
