//! Hashes of row keys: eight bytes a row instead of the key, so that uniqueness is tested in flat memory.
//!
//! May use `canonical` and xxHash. A hash only names candidates; whether two rows share a key is decided on the whole
//! key. Never keeps a key.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::KernelError;
use super::canonical::RowLayout;
use super::cells::{batch, only};
use crate::domain::contract::Contract;
use crate::ports::SmallTable;

/// Seed of every key hash: sidecars of different runs can be compared.
const SEED: u64 = 0x5047_3031;
/// Bytes of one hash in a sidecar.
pub const HASH_BYTES: usize = 8;

/// Hashes the keys of conformed batches.
#[derive(Debug)]
pub struct KeyFold {
    layout: RowLayout,
    /// Bytes of the key in hand; kept so that nothing is allocated per row.
    key: Vec<u8>,
    hashes: Vec<u8>,
}

impl KeyFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        Self {
            layout: RowLayout::key(contract),
            key: Vec::with_capacity(64),
            hashes: Vec::new(),
        }
    }

    /// Adds the rows of one conformed batch.
    ///
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        let rows = self.layout.bind(batch)?;
        self.hashes.reserve(batch.num_rows() * HASH_BYTES);
        for row in 0..batch.num_rows() {
            self.key.clear();
            rows.write(row, &mut self.key)?;
            let hash = xxh3_64_with_seed(&self.key, SEED);
            self.hashes.extend_from_slice(&hash.to_le_bytes());
        }
        Ok(())
    }

    /// The hashes since the last time, in the order of the rows.
    ///
    /// # Shape
    /// One little-endian `u64` a row: the sidecar of a part.
    pub fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.hashes))
    }
}

/// The hashes of keys that a source answered, to be looked for among those of staged rows.
///
/// # Shape
/// `keys`: the columns of the key in the order of `contract.key`.
/// # Errors
/// One sentence for a value that is not of its column's type, or a type that no key is made of.
pub fn hashes_of(contract: &Contract, keys: &SmallTable) -> Result<Vec<u64>, String> {
    if keys.rows.is_empty() {
        return Ok(Vec::new());
    }
    let alone = only(contract, |name| contract.key.iter().any(|key| key == name));
    let batch = batch(&alone, &contract.key, &keys.rows)?;
    let mut fold = KeyFold::new(&alone);
    fold.fold(&batch).map_err(|error| error.to_string())?;
    Ok(hashes(&fold.take()).collect())
}

/// The hashes of a sidecar.
pub fn hashes(sidecar: &[u8]) -> impl Iterator<Item = u64> {
    let (chunks, _) = sidecar.as_chunks::<HASH_BYTES>();
    chunks.iter().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Which hashes one pass looks at: the passes together see each hash exactly once.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    number: u64,
    of: u64,
    /// About so many hashes.
    hashes: usize,
}

impl Pass {
    /// All passes over so many rows, each of which holds about `bytes_max` bytes of hashes at most.
    #[must_use]
    pub fn all(rows: u64, bytes_max: usize) -> Vec<Self> {
        let per_pass = u64::try_from((bytes_max / HASH_BYTES).max(1)).unwrap_or(u64::MAX);
        let of = rows.div_ceil(per_pass).max(1);
        let hashes = usize::try_from(rows.div_ceil(of)).unwrap_or(0);
        let pass = |number| Self { number, of, hashes };
        (0..of).map(pass).collect()
    }

    /// Whether a hash belongs to this pass: hashes are evenly spread, so passes are of about the same size.
    fn takes(self, hash: u64) -> bool {
        let place = (u128::from(hash) * u128::from(self.of)) >> u64::BITS;
        place == u128::from(self.number)
    }
}

/// Collects the hashes of one pass and finds those that occur more than once.
#[derive(Debug)]
pub struct Repeats {
    pass: Pass,
    seen: Vec<u64>,
}

impl Repeats {
    /// Begins a pass.
    #[must_use]
    pub fn new(pass: Pass) -> Self {
        Self {
            pass,
            // A little more than the average, so that it does not grow, which would hold it twice.
            seen: Vec::with_capacity(pass.hashes + pass.hashes / 16),
        }
    }

    /// Adds the hashes of a sidecar that belong to this pass.
    pub fn add(&mut self, sidecar: &[u8]) {
        let pass = self.pass;
        self.seen
            .extend(hashes(sidecar).filter(|hash| pass.takes(*hash)));
    }

    /// The hashes that more than one row has.
    #[must_use]
    pub fn finish(mut self) -> BTreeSet<u64> {
        self.seen.sort_unstable();
        let pairs = self.seen.array_windows();
        let equal = pairs.filter(|[a, b]| a == b);
        equal.map(|[hash, _]| *hash).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sidecar(hashes: &[u64]) -> Vec<u8> {
        hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect()
    }

    proptest! {
        #[test]
        fn every_hash_is_in_exactly_one_pass_and_repeats_are_found_whatever_their_number(
            mut values in proptest::collection::vec(any::<u64>(), 1..200),
            twice in 0_usize..20,
            bytes_max in 1_usize..400,
        ) {
            let again: Vec<u64> = values.iter().copied().take(twice).collect();
            let expected: BTreeSet<u64> = again.iter().copied().collect();
            values.sort_unstable();
            values.dedup();
            let both = [sidecar(&values), sidecar(&again)];
            let rows = u64::try_from(values.len() + again.len()).unwrap();
            let mut found = BTreeSet::new();
            let mut taken = 0;
            for pass in Pass::all(rows, bytes_max) {
                let mut repeats = Repeats::new(pass);
                both.iter().for_each(|sidecar| repeats.add(sidecar));
                taken += repeats.seen.len();
                found.extend(repeats.finish());
            }
            prop_assert_eq!(taken, values.len() + again.len());
            // `again` is of distinct values where `values` had none twice.
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_ends_of_the_range_belong_to_the_first_and_the_last_pass() {
        let passes = Pass::all(1_000, 800);
        assert_eq!(passes.len(), 10);
        assert!(passes[0].takes(0) && passes[9].takes(u64::MAX));
        assert_eq!(Pass::all(0, 8).len(), 1);
    }
}
