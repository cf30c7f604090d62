//! The shop: its sales order items and the cash of their packages, posted to the general ledger as they happen.
//!
//! Behind three lines of the control: packages that are delivered and not paid, prepayments, refunds of the marketplace.
//! `cases` has every life that an order can have, `posting` what it comes to in the books, from its own times.

mod cases;
mod defs;
mod draw;
mod item;
mod package;
mod posting;

use crate::sandbox::data::chart::{COMPANIES, Company};
use crate::sandbox::data::decor::BATCH_ROWS;
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::systems::{Rows, SystemSpec};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

use cases::CASES;
use draw::Orders;

use defs::CUSTOMER_TYPE;
pub(super) use defs::{PACKAGE_CASHREC, REFUND_NO_RETURN, RPT_SOI};
pub(super) use item::{Item, Money, Times, order_nr, rows};
pub(super) use package::{Package, packages};

/// Every table of the shop.
pub(super) const TABLES: [&TableDef; 4] = [
    &RPT_SOI,
    &PACKAGE_CASHREC,
    &REFUND_NO_RETURN,
    &CUSTOMER_TYPE,
];

/// Open customer entries for each of which there is one order.
const ENTRIES_PER_ORDER: u64 = 8;
/// Most orders of a company, so that a ledger of a hundred million entries fits in memory.
const ORDERS_MAX: usize = 200_000;

/// Writes the orders of a company, every case at least once.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let wanted = usize::try_from(spec.open / ENTRIES_PER_ORDER).unwrap_or(ORDERS_MAX);
    let wanted = wanted.clamp(CASES.len(), ORDERS_MAX);
    let mut orders = Orders::new(company, spec);
    let (mut items, mut cash) = (Vec::new(), Vec::new());
    let mut written = Rows::new();
    for case in CASES.iter().cycle().take(wanted) {
        let order = orders.next(case);
        for item in &order.items {
            posting::post(item, order.resolved, books)?;
        }
        items.extend(order.items);
        cash.extend(order.package);
        if items.len() >= BATCH_ROWS {
            flush(company, &mut items, &mut cash, &mut written)?;
        }
    }
    flush(company, &mut items, &mut cash, &mut written)?;
    let [first, ..] = &COMPANIES;
    if company.code == first.code {
        written.push((&CUSTOMER_TYPE, vec![package::customer_types()?]));
    }
    Ok(written)
}

fn flush(
    company: &Company,
    items: &mut Vec<Item<'_>>,
    cash: &mut Vec<Package>,
    written: &mut Rows,
) -> SqlResult<()> {
    let no_return = package::refunds_without_return(company, items)?;
    written.push((&RPT_SOI, rows(company, items)?));
    written.push((&PACKAGE_CASHREC, vec![packages(company, cash)?]));
    written.push((&REFUND_NO_RETURN, vec![no_return]));
    items.clear();
    cash.clear();
    Ok(())
}

#[cfg(test)]
mod tests;
