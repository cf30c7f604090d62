//! What is open in the tables is the balance of the four accounts, at both closings; without one rule it is not.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType};

use crate::sandbox::data::chart::{COMPANIES, NEXT_START, START};
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::table::{TableDef, Tables};
use crate::sandbox::data::tests::balances;
use crate::sandbox::data::{LedgerSpec, generate};

use super::{OF_OTHER_BRANCHES, defs};

const ACCOUNTS: [&str; 4] = ["13001", "13002", "13011", "13012"];
/// 10^16: a unit of 10^-4 in the scale of a balance.
const SCALE: i128 = 10_000_000_000_000_000;

/// What can be left out of the calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    None,
    OtherBranches,
    Waiting,
    Closed,
    Rest,
    MainBank,
    Adjustments,
}

/// A row by the names of its columns.
struct Row<'a>(&'a RecordBatch, usize);

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        let column = self.0.column_by_name(name).unwrap().as_string::<i32>();
        column.is_valid(self.1).then(|| column.value(self.1))
    }

    fn time(&self, name: &str) -> Option<i64> {
        let column = self.0.column_by_name(name).unwrap();
        let column = column.as_primitive::<TimestampMicrosecondType>();
        column.is_valid(self.1).then(|| column.value(self.1))
    }

    fn money(&self, name: &str) -> i128 {
        let column = self.0.column_by_name(name).unwrap();
        column.as_primitive::<Decimal128Type>().value(self.1)
    }

    fn payment(&self) -> (&'a str, i64, i32) {
        let number = self.0.column_by_name("ID_Payment").unwrap();
        let line = self.0.column_by_name("Line_No").unwrap();
        (
            self.text("ID_Company").unwrap(),
            number.as_primitive::<Int64Type>().value(self.1),
            line.as_primitive::<Int32Type>().value(self.1),
        )
    }
}

fn rows<'a>(tables: &'a Tables, def: &TableDef) -> Vec<Row<'a>> {
    let [database, schema, name] = def.name;
    let batches = tables.find(database, schema, name).unwrap().batches.iter();
    batches
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| Row(batch, row)))
        .collect()
}

/// Whether the money goes to the main bank account: by the partner, or by the hub where no partner is named.
fn is_main(row: &Row<'_>, partner: &str) -> bool {
    let by_hub = row.text("Related_Entity") == Some(super::MAIN_HUB);
    row.text(partner)
        .map_or(by_hub, |partner| partner == super::MAIN_PARTNER)
}

/// What is open by company, in units of 10^-4.
fn open(tables: &Tables, cutoff: i64, without: Rule) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    let before = |at: Option<i64>| at.is_some_and(|at| at < cutoff);
    let closed = |at: Option<i64>| before(at) && without != Rule::Closed;
    let mut add = |row: &Row<'_>, partner: &str, amount: i128| {
        if without == Rule::MainBank || !is_main(row, partner) {
            let company = row.text("ID_Company").unwrap().to_owned();
            *sums.entry(company).or_default() += amount;
        }
    };
    for row in rows(tables, &defs::TRANSACTIONS) {
        let kind = row.text("Transaction_Type").unwrap();
        let event = match kind {
            "Transfer to" | "Transfer From" => "Payment_Date",
            "Payment - Rev" | "Payment Charges Rev" => "Reversal_Date",
            _ => "Created_Date",
        };
        let is_own = without == Rule::OtherBranches || !OF_OTHER_BRANCHES.contains(&kind);
        let waits = without != Rule::Waiting && row.text("List_Status") == Some("Waiting");
        if is_own && before(row.time(event)) && (waits || !closed(row.time("List_Date"))) {
            add(&row, "ID_Collection_Partner", row.money("Amount"));
        }
    }
    for row in rows(tables, &defs::REALLOCATIONS) {
        if before(row.time("Reallocation_Date")) && !closed(row.time("Received_Date")) {
            add(&row, "From_Collection_Partner", row.money("Amount"));
        }
    }
    for row in rows(tables, &defs::LISTS) {
        let is_applied = before(row.time("Applied_Date")) && without != Rule::Rest;
        let applied = if is_applied {
            row.money("Amount_Applied")
        } else {
            0
        };
        let rest = row.money("Amount_Received") - applied;
        let is_open = before(row.time("Received_Date")) && !closed(row.time("Force_Closed_Date"));
        if is_open && rest > 0 {
            add(&row, "ID_Collection_Partner", rest);
        }
    }
    let mut arrived = BTreeSet::new();
    for (def, day) in [
        (&defs::DEPOSITS, "Deposit_Date"),
        (&defs::ADJUSTMENTS, "Adjustment_Date"),
    ] {
        let counts = without != Rule::Adjustments || day == "Deposit_Date";
        for row in rows(tables, def) {
            if counts && closed(row.time(day)) {
                arrived.insert(row.payment());
            }
        }
    }
    for row in rows(tables, &defs::PAYMENTS) {
        if before(row.time("Created_Date")) && !arrived.contains(&row.payment()) {
            add(&row, "ID_Collection_Partner", -row.money("Amount"));
        }
    }
    sums
}

/// Companies whose balances are not what is open.
fn untied(tables: &Tables, day: (i32, u32, u32), without: Rule) -> Vec<&'static str> {
    let cutoff = day_number(day) * DAY_US;
    let balances = balances(tables, cutoff);
    let open = open(tables, cutoff, without);
    let ties = |company: &&str| {
        let of = |account: &&str| balances.get(&((*company).to_owned(), (*account).to_owned()));
        let balance: i128 = ACCOUNTS.iter().filter_map(of).sum();
        balance == open.get(*company).copied().unwrap_or(0) * SCALE
    };
    let codes = COMPANIES.iter().map(|company| company.code);
    codes.filter(|company| !ties(company)).collect()
}

#[test]
fn what_is_open_is_the_balance_of_the_four_accounts_at_both_closings() {
    for (rows, seed) in [(0, 1), (17, 2), (1_000, 1), (5_000, 99)] {
        let tables = generate(LedgerSpec { rows, seed }).unwrap().tables;
        for day in [START, NEXT_START] {
            let none: [&str; 0] = [];
            assert_eq!(
                untied(&tables, day, Rule::None),
                none,
                "{rows} {seed} {day:?}"
            );
            let all = balances(&tables, day_number(day) * DAY_US);
            for account in ACCOUNTS {
                let nonzero = all
                    .iter()
                    .filter(|((_, its), sum)| its == account && **sum != 0);
                assert_eq!(nonzero.count(), COMPANIES.len(), "{account} {day:?}");
            }
        }
    }
}

#[test]
fn without_any_rule_no_company_ties() {
    let tables = generate(LedgerSpec { rows: 40, seed: 3 }).unwrap().tables;
    for rule in [
        Rule::OtherBranches,
        Rule::Waiting,
        Rule::Closed,
        Rule::Rest,
        Rule::MainBank,
        Rule::Adjustments,
    ] {
        let untied = untied(&tables, NEXT_START, rule);
        assert_eq!(untied.len(), COMPANIES.len(), "{rule:?}: {untied:?}");
    }
}

#[test]
fn events_of_the_first_and_the_last_tick_are_there() {
    let tables = generate(LedgerSpec { rows: 0, seed: 1 }).unwrap().tables;
    let cutoff = day_number(NEXT_START) * DAY_US;
    let all = rows(&tables, &defs::TRANSACTIONS);
    for tick in [cutoff - 3_000, cutoff] {
        let at = |row: &&Row<'_>| row.time("Created_Date") == Some(tick);
        assert_eq!(all.iter().filter(at).count(), COMPANIES.len());
    }
    let dateless = |row: &&Row<'_>| {
        row.text("Transaction_Type") == Some("Transfer to") && row.time("Payment_Date").is_none()
    };
    assert_eq!(all.iter().filter(dateless).count(), COMPANIES.len());
}
