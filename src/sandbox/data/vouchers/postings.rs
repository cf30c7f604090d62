//! What the ledger books of a voucher: issuance, usage on delivery, expiry and cancellation, each with the text, the user
//! and the type of document by which the voucher rules know it.

use chrono::Datelike as _;

use crate::sandbox::data::chart::{BANK, Company, MARKETING, REVENUE, VOUCHERS};
use crate::sandbox::data::documents::{BATCH_USER, Document};
use crate::sandbox::data::events::{DAY_US, Kind, calendar};
use crate::sandbox::data::ledger::Books;
use crate::sandbox::tsql::error::SqlResult;

use super::life::{BusinessUse, LEDGER_ENDS, TO_LEDGER, Voucher};

/// Who books by hand.
const PERSON: &str = "JUMIA\\M.BENALI";

/// What tells a posting's sort: document, text, user and the account on the other side.
struct Sort {
    kind: Kind,
    letters: &'static str,
    description: String,
    user: &'static str,
    other: usize,
}

/// Posts everything that happens to a voucher; `number` is its running number in the company.
pub(super) fn post(
    company: &Company,
    number: u64,
    voucher: &Voucher<'_>,
    books: &mut Books<'_>,
) -> SqlResult<()> {
    let life = &voucher.life;
    if !life.is_booked() {
        return Ok(());
    }
    let mut step = 0;
    let mut one = |at: i64, amount: i64, sort: Sort| {
        step += 1;
        let day = at.div_euclid(DAY_US);
        let year = calendar(day).year() % 100;
        let letters = sort.letters;
        books.post_document(&Document {
            kind: sort.kind,
            day,
            created_day: day,
            accounts: [VOUCHERS, sort.other],
            amount: i128::from(amount) * TO_LEDGER,
            number: &format!("{letters}{year:02}-{number:07}-{step}"),
            external: None,
            voucher: Some(voucher.id),
            description: &sort.description,
            user: sort.user,
        })
    };
    one(
        life.created,
        -life.amount,
        issuance(company, life.usage, voucher.code),
    )?;
    for used in life.uses() {
        if let Some(at) = used.delivered {
            let by_hand = company.country_code == "NG" && number.is_multiple_of(3);
            one(at, used.amount, usage(by_hand))?;
        }
    }
    match life.ended {
        Some((at, _)) => {
            let left = life.amount - life.delivered_before(at);
            one(at, left, cancellation(life.usage, number))
        }
        None if life.to < LEDGER_ENDS => {
            let left = life.amount - life.delivered_before(life.to);
            one(life.to, left, expiry(life.usage))
        }
        None => Ok(()),
    }
}

/// A sort that the shop's interface books.
fn automatic(letters: &'static str, description: String, other: usize) -> Sort {
    Sort {
        kind: Kind::Journal,
        letters,
        description,
        user: BATCH_USER,
        other,
    }
}

/// A sort that a person books.
fn by_hand(letters: &'static str, description: String, other: usize) -> Sort {
    Sort {
        user: PERSON,
        ..automatic(letters, description, other)
    }
}

fn issuance(company: &Company, usage: BusinessUse, code: &str) -> Sort {
    match usage {
        BusinessUse::Refund => automatic("VI", format!("RF_{code}"), REVENUE),
        BusinessUse::Apology => automatic("VI", format!("Commercial gesture {code}"), MARKETING),
        BusinessUse::JForce => automatic("VI", format!("PYT_PF {code}"), MARKETING),
        // Known by the country in the number of the document.
        _ => Sort {
            kind: Kind::Invoice,
            ..by_hand(
                company.country_code,
                format!("Store credit sold {code}"),
                BANK,
            )
        },
    }
}

fn usage(is_by_hand: bool) -> Sort {
    if is_by_hand {
        by_hand("VU", "ITEMPRICECREDIT correction".to_owned(), REVENUE)
    } else {
        automatic("VU", "Item price credit".to_owned(), REVENUE)
    }
}

/// A refund goes back by the bank, or by a payment run that its text names.
fn cancellation(usage: BusinessUse, number: u64) -> Sort {
    match usage {
        BusinessUse::Refund if number.is_multiple_of(3) => {
            by_hand("VT", "Manual RND paid out".to_owned(), REVENUE)
        }
        BusinessUse::Refund => by_hand("VT", "Voucher to cash".to_owned(), BANK),
        BusinessUse::Apology => automatic("VC", "Voucher accrual reversed".to_owned(), MARKETING),
        _ => Sort {
            kind: Kind::CreditMemo,
            ..by_hand("VC", "Store credit taken back".to_owned(), REVENUE)
        },
    }
}

fn expiry(usage: BusinessUse) -> Sort {
    let what = match usage {
        BusinessUse::Apology => "EXPR_APLGY",
        BusinessUse::JForce => "EXPR_JFORCE",
        _ => "EXPR_STR CRDT",
    };
    by_hand("VX", what.to_owned(), REVENUE)
}
