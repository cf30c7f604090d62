use super::super::categorise;
use super::super::postings::{BATCH, PERSON, Posting, ledger, posting, shop};
use super::*;
use crate::domain::vouchers::UNKNOWN;
use crate::kernels::reconcile::samples::{
    NAV, amounts, moments, money, numbers, rules, table, texts,
};

/// Vouchers: kind, created, valid until, inactive, issued, left.
fn issued(rows: &[[&str; 6]]) -> StagedTable {
    let cells = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &vec!["EC_NG"; rows.len()]),
        texts("business_use", &cells(0)),
        moments("created_at", &cells(1)),
        moments("to_date", &cells(2)),
        moments("voucher_inactive_date", &cells(3)),
        amounts("discount_amount", 4, &cells(4)),
        amounts("remaining_amount", 4, &cells(5)),
    ])
}

fn used(rows: &[[&str; 3]]) -> StagedTable {
    let cells = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &vec!["EC_NG"; rows.len()]),
        texts("business_use", &cells(0)),
        numbers("delivery_mth", &cells(1)),
        amounts("totalamountused", 4, &cells(2)),
    ])
}

fn booked(days: &[&str]) -> Categorised {
    let postings = [
        posting(BATCH, "-100", "RF_1"),
        posting(BATCH, "-7", "RF_2"),
        posting(PERSON, "40", "EXPR_APLGY"),
        posting(PERSON, "25", "Manual RND"),
    ];
    posted(&postings, days)
}

fn posted(postings: &[Posting<'_>], days: &[&str]) -> Categorised {
    let rows = ledger(postings);
    let frame = rows.frame.hstack(&[moments("posting_date", days)]).unwrap();
    let none = shop(&[]);
    categorise(&StagedTable { frame }, &none, &none, &rules()).unwrap()
}

fn found(issued: &StagedTable, used: &StagedTable, ledger: &Categorised) -> Vec<FlowCell> {
    let rules = rules();
    flows(FlowInput {
        issued,
        used,
        ledger,
        period: "2024-04".parse().unwrap(),
        rules: &rules,
    })
    .unwrap()
}

fn cell<'a>(cells: &'a [FlowCell], flow: Flow, label: &str) -> &'a FlowCell {
    let mut cells = cells.iter();
    cells
        .find(|cell| cell.flow == flow && cell.label == label)
        .unwrap()
}

#[test]
fn the_month_is_compared_with_the_month_in_one_sign_and_one_name() {
    let vouchers = issued(&[
        [
            "refund",
            "2024-04-30 23:59:59.997",
            "2025-04-01",
            "-",
            "100",
            "100",
        ],
        ["refund", "2024-05-01", "2025-05-01", "-", "9", "9"],
        ["apology_v2", "2023-01-01", "2024-04-01", "-", "50", "40"],
        [
            "refund",
            "2024-01-10",
            "2025-01-01",
            "2024-04-30 18:30:00",
            "30",
            "20",
        ],
        ["refund", "2024-04-02", "2025-01-01", "1753-01-01", "-", "-"],
    ]);
    let usage = used(&[
        ["store_credit", "202404", "12.5"],
        ["store_credit", "202403", "99"],
    ]);
    let days = ["2024-04-30", "2024-03-31", "2024-04-10", "2024-04-11"];
    let cells = found(&vouchers, &usage, &booked(&days));
    let issuance = cell(&cells, Flow::Issuance, "refund");
    assert_eq!(issuance.shop, money("100", NAV));
    assert_eq!(issuance.ledger, money("100", NAV), "March is another month");
    assert_eq!(issuance.difference, money("0", NAV));
    assert_eq!(issuance.rows_left_out, 1, "a voucher without an amount");
    let expiry = cell(&cells, Flow::Expiry, "apology");
    assert_eq!(
        (expiry.shop, expiry.ledger),
        (money("-40", NAV), money("-40", NAV))
    );
    let cancelled = cell(&cells, Flow::Cancellation, "refund");
    assert_eq!(cancelled.shop, money("-20", NAV));
    assert_eq!(
        cancelled.difference,
        money("-5", NAV),
        "the ledger booked 25"
    );
    let usage = cell(&cells, Flow::Usage, "store_credit");
    assert_eq!(
        (usage.shop, usage.ledger),
        (money("-12.5", NAV), money("0", NAV))
    );
    assert_eq!(cells.len(), 4);
}

#[test]
fn what_has_no_category_or_no_date_is_counted_and_no_part_of_a_flow() {
    let vouchers = issued(&[
        ["refund", "-", "1753-01-01", "-", "100", "100"],
        ["refund", "2024-04-02", "2025-01-01", "-", "7", "7"],
    ]);
    let usage = used(&[["store_credit", "-", "12.5"]]);
    let elsewhere = Posting {
        account: "13003",
        ..posting(PERSON, "9", "of nobody's rule")
    };
    let postings = [
        posting(PERSON, "3", "of nobody's rule"),
        posting(PERSON, "-", "of nobody's rule"),
        posting(BATCH, "-100", "RF_1"),
        elsewhere,
        posting(PERSON, "5", "of nobody's rule"),
    ];
    let days = ["2024-04-30", "2024-04-01", "-", "2024-04-01", "2024-05-01"];
    let cells = found(&vouchers, &usage, &posted(&postings, &days));
    let of = |flow, label| {
        let cell = cell(&cells, flow, label);
        (cell.shop, cell.ledger, cell.rows_left_out)
    };
    let zero = money("0", NAV);
    let none = of(Flow::Uncategorized, UNKNOWN);
    assert_eq!(none, (zero, money("-3", NAV), 1), "one has no amount");
    // A voucher of no known day, and a posting of none.
    let issuance = of(Flow::Issuance, "refund");
    assert_eq!(issuance, (money("7", NAV), zero, 2));
    assert_eq!(of(Flow::Expiry, "refund"), (zero, zero, 1));
    assert_eq!(of(Flow::Usage, "store_credit"), (zero, zero, 1));
    // Nobody cancelled the two, and another account is not of this one.
    assert_eq!(cells.len(), 4);
}

#[test]
fn a_column_that_is_not_there_is_an_error_and_no_flow_of_zero() {
    let rules = rules();
    let (vouchers, usage, ledger) = (shop(&[]), used(&[]), booked(&["2024-04-01"; 4]));
    let error = flows(FlowInput {
        issued: &vouchers,
        used: &usage,
        ledger: &ledger,
        period: "2024-04".parse().unwrap(),
        rules: &rules,
    });
    assert!(matches!(error, Err(ReconcileError::Column { .. })));
}
