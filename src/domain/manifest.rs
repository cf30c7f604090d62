//! What was staged and what was loaded, file by file.

use serde::{Deserialize, Serialize};

use super::digest::TableDigest;
use super::totals::ControlTotals;

/// One Parquet part file in staging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFile {
    /// URI under which the warehouse reads it, such as `file:///…/part-00000.parquet`.
    pub uri: String,
    /// Path below the staging root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes as they were written, in hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the sidecar beside it, which holds the hash of each row's key, in hex.
    pub keys_sha256: String,
}

/// Everything that one item staged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Parts in order; none for zero rows is not allowed: an empty table has one part without rows.
    pub parts: Vec<PartFile>,
    /// Digest of the decoded stream.
    pub digest: TableDigest,
    /// Totals of the decoded stream.
    pub totals: ControlTotals,
}

impl Staged {
    /// Rows in the parts.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// Bytes in the parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }
}

/// What the second path found in the bytes read back from staging or from the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recomputed {
    /// Digest of the rows read back.
    pub digest: TableDigest,
    /// Totals of the rows read back.
    pub totals: ControlTotals,
}

/// What a warehouse says of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadReceipt {
    /// Name of the load job.
    pub job_id: String,
    /// Table and partition that were replaced.
    pub destination_table: String,
    /// How existing rows were treated; always `WRITE_TRUNCATE` on one partition.
    pub write_disposition: String,
    /// Exact files that were loaded.
    pub source_uris: Vec<String>,
    /// Rows that the load reports.
    pub output_rows: u64,
    /// Bytes that the load reports.
    pub output_bytes: u64,
    /// Every way in which the load read something else than was staged, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
}

/// A load that was begun and whose end is not known: the month may have been replaced by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Name of the load job.
    pub job_id: String,
    /// Table and partition that it replaces.
    pub destination_table: String,
    /// A command that shows what became of it.
    pub look: String,
}
