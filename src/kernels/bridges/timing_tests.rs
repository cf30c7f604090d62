use super::*;
use crate::kernels::reconcile::samples::{
    amounts, day, flags, moments, money, rules, table, texts,
};

/// Company, voucher, business use, active, created, delivered use.
type Voucher<'a> = [&'a str; 6];

fn vouchers(rows: &[Voucher<'_>]) -> StagedTable {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &column(0)),
        texts("id", &column(1)),
        texts("business_use", &column(2)),
        flags("is_active", &column(3)),
        moments("created_at", &column(4)),
        amounts("totalamountused", 4, &column(5)),
    ])
}

fn jdash(rows: &[(&str, &str)]) -> StagedTable {
    let (ids, used): (Vec<&str>, Vec<&str>) = rows.iter().copied().unzip();
    table(vec![
        texts("voucher_id", &ids),
        amounts("amount_used", 2, &used),
        moments("usage_date", &vec!["-"; rows.len()]),
    ])
}

/// Rows of a file with a column for the company: company, voucher, amount, day of use.
fn of_companies(rows: &[[&str; 4]]) -> StagedTable {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &column(0)),
        texts("voucher_id", &column(1)),
        amounts("amount_used", 2, &column(2)),
        moments("usage_date", &column(3)),
    ])
}

fn run(period: &str, vouchers: &StagedTable, jdash: &StagedTable) -> Timing {
    let input = TimingInput {
        vouchers,
        jdash,
        period: period.parse().unwrap(),
        rules: &rules(),
    };
    timing(input).unwrap()
}

/// Vouchers of EC_NG that count: key and delivered use.
fn plain<'a>(rows: &[(&'a str, &'a str)]) -> Vec<Voucher<'a>> {
    let row = |(id, used): &(&'a str, &'a str)| ["EC_NG", *id, "refund", "0", "2025-01-15", *used];
    rows.iter().map(row).collect()
}

/// Σ(JDASH − delivered), as the worked numbers have it: also over vouchers that JDASH does not have, which the bridge
/// lists and does not count. The bridge is its opposite.
fn inner(vouchers: &[(&str, &str)], jdash_rows: &[(&str, &str)]) -> String {
    let timing = run(
        "2025-09",
        &super::tests::vouchers(&plain(vouchers)),
        &jdash(jdash_rows),
    );
    let found = &timing.companies["EC_NG"];
    let both = found.amount.checked_add(found.amount_without_jdash);
    signed(both.unwrap(), true).unwrap().to_string()
}

#[test]
fn worked_windows() {
    for (date, from, until) in [
        ("2025-09-30", "2024-10-01", "2025-10-01"),
        ("2024-12-31", "2024-01-01", "2025-01-01"),
        ("2025-09-15", "2024-10-01", "2025-10-01"),
    ] {
        let period = Period::containing(day(date)).unwrap();
        assert_eq!(window(period), (day(from), day(until)), "{date}");
    }
}

#[test]
fn worked_sums() {
    let two = [("1", "100"), ("2", "200")];
    assert_eq!(inner(&two, &[("1", "120"), ("2", "180")]), "0.0000");
    let both = [("1", "310"), ("2", "250")];
    assert_eq!(inner(&both, &[("1", "100"), ("2", "50")]), "-410.0000");
    // Rows of one voucher are added before they are compared.
    let rows = [("1", "40"), (" 1.0 ", "60"), ("2", "50")];
    assert_eq!(inner(&both, &rows), "-410.0000");
    // As if what JDASH does not have had not been used there.
    let absent = [("1", "100"), ("2", "50")];
    assert_eq!(inner(&absent, &[]), "-150.0000");
    assert_eq!(inner(&absent, &[("1", "100.00")]), "-50.0000");
}

#[test]
fn worked_windows_and_mixed_vouchers() {
    let edge = |created, id| ["EC_NG", id, "apology_v2", "0", created, "80"];
    let rows = vouchers(&[
        edge("2024-10-01", "first"),
        edge("2025-09-30 23:59:59.997", "last"),
        edge("2024-09-30 23:59:59.997", "before"),
        edge("2025-10-01", "after"),
    ]);
    let used = jdash(&[
        ("first", "100"),
        ("last", "100"),
        ("before", "100"),
        ("after", "100"),
    ]);
    let timing = run("2025-09", &rows, &used);
    assert_eq!(timing.companies["EC_NG"].amount, money("-40", 4));
    let only: Vec<_> = timing
        .jdash_only
        .iter()
        .map(|only| (only.key.as_str(), only.why))
        .collect();
    let why = JdashOnlyWhy::NotCandidate;
    assert_eq!(only, [("AFTER", why), ("BEFORE", why)]);

    let mixed = |id, created, used| ["EC_NG", id, "jforce", "0", created, used];
    let rows = vouchers(&[
        mixed("1", "2023-11-01", "100"),
        mixed("2", "2024-10-31 12:00:00", "60"),
        mixed("3", "2024-03-01", "75"),
        ["EC_NG", "4", "jforce", "1", "2024-03-01", "1000"],
        ["EC_NG", "5", "marketing", "0", "2024-03-01", "1000"],
        mixed("6", "2023-10-31", "1000"),
    ]);
    let timing = run("2024-10", &rows, &jdash(&[("1", "120"), ("2", "50")]));
    let company = &timing.companies["EC_NG"];
    // The worked number is 65 with what JDASH does not have.
    assert_eq!(company.amount, money("-10", 4));
    assert_eq!(company.amount_without_jdash, money("75", 4));
    let used: Vec<_> = company
        .rows
        .iter()
        .map(|row| (row.key.as_str(), row.jdash))
        .collect();
    let expected = [
        ("1", Some(money("120", 4))),
        ("2", Some(money("50", 4))),
        ("3", None),
    ];
    assert_eq!(used, expected);
}

#[test]
fn the_ledger_owes_what_the_shop_has_used() {
    let rows = vouchers(&[["EC_NG", "E01", "refund", "0", "2023-08-15", "400000"]]);
    let timing = run("2024-04", &rows, &jdash(&[("e01", "2500000")]));
    let company = &timing.companies["EC_NG"];
    assert_eq!(company.amount, money("-2100000", 4));
    assert_eq!(company.rows[0].amount, company.amount);
    assert_eq!(timing.jdash_only, []);
    // A year and a day ago: outside, and shown.
    let rows = vouchers(&[["HF_SN", "F08", "refund", "0", "2023-04-30", "0"]]);
    let timing = run("2024-04", &rows, &jdash(&[("F08", "900000")]));
    assert!(timing.companies.is_empty());
    assert_eq!(timing.jdash_only[0].amount, money("900000", 2));
    assert_eq!(timing.jdash_only[0].companies, ["HF_SN".to_owned()].into());
}

#[test]
fn what_is_in_doubt_is_listed_and_not_counted() {
    let row = |company, id, active, used| [company, id, "store_credit", active, "2025-01-15", used];
    let rows = vouchers(&[
        row("EC_NG", "good", "0", "10"),
        row("EC_NG", "twice", "0", "10"),
        row("EC_NG", "TWICE ", "0", "10"),
        row("EC_NG", "no-amount", "0", "-"),
        row("EC_NG", "-", "0", "3"),
        row("EC_NG", "undecided", "-", "3"),
        row("EC_NG", "shared", "0", "1"),
        row("EC_KE", "shared", "1", "1"),
        row("EC_NG", "half-known", "0", "1"),
    ]);
    let used = jdash(&[
        ("good", "30"),
        ("twice", "30"),
        ("shared", "30"),
        ("half-known", "30"),
        ("half-known", "-"),
        ("nobody", "7.25"),
        ("-", "1"),
    ]);
    let timing = run("2025-09", &rows, &used);
    let company = &timing.companies["EC_NG"];
    assert_eq!(company.amount, money("-20", 4));
    assert_eq!((company.rows.len(), company.undecided), (1, 1));
    let mut doubtful: Vec<_> = company
        .doubtful
        .iter()
        .map(|row| row.key.as_str())
        .collect();
    doubtful.sort_unstable();
    assert_eq!(
        doubtful,
        ["", "HALF-KNOWN", "NO-AMOUNT", "SHARED", "TWICE", "TWICE"]
    );
    assert!(timing.audit.multiplies());
    assert_eq!(timing.jdash_without_amount, 1);
    let only: Vec<_> = timing
        .jdash_only
        .iter()
        .map(|only| (only.key.as_str(), only.amount.to_string(), only.why))
        .collect();
    let expected = [
        ("", "1.00".to_owned(), JdashOnlyWhy::Unknown),
        ("HALF-KNOWN", "30.00".to_owned(), JdashOnlyWhy::NotCandidate),
        ("NOBODY", "7.25".to_owned(), JdashOnlyWhy::Unknown),
        ("SHARED", "30.00".to_owned(), JdashOnlyWhy::SeveralCompanies),
        ("TWICE", "30.00".to_owned(), JdashOnlyWhy::NotCandidate),
    ];
    assert_eq!(only, expected);
}

#[test]
fn a_file_that_names_companies_is_joined_by_them() {
    let row = |company| [company, "shared", "refund", "0", "2025-01-15", "1"];
    let rows = vouchers(&[row("EC_NG"), row("EC_KE"), row("EC_MA")]);
    let used = of_companies(&[
        ["EC_NG", "shared", "5", "-"],
        ["EC_KE", "shared", "7", "-"],
        ["JM_EG", "shared", "9", "-"],
    ]);
    let timing = run("2025-09", &rows, &used);
    let of = |company: &str| timing.companies[company].amount;
    assert_eq!(of("EC_NG"), money("-4", 4));
    assert_eq!(of("EC_KE"), money("-6", 4));
    assert_eq!(of("EC_MA"), money("0", 4));
    let listed = timing.companies["EC_MA"].amount_without_jdash;
    assert_eq!(listed, money("1", 4));
    assert_eq!(timing.jdash_only.len(), 1);
    assert_eq!(timing.jdash_only[0].why, JdashOnlyWhy::Unknown);
    assert!(!timing.audit.multiplies());
}

#[test]
fn a_row_without_a_company_in_a_file_that_names_some_is_no_zero() {
    let rows = vouchers(&[
        ["EC_NG", "E01", "refund", "0", "2023-08-15", "400000"],
        ["EC_KE", "K01", "refund", "0", "2023-08-15", "1"],
    ]);
    let of = |company: &str| {
        let used = of_companies(&[
            ["EC_KE", "K01", "3", "-"],
            [company, "e01", "2500000", "-"],
            [company, "nobody", "0.50", "-"],
        ]);
        run("2024-04", &rows, &used)
    };
    for blank in ["-", "  "] {
        let timing = of(blank);
        let left_out = LeftOut {
            rows: 2,
            amount: money("2500000.50", 2),
        };
        assert_eq!(timing.jdash_without_company, Some(left_out));
        let company = &timing.companies["EC_NG"];
        assert_eq!((company.amount, company.rows.len()), (money("0", 4), 0));
        assert_eq!(company.doubtful[0].key, "E01");
        assert_eq!(timing.companies["EC_KE"].amount, money("-2", 4));
        let only: Vec<_> = timing
            .jdash_only
            .iter()
            .map(|only| (only.key.as_str(), only.why, only.companies.len()))
            .collect();
        let why = JdashOnlyWhy::NoCompany;
        assert_eq!(only, [("E01", why, 1), ("NOBODY", why, 0)]);
    }
    let timing = of("EC_NG");
    assert_eq!(timing.companies["EC_NG"].amount, money("-2100000", 4));
    assert_eq!(timing.jdash_without_company, None);
    // A file that names no company at all is one that is read by voucher.
    let used = of_companies(&[["-", "E01", "2500000", "-"], ["  ", "K01", "3", "-"]]);
    let timing = run("2024-04", &rows, &used);
    assert_eq!(timing.companies["EC_NG"].amount, money("-2100000", 4));
    assert_eq!(timing.jdash_without_company, None);
}

#[test]
fn what_was_used_after_the_month_explains_nothing_of_it() {
    let rows = vouchers(&[["EC_NG", "E01", "refund", "0", "2023-08-15", "400000"]]);
    let of = |day: &str| {
        let used = of_companies(&[["EC_NG", "E01", "2500000", day]]);
        run("2024-04", &rows, &used)
    };
    for day in ["2024-04-30 23:59:59.997", "2024-03-01", "-", "1753-01-01"] {
        let timing = of(day);
        assert_eq!(timing.companies["EC_NG"].amount, money("-2100000", 4));
        assert_eq!(timing.jdash_after, None, "{day}");
    }
    for day in ["2024-05-01", "2024-05-02 08:00:00"] {
        let timing = of(day);
        let company = &timing.companies["EC_NG"];
        assert_eq!(company.amount, money("0", 4));
        assert_eq!(company.amount_without_jdash, money("400000", 4));
        let after = LeftOut {
            rows: 1,
            amount: money("2500000", 2),
        };
        assert_eq!(timing.jdash_after, Some(after), "{day}");
        assert_eq!(timing.jdash_only, []);
    }
}

/// A file that was cut off is no explanation: what it lacks is not known, and not zero.
#[test]
fn what_jdash_does_not_have_explains_nothing() {
    let voucher = |company, id| [company, id, "refund", "0", "2023-08-15", "400000"];
    let rows = vouchers(&[voucher("EC_KE", "K01"), voucher("EC_NG", "E01")]);
    let whole = [
        ["EC_KE", "K01", "500000", "-"],
        ["EC_NG", "E01", "2500000", "-"],
    ];
    let of = |file: &[[&str; 4]]| run("2024-04", &rows, &of_companies(file));
    let timing = of(&whole);
    assert_eq!(timing.companies["EC_NG"].amount, money("-2100000", 4));
    let timing = of(&whole[..1]);
    assert_eq!(timing.companies["EC_KE"].amount, money("-100000", 4));
    let company = &timing.companies["EC_NG"];
    assert_eq!(company.amount, money("0", 4));
    assert_eq!(company.amount_without_jdash, money("400000", 4));
    let row = &company.rows[0];
    assert_eq!((row.jdash, row.amount), (None, money("0", 4)));
}

#[test]
fn a_row_without_a_day_in_a_file_that_says_days_is_in_doubt() {
    let voucher = |company, id| [company, id, "refund", "0", "2023-08-15", "400000"];
    let rows = vouchers(&[voucher("EC_KE", "K01"), voucher("EC_NG", "E01")]);
    let of = |day: &str| {
        let used = of_companies(&[
            ["EC_KE", "K01", "500000", "2024-04-02"],
            ["EC_NG", "E01", "2500000", day],
        ]);
        run("2024-04", &rows, &used)
    };
    for day in ["-", "1753-01-01"] {
        let timing = of(day);
        let left_out = LeftOut {
            rows: 1,
            amount: money("2500000", 2),
        };
        assert_eq!(timing.jdash_without_day, Some(left_out));
        let company = &timing.companies["EC_NG"];
        assert_eq!((company.amount, company.rows.len()), (money("0", 4), 0));
        assert_eq!(company.doubtful[0].key, "E01");
        assert_eq!(timing.companies["EC_KE"].amount, money("-100000", 4));
    }
    let timing = of("2024-04-30");
    assert_eq!(timing.companies["EC_NG"].amount, money("-2100000", 4));
    assert_eq!(timing.jdash_without_day, None);
}

/// Defect 10 of the predecessor: the timing bridge was zero once columns had been renamed.
#[test]
fn defect_10_a_missing_column_is_an_error_and_no_bridge_of_zero() {
    let rows = vouchers(&plain(&[("1", "100")]));
    let used = jdash(&[("1", "120")]);
    let rules = rules();
    let input = TimingInput {
        vouchers: &rows,
        jdash: &used,
        period: "2025-09".parse().unwrap(),
        rules: &rules,
    };
    for column in [
        "is_active",
        "created_at",
        "business_use",
        "totalamountused",
        "id",
        "id_company",
    ] {
        let renamed = StagedTable {
            frame: rows.frame.drop(column).unwrap(),
        };
        let vouchers = &renamed;
        let error = timing(TimingInput { vouchers, ..input })
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("`{column}` is missing")), "{error}");
    }
    for column in ["voucher_id", "amount_used", "usage_date"] {
        let renamed = StagedTable {
            frame: used.frame.drop(column).unwrap(),
        };
        let jdash = &renamed;
        assert!(timing(TimingInput { jdash, ..input }).is_err(), "{column}");
    }
    assert_eq!(
        timing(input).unwrap().companies["EC_NG"].amount,
        money("-20", 4)
    );
}
