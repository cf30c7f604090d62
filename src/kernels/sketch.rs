//! Counting distinct values in flat memory: exactly up to a bound, estimated beyond it, and it says which.
//!
//! The smallest [`KEPT`] hashes of all values are kept. Fewer than that were all there are; otherwise the largest kept
//! hash says how densely they lie (the k-minimum-values sketch). Only whole numbers; sketches merge in any order.

use serde::Serialize;

/// Hashes that are kept, and so the largest exact count. A typical error beyond it is one in the square root: 0.3 %.
pub const KEPT: usize = 1 << 17;

/// A count of distinct values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Distinct {
    /// The count; nulls are not counted.
    pub count: u64,
    /// Whether it is exact for the rows that were looked at.
    pub exact: bool,
}

/// The smallest hashes seen. At most 2 × [`KEPT`] × 8 bytes.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    /// Hashes, with duplicates and unordered since the last cut.
    hashes: Vec<u64>,
    /// From here on hashes are not kept, once there were enough.
    end: Option<u64>,
}

impl Sketch {
    /// Adds the hash of a value.
    pub fn add(&mut self, hash: u64) {
        if self.end.is_some_and(|end| hash >= end) {
            return;
        }
        self.hashes.push(hash);
        if self.hashes.len() >= 2 * KEPT {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if let Some(end) = self.hashes.get(KEPT) {
            self.end = Some(*end);
            self.hashes.truncate(KEPT);
        }
    }

    /// The count of what was added.
    #[must_use]
    pub fn distinct(mut self) -> Distinct {
        self.cut();
        let kept = u64::try_from(self.hashes.len()).unwrap_or(u64::MAX);
        let Some(end) = self.end else {
            return Distinct {
                count: kept,
                exact: true,
            };
        };
        // `kept` hashes lie below `end`: as many lie below 2^64 as the spaces fit into it.
        let count = (u128::from(kept) << 64) / u128::from(end.max(1));
        Distinct {
            count: u64::try_from(count).unwrap_or(u64::MAX),
            exact: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    fn counted(values: u64, times: u64) -> Distinct {
        let mut sketch = Sketch::default();
        for _ in 0..times {
            (0..values).for_each(|value| sketch.add(xxh3_64(&value.to_le_bytes())));
        }
        sketch.distinct()
    }

    #[test]
    fn few_values_are_counted_exactly_however_often_they_come() {
        for values in [0, 1, 1_000, 131_072] {
            let exact = Distinct {
                count: values,
                exact: true,
            };
            assert_eq!(counted(values, 3), exact);
        }
    }

    #[test]
    fn many_values_are_estimated_and_said_to_be() {
        let many = counted(1_000_000, 1);
        assert!(!many.exact);
        assert!(many.count.abs_diff(1_000_000) < 15_000, "{}", many.count);
    }
}
