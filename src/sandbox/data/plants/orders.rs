//! Planted differences of the shop: items of which the ledger says something else, or nothing. Expected amounts are written
//! down by hand.
//!
//! # Source
//! Section 2 of the control's description; companies, times and amounts are those of its table.

use crate::domain::plant::PlantProfile::{Hold, Recon};
use crate::sandbox::data::chart::{Company, NEXT_START, PACKAGES, REVENUE};
use crate::sandbox::data::documents::Document;
use crate::sandbox::data::events::{DAY_US, Kind, day_number};
use crate::sandbox::data::orders::{
    Item, Money, PACKAGE_CASHREC, Package, RPT_SOI, Times, order_nr, packages, rows,
};
use crate::sandbox::data::systems::{Rows, SourceRows};
use crate::sandbox::tsql::error::SqlResult;

use super::instructions::{Change, DESCRIPTION, Day, Plant, USER, cents, on_line};

const ITEMS: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI]";
const CASH: &str = "[STG_AIG_NAV_JUMIA_REC].[OMS].[PACKAGE_CASHREC]";

/// One item, as often as it stands in the table, with its package where somebody is to bring cash.
struct Sold {
    item: Item<'static>,
    copies: usize,
}

impl SourceRows for Sold {
    fn rows(&self, company: &'static Company) -> SqlResult<Rows> {
        let items = vec![self.item; self.copies];
        let mut written: Rows = vec![(&RPT_SOI, rows(company, &items)?)];
        if !self.item.is_prepaid {
            let package = Package {
                order: self.item.order,
                expected: self.item.money.in_cash(),
                delivered: self.item.times.package_delivered,
                resolved: None,
            };
            written.push((&PACKAGE_CASHREC, vec![packages(company, &[package])?]));
        }
        Ok(written)
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let item = format!("COD_OMS_SALES_ORDER_ITEM = {}", self.item.number);
        let mut keys = vec![(ITEMS, item); self.copies];
        if !self.item.is_prepaid {
            keys.push((CASH, format!("order_nr = {}", order_nr(self.item.order))));
        }
        keys
    }
}

/// A time of a day, in milliseconds after its midnight.
const fn at(day: Day, millis: i64) -> Option<i64> {
    Some(day_number(day) * DAY_US + millis * 1_000)
}

const HOUR: i64 = 3_600_000;
const LAST_TICK: Option<i64> = at((2024, 4, 30), 24 * HOUR - 3);
const FIRST_TICK: Option<i64> = at(NEXT_START, 0);
const ORDERED: i64 = day_number((2024, 3, 18)) * DAY_US;

/// An item of retail for cash at a price in hundredths of the local currency.
const fn sold(number: i64, price: i128, delivered: Option<i64>) -> Item<'static> {
    Item {
        number,
        order: number,
        customer: Some(number),
        customer_type: Some("retail"),
        status: Some("delivered"),
        method: Some("CashOnDelivery"),
        delivery_type: Some("Standard"),
        voucher_code: None,
        voucher_type: None,
        is_prepaid: false,
        is_marketplace: false,
        is_global: Some(false),
        times: Times {
            shipped: Some(ORDERED + DAY_US),
            delivered,
            package_delivered: delivered,
            ..Times::of_order(ORDERED)
        },
        money: Money::of_price(price * 100),
    }
}

/// The delivery of an item in the ledger.
const fn delivery(company: &'static str, amount: i128, day: Day) -> Change {
    Change::Document(
        company,
        Document {
            kind: Kind::Journal,
            day: day_number(day),
            created_day: day_number(day),
            accounts: [PACKAGES, REVENUE],
            amount,
            number: "",
            external: None,
            voucher: None,
            description: DESCRIPTION,
            user: USER,
        },
    )
}

const LAST_TICK_OF_MONTH: Sold = Sold {
    item: sold(90_000_005, 1_500_000, LAST_TICK),
    copies: 1,
};

const AFTERNOON: Sold = Sold {
    item: Item {
        method: Some("CreditCard"),
        status: Some("exportable"),
        is_prepaid: true,
        times: Times {
            verified: at((2024, 4, 30), 15 * HOUR),
            ..Times::of_order(day_number((2024, 4, 30)) * DAY_US)
        },
        ..sold(90_000_006, 80_000_000, None)
    },
    copies: 1,
};

const RETURNED: Sold = Sold {
    item: Item {
        method: Some("JumiaPay"),
        status: Some("returned"),
        is_prepaid: true,
        is_marketplace: true,
        times: Times {
            verified: at((2024, 3, 18), 9 * HOUR),
            shipped: at((2024, 3, 19), 8 * HOUR),
            delivered: at((2024, 3, 21), 16 * HOUR),
            package_delivered: at((2024, 3, 21), 16 * HOUR),
            returned: at((2024, 4, 10), 11 * HOUR),
            ..Times::of_order(ORDERED)
        },
        ..sold(90_000_007, 20_000_000, None)
    },
    copies: 1,
};

const TWICE: Sold = Sold {
    item: sold(90_000_021, 1_400_000, at((2024, 4, 17), 12 * HOUR)),
    copies: 2,
};

const FIRST_TICK_AFTER: Sold = Sold {
    item: sold(90_000_032, 1_500_000, FIRST_TICK),
    copies: 1,
};

/// What is planted among the orders.
pub(super) const ORDERS: [Plant; 5] = [
    Plant {
        id: "F05",
        kind: "last tick of the month",
        profile: Recon,
        changes: &[
            Change::Rows("EC_MA", &LAST_TICK_OF_MONTH),
            delivery("EC_MA", cents(1_500_000), NEXT_START),
        ],
        effects: &[on_line("EC_MA", "L2", cents(-1_500_000), "-1485.15")],
        expected: "L2 INVESTIGATE",
        note: "",
    },
    Plant {
        id: "F06",
        kind: "afternoon of the last day",
        profile: Recon,
        changes: &[Change::Rows("EC_IC", &AFTERNOON)],
        effects: &[on_line("EC_IC", "L4", cents(80_000_000), "1333.33")],
        expected: "L4 INVESTIGATE (a bound at midnight of the last day loses it)",
        note: "",
    },
    Plant {
        id: "F07",
        kind: "sign of IPE_34",
        profile: Recon,
        changes: &[Change::Rows("EC_KE", &RETURNED)],
        effects: &[on_line("EC_KE", "L5", cents(20_000_000), "1538.46")],
        expected: "L5 INVESTIGATE; with the wrong sign it would be -200000.00",
        note: "its prepayment was used up by the delivery, and is in neither book",
    },
    Plant {
        id: "H01",
        kind: "true duplicate in the source",
        profile: Hold,
        changes: &[
            Change::Rows("JD_GH", &TWICE),
            delivery("JD_GH", cents(1_400_000), (2024, 4, 17)),
        ],
        effects: &[on_line("JD_GH", "L2", cents(-1_400_000), "-1037.04")],
        expected: "key uniqueness FAIL naming the key; load held; L2 NOT_CONCLUDED; the other IPEs go on",
        note: "the variance would be there if IPE_12 were loaded",
    },
    Plant {
        id: "N02",
        kind: "first tick after",
        profile: Recon,
        changes: &[
            Change::Rows("EC_MA", &FIRST_TICK_AFTER),
            delivery("EC_MA", cents(1_500_000), NEXT_START),
        ],
        effects: &[on_line("EC_MA", "L2", 0, "0.00")],
        expected: "nothing",
        note: "",
    },
];
