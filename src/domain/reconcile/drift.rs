//! What is not as it was in an earlier month: rows and totals of items, their columns, and what lines came to.
//!
//! Pure. A number that is not known in one of the months has no difference and is never taken for zero; an item or a line
//! that is new or gone is called so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::result::{LineDollars, LineResult, Reconciliation, Status};
use super::statement::Input;
use super::wide::same;
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::domain::ids::IpeId;
use crate::domain::period::Period;
use crate::domain::sql_type::SqlType;

/// The columns of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Version of its contract, advanced by hand.
    pub version: u32,
    /// Type that the source announces, by the column's canonical name.
    pub columns: BTreeMap<String, SqlType>,
}

/// A month as it was sealed.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    /// The items that it asked for.
    pub items: &'a [Input],
    /// What it came to.
    pub result: &'a Reconciliation,
}

/// What is not as it was in another month; what is the same is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The month that it is compared with.
    pub since: Period,
    /// Items in the order of now, then those that are gone.
    pub items: Vec<ItemDrift>,
    /// Judged lines in the order of now, then those that are gone.
    pub lines: Vec<LineDrift>,
}

/// An item that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDrift {
    /// The item.
    pub item: IpeId,
    /// Whether both months ask for it.
    pub presence: Presence,
    /// Rows staged, as a number without a fraction; `None` where they are as many.
    pub rows: Option<Moved>,
    /// Totals over all companies that are not the same, as the source signs them, by column.
    pub totals: BTreeMap<String, Moved>,
    /// Contract and columns; `None` where they are the same, and of an item that is new or gone.
    pub schema: Option<SchemaDrift>,
}

/// A line that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDrift {
    /// Name of the line.
    pub line: String,
    /// Whether both months judge it.
    pub presence: Presence,
    /// The word on it; `None` where it is the same.
    pub status: Option<StatusDrift>,
    /// Variance in dollars of two digits, in ledger sign; `None` where it is the same.
    pub variance_usd: Option<Moved>,
    /// What nothing explains in dollars of two digits, in ledger sign; `None` where it is the same.
    pub unexplained_usd: Option<Moved>,
    /// Whether balances of one of the months are in no sum, for want of a rate or a variance: then sums are of other
    /// balances, and have no difference.
    pub is_partial: bool,
}

/// Whether two months have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Both.
    Both,
    /// This month alone.
    New,
    /// Last month alone.
    Gone,
}

/// A number that is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Last month; `None` where it is not known.
    pub before: Option<Amount>,
    /// This month; `None` where it is not known.
    pub now: Option<Amount>,
    /// Now less before, exact; `None` where one is not known, where they are sums of other balances, and beyond 38 digits.
    pub difference: Option<Amount>,
}

/// A word that is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDrift {
    /// Last month; `None` where the line was not judged.
    pub before: Option<Status>,
    /// This month; `None` where the line is not judged.
    pub now: Option<Status>,
}

/// What is not the same of an item's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "schema")]
pub enum SchemaDrift {
    /// Nobody knows the columns of one of the months: there was no package, or an older version judged.
    NotKnown,
    /// They differ.
    Changed {
        /// Version of the contract last month.
        before: u32,
        /// Version of the contract this month.
        now: u32,
        /// Columns that were added, removed, or have another type.
        columns: BTreeMap<String, ColumnDrift>,
    },
}

/// A column that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// Its type last month; `None` where it is added.
    pub before: Option<SqlType>,
    /// Its type this month; `None` where it is removed.
    pub now: Option<SqlType>,
}

impl Schema {
    /// What a contract says of columns.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        let columns = contract.columns.iter();
        Self {
            version: contract.version,
            columns: columns
                .map(|column| (column.name.clone(), column.sql_type.clone()))
                .collect(),
        }
    }
}

impl Presence {
    fn of<T>((before, now): Pair<'_, T>) -> Self {
        match (before, now) {
            (Some(_), Some(_)) => Self::Both,
            (None, _) => Self::New,
            (Some(_), None) => Self::Gone,
        }
    }
}

impl Moved {
    /// Two numbers, unless they are the same or neither is known.
    fn of(before: Option<Amount>, now: Option<Amount>) -> Option<Self> {
        let is_same = match (before, now) {
            (Some(before), Some(now)) => same(before, now),
            (None, None) => true,
            _ => false,
        };
        let difference = now.zip(before).and_then(|(now, before)| less(now, before));
        (!is_same).then_some(Self {
            before,
            now,
            difference,
        })
    }
}

/// What is not as it was in an earlier month; `None` without one.
#[must_use]
pub fn since(last: Option<Sealed<'_>>, now: Sealed<'_>) -> Option<Drift> {
    let last = last?;
    let items = paired(last.items.iter(), now.items.iter(), |input| {
        input.item.as_str()
    });
    let lines = paired(last.result.judged(), now.result.judged(), |line| {
        line.id.as_str()
    });
    Some(Drift {
        since: last.result.period,
        items: items.into_iter().filter_map(of_item).collect(),
        lines: lines.into_iter().filter_map(of_line).collect(),
    })
}

/// Last month's and this month's; at least one of them is there.
type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// What has one name in both months: in the order of now, then what is gone.
fn paired<'a, T>(
    before: impl Iterator<Item = &'a T>,
    now: impl Iterator<Item = &'a T>,
    name: fn(&T) -> &str,
) -> Vec<Pair<'a, T>> {
    let mut left: Vec<&'a T> = before.collect();
    let mut all: Vec<Pair<'a, T>> = Vec::new();
    for one in now {
        let place = left.iter().position(|old| name(old) == name(one));
        let old = place.map(|place| left.remove(place));
        all.push((old, Some(one)));
    }
    all.extend(left.into_iter().map(|old| (Some(old), None)));
    all
}

fn of_item(pair: Pair<'_, Input>) -> Option<ItemDrift> {
    let (before, now) = pair;
    let drift = ItemDrift {
        item: now.or(before)?.item.clone(),
        presence: Presence::of(pair),
        rows: Moved::of(rows(before), rows(now)),
        totals: totals(pair),
        schema: schema(pair),
    };
    let is_same = drift.presence == Presence::Both
        && drift.rows.is_none()
        && drift.totals.is_empty()
        && drift.schema.is_none();
    (!is_same).then_some(drift)
}

fn rows(input: Option<&Input>) -> Option<Amount> {
    Amount::new(i128::from(input?.rows?), 0).ok()
}

fn totals((before, now): Pair<'_, Input>) -> BTreeMap<String, Moved> {
    let inputs = before.into_iter().chain(now);
    let columns: BTreeSet<&String> = inputs.flat_map(|input| input.totals.keys()).collect();
    let total = |input: Option<&Input>, column: &String| input?.totals.get(column).copied();
    let moved = columns.into_iter().filter_map(|column| {
        let moved = Moved::of(total(before, column), total(now, column))?;
        Some((column.clone(), moved))
    });
    moved.collect()
}

fn schema((before, now): Pair<'_, Input>) -> Option<SchemaDrift> {
    let (before, now) = match (&before?.schema, &now?.schema) {
        (Some(before), Some(now)) => (before, now),
        (None, None) => return None,
        _ => return Some(SchemaDrift::NotKnown),
    };
    let names: BTreeSet<&String> = before.columns.keys().chain(now.columns.keys()).collect();
    let columns = names.into_iter().map(|name| {
        let (before, now) = (before.columns.get(name), now.columns.get(name));
        let drift = ColumnDrift {
            before: before.cloned(),
            now: now.cloned(),
        };
        (name.clone(), drift)
    });
    let columns = columns.filter(|(_, column)| column.before != column.now);
    (before != now).then(|| SchemaDrift::Changed {
        before: before.version,
        now: now.version,
        columns: columns.collect(),
    })
}

fn of_line(pair: Pair<'_, LineResult>) -> Option<LineDrift> {
    let (before, now) = pair;
    let mut lines = before.into_iter().chain(now);
    let is_partial = lines.any(|line| line.dollars.without_rate > 0 || line.dollars.unknown > 0);
    let moved = |of: fn(&LineDollars) -> Option<Amount>| {
        let usd = |line: Option<&LineResult>| of(&line?.dollars);
        let mut moved = Moved::of(usd(before), usd(now))?;
        moved.difference = moved.difference.filter(|_| !is_partial);
        Some(moved)
    };
    let word = StatusDrift {
        before: before.map(|line| line.status),
        now: now.map(|line| line.status),
    };
    let drift = LineDrift {
        line: now.or(before)?.id.clone(),
        presence: Presence::of(pair),
        status: (word.before != word.now).then_some(word),
        variance_usd: moved(|dollars| dollars.variance),
        unexplained_usd: moved(|dollars| dollars.unexplained),
        is_partial,
    };
    let is_same =
        drift.status.is_none() && drift.variance_usd.is_none() && drift.unexplained_usd.is_none();
    (!is_same).then_some(drift)
}

/// The exact difference; `None` beyond 38 digits.
fn less(now: Amount, before: Amount) -> Option<Amount> {
    let scale = now.scale().max(before.scale());
    let (now, before) = (now.rescale(scale).ok()?, before.rescale(scale).ok()?);
    Amount::new(now.units().checked_sub(before.units())?, scale).ok()
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
