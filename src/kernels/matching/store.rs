//! Where the rows of partitions wait: in memory while there is room, then in the scratch file.
//!
//! What the scratch file gives back is compared with a hash of what it was given.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::limits::MatchingLimits;
use crate::ports::{PortError, PortErrorKind, Scratch};

/// Whole records of one partition.
pub(super) enum Chunk {
    /// In memory.
    Held(Vec<u8>),
    /// In the scratch file.
    Away {
        /// Where.
        at: u64,
        /// How long.
        bytes: usize,
        /// Hash of the bytes.
        check: u64,
    },
}

/// Room for chunks, shared by both sides.
pub(super) struct Store<'s> {
    scratch: &'s dyn Scratch,
    held_max: usize,
    away_max: u64,
    held: AtomicUsize,
    away: AtomicU64,
}

impl<'s> Store<'s> {
    /// An empty one.
    pub(super) fn new(scratch: &'s dyn Scratch, limits: &MatchingLimits) -> Self {
        Self {
            scratch,
            held_max: limits.held_bytes_max,
            away_max: limits.scratch_bytes_max,
            held: AtomicUsize::new(0),
            away: AtomicU64::new(0),
        }
    }

    /// Puts the bytes of a buffer away and leaves it empty.
    ///
    /// # Errors
    /// `Limit` when the scratch file is as large as it may be, and whatever writing it says.
    pub(super) fn put(&self, buffer: &mut Vec<u8>) -> Result<Chunk, PortError> {
        let bytes = buffer.len();
        let held = self.held.fetch_add(bytes, Ordering::Relaxed);
        if held.saturating_add(bytes) <= self.held_max {
            let mut held = std::mem::take(buffer);
            held.shrink_to_fit();
            return Ok(Chunk::Held(held));
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        let more = u64::try_from(bytes).unwrap_or(u64::MAX);
        let away = self.away.fetch_add(more, Ordering::Relaxed);
        if away.saturating_add(more) > self.away_max {
            let what = format!("the rows to match need more than {} bytes", self.away_max);
            return Err(PortError::new(PortErrorKind::Limit, what)
                .hint("match fewer companies or GLs at once"));
        }
        let at = self.scratch.append(buffer)?;
        let check = xxh3_64(buffer);
        buffer.clear();
        Ok(Chunk::Away { at, bytes, check })
    }

    /// The bytes of a chunk; `buffer` holds those that come from the scratch file.
    ///
    /// # Errors
    /// `Corrupt` when they are not those that were put there.
    pub(super) fn get<'c>(
        &self,
        chunk: &'c Chunk,
        buffer: &'c mut Vec<u8>,
    ) -> Result<&'c [u8], PortError> {
        match chunk {
            Chunk::Held(bytes) => Ok(bytes),
            Chunk::Away { at, bytes, check } => {
                buffer.resize(*bytes, 0);
                self.scratch.read(*at, buffer)?;
                if xxh3_64(buffer) != *check {
                    let what = format!("{bytes} bytes of scratch at {at} read back differently");
                    return Err(PortError::new(PortErrorKind::Corrupt, what)
                        .hint("the disk changed them; run again on another one"));
                }
                Ok(buffer)
            }
        }
    }

    /// Bytes put into memory and into the scratch file.
    pub(super) fn used(&self) -> (usize, u64) {
        let held = self.held.load(Ordering::Relaxed);
        (held, self.away.load(Ordering::Relaxed))
    }
}
