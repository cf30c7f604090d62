use std::collections::HashMap;

use proptest::prelude::*;

use super::tests::{Posting, Voucher, ledger, run, vouchers};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_bridge_is_that_of_a_plain_loop(
        rows in proptest::collection::vec(
            (0_usize..2, 0_usize..12, 0_usize..3, 0_usize..3, 0_usize..6, proptest::option::of(-1_000_i64..1_000_000)), 0..40),
        postings in proptest::collection::vec((0_usize..2, 0_usize..12, 0_usize..4, 0_usize..4), 0..20),
    ) {
        let companies = ["A", "B"];
        let ids = ["1", " 1 ", "1.0", "x", "X", "y", "Y.0", "z", "10", "10.0", "q", "-"];
        let uses = ["refund", "Refund ", "jforce"];
        let active = ["0", "1", "-"];
        let inactive = ["2025-09-01", "2025-09-30 23:59:59", "2025-10-01", "2025-08-31", "2024-12-31", "-"];
        let categories = ["VTC", "Cancellation", "Usage", "-"];
        let posted = ["2025-01-01", "2025-09-30 23:59:59", "2025-10-01", "2024-12-31"];
        let key = |id: &str| {
            let bare = id.trim().to_uppercase();
            (id != "-").then(|| bare.strip_suffix(".0").unwrap_or(&bare).to_owned())
        };

        let texts_of: Vec<[String; 7]> = rows.iter().map(|(company, id, what, is_active, date, amount)| [
            companies[*company].to_owned(), ids[*id].to_owned(), uses[*what].to_owned(), active[*is_active].to_owned(),
            "2030-01-01".to_owned(), inactive[*date].to_owned(),
            amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string()),
        ]).collect();
        let table: Vec<Voucher<'_>> = texts_of.iter().map(|row| std::array::from_fn(|place| row[place].as_str())).collect();
        let booked_rows: Vec<Posting<'_>> = postings.iter().map(|(company, id, category, date)| [
            companies[*company], ids[*id], categories[*category], posted[*date], "1",
        ]).collect();

        let booked: Vec<(usize, String)> = postings.iter()
            .filter(|(_, _, category, date)| *category < 2 && *date < 2)
            .filter_map(|(company, id, ..)| Some((*company, key(ids[*id])?))).collect();
        let chosen: Vec<_> = rows.iter().filter(|(_, _, what, is_active, date, _)| {
            *what < 2 && *is_active == 0 && matches!(*date, 0 | 1 | 3 | 4)
        }).collect();
        let mut seen: HashMap<(usize, Option<String>), usize> = HashMap::new();
        for (company, id, ..) in &chosen {
            *seen.entry((*company, key(ids[*id]))).or_default() += 1;
        }
        let mut expected: HashMap<&str, i128> = HashMap::new();
        for (company, id, _, _, date, amount) in &chosen {
            let (Some(id), Some(amount)) = (key(ids[*id]), amount) else { continue };
            let once = seen[&(*company, Some(id.clone()))] == 1;
            if once && *date < 2 && !booked.contains(&(*company, id)) {
                *expected.entry(companies[*company]).or_default() -= i128::from(*amount) * 10_000;
            }
        }
        let found = run("2025-09", &vouchers(&table), &ledger(&booked_rows));
        for company in companies {
            let amount = found.companies.get(company).map_or(0, |company| company.amount.units());
            prop_assert_eq!(amount, expected.get(company).copied().unwrap_or_default());
            let behind: i128 = found.companies.get(company).map_or(0, |company| {
                company.rows.iter().map(|row| row.remaining.units()).sum()
            });
            prop_assert_eq!(-behind, amount);
        }
    }
}
