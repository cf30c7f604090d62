//! Questions that need every row of a few columns, and the digest that needs every row of all.

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use super::columns::Columns;
use super::open::{GroupAt, Parts};
use super::{HistogramView, Knowledge, TotalsView, refuse};
use crate::domain::contract::Contract;
use crate::domain::digest::TableDigest;
use crate::kernels::profile::{ColumnFold, GroupFold, Histogram};
use crate::kernels::recheck::recheck_part;
use crate::kernels::values::is_whole;
use crate::ports::{PortError, PortErrorKind};

/// Rows by ranges of a column; its values are read twice, first for the bounds.
pub(super) async fn histogram(
    parts: &Parts,
    columns: &Columns,
    name: &str,
    bins: u32,
) -> Result<HistogramView, PortError> {
    let field = columns.shown(name)?;
    let data_type = field.data_type();
    if !is_whole(data_type) {
        let what = format!(
            "column `{name}` carries {data_type}: a histogram needs exact numbers, dates or times"
        );
        return Err(refuse(
            what,
            "use --totals-by for texts, `soxauto sql` with CAST for floats",
        ));
    }
    let groups: Vec<GroupAt> = parts.groups().collect();
    let mut fold = ColumnFold::new(data_type);
    let bounds = &mut |batch: &RecordBatch| {
        batch
            .columns()
            .iter()
            .for_each(|array| fold.fold_bounds(array));
        Ok(())
    };
    parts.read(&groups, Some(&[name]), bounds).await?;
    let mut view = HistogramView {
        column: name.to_owned(),
        nulls: parts.rows(),
        bins: Vec::new(),
    };
    if let Some(bounds) = fold.whole_bounds() {
        let mut histogram = Histogram::new(data_type, bounds, bins);
        let count = &mut |batch: &RecordBatch| {
            batch
                .columns()
                .iter()
                .for_each(|array| histogram.fold(array));
            Ok(())
        };
        parts.read(&groups, Some(&[name]), count).await?;
        view.nulls = histogram.nulls;
        view.bins = histogram.bins();
    }
    Ok(view)
}

/// Rows and exact sums by the values of a column.
pub(super) async fn totals_by(
    parts: &Parts,
    columns: &Columns,
    name: &str,
) -> Result<TotalsView, PortError> {
    let by = columns.shown(name)?;
    let amounts: Vec<_> = columns.amounts().collect();
    let names: Vec<String> = amounts.iter().map(|field| field.name().clone()).collect();
    let types = amounts.iter().map(|field| field.data_type().clone());
    let mut fold = GroupFold::new(by.data_type(), types.collect());
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    wanted.push(name);
    let groups: Vec<GroupAt> = parts.groups().collect();
    let add = &mut |batch: &RecordBatch| {
        let column = |name: &str| -> Result<ArrayRef, PortError> {
            let found = batch.column_by_name(name).cloned();
            found.ok_or_else(|| refuse(format!("column `{name}` was not read"), "run it again"))
        };
        let amounts: Vec<ArrayRef> = names.iter().map(|n| column(n)).collect::<Result<_, _>>()?;
        fold.fold(&column(name)?, &amounts).map_err(|error| {
            PortError::new(PortErrorKind::Limit, error.to_string())
                .at("column", name)
                .hint("group with `soxauto sql`, which can write any number of rows to a file")
        })
    };
    parts.read(&groups, Some(&wanted), add).await?;
    Ok(TotalsView {
        column: name.to_owned(),
        groups: fold.lines(),
        amounts: names,
    })
}

/// The content digest of all rows, computed now by the second path.
pub(super) async fn digest(
    parts: &Parts,
    contract: Option<&&Contract>,
    knowledge: Knowledge<'_>,
) -> Result<String, PortError> {
    let Some(contract) = contract else {
        let what = "the digest needs the contract of the rows, and nothing here names it";
        return Err(PortError::new(PortErrorKind::Config, what)
            .hint("name the evidence package or the table, or give --evidence"));
    };
    let rows_max = knowledge.recheck_rows_max;
    let failed = |what: String| PortError::new(PortErrorKind::Corrupt, what);
    let mut all = TableDigest::default();
    for index in 0..parts.files() {
        let Some(bytes) = parts.whole_file(index).await? else {
            break;
        };
        let contract = Contract::clone(contract);
        // Polars refuses to work on a thread that drives futures.
        let work = move || recheck_part(bytes, &contract, rows_max);
        let part = tokio::task::spawn_blocking(work).await;
        let part = part
            .map_err(|e| failed(e.to_string()))?
            .map_err(|e| failed(e.to_string()))?;
        all = all.merge(&part.digest);
    }
    Ok(all.to_string())
}
