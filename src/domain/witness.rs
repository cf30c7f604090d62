//! Witnesses: rows that are drawn in every run, read again at the source by their key, and compared cell by cell.

use serde::{Deserialize, Serialize};

use super::query::QueryFile;

/// How an item's witnesses are drawn and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessDefinition {
    /// Amount by which the largest and the smallest row of a company are found.
    pub by: String,
    /// Date by which the oldest row of a company is found, if the item has one.
    pub oldest: Option<String>,
    /// One row by its key, from the base tables and without a join.
    pub query: QueryFile,
    /// What somebody wants to see beside what is drawn.
    pub sample: Option<Sample>,
}

/// Keys that an auditor chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Name of the file.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Keys as written, each in the order of the contract's key; `None` is null.
    pub keys: Vec<Vec<Option<String>>>,
}

/// Why a row is a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The largest amount of its company.
    Largest,
    /// The smallest amount of its company.
    Smallest,
    /// The oldest row of its company.
    Oldest,
    /// Drawn by a hash of run and key.
    Random,
    /// Asked for with `--witness`.
    Given,
}

/// What one side holds of a witness.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Rows with this key.
    pub rows: u64,
    /// SHA-256 over the canonical bytes of the compared columns, in hex; `None` unless there is exactly one row.
    pub sha256: Option<String>,
    /// Canonical texts of [`WitnessAudit::amounts`], null where the row has null; empty unless there is one row.
    pub amounts: Vec<Option<String>>,
}

/// One row that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Company; empty for a row that was asked for and is not at the source.
    pub company: String,
    /// Why it is a witness.
    pub why: Vec<Why>,
    /// Its key for people, personal values masked.
    pub key: String,
    /// Hash of its key, in hex, as the sidecars have it.
    pub key_hash: String,
    /// What the source says, asked by key.
    pub source: Seen,
    /// What was staged.
    pub staged: Seen,
    /// Columns that differ; their values are in the part and at the source.
    pub differing: Vec<String>,
}

/// All witnesses of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessAudit {
    /// Amount by which they were drawn.
    pub by: String,
    /// Date by which they were drawn.
    pub oldest: Option<String>,
    /// Columns that were compared, by canonical name.
    pub columns: Vec<String>,
    /// Those of them that are shown: amounts that are not personal.
    pub amounts: Vec<String>,
    /// File of `--witness` with its SHA-256 in hex.
    pub sample: Option<(String, String)>,
    /// The rows.
    pub witnesses: Vec<Witness>,
}
