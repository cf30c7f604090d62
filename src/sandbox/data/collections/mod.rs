//! Cash collections: what partners collected for a company and what has arrived, with the postings of each step.
//!
//! Four tables hold collections, two say what arrived at the bank, two say who collects, and two of NAV say to which bank
//! account. A clean ledger's balances on 13001, 13002, 13011 and 13012 are what is open in them.

mod books;
mod defs;
mod events;
mod rows;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::systems::{Rows, SystemSpec};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

use books::Way;
use events::{Branch, Collection};

/// The column of the company in every table of [`HAPPENED`].
pub(super) const ID_COMPANY: &str = "ID_Company";

/// The tables that hold what happened.
pub(super) const HAPPENED: [&TableDef; 6] = [
    &defs::TRANSACTIONS,
    &defs::REALLOCATIONS,
    &defs::LISTS,
    &defs::PAYMENTS,
    &defs::DEPOSITS,
    &defs::ADJUSTMENTS,
];

/// The tables of the system: what happened, and who collects.
pub(super) const TABLES: [&TableDef; 10] = [
    &defs::TRANSACTIONS,
    &defs::REALLOCATIONS,
    &defs::LISTS,
    &defs::PAYMENTS,
    &defs::DEPOSITS,
    &defs::ADJUSTMENTS,
    &defs::HUBS,
    &defs::PARTNERS,
    &defs::BANK_ACCOUNTS,
    &defs::BANK_POSTING_GROUPS,
];

/// Who collects for a company.
struct Provider {
    id: &'static str,
    name: &'static str,
    kind: Option<&'static str>,
    erp_name: Option<&'static str>,
    bank: Option<&'static str>,
}

/// The partner whose bank account is the main one.
const MAIN_PARTNER: &str = "CP-004";

/// The hub that is mapped to it.
const MAIN_HUB: &str = "HUB-04";

const PROVIDERS: [Provider; 4] = [
    Provider {
        id: "CP-001",
        name: "Riders of the town",
        kind: Some("Rider"),
        erp_name: Some("RIDERS"),
        bank: Some("BNK-COLL"),
    },
    Provider {
        id: "CP-002",
        name: "Point relais – été",
        kind: Some("Pick-up station"),
        erp_name: None,
        bank: Some("BNK-OLD"),
    },
    Provider {
        id: "CP-003",
        name: "3PL Côté Logistique",
        kind: None,
        erp_name: Some("3PL-CÔTÉ"),
        bank: None,
    },
    Provider {
        id: MAIN_PARTNER,
        name: "Mobile money",
        kind: Some("Wallet"),
        erp_name: Some("WALLET"),
        bank: Some("BNK-MAIN"),
    },
];

/// A bank account in the ledger, with its posting group.
struct Bank {
    number: &'static str,
    name: &'static str,
    group: &'static str,
    /// Number of the ledger's account.
    account: &'static str,
}

/// The main one is that which the item leaves out.
const BANKS: [Bank; 2] = [
    Bank {
        number: "BNK-COLL",
        name: "Collections",
        group: "COLLECT",
        account: "10021",
    },
    Bank {
        number: "BNK-MAIN",
        name: "Main account",
        group: "MAIN",
        account: "10058",
    },
];

/// Hubs and the partners that they are mapped to, one of them twice.
const HUB_PARTNERS: [(&str, &str); 4] = [
    ("HUB-01", "CP-001"),
    ("HUB-02", "CP-002"),
    ("HUB-02", "CP-002"),
    (MAIN_HUB, MAIN_PARTNER),
];

/// Transaction types that other tables tell too.
const OF_OTHER_BRANCHES: [&str; 7] = [
    "Payment",
    "Payment Charges",
    "Transfer",
    "Reallocation From",
    "Reallocation To",
    "Cash Deposit",
    "Collection Adjustment",
];

/// Whether a transaction is told by another table too.
fn has_other_branch(collection: &Collection) -> bool {
    collection.branch == Branch::Transaction && OF_OTHER_BRANCHES.contains(&collection.kind)
}

/// Whether the money goes to the main bank account: by the partner, or by the hub where no partner is named.
fn is_main(collection: &Collection) -> bool {
    match collection.partner {
        Some(partner) => partner == MAIN_PARTNER,
        None => collection.hub == Some(MAIN_HUB),
    }
}

/// Writes the collections of a company.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let all = events::collections(company, spec);
    for collection in &all {
        books::post(company, collection, Way::Booked, books)?;
    }
    rows::rows(company, &all)
}

/// Posts the opposite of everything that [`write`] posted: the books of a company that never collected.
pub(super) fn take_back(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<()> {
    for collection in events::collections(company, spec) {
        books::post(company, &collection, Way::TakenBack, books)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
