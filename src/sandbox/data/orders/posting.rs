//! What an item posts to the general ledger, read off its own times: nothing here knows what a report filters.
//!
//! # Shape
//! Cash on delivery: delivered → packages against revenue, resolved → bank against packages. Prepaid: verified → bank
//! against prepayments; the first of delivery and refund ends the prepayment, against revenue or bank. Marketplace:
//! refunded after delivery → refund liability against bank, returned → revenue against refund liability. A refund of
//! retail after delivery goes from revenue to the bank. What is older than the books was written off before they begin.

use super::item::{Item, happened, order_nr};
use crate::sandbox::data::chart::{BANK, PACKAGES, PACKAGES_OTHER, PREPAYMENTS, REFUNDS, REVENUE};
use crate::sandbox::data::documents::{BATCH_USER, Document};
use crate::sandbox::data::events::{DAY_US, Kind, day_number};
use crate::sandbox::data::ledger::Books;
use crate::sandbox::tsql::error::SqlResult;

/// A payment method that asks nobody for money.
pub(super) const NO_PAYMENT: &str = "NoPayment";
/// Kinds of delivery that have no package.
pub(super) const DIGITAL: [&str; 2] = ["Digital Content", "Gift Card"];
/// Prepayments are kept since then.
const PREPAID_SINCE: i64 = day_number((2018, 1, 1)) * DAY_US;
/// Packages and refunds are kept since then.
const SINCE: i64 = day_number((2019, 1, 1)) * DAY_US;
/// One ten-thousandth in the scale of the ledger.
pub(super) const TEN_THOUSANDTH: i128 = 10_000_000_000_000_000;

/// One posting of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    kind: Kind,
    prefix: &'static str,
    description: &'static str,
    /// Microseconds since 1970; posted on its calendar day.
    time: i64,
    accounts: [usize; 2],
    /// In ten-thousandths.
    amount: i128,
}

/// Posts everything that `item` comes to; `resolved` is when the cash of its package was settled.
pub(super) fn post(item: &Item<'_>, resolved: Option<i64>, books: &mut Books<'_>) -> SqlResult<()> {
    let external = order_nr(item.order);
    let steps = [prepayment(item), cash(item, resolved), refund(item)];
    for step in steps.into_iter().flatten().flatten() {
        let day = step.time.div_euclid(DAY_US);
        books.post_document(&Document {
            kind: step.kind,
            day,
            created_day: day,
            accounts: step.accounts,
            amount: step.amount * TEN_THOUSANDTH,
            number: &format!("{}-{}", step.prefix, item.number),
            external: Some(&external),
            voucher: None,
            description: step.description,
            user: BATCH_USER,
        })?;
    }
    Ok(())
}

/// When a prepaid item counts as delivered: a package of retail when it arrives as a whole.
fn handed_over(item: &Item<'_>) -> Option<i64> {
    let has_no_package = item
        .delivery_type
        .is_some_and(|kind| DIGITAL.contains(&kind));
    happened(if item.is_marketplace || has_no_package {
        item.times.delivered
    } else {
        item.times.package_delivered
    })
}

/// Whether a refund, and not the delivery, ended the prepayment of an item.
fn is_ended_by_refund(item: &Item<'_>) -> bool {
    let refunded = happened(item.times.refunded);
    item.is_prepaid
        && refunded
            .is_some_and(|refunded| handed_over(item).is_none_or(|delivered| refunded < delivered))
}

fn prepayment(item: &Item<'_>) -> [Option<Step>; 2] {
    let verified = happened(item.times.verified);
    let kept = verified
        .filter(|verified| item.is_prepaid && (*verified).min(item.times.created) >= PREPAID_SINCE);
    let Some(verified) = kept else {
        return [None, None];
    };
    let amount = item.money.for_items() + item.money.for_shipping();
    let paid = Step {
        kind: Kind::Payment,
        prefix: "PRE",
        description: "Prepayment of an order",
        time: verified,
        accounts: [BANK, PREPAYMENTS],
        amount,
    };
    let ended = if is_ended_by_refund(item) {
        happened(item.times.refunded).map(|time| Step {
            kind: Kind::CreditMemo,
            prefix: "PRB",
            description: "Prepayment paid back",
            time,
            accounts: [PREPAYMENTS, BANK],
            amount,
        })
    } else {
        handed_over(item).map(|time| Step {
            kind: Kind::Invoice,
            prefix: "PRD",
            description: "Prepaid order delivered",
            time,
            accounts: [PREPAYMENTS, REVENUE],
            amount,
        })
    };
    [Some(paid), ended]
}

fn cash(item: &Item<'_>, resolved: Option<i64>) -> [Option<Step>; 2] {
    let is_asked = item.method.is_some_and(|method| method != NO_PAYMENT);
    let delivered = happened(item.times.delivered).filter(|delivered| *delivered >= SINCE);
    let Some(delivered) = delivered.filter(|_| is_asked && !item.is_prepaid) else {
        return [None, None];
    };
    let account = if item.is_marketplace {
        PACKAGES_OTHER
    } else {
        PACKAGES
    };
    let amount = item.money.in_cash();
    let owed = Step {
        kind: Kind::Invoice,
        prefix: "COD",
        description: "Order delivered",
        time: delivered,
        accounts: [account, REVENUE],
        amount,
    };
    let settled = happened(resolved).map(|time| Step {
        kind: Kind::Payment,
        prefix: "CSH",
        description: "Cash of a package",
        time,
        accounts: [BANK, account],
        amount,
    });
    [Some(owed), settled]
}

fn refund(item: &Item<'_>) -> [Option<Step>; 2] {
    if happened(item.times.delivered).is_none() {
        return [None, None];
    }
    let kept = |time: Option<i64>| happened(time).filter(|time| *time >= SINCE);
    let amount = item.money.refundable(item.voucher_type);
    let account = if item.is_marketplace {
        REFUNDS
    } else {
        REVENUE
    };
    let refunded = kept(item.times.refunded).filter(|_| !is_ended_by_refund(item));
    let refunded = refunded.map(|time| Step {
        kind: Kind::CreditMemo,
        prefix: "RFD",
        description: "Order paid back",
        time,
        accounts: [account, BANK],
        amount,
    });
    let returned = kept(item.times.returned).filter(|_| item.is_marketplace);
    let returned = returned.map(|time| Step {
        kind: Kind::CreditMemo,
        prefix: "RET",
        description: "Order returned",
        time,
        accounts: [REVENUE, REFUNDS],
        amount,
    });
    [refunded, returned]
}
