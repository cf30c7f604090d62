//! What is counted in one month of a table, in one statement: one moment of the table answers everything.
//!
//! # Shape
//! Columns `part`, `name`, `n`, then texts `v0` … `v3` and on. A row of part `company` has the rows and sums of one
//! company, `bucket` the rows and limb sums of one bucket of the digest, `run` the rows of one `_run_id`.

use std::collections::BTreeMap;

use super::table::PARTITION_COLUMN;
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::digest::{BUCKETS, TableDigest};
use crate::domain::manifest::Recomputed;
use crate::domain::period::Period;
use crate::kernels::sql::{TotalsAnswerError, parse_totals};
use crate::ports::{Cell, ReadBack, SmallTable};

/// Limbs of a row hash, and hex digits of each.
const LIMBS: usize = 4;
const LIMB_DIGITS: usize = 14;

/// The statement that counts the whole partition of a month; `table` is its full name.
#[must_use]
pub fn query(table: &str, period: Period, contract: &Contract) -> String {
    let amounts: Vec<&Column> = contract.amounts().collect();
    let width = amounts.len().max(LIMBS);
    let sums = amounts.iter().map(|column| match column.column_type {
        ColumnType::Decimal { .. } => format!("CAST(SUM(`{}`) AS STRING)", column.name),
        _ => format!("CAST(SUM(CAST(`{}` AS NUMERIC)) AS STRING)", column.name),
    });
    let limbs = (0..LIMBS).map(|limb| {
        let from = limb * LIMB_DIGITS + 1;
        format!("CAST(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, {from}, {LIMB_DIGITS})) AS INT64) AS NUMERIC)) AS STRING)")
    });
    let company = format!("RTRIM(`{}`, ' ')", contract.company);
    let bucket = format!("SUBSTR(h, {}, 3)", LIMBS * LIMB_DIGITS + 1);
    let fields: Vec<String> = contract.digested().map(field).collect();
    let parts = [
        part("company", &company, sums.collect(), width, "month"),
        part("bucket", &bucket, limbs.collect(), width, "hashed"),
        part("run", "`_run_id`", Vec::new(), width, "month"),
    ];
    format!(
        "WITH month AS (\n  SELECT * FROM {table}\n  WHERE `{PARTITION_COLUMN}` >= DATE '{}' AND `{PARTITION_COLUMN}` < DATE '{}'\n),\nhashed AS (\n  SELECT TO_HEX(SHA256(CONCAT(\n    {}\n  ))) AS h FROM month\n)\n{}",
        period.start().format("%Y-%m-%d"),
        period.next_start().format("%Y-%m-%d"),
        fields.join(",\n    "),
        parts.join("\nUNION ALL\n")
    )
}

/// Rows by one expression, with `values` filled up to `width`.
fn part(name: &str, by: &str, mut values: Vec<String>, width: usize, from: &str) -> String {
    values.resize(width, "CAST(NULL AS STRING)".to_owned());
    let values: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(place, value)| format!(", {value} AS v{place}"))
        .collect();
    format!(
        "SELECT '{name}' AS part, {by} AS name, COUNT(*) AS n{} FROM {from} GROUP BY {by}",
        values.concat()
    )
}

/// The netstring of one column of a row.
fn field(column: &Column) -> String {
    let text = text_of(column);
    format!("IFNULL(CONCAT(CAST(BYTE_LENGTH({text}) AS STRING), ':', {text}, ','), '-,')")
}

/// The canonical text of a value, ADR-0007.
fn text_of(column: &Column) -> String {
    let name = format!("`{}`", column.name);
    match column.column_type {
        ColumnType::Bool => format!("CAST(CAST({name} AS INT64) AS STRING)"),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
            format!("CAST({name} AS STRING)")
        }
        // A cast drops zeros at the end of the fraction in BigQuery and adds some elsewhere; both are mended here.
        ColumnType::Decimal { scale, .. } => {
            let pieces = format!("SPLIT(CAST({name} AS STRING), '.')");
            if scale == 0 {
                return format!("{pieces}[OFFSET(0)]");
            }
            format!(
                "CONCAT({pieces}[OFFSET(0)], '.', RPAD(IFNULL({pieces}[SAFE_OFFSET(1)], ''), {scale}, '0'))"
            )
        }
        // `%F` and `%Y` write years before 1000 with fewer than four digits.
        ColumnType::Date => format!("FORMAT_DATE('%E4Y-%m-%d', {name})"),
        ColumnType::DateTime => format!("FORMAT_DATETIME('%E4Y-%m-%dT%H:%M:%E6S', {name})"),
        ColumnType::DateTimeUtc => {
            format!("FORMAT_TIMESTAMP('%E4Y-%m-%dT%H:%M:%E6SZ', {name}, 'UTC')")
        }
        ColumnType::Time => format!("FORMAT_TIME('%H:%M:%E6S', {name})"),
        ColumnType::Binary => format!("TO_HEX({name})"),
        // Floats are not digested.
        ColumnType::Text | ColumnType::Float32 | ColumnType::Float64 => name,
    }
}

/// An answer that is not that of [`query`]. It quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadBackError {
    /// Other columns, or a row of another shape.
    #[error("row {0} of the read-back is not what was asked for")]
    Row(usize),
    /// The totals among the rows.
    #[error(transparent)]
    Totals(#[from] TotalsAnswerError),
}

/// Reads the answer to [`query`]; a month without rows answers none.
///
/// # Errors
/// [`ReadBackError`] names the row, from 1.
pub fn parse(contract: &Contract, answer: &SmallTable) -> Result<ReadBack, ReadBackError> {
    let amounts = contract.amounts().count();
    let sums = (0..amounts).map(|place| format!("sum_{place}"));
    let mut totals = SmallTable {
        columns: ["company".to_owned(), "rows".to_owned()]
            .into_iter()
            .chain(sums)
            .collect(),
        rows: Vec::new(),
    };
    let (mut buckets, mut run_ids) = (BTreeMap::new(), BTreeMap::new());
    for (index, cells) in answer.rows.iter().enumerate() {
        let wrong = || ReadBackError::Row(index + 1);
        let [Cell::Text(part), name, Cell::Int(n), values @ ..] = cells.as_slice() else {
            return Err(wrong());
        };
        let rows = u64::try_from(*n).map_err(|_| wrong())?;
        match (part.as_str(), name) {
            ("company", _) => {
                let values = values.get(..amounts).ok_or_else(wrong)?;
                let mut row = vec![name.clone(), Cell::Int(*n)];
                for value in values {
                    row.push(exact(value).ok_or_else(wrong)?);
                }
                totals.rows.push(row);
            }
            ("bucket", Cell::Text(hex)) => {
                let bucket = u16::from_str_radix(hex, 16).map_err(|_| wrong())?;
                let limbs = limbs(values).ok_or_else(wrong)?;
                let is_new = buckets
                    .insert(bucket, TableDigest { rows, limbs })
                    .is_none();
                if !is_new || usize::from(bucket) >= BUCKETS {
                    return Err(wrong());
                }
            }
            ("run", Cell::Text(run)) => *run_ids.entry(run.clone()).or_default() += rows,
            ("run", Cell::Null) => *run_ids.entry(String::new()).or_default() += rows,
            _ => return Err(wrong()),
        }
    }
    let digest = buckets
        .values()
        .fold(TableDigest::default(), |all, bucket| all.merge(bucket));
    Ok(ReadBack {
        recomputed: Recomputed {
            digest,
            totals: parse_totals(contract, &totals)?,
        },
        run_ids,
        buckets,
        table: Vec::new(),
    })
}

/// A sum as the text of an exact number; zeros at the end of its fraction are as good as none.
fn exact(value: &Cell) -> Option<Cell> {
    match value {
        Cell::Null => Some(Cell::Null),
        Cell::Text(text) => Some(Cell::Decimal(amount(text)?)),
        _ => None,
    }
}

fn amount(text: &str) -> Option<Amount> {
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    short.parse().ok()
}

fn limbs(values: &[Cell]) -> Option<[u128; LIMBS]> {
    let mut limbs = [0; LIMBS];
    for (limb, value) in limbs.iter_mut().zip(values.get(..LIMBS)?) {
        let Cell::Text(text) = value else { return None };
        let sum = amount(text)?.rescale(0).ok()?;
        *limb = u128::try_from(sum.units()).ok()?;
    }
    Some(limbs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::samples::{column, contract, vector_contract};

    fn row(part: &str, name: Option<&str>, n: i64, values: &[Option<&str>]) -> Vec<Cell> {
        let text =
            |text: &Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
        let mut cells = vec![Cell::Text(part.into()), text(&name), Cell::Int(n)];
        cells.extend(values.iter().map(text));
        cells
    }

    fn parsed(rows: Vec<Vec<Cell>>) -> Result<ReadBack, ReadBackError> {
        parse(
            &vector_contract(),
            &SmallTable {
                columns: Vec::new(),
                rows,
            },
        )
    }

    #[test]
    fn an_answer_becomes_totals_digest_and_runs() {
        let one = [
            Some("1.000000000"),
            Some("2"),
            Some("3.0"),
            Some("72057594037927936"),
        ];
        let back = parsed(vec![
            row(
                "company",
                Some("EC_NG "),
                2,
                &[Some("-0.5"), None, None, None],
            ),
            row("company", None, 1, &[None, None, None, None]),
            row("bucket", Some("fff"), 2, &one),
            row("bucket", Some("00a"), 1, &one),
            row("run", Some("r1"), 3, &[None, None, None, None]),
        ])
        .unwrap();
        assert_eq!(
            back.recomputed.digest.to_string(),
            "v1:3:2:4:6:144115188075855872"
        );
        let buckets = back.buckets;
        assert_eq!(buckets.keys().copied().collect::<Vec<_>>(), [10, 4095]);
        assert_eq!(
            back.recomputed.totals.groups["EC_NG"].sums[0].to_string(),
            "-0.50000000000000000000"
        );
        assert_eq!(back.recomputed.totals.groups[""].rows, 1);
        assert_eq!(back.run_ids, [("r1".to_owned(), 3)].into());
        let none = parsed(Vec::new()).unwrap();
        assert_eq!(
            (none.recomputed.digest, none.run_ids.len()),
            (TableDigest::default(), 0)
        );
    }

    #[test]
    fn a_row_that_was_not_asked_for_is_an_error_and_is_not_quoted() {
        let four = [Some("1"), Some("2"), Some("3"), Some("4")];
        for (wrong, good_before) in [
            (row("other", Some("SENTINEL"), 1, &four), false),
            (row("bucket", Some("xyz"), 1, &four), false),
            (row("bucket", Some("1000"), 1, &four), false),
            (row("bucket", Some("001"), 1, &four), true),
            (row("bucket", Some("001"), -1, &four), false),
            (row("bucket", Some("001"), 1, &four[..3]), false),
            (
                row(
                    "bucket",
                    Some("001"),
                    1,
                    &[Some("1.5"), Some("2"), Some("3"), Some("4")],
                ),
                false,
            ),
            (
                row(
                    "bucket",
                    Some("001"),
                    1,
                    &[Some("-1"), Some("2"), Some("3"), Some("4")],
                ),
                false,
            ),
            (row("bucket", None, 1, &four), false),
            (row("company", Some("A"), 1, &[Some("SENTINEL")]), false),
            (vec![Cell::Text("run".into())], false),
        ] {
            let mut rows = Vec::new();
            if good_before {
                rows.push(row("bucket", Some("001"), 1, &four));
            }
            rows.push(wrong.clone());
            let error = parsed(rows).unwrap_err();
            assert!(!error.to_string().contains("SENTINEL"), "{error}");
            assert!(matches!(error, ReadBackError::Row(_)), "{wrong:?}: {error}");
        }
    }

    #[test]
    fn the_whole_partition_is_counted_and_every_digested_column_is_hashed() {
        let mut all = contract(vec![
            column("company", "varchar(20)"),
            column("at", "time(6)"),
            column("rate", "float"),
            column("whole", "decimal(38,0)"),
            column("stamp", "rowversion"),
        ]);
        all.columns[3].amount = true;
        let text = query("`p.d.t`", "2024-12".parse().unwrap(), &all);
        assert!(
            text.contains("`_period` >= DATE '2024-12-01' AND `_period` < DATE '2025-01-01'"),
            "{text}"
        );
        assert!(text.contains("FORMAT_TIME('%H:%M:%E6S', `at`)"), "{text}");
        assert!(
            text.contains("CAST(SUM(`whole`) AS STRING) AS v0"),
            "{text}"
        );
        assert!(
            text.contains("TO_HEX(`stamp`)") && !text.contains("`rate`"),
            "{text}"
        );
        assert!(text.contains("GROUP BY RTRIM(`company`, ' ')"), "{text}");
        assert_eq!(text.matches("v3").count(), 3);
    }
}
