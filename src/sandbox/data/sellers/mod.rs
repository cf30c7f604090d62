//! The seller centre: what is charged to the vendors of the marketplace, with the accrual in the ledger until a statement
//! settles it.
//!
//! A clean ledger's balance on 18304 is what was created in the month and that no statement of the month settled.

mod defs;
mod events;

use arrow::array::ArrayRef;

use crate::sandbox::data::chart::{ACCRUED, BANK, COMPANIES, Company, REVENUE};
use crate::sandbox::data::chunk::{Chunk, table};
use crate::sandbox::data::documents::{BATCH_USER, Document};
use crate::sandbox::data::events::{DAY_US, Kind};
use crate::sandbox::data::ledger::Books;
use crate::sandbox::data::systems::{Rows, SystemSpec};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::SqlResult;

use events::{STATEMENTS, Sale, Statement};

/// The tables of the system.
pub(super) const TABLES: [&TableDef; 5] = [
    &defs::TRANSACTIONS,
    &defs::ACCOUNTING,
    &defs::STATEMENTS,
    &defs::VENDORS,
    &defs::GROUPS,
];

/// 10^16: a unit of 10^-4 in the scale of the ledger.
const SCALE: i128 = 10_000_000_000_000_000;

/// A kind of transaction, and where the group's accounting puts it.
struct Group {
    name: &'static str,
    kind: &'static str,
    levels: [Option<&'static str>; 4],
}

impl Group {
    fn is_revenue(&self) -> bool {
        let [first, ..] = self.levels;
        first == Some("Revenues")
    }
}

const GROUPS: [Group; 5] = [
    Group {
        name: "Commission",
        kind: "Commission fee",
        levels: [
            Some("Revenues"),
            Some("Marketplace"),
            Some("Commissions"),
            None,
        ],
    },
    Group {
        name: "Storage",
        kind: "Frais d'entreposage",
        levels: [
            Some("Revenues"),
            Some("Logistics"),
            Some("Storage"),
            Some("Fee"),
        ],
    },
    Group {
        name: "Shipping by seller",
        kind: "Shipping fee",
        levels: [Some("Revenues"), Some("Logistics"), None, None],
    },
    Group {
        name: "Lost or damaged",
        kind: "Compensation",
        levels: [Some("Costs"), Some("Logistics"), None, None],
    },
    Group {
        name: "Not mapped",
        kind: "",
        levels: [None; 4],
    },
];

/// Vendors: number in the seller centre, name, and whether they sell in several countries.
const VENDORS: [(i64, Option<&str>, Option<bool>); 4] = [
    (301, Some("Aïcha & fils"), Some(false)),
    (302, Some("Shenzhen Best Store"), Some(true)),
    (303, None, None),
    (304, Some("O'Brien  "), Some(false)),
];

/// Writes the transactions of a company.
pub(super) fn write(
    company: &'static Company,
    spec: SystemSpec,
    books: &mut Books<'_>,
) -> SqlResult<Rows> {
    let all = events::sales(company, spec);
    for sale in &all {
        post(company, sale, books)?;
    }
    let mut rows = vec![
        table(&defs::TRANSACTIONS, company, all.iter(), transactions)?,
        table(&defs::ACCOUNTING, company, all.iter(), accounting)?,
        table(&defs::STATEMENTS, company, STATEMENTS.iter(), statements)?,
        table(&defs::VENDORS, company, VENDORS.iter(), vendors)?,
    ];
    // The groups are the whole group's: they stand there once.
    if COMPANIES
        .first()
        .is_some_and(|first| first.code == company.code)
    {
        rows.push(table(&defs::GROUPS, company, GROUPS.iter(), groups)?);
    }
    Ok(rows)
}

/// Accrues a revenue when it is created, and settles it when its statement ends.
fn post(company: &Company, sale: &Sale, books: &mut Books<'_>) -> SqlResult<()> {
    if !GROUPS.get(sale.group).is_some_and(Group::is_revenue) {
        return Ok(());
    }
    let external = sale.id.to_string();
    let mut put = |step: &str, at: i64, accounts: [usize; 2], amount: i128| {
        let number = format!("{}S{}-{step}", company.country_code, sale.id);
        let day = at.div_euclid(DAY_US);
        books.post_document(&Document {
            kind: Kind::Invoice,
            day,
            created_day: day,
            accounts,
            amount: amount * SCALE,
            number: &number,
            external: Some(&external),
            voucher: None,
            description: "Marketplace accrual",
            user: BATCH_USER,
        })
    };
    put("1", sale.created, [ACCRUED, REVENUE], sale.amount)?;
    match sale.settled() {
        Some(end) => put("2", end, [ACCRUED, BANK], -sale.amount),
        None => Ok(()),
    }
}

fn transactions(chunk: &Chunk<'_, Sale>) -> SqlResult<Vec<ArrayRef>> {
    // What is created by hand belongs to no item of an order.
    let item = |add: i64| move |row: &Sale| (!row.is_manual).then_some(row.id * 3 + add);
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.made(|row| Some(format!("TR-{}", row.id))),
        chunk.time(|row| Some(row.created)),
        chunk.text(|row| Some(GROUPS.get(row.group).map_or("", |group| group.kind))),
        chunk.money(|row| row.amount)?,
        chunk.bit(|row| Some(row.is_manual)),
        chunk.long(|row| {
            let place = usize::try_from(row.dice % 4).unwrap_or(0);
            let vendor = VENDORS.get(place);
            vendor.map(|(id, ..)| *id).filter(|_| !row.is_manual)
        }),
        chunk.long(item(0)),
        chunk.long(item(1)),
        chunk.long(item(2)),
        chunk.made(|row| (!row.is_manual).then(|| format!("{}", 300_000_000 + row.id))),
        chunk.long(|row| row.statement),
    ])
}

fn accounting(chunk: &Chunk<'_, Sale>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.text(|row| GROUPS.get(row.group).map(|group| group.name)),
        chunk.text(|row| {
            Some(if row.amount < 0 {
                "Credit Memo"
            } else {
                "Invoice"
            })
        }),
        chunk.text(|row| row.is_manual.then_some("créé à la main")),
    ])
}

fn statements(chunk: &Chunk<'_, Statement>) -> SqlResult<Vec<ArrayRef>> {
    let paid = |row: &Statement| row.end.map(|end| end + 3 * DAY_US);
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.made(|row| Some(format!("AS-{}", row.id))),
        chunk.time(|row| Some(row.start)),
        chunk.time(|row| row.end),
        chunk.bit(|row| row.end.map(|_| row.id % 2 == 0)),
        chunk.time(move |row| paid(row).filter(|_| row.id % 2 == 0)),
    ])
}

type Vendor = (i64, Option<&'static str>, Option<bool>);

fn vendors(chunk: &Chunk<'_, Vendor>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|(id, ..)| Some(*id)),
        chunk.made(|(id, ..)| Some(format!("V{id:07}"))),
        chunk.long(|(id, name, _)| name.map(|_| id * 10)),
        chunk.text(|(_, name, _)| *name),
        chunk.bit(|(.., is_global)| *is_global),
    ])
}

fn groups(chunk: &Chunk<'_, Group>) -> SqlResult<Vec<ArrayRef>> {
    let level = |place: usize| chunk.text(move |row| row.levels.get(place).copied().flatten());
    Ok(vec![
        chunk.text(|row| Some(row.name)),
        level(0),
        level(1),
        level(2),
        level(3),
    ])
}
