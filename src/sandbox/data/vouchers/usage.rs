//! The order items that vouchers paid, as the shop's report of items has them.
//!
//! Nothing else is due for such an item, so that no other line of the control looks at it.

use arrow::record_batch::RecordBatch;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::ledger::NO_DATE_US;
use crate::sandbox::data::orders::{Item, Money, Times, rows};
use crate::sandbox::tsql::error::SqlResult;

use super::life::{Use, Voucher};

/// First number of the order items that vouchers pay.
const FIRST_ITEM: i64 = 600_000_000;

/// The items of a voucher; `number` is its running number in the company.
pub(in crate::sandbox::data) fn items<'a>(
    voucher: &Voucher<'a>,
    number: u64,
) -> impl Iterator<Item = Item<'a>> {
    let first = i64::try_from(number)
        .unwrap_or(0)
        .saturating_mul(2)
        .saturating_add(FIRST_ITEM);
    let code = voucher.code;
    let uses = voucher.life.uses.into_iter().flatten();
    uses.zip(first..)
        .map(move |(one, number)| item(code, one, number))
}

/// Rows of `RPT_SOI`.
pub(in crate::sandbox::data) fn sold(
    company: &Company,
    vouchers: &[(u64, Voucher<'_>)],
) -> SqlResult<Vec<RecordBatch>> {
    let all = vouchers
        .iter()
        .flat_map(|(number, voucher)| items(voucher, *number));
    rows(company, &all.collect::<Vec<_>>())
}

fn item(code: &str, one: Use, number: i64) -> Item<'_> {
    let arrived = one.delivered.filter(|at| *at != NO_DATE_US);
    Item {
        number,
        order: number,
        customer: (number % 9 > 0).then_some(number / 3),
        customer_type: Some("retail"),
        status: Some(if arrived.is_some() {
            "delivered"
        } else {
            "shipped"
        }),
        method: Some("NoPayment"),
        delivery_type: Some("Standard"),
        voucher_code: Some(code),
        voucher_type: Some(if one.is_coupon {
            "coupon"
        } else {
            "reusablecredit"
        }),
        is_prepaid: false,
        is_marketplace: number % 3 == 0,
        is_global: Some(false),
        times: Times {
            shipped: Some(one.ordered),
            delivered: one.delivered,
            package_delivered: one.delivered,
            ..Times::of_order(one.ordered)
        },
        money: paid(one, number % 3 == 0),
    }
}

/// What a voucher paid of an item: a coupon the shipping fee, credit an eighth for shipping and the rest for the goods.
fn paid(one: Use, is_marketplace: bool) -> Money {
    let amount = i128::from(one.amount);
    let mut money = Money::of_price(0);
    if one.is_coupon {
        money.shipping = Some(amount);
        money.shipping_voucher = Some(amount);
        return money;
    }
    let shipping = amount / 8;
    let goods = Some(amount - shipping);
    money.unit_price = goods;
    money.coupon = goods;
    money.shipping = Some(shipping);
    money.shipping_voucher = None;
    money.shipping_credit = Some(shipping);
    if is_marketplace {
        money.mpl_credit = goods;
    } else {
        money.rtl_credit = goods;
    }
    money
}
