use super::*;
use crate::kernels::reconcile::samples::{
    NAV, amounts, day, flags, moments, money, numbers, rules, same, table, texts,
};

/// Company, voucher, business use, active, valid until, inactive since, remaining.
pub(super) type Voucher<'a> = [&'a str; 7];
/// Company, voucher, category, posted, amount.
pub(super) type Posting<'a> = [&'a str; 5];

pub(super) fn vouchers(rows: &[Voucher<'_>]) -> StagedTable {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &column(0)),
        texts("id", &column(1)),
        texts("business_use", &column(2)),
        flags("is_active", &column(3)),
        moments("to_date", &column(4)),
        moments("min_inactive_date", &column(5)),
        amounts("remaining_amount", 4, &column(6)),
    ])
}

pub(super) fn ledger(rows: &[Posting<'_>]) -> Categorised {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    Categorised {
        table: table(vec![
            texts("id_company", &column(0)),
            texts("voucher_no", &column(1)),
            texts("category", &column(2)),
            moments("posting_date", &column(3)),
            amounts("amount", NAV, &column(4)),
        ]),
        audits: vec![],
        lookups: vec![],
    }
}

pub(super) fn run(period: &str, vouchers: &StagedTable, ledger: &Categorised) -> Vtc {
    let input = VtcInput {
        vouchers,
        ledger,
        period: period.parse().unwrap(),
        rules: &rules(),
    };
    vtc(input).unwrap()
}

/// A cancelled refund voucher of EC_NG that is valid for long.
fn cancelled<'a>(id: &'a str, inactive: &'a str, remaining: &'a str) -> Voucher<'a> {
    [
        "EC_NG",
        id,
        "refund",
        "0",
        "2030-01-01",
        inactive,
        remaining,
    ]
}

fn booked(id: &str) -> Posting<'_> {
    ["EC_NG", id, "VTC", "2025-09-20", "1"]
}

fn keys(rows: &[VtcRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

#[test]
fn worked_match() {
    let active = [
        "EC_NG",
        "V003",
        "refund",
        "1",
        "2030-01-01",
        "2025-09-10",
        "300",
    ];
    let rows = vouchers(&[
        cancelled("V001", "2025-09-05", "100"),
        cancelled("V002", "2025-09-15", "200"),
        active,
    ]);
    let vtc = run("2025-09", &rows, &ledger(&[booked("V001")]));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(company.amount, money("-200", 4));
    assert_eq!(keys(&company.rows), ["V002"]);
    assert_eq!(
        (company.booked, company.booked_amount),
        (1, money("100", 4))
    );
    assert!(!vtc.audit.multiplies());
}

#[test]
fn worked_filters() {
    let row =
        |id, what, active, valid, inactive| ["EC_NG", id, what, active, valid, inactive, "500"];
    let rows = vouchers(&[
        row("V001", "marketing", "0", "2030-01-01", "2025-09-10"),
        row("V002", "refund", "0", "2025-09-30", "2025-09-10"),
        row("V003", "refund", "1", "2030-01-01", "2025-09-10"),
        row("V004", "refund", "0", "2030-01-01", "2025-10-01"),
        row("V005", "refund", "0", "2030-01-01", "2025-09-10"),
        row("V006", "store_credit", "0", "2030-01-01", "2025-09-10"),
    ]);
    let vtc = run("2025-09", &rows, &ledger(&[]));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(keys(&company.rows), ["V005"]);
    assert_eq!(company.amount, money("-500", 4));
}

#[test]
fn worked_boundaries() {
    let rows = vouchers(&[
        cancelled("first", "2025-09-01", "100"),
        cancelled("last", "2025-09-30", "200"),
        cancelled("before", "2025-08-31 23:59:59.997", "1000"),
        cancelled("after", "2025-10-01", "1000"),
    ]);
    let vtc = run("2025-09", &rows, &ledger(&[]));
    assert_eq!(vtc.companies["EC_NG"].amount, money("-300", 4));
}

#[test]
fn worked_currencies() {
    let of = |company, id, amount| {
        [
            company,
            id,
            "refund",
            "0",
            "2030-01-01",
            "2025-09-10",
            amount,
        ]
    };
    let rows = vouchers(&[of("EC_NG", "1", "1550"), of("JM_EG", "2", "400")]);
    let vtc = run("2025-09", &rows, &ledger(&[]));
    let units = |company: &str| vtc.companies[company].amount.units();
    // 1550 at 15.5 and 400 at 4 are 100 each; without rates they would be 1950 of nothing.
    assert_eq!(units("EC_NG") * 10, -100 * 155 * 10_i128.pow(4));
    assert_eq!(units("JM_EG"), -100 * 4 * 10_i128.pow(4));
    assert_eq!(units("EC_NG") + units("JM_EG"), money("-1950", 4).units());
}

/// Defect 22 of the predecessor: a month ended at the midnight with which its last day begins.
#[test]
fn defect_22_the_last_evening_of_the_month_is_in_the_month() {
    let rows = vouchers(&[
        cancelled("E02", "2024-04-30 18:30:00", "55000"),
        cancelled("TICK", "2024-04-30 23:59:59.997", "1"),
        cancelled("MAY", "2024-05-01", "7"),
    ]);
    let vtc = run("2024-04", &rows, &ledger(&[]));
    assert_eq!(vtc.companies["EC_NG"].amount, money("-55001", 4));
    assert_eq!(keys(&vtc.companies["EC_NG"].rows), ["E02", "TICK"]);
}

/// Defect 12 of the predecessor: keys that can be null became floats, and `10` and `10.0` did not meet.
#[test]
fn defect_12_a_key_is_one_key_however_it_is_spelt() {
    let rows = vouchers(&[
        cancelled(" abc-77 ", "2025-09-05", "70000"),
        cancelled("12345.0", "2025-09-05", "1"),
        cancelled("10", "2025-09-05", "1"),
    ]);
    let postings = [
        booked("ABC-77"),
        booked("12345"),
        booked("10.0"),
        booked("-"),
    ];
    let vtc = run("2025-09", &rows, &ledger(&postings));
    let company = &vtc.companies["EC_NG"];
    assert_eq!((company.rows.len(), company.booked), (0, 3));
    assert_eq!(company.amount, money("0", 4));

    let whole = table(vec![
        same("id_company", "EC_NG", 2),
        numbers("id", &["12345", "-"]),
        same("business_use", "refund", 2),
        flags("is_active", &["0", "0"]),
        moments("to_date", &["2030-01-01", "2030-01-01"]),
        moments("min_inactive_date", &["2025-09-05", "2025-09-05"]),
        amounts("remaining_amount", 4, &["5", "6"]),
    ]);
    let vtc = run("2025-09", &whole, &ledger(&postings));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(company.booked, 1);
    let listed = ListedRow {
        key: String::new(),
        amount: Some(money("6", 4)),
    };
    assert_eq!(company.doubtful, [listed]);
}

#[test]
fn a_key_of_another_company_or_category_or_time_books_nothing() {
    let rows = vouchers(&[cancelled("V1", "2025-09-05", "100")]);
    let posting = |company, category, posted| [company, "V1", category, posted, "100"];
    let vtc = run(
        "2025-09",
        &rows,
        &ledger(&[
            posting("EC_KE", "VTC", "2025-09-20"),
            posting("EC_NG", "Usage", "2025-09-20"),
            posting("EC_NG", "-", "2025-09-20"),
            posting("EC_NG", "Cancellation", "2024-12-31"),
            posting("EC_NG", "Cancellation", "2025-10-01"),
        ]),
    );
    assert_eq!(vtc.companies["EC_NG"].amount, money("-100", 4));
    for (category, posted) in [
        ("Cancellation", "2025-01-01"),
        ("VTC Manual", "2025-09-30 23:59:59"),
    ] {
        let vtc = run(
            "2025-09",
            &rows,
            &ledger(&[posting("EC_NG", category, posted)]),
        );
        assert_eq!(vtc.companies["EC_NG"].amount, money("0", 4), "{category}");
    }
}

#[test]
fn earlier_months_are_shown_with_their_age_and_explain_nothing() {
    let rows = vouchers(&[
        cancelled("now", "2025-09-05", "1"),
        cancelled("june", "2025-06-30 12:00:00", "20"),
        cancelled("booked", "2025-06-30", "40"),
        cancelled("old", "2024-12-31", "300"),
        cancelled("empty", "1753-01-01", "5"),
    ]);
    let vtc = run("2025-09", &rows, &ledger(&[booked("booked")]));
    assert_eq!(vtc.ledger_from, day("2025-01-01"));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(company.amount, money("-1", 4));
    assert_eq!(keys(&company.carried), ["JUNE"]);
    assert_eq!(
        (company.carried[0].age_months, company.carried_amount),
        (3, money("20", 4))
    );
    assert_eq!(keys(&company.not_judged), ["OLD"]);
    assert_eq!(company.not_judged[0].age_months, 9);
    assert_eq!(company.undecided, 1, "NAV's empty date is no date");
}

/// What is booked without a voucher's number can only be said, so the bridge is larger than the difference.
#[test]
fn what_is_booked_without_a_number_matches_nothing_and_is_counted() {
    let rows = vouchers(&[
        cancelled("a", "2024-04-05", "15000"),
        cancelled("b", "2024-04-05", "5000"),
    ]);
    let without = ["EC_NG", "-", "VTC", "2024-04-20", "15000"];
    let vtc = run("2024-04", &rows, &ledger(&[without]));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(company.amount, money("-20000", 4));
    assert_eq!(company.ledger_rows_without_key, 1);
    assert_eq!(company.ledger_amount_without_key, money("15000", NAV));
}

/// Defect 13 of the predecessor: timestamps that came as text became midnights.
#[test]
fn defect_13_a_time_of_day_counts_and_a_text_is_no_date() {
    let rows = vouchers(&[cancelled("x", "2025-08-31 23:59:59.997", "7")]);
    let vtc_of = |rows: &StagedTable| {
        let input = VtcInput {
            vouchers: rows,
            ledger: &ledger(&[]),
            period: "2025-08".parse().unwrap(),
            rules: &rules(),
        };
        vtc(input)
    };
    let found = vtc_of(&rows).unwrap();
    assert_eq!(found.companies["EC_NG"].amount, money("-7", 4));
    let text = texts("min_inactive_date", &["2025-08-31 23:59:59.997"]);
    let mut as_text = rows;
    as_text.frame.with_column(text).unwrap();
    let error = vtc_of(&as_text).unwrap_err().to_string();
    assert!(error.contains("`min_inactive_date`"), "{error}");
}

#[test]
fn what_stands_there_twice_is_neither_doubled_nor_counted() {
    let rows = vouchers(&[
        cancelled("once", "2025-09-05", "100"),
        cancelled("twice", "2025-09-05", "140000"),
        cancelled("TWICE", "2025-09-05", "140000"),
        cancelled("unknown", "2025-09-05", "-"),
    ]);
    let vtc = run("2025-09", &rows, &ledger(&[booked("x"), booked("x")]));
    let company = &vtc.companies["EC_NG"];
    assert_eq!(company.amount, money("-100", 4));
    assert_eq!(company.doubtful.len(), 3);
    assert_eq!(
        (
            vtc.audit.left.duplicate_keys,
            vtc.audit.right.duplicate_rows
        ),
        (1, 2)
    );
    // One voucher, booked in two rows: once is enough and no row is doubled.
    let rows = vouchers(&[cancelled("x", "2025-09-05", "7")]);
    let vtc = run("2025-09", &rows, &ledger(&[booked("x"), booked("X.0")]));
    assert_eq!(
        (vtc.companies["EC_NG"].booked, vtc.audit.multiplies()),
        (1, true)
    );
}

#[test]
fn a_missing_column_is_an_error() {
    let rows = vouchers(&[cancelled("x", "2025-09-05", "7")]);
    let postings = ledger(&[booked("x")]);
    let rules = rules();
    let input = VtcInput {
        vouchers: &rows,
        ledger: &postings,
        period: "2025-09".parse().unwrap(),
        rules: &rules,
    };
    for column in [
        "is_active",
        "to_date",
        "min_inactive_date",
        "remaining_amount",
        "id",
    ] {
        let renamed = StagedTable {
            frame: rows.frame.drop(column).unwrap(),
        };
        let vouchers = &renamed;
        assert!(vtc(VtcInput { vouchers, ..input }).is_err(), "{column}");
    }
    for column in ["category", "posting_date", "voucher_no", "amount"] {
        let mut renamed = postings.clone();
        renamed.table.frame = renamed.table.frame.drop(column).unwrap();
        let ledger = &renamed;
        assert!(vtc(VtcInput { ledger, ..input }).is_err(), "{column}");
    }
}
