use super::super::categorise;
use super::super::postings::{BATCH, PERSON, Posting, categorised, ledger, posting, shop};
use super::*;
use crate::domain::patterns::TextTest;
use crate::domain::vouchers::{OTHER, UNKNOWN};
use crate::kernels::reconcile::StagedTable;
use crate::kernels::reconcile::samples::{NAV, amounts, money, rules};

/// Defect 8 of the predecessor: the filter on the account did nothing once the column had been renamed.
#[test]
fn defect_8_the_filter_on_the_account_filters_or_is_an_error() {
    let mut other = posting(BATCH, "-7", "RF_1");
    other.account = "13003";
    let done = categorised(&[posting(BATCH, "-5", "RF_1"), other]);
    let cells = pivot(&done, &rules()).unwrap().cells;
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].amount, money("-5", NAV));
    let mut renamed = rules();
    renamed.account = TextTest {
        column: "GL Account".to_owned(),
        is: renamed.account.is,
    };
    let none = shop(&[]);
    let error = categorise(&ledger(&[other]), &none, &none, &renamed).unwrap_err();
    assert!(error.to_string().contains("`GL Account` is missing"));
}

#[test]
fn worked_pivot() {
    let issued = |amount| posting(BATCH, amount, "RF_1");
    let rows = [
        issued("-1000"),
        issued("-500.25"),
        issued("-249.75"),
        posting(PERSON, "500", "EXPR_APLGY"),
        posting(PERSON, "300", "Manual RND"),
        posting(PERSON, "-", "Manual RND"),
        posting(PERSON, "20", "something"),
    ];
    let rules = rules();
    let pivot = pivot(&categorised(&rows), &rules).unwrap();
    let cell = |category: &str, label: &str| {
        let mut cells = pivot.cells.iter();
        let cell = cells.find(|cell| cell.category == category && cell.label == label);
        let cell = cell.unwrap();
        (
            cell.rows,
            cell.rows_without_amount,
            cell.amount,
            cell.verdict,
        )
    };
    assert_eq!(
        cell("Issuance", "refund"),
        (3, 0, money("-1750", NAV), PairVerdict::Allowed)
    );
    assert_eq!(
        cell("Expired", "apology"),
        (1, 0, money("500", NAV), PairVerdict::Allowed)
    );
    assert_eq!(
        cell("VTC", "refund"),
        (1, 0, money("300", NAV), PairVerdict::Allowed)
    );
    // Without an amount the sign is unknown, so no rule takes the row; it is counted and adds nothing.
    assert_eq!(
        cell(UNCATEGORIZED, UNKNOWN),
        (2, 1, money("20", NAV), PairVerdict::NoCategory)
    );
}

/// Defect 14 of the predecessor: the total was a row among the rows, so that whoever added them had it twice.
#[test]
fn defect_14_the_total_is_no_row() {
    let rules = rules();
    let rows = [
        posting(BATCH, "-1000", "RF_1"),
        posting(PERSON, "500", "EXPR_APLGY"),
        posting(PERSON, "300", "Manual RND"),
    ];
    let pivot = pivot(&categorised(&rows), &rules).unwrap();
    let sum: i128 = pivot.cells.iter().map(|cell| cell.amount.units()).sum();
    assert_eq!(sum, money("-200", NAV).units());
    assert_eq!(pivot.totals().unwrap()["EC_NG"], (3, money("-200", NAV)));
    assert!(
        pivot
            .cells
            .iter()
            .all(|cell| !cell.category.contains("TOTAL"))
    );

    let many = |amount: &'static str, count: usize| vec![posting(BATCH, amount, "RF_1"); count];
    let sample: Vec<_> = [
        many("-500", 50),
        many("-500", 100),
        many("100", 50),
        many("500", 60),
    ]
    .concat();
    let pivot = super::pivot(&categorised(&sample), &rules).unwrap();
    assert_eq!(
        pivot.totals().unwrap()["EC_NG"],
        (260, money("-40000", NAV))
    );
    let amounts: Vec<_> = pivot.cells.iter().map(|cell| cell.amount).collect();
    assert_eq!(amounts, [money("-75000", NAV), money("35000", NAV)]);
}

/// Defect 15 of the predecessor: a currency column was written in one case and read in another, and the summary of the pivot
/// broke off.
#[test]
fn every_company_has_its_total_and_a_column_in_other_letters_is_said() {
    let companies = [
        "EC_IC", "EC_KE", "EC_MA", "EC_NG", "HF_SN", "JD_DZ", "JD_GH", "JD_UG", "JM_EG",
    ];
    let rows = companies.map(|company| Posting {
        company,
        ..posting(BATCH, "-7", "RF_1")
    });
    let pivot = pivot(&categorised(&rows), &rules()).unwrap();
    let totals = pivot.totals().unwrap();
    assert_eq!(totals.len(), companies.len());
    for company in companies {
        assert_eq!(totals[company], (1, money("-7", NAV)), "{company}");
    }
    let mut capitals = StagedTable {
        frame: ledger(&rows).frame.drop("amount").unwrap(),
    };
    let renamed = amounts("AMOUNT", NAV, &["-7"; 9]);
    capitals.frame.with_column(renamed).unwrap();
    let none = shop(&[]);
    let error = categorise(&capitals, &none, &none, &rules()).unwrap_err();
    assert!(error.to_string().contains("`amount` is missing"), "{error}");
}

#[test]
fn companies_stay_apart_until_somebody_adds_them() {
    let rules = rules();
    let mut other = posting(BATCH, "-5", "RF_1");
    other.company = "JM_EG";
    let pivot = pivot(&categorised(&[posting(BATCH, "-7", "RF_2"), other]), &rules).unwrap();
    let companies: Vec<_> = pivot
        .cells
        .iter()
        .map(|cell| cell.company.as_str())
        .collect();
    assert_eq!(companies, ["EC_NG", "JM_EG"]);
    let together = pivot.by_pair().unwrap();
    assert_eq!(together.cells.len(), 1);
    assert_eq!(
        (together.cells[0].rows, together.cells[0].amount),
        (2, money("-12", NAV))
    );
}

#[test]
fn looked_up_types_of_one_label_are_one_cell_and_pairs_are_judged() {
    let rules = rules();
    let used = |voucher| Posting {
        voucher,
        ..posting(BATCH, "50", "Item price credit")
    };
    let ledger = ledger(&[used("1"), used("2"), used("3"), used("4")]);
    let issuance = shop(&[
        ("EC_NG", "1", "jpay_store_credit_gc"),
        ("EC_NG", "2", "store_credit"),
        ("EC_NG", "3", "newsletter"),
    ]);
    let done = categorise(&ledger, &issuance, &shop(&[]), &rules).unwrap();
    let cells = pivot(&done, &rules).unwrap().cells;
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| (cell.label.as_str(), cell.rows, cell.verdict))
        .collect();
    let expected = [
        (UNKNOWN, 1, PairVerdict::NoType),
        (OTHER, 1, PairVerdict::NotAllowed),
        ("store_credit", 2, PairVerdict::Allowed),
    ];
    assert_eq!(cells, expected);
}
