//! What a warehouse is asked to load, and what it is found to hold.

use std::collections::BTreeMap;

use crate::domain::digest::TableDigest;
use crate::domain::manifest::{PartFile, Recomputed};
use crate::domain::period::Period;
use crate::domain::run::{Fence, RowMetadata};

/// One replacement of one month of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadJob {
    /// Table name.
    pub table: String,
    /// Month that is replaced.
    pub period: Period,
    /// Metadata that every row of the files carries.
    pub metadata: RowMetadata,
    /// Exact files; never a wildcard.
    pub parts: Vec<PartFile>,
    /// The right under which it is loaded; `None` where nobody else can be at work.
    pub fence: Option<Fence>,
}

/// What a warehouse finds in one month of one table, computed from the rows that it now serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Totals and content digest of the month.
    pub recomputed: Recomputed,
    /// Rows by `_run_id`; a good month has exactly one entry, an empty or absent one has none.
    pub run_ids: BTreeMap<String, u64>,
    /// Digest of each bucket that has rows.
    pub buckets: BTreeMap<u16, TableDigest>,
}
