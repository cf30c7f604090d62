//! Row-level matching of two sides inside company, GL and key, in memory that does not depend on the number of rows.
//!
//! # Two passes
//! `split` sends the rows of each side to partitions by the hash of company, GL and key; partitions wait in memory or in
//! a scratch file (`store`). `join` takes one partition after the other, on a few threads, gathers the rows of each key
//! into counts and sums, and classifies the key (ADR 40). One key has at most one entry there however many rows it has.
//!
//! May use Arrow, the parquet reader over bytes in memory, the port of the scratch file; no Polars: which rows of a part
//! the conditions of a side keep is asked of `reconcile`, so that a sum and a match count the same rows. A hash only says
//! where a row waits; whether two rows share a key is decided on the whole key. Never takes a missing amount for zero,
//! never matches what has no key, no company or no GL, and never puts a key into a message.

mod columns;
mod groups;
mod join;
mod key;
mod outcome;
mod record;
mod split;
mod store;
mod tally;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::domain::amount::Amount;
use crate::domain::limits::MatchingLimits;
use crate::domain::matching::{Matched, ProofError, RowPlace, Side, Sides};
use crate::domain::period::Period;
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::filter::Condition;
use crate::ports::{PortError, Scratch};

pub use key::normal_key;
pub use split::{Half, Splitter};

use record::Record;
use store::Store;

/// Seed of the hash of keys, with the number of company and GL.
const SEED: u64 = 0x5047_3031;

/// Hash of a key in normal form within the company and GL of this number.
type KeyHash = fn(&[u8], u32) -> u64;

fn key_hash(key: &[u8], scope: u32) -> u64 {
    xxh3_64_with_seed(key, SEED ^ (u64::from(scope) << u32::BITS))
}

/// Where the GL of a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GlColumn {
    /// In a column.
    Named(String),
    /// In none: all rows of the side belong to this one.
    Fixed(String),
}

/// What matching reads of the rows of one side. Names are those of staged columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideColumns {
    /// Company.
    pub company: String,
    /// GL.
    pub gl: GlColumn,
    /// Columns of the key, in the order of the other side's.
    pub keys: Vec<String>,
    /// Amounts that are added up.
    pub amounts: Vec<String>,
    /// Whether the sum's sign is turned to that of the ledger.
    pub negated: bool,
    /// Date by which open rows age.
    pub date: Option<String>,
    /// Conditions of a row of a part that takes part, all of them; one that they leave undecided takes none. Empty for all.
    pub only: Vec<Condition>,
}

impl SideColumns {
    /// What is read of each row that takes part.
    fn names(&self) -> impl Iterator<Item = &str> {
        let gl = match &self.gl {
            GlColumn::Named(name) => Some(name),
            GlColumn::Fixed(_) => None,
        };
        let columns = std::iter::once(&self.company).chain(gl);
        let columns = columns.chain(&self.keys).chain(&self.amounts);
        columns.chain(&self.date).map(String::as_str)
    }
}

/// How the rows of two sides are matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What is read of each side.
    pub columns: Sides<SideColumns>,
    /// GLs that are looked at, and rows without one; empty for all.
    pub gls: BTreeSet<String>,
    /// Fraction digits at which amounts are compared: no column has more.
    pub scale: u8,
    /// Largest difference of two sums that is not called one. Zero, unless finance says otherwise.
    pub tolerance: Amount,
    /// Period at whose end rows have their age.
    pub period: Period,
    /// Whether the key is personal: lists show that there is one, and where the row stands.
    pub key_is_personal: bool,
}

/// Why rows could not be matched. What was read until then is spent.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// A rule that cannot work.
    #[error("the rule of matching {0}")]
    Rule(String),
    /// A column that is missing or cannot serve.
    #[error("column `{column}` of the {} rows {what}", side.word())]
    Column {
        /// Side.
        side: Side,
        /// Name.
        column: String,
        /// What is wrong.
        what: String,
    },
    /// A part that cannot be read.
    #[error("part {part} of the {} rows cannot be read: {what}", side.word())]
    Part {
        /// Side.
        side: Side,
        /// Its number, from 0.
        part: u32,
        /// What is wrong.
        what: String,
    },
    /// Conditions that the rows of a part cannot be held against.
    #[error("part {part} of the {} rows cannot be filtered: {source}", side.word())]
    Filter {
        /// Side.
        side: Side,
        /// Its number, from 0.
        part: u32,
        /// What is wrong.
        source: ReconcileError,
    },
    /// A sum that an `i128` does not hold.
    #[error("a sum of the {} rows of {company} {gl} is beyond 38 digits", side.word())]
    Overflow {
        /// Side.
        side: Side,
        /// Company.
        company: String,
        /// GL.
        gl: String,
    },
    /// A key longer than any index takes.
    #[error(
        "the key of row {} in part {} of the {} rows has {bytes} bytes, the limit is {max}",
        place.row, place.part, side.word()
    )]
    KeyTooLong {
        /// Side.
        side: Side,
        /// Where.
        place: RowPlace,
        /// Its length.
        bytes: usize,
        /// Limit.
        max: usize,
    },
    /// A limit was reached.
    #[error("matching has more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Limit.
        max: u64,
    },
    /// The scratch file, or whoever gives the parts.
    #[error(transparent)]
    Port(#[from] PortError),
    /// An error of the program.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// An error of the program.
    #[error("a thread of matching ended early")]
    Thread,
}

/// A company and GL in normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Scope {
    company: String,
    gl: String,
}

/// Companies and GLs in the order in which they were first seen; their place is their number.
#[derive(Default)]
struct Scopes {
    numbers: HashMap<Scope, u32>,
    names: Vec<Scope>,
}

/// One matching of two sides.
pub struct Matching<'s> {
    rule: Rule,
    /// Those of the rule, in normal form.
    gls: BTreeSet<String>,
    limits: MatchingLimits,
    partitions: usize,
    /// Keys that one thread may hold.
    groups_max: usize,
    hash: KeyHash,
    store: Store<'s>,
    scopes: Mutex<Scopes>,
}

/// Gives the parts of a side one by one, and `None` after the last.
pub type NextPart<'p> = Box<dyn FnMut() -> Result<Option<Bytes>, PortError> + Send + 'p>;

impl<'s> Matching<'s> {
    /// Plans a matching of `rows` rows of both sides together.
    ///
    /// # Errors
    /// [`MatchError::Rule`], and [`MatchError::TooMany`] when so many rows are beyond the limits.
    pub fn new(
        rule: Rule,
        rows: u64,
        limits: MatchingLimits,
        scratch: &'s dyn Scratch,
    ) -> Result<Self, MatchError> {
        let keys = &rule.columns;
        if keys.actual.keys.is_empty() || keys.actual.keys.len() != keys.target.keys.len() {
            return Err(MatchError::Rule("needs as many keys on both sides".into()));
        }
        if keys.actual.amounts.is_empty() || keys.target.amounts.is_empty() {
            return Err(MatchError::Rule("needs an amount on both sides".into()));
        }
        let scale = rule.tolerance.scale();
        if scale != rule.scale || rule.tolerance.units() < 0 {
            let what = format!(
                "has a tolerance that is negative or not of scale {}",
                rule.scale
            );
            return Err(MatchError::Rule(what));
        }
        let groups = (limits.partition_bytes / groups::GROUP_BYTES).max(1);
        let per_partition = u64::try_from(groups).unwrap_or(u64::MAX);
        let partitions = usize::try_from(rows.div_ceil(per_partition)).unwrap_or(usize::MAX);
        let partitions = partitions.max(limits.threads.max(1));
        if partitions > limits.partitions_max {
            let partitions = u64::try_from(limits.partitions_max).unwrap_or(u64::MAX);
            return Err(MatchError::TooMany {
                what: "rows",
                max: partitions.saturating_mul(per_partition),
            });
        }
        Ok(Self {
            gls: rule.gls.iter().map(|gl| normal_key(gl)).collect(),
            rule,
            partitions,
            // Hashes are not perfectly even, least so where there are few.
            groups_max: groups * 2 + 1_000,
            hash: key_hash,
            store: Store::new(scratch, &limits),
            limits,
            scopes: Mutex::default(),
        })
    }

    /// Takes the rows of one side; both sides may be taken at once.
    #[must_use]
    pub fn splitter(&self, side: Side) -> Splitter<'_> {
        Splitter::new(self, side)
    }

    /// Matches what both sides have sent to their partitions.
    ///
    /// # Errors
    /// [`MatchError`]; [`MatchError::Proof`] when the result contradicts itself.
    pub fn join(&self, halves: Sides<Half>) -> Result<Matched, MatchError> {
        let Sides { actual, target } = halves;
        let read = Sides {
            actual: actual.read,
            target: target.read,
        };
        let left_out = Sides {
            actual: actual.left_out,
            target: target.left_out,
        };
        let joined = join::join(self, actual.chunks, target.chunks)?;
        outcome::matched(self, &read, left_out, joined)
    }

    /// Takes and matches all parts of both sides, a thread for each side.
    ///
    /// # Errors
    /// As [`Splitter::add_part`] and [`Matching::join`], and whatever giving a part says.
    pub fn match_parts(&self, parts: Sides<NextPart<'_>>) -> Result<Matched, MatchError> {
        let take = |side: Side, mut next: NextPart<'_>| {
            let mut splitter = self.splitter(side);
            let mut part = 0;
            while let Some(bytes) = next()? {
                splitter.add_part(part, bytes)?;
                part += 1;
            }
            splitter.finish()
        };
        let Sides { actual, target } = parts;
        let halves = std::thread::scope(|scope| {
            let target = scope.spawn(|| take(Side::Target, target));
            let actual = take(Side::Actual, actual);
            let target = target.join().map_err(|_panic| MatchError::Thread)?;
            Ok::<_, MatchError>(Sides {
                actual: actual?,
                target: target?,
            })
        })?;
        self.join(halves)
    }

    /// The partition of a row. One that nothing can belong to goes anywhere.
    fn partition(&self, record: &Record<'_>) -> usize {
        let hash = match record.is_matchable() {
            true => (self.hash)(record.key, record.scope),
            false => xxh3_64_with_seed(&record.place.row.to_le_bytes(), SEED),
        };
        let partitions = u128::try_from(self.partitions).unwrap_or(u128::MAX);
        let place = (u128::from(hash) * partitions) >> u64::BITS;
        usize::try_from(place).unwrap_or(0)
    }

    /// Number of a company and GL.
    fn number(&self, scope: Scope) -> Result<u32, MatchError> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = scopes.numbers.get(&scope) {
            return Ok(*number);
        }
        let max = self.limits.scopes_max;
        let too_many = MatchError::TooMany {
            what: "pairs of a company and a GL",
            max: u64::try_from(max).unwrap_or(u64::MAX),
        };
        let number = u32::try_from(scopes.names.len());
        let number = number.ok().filter(|_| scopes.names.len() < max);
        let number = number.ok_or(too_many)?;
        scopes.numbers.insert(scope.clone(), number);
        scopes.names.push(scope);
        Ok(number)
    }

    /// All companies and GLs, by number.
    fn scopes(&self) -> Vec<Scope> {
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        scopes.names.clone()
    }

    fn overflow(&self, side: Side, scope: u32) -> MatchError {
        let at = usize::try_from(scope).unwrap_or(usize::MAX);
        let scope = self.scopes().into_iter().nth(at);
        let (company, gl) = scope
            .map(|scope| (scope.company, scope.gl))
            .unwrap_or_default();
        MatchError::Overflow { side, company, gl }
    }
}

#[cfg(test)]
mod tests;
