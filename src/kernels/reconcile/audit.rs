//! What a join would do, asked before it is done: keys that stand twice on either side, and how many rows come out.

use polars::prelude::{
    DataFrame, DataType, Expr, IntoLazy as _, JoinType, col, concat_str, len, lit,
};
use serde::{Deserialize, Serialize};

use super::ReconcileError;
use super::cells::{count, counts, optional_texts};
use crate::domain::digest::sha256_hex;
use crate::kernels::frame::guarded;

/// Hashes of duplicate keys that an audit names: enough to find the rows, too few to be a list of them.
const SAMPLES: usize = 5;
/// Hexadecimal digits of a hash that are kept.
const SAMPLE_DIGITS: usize = 16;
/// Between the parts of a key; no code and no voucher holds it.
const BETWEEN: &str = "\u{1f}";

/// What a left join would make of two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAudit {
    /// Which join.
    pub join: String,
    /// The side whose rows stay.
    pub left: SideAudit,
    /// The side in which they are looked up.
    pub right: SideAudit,
    /// Different keys that both sides have.
    pub keys_matched: u64,
    /// Rows that the plain join would give.
    pub rows_joined: u64,
}

impl JoinAudit {
    /// Whether the plain join would give rows more than once.
    #[must_use]
    pub fn multiplies(&self) -> bool {
        self.rows_joined != self.left.rows
    }
}

/// The keys of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideAudit {
    /// Rows.
    pub rows: u64,
    /// Rows without a key.
    pub without_key: u64,
    /// Different keys.
    pub keys: u64,
    /// Keys of more than one row.
    pub duplicate_keys: u64,
    /// Rows of these keys.
    pub duplicate_rows: u64,
    /// The beginnings of the SHA-256 of the first of these keys.
    pub samples: Vec<String>,
}

/// One side of a join: its rows and the parts of its key.
pub(in crate::kernels) struct Side<'a> {
    pub(in crate::kernels) frame: &'a DataFrame,
    pub(in crate::kernels) key: Vec<Expr>,
}

/// Counts what joining `right` to `left` would do.
///
/// # Errors
/// [`ReconcileError::Frame`] when Polars cannot.
pub(in crate::kernels) fn audit(
    join: &str,
    left: &Side<'_>,
    right: &Side<'_>,
) -> Result<JoinAudit, ReconcileError> {
    let (left_keys, left) = side(join, left)?;
    let (right_keys, right) = side(join, right)?;
    let doing = || format!("auditing {join}");
    let rows = || col("rows").cast(DataType::Int128);
    let there = || col("rows_right").cast(DataType::Int128);
    let found = guarded(doing, || {
        let right_keys = right_keys
            .lazy()
            .select([col("key"), col("rows").alias("rows_right")]);
        let keys = [col("key")];
        let left_keys = left_keys.lazy();
        let both = left_keys.join(right_keys, keys.clone(), keys, JoinType::Left.into());
        let joined = (rows() * there().fill_null(lit(1_i64))).sum();
        let matched = count(there().is_not_null(), "matched");
        both.select([joined.cast(DataType::Int128).alias("joined"), matched])
            .collect()
    })?;
    let first = |name: &str| Ok::<_, ReconcileError>(counts(&found, name)?.first().copied());
    Ok(JoinAudit {
        join: join.to_owned(),
        keys_matched: first("matched")?.unwrap_or_default(),
        rows_joined: first("joined")?.unwrap_or_default() + left.without_key,
        left,
        right,
    })
}

/// The different keys of a side with their rows, and what there is to say of them.
fn side(join: &str, side: &Side<'_>) -> Result<(DataFrame, SideAudit), ReconcileError> {
    let key = concat_str(&side.key, BETWEEN, false).alias("key");
    let doing = || format!("counting the keys of {join}");
    let keys = guarded(doing, || {
        let keyed = side.frame.clone().lazy().select([key]);
        keyed
            .filter(col("key").is_not_null())
            .group_by([col("key")])
            .agg([len().cast(DataType::Int128).alias("rows")])
            .collect()
    })?;
    let twice = guarded(doing, || {
        let twice = keys.clone().lazy().filter(col("rows").gt(lit(1_i64)));
        twice.sort(["key"], Default::default()).collect()
    })?;
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let total =
        |frame: &DataFrame| Ok::<_, ReconcileError>(counts(frame, "rows")?.iter().sum::<u64>());
    let first = twice.head(Some(SAMPLES));
    let samples = optional_texts(&first, "key")?.into_iter().flatten();
    let samples = samples.map(|key| {
        let mut hash = sha256_hex(key.as_bytes());
        hash.truncate(SAMPLE_DIGITS);
        hash
    });
    let rows = count(side.frame.height());
    let audit = SideAudit {
        rows,
        without_key: rows - total(&keys)?,
        keys: count(keys.height()),
        duplicate_keys: count(twice.height()),
        duplicate_rows: total(&twice)?,
        samples: samples.collect(),
    };
    Ok((keys, audit))
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
