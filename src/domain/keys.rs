//! What is known about the uniqueness of an item's key.

use serde::{Deserialize, Serialize};

/// A key that several rows have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedKey {
    /// Columns and values, such as `id_company = EC_NG, entry_no = 7`; a personal value is masked.
    pub key: String,
    /// Rows that have it.
    pub rows: u64,
    /// Where the first of them stand, such as `part 0 row 12`, from 0.
    pub places: Vec<String>,
}

/// The keys of all staged rows, examined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAudit {
    /// Rows whose key was hashed.
    pub rows: u64,
    /// Passes over the hashes.
    pub passes: u64,
    /// Hashes that more than one row has.
    pub candidates: u64,
    /// Rows with such a hash that were not read: there were too many.
    pub unread: u64,
    /// Keys that were read in more than one row.
    pub repeated_keys: u64,
    /// The first of them.
    pub repeated: Vec<RepeatedKey>,
}
