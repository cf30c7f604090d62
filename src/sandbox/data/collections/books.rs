//! The postings of collections: each branch has an account of its own, against revenue when it begins and the bank when it
//! ends.

use crate::sandbox::data::chart::{
    BANK, COLLECTED, COLLECTED_OTHER, Company, IN_TRANSIT, IN_TRANSIT_OTHER, REVENUE,
};
use crate::sandbox::data::documents::{BATCH_USER, Document};
use crate::sandbox::data::events::{DAY_US, Kind};
use crate::sandbox::data::ledger::Books;
use crate::sandbox::tsql::error::SqlResult;

use super::events::{Branch, Collection};
use super::{has_other_branch, is_main};

/// 10^16: a unit of 10^-4 in the scale of the ledger.
const SCALE: i128 = 10_000_000_000_000_000;

/// Whether the documents are posted, or posted again with the opposite sign.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Booked,
    TakenBack,
}

/// Posts everything that a collection brings to the general ledger.
pub(super) fn post(
    company: &Company,
    collection: &Collection,
    way: Way,
    books: &mut Books<'_>,
) -> SqlResult<()> {
    // What another branch tells too is booked from there; what never happened is not booked.
    let (false, Some(event)) = (has_other_branch(collection), collection.event) else {
        return Ok(());
    };
    let (letter, account, sign) = match collection.branch {
        Branch::Transaction => ("T", COLLECTED, 1),
        Branch::Reallocation => ("R", COLLECTED_OTHER, 1),
        Branch::List => ("L", IN_TRANSIT, 1),
        Branch::Payment => ("P", IN_TRANSIT_OTHER, -1),
    };
    let begins = if collection.branch == Branch::Payment {
        BANK
    } else {
        REVENUE
    };
    let whole = sign * collection.amount;
    let scale = match way {
        Way::Booked => SCALE,
        Way::TakenBack => -SCALE,
    };
    let mut step = 0;
    let mut put = |at: i64, accounts: [usize; 2], amount: i128| {
        let country = company.country_code;
        let (id, line) = (collection.id, collection.line);
        step += 1;
        let number = format!("{country}{letter}{id:08}-{line}{step}");
        let external = (collection.id % 3 != 0).then(|| collection.id.to_string());
        let day = at.div_euclid(DAY_US);
        books.post_document(&Document {
            kind: Kind::Payment,
            day,
            created_day: day,
            accounts,
            amount: amount * scale,
            number: &number,
            external: external.as_deref(),
            voucher: None,
            description: collection.kind,
            user: BATCH_USER,
        })
    };
    // The main bank account is no collection account: the money is at the bank at once.
    if is_main(collection) {
        return put(event, [BANK, REVENUE], whole);
    }
    put(event, [account, begins], whole)?;
    let mut rest = whole;
    if let Some((at, amount)) = collection.applied {
        put(at, [account, BANK], -amount)?;
        rest -= amount;
        if rest < 0 {
            put(at, [account, REVENUE], -rest)?;
            rest = 0;
        }
    }
    match collection.closed.filter(|_| !collection.waits) {
        Some(at) => put(at, [account, BANK], -rest),
        None => Ok(()),
    }
}
