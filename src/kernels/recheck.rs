//! The second path: totals and digest of staged bytes, computed with Polars.
//!
//! May use Polars through `frame` and `expressions`, and the values of `domain`. Shares no code with `canonical`,
//! `digest` and `totals`; agreement of the two paths is a check only as long as that holds.
//!
//! # Memory
//! One row group is decoded at a time, texts exist for at most `rows_max` of its rows. Seen in a dev build with 15
//! columns, a part of 60 MiB and row groups of 65,536 rows: 126 MiB above the part with `rows_max` 32,768, 93 MiB with
//! 8,192.

use std::collections::BTreeMap;

use bytes::Bytes;
use polars::prelude::{DataFrame, Expr, IntoLazy as _, PolarsResult, StringChunked};
use sha2::{Digest as _, Sha256};

use super::expressions::{self, Halves, TABLES};
use super::frame::{self, FrameError, Part, guarded, whole_numbers};
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::digest::TableDigest;
use crate::domain::manifest::Recomputed;
use crate::domain::totals::{ControlTotals, GroupTotals, TotalsError};

/// Microseconds from 1970 to the first moment of year 1.
const MICROS_FIRST: i128 = -62_135_596_800_000_000;
/// Microseconds from 1970 to the last moment of year 9999.
const MICROS_LAST: i128 = 253_402_300_799_999_999;
/// Microseconds of a day.
const DAY_MICROS: i128 = 86_400_000_000;

/// Why staged bytes could not be computed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecheckError {
    /// Polars failed or panicked.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A column of the contract is not in the part, or has another type there.
    #[error("column `{column}` of the part is {found}, the contract says {expected}")]
    Column {
        /// Canonical name.
        column: String,
        /// Type by the contract.
        expected: String,
        /// Type in the part, or `missing`.
        found: String,
    },
    /// A date outside the years 1 to 9999.
    #[error("column `{column}` of the part holds a date outside 0001-01-01 to 9999-12-31")]
    OutOfRange {
        /// Canonical name.
        column: String,
    },
    /// A sum beyond 38 digits.
    #[error(transparent)]
    Totals(#[from] TotalsError),
}

/// Totals and digest of one part.
///
/// # Shape
/// `bytes`: a Parquet file with at least the content columns of the contract. Texts are made of at most `rows_max`
/// rows at once.
/// # Errors
/// [`RecheckError`] names the column at fault.
pub fn recheck_part(
    bytes: Bytes,
    contract: &Contract,
    rows_max: usize,
) -> Result<Recomputed, RecheckError> {
    recheck_parts([bytes], contract, rows_max)
}

/// Totals and digest of several parts together; a part is dropped before the next one is asked for.
///
/// # Errors
/// As [`recheck_part`].
pub fn recheck_parts(
    parts: impl IntoIterator<Item = Bytes>,
    contract: &Contract,
    rows_max: usize,
) -> Result<Recomputed, RecheckError> {
    let mut recheck = Recheck::new(contract, rows_max);
    for bytes in parts {
        recheck.add(bytes)?;
    }
    recheck.finish()
}

/// A running computation over parts, for callers that fetch them one by one.
pub struct Recheck<'a> {
    contract: &'a Contract,
    rows_max: usize,
    digest: TableDigest,
    companies: BTreeMap<String, Company>,
}

/// Rows and sums of one company.
struct Company {
    rows: u64,
    sums: Vec<Halves>,
}

impl<'a> Recheck<'a> {
    /// Begins with no parts.
    #[must_use]
    pub fn new(contract: &'a Contract, rows_max: usize) -> Self {
        Self {
            contract,
            rows_max: rows_max.max(1),
            digest: TableDigest::default(),
            companies: BTreeMap::new(),
        }
    }

    /// Adds one part, row group by row group.
    ///
    /// # Errors
    /// [`RecheckError`]; the computation is spent then.
    pub fn add(&mut self, bytes: Bytes) -> Result<(), RecheckError> {
        let part = Part::open(bytes)?;
        let names = self.check_columns(&part)?;
        for index in 0..part.row_groups() {
            let frame = part.row_group(index, &names)?;
            if frame.height() > 0 {
                let plain = self.check_bounds(&frame)?;
                self.add_totals(&frame, &plain)?;
                self.add_digest(&frame)?;
            }
        }
        Ok(())
    }

    /// Totals and digest of all parts added.
    ///
    /// # Errors
    /// [`RecheckError::Totals`] names the column and the company of a sum beyond 38 digits.
    pub fn finish(self) -> Result<Recomputed, RecheckError> {
        let amounts: Vec<&Column> = self.contract.amounts().collect();
        let mut totals = ControlTotals {
            amounts: amounts.iter().map(|column| column.name.clone()).collect(),
            groups: BTreeMap::new(),
        };
        for (code, company) in self.companies {
            let sums = company.sums.iter().zip(&amounts).map(|(halves, column)| {
                let scale = column.column_type.scale().unwrap_or_default();
                halves.amount(scale).map_err(|source| TotalsError {
                    column: column.name.clone(),
                    company: code.clone(),
                    source,
                })
            });
            let sums = sums.collect::<Result<_, _>>()?;
            let rows = company.rows;
            totals.groups.insert(code, GroupTotals { rows, sums });
        }
        Ok(Recomputed {
            digest: self.digest,
            totals,
        })
    }

    /// Compares the part's types with the contract; gives the columns that the computation needs.
    fn check_columns(&self, part: &Part) -> Result<Vec<String>, RecheckError> {
        let refuse = |column: &Column, expected: String, found: String| RecheckError::Column {
            column: column.name.clone(),
            expected,
            found,
        };
        for column in &self.contract.columns {
            let expected = expressions::dtype(column.column_type);
            let found = part.dtype(&column.name);
            if found != Some(&expected) {
                let found = found.map_or_else(|| "missing".to_owned(), ToString::to_string);
                return Err(refuse(column, expected.to_string(), found));
            }
        }
        let company = self.contract.column(&self.contract.company);
        if let Some(column) = company.filter(|column| column.column_type != ColumnType::Text) {
            let found = column.sql_type.to_string();
            return Err(refuse(
                column,
                "text, as it names a company".to_owned(),
                found,
            ));
        }
        Ok(self
            .contract
            .digested()
            .map(|column| column.name.clone())
            .collect())
    }

    /// Refuses dates outside the calendar; says for each amount whether its plain sum cannot overflow 127 bits.
    ///
    /// Polars adds with the machine's addition, which wraps unless the whole build has overflow checks, so the proof
    /// is made before the sum.
    fn check_bounds(&self, frame: &DataFrame) -> Result<Vec<bool>, RecheckError> {
        let columns = self.contract.columns.iter();
        let bounded: Vec<&Column> = columns
            .filter(|column| column.amount || limits(column.column_type).is_some())
            .collect();
        if bounded.is_empty() {
            return Ok(Vec::new());
        }
        let numbered = bounded.iter().enumerate();
        let exprs: Vec<Expr> = numbered
            .flat_map(|(place, column)| expressions::bounds(column, place))
            .collect();
        let doing = || format!("bounding {}", names(&bounded));
        let found = guarded(doing, || frame.clone().lazy().select(exprs).collect())?;
        let rows = i128::try_from(frame.height()).unwrap_or(i128::MAX);
        let mut plain = Vec::new();
        for (place, column) in bounded.iter().enumerate() {
            let least = whole_numbers(&found, &format!("min_{place}"))?
                .first()
                .copied()
                .flatten();
            let greatest = whole_numbers(&found, &format!("max_{place}"))?
                .first()
                .copied()
                .flatten();
            if column.amount {
                let fits = |bound: Option<i128>| bound.unwrap_or(0).checked_mul(rows).is_some();
                plain.push(fits(least) && fits(greatest));
            } else if let Some((first, last)) = limits(column.column_type)
                && (least.is_some_and(|least| least < first)
                    || greatest.is_some_and(|greatest| greatest > last))
            {
                return Err(RecheckError::OutOfRange {
                    column: column.name.clone(),
                });
            }
        }
        Ok(plain)
    }

    fn add_totals(&mut self, frame: &DataFrame, plain: &[bool]) -> Result<(), RecheckError> {
        let amounts: Vec<&Column> = self.contract.amounts().collect();
        let sums = amounts.iter().zip(plain).enumerate();
        let sums = sums.flat_map(|(place, (column, plain))| {
            if *plain {
                expressions::plain_sum(column, place)
            } else {
                expressions::split_sum(column, place)
            }
        });
        let exprs: Vec<Expr> = std::iter::once(expressions::rows()).chain(sums).collect();
        let company = expressions::company(self.contract);
        let doing = || format!("summing {}", names(&amounts));
        let grouped = guarded(doing, || {
            frame
                .clone()
                .lazy()
                .group_by([company])
                .agg(exprs)
                .collect()
        })?;
        let codes = frame::texts(&grouped, "company")?;
        let rows = whole_numbers(&grouped, "rows")?;
        let mut halves = Vec::with_capacity(amounts.len());
        for (place, plain) in plain.iter().enumerate() {
            let low = whole_numbers(&grouped, &format!("low_{place}"))?;
            let high = if *plain {
                vec![None; low.len()]
            } else {
                whole_numbers(&grouped, &format!("high_{place}"))?
            };
            halves.push((high, low));
        }
        for (index, (code, rows)) in codes.into_iter().zip(rows).enumerate() {
            let company = self.companies.entry(code).or_insert_with(|| Company {
                rows: 0,
                sums: vec![Halves::default(); amounts.len()],
            });
            company.rows += rows
                .and_then(|rows| u64::try_from(rows).ok())
                .unwrap_or_default();
            for (sum, (high, low)) in company.sums.iter_mut().zip(&halves) {
                let at = |half: &[Option<i128>]| half.get(index).copied().flatten().unwrap_or(0);
                sum.add(at(high), at(low));
            }
        }
        Ok(())
    }

    fn add_digest(&mut self, frame: &DataFrame) -> Result<(), RecheckError> {
        let mut offset = 0_usize;
        while offset < frame.height() {
            let start = i64::try_from(offset).unwrap_or(i64::MAX);
            let slice = frame.slice(start, self.rows_max);
            offset += slice.height();
            let rows = self.row_texts(slice)?;
            let doing = || "taking the texts of the rows".to_owned();
            let added = guarded(doing, || Ok(digest(rows.column("row")?.str()?)))?;
            self.digest = self.digest.merge(&added);
        }
        Ok(())
    }

    /// The canonical texts of a few rows, as the column `row`.
    fn row_texts(&self, slice: DataFrame) -> Result<DataFrame, FrameError> {
        let doing = || {
            let digested: Vec<&Column> = self.contract.digested().collect();
            format!("writing the texts of {}", names(&digested))
        };
        guarded(doing, || {
            let texts = slice
                .lazy()
                .select(expressions::texts(self.contract))
                .collect()?;
            let lengths = expressions::longest(self.contract);
            let longest = if lengths.is_empty() {
                0
            } else {
                let lengths = texts.clone().lazy().select(lengths).collect()?;
                let mut lengths = lengths.columns().iter();
                lengths.try_fold(0, |longest: i128, column| {
                    PolarsResult::Ok(longest.max(column.i128()?.first().unwrap_or(0)))
                })?
            };
            let row = TABLES.row_text(self.contract, longest);
            texts.lazy().select([row]).collect()
        })
    }
}

/// Digest of rows whose texts are given.
fn digest(texts: &StringChunked) -> TableDigest {
    let mut digest = TableDigest::default();
    // Null texts do not exist; if one did, the row count would differ and the two paths with it.
    for text in texts.iter().flatten() {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        digest.rows += 1;
        for (sum, limb) in digest.limbs.iter_mut().zip(hash.chunks_exact(7)) {
            *sum += limb
                .iter()
                .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        }
    }
    digest
}

/// First and last physical value of calendar types. A time of day needs none: Polars reads one outside the day as null,
/// which the first path never lets through, so that the digests differ.
fn limits(column_type: ColumnType) -> Option<(i128, i128)> {
    match column_type {
        ColumnType::Date => Some((MICROS_FIRST / DAY_MICROS, MICROS_LAST / DAY_MICROS)),
        ColumnType::DateTime | ColumnType::DateTimeUtc => Some((MICROS_FIRST, MICROS_LAST)),
        _ => None,
    }
}

fn names(columns: &[&Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
#[path = "recheck_tests.rs"]
mod tests;
