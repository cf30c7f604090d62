//! The rows of a company that are drawn as witnesses: the largest, the smallest, the oldest, and others by a hash that nobody
//! knows before the run.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use csv::ByteRecord;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::domain::witness::Why;

/// Rows that are drawn of each company.
const PER_COMPANY: usize = 5;

/// A row that may be drawn.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) line: u64,
    pub(super) row: ByteRecord,
}

/// The rows of a company that would be drawn if no other came.
#[derive(Debug, Default)]
pub(super) struct Draw {
    largest: Option<(i128, Kept)>,
    smallest: Option<(i128, Kept)>,
    oldest: Option<(NaiveDateTime, Kept)>,
    /// By a hash of seed and line, the lowest ones.
    random: BTreeMap<(u64, u64), ByteRecord>,
}

impl Draw {
    pub(super) fn see(
        &mut self,
        row: &ByteRecord,
        line: u64,
        (amount, date): (Option<i128>, Option<NaiveDateTime>),
        seed: u64,
    ) {
        let kept = || Kept {
            line,
            row: row.clone(),
        };
        if let Some(amount) = amount {
            if self.largest.as_ref().is_none_or(|(most, _)| amount > *most) {
                self.largest = Some((amount, kept()));
            }
            if self
                .smallest
                .as_ref()
                .is_none_or(|(least, _)| amount < *least)
            {
                self.smallest = Some((amount, kept()));
            }
        }
        if let Some(date) = date
            && self.oldest.as_ref().is_none_or(|(first, _)| date < *first)
        {
            self.oldest = Some((date, kept()));
        }
        let rank = (xxh3_64_with_seed(&line.to_le_bytes(), seed), line);
        let is_full = self.random.len() >= PER_COMPANY;
        if !is_full
            || self
                .random
                .last_key_value()
                .is_some_and(|(last, _)| rank < *last)
        {
            self.random.insert(rank, row.clone());
            if is_full {
                self.random.pop_last();
            }
        }
    }

    /// The rows, the extremes first, each once.
    pub(super) fn rows(self) -> Vec<(Vec<Why>, Kept)> {
        let extremes = [
            (Why::Largest, self.largest.map(|(_, kept)| kept)),
            (Why::Smallest, self.smallest.map(|(_, kept)| kept)),
            (Why::Oldest, self.oldest.map(|(_, kept)| kept)),
        ];
        let random = self.random.into_iter();
        let random = random.map(|((_, line), row)| (Why::Random, Some(Kept { line, row })));
        let mut found: Vec<(Vec<Why>, Kept)> = Vec::new();
        for (why, kept) in extremes.into_iter().chain(random) {
            let Some(kept) = kept else { continue };
            let is_room = found.len() < PER_COMPANY;
            match found.iter_mut().find(|(_, other)| other.line == kept.line) {
                Some((whys, _)) if why != Why::Random => whys.push(why),
                Some(_) => {}
                None if is_room => found.push((vec![why], kept)),
                None => {}
            }
        }
        found
    }
}
