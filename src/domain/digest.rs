//! The content digest, version 1: the value and its algebra. How a row becomes bytes is `kernels/canonical.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Version of the row encoding and of the algebra; any change to either makes another one.
pub const DIGEST_VERSION: &str = "v1";

/// Number of buckets of a row hash (12 bits).
pub const BUCKETS: usize = 4096;

/// Buckets that a finding names: a row that changed touches two.
const BUCKETS_NAMED: usize = 20;

/// What rows a table holds, whatever their order, batches and files.
///
/// # Shape
/// Number of rows and the plain sums of four 56-bit limbs of the row hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableDigest {
    /// Rows counted.
    pub rows: u64,
    /// Limb sums.
    pub limbs: [u128; 4],
}

impl TableDigest {
    /// Digest of the union of two disjoint parts.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3] = self.limbs;
        let [b0, b1, b2, b3] = other.limbs;
        // 10^9 rows need 86 bits: a u128 cannot overflow before the row counter does.
        Self {
            rows: self.rows + other.rows,
            limbs: [a0 + b0, a1 + b1, a2 + b2, a3 + b3],
        }
    }

    /// SHA-256, in hex, of the text form.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.to_string().as_bytes()))
    }
}

impl fmt::Display for TableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [l0, l1, l2, l3] = self.limbs;
        write!(f, "{DIGEST_VERSION}:{}:{l0}:{l1}:{l2}:{l3}", self.rows)
    }
}

/// A text that is not a digest of a version this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a content digest of version v1")]
pub struct DigestError(pub String);

impl FromStr for TableDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let refuse = || DigestError(text.to_owned());
        let mut fields = text.split(':');
        if fields.next() != Some(DIGEST_VERSION) {
            return Err(refuse());
        }
        let rows = fields
            .next()
            .and_then(|f| f.parse().ok())
            .ok_or_else(refuse)?;
        let mut limbs = [0_u128; 4];
        for limb in &mut limbs {
            *limb = fields
                .next()
                .and_then(|f| f.parse().ok())
                .ok_or_else(refuse)?;
        }
        let digest = Self { rows, limbs };
        // Only the canonical spelling is a digest: no signs, no leading zeros, nothing behind.
        (digest.to_string() == text)
            .then_some(digest)
            .ok_or_else(refuse)
    }
}

impl TryFrom<String> for TableDigest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<TableDigest> for String {
    fn from(digest: TableDigest) -> Self {
        digest.to_string()
    }
}

/// Numbers of the buckets that differ. `ours` are all buckets by number, `theirs` those that have rows.
#[must_use]
pub fn differing_buckets(ours: &[TableDigest], theirs: &BTreeMap<u16, TableDigest>) -> Vec<u16> {
    let none = TableDigest::default();
    let numbers = (0_u16..).zip(ours);
    numbers
        .filter(|(number, our)| theirs.get(number).unwrap_or(&none) != *our)
        .map(|(number, _)| number)
        .collect()
}

/// What is said of buckets that differ, `None` when there are none; of many the first.
#[must_use]
pub fn bucket_finding(buckets: &[u16]) -> Option<String> {
    let first: Vec<String> = buckets
        .iter()
        .take(BUCKETS_NAMED)
        .map(u16::to_string)
        .collect();
    let (count, first) = (buckets.len(), first.join(", "));
    (count > 0).then(|| format!("{count} of {BUCKETS} buckets differ, of them {first}"))
}

/// Lower-case hex of bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

/// SHA-256 of bytes, in hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_table_has_the_published_fingerprint() {
        let empty = TableDigest::default();
        assert_eq!(empty.to_string(), "v1:0:0:0:0:0");
        assert_eq!(
            empty.fingerprint(),
            "b3f440baa3d854668488900a967f7e3b8b8c14a2775f8108b729895750f09d95"
        );
    }

    #[test]
    fn only_the_canonical_text_reads_back() {
        let digest = TableDigest {
            rows: 2,
            limbs: [1, 2, 3, u128::from(u64::MAX) * 9],
        };
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in [
            "",
            "v2:0:0:0:0:0",
            "v1:0:0:0:0",
            "v1:0:0:0:0:0:0",
            "v1:00:0:0:0:0",
            "v1:+1:0:0:0:0",
        ] {
            assert!(bad.parse::<TableDigest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_buckets_that_differ_are_named_and_empty_ones_are_equal_to_absent_ones() {
        let one = TableDigest {
            rows: 1,
            limbs: [1, 2, 3, 4],
        };
        let mut ours = vec![TableDigest::default(); BUCKETS];
        ours[7] = one;
        ours[4095] = one;
        let mut theirs = BTreeMap::from([(7, one), (4095, one)]);
        assert_eq!(differing_buckets(&ours, &theirs), Vec::<u16>::new());
        theirs.remove(&7);
        theirs.insert(8, one);
        theirs.insert(4095, one.merge(&one));
        assert_eq!(differing_buckets(&ours, &theirs), [7, 8, 4095]);
        let said = bucket_finding(&[7, 8]).unwrap();
        assert_eq!(said, "2 of 4096 buckets differ, of them 7, 8");
        assert_eq!(bucket_finding(&[]), None);
    }

    #[test]
    fn merge_adds() {
        let part = TableDigest {
            rows: 2,
            limbs: [1, 2, 3, 4],
        };
        assert_eq!(
            part.merge(&part),
            TableDigest {
                rows: 4,
                limbs: [2, 4, 6, 8]
            }
        );
    }
}
