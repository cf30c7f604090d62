//! The sums of the reconciliation over a loaded month, by SQL from the same data as the local sums: the same conditions, the
//! same nulls, the same companies and accounts, to the last digit.
//!
//! # Shape
//! One row a company and account: `company`, `account`, `seen`, `counted`, `without_amount`, `undecided`, then a text `s0`,
//! `s1` … for each term.

use std::collections::BTreeMap;

use super::literal;
use super::table::PARTITION_COLUMN;
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::ids::RunId;
use crate::domain::patterns::Patterns;
use crate::domain::period::Period;
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::filter::{Condition, Literal, Nulls, Test};
use crate::kernels::reconcile::signed;
use crate::kernels::reconcile::sums::{Sum, SumKey, SumSpec, Sums};
use crate::ports::{Cell, SmallTable};

/// Fixed columns of the answer before the sums.
const FIXED: usize = 6;

/// The statement that sums the rows of one run in the partition of a month; `table` is its full name.
///
/// # Errors
/// [`ReconcileError::Column`] for a column that the contract does not have or that cannot serve.
pub fn query(
    table: &str,
    period: Period,
    run: &RunId,
    contract: &Contract,
    spec: &SumSpec,
) -> Result<String, ReconcileError> {
    let rows = judged(table, period, run, contract, spec)?;
    let (whole, counted) = (whole(spec), counted(spec));
    let sums = (0..spec.terms.len())
        .map(|place| format!(",\n  CAST({} AS STRING) AS s{place}", sum(spec, place)));
    let count = |what: &str, name: &str| format!("{} AS {name}", counts(what));
    Ok(format!(
        "WITH judged AS (\n  {rows}\n)\nSELECT company, account, COUNT(*) AS seen, {}, {}, {}{}\n\
         FROM judged GROUP BY company, account",
        count(&counted, "counted"),
        count(&format!("met IS TRUE AND NOT ({whole})"), "without_amount"),
        count("met IS NULL", "undecided"),
        sums.collect::<String>(),
    ))
}

/// The rows of one run in the partition of a month: company, account, whether they meet the conditions, and the terms
/// `t0`, `t1` ….
pub(super) fn judged(
    table: &str,
    period: Period,
    run: &RunId,
    contract: &Contract,
    spec: &SumSpec,
) -> Result<String, ReconcileError> {
    let company = code(contract, &spec.company)?;
    let account = match &spec.account {
        Some(account) => code(contract, account)?,
        None => "''".to_owned(),
    };
    let mut met = Vec::new();
    for condition in &spec.conditions {
        met.push(expression(contract, condition)?);
    }
    let met = match met.is_empty() {
        true => "TRUE".to_owned(),
        false => met.join("\n    AND "),
    };
    let mut cells = String::new();
    for (place, term) in spec.terms.iter().enumerate() {
        let column = column(contract, &term.column)?;
        if column.column_type.scale().is_none() {
            return Err(wrong(&term.column, "an exact number", "another type"));
        }
        cells.push_str(&format!(",\n    {} AS t{place}", name(&term.column)));
    }
    Ok(format!(
        "SELECT {company} AS company, {account} AS account,\n    ({met}) AS met{cells}\n  FROM {table}\n  \
         WHERE `{PARTITION_COLUMN}` >= DATE '{}' AND `{PARTITION_COLUMN}` < DATE '{}' AND `_run_id` = {}",
        period.start(),
        period.next_start(),
        literal(run.as_str()),
    ))
}

/// Whether a row of [`judged`] has all its amounts.
fn whole(spec: &SumSpec) -> String {
    let terms = 0..spec.terms.len();
    let whole: Vec<String> = terms.map(|place| format!("t{place} IS NOT NULL")).collect();
    whole.join(" AND ")
}

/// Whether a row of [`judged`] is in the sums.
pub(super) fn counted(spec: &SumSpec) -> String {
    format!("met IS TRUE AND {}", whole(spec))
}

/// How many rows something is true of.
pub(super) fn counts(what: &str) -> String {
    format!("SUM(CASE WHEN {what} THEN 1 ELSE 0 END)")
}

/// The sum of a term over the rows of [`judged`] that are in the sums; null where there is none.
pub(super) fn sum(spec: &SumSpec, place: usize) -> String {
    format!("SUM(CASE WHEN {} THEN t{place} END)", counted(spec))
}

/// Reads the answer to [`query`].
///
/// # Errors
/// [`ReconcileError`] for an answer of another shape, which it does not quote, and for a sum beyond 38 digits.
pub fn parse(
    contract: &Contract,
    spec: &SumSpec,
    answer: &SmallTable,
) -> Result<Sums, ReconcileError> {
    let mut scales = Vec::new();
    for term in &spec.terms {
        let scale = column(contract, &term.column)?.column_type.scale();
        scales.push(scale.unwrap_or_default());
    }
    let scale = scales.iter().copied().max().unwrap_or_default();
    let other = || wrong("answer", "the sums that were asked for", "something else");
    let mut groups = BTreeMap::new();
    for row in &answer.rows {
        let (fixed, sums) = row.split_at_checked(FIXED).ok_or_else(other)?;
        let [Cell::Text(company), Cell::Text(account), counts @ ..] = fixed else {
            return Err(other());
        };
        let counts: Vec<u64> = counts.iter().filter_map(count).collect();
        let ([seen, counted, without_amount, undecided], true) =
            (counts.as_slice(), sums.len() == spec.terms.len())
        else {
            return Err(other());
        };
        let mut amount = Amount::zero(scale);
        for ((cell, term), own) in sums.iter().zip(&spec.terms).zip(&scales) {
            let sum = match cell {
                Cell::Null => Amount::zero(*own),
                Cell::Text(text) => text.parse().map_err(|_| other())?,
                _ => return Err(other()),
            };
            let sum = sum.rescale(scale);
            let sum = sum.and_then(|sum| signed(sum, term.negative != spec.negative));
            amount = sum
                .and_then(|sum| amount.checked_add(sum))
                .map_err(ReconcileError::summing(&term.column))?;
        }
        let key = SumKey {
            company: company.clone(),
            account: spec.account.is_some().then(|| account.clone()),
        };
        let sum = Sum {
            amount,
            rows: *counted,
            rows_without_amount: *without_amount,
            rows_undecided: *undecided,
            rows_seen: *seen,
        };
        if groups.insert(key, sum).is_some() {
            return Err(other());
        }
    }
    Ok(Sums { scale, groups })
}

fn count(cell: &Cell) -> Option<u64> {
    match cell {
        Cell::Int(number) => u64::try_from(*number).ok(),
        Cell::Decimal(amount) if amount.scale() == 0 => u64::try_from(amount.units()).ok(),
        _ => None,
    }
}

fn column<'a>(contract: &'a Contract, name: &str) -> Result<&'a Column, ReconcileError> {
    let column = contract.column(name);
    column.ok_or_else(|| wrong(name, "a column of the contract", "missing"))
}

pub(super) fn wrong(column: &str, expected: &str, found: &str) -> ReconcileError {
    ReconcileError::Column {
        column: column.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

fn name(column: &str) -> String {
    format!("`{column}`")
}

/// A text without blanks at its end; null is empty.
fn code(contract: &Contract, name: &str) -> Result<String, ReconcileError> {
    match column(contract, name)?.column_type {
        ColumnType::Text => Ok(format!("IFNULL(RTRIM(`{name}`, ' '), '')")),
        _ => Err(wrong(name, "text", "another type")),
    }
}

/// A condition as SQL: true, false or null as the local one is.
fn expression(contract: &Contract, condition: &Condition) -> Result<String, ReconcileError> {
    let column = column(contract, &condition.column)?;
    let cell = cell(column)?;
    let compared = |sign: &str, value: &Literal| -> Result<String, ReconcileError> {
        Ok(format!("{cell} {sign} {}", value_of(column, value)?))
    };
    let one_of = |values: &[Literal]| -> Result<String, ReconcileError> {
        let values: Result<Vec<String>, ReconcileError> =
            values.iter().map(|value| value_of(column, value)).collect();
        let values = values?;
        Ok(match values.is_empty() {
            true => "FALSE".to_owned(),
            false => format!("{cell} IN ({})", values.join(", ")),
        })
    };
    let decided = match &condition.test {
        Test::OneOf(values) => one_of(values)?,
        Test::NoneOf(values) => format!("NOT ({})", one_of(values)?),
        Test::Below(value) => compared("<", value)?,
        Test::AtMost(value) => compared("<=", value)?,
        Test::Above(value) => compared(">", value)?,
        Test::AtLeast(value) => compared(">=", value)?,
        Test::Meets(patterns) => meets(column, patterns)?,
        Test::IsNull => return Ok(format!("({cell} IS NULL)")),
        Test::IsNotNull => return Ok(format!("({cell} IS NOT NULL)")),
    };
    Ok(match condition.nulls {
        Nulls::Undecided => format!("({decided})"),
        Nulls::Keep => format!("({cell} IS NULL OR {decided})"),
        Nulls::Drop => format!("({cell} IS NOT NULL AND {decided})"),
    })
}

/// The column as it is compared; NAV's empty date is null.
fn cell(column: &Column) -> Result<String, ReconcileError> {
    let name = name(&column.name);
    match column.column_type {
        ColumnType::Text => Ok(format!("RTRIM({name}, ' ')")),
        ColumnType::Bool => Ok(format!("CAST({name} AS INT64)")),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Decimal { .. } => {
            Ok(name)
        }
        ColumnType::Date => Ok(format!("NULLIF({name}, DATE '1753-01-01')")),
        ColumnType::DateTime => Ok(format!("NULLIF({name}, DATETIME '1753-01-01 00:00:00')")),
        _ => Err(wrong(
            &column.name,
            "a type that can be compared",
            "another type",
        )),
    }
}

fn value_of(column: &Column, value: &Literal) -> Result<String, ReconcileError> {
    match (column.column_type, value) {
        (ColumnType::Text, Literal::Text(text)) => Ok(literal(text.trim_end_matches(' '))),
        (ColumnType::Bool, Literal::Int(flag @ (0 | 1))) => Ok(flag.to_string()),
        (ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64, Literal::Int(number)) => {
            Ok(number.to_string())
        }
        (ColumnType::Decimal { .. }, Literal::Int(number)) => Ok(format!("BIGNUMERIC '{number}'")),
        (ColumnType::Decimal { .. }, Literal::Amount(amount)) => {
            Ok(format!("BIGNUMERIC '{amount}'"))
        }
        (ColumnType::Date, Literal::Day(day)) => Ok(format!("DATE '{day}'")),
        (ColumnType::DateTime, Literal::Day(day)) => Ok(format!("DATETIME '{day} 00:00:00'")),
        _ => Err(wrong(
            &column.name,
            "a value of the column's type",
            "another value",
        )),
    }
}

/// Whether a text meets the patterns, whatever its case; patterns are in capitals.
fn meets(column: &Column, patterns: &Patterns) -> Result<String, ReconcileError> {
    if column.column_type != ColumnType::Text {
        return Err(wrong(&column.name, "text", "another type"));
    }
    let whole = format!("UPPER({})", name(&column.name));
    let bare = format!("TRIM({whole})");
    let equals = patterns.equals.iter();
    let equals = equals.map(|text| format!("{bare} = {}", literal(text)));
    let begins = patterns.starts_with.iter();
    let begins = begins.map(|text| format!("STARTS_WITH({bare}, {})", literal(text)));
    let holds = patterns.contains.iter();
    let holds = holds.map(|text| format!("STRPOS({whole}, {}) > 0", literal(text)));
    let all: Vec<String> = equals.chain(begins).chain(holds).collect();
    Ok(match all.is_empty() {
        true => "FALSE".to_owned(),
        false => all.join(" OR "),
    })
}

#[cfg(test)]
#[path = "sums_tests.rs"]
mod tests;
