//! Postings and vouchers by hand, for the tests of this part.

use super::{Categorised, categorise};
use crate::kernels::reconcile::StagedTable;
use crate::kernels::reconcile::samples::{NAV, amounts, rules, table, texts};

/// A posting: user, amount, description, and what else differs.
#[derive(Clone, Copy)]
pub(super) struct Posting<'a> {
    pub(super) company: &'a str,
    pub(super) user: &'a str,
    pub(super) amount: &'a str,
    pub(super) description: &'a str,
    pub(super) document: &'a str,
    pub(super) document_type: &'a str,
    pub(super) balancing: &'a str,
    pub(super) voucher: &'a str,
    pub(super) account: &'a str,
}

pub(super) const BATCH: &str = "JUMIA/NAV31AFR.BATCH.SRVC";
pub(super) const PERSON: &str = "NAV/13";

pub(super) fn posting<'a>(user: &'a str, amount: &'a str, description: &'a str) -> Posting<'a> {
    Posting {
        company: "EC_NG",
        user,
        amount,
        description,
        document: "X-1",
        document_type: "-",
        balancing: "-",
        voucher: "-",
        account: "18412",
    }
}

pub(super) fn ledger(postings: &[Posting<'_>]) -> StagedTable {
    let column = |name: &str, cell: fn(&Posting<'_>) -> String| {
        let cells: Vec<String> = postings.iter().map(cell).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        texts(name, &cells)
    };
    let sums: Vec<&str> = postings.iter().map(|posting| posting.amount).collect();
    table(vec![
        column("id_company", |p| p.company.to_owned()),
        column("group_coa_account_no", |p| p.account.to_owned()),
        column("user_id", |p| p.user.to_owned()),
        column("document_description", |p| p.description.to_owned()),
        column("document_no", |p| p.document.to_owned()),
        column("document_type", |p| p.document_type.to_owned()),
        column("bal_account_type", |p| p.balancing.to_owned()),
        column("voucher_no", |p| p.voucher.to_owned()),
        amounts("amount", NAV, &sums),
    ])
}

pub(super) fn shop(rows: &[(&str, &str, &str)]) -> StagedTable {
    let column = |name: &str, place: fn(&(&str, &str, &str)) -> String| {
        let cells: Vec<String> = rows.iter().map(place).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        texts(name, &cells)
    };
    table(vec![
        column("id_company", |row| row.0.to_owned()),
        column("id", |row| row.1.to_owned()),
        column("business_use", |row| row.2.to_owned()),
    ])
}

pub(super) fn categorised(postings: &[Posting<'_>]) -> Categorised {
    let none = shop(&[]);
    categorise(&ledger(postings), &none, &none, &rules()).unwrap()
}
