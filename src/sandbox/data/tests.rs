//! The ledger ties to zero per company and account, at several sizes and seeds.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Int32Type, TimestampMicrosecondType};

use super::chart::{ACCOUNTS, NEXT_START, POSTING_GROUPS};
use super::events::{DAY_US, day_number};
use super::{LedgerSpec, Table, Tables, generate};

const NAV: &str = "AIG_Nav_DW";
const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

pub(super) type Sums = BTreeMap<(String, String), i128>;

fn rows_of(
    table: &Table,
    texts: &[&str],
    dates: &str,
    amount: &str,
) -> Vec<(Vec<String>, i64, i128)> {
    let mut rows = Vec::new();
    for batch in &table.batches {
        let text: Vec<_> = texts
            .iter()
            .map(|c| batch.column_by_name(c).unwrap().as_string::<i32>())
            .collect();
        let date = batch
            .column_by_name(dates)
            .unwrap()
            .as_primitive::<TimestampMicrosecondType>();
        let amount = batch
            .column_by_name(amount)
            .unwrap()
            .as_primitive::<Decimal128Type>();
        for i in 0..batch.num_rows() {
            rows.push((
                text.iter().map(|t| t.value(i).to_owned()).collect(),
                date.value(i),
                amount.value(i),
            ));
        }
    }
    rows
}

fn group_account(local: &str) -> String {
    ACCOUNTS
        .iter()
        .find(|a| a.local == local)
        .unwrap()
        .group
        .to_owned()
}

fn general_ledger(tables: &Tables, cutoff: i64) -> Sums {
    let table = tables.find(NAV, "dbo", "G_L Entries").unwrap();
    let mut sums = Sums::new();
    for (text, day, amount) in rows_of(
        table,
        &["id_company", "Chart of Accounts No_"],
        "Posting Date",
        "Amount",
    ) {
        if day < cutoff {
            *sums
                .entry((text[0].clone(), group_account(&text[1])))
                .or_default() += amount;
        }
    }
    sums
}

pub(super) fn balances(tables: &Tables, cutoff: i64) -> Sums {
    let table = tables
        .find(
            FINREC,
            "dbo",
            "V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT",
        )
        .unwrap();
    let mut sums = Sums::new();
    for (text, day, amount) in rows_of(
        table,
        &["ID_COMPANY", "GROUP_COA_ACCOUNT_NO"],
        "CLOSING_DATE",
        "BALANCE_AT_DATE",
    ) {
        if day == cutoff - DAY_US {
            *sums.entry((text[0].clone(), text[1].clone())).or_default() += amount;
        }
    }
    sums
}

/// Posting group of every customer ledger entry.
fn groups(tables: &Tables) -> HashMap<(String, i32), String> {
    let mut groups: HashMap<(String, i32), String> = HashMap::new();
    for batch in &tables
        .find(NAV, "dbo", "Customer Ledger Entries")
        .unwrap()
        .batches
    {
        let company = batch
            .column_by_name("id_company")
            .unwrap()
            .as_string::<i32>();
        let number = batch
            .column_by_name("Entry No_")
            .unwrap()
            .as_primitive::<Int32Type>();
        let group = batch
            .column_by_name("Customer Posting Group")
            .unwrap()
            .as_string::<i32>();
        for i in 0..batch.num_rows() {
            let old = groups.insert(
                (company.value(i).to_owned(), number.value(i)),
                group.value(i).to_owned(),
            );
            assert!(old.is_none(), "the key of the customer ledger is unique");
        }
    }
    groups
}

/// Σ of the details by the receivables account of the entry, and the number of entries in scope that stay open.
fn sub_ledger(tables: &Tables, cutoff: i64) -> (Sums, usize) {
    let groups = groups(tables);
    let mut open: HashMap<(String, i32), i128> = HashMap::new();
    for batch in &tables
        .find(NAV, "dbo", "Detailed Customer Ledg_ Entry")
        .unwrap()
        .batches
    {
        let company = batch
            .column_by_name("id_company")
            .unwrap()
            .as_string::<i32>();
        let number = batch
            .column_by_name("Cust_ Ledger Entry No_")
            .unwrap()
            .as_primitive::<Int32Type>();
        let day = batch
            .column_by_name("Posting Date")
            .unwrap()
            .as_primitive::<TimestampMicrosecondType>();
        let amount = batch
            .column_by_name("Amount (LCY)")
            .unwrap()
            .as_primitive::<Decimal128Type>();
        for i in 0..batch.num_rows() {
            if day.value(i) < cutoff {
                *open
                    .entry((company.value(i).to_owned(), number.value(i)))
                    .or_default() += amount.value(i);
            }
        }
    }
    let scope = super::chart::COMPANIES.map(|c| (c.code, c.in_scope));
    let mut sums = Sums::new();
    let mut count = 0;
    for ((company, number), amount) in open {
        let group = &groups[&(company.clone(), number)];
        let account = POSTING_GROUPS
            .iter()
            .find(|(code, _)| code == group)
            .unwrap()
            .1;
        if amount != 0 && scope.contains(&(company.as_str(), true)) {
            count += 1;
        }
        *sums
            .entry((company, ACCOUNTS[account].group.to_owned()))
            .or_default() += amount;
    }
    (sums, count)
}

#[test]
fn the_ledgers_tie_to_zero_and_the_open_entries_are_as_many_as_asked() {
    for (rows, seed) in [
        (0, 1),
        (1, 1),
        (17, 2),
        (1_000, 1),
        (1_000, 99),
        (20_000, 7),
    ] {
        let tables = generate(LedgerSpec { rows, seed }).unwrap().tables;
        assert_ties(&tables, rows, (rows, seed));
    }
}

/// However few entries it has, no company is a stale source.
#[test]
fn every_company_with_entries_has_one_of_the_month() {
    let [start, until] = [super::chart::START, NEXT_START].map(|day| day_number(day) * DAY_US);
    for rows in [60, 300, 2_000] {
        let tables = generate(LedgerSpec { rows, seed: 1 }).unwrap().tables;
        let entries = tables.find(NAV, "dbo", "Customer Ledger Entries").unwrap();
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        let amount = "Original Amount (LCY)";
        for (text, day, _) in rows_of(entries, &["id_company"], "Posting Date", amount) {
            if day < until {
                let known = newest.entry(text[0].clone()).or_insert(day);
                *known = day.max(*known);
            }
        }
        let is_fresh = newest.values().all(|day| *day >= start);
        assert!(newest.len() >= 9 && is_fresh, "{rows}: {newest:?}");
    }
}

#[test]
fn postings_change_every_ledger_and_keep_them_tied() {
    let mut ledger = generate(LedgerSpec { rows: 100, seed: 3 }).unwrap();
    let before = ledger.tables.clone();
    for posted in 1..=40 {
        ledger.tables = ledger.postings.post(&ledger.tables).unwrap();
        if posted % 13 == 0 {
            assert_ties(&ledger.tables, 100 + posted, (posted, 3));
        }
    }
    assert_eq!(ledger.tables.version, before.version + 40);
    assert_eq!(sub_ledger(&before, day_number(NEXT_START) * DAY_US).1, 100);
}

fn assert_ties(tables: &Tables, rows: u64, case: (u64, u64)) {
    for (day, counted) in [(NEXT_START, true), (super::chart::START, false)] {
        let cutoff = day_number(day) * DAY_US;
        let (sub, open) = sub_ledger(tables, cutoff);
        if counted {
            assert_eq!(u64::try_from(open).unwrap(), rows);
        }
        let general = general_ledger(tables, cutoff);
        assert_eq!(
            general,
            non_empty(balances(tables, cutoff), &general),
            "CR_04 is the general ledger"
        );
        for (key, amount) in &sub {
            assert_eq!(
                general.get(key).unwrap_or(&0),
                amount,
                "{key:?} of {case:?}"
            );
        }
        assert_eq!(general.values().sum::<i128>(), 0, "double entry");
    }
}

/// Places that were only posted to after the closing are balances of zero.
fn non_empty(mut sums: Sums, keep: &Sums) -> Sums {
    sums.retain(|key, amount| *amount != 0 || keep.contains_key(key));
    sums
}

#[test]
fn the_same_seed_gives_the_same_books_and_the_data_have_hard_cases() {
    let spec = LedgerSpec {
        rows: 2_000,
        seed: 5,
    };
    let (one, two) = (
        generate(spec).unwrap().tables,
        generate(spec).unwrap().tables,
    );
    for (a, b) in one.all.iter().zip(&two.all) {
        assert_eq!(a.batches, b.batches, "{:?}", a.name);
    }
    let entries = one
        .find("aig_nav_dw", "DBO", "customer ledger entries")
        .unwrap();
    let batch = &entries.batches[0];
    let external = batch
        .column_by_name("External Document No_")
        .unwrap()
        .as_string::<i32>();
    assert!(external.null_count() > 0 && external.iter().flatten().any(str::is_empty));
    let closed = batch
        .column_by_name("Closed at Date")
        .unwrap()
        .as_primitive::<TimestampMicrosecondType>();
    assert!(closed.values().contains(&super::ledger::NO_DATE_US));
    let amount = batch
        .column_by_name("Original Amount (LCY)")
        .unwrap()
        .as_primitive::<Decimal128Type>();
    let cent = super::events::UNIT / 100;
    let fine = amount.values().iter().filter(|v| *v % cent != 0).count();
    assert!(
        fine > 0 && fine * 2 < amount.len(),
        "most amounts have two decimals, some more"
    );
    assert!(amount.values().iter().any(|v| *v < 0));
}

#[test]
fn a_new_version_replaces_one_table_and_shares_the_others() {
    let old = generate(LedgerSpec { rows: 10, seed: 1 }).unwrap().tables;
    let mut table = old
        .find(FINREC, "fdw", "dim_company")
        .unwrap()
        .as_ref()
        .clone();
    table.batches.clear();
    let new = old.with(vec![table]);
    assert_eq!(new.version, old.version + 1);
    assert_eq!(new.find(FINREC, "fdw", "Dim_Company").unwrap().rows(), 0);
    assert_eq!(old.find(FINREC, "fdw", "Dim_Company").unwrap().rows(), 12);
    assert_eq!(old.all.len(), new.all.len());
}
