//! Draws orders of a company: the days of a case, prices, and who bought. Draws nothing from the clock.

use super::cases::{At, Case, Seller, Way};
use super::item::{Item, Money, Times, happened};
use super::package::{CUSTOMER_KINDS, Package};
use super::posting::{DIGITAL, NO_PAYMENT};
use crate::sandbox::data::chart::{Company, NEXT_START};
use crate::sandbox::data::events::{DAY_US, customers_of, day_number};
use crate::sandbox::data::ledger::NO_DATE_US;
use crate::sandbox::data::rng::Rng;
use crate::sandbox::data::systems::SystemSpec;

/// Number of the shop among the systems.
const SYSTEM: u64 = 1;
const CUTOFF_US: i64 = day_number(NEXT_START) * DAY_US;
const HOUR_US: i64 = DAY_US / 24;
/// The last tick of a `datetime` before midnight is shown as .997.
pub(super) const TICK_US: i64 = 3_000;
/// Numbers of orders and of items begin behind these.
const ORDERS: i64 = 10_000_000;
const ITEMS: i64 = 40_000_000;

const ON_DELIVERY: [&str; 3] = ["CashOnDelivery", "CardOnDelivery", "MobileMoneyOnDelivery"];
const IN_ADVANCE: [&str; 3] = ["JumiaPay", "CreditCard", "BankTransfer"];
const DELIVERIES: [Option<&str>; 4] = [
    Some("Standard"),
    Some("Express"),
    Some("Pickup Station"),
    None,
];

/// What happened to the package of an order.
#[derive(Debug, Clone, Copy)]
struct Life {
    times: Times,
    resolved: Option<i64>,
}

/// An order with its items and, if the carrier reports it, its package.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) items: Vec<Item<'static>>,
    pub(super) package: Option<Package>,
    /// When the cash was settled.
    pub(super) resolved: Option<i64>,
}

/// The orders of one company, one after the other.
#[derive(Debug)]
pub(super) struct Orders {
    rng: Rng,
    rate: i128,
    customers: u64,
    orders: i64,
    items: i64,
}

impl Orders {
    pub(super) fn new(company: &Company, spec: SystemSpec) -> Self {
        Self {
            rng: Rng::new(spec.seed, spec.stream * 16 + SYSTEM),
            rate: i128::from(company.rate_hundredths),
            customers: customers_of(spec.open),
            orders: ORDERS,
            items: ITEMS,
        }
    }

    /// The next order, which lives as `case` says.
    pub(super) fn next(&mut self, case: &Case) -> Order {
        self.orders += 1;
        let life = self.life(case);
        let first = self.item(case, &life);
        let mut items = vec![first];
        // One order in five has a second item in the same package.
        if self.rng.percent(20) {
            self.items += 1;
            items.push(Item {
                number: self.items,
                money: self.money(first.voucher_type.is_some(), first.is_global),
                ..first
            });
        }
        let has_package = first.times.shipped.is_some() && case.is_reported;
        Order {
            package: has_package.then(|| Package {
                order: self.orders,
                expected: items.iter().map(|item| item.money.in_cash()).sum(),
                delivered: life.times.package_delivered,
                resolved: life.resolved,
            }),
            resolved: life.resolved,
            items,
        }
    }

    fn life(&mut self, case: &Case) -> Life {
        let mut clock = None;
        let verified = self.time(case.verified, &mut clock);
        let delivered = self.time(case.delivered, &mut clock);
        let package_delivered = match case.package {
            At::Delivered => delivered,
            at => self.time(at, &mut clock),
        };
        let resolved = self.time(case.resolved, &mut clock);
        let refunded = self.time(case.refunded, &mut clock);
        let returned = self.time(case.returned, &mut clock);
        let first = [verified, delivered, package_delivered].map(happened);
        let created = match (case.created, first.into_iter().flatten().min()) {
            (At::Never, Some(first)) => first - HOUR_US - self.below(3 * DAY_US),
            (At::Never, None) => CUTOFF_US - 3 * DAY_US - self.below(40 * DAY_US),
            (at, _) => self.time(at, &mut None).unwrap_or(CUTOFF_US),
        };
        let is_cancelled = delivered.is_none() && happened(refunded).is_some();
        let arrived = delivered.or(package_delivered);
        let is_shipped = arrived.is_some() || (!is_cancelled && self.rng.percent(50));
        Life {
            times: Times {
                verified,
                shipped: is_shipped
                    .then(|| happened(arrived).map_or(created, |at| created.midpoint(at))),
                delivered,
                package_delivered,
                returned,
                refunded,
                failed: returned.filter(|_| self.rng.percent(10)),
                cancelled: refunded.filter(|_| is_cancelled),
                ..Times::of_order(created)
            },
            resolved,
        }
    }

    /// A time as a case says it; `clock` is when the last thing happened.
    fn time(&mut self, at: At, clock: &mut Option<i64>) -> Option<i64> {
        let time = match at {
            At::Never | At::Delivered => return None,
            At::Empty => return Some(NO_DATE_US),
            At::Ago(least, most) => {
                CUTOFF_US - most * DAY_US + self.below((most - least + 1) * DAY_US)
            }
            At::After(days) => {
                let before = clock.unwrap_or(CUTOFF_US - days * DAY_US);
                let later = before + HOUR_US + self.below(days * DAY_US);
                later.min(CUTOFF_US - TICK_US)
            }
            At::Ahead => CUTOFF_US + HOUR_US + self.below(18 * DAY_US),
            At::EveOf(day) => day_number(day) * DAY_US - TICK_US,
            At::On(day) => day_number(day) * DAY_US,
        };
        *clock = Some(time);
        Some(time)
    }

    /// Whole seconds below a number of microseconds.
    fn below(&mut self, micros: i64) -> i64 {
        let seconds = u64::try_from(micros / 1_000_000).unwrap_or(0);
        i64::try_from(self.rng.below(seconds)).unwrap_or(0) * 1_000_000
    }

    fn item(&mut self, case: &Case, life: &Life) -> Item<'static> {
        self.items += 1;
        let is_marketplace = match case.seller {
            Seller::Any => self.rng.percent(50),
            Seller::Marketplace => true,
            Seller::Retail | Seller::Digital => false,
        };
        let delivery_type = match case.seller {
            Seller::Digital => Some(self.pick(&DIGITAL)),
            _ => self.pick(&DELIVERIES),
        };
        let method = match case.way {
            Way::Cash => Some(self.pick(&ON_DELIVERY)),
            Way::Prepaid => Some(self.pick(&IN_ADVANCE)),
            Way::Free => Some(NO_PAYMENT),
            Way::Unknown => None,
        };
        let voucher = match self.rng.below(5) {
            0 => [Some("WELCOME10"), Some("coupon")],
            1 => [Some("STAFF-2024"), Some("employee")],
            _ => [None, None],
        };
        let [voucher_code, voucher_type] = voucher;
        let is_global = match self.rng.below(8) {
            0 => None,
            1 => Some(true),
            _ => Some(false),
        };
        let customer = 1 + i64::try_from(self.rng.below(self.customers)).unwrap_or(0);
        Item {
            number: self.items,
            order: self.orders,
            customer: (self.rng.below(40) > 0).then_some(customer),
            customer_type: (self.rng.below(20) > 0).then(|| self.pick(&CUSTOMER_KINDS)),
            status: (self.rng.below(25) > 0).then(|| status(life)),
            method,
            delivery_type,
            voucher_code,
            voucher_type,
            is_prepaid: case.way == Way::Prepaid,
            is_marketplace,
            is_global,
            times: life.times,
            money: self.money(voucher_type.is_some(), is_global),
        }
    }

    fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let index = self.rng.index(choices.len());
        choices.get(index).copied().unwrap_or_default()
    }

    /// An amount of up to so many US dollars in ten-thousandths of the local currency, now and then with all four decimals.
    fn amount(&mut self, dollars: u64) -> i128 {
        let hundredths = 1 + i128::from(self.rng.below(dollars * 100));
        let fine = if self.rng.percent(12) {
            i128::from(self.rng.below(100))
        } else {
            0
        };
        hundredths * self.rate + fine + 100
    }

    /// A part of an amount in so many of a hundred draws; a missing part is a null or a zero.
    fn part(&mut self, percent: u64, of: i128, divisor: i128) -> Option<i128> {
        if self.rng.percent(percent) {
            return Some(of / divisor.max(1));
        }
        self.rng.percent(30).then_some(0)
    }

    fn money(&mut self, has_voucher: bool, is_global: Option<bool>) -> Money {
        let dollars = self.pick(&[20, 90, 400]);
        let price = self.amount(dollars);
        let with_voucher = if has_voucher { 100 } else { 0 };
        let abroad = if is_global == Some(true) { 100 } else { 0 };
        let shipping = self.amount(4);
        let mut money = Money {
            unit_price: Some(price),
            coupon: self.part(with_voucher, price, 10),
            cart_rule: self.part(15, price, 20),
            shipping: self.part(70, shipping, 1),
            shipping_cart_rule: self.part(15, shipping, 8),
            shipping_voucher: self.part(with_voucher / 2, shipping, 9),
            shipping_discount: self.part(10, shipping, 10),
            fee_modification: self.part(5, shipping, 3),
            customs: self.part(abroad, price, 8),
            customs_cart_rule: self.part(abroad / 4, price, 40),
            freight: self.part(abroad, price, 15),
            delivery_cart_rule: self.part(abroad / 4, price, 60),
            ..Money::default()
        };
        let paid = Some(money.for_items());
        (money.paid_price, money.after_discount) = (paid, paid);
        money.amount_paid = Some(money.in_cash());
        money
    }
}

/// What the shop says of an item today.
fn status(life: &Life) -> &'static str {
    let times = &life.times;
    if happened(times.returned).is_some() {
        "returned"
    } else if happened(times.cancelled).is_some() {
        "cancelled"
    } else if happened(life.resolved).is_some() {
        "closed"
    } else if happened(times.delivered).is_some() {
        "delivered"
    } else if times.shipped.is_some() {
        "shipped"
    } else {
        "exportable"
    }
}
