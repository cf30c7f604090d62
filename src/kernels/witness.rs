//! Witnesses: the question that draws them, in T-SQL, and the canonical texts by which two sides are compared.
//!
//! May use the population's texts, bound queries and `canonical`. Never runs anything, and never writes a value into a
//! text.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use super::canonical::RowLayout;
use super::cells::only;
use super::population::{DELIVERED, FunnelColumns, grouped, text, trimmed};
use super::sql::quoted;
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::population::KEEP;
use crate::domain::query::{BoundParam, BoundQuery, ParamValue};
use crate::domain::witness::{Seen, Why, WitnessDefinition};
use crate::ports::{Cell, SmallTable};

/// Rows that are drawn of each company: the largest, the smallest and the oldest, and random ones up to this number.
pub const PER_COMPANY: usize = 5;

/// A row that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Company.
    pub company: String,
    /// Why.
    pub why: Vec<Why>,
    /// Values of its key, in the order of the contract's key.
    pub key: Vec<Cell>,
}

/// Draws rows of every company among those that all predicates keep.
///
/// # Shape
/// Columns `company`, `largest`, `smallest`, `oldest` (0 where there is no date), `random`, each a rank from 1, then the
/// key. At most eight rows a company; [`parse_drawn`] chooses among them.
#[must_use]
pub fn draw_query(
    contract: &Contract,
    definition: &WitnessDefinition,
    columns: &FunnelColumns,
    population: &BoundQuery,
    seed: &str,
) -> BoundQuery {
    let keys = contract.key.iter();
    let keys: Vec<String> = keys.map(|name| format!("p.{}", quoted(name))).collect();
    let place = population.params.len() + 1;
    let named = keys.iter().enumerate();
    let named: String = named
        .map(|(place, key)| format!(", {key} AS [key_{place}]"))
        .collect();
    let asked = 0..keys.len();
    let asked: String = asked.map(|place| format!(", d.[key_{place}]")).collect();
    let text = format!(
        "SELECT d.[company], d.[largest], d.[smallest], d.[oldest], d.[random]{asked} FROM (\n\
         SELECT {} AS [company]{}{named} FROM (\n{}\n) AS p{}\n) AS d \
         WHERE d.[largest] = 1 OR d.[smallest] = 1 OR d.[oldest] = 1 OR d.[random] <= {PER_COMPANY}",
        grouped("p.[company]"),
        ranks(definition, &keys, place),
        trimmed(&population.text),
        kept(columns),
    );
    let mut params = population.params.clone();
    params.push(BoundParam {
        name: "seed".to_owned(),
        sql_type: "nvarchar(100)".to_owned(),
        value: ParamValue::Text(seed.to_owned()),
    });
    BoundQuery { text, params }
}

/// The rank of a row in its company by each reason to draw it; the seed is parameter `place`.
fn ranks(definition: &WitnessDefinition, keys: &[String], place: usize) -> String {
    let company = grouped("p.[company]");
    // A server may refuse a column that stands twice in one order.
    let rank = |name: &str, order: &str, column: &str| {
        let rest = keys.iter().filter(|key| *key != column);
        let rest: String = rest.map(|key| format!(", {key}")).collect();
        format!(", ROW_NUMBER() OVER (PARTITION BY {company} ORDER BY {order}{rest}) AS [{name}]")
    };
    let by = format!("p.{}", quoted(&definition.by));
    // A null is neither the smallest nor the oldest, yet it can be a witness.
    let nulls_last =
        |column: &str| format!("CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, {column}");
    let texts = keys.iter();
    let texts: String = texts
        .map(|key| format!(", N'|', CONVERT(nvarchar(4000), {key})"))
        .collect();
    let oldest = definition.oldest.as_ref().map_or_else(
        || ", CAST(0 AS bigint) AS [oldest]".to_owned(),
        |name| {
            let column = format!("p.{}", quoted(name));
            rank("oldest", &nulls_last(&column), &column)
        },
    );
    [
        rank("largest", &format!("{by} DESC"), &by),
        rank("smallest", &nulls_last(&by), &by),
        oldest,
        rank(
            "random",
            &format!("HASHBYTES('SHA2_256', CONCAT(@P{place}{texts}))"),
            "",
        ),
    ]
    .concat()
}

/// The condition that every predicate keeps the row, and that it has the key of one row of the item: a row of the base
/// table that becomes several has not.
fn kept(columns: &FunnelColumns) -> String {
    let predicates = columns.predicates.iter();
    let mut kept: Vec<String> = predicates
        .map(|name| format!("p.{} = 1", quoted(&format!("{KEEP}{name}"))))
        .collect();
    if columns.counts_delivered {
        kept.push(format!("p.{} = 1", quoted(DELIVERED)));
    }
    if kept.is_empty() {
        return String::new();
    }
    format!(" WHERE {}", kept.join(" AND "))
}

/// Reads the answer to [`draw_query`] and chooses: the extremes, then random rows up to [`PER_COMPANY`] different ones.
///
/// # Errors
/// One sentence for an answer of another shape.
pub fn parse_drawn(table: &SmallTable) -> Result<Vec<Drawn>, String> {
    let mut companies: BTreeMap<String, Vec<(i64, Drawn)>> = BTreeMap::new();
    for row in &table.rows {
        let [company, largest, smallest, oldest, random, key @ ..] = row.as_slice() else {
            return Err("too few columns".to_owned());
        };
        let company = text(company)?;
        let extremes = [
            (largest, Why::Largest),
            (smallest, Why::Smallest),
            (oldest, Why::Oldest),
        ];
        let mut why = Vec::new();
        for (rank, reason) in extremes {
            if rank_of(rank)? == 1 {
                why.push(reason);
            }
        }
        let drawn = Drawn {
            company: company.clone(),
            why,
            key: key.to_vec(),
        };
        companies
            .entry(company)
            .or_default()
            .push((rank_of(random)?, drawn));
    }
    let mut chosen = Vec::new();
    for (_, mut rows) in companies {
        // Extremes first, then by rank: the same order whatever the server's.
        rows.sort_by_key(|(rank, drawn)| (drawn.why.is_empty(), *rank));
        let rows = rows.into_iter().take(PER_COMPANY).map(|(_, mut drawn)| {
            if drawn.why.is_empty() {
                drawn.why.push(Why::Random);
            }
            drawn
        });
        chosen.extend(rows);
    }
    Ok(chosen)
}

fn rank_of(cell: &Cell) -> Result<i64, String> {
    match cell {
        Cell::Int(rank) => Ok(*rank),
        _ => Err("a rank that is no number".to_owned()),
    }
}

/// The columns that are compared, and how a row of them reads.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The contract with these columns alone: key and what the witness query delivers.
    pub contract: Contract,
    /// The amounts that are shown.
    pub amounts: Vec<String>,
    row: RowLayout,
    key: RowLayout,
    single: Vec<(String, RowLayout)>,
}

/// One row of the compared columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedRow {
    /// Canonical bytes of the key.
    pub key: Vec<u8>,
    /// SHA-256 over the canonical bytes of all compared columns, in hex.
    pub sha256: String,
    /// Canonical bytes of each column, by name.
    cells: Vec<(String, Vec<u8>)>,
}

impl Compared {
    /// The columns of the contract that `delivered` names.
    #[must_use]
    pub fn new(contract: &Contract, delivered: &[String]) -> Self {
        let contract = only(contract, |name| delivered.iter().any(|known| known == name));
        let shown = contract.amounts().filter(|column| !column.personal);
        Self {
            amounts: shown.map(|column| column.name.clone()).collect(),
            row: RowLayout::digested(&contract),
            key: RowLayout::key(&contract),
            single: contract
                .columns
                .iter()
                .map(|column| {
                    (
                        column.name.clone(),
                        RowLayout::named(&contract, &column.name),
                    )
                })
                .collect(),
            contract,
        }
    }

    /// Names of the compared columns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.contract
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// One row of a batch of exactly these columns.
    ///
    /// # Errors
    /// One sentence for a batch of another shape or a date outside the years 1 to 9999.
    pub fn row(&self, batch: &RecordBatch, row: usize) -> Result<ComparedRow, String> {
        let bytes = |layout: &RowLayout| {
            let mut bytes = Vec::new();
            let bound = layout.bind(batch).map_err(|error| error.to_string())?;
            bound
                .write(row, &mut bytes)
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(bytes)
        };
        let cells = self
            .single
            .iter()
            .map(|(name, layout)| Ok((name.clone(), bytes(layout)?)));
        Ok(ComparedRow {
            key: bytes(&self.key)?,
            sha256: sha256_hex(&bytes(&self.row)?),
            cells: cells.collect::<Result<_, String>>()?,
        })
    }

    /// What is recorded of the rows that one side has for a key.
    #[must_use]
    pub fn seen(&self, rows: &[ComparedRow]) -> Seen {
        let [row] = rows else {
            return Seen {
                rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
                ..Seen::default()
            };
        };
        let amounts = self.amounts.iter().map(|name| row.text(name));
        Seen {
            rows: 1,
            sha256: Some(row.sha256.clone()),
            amounts: amounts.collect(),
        }
    }
}

impl ComparedRow {
    /// The columns in which two rows differ.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let pairs = self.cells.iter().zip(&other.cells);
        pairs
            .filter(|(ours, theirs)| ours != theirs)
            .map(|((name, _), _)| name.clone())
            .collect()
    }

    /// The text of a column without its netstring; `None` for null.
    fn text(&self, name: &str) -> Option<String> {
        let (_, bytes) = self.cells.iter().find(|(known, _)| known == name)?;
        let text = std::str::from_utf8(bytes).ok()?;
        let (_, text) = text.strip_suffix(',')?.split_once(':')?;
        Some(text.to_owned())
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
