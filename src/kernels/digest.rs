//! Folds conformed batches into the content digest, whole and per bucket.
//!
//! May use `canonical` and the `sha2` crate. Never depends on the order of rows or on where batches are cut.

use arrow::array::RecordBatch;
use sha2::{Digest as _, Sha256};

use super::KernelError;
use super::canonical::RowLayout;
use crate::domain::contract::Contract;
use crate::domain::digest::{BUCKETS, TableDigest};

/// The digest of a table and of each of its buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// All rows.
    pub total: TableDigest,
    /// By bucket, always [`BUCKETS`] of them.
    pub buckets: Vec<TableDigest>,
}

/// A running digest. One SHA-256 per row serves the digest and its bucket.
#[derive(Debug)]
pub struct DigestFold {
    layout: RowLayout,
    buckets: Vec<TableDigest>,
    /// Bytes of the row in hand; kept so that nothing is allocated per row.
    row: Vec<u8>,
}

impl DigestFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        Self {
            layout: RowLayout::digested(contract),
            buckets: vec![TableDigest::default(); BUCKETS],
            row: Vec::with_capacity(1024),
        }
    }

    /// Adds the rows of one conformed batch.
    ///
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract or a date is outside the years 1 to 9999.
    /// The fold is spent then: some rows of the batch may be in it.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        let rows = self.layout.bind(batch)?;
        for row in 0..batch.num_rows() {
            self.row.clear();
            rows.write(row, &mut self.row)?;
            add(&mut self.buckets, &Sha256::digest(&self.row).into());
        }
        Ok(())
    }

    /// Adds the rows that another fold has seen.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket = bucket.merge(theirs);
        }
    }

    /// The digest of all rows added.
    #[must_use]
    pub fn finish(self) -> Digested {
        let total = self
            .buckets
            .iter()
            .fold(TableDigest::default(), |sum, bucket| sum.merge(bucket));
        Digested {
            total,
            buckets: self.buckets,
        }
    }
}

/// Adds one row hash to its bucket: limb k is bytes 7k to 7k+6, the bucket the first 12 bits of bytes 28 and 29.
fn add(buckets: &mut [TableDigest], hash: &[u8; 32]) {
    let bucket = usize::from(hash[28]) << 4 | usize::from(hash[29] >> 4);
    let Some(digest) = buckets.get_mut(bucket) else {
        // Twelve bits never leave 4,096 buckets.
        return;
    };
    digest.rows += 1;
    let windows = hash.windows(8).step_by(7);
    for (sum, window) in digest.limbs.iter_mut().zip(windows) {
        let eight = window
            .first_chunk()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        *sum += u128::from(eight >> 8);
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
