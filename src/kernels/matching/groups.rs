//! The keys of one partition, each with counts and sums of its rows.
//!
//! A key takes the same few bytes whether it has one row or all of them. Keys of equal hash stand in a chain and are told
//! apart by company, GL and the whole key.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::MatchError;
use super::columns::Overflow;
use super::record::{NO_DATE, Record};
use crate::domain::matching::{RowPlace, Side, Sides};

/// Bytes that a key takes: its entry, its place in the table with room to grow, and the key of a document number.
pub(super) const GROUP_BYTES: usize = size_of::<Group>() + 40 + 24;

/// The rows of one company, GL and key.
#[derive(Clone)]
pub(super) struct Group {
    /// Number of company and GL.
    pub(super) scope: u32,
    /// Next group of the same hash.
    next: Option<u32>,
    /// Where its key stands among all keys.
    key: Range<usize>,
    /// Rows without an amount.
    pub(super) missing: u64,
    /// What is known of each side.
    pub(super) sides: Sides<Gathered>,
}

/// The rows of one side of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gathered {
    /// Rows.
    pub(super) rows: u64,
    /// Sum of the amounts that are there.
    pub(super) sum: i128,
    /// Oldest day, or [`NO_DATE`].
    pub(super) oldest: i32,
    /// First row, where there is one.
    pub(super) first: RowPlace,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            rows: 0,
            sum: 0,
            oldest: NO_DATE,
            first: RowPlace {
                part: u32::MAX,
                row: u32::MAX,
            },
        }
    }
}

impl Gathered {
    /// Adds a row.
    pub(super) fn add(&mut self, record: &Record<'_>) -> Result<(), Overflow> {
        self.rows += 1;
        let sum = self.sum.checked_add(record.amount.unwrap_or(0));
        self.sum = sum.ok_or(Overflow)?;
        // The least number of a day stands for none.
        self.oldest = match (self.oldest, record.day) {
            (NO_DATE, day) | (day, NO_DATE) => day,
            (left, right) => left.min(right),
        };
        self.first = self.first.min(record.place);
        Ok(())
    }
}

/// Passes a hash on as it is: table and partition look at other bits of it.
#[derive(Default)]
pub(super) struct Passed(u64);

impl Hasher for Passed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        // The first bits chose the partition and are alike in all of its keys.
        self.0 = hash.rotate_left(u32::BITS);
    }
}

/// The groups of a partition.
pub(super) struct Groups {
    first: HashMap<u64, u32, BuildHasherDefault<Passed>>,
    groups: Vec<Group>,
    keys: Vec<u8>,
    groups_max: usize,
    keys_bytes_max: usize,
    /// Keys whose hash another key has.
    pub(super) collisions: u64,
    /// Most groups at once.
    pub(super) peak: usize,
}

impl Groups {
    /// None yet; never more than `groups_max`, nor keys of more than `keys_bytes_max`.
    pub(super) fn new(groups_max: usize, keys_bytes_max: usize) -> Self {
        Self {
            first: HashMap::default(),
            groups: Vec::new(),
            keys: Vec::new(),
            groups_max,
            keys_bytes_max,
            collisions: 0,
            peak: 0,
        }
    }

    /// Forgets all groups, not the memory they took.
    pub(super) fn clear(&mut self) {
        self.first.clear();
        self.groups.clear();
        self.keys.clear();
    }

    /// All groups and their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Group, &[u8])> {
        let groups = self.groups.iter();
        groups.map(|group| (group, self.keys.get(group.key.clone()).unwrap_or_default()))
    }

    /// The group of a row.
    pub(super) fn find(&self, hash: u64, record: &Record<'_>) -> Option<&Group> {
        self.search(hash, record).ok().and_then(|at| self.at(at))
    }

    /// The group of a row, made if there is none.
    ///
    /// # Errors
    /// [`MatchError::TooMany`]: more rows came than the matching was planned for.
    pub(super) fn find_or_add(
        &mut self,
        hash: u64,
        record: &Record<'_>,
    ) -> Result<Option<&mut Group>, MatchError> {
        let at = match self.search(hash, record) {
            Ok(at) => at,
            Err(last) => self.add(hash, last, record)?,
        };
        Ok(usize::try_from(at)
            .ok()
            .and_then(|at| self.groups.get_mut(at)))
    }

    fn at(&self, at: u32) -> Option<&Group> {
        self.groups.get(usize::try_from(at).ok()?)
    }

    /// The place of a row's group, or that of the last one of the same hash.
    fn search(&self, hash: u64, record: &Record<'_>) -> Result<u32, Option<u32>> {
        let mut next = self.first.get(&hash).copied();
        let mut last = None;
        while let Some((at, group)) = next.and_then(|at| Some((at, self.at(at)?))) {
            let key = self.keys.get(group.key.clone());
            if group.scope == record.scope && key == Some(record.key) {
                return Ok(at);
            }
            last = Some(at);
            next = group.next;
        }
        Err(last)
    }

    fn add(
        &mut self,
        hash: u64,
        last: Option<u32>,
        record: &Record<'_>,
    ) -> Result<u32, MatchError> {
        let limit = |what, max: usize| MatchError::TooMany {
            what,
            max: u64::try_from(max).unwrap_or(u64::MAX),
        };
        if self.groups.len() >= self.groups_max {
            return Err(limit("keys in one partition", self.groups_max));
        }
        let start = self.keys.len();
        if start + record.key.len() > self.keys_bytes_max {
            return Err(limit("bytes of keys in one partition", self.keys_bytes_max));
        }
        let at = u32::try_from(self.groups.len());
        let at = at.map_err(|_| limit("keys in one partition", self.groups_max))?;
        self.keys.extend_from_slice(record.key);
        self.groups.push(Group {
            scope: record.scope,
            next: None,
            key: start..self.keys.len(),
            missing: 0,
            sides: Sides::default(),
        });
        self.peak = self.peak.max(self.groups.len());
        match last.and_then(|last| self.groups.get_mut(usize::try_from(last).ok()?)) {
            Some(last) => {
                last.next = Some(at);
                self.collisions += 1;
            }
            None => {
                self.first.insert(hash, at);
            }
        }
        Ok(at)
    }
}

impl Group {
    /// Adds a row.
    pub(super) fn add(&mut self, record: &Record<'_>) -> Result<(), Overflow> {
        self.missing += u64::from(record.amount.is_none());
        self.sides.of_mut(record.side).add(record)
    }

    /// The side that has all rows, if one has.
    pub(super) fn alone(&self) -> Option<Side> {
        match (self.sides.actual.rows, self.sides.target.rows) {
            (_, 0) => Some(Side::Actual),
            (0, _) => Some(Side::Target),
            _ => None,
        }
    }
}
