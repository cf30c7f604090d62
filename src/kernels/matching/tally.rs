//! What one thread has found in a company and GL: sums by class, ages, and the largest rows and keys.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use super::columns::Overflow;
use super::groups::Gathered;
use super::record::{NO_DATE, Record};
use crate::domain::age::AgeBucket;
use crate::domain::matching::{Class, RowPlace, Side, Sides};

/// The order of a list: largest first, then oldest, then whatever makes it the same in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Absolute amount or difference.
    pub(super) magnitude: u128,
    older: Reverse<i32>,
    rows: u64,
    amount: i128,
    key: Reverse<Vec<u8>>,
    place: Reverse<RowPlace>,
}

/// A row or key of a list.
pub(super) struct Entry<T> {
    rank: Rank,
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// The first so many of a list, whatever the order in which they come.
pub(super) struct Top<T> {
    max: usize,
    heap: BinaryHeap<Reverse<Entry<T>>>,
}

impl<T> Top<T> {
    fn new(max: usize) -> Self {
        Self {
            max,
            heap: BinaryHeap::new(),
        }
    }

    /// Whether one of this magnitude can be among them: asked before anything is copied.
    fn takes(&self, magnitude: u128) -> bool {
        let least = self.heap.peek();
        let reaches = |Reverse(least): &Reverse<Entry<T>>| magnitude >= least.rank.magnitude;
        self.heap.len() < self.max || least.is_some_and(reaches)
    }

    fn push(&mut self, entry: Entry<T>) {
        self.heap.push(Reverse(entry));
        if self.heap.len() > self.max {
            self.heap.pop();
        }
    }

    fn merge(&mut self, other: Self) {
        for Reverse(entry) in other.heap {
            self.push(entry);
        }
    }

    /// Largest first, with their keys.
    pub(super) fn into_list(self) -> impl Iterator<Item = (Vec<u8>, T)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|Reverse(Entry { rank, item })| (rank.key.0, item))
    }
}

/// An open row without its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenRow {
    /// Amount.
    pub(super) amount: i128,
    /// Day, or [`NO_DATE`].
    pub(super) day: i32,
    /// Where it stands.
    pub(super) place: RowPlace,
    /// Whether it has company and GL.
    pub(super) scoped: bool,
}

/// Rows and sums of a class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ClassSums {
    /// Keys.
    pub(super) groups: u64,
    /// Rows.
    pub(super) rows: Sides<u64>,
    /// Sums.
    pub(super) sums: Sides<i128>,
}

/// Rows and sum of an age.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Aged {
    /// Rows.
    pub(super) rows: u64,
    /// Sum.
    pub(super) sum: i128,
}

/// One company and GL.
pub(super) struct Tally {
    /// By class.
    pub(super) classes: BTreeMap<Class, ClassSums>,
    /// Open rows by age.
    pub(super) ageing: Sides<BTreeMap<AgeBucket, Aged>>,
    /// Open rows.
    pub(super) open: Sides<Top<OpenRow>>,
    /// Keys of the classes that are neither a match nor open.
    pub(super) groups: BTreeMap<Class, Top<Sides<Gathered>>>,
    items_max: usize,
}

impl Tally {
    /// Nothing yet; lists have at most `items_max` entries.
    pub(super) fn new(items_max: usize) -> Self {
        Self {
            classes: BTreeMap::new(),
            ageing: Sides::default(),
            open: Sides {
                actual: Top::new(items_max),
                target: Top::new(items_max),
            },
            groups: BTreeMap::new(),
            items_max,
        }
    }

    /// Counts a key.
    pub(super) fn add_class(
        &mut self,
        class: Class,
        sides: &Sides<Gathered>,
    ) -> Result<(), Overflow> {
        let sums = self.classes.entry(class).or_default();
        sums.groups += 1;
        for side in [Side::Actual, Side::Target] {
            let gathered = sides.of(side);
            *sums.rows.of_mut(side) += gathered.rows;
            add(sums.sums.of_mut(side), gathered.sum)?;
        }
        Ok(())
    }

    /// Counts a row that one side has alone, or whose amount nobody knows, and that has no key to be gathered by.
    pub(super) fn add_keyless(&mut self, record: &Record<'_>) -> Result<bool, Overflow> {
        let mut sides = Sides::<Gathered>::default();
        sides.of_mut(record.side).add(record)?;
        if record.amount.is_some() {
            self.add_class(Class::only(record.side), &sides)?;
            return Ok(true);
        }
        self.add_class(Class::AmountMissing, &sides)?;
        self.list_group(Class::AmountMissing, record.key, &sides)?;
        Ok(false)
    }

    /// Puts an open row among those of its age and, if it is large enough, into the list.
    pub(super) fn add_open(
        &mut self,
        record: &Record<'_>,
        bucket: AgeBucket,
    ) -> Result<(), Overflow> {
        let amount = record.amount.unwrap_or(0);
        let aged = self.ageing.of_mut(record.side).entry(bucket).or_default();
        aged.rows += 1;
        add(&mut aged.sum, amount)?;
        let top = self.open.of_mut(record.side);
        let magnitude = amount.unsigned_abs();
        if top.takes(magnitude) {
            let rank = Rank {
                magnitude,
                older: Reverse(record.day),
                rows: 1,
                amount,
                key: Reverse(record.key.to_vec()),
                place: Reverse(record.place),
            };
            let item = OpenRow {
                amount,
                day: record.day,
                place: record.place,
                scoped: record.scoped,
            };
            top.push(Entry { rank, item });
        }
        Ok(())
    }

    /// Puts a key into the list of its class, if its difference is large enough.
    pub(super) fn list_group(
        &mut self,
        class: Class,
        key: &[u8],
        sides: &Sides<Gathered>,
    ) -> Result<(), Overflow> {
        let Sides { actual, target } = sides;
        let difference = actual.sum.checked_sub(target.sum).ok_or(Overflow)?;
        let items_max = self.items_max;
        let top = self.groups.entry(class);
        let top = top.or_insert_with(|| Top::new(items_max));
        let magnitude = difference.unsigned_abs();
        if top.takes(magnitude) {
            let dated = [actual.oldest, target.oldest].into_iter();
            let oldest = dated.filter(|day| *day != NO_DATE).min();
            let rank = Rank {
                magnitude,
                older: Reverse(oldest.unwrap_or(NO_DATE)),
                rows: actual.rows + target.rows,
                amount: difference,
                key: Reverse(key.to_vec()),
                place: Reverse(actual.first.min(target.first)),
            };
            top.push(Entry { rank, item: *sides });
        }
        Ok(())
    }

    /// Adds what another thread has found.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Overflow> {
        for (class, more) in other.classes {
            let sums = self.classes.entry(class).or_default();
            sums.groups += more.groups;
            for side in [Side::Actual, Side::Target] {
                *sums.rows.of_mut(side) += more.rows.of(side);
                add(sums.sums.of_mut(side), *more.sums.of(side))?;
            }
        }
        for (side, ages) in [
            (Side::Actual, other.ageing.actual),
            (Side::Target, other.ageing.target),
        ] {
            for (bucket, more) in ages {
                let aged = self.ageing.of_mut(side).entry(bucket).or_default();
                aged.rows += more.rows;
                add(&mut aged.sum, more.sum)?;
            }
        }
        self.open.actual.merge(other.open.actual);
        self.open.target.merge(other.open.target);
        for (class, more) in other.groups {
            match self.groups.get_mut(&class) {
                Some(top) => top.merge(more),
                None => {
                    self.groups.insert(class, more);
                }
            }
        }
        Ok(())
    }
}

fn add(sum: &mut i128, more: i128) -> Result<(), Overflow> {
    *sum = sum.checked_add(more).ok_or(Overflow)?;
    Ok(())
}
