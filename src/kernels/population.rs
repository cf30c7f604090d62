//! SQL of the scope funnel, in T-SQL, and the reading of its answers.
//!
//! May use the catalog's texts and bound queries. Never runs anything, and never writes a value into a text.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, NaiveTime};

use super::sql::{BINARY_COLLATION, quoted, scale_of};
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, Contract};
use crate::domain::freshness::SourceDates;
use crate::domain::period::Period;
use crate::domain::population::{BaseCount, FunnelCell, KEEP, PopulationDefinition};
use crate::domain::query::{BoundQuery, QueryError, QueryFile};
use crate::ports::{Cell, SmallTable};

/// The column of a population by which every question groups.
pub const COMPANY: &str = "company";
/// The column of a population that says how many rows the item makes of one that it keeps; without it, one.
pub const DELIVERED: &str = "delivered";

/// The columns of a population that the funnel uses.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelColumns {
    /// Names of the predicates.
    pub predicates: Vec<String>,
    /// The summed columns of the contract.
    pub amounts: Vec<Column>,
    /// Whether the population says how many rows of the item each of its rows becomes.
    pub counts_delivered: bool,
}

/// Finds them among the columns that the population delivers.
///
/// # Errors
/// One sentence for a population without a company or a column of the key.
pub fn funnel_columns(contract: &Contract, delivered: &[String]) -> Result<FunnelColumns, String> {
    let has = |name: &str| delivered.iter().any(|column| column == name);
    let needed = std::iter::once(COMPANY).chain(contract.key.iter().map(String::as_str));
    for name in needed {
        if !has(name) {
            return Err(format!(
                "the population does not deliver the column [{name}]"
            ));
        }
    }
    let predicates = delivered.iter().filter_map(|name| name.strip_prefix(KEEP));
    let predicates: Vec<String> = predicates.map(str::to_owned).collect();
    let amounts = contract.amounts().filter(|column| has(&column.name));
    Ok(FunnelColumns {
        predicates,
        amounts: amounts.cloned().collect(),
        counts_delivered: has(DELIVERED),
    })
}

/// Asks a server that cannot describe the population for its columns, without a row: the answer's names say them.
#[must_use]
pub fn columns_query(population: &BoundQuery) -> BoundQuery {
    BoundQuery {
        text: format!(
            "SELECT TOP (0) p.* FROM (\n{}\n) AS p",
            trimmed(&population.text)
        ),
        params: population.params.clone(),
    }
}

/// A company as every question groups by it: code point by code point, without trailing blanks.
pub(super) fn grouped(column: &str) -> String {
    format!("RTRIM({column}) COLLATE {BINARY_COLLATION}")
}

/// Counts the base table by company, without any join.
///
/// # Shape
/// Columns `company`, `rows`, `first`, `last`, `oldest`, `newest`, `undated`.
/// # Errors
/// [`QueryError`] when the cutoff's condition uses a parameter that no period has.
pub fn base_query(
    population: &PopulationDefinition,
    period: Period,
) -> Result<BoundQuery, QueryError> {
    let group = grouped(&format!("b.{}", quoted(&population.company)));
    let numbers = population.sequence.as_ref().map_or_else(
        || "CAST(NULL AS bigint) AS [first], CAST(NULL AS bigint) AS [last]".to_owned(),
        |column| {
            let column = quoted(column);
            format!(
                "CAST(MIN(b.{column}) AS bigint) AS [first], CAST(MAX(b.{column}) AS bigint) AS [last]"
            )
        },
    );
    let dates = population.freshness.as_ref().map_or_else(
        || "CAST(NULL AS datetime) AS [oldest], CAST(NULL AS datetime) AS [newest], CAST(0 AS bigint) AS [undated]".to_owned(),
        |rule| {
            let column = quoted(&rule.column);
            format!(
                "MIN(b.{column}) AS [oldest], MAX(b.{column}) AS [newest], COUNT_BIG(*) - COUNT_BIG(b.{column}) AS [undated]"
            )
        },
    );
    let statement = format!(
        "SELECT {group} AS [company], COUNT_BIG(*) AS [rows], {numbers}, {dates} \
         FROM {} AS b WHERE {} GROUP BY {group}",
        population.table, population.until
    );
    bind(population, &statement, period)
}

/// Binds a statement over the base table with those of the item's parameters that it uses.
pub(super) fn bind(
    population: &PopulationDefinition,
    statement: &str,
    period: Period,
) -> Result<BoundQuery, QueryError> {
    let lower = statement.to_ascii_lowercase();
    let params = population.query.params.iter();
    let used = params.filter(|param| lower.contains(&format!("@{}", param.name)));
    let mut text = "-- params\n".to_owned();
    for param in used {
        text.push_str(&format!(
            "DECLARE @{} {} = '2024-05-01';\n",
            param.name, param.sql_type
        ));
    }
    QueryFile::parse(&format!("{text}-- end\n{statement}"))?.bind(period)
}

/// Counts and sums the population by company and by what each predicate says.
///
/// # Shape
/// Columns `company`, `keep_0` …, `rows`, `delivered`, `sum_0` ….
#[must_use]
pub fn funnel_query(columns: &FunnelColumns, population: &BoundQuery) -> BoundQuery {
    let group = grouped("p.[company]");
    let names = columns.predicates.iter();
    let keeps: Vec<String> = names
        .map(|name| format!("p.{}", quoted(&format!("{KEEP}{name}"))))
        .collect();
    let shown = keeps.iter().enumerate();
    let shown: String = shown
        .map(|(place, keep)| format!(", {keep} AS [keep_{place}]"))
        .collect();
    let delivered = if columns.counts_delivered {
        format!("SUM(CAST(p.{} AS bigint))", quoted(DELIVERED))
    } else {
        "COUNT_BIG(*)".to_owned()
    };
    let sums = sums(&columns.amounts);
    let by: String = keeps.iter().map(|keep| format!(", {keep}")).collect();
    let text = format!(
        "SELECT {group} AS [company]{shown}, COUNT_BIG(*) AS [rows], {delivered} AS [delivered]{sums} FROM (\n{}\n) AS p \
         GROUP BY {group}{by}",
        trimmed(&population.text),
    );
    BoundQuery {
        text,
        params: population.params.clone(),
    }
}

/// The sums of a select list over the population `p`.
pub(super) fn sums(amounts: &[Column]) -> String {
    let sums = amounts.iter().enumerate().map(|(place, column)| {
        let (name, scale) = (quoted(&column.name), scale_of(column));
        format!(", SUM(CAST(p.{name} AS decimal(38,{scale}))) AS [sum_{place}]")
    });
    sums.collect()
}

/// Keys of some rows that a predicate keeps out.
///
/// # Shape
/// The columns of the key by canonical name, at most `rows_max` rows, always the same ones.
#[must_use]
pub fn excluded_query(
    contract: &Contract,
    predicate: &str,
    population: &BoundQuery,
    rows_max: usize,
) -> BoundQuery {
    let keys: Vec<String> = contract
        .key
        .iter()
        .map(|name| format!("p.{}", quoted(name)))
        .collect();
    let keys = keys.join(", ");
    let text = format!(
        "SELECT TOP ({rows_max}) {keys} FROM (\n{}\n) AS p WHERE p.{} = 0 ORDER BY {keys}",
        trimmed(&population.text),
        quoted(&format!("{KEEP}{predicate}"))
    );
    BoundQuery {
        text,
        params: population.params.clone(),
    }
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches(';').trim_end()
}

/// Reads the answer to [`base_query`].
///
/// # Errors
/// One sentence for an answer of another shape.
pub fn parse_base(table: &SmallTable) -> Result<BTreeMap<String, BaseCount>, String> {
    let mut base = BTreeMap::new();
    for row in &table.rows {
        let [company, rows, first, last, oldest, newest, undated] = row.as_slice() else {
            return Err(format!("{} columns instead of 7", row.len()));
        };
        let count = BaseCount {
            rows: count(rows)?,
            first: number(first)?,
            last: number(last)?,
            dates: SourceDates {
                oldest: moment(oldest)?,
                newest: moment(newest)?,
                undated: count(undated)?,
            },
        };
        let company = text(company)?;
        if base.insert(company.clone(), count).is_some() {
            return Err(format!("company `{company}` comes twice"));
        }
    }
    Ok(base)
}

/// Reads the answer to [`funnel_query`].
///
/// # Errors
/// One sentence for an answer of another shape, or a predicate that is neither 0 nor 1.
pub fn parse_funnel(
    columns: &FunnelColumns,
    table: &SmallTable,
) -> Result<Vec<FunnelCell>, String> {
    let mut cells = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let [company, rest @ ..] = row.as_slice() else {
            return Err("a row without columns".to_owned());
        };
        let (keeps, rest) = rest
            .split_at_checked(columns.predicates.len())
            .ok_or("too few columns")?;
        let [rows, delivered, sums @ ..] = rest else {
            return Err("too few columns".to_owned());
        };
        cells.push(FunnelCell {
            company: text(company)?,
            kept: keeps.iter().map(kept).collect::<Result<_, _>>()?,
            rows: count(rows)?,
            delivered: count(delivered)?,
            sums: parse_sums(&columns.amounts, sums)?,
        });
    }
    Ok(cells)
}

fn kept(cell: &Cell) -> Result<bool, String> {
    match cell {
        Cell::Bool(kept) => Ok(*kept),
        Cell::Int(0) => Ok(false),
        Cell::Int(1) => Ok(true),
        _ => Err("a predicate that says neither 0 nor 1".to_owned()),
    }
}

pub(super) fn text(cell: &Cell) -> Result<String, String> {
    match cell {
        Cell::Null => Ok(String::new()),
        Cell::Text(text) => Ok(text.trim_end_matches(' ').to_owned()),
        _ => Err("a company that is no text".to_owned()),
    }
}

pub(super) fn count(cell: &Cell) -> Result<u64, String> {
    number(cell)?
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| "a number of rows that is none".to_owned())
}

fn number(cell: &Cell) -> Result<Option<i64>, String> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Int(number) => Ok(Some(*number)),
        _ => Err("a number that is none".to_owned()),
    }
}

fn moment(cell: &Cell) -> Result<Option<NaiveDateTime>, String> {
    match cell {
        Cell::Null => Ok(None),
        Cell::DateTime(moment) => Ok(Some(*moment)),
        Cell::Date(day) => Ok(Some(day.and_time(NaiveTime::MIN))),
        _ => Err("a date that is none".to_owned()),
    }
}

/// The sums of one row, in the order of the amounts.
pub(super) fn parse_sums(amounts: &[Column], sums: &[Cell]) -> Result<Vec<Amount>, String> {
    if sums.len() != amounts.len() {
        return Err(format!("{} sums instead of {}", sums.len(), amounts.len()));
    }
    let sums = sums.iter().zip(amounts);
    sums.map(|(cell, column)| sum(cell, column)).collect()
}

fn sum(cell: &Cell, column: &Column) -> Result<Amount, String> {
    let scale = scale_of(column);
    let amount = match cell {
        Cell::Null => Ok(Amount::zero(scale)),
        Cell::Decimal(amount) => amount.rescale(scale),
        Cell::Int(whole) => {
            Amount::new(i128::from(*whole), 0).and_then(|whole| whole.rescale(scale))
        }
        _ => return Err(format!("a sum of {} that is no exact number", column.name)),
    };
    amount.map_err(|error| format!("the sum of {}: {error}", column.name))
}
