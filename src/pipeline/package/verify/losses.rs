//! The loss ledger: which columns have a line and over how many values follows from the parts; what was cut is in no
//! part, so of that only what cannot be is found.

use std::collections::BTreeMap;

use parquet::file::metadata::ParquetMetaData;

use super::VerifyReport;
use crate::domain::contract::ColumnType;
use crate::domain::losses::{Changes, ColumnLosses};
use crate::kernels::ledger::ledger;
use crate::pipeline::record::ItemRecord;

const PLACE: &str = "data/losses.json";

/// Values by column, nulls aside, as the footer of a part has them; a column without such a count is left out.
pub(super) fn values(footer: &ParquetMetaData) -> BTreeMap<String, u64> {
    let mut values: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for column in footer.row_groups().iter().flat_map(|group| group.columns()) {
        let nulls = column.statistics().and_then(|stats| stats.null_count_opt());
        let count = u64::try_from(column.num_values()).ok();
        let count = count
            .zip(nulls)
            .and_then(|(count, nulls)| count.checked_sub(nulls));
        let sum = values
            .entry(column.column_path().string())
            .or_insert(Some(0));
        *sum = sum.zip(count).map(|(sum, count)| sum + count);
    }
    let known = values.into_iter();
    known
        .filter_map(|(name, count)| Some((name, count?)))
        .collect()
}

/// Compares the ledger with the values of all parts.
pub(super) fn ledger_of(
    record: &ItemRecord,
    values: &BTreeMap<String, u64>,
    report: &mut VerifyReport,
) {
    let (Some(recorded), Some(described)) = (&record.losses, &record.described) else {
        return;
    };
    let columns = &record.contract.columns;
    let line = |name: &str| recorded.iter().find(|line| line.column == name);
    let rows = record.staged.as_ref().map_or(0, |staged| staged.rows());
    let mut counted = Vec::new();
    for column in columns {
        // A part without rows has no row group, and so no count.
        match values
            .get(&column.name)
            .copied()
            .or((rows == 0).then_some(0))
        {
            Some(count) => counted.push(count),
            None => {
                let what = format!(
                    "the loss ledger: no part counts the values of {}",
                    column.name
                );
                report.not_run.push(what);
                return;
            }
        }
    }
    possible(record, recorded, report);
    let types: Vec<_> = described.columns.iter().map(|c| c.parsed_type()).collect();
    let changes: Vec<Changes> = columns
        .iter()
        .map(|column| {
            line(&column.name)
                .map(|line| line.changes)
                .unwrap_or_default()
        })
        .collect();
    match ledger(&record.contract, &types, &counted, &changes) {
        Ok(made) => {
            let what = "the loss ledger is not that of the columns and values";
            report.same(PLACE, what, shown(&made), shown(recorded));
        }
        Err(error) => report.find(PLACE, "the loss ledger cannot be made", "a ledger", error),
    }
    report.checked.push(
        "loss ledger: columns and values from the parts; what was cut is in no part and cannot be counted again".to_owned(),
    );
}

/// What was changed must at least be possible for the column.
fn possible(record: &ItemRecord, recorded: &[ColumnLosses], report: &mut VerifyReport) {
    for column in &record.contract.columns {
        let Some(ColumnLosses {
            values, changes, ..
        }) = recorded.iter().find(|line| line.column == column.name)
        else {
            continue;
        };
        let has_time = matches!(
            column.column_type,
            ColumnType::DateTime | ColumnType::DateTimeUtc | ColumnType::Time
        );
        let fits = (changes.cut == 0 || has_time)
            && (changes.offsets == 0 || column.column_type == ColumnType::DateTimeUtc);
        if !fits || !changes.are_possible(*values) {
            let what = format!("column {} cannot have lost this", column.name);
            report.find(
                PLACE,
                what,
                "a possible loss",
                format!("{changes:?} in {values} values"),
            );
        }
    }
}

fn shown(lines: &[ColumnLosses]) -> String {
    let lines = lines.iter();
    let lines = lines.map(|line| {
        format!(
            "{} in {} values: {:?}",
            line.column, line.values, line.changes
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}
