//! Sales order items as the shop reports them, and the amounts that finance reads off them.
//!
//! May be used by every system that sells through the shop: it gives its own items and gets rows of `RPT_SOI`.

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use super::defs::RPT_SOI;
use crate::sandbox::data::chart::Company;
use crate::sandbox::data::columns::{flags, money, numbers, texts, times};
use crate::sandbox::data::decor::BATCH_ROWS;
use crate::sandbox::data::ledger::{NO_DATE_US, batch};
use crate::sandbox::tsql::error::SqlResult;

/// One sales order item. Equal numbers of a company are one item.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Item<'a> {
    /// Its number in the order system. Systems take ranges of their own.
    pub(in crate::sandbox::data) number: i64,
    /// Number of its order, whose items are one package.
    pub(in crate::sandbox::data) order: i64,
    pub(in crate::sandbox::data) customer: Option<i64>,
    pub(in crate::sandbox::data) customer_type: Option<&'a str>,
    pub(in crate::sandbox::data) status: Option<&'a str>,
    pub(in crate::sandbox::data) method: Option<&'a str>,
    pub(in crate::sandbox::data) delivery_type: Option<&'a str>,
    pub(in crate::sandbox::data) voucher_code: Option<&'a str>,
    pub(in crate::sandbox::data) voucher_type: Option<&'a str>,
    pub(in crate::sandbox::data) is_prepaid: bool,
    pub(in crate::sandbox::data) is_marketplace: bool,
    pub(in crate::sandbox::data) is_global: Option<bool>,
    pub(in crate::sandbox::data) times: Times,
    pub(in crate::sandbox::data) money: Money,
}

/// When something happened to an item, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::data) struct Times {
    pub(in crate::sandbox::data) created: i64,
    /// Finance saw the payment.
    pub(in crate::sandbox::data) verified: Option<i64>,
    pub(in crate::sandbox::data) shipped: Option<i64>,
    pub(in crate::sandbox::data) delivered: Option<i64>,
    pub(in crate::sandbox::data) package_delivered: Option<i64>,
    pub(in crate::sandbox::data) returned: Option<i64>,
    pub(in crate::sandbox::data) refunded: Option<i64>,
    pub(in crate::sandbox::data) failed: Option<i64>,
    pub(in crate::sandbox::data) cancelled: Option<i64>,
}

/// Prices and discounts of an item in ten-thousandths; a discount is positive.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sandbox::data) struct Money {
    pub(in crate::sandbox::data) unit_price: Option<i128>,
    /// Value of the voucher or coupon.
    pub(in crate::sandbox::data) coupon: Option<i128>,
    pub(in crate::sandbox::data) cart_rule: Option<i128>,
    pub(in crate::sandbox::data) paid_price: Option<i128>,
    pub(in crate::sandbox::data) after_discount: Option<i128>,
    pub(in crate::sandbox::data) amount_paid: Option<i128>,
    pub(in crate::sandbox::data) shipping: Option<i128>,
    pub(in crate::sandbox::data) shipping_cart_rule: Option<i128>,
    pub(in crate::sandbox::data) shipping_voucher: Option<i128>,
    pub(in crate::sandbox::data) shipping_discount: Option<i128>,
    pub(in crate::sandbox::data) fee_modification: Option<i128>,
    pub(in crate::sandbox::data) customs: Option<i128>,
    pub(in crate::sandbox::data) customs_cart_rule: Option<i128>,
    pub(in crate::sandbox::data) freight: Option<i128>,
    pub(in crate::sandbox::data) delivery_cart_rule: Option<i128>,
    /// What a store credit voucher paid of the shipping.
    pub(in crate::sandbox::data) shipping_credit: Option<i128>,
    /// What it paid of goods of the marketplace.
    pub(in crate::sandbox::data) mpl_credit: Option<i128>,
    /// What it paid of goods of retail.
    pub(in crate::sandbox::data) rtl_credit: Option<i128>,
}

impl Times {
    /// An order of which nothing came yet.
    pub(in crate::sandbox::data) const fn of_order(created: i64) -> Self {
        Self {
            created,
            verified: None,
            shipped: None,
            delivered: None,
            package_delivered: None,
            returned: None,
            refunded: None,
            failed: None,
            cancelled: None,
        }
    }
}

impl Money {
    /// A price without discounts, shipping or fees.
    pub(in crate::sandbox::data) const fn of_price(price: i128) -> Self {
        let price = Some(price);
        Self {
            unit_price: price,
            coupon: None,
            cart_rule: None,
            paid_price: price,
            after_discount: price,
            amount_paid: price,
            shipping: None,
            shipping_cart_rule: None,
            shipping_voucher: None,
            shipping_discount: None,
            fee_modification: None,
            customs: None,
            customs_cart_rule: None,
            freight: None,
            delivery_cart_rule: None,
            shipping_credit: None,
            mpl_credit: None,
            rtl_credit: None,
        }
    }

    /// Price after discounts.
    pub(super) fn for_items(&self) -> i128 {
        or_zero(self.unit_price) - or_zero(self.coupon) - or_zero(self.cart_rule)
    }

    /// Shipping after discounts, with customs and freight.
    pub(super) fn for_shipping(&self) -> i128 {
        or_zero(self.shipping) - or_zero(self.shipping_cart_rule) - or_zero(self.shipping_voucher)
            + or_zero(self.customs)
            - or_zero(self.customs_cart_rule)
            + or_zero(self.freight)
    }

    /// What the carrier collects for an item that is paid in cash.
    pub(in crate::sandbox::data) fn in_cash(&self) -> i128 {
        or_zero(self.paid_price) + self.for_shipping() - or_zero(self.delivery_cart_rule)
    }

    /// What goes back to the customer: a discount on shipping that was a coupon does not.
    pub(super) fn refundable(&self, voucher_type: Option<&str>) -> i128 {
        let coupon = match voucher_type {
            Some("coupon") => or_zero(self.shipping_voucher),
            _ => 0,
        };
        or_zero(self.after_discount) + or_zero(self.shipping) + or_zero(self.customs)
            - or_zero(self.customs_cart_rule)
            - or_zero(self.shipping_cart_rule)
            - coupon
    }

    /// In the order of the columns.
    fn columns(&self) -> [Option<i128>; 18] {
        [
            self.unit_price,
            self.coupon,
            self.cart_rule,
            self.paid_price,
            self.after_discount,
            self.amount_paid,
            self.shipping,
            self.shipping_cart_rule,
            self.shipping_voucher,
            self.shipping_discount,
            self.fee_modification,
            self.customs,
            self.customs_cart_rule,
            self.freight,
            self.delivery_cart_rule,
            self.shipping_credit,
            self.mpl_credit,
            self.rtl_credit,
        ]
    }
}

/// The time, if it is one: NAV's empty date is none.
pub(super) fn happened(time: Option<i64>) -> Option<i64> {
    time.filter(|time| *time != NO_DATE_US)
}

fn or_zero(amount: Option<i128>) -> i128 {
    amount.unwrap_or(0)
}

/// The number of an order as customers know it.
pub(in crate::sandbox::data) fn order_nr(order: i64) -> String {
    format!("{order:09}")
}

/// The number of the package of an order.
pub(super) fn package_number(company: &Company, order: i64) -> String {
    format!("MPDS-{}-{order:09}", company.country_code)
}

/// Rows of `RPT_SOI`.
pub(in crate::sandbox::data) fn rows(
    company: &Company,
    items: &[Item<'_>],
) -> SqlResult<Vec<RecordBatch>> {
    let chunks = items.chunks(BATCH_ROWS);
    chunks.map(|chunk| chunk_rows(company, chunk)).collect()
}

fn chunk_rows(company: &Company, items: &[Item<'_>]) -> SqlResult<RecordBatch> {
    let mut columns = names(company, items);
    columns.extend(flags_of(items));
    columns.extend(times_of(items));
    for (place, _) in Money::default().columns().iter().enumerate() {
        let amount = |item: &Item<'_>| item.money.columns().get(place).copied().flatten();
        columns.push(money(items.iter().map(amount))?);
    }
    batch(&RPT_SOI, columns)
}

fn names(company: &Company, items: &[Item<'_>]) -> Vec<ArrayRef> {
    let all = || items.iter();
    let shipped = |item: &Item<'_>| item.times.shipped.is_some();
    vec![
        texts(all().map(|_| Some(company.code))),
        numbers(all().map(|i| Some(i.number))),
        // One in twenty comes from before the shop kept its own numbers.
        numbers(all().map(|i| (i.number % 20 != 0).then_some(i.number + 5_000_000))),
        numbers(all().map(|i| (i.number % 20 != 0).then_some(i.order))),
        texts(all().map(|i| Some(order_nr(i.order)))),
        numbers(all().map(|i| shipped(i).then_some(i.order + 7_000_000))),
        texts(all().map(|i| shipped(i).then(|| package_number(company, i.order)))),
        texts(all().map(|i| (i.number % 3 != 0).then(|| format!("TRK{:010}", i.order)))),
        numbers(all().map(|i| i.customer)),
        texts(all().map(|i| i.customer_type)),
        texts(all().map(|i| i.status)),
        texts(all().map(|i| i.status.filter(|_| shipped(i)))),
        texts(all().map(|i| i.method)),
        texts(all().map(|i| i.delivery_type)),
        texts(all().map(|i| i.voucher_code)),
        texts(all().map(|i| i.voucher_type)),
    ]
}

fn flags_of(items: &[Item<'_>]) -> [ArrayRef; 4] {
    let all = || items.iter();
    [
        flags(all().map(|i| Some(i.is_prepaid))),
        flags(all().map(|i| Some(i.is_marketplace))),
        flags(all().map(|i| i.is_global)),
        flags(all().map(|i| i.times.refunded.map(|_| i.number % 5 != 0))),
    ]
}

fn times_of(items: &[Item<'_>]) -> [ArrayRef; 9] {
    let column = |time: fn(&Times) -> Option<i64>| times(items.iter().map(|i| time(&i.times)));
    [
        column(|t| Some(t.created)),
        column(|t| t.verified),
        column(|t| t.shipped),
        column(|t| t.delivered),
        column(|t| t.package_delivered),
        column(|t| t.returned),
        column(|t| t.refunded),
        column(|t| t.failed),
        column(|t| t.cancelled),
    ]
}
