//! What the pipeline tells while it works. Counts and names only, never a row.

use std::time::Duration;

use crate::domain::ids::IpeId;
use crate::domain::keys::KeyAudit;
use crate::domain::run::ItemStatus;

/// The step that an item is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Connecting and opening the view.
    Open,
    /// Asking columns and control totals.
    Ask,
    /// Reading rows.
    Extract,
    /// Comparing.
    Check,
    /// Replacing the month in the warehouse.
    Load,
    /// Reading back.
    Verify,
    /// Writing the evidence package.
    Seal,
}

impl Stage {
    /// One word for people and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ask => "ask",
            Self::Extract => "extract",
            Self::Check => "check",
            Self::Load => "load",
            Self::Verify => "verify",
            Self::Seal => "seal",
        }
    }
}

/// How the keys of an item were examined: counts, never a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysExamined {
    /// Rows whose key was hashed.
    pub rows: u64,
    /// Passes over the hashes.
    pub passes: u64,
    /// Keys that more than one row has.
    pub repeated: u64,
    /// Rows that share a hash and were not read, so that nobody knows whether they share a key.
    pub unread: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl KeysExamined {
    /// The counts of an audit.
    #[must_use]
    pub fn of(audit: &KeyAudit, elapsed: Duration) -> Self {
        Self {
            rows: audit.rows,
            passes: audit.passes,
            repeated: audit.repeated_keys,
            unread: audit.unread,
            elapsed,
        }
    }
}

/// Who listens. Called from several tasks; must return at once.
pub trait Progress: Send + Sync {
    /// An item enters a step.
    fn stage(&self, ipe: &IpeId, stage: Stage);
    /// The source says how many rows will come.
    fn expected(&self, ipe: &IpeId, rows: u64);
    /// So many rows are staged or on their way, in all.
    fn rows(&self, ipe: &IpeId, rows: u64);
    /// The keys of all staged rows were examined.
    fn keys(&self, ipe: &IpeId, found: KeysExamined);
    /// An item ended.
    fn finished(&self, ipe: &IpeId, status: ItemStatus);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _ipe: &IpeId, _stage: Stage) {}
    fn expected(&self, _ipe: &IpeId, _rows: u64) {}
    fn rows(&self, _ipe: &IpeId, _rows: u64) {}
    fn keys(&self, _ipe: &IpeId, _found: KeysExamined) {}
    fn finished(&self, _ipe: &IpeId, _status: ItemStatus) {}
}
