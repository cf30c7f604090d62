//! What the shop knows beside its items: the cash of packages, refunds without a return, kinds of customers.

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use super::defs::{CUSTOMER_TYPE, PACKAGE_CASHREC, REFUND_NO_RETURN};
use super::item::{Item, happened, order_nr, package_number};
use crate::sandbox::data::chart::Company;
use crate::sandbox::data::columns::{money, numbers, small_numbers, texts, times};
use crate::sandbox::data::ledger::batch;
use crate::sandbox::tsql::error::SqlResult;

/// The cash of the package of one order. Money in ten-thousandths, times in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Package {
    pub(in crate::sandbox::data) order: i64,
    pub(in crate::sandbox::data) expected: i128,
    pub(in crate::sandbox::data) delivered: Option<i64>,
    /// The cash came, or somebody settled why it did not.
    pub(in crate::sandbox::data) resolved: Option<i64>,
}

/// Kind of a customer at the shop, and what reports call it; a shop's kind need not be known to reports.
const CUSTOMER_TYPES: [(&str, Option<&str>, Option<&str>); 4] = [
    ("retail", Some("B2C"), Some("Individual")),
    ("employee", Some("B2C"), Some("Employee")),
    ("business", Some("B2B"), None),
    ("jforce", None, Some("Agent")),
];

/// Kinds of customers that items name; the last one is unknown to reports.
pub(super) const CUSTOMER_KINDS: [&str; 5] =
    ["retail", "employee", "business", "jforce", "corporate"];

/// Rows of `OMS.PACKAGE_CASHREC`.
pub(in crate::sandbox::data) fn packages(
    company: &Company,
    packages: &[Package],
) -> SqlResult<RecordBatch> {
    let all = || packages.iter();
    let paid = |package: &&Package| happened(package.resolved).is_some();
    let received = |p: &Package| Some(p).filter(paid).map(|p| p.expected);
    let status = |p: &Package| if paid(&p) { "reconciled" } else { "delivered" };
    let columns: Vec<ArrayRef> = vec![
        texts(all().map(|_| Some(company.code))),
        texts(all().map(|p| Some(package_number(company, p.order)))),
        texts(all().map(|p| (p.order % 7 != 0).then(|| order_nr(p.order)))),
        money(all().map(|p| Some(p.expected)))?,
        money(all().map(received))?,
        small_numbers(all().map(|p| Some(if paid(&p) { 9 } else { 6 }))),
        times(all().map(|p| p.delivered)),
        times(all().map(|p| p.delivered)),
        small_numbers(all().map(|p| i32::try_from(p.order % 5).ok().filter(|n| *n > 0))),
        texts(all().map(|p| (p.order % 3 != 0).then_some("3PL"))),
        texts(all().map(|p| Some(status(p)))),
        texts(all().map(|p| happened(p.resolved).map(|_| "Cash"))),
        times(all().map(|p| p.resolved)),
    ];
    batch(&PACKAGE_CASHREC, columns)
}

/// Rows of `RPT_REFUND_NO_RETURN`: some of the items that were refunded and did not come back.
pub(super) fn refunds_without_return(
    company: &Company,
    items: &[Item<'_>],
) -> SqlResult<RecordBatch> {
    let kept = |item: &&Item<'_>| {
        let times = item.times;
        times.refunded.is_some() && times.returned.is_none() && item.number % 2 == 0
    };
    let all = || items.iter().filter(kept);
    let kind = |item: &Item<'_>| match item.number % 6 {
        0 => None,
        2 => Some("refund_no_return"),
        _ => Some("partial_refund"),
    };
    let columns = vec![
        texts(all().map(|_| Some(company.code))),
        numbers(all().map(|i| Some(i.number))),
        texts(all().map(kind)),
    ];
    batch(&REFUND_NO_RETURN, columns)
}

/// Rows of `RPT_DIM_BOB_CUSTOMER_TYPE`.
pub(super) fn customer_types() -> SqlResult<RecordBatch> {
    let all = || CUSTOMER_TYPES.iter();
    let columns: Vec<ArrayRef> = vec![
        texts(all().map(|(kind, ..)| Some(*kind))),
        texts(all().map(|(_, first, _)| *first)),
        texts(all().map(|(.., second)| *second)),
    ];
    batch(&CUSTOMER_TYPE, columns)
}
