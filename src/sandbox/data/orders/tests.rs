//! The three lines of the shop tie to zero per company at both month ends, by the predicates of the control over the rows
//! themselves; without one of the predicates they do not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};

use super::posting::TEN_THOUSANDTH;
use super::*;
use crate::sandbox::data::chart::{NEXT_START, START};
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::ledger::NO_DATE_US;
use crate::sandbox::data::table::TableDef;
use crate::sandbox::data::tests::balances;
use crate::sandbox::data::{LedgerSpec, Tables, generate};

type Sums = BTreeMap<String, i128>;

/// A row as its columns say it; a missing amount is none.
#[derive(Default, Clone)]
struct Row {
    texts: HashMap<&'static str, String>,
    flags: HashMap<&'static str, bool>,
    times: HashMap<&'static str, i64>,
    amounts: HashMap<&'static str, i128>,
}

impl Row {
    fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    fn is(&self, name: &str) -> bool {
        self.flags.get(name) == Some(&true)
    }

    fn sum(&self, plus: &[&str], minus: &[&str]) -> i128 {
        let of =
            |names: &[&str]| -> i128 { names.iter().filter_map(|n| self.amounts.get(n)).sum() };
        of(plus) - of(minus)
    }
}

fn read(tables: &Tables, def: &'static TableDef) -> Vec<Row> {
    let [database, schema, name] = def.name;
    let mut all = Vec::new();
    for batch in &tables.find(database, schema, name).unwrap().batches {
        let mut rows = vec![Row::default(); batch.num_rows()];
        for ((name, sql_type, _), column) in def.columns.iter().zip(batch.columns()) {
            for (place, row) in rows.iter_mut().enumerate() {
                if column.is_null(place) {
                    continue;
                }
                if sql_type.starts_with("varchar") {
                    let text = column.as_string::<i32>().value(place);
                    row.texts.insert(name, text.to_owned());
                } else if *sql_type == "bit" {
                    row.flags.insert(name, column.as_boolean().value(place));
                } else if *sql_type == "datetime" {
                    let times = column.as_primitive::<TimestampMicrosecondType>();
                    row.times.insert(name, times.value(place));
                } else if sql_type.starts_with("decimal") {
                    let amounts = column.as_primitive::<Decimal128Type>();
                    row.amounts.insert(name, amounts.value(place));
                } else if *sql_type == "bigint" {
                    let number = column.as_primitive::<Int64Type>().value(place);
                    row.texts.insert(name, number.to_string());
                }
            }
        }
        all.extend(rows);
    }
    all
}

/// What a line leaves out of its own predicates, so that it must not tie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The last day of the month ends at its midnight.
    Bound,
    /// The empty date of NAV is a date.
    EmptyDate,
    /// Everything that its status or method, its kind of delivery, or its seller decides is taken alike.
    Kinds,
}

struct Line {
    cutoff: i64,
    broken: Broken,
    settled: HashSet<(String, String)>,
}

const SHIPPING: [&str; 3] = [
    "MTR_BASE_SHIPPING_AMOUNT",
    "MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT",
    "MTR_INTERNATIONAL_FREIGHT_FEE",
];
/// Prices, which the shop may lack; the stand-in has them all, for without one a line cannot be concluded.
const PRICES: [&str; 4] = [
    "MTR_UNIT_PRICE",
    "MTR_PAID_PRICE",
    "MTR_PRICE_AFTER_DISCOUNT",
    "MTR_AMOUNT_PAID",
];
const OFF: [&str; 3] = [
    "MTR_SHIPPING_CART_RULE_DISCOUNT",
    "MTR_SHIPPING_VOUCHER_DISCOUNT",
    "MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT",
];

impl Line {
    fn happened(&self, row: &Row, name: &str) -> bool {
        let time = row.times.get(name).copied();
        time.is_some_and(|time| {
            let is_date = time != NO_DATE_US || self.broken == Broken::EmptyDate;
            let end = match self.broken {
                Broken::Bound => self.cutoff - DAY_US + 1,
                _ => self.cutoff,
            };
            is_date && time < end
        })
    }

    fn since(&self, row: &Row, name: &str, year: i32) -> bool {
        let first = day_number((year, 1, 1)) * DAY_US;
        row.times.get(name).is_some_and(|time| *time >= first) && self.happened(row, name)
    }

    fn packages(&self, row: &Row) -> i128 {
        let is_settled = |number: &str| {
            let company = row.text("ID_COMPANY").unwrap();
            self.settled
                .contains(&(company.to_owned(), number.to_owned()))
        };
        let is_asked = match row.text("PAYMENT_METHOD") {
            Some("NoPayment") | None => self.broken == Broken::Kinds,
            Some(_) => true,
        };
        let is_open = self.since(row, "DELIVERED_DATE", 2019)
            && !row.text("PACKAGE_NUMBER").is_some_and(is_settled);
        if row.is("IS_PREPAYMENT") || !is_asked || !is_open {
            return 0;
        }
        row.sum(
            &["MTR_PAID_PRICE"],
            &["MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE"],
        ) + row.sum(&SHIPPING, &OFF)
    }

    fn prepayments(&self, row: &Row) -> i128 {
        let alone = row.is("IS_MARKETPLACE")
            || matches!(
                row.text("DELIVERY_TYPE"),
                Some("Digital Content" | "Gift Card")
            );
        let delivered = if alone || self.broken == Broken::Kinds {
            "DELIVERED_DATE"
        } else {
            "PACKAGE_DELIVERY_DATE"
        };
        let is_paid = row.is("IS_PREPAYMENT")
            && self.since(row, "FINANCE_VERIFIED_DATE", 2018)
            && self.since(row, "ORDER_CREATION_DATE", 2018);
        if !is_paid || self.happened(row, delivered) || self.happened(row, "REFUND_DATE") {
            return 0;
        }
        -row.sum(
            &["MTR_UNIT_PRICE"],
            &["MTR_COUPON_MONEY_VALUE", "MTR_CART_RULE_DISCOUNT"],
        ) - row.sum(&SHIPPING, &OFF)
    }

    fn refunds(&self, row: &Row) -> i128 {
        if !row.is("IS_MARKETPLACE") && self.broken != Broken::Kinds {
            return 0;
        }
        let [shipping, customs, _] = SHIPPING;
        let [cart_rule, voucher, customs_rule] = OFF;
        let mut amount = row.sum(
            &["MTR_PRICE_AFTER_DISCOUNT", shipping, customs],
            &[cart_rule, customs_rule],
        );
        if row.text("VOUCHER_TYPE") == Some("coupon") {
            amount -= row.sum(&[voucher], &[]);
        }
        let had = self.happened(row, "DELIVERED_DATE");
        let (refund, back) = ("REFUND_DATE", "RETURN_DATE");
        let refunded = self.since(row, refund, 2019) && !self.happened(row, back) && had;
        let returned = self.since(row, back, 2019) && !self.happened(row, refund);
        match (refunded, returned) {
            (true, false) => amount,
            (false, true) => -amount,
            _ => 0,
        }
    }
}

type Amount = fn(&Line, &Row) -> i128;

/// Targets of a line by company, in the scale of the ledger.
fn targets(tables: &Tables, cutoff: i64, broken: Broken, of: Amount) -> Sums {
    let mut line = Line {
        cutoff,
        broken,
        settled: HashSet::new(),
    };
    let text = |row: &Row, name| row.text(name).unwrap().to_owned();
    let packages = read(tables, &PACKAGE_CASHREC);
    let settled = packages
        .iter()
        .filter(|row| line.happened(row, "troubleshoot_resolution_date"));
    line.settled = settled
        .map(|row| (text(row, "ID_COMPANY"), text(row, "package_nr")))
        .collect();
    let mut sums = Sums::new();
    for row in read(tables, &RPT_SOI) {
        let sum = sums.entry(text(&row, "ID_COMPANY")).or_default();
        *sum += of(&line, &row) * TEN_THOUSANDTH;
    }
    sums
}

const LINES: [(&[&str], Amount); 3] = [
    (&["13005", "13024"], Line::packages),
    (&["18350"], Line::prepayments),
    (&["18317"], Line::refunds),
];

fn actuals(tables: &Tables, cutoff: i64, accounts: &[&str]) -> Sums {
    let mut sums = Sums::new();
    for company in &COMPANIES {
        sums.insert(company.code.to_owned(), 0);
    }
    for ((company, account), amount) in balances(tables, cutoff) {
        if accounts.contains(&account.as_str()) {
            *sums.get_mut(&company).unwrap() += amount;
        }
    }
    sums
}

#[test]
fn the_lines_of_the_shop_tie_to_zero_at_both_month_ends_and_only_by_their_own_predicates() {
    for (rows, seed) in [(0, 1), (17, 2), (1_000, 1), (30_000, 7)] {
        let tables = generate(LedgerSpec { rows, seed }).unwrap().tables;
        for (accounts, amount) in LINES {
            for day in [START, NEXT_START] {
                let cutoff = day_number(day) * DAY_US;
                let actual = actuals(&tables, cutoff, accounts);
                let target = targets(&tables, cutoff, Broken::Nothing, amount);
                assert_eq!(target, actual, "{accounts:?} of {rows} rows, seed {seed}");
                let open = actual.values().filter(|amount| **amount != 0).count();
                // What was open at the end of the month before is left to chance in a small ledger.
                let enough = if day == START { 2 } else { 6 };
                assert!(open > enough, "{accounts:?}: {actual:?}");
            }
            let cutoff = day_number(NEXT_START) * DAY_US;
            let actual = actuals(&tables, cutoff, accounts);
            for broken in [Broken::Bound, Broken::EmptyDate, Broken::Kinds] {
                let target = targets(&tables, cutoff, broken, amount);
                for (company, amount) in &actual {
                    assert_ne!(target.get(company), Some(amount), "{company} {accounts:?}");
                }
            }
        }
    }
}

#[test]
fn every_item_and_package_stands_once_and_the_rows_have_hard_cases() {
    let tables = generate(LedgerSpec { rows: 500, seed: 3 }).unwrap().tables;
    let items = read(&tables, &RPT_SOI);
    let key = |row: &Row, name: &str| {
        [row.text("ID_COMPANY"), row.text(name)].map(|t| t.unwrap().to_owned())
    };
    for (rows, name) in [
        (&items, "COD_OMS_SALES_ORDER_ITEM"),
        (&read(&tables, &PACKAGE_CASHREC), "package_nr"),
    ] {
        let mut keys: Vec<_> = rows.iter().map(|row| key(row, name)).collect();
        keys.sort();
        let all = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), all, "{name}");
    }
    let packages: Vec<_> = items
        .iter()
        .filter_map(|row| row.text("PACKAGE_NUMBER"))
        .collect();
    let different: BTreeSet<_> = packages.iter().collect();
    assert!(different.len() < packages.len(), "some share a package");
    let mut otherwise = Vec::new();
    for (name, _, nullable) in RPT_SOI.columns {
        let batches = &tables
            .find("AIG_Nav_Jumia_Reconciliation", "dbo", "RPT_SOI")
            .unwrap()
            .batches;
        let nulls = |batch: &arrow::record_batch::RecordBatch| {
            batch.column_by_name(name).unwrap().null_count()
        };
        let nulls: usize = batches.iter().map(nulls).sum();
        if (nulls > 0) != (*nullable && !PRICES.contains(name)) {
            otherwise.push(*name);
        }
    }
    assert_eq!(
        otherwise, [""; 0],
        "nulls are where they are declared, and there"
    );
    let fine = items
        .iter()
        .filter(|row| row.sum(&["MTR_UNIT_PRICE"], &[]) % 100 != 0);
    assert!(fine.count() > 20, "some prices have four decimals");
}
