//! Counting a month from the warehouse's own files: totals as a query engine gives them, the digest by our own fold.
//!
//! Neither is what staging was computed again with. There Polars made the texts of the rows; here arrow-rs reads the
//! file and `kernels::digest` folds it, as it folded the stream. The totals come from an aggregation over the files,
//! as a warehouse in the cloud would compute them. A path that has seen the same bytes before would prove little.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use arrow::array::{AsArray as _, RecordBatch};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{DataType, Engine, Expr, col, len};

use super::layout::{CurrentFile, Layout, at};
use super::sql::{guarded, refused, scan, small_table};
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::limits::READ_BACK_THREADS;
use crate::domain::manifest::Recomputed;
use crate::domain::period::Period;
use crate::domain::totals::ControlTotals;
use crate::kernels::digest::DigestFold;
use crate::kernels::sql::parse_totals;
use crate::ports::{PortError, PortErrorKind, ReadBack, SmallTable};

/// The metadata column that names the run of a row.
const RUN_ID: &str = "_run_id";

/// Recomputes a month; blocking. [`READ_BACK_THREADS`] files are looked at together, `rows_max` rows of each.
pub(super) fn read_back(
    layout: &Layout,
    table: &str,
    period: Period,
    contract: &Contract,
    rows_max: usize,
) -> Result<ReadBack, PortError> {
    let mut month = Counted::new(contract);
    let Some(current) = layout.current(table, period)? else {
        return Ok(month.read_back());
    };
    let folder = layout.month(table, period)?.join(current.run_id.as_str());
    let count_every_nth = |first: usize| -> Result<Counted, PortError> {
        let mut counted = Counted::new(contract);
        let files = current.files.iter().skip(first).step_by(READ_BACK_THREADS);
        for file in files {
            counted.add_file(&folder.join(&file.name), file, contract, rows_max)?;
        }
        Ok(counted)
    };
    let shares: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..READ_BACK_THREADS)
            .map(|first| scope.spawn(move || count_every_nth(first)))
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    for share in shares {
        let share = share.map_err(|_panic| {
            let what = format!("counting {table} {period} ended without a result");
            PortError::new(PortErrorKind::Corrupt, what)
        })?;
        month.merge(share?)?;
    }
    Ok(month.read_back())
}

/// What was found in some files.
struct Counted {
    digest: DigestFold,
    totals: ControlTotals,
    run_ids: BTreeMap<String, u64>,
}

impl Counted {
    fn new(contract: &Contract) -> Self {
        let amounts = contract.amounts().map(|column| column.name.clone());
        Self {
            digest: DigestFold::new(contract),
            totals: ControlTotals {
                amounts: amounts.collect(),
                groups: BTreeMap::new(),
            },
            run_ids: BTreeMap::new(),
        }
    }

    /// Adds the rows of one file.
    fn add_file(
        &mut self,
        path: &Path,
        file: &CurrentFile,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<(), PortError> {
        let failed = |e: &dyn std::fmt::Display| failed(e).at("path", path.display().to_string());
        let bytes = unchanged(path, file)?;
        let rows = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .and_then(|file| file.with_batch_size(rows_max).build())
            .map_err(|e| failed(&e))?;
        for batch in rows {
            let batch = batch.map_err(|e| failed(&e))?;
            self.digest.fold(&batch).map_err(|e| failed(&e))?;
            self.add_run_ids(&batch)
                .ok_or_else(|| failed(&format!("there is no column `{RUN_ID}` of texts")))?;
        }
        let totals = parse_totals(contract, &aggregate(path, contract)?);
        let totals = totals.map_err(|e| failed(&e))?;
        self.totals.merge(&totals).map_err(|e| failed(&e))
    }

    /// Counts rows by run; a null stands under the empty text. `None` without the column.
    fn add_run_ids(&mut self, batch: &RecordBatch) -> Option<()> {
        let run_ids = batch.column_by_name(RUN_ID)?.as_string_opt::<i32>()?;
        for run_id in run_ids {
            let run_id = run_id.unwrap_or_default();
            if let Some(rows) = self.run_ids.get_mut(run_id) {
                *rows += 1;
            } else {
                self.run_ids.insert(run_id.to_owned(), 1);
            }
        }
        Some(())
    }

    /// Adds what was found in other files.
    fn merge(&mut self, other: Self) -> Result<(), PortError> {
        self.digest.merge(&other.digest);
        self.totals.merge(&other.totals).map_err(|e| failed(&e))?;
        for (run_id, rows) in other.run_ids {
            *self.run_ids.entry(run_id).or_default() += rows;
        }
        Ok(())
    }

    fn read_back(self) -> ReadBack {
        let digested = self.digest.finish();
        let buckets = (0_u16..).zip(digested.buckets);
        ReadBack {
            recomputed: Recomputed {
                digest: digested.total,
                totals: self.totals,
            },
            run_ids: self.run_ids,
            buckets: buckets.filter(|(_, bucket)| bucket.rows > 0).collect(),
            table: Vec::new(),
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> PortError {
    PortError::new(PortErrorKind::Query, error.to_string())
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
