//! The tables of what bridges, lists and the voucher account consist of.

use super::tests::{cells, explained, named};
use super::*;
use crate::report::beside::{Beside, CUSTOMER};
use crate::report::material::sum;
use crate::report::month;
use crate::report::words::Language::English;

/// The cells of some columns of one of the tables, a text a row; where nothing was computed, it is there without a row.
fn said(all: &[Table], name: &str, columns: &[&str]) -> Vec<String> {
    let table = all.iter().find(|table| table.name == name).unwrap();
    let nothing = named(name);
    assert_eq!(nothing.rows.len(), 0, "{name}");
    assert_eq!(nothing.columns, table.columns);
    let rows = cells(table, columns).into_iter();
    rows.map(|row| row.join(" ")).collect()
}

/// What the control promises to list of B1, each with its amounts.
#[test]
fn timing_stands_with_what_it_consists_of_and_what_it_leaves_out() {
    let all = explained(&Beside::new(), English);
    let of = |name: &str, columns: &str| {
        let columns: Vec<&str> = columns.split(' ').collect();
        said(&all, name, &columns)
    };
    assert_eq!(
        of(
            "b1_vouchers",
            "company currency voucher used delivered amount"
        ),
        [
            "EC_NG NGN ABC-1 2500000.00 400000.00 -2100000.00",
            "EC_NG NGN ABC-2 none 10.00 0.00",
        ],
        "the largest first"
    );
    assert_eq!(
        of(
            "b1_by_company",
            "amount vouchers without_jdash amount_without_jdash"
        ),
        ["-2100000.00 2 1 10.00"]
    );
    assert_eq!(
        of("b1_without_jdash", "voucher delivered amount"),
        ["ABC-2 10.00 0.00"]
    );
    assert_eq!(
        of("b1_jdash_only", "voucher used because"),
        ["ABC-9 77.00 not in IPE_08"]
    );
    assert_eq!(
        of("bridge_doubts", "bridge company voucher amount rows"),
        [
            "B1 EC_NG ABC-3 none 1",
            "B1 EC_NG none none 2",
            "B1 none none none 3",
            "B1 none none 9.00 4",
            "B1 none none 7.00 6",
            "B1 none none 8.00 5",
            "B2 JM_EG  1.00 1",
        ]
    );
}

#[test]
fn cancellations_stand_with_their_age_and_lists_with_their_rows() {
    let all = explained(&Beside::new(), English);
    let of = |name: &str, columns: &str| {
        let columns: Vec<&str> = columns.split(' ').collect();
        said(&all, name, &columns)
    };
    assert_eq!(
        of(
            "b2_vouchers",
            "company currency voucher remaining inactive age_months amount"
        ),
        ["JM_EG EGP VTC-1 55000.00 2024-04-30 0 -55000.00"]
    );
    assert_eq!(
        of("vtc_carried", "voucher remaining age_months state"),
        [
            "VTC-2 800.00 3 not booked",
            "VTC-3 9.00 5 of an earlier year, whose ledger was not looked at",
        ]
    );
    assert_eq!(
        of(
            "b2_by_company",
            "ledger_rows_without_key ledger_amount_without_key"
        ),
        ["4 123.45"]
    );
    assert_eq!(
        of(
            "b4_business_lines",
            "primary primary_balance business_line balance"
        ),
        ["FOOD 50.00 MALL 7.00"]
    );
    assert_eq!(
        of("b5_labels", "label rows amount"),
        ["cash_in_transit 2 12.00"]
    );
    assert_eq!(
        of("voucher_categories", "category label pair rows amount"),
        ["Issuance refund allowed 3 -90.00"]
    );
    let audits = of(
        "join_audits",
        "join left_rows right_rows rows_joined multiplies",
    );
    assert_eq!(audits[0], "IPE_08.id = JDASH.voucher_id 2 3 4 yes");
    assert_eq!(audits.len(), 3);
    assert_eq!(
        of("not_computed", "what why"),
        ["B9 no package that passed"]
    );
}

#[test]
fn the_voucher_account_rolls_from_its_opening_to_its_closing_balance() {
    let beside = Beside::new();
    let flows = |explained: Vec<Table>| {
        let table = explained
            .into_iter()
            .find(|table| table.name == "voucher_flows");
        let rows = cells(&table.unwrap(), &["company", "flow", "ledger"]);
        let own = rows.into_iter().filter(|row| row[0] == "EC_NG");
        own.map(|row| (row[1].clone(), row[2].clone()))
            .collect::<Vec<_>>()
    };
    let rolled = flows(explained(&beside, English));
    let words: Vec<&str> = rolled.iter().map(|(flow, _)| flow.as_str()).collect();
    assert_eq!(
        words,
        [
            "opening balance",
            "issuance",
            "usage",
            "in no flow",
            "closing balance"
        ]
    );
    assert_eq!(rolled[0].1, "-100.00");
    assert_eq!(rolled[1].1, "-90.00", "an issue is a credit");
    assert_eq!(rolled[2].1, "40.00");
    let amounts: Vec<Amount> = rolled
        .iter()
        .map(|(_, amount)| month::amount(amount))
        .collect();
    let (closing, moved) = amounts.split_last().unwrap();
    let moved = sum(moved.iter().copied()).unwrap();
    assert!(crate::domain::reconcile::wide::same(moved, *closing));
}

/// Customers of B3 and B4 are personal: no table has them, whatever it is written as.
#[test]
fn no_customer_stands_in_a_table() {
    let beside = Beside::new();
    let all = explained(&beside, English);
    for table in &all {
        let text = String::from_utf8(csv(table).unwrap()).unwrap();
        assert!(!text.contains(CUSTOMER), "{}", table.name);
        assert!(!parquet(table).unwrap().is_empty());
    }
    let groups = all.iter().find(|table| table.name == "b3_posting_groups");
    assert_eq!(
        cells(groups.unwrap(), &["company", "customer", "groups"]),
        [["EC_IC", "(personal)", "B2B, B2C"]]
    );
}
