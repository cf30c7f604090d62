//! Which rows of a part meet conditions, for whoever reads the same rows in another way.

use arrow::array::{BooleanArray, BooleanBuilder};
use bytes::Bytes;
use polars::prelude::IntoLazy as _;

use super::ReconcileError;
use super::cells::wrong;
use super::filter::{Condition, all};
use crate::kernels::frame::{Part, guarded};

/// What the flags are called while they are computed.
const MET: &str = "met";

/// Which rows of a part meet all conditions: the rows that a sum of the same conditions counts.
///
/// # Shape
/// One flag a row, in the order of the part; null where the conditions leave the row undecided. Only the columns of the
/// conditions are decoded, one row group at a time.
/// # Errors
/// [`ReconcileError::Column`] for a column that the part does not have, or of a type that a condition cannot be held
/// against; [`ReconcileError::Frame`] for bytes that are no Parquet.
pub(in crate::kernels) fn rows_that_meet(
    conditions: &[Condition],
    bytes: Bytes,
) -> Result<BooleanArray, ReconcileError> {
    let part = Part::open(bytes)?;
    let mut names: Vec<String> = Vec::new();
    for Condition { column, .. } in conditions {
        if part.dtype(column).is_none() {
            return Err(wrong(column, "a column of the part", "missing"));
        }
        if !names.contains(column) {
            names.push(column.clone());
        }
    }
    let mut flags = BooleanBuilder::new();
    for group in 0..part.row_groups() {
        let frame = part.row_group(group, &names)?;
        let met = all(conditions, &frame)?.alias(MET);
        let doing = || format!("filtering by {}", names.join(", "));
        guarded(doing, || {
            let found = frame.lazy().with_columns([met]).collect()?;
            for flag in found.column(MET)?.bool()?.iter() {
                flags.append_option(flag);
            }
            Ok(())
        })?;
    }
    Ok(flags.finish())
}
