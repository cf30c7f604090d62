//! Counting a month from the warehouse's own files: totals as a query engine gives them, the digest by the second path.
//!
//! The totals come from an aggregation over the files, as a warehouse in the cloud would compute them, not from the
//! second path that has seen the same bytes in staging: its agreement with itself would prove little.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use polars::prelude::{DataType, Engine, Expr, col, len};

use super::layout::{CurrentFile, Layout, at};
use super::sql::{guarded, refused, scan, small_table};
use crate::domain::contract::Contract;
use crate::domain::digest::{TableDigest, sha256_hex};
use crate::domain::manifest::Recomputed;
use crate::domain::period::Period;
use crate::domain::totals::ControlTotals;
use crate::kernels::recheck::recheck_part;
use crate::kernels::sql::parse_totals;
use crate::ports::{Cell, PortError, PortErrorKind, ReadBack, SmallTable};

/// Recomputes a month; blocking. Holds one file and `rows_max` rows of it at a time.
pub(super) fn read_back(
    layout: &Layout,
    table: &str,
    period: Period,
    contract: &Contract,
    rows_max: usize,
) -> Result<ReadBack, PortError> {
    let mut all = ReadBack {
        recomputed: Recomputed {
            digest: TableDigest::default(),
            totals: ControlTotals {
                amounts: contract
                    .amounts()
                    .map(|column| column.name.clone())
                    .collect(),
                groups: BTreeMap::new(),
            },
        },
        run_ids: BTreeMap::new(),
        buckets: None,
        table: Vec::new(),
    };
    let Some(current) = layout.current(table, period)? else {
        return Ok(all);
    };
    let folder = layout.month(table, period)?.join(current.run_id.as_str());
    for file in &current.files {
        let path = folder.join(&file.name);
        let bytes = unchanged(&path, file)?;
        let failed = |e: &dyn std::fmt::Display| {
            PortError::new(PortErrorKind::Query, e.to_string())
                .at("path", path.display().to_string())
        };
        let part = recheck_part(bytes, contract, rows_max).map_err(|e| failed(&e))?;
        all.recomputed.digest = all.recomputed.digest.merge(&part.digest);
        let totals =
            parse_totals(contract, &aggregate(&path, contract)?).map_err(|e| failed(&e))?;
        all.recomputed
            .totals
            .merge(&totals)
            .map_err(|e| failed(&e))?;
        for (run_id, rows) in count_run_ids(&path)? {
            *all.run_ids.entry(run_id).or_default() += rows;
        }
    }
    Ok(all)
}

/// The bytes of a file that is still what `CURRENT` says.
fn unchanged(path: &Path, file: &CurrentFile) -> Result<Bytes, PortError> {
    let bytes = Bytes::from(fs::read(path).map_err(|e| at(e, path))?);
    let sha256 = sha256_hex(&bytes);
    if sha256 == file.sha256 {
        return Ok(bytes);
    }
    let what = format!("a loaded file has SHA-256 {sha256}, not {}", file.sha256);
    Err(PortError::new(PortErrorKind::Corrupt, what)
        .at("path", path.display().to_string())
        .hint("somebody changed the warehouse's files; load the month again"))
}

/// Rows and sums by company of one file, in the shape of [`parse_totals`]. A sum that leaves its type is refused or
/// differs from the staged one; it is never taken for it.
fn aggregate(path: &Path, contract: &Contract) -> Result<SmallTable, PortError> {
    let sums = contract.amounts().enumerate().map(|(place, column)| {
        let scale = usize::from(column.column_type.scale().unwrap_or_default());
        let exact = col(column.name.as_str()).cast(DataType::Decimal(38, scale));
        exact.sum().alias(format!("sum_{place}"))
    });
    let exprs: Vec<Expr> = std::iter::once(len().alias("rows")).chain(sums).collect();
    let company = col(contract.company.as_str()).alias("company");
    guarded(|| {
        let grouped = scan(vec![path.to_path_buf()])?
            .group_by([company])
            .agg(exprs)
            .collect_with_engine(Engine::Streaming)
            .map_err(refused)?
            .unwrap_single();
        small_table(&grouped)
    })
}

/// Rows by `_run_id` of one file; a null stands under the empty text.
fn count_run_ids(path: &Path) -> Result<Vec<(String, u64)>, PortError> {
    guarded(|| {
        let counted = scan(vec![path.to_path_buf()])?
            .group_by([col("_run_id")])
            .agg([len().alias("rows")])
            .collect_with_engine(Engine::Streaming)
            .map_err(refused)?
            .unwrap_single();
        let rows = small_table(&counted)?.rows.into_iter();
        let pairs = rows.filter_map(|row| match <[Cell; 2]>::try_from(row) {
            Ok([Cell::Text(run_id), Cell::Int(rows)]) => Some((run_id, u64::try_from(rows).ok()?)),
            Ok([_, Cell::Int(rows)]) => Some((String::new(), u64::try_from(rows).ok()?)),
            _ => None,
        });
        Ok(pairs.collect())
    })
}
