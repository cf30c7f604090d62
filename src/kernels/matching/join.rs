//! Second pass: one partition after the other, on a few threads, is gathered by key and classified.
//!
//! A partition is read once; a second time only where one side alone has several rows of a key, as only then an open row
//! is not its key's only one.

use std::sync::{Mutex, PoisonError};

use chrono::NaiveDate;

use super::columns::Overflow;
use super::groups::{Group, Groups};
use super::record::{NO_DATE, Record};
use super::store::Chunk;
use super::tally::Tally;
use super::{MatchError, Matching};
use crate::domain::age::AgeBucket;
use crate::domain::matching::{Class, Side};
use crate::ports::{PortError, PortErrorKind};

/// What all threads have found together.
pub(super) struct Joined {
    /// By the number of company and GL.
    pub(super) tallies: Vec<Tally>,
    /// Most keys that one thread held.
    pub(super) peak: usize,
    /// Keys whose hash another key has.
    pub(super) collisions: u64,
}

type Queue = Mutex<Box<dyn Iterator<Item = Vec<Chunk>> + Send>>;

/// Joins all partitions.
pub(super) fn join(
    matching: &Matching<'_>,
    actual: Vec<Vec<Chunk>>,
    target: Vec<Vec<Chunk>>,
) -> Result<Joined, MatchError> {
    let partitions = actual.into_iter().zip(target);
    let partitions = partitions.map(|(mut chunks, target)| {
        chunks.extend(target);
        chunks
    });
    let queue: Queue = Mutex::new(Box::new(partitions));
    let threads = matching.limits.threads.clamp(1, matching.partitions);
    let work = || Worker::new(matching).run(&queue);
    let found = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut found = vec![work()];
        for other in others {
            found.push(other.join().map_err(|_panic| MatchError::Thread)?);
        }
        found.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    let mut joined = Joined {
        tallies: Vec::new(),
        peak: 0,
        collisions: 0,
    };
    for worker in found {
        joined.peak = joined.peak.max(worker.groups.peak);
        joined.collisions += worker.groups.collisions;
        if joined.tallies.is_empty() {
            joined.tallies = worker.tallies;
            continue;
        }
        let tallies = joined.tallies.iter_mut().zip(worker.tallies);
        for (scope, (tally, more)) in (0_u32..).zip(tallies) {
            let overflow = |Overflow| matching.overflow(Side::Actual, scope);
            tally.merge(more).map_err(overflow)?;
        }
    }
    Ok(joined)
}

/// One thread.
struct Worker<'m> {
    matching: &'m Matching<'m>,
    groups: Groups,
    tallies: Vec<Tally>,
}

impl<'m> Worker<'m> {
    fn new(matching: &'m Matching<'m>) -> Self {
        let limits = &matching.limits;
        let scopes = matching.scopes().len();
        let share = limits.items_max / scopes.max(1);
        let items_max = limits.items_per_scope_max.min(share);
        let mut tallies = Vec::new();
        tallies.resize_with(scopes, || Tally::new(items_max));
        Self {
            matching,
            groups: Groups::new(matching.groups_max, limits.partition_bytes * 2),
            tallies,
        }
    }

    fn run(mut self, queue: &Queue) -> Result<Self, MatchError> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(partition) = next else {
                return Ok(self);
            };
            self.partition(&partition)?;
        }
    }

    fn partition(&mut self, chunks: &[Chunk]) -> Result<(), MatchError> {
        self.groups.clear();
        let Self {
            matching,
            groups,
            tallies,
        } = self;
        each_record(matching, chunks, |record| {
            if record.is_matchable() {
                let hash = (matching.hash)(record.key, record.scope);
                let group = groups.find_or_add(hash, record)?;
                return group.map_or(Ok(()), |group| {
                    let overflow = |Overflow| matching.overflow(record.side, record.scope);
                    group.add(record).map_err(overflow)
                });
            }
            let Some(tally) = tally(tallies, record.scope) else {
                return Ok(());
            };
            let overflow = |Overflow| matching.overflow(record.side, record.scope);
            if tally.add_keyless(record).map_err(overflow)? {
                let bucket = bucket(matching, record.day);
                tally.add_open(record, bucket).map_err(overflow)?;
            }
            Ok(())
        })?;
        if !self.classify()? {
            return Ok(());
        }
        let Self {
            matching,
            groups,
            tallies,
        } = self;
        each_record(matching, chunks, |record| {
            let hash = || (matching.hash)(record.key, record.scope);
            let group = record.is_matchable().then(|| groups.find(hash(), record));
            let is_open = group.flatten().is_some_and(is_open_group);
            if let Some(tally) = tally(tallies, record.scope).filter(|_| is_open) {
                let bucket = bucket(matching, record.day);
                let overflow = |Overflow| matching.overflow(record.side, record.scope);
                tally.add_open(record, bucket).map_err(overflow)?;
            }
            Ok(())
        })
    }

    /// Counts every key in its class; says whether the rows of a key must be read again because several are open.
    fn classify(&mut self) -> Result<bool, MatchError> {
        let mut again = false;
        for (group, key) in self.groups.iter() {
            let overflow = |Overflow| self.matching.overflow(Side::Actual, group.scope);
            let Some(tally) = tally(&mut self.tallies, group.scope) else {
                continue;
            };
            let class = class(self.matching, group).map_err(overflow)?;
            tally.add_class(class, &group.sides).map_err(overflow)?;
            match group.alone().filter(|_| group.missing == 0) {
                Some(_) if is_open_group(group) => again = true,
                Some(side) => {
                    let gathered = group.sides.of(side);
                    let record = Record {
                        side,
                        amount: Some(gathered.sum),
                        place: gathered.first,
                        scope: group.scope,
                        scoped: true,
                        day: gathered.oldest,
                        key,
                    };
                    let bucket = bucket(self.matching, record.day);
                    tally.add_open(&record, bucket).map_err(overflow)?;
                }
                None if class.is_match() => {}
                None => {
                    let listed = tally.list_group(class, key, &group.sides);
                    listed.map_err(overflow)?;
                }
            }
        }
        Ok(again)
    }
}

/// Whether one side alone has several rows of a key.
fn is_open_group(group: &Group) -> bool {
    let rows = group.sides.actual.rows + group.sides.target.rows;
    group.missing == 0 && group.alone().is_some() && rows > 1
}

fn class(matching: &Matching<'_>, group: &Group) -> Result<Class, Overflow> {
    if group.missing > 0 {
        return Ok(Class::AmountMissing);
    }
    if let Some(side) = group.alone() {
        return Ok(Class::only(side));
    }
    let (actual, target) = (&group.sides.actual, &group.sides.target);
    let is_large = actual.rows + target.rows > matching.limits.group_rows_max;
    let difference = actual.sum.checked_sub(target.sum).ok_or(Overflow)?;
    let tolerance = matching.rule.tolerance.units().unsigned_abs();
    Ok(match (actual.rows, target.rows) {
        (2.., 2..) if is_large => Class::TooLarge,
        (1, 1) if difference == 0 => Class::OneToOne,
        (1, _) if difference == 0 => Class::OneToMany,
        (_, 1) if difference == 0 => Class::ManyToOne,
        _ if difference == 0 => Class::ManyToMany,
        _ if difference.unsigned_abs() <= tolerance => Class::WithinTolerance,
        _ => Class::Difference,
    })
}

fn tally(tallies: &mut [Tally], scope: u32) -> Option<&mut Tally> {
    tallies.get_mut(usize::try_from(scope).ok()?)
}

fn bucket(matching: &Matching<'_>, day: i32) -> AgeBucket {
    AgeBucket::of(date(day), matching.rule.period).1
}

/// The date of a day, `None` for [`NO_DATE`].
pub(super) fn date(day: i32) -> Option<NaiveDate> {
    let day = Some(day).filter(|day| *day != NO_DATE);
    day.and_then(NaiveDate::from_epoch_days)
}

/// Reads all rows of a partition in the order in which they wait.
fn each_record(
    matching: &Matching<'_>,
    chunks: &[Chunk],
    mut each: impl FnMut(&Record<'_>) -> Result<(), MatchError>,
) -> Result<(), MatchError> {
    let mut buffer = Vec::new();
    for chunk in chunks {
        let mut bytes = matching.store.get(chunk, &mut buffer)?;
        while !bytes.is_empty() {
            let record = Record::read(&mut bytes).ok_or_else(|| {
                PortError::new(PortErrorKind::Corrupt, "a row that waited is cut off")
            })?;
            each(&record)?;
        }
    }
    Ok(())
}
