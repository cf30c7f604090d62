//! The rows of collections in their tables.

use arrow::array::ArrayRef;

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::chunk::{Chunk, table};
use crate::sandbox::data::events::DAY_US;
use crate::sandbox::data::systems::Rows;
use crate::sandbox::tsql::error::SqlResult;

use super::defs::{
    ADJUSTMENTS, BANK_ACCOUNTS, BANK_POSTING_GROUPS, DEPOSITS, HUBS, LISTS, PARTNERS, PAYMENTS,
    REALLOCATIONS, TRANSACTIONS,
};
use super::events::{Branch, Collection};
use super::{BANKS, Bank, HUB_PARTNERS, PROVIDERS, Provider};

type Collected<'a> = Chunk<'a, Collection>;

/// Every row that the collections of a company have.
pub(super) fn rows(company: &'static Company, all: &[Collection]) -> SqlResult<Rows> {
    let of = |branch: Branch| all.iter().filter(move |row| row.branch == branch);
    // A payment arrives by a deposit or is written off; some by both, of which the first counts.
    let arrives = || of(Branch::Payment).filter(|row| row.closed.is_some());
    let deposited = arrives().filter(|row| row.id % 3 != 0);
    let written_off = arrives().filter(|row| row.id % 3 != 1);
    Ok(vec![
        table(
            &TRANSACTIONS,
            company,
            of(Branch::Transaction),
            transactions,
        )?,
        table(
            &REALLOCATIONS,
            company,
            of(Branch::Reallocation),
            reallocations,
        )?,
        table(&LISTS, company, of(Branch::List), lists)?,
        table(&PAYMENTS, company, of(Branch::Payment), payments)?,
        table(&DEPOSITS, company, deposited, deposits)?,
        table(&ADJUSTMENTS, company, written_off, adjustments)?,
        table(&HUBS, company, HUB_PARTNERS.iter(), hubs)?,
        table(&PARTNERS, company, PROVIDERS.iter(), partners)?,
        table(&BANK_ACCOUNTS, company, BANKS.iter(), bank_accounts)?,
        table(&BANK_POSTING_GROUPS, company, BANKS.iter(), bank_groups)?,
    ])
}

fn transactions(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    let of = |kinds: &'static [&'static str]| {
        move |row: &Collection| row.event.filter(|_| kinds.contains(&row.kind))
    };
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.text(|row| Some(row.kind)),
        chunk.text(|row| row.hub),
        chunk.text(|row| row.partner),
        chunk.money(|row| row.amount)?,
        chunk.time(|row| Some(row.created)),
        chunk.time(of(&["Transfer to", "Transfer From"])),
        chunk.time(of(&["Payment - Rev", "Payment Charges Rev"])),
        chunk.long(|row| row.closed.map(|_| row.id / 10)),
        chunk.time(|row| row.closed),
        chunk.text(|row| {
            let status = if row.waits { "Waiting" } else { "Sent" };
            row.closed.map(|_| status)
        }),
    ])
}

fn reallocations(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.int(|row| row.line),
        chunk.text(|row| row.partner),
        chunk.text(|row| row.hub),
        chunk.money(|row| row.amount)?,
        chunk.time(|row| Some(row.created)),
        chunk.time(|row| row.closed),
    ])
}

fn lists(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.int(|row| row.line),
        chunk.text(|row| row.hub),
        chunk.text(|row| row.partner),
        chunk.money(|row| row.amount)?,
        chunk.time(|row| Some(row.created)),
        chunk.money(|row| row.applied.map_or(0, |(_, amount)| amount))?,
        chunk.time(|row| row.applied.map(|(at, _)| at)),
        chunk.time(|row| row.closed),
    ])
}

fn payments(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.int(|row| row.line),
        chunk.text(|row| Some(row.kind)),
        chunk.text(|row| row.hub),
        chunk.text(|row| row.partner),
        chunk.money(|row| row.amount)?,
        chunk.time(|row| Some(row.created)),
    ])
}

fn deposits(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    arrived(chunk, |_| 0)
}

/// On the day on which the payment would arrive, or ten days later beside a deposit.
fn adjustments(chunk: &Collected<'_>) -> SqlResult<Vec<ArrayRef>> {
    arrived(chunk, |row| if row.id % 3 == 0 { 0 } else { 10 * DAY_US })
}

fn arrived(chunk: &Collected<'_>, later: impl Fn(&Collection) -> i64) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.long(|row| Some(row.id)),
        chunk.int(|row| row.line),
        chunk.money(|row| row.amount)?,
        chunk.time(|row| row.closed.map(|at| at + later(row))),
    ])
}

fn hubs(chunk: &Chunk<'_, (&str, &str)>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.text(|(hub, _)| Some(*hub)),
        chunk.text(|(_, partner)| Some(*partner)),
    ])
}

fn partners(chunk: &Chunk<'_, Provider>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.text(|provider| Some(provider.id)),
        chunk.text(|provider| Some(provider.name)),
        chunk.text(|provider| provider.kind),
        chunk.text(|provider| provider.erp_name),
        chunk.text(|provider| provider.bank),
    ])
}

fn bank_accounts(chunk: &Chunk<'_, Bank>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.text(|bank| Some(bank.number)),
        chunk.text(|bank| Some(bank.name)),
        chunk.text(|bank| Some(bank.group)),
    ])
}

fn bank_groups(chunk: &Chunk<'_, Bank>) -> SqlResult<Vec<ArrayRef>> {
    Ok(vec![
        chunk.company(),
        chunk.text(|bank| Some(bank.group)),
        chunk.text(|bank| Some(bank.account)),
    ])
}
