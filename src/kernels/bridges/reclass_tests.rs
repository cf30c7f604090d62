use super::super::{PostingGroups, posting_groups};
use super::*;
use crate::kernels::reconcile::samples::{NAV, amounts, money, same, table, texts};

/// Company, customer, business line, balance.
fn entries(rows: &[[&str; 4]]) -> StagedTable {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<_>>();
    table(vec![
        texts("id_company", &column(0)),
        texts("customer_no", &column(1)),
        texts("busline_code", &column(2)),
        amounts("rem_amt_lcy", NAV, &column(3)),
    ])
}

/// The lines BL01, BL02 … of one customer.
fn lines(balances: &[&str]) -> Vec<Reclass> {
    let names: Vec<String> = (1..=balances.len()).map(|n| format!("BL0{n}")).collect();
    let rows = names.iter().zip(balances);
    let rows: Vec<[&str; 4]> = rows.map(|(name, sum)| ["EC_NG", "C1", name, sum]).collect();
    reclass(&entries(&rows)).unwrap()
}

#[test]
fn worked_business_lines() {
    for (balances, primary, moves) in [
        (
            vec!["1000", "200", "-50"],
            "BL01",
            vec![("BL02", "200"), ("BL03", "-50")],
        ),
        (
            vec!["100", "-1500", "50"],
            "BL02",
            vec![("BL01", "100"), ("BL03", "50")],
        ),
        (
            vec!["500", "500", "-500"],
            "BL01",
            vec![("BL02", "500"), ("BL03", "-500")],
        ),
        (
            vec!["10000", "2500", "-500"],
            "BL01",
            vec![("BL02", "2500"), ("BL03", "-500")],
        ),
    ] {
        let found = lines(&balances);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].primary, primary, "{balances:?}");
        let moved = found[0].moves.iter();
        let moved: Vec<_> = moved.map(|(line, sum)| (line.as_str(), *sum)).collect();
        let expected = moves.iter().map(|(line, sum)| (*line, money(sum, NAV)));
        assert_eq!(moved, expected.collect::<Vec<_>>(), "{balances:?}");
    }
}

#[test]
fn dust_and_single_lines_are_no_candidates() {
    assert_eq!(lines(&["1000"]), []);
    assert_eq!(lines(&["1000", "0.00999999999999999999", "0"]), []);
    assert_eq!(lines(&["1000", "-0.01"]).len(), 1);
    // Entries of one line are added before they are judged.
    let rows = [
        ["EC_NG", "C1", "BL01", "10"],
        ["EC_NG", "C1", "BL02", "5"],
        ["EC_NG", "C1", "BL02 ", "-5"],
    ];
    assert_eq!(reclass(&entries(&rows)).unwrap(), []);
}

#[test]
fn one_number_in_two_companies_is_two_customers() {
    let rows = [
        ["EC_NG", "C1", "BL01", "10"],
        ["EC_KE", "C1", "BL02", "5"],
        ["JM_EG", "C2", "-", "7"],
        ["JM_EG", "C2", "BL01", "3"],
        ["JM_EG", "C2", "BL01", "-"],
    ];
    let found = reclass(&entries(&rows)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].company.as_str(), found[0].primary.as_str()),
        ("JM_EG", "")
    );
    assert_eq!(found[0].rows_without_amount, 1);
    let renamed = StagedTable {
        frame: entries(&rows).frame.drop("rem_amt_lcy").unwrap(),
    };
    assert!(reclass(&renamed).is_err());
}

#[test]
fn customers_of_several_posting_groups_are_named() {
    let rows = table(vec![
        texts("id_company", &["A", "A", "A", "A", "B", "B", "A", "A"]),
        texts(
            "customer_no",
            &["C1", "C1", "C1", "C2", "C1", "C2", "-", "-"],
        ),
        texts(
            "customer_posting_group",
            &["NAT", "EU ", "NAT", "NAT", "NAT", "-", "EU", "NAT"],
        ),
    ]);
    let found = posting_groups(&rows).unwrap();
    let expected = PostingGroups {
        company: "A".to_owned(),
        customer: "C1".to_owned(),
        groups: ["EU".to_owned(), "NAT".to_owned()].into(),
    };
    assert_eq!(found, [expected]);
    assert_eq!(found[0].joined(), "EU, NAT");
    let none = table(vec![same("id_company", "A", 1)]);
    assert!(posting_groups(&none).is_err());
}
