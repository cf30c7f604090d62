//! Small sides of rows, and what a plain map says of them.

mod classes;
mod columns;
mod limits;
mod only;
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};

use super::*;
use crate::domain::age::AgeBucket;
use crate::domain::matching::{Class, Listed, OpenBecause, OpenItem, ScopeMatch};

/// Scratch in memory.
#[derive(Default)]
struct Waiting(Mutex<Vec<u8>>);

impl Scratch for Waiting {
    fn append(&self, bytes: &[u8]) -> Result<u64, PortError> {
        let mut waiting = self.0.lock().unwrap();
        let at = u64::try_from(waiting.len()).unwrap();
        waiting.extend_from_slice(bytes);
        Ok(at)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), PortError> {
        let at = usize::try_from(at).unwrap();
        into.copy_from_slice(&self.0.lock().unwrap()[at..at + into.len()]);
        Ok(())
    }
}

/// Company, GL, key, cents, day.
#[derive(Debug, Clone)]
struct Row {
    company: Option<String>,
    gl: Option<String>,
    key: Option<String>,
    cents: Option<i128>,
    day: Option<i32>,
}

/// 2024-04-30.
const APRIL_END: i32 = 19_843;

/// A row of EC_NG and 13003, of the last day of April.
fn row(key: impl Into<Option<&'static str>>, cents: impl Into<Option<i128>>) -> Row {
    Row {
        company: Some("EC_NG".into()),
        gl: Some("13003".into()),
        key: key.into().map(str::to_owned),
        cents: cents.into(),
        day: Some(APRIL_END),
    }
}

fn batch(rows: &[Row]) -> RecordBatch {
    let text = |of: fn(&Row) -> &Option<String>| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| of(row).as_deref())
                .collect::<StringArray>(),
        )
    };
    let amounts: Decimal128Array = rows.iter().map(|row| row.cents).collect();
    let amounts = amounts.with_precision_and_scale(38, 2).unwrap();
    let days: Date32Array = rows.iter().map(|row| row.day).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("company", text(|row| &row.company)),
        ("gl", text(|row| &row.gl)),
        ("key", text(|row| &row.key)),
        ("amount", Arc::new(amounts)),
        ("day", Arc::new(days)),
    ];
    let columns = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn rule() -> Rule {
    let columns = SideColumns {
        company: "company".into(),
        gl: GlColumn::Named("gl".into()),
        keys: vec!["key".into()],
        amounts: vec!["amount".into()],
        negated: false,
        date: Some("day".into()),
        only: Vec::new(),
    };
    Rule {
        columns: Sides {
            actual: columns.clone(),
            target: columns,
        },
        gls: BTreeSet::new(),
        scale: 2,
        tolerance: Amount::zero(2),
        period: "2024-04".parse().unwrap(),
        key_is_personal: false,
    }
}

/// How a matching is done, which must not change what it finds.
#[derive(Clone)]
struct How {
    rule: Rule,
    limits: MatchingLimits,
    partitions: Option<usize>,
    hash: KeyHash,
}

impl Default for How {
    fn default() -> Self {
        Self {
            rule: rule(),
            limits: MatchingLimits::default(),
            partitions: None,
            hash: key_hash,
        }
    }
}

impl How {
    fn try_match(&self, actual: &[Row], target: &[Row]) -> Result<Matched, MatchError> {
        let scratch = Waiting::default();
        let rows = u64::try_from(actual.len() + target.len()).unwrap();
        let mut matching = Matching::new(self.rule.clone(), rows, self.limits.clone(), &scratch)?;
        matching.partitions = self.partitions.unwrap_or(matching.partitions);
        matching.hash = self.hash;
        let take = |side, rows: &[Row]| {
            let mut splitter = matching.splitter(side);
            for (part, rows) in (0..).zip(rows.chunks(7)) {
                splitter.add_batch(RowPlace { part, row: 0 }, &batch(rows), None)?;
            }
            splitter.finish()
        };
        let halves = Sides {
            actual: take(Side::Actual, actual)?,
            target: take(Side::Target, target)?,
        };
        matching.join(halves)
    }
}

fn matched(actual: &[Row], target: &[Row]) -> Matched {
    How::default().try_match(actual, target).unwrap()
}

/// The one company and GL of a result.
fn only(matched: Matched) -> ScopeMatch {
    let [scope] = <[_; 1]>::try_from(matched.scopes).unwrap();
    scope
}

fn cents(units: i128) -> Amount {
    Amount::new(units, 2).unwrap()
}

/// Classes with keys, rows and cents of both sides.
type Classes = BTreeMap<Class, (u64, [u64; 2], [i128; 2])>;

fn classes(scope: &ScopeMatch) -> Classes {
    let totals = scope.classes.iter().map(|(class, total)| {
        let rows = [total.rows.actual, total.rows.target];
        let sums = [total.sums.actual.units(), total.sums.target.units()];
        (*class, (total.groups, rows, sums))
    });
    totals.collect()
}
