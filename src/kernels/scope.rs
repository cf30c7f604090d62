//! SQL that counts the values of a column of a population, in T-SQL, and the reading of its answer.
//!
//! May use bound queries and the population's texts. Never runs anything, and never writes a value into a text.

use super::population::{FunnelColumns, count, grouped, parse_sums, sums, text, trimmed};
use super::sql::quoted;
use crate::domain::query::BoundQuery;
use crate::domain::scope::ScopeCell;
use crate::ports::{Cell, SmallTable};

/// Counts and sums the population by company and by the values of one column.
///
/// # Shape
/// Columns `company`, `value`, `rows`, `sum_0` ….
#[must_use]
pub fn scope_query(columns: &FunnelColumns, column: &str, population: &BoundQuery) -> BoundQuery {
    let company = grouped("p.[company]");
    let value = grouped(&format!("p.{}", quoted(column)));
    let sums = sums(&columns.amounts);
    let text = format!(
        "SELECT {company} AS [company], {value} AS [value], COUNT_BIG(*) AS [rows]{sums} FROM (\n{}\n) AS p \
         GROUP BY {company}, {value}",
        trimmed(&population.text)
    );
    BoundQuery {
        text,
        params: population.params.clone(),
    }
}

/// Reads the answer to [`scope_query`].
///
/// # Errors
/// One sentence for an answer of another shape.
pub fn parse_scope(columns: &FunnelColumns, table: &SmallTable) -> Result<Vec<ScopeCell>, String> {
    let mut cells = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let [company, value, rows, sums @ ..] = row.as_slice() else {
            return Err("too few columns".to_owned());
        };
        cells.push(ScopeCell {
            company: text(company)?,
            value: match value {
                Cell::Null => None,
                Cell::Text(value) => Some(value.trim_end_matches(' ').to_owned()),
                _ => return Err("a value that is no text".to_owned()),
            },
            rows: count(rows)?,
            sums: parse_sums(&columns.amounts, sums)?,
        });
    }
    // The server may answer in any order; the evidence has one.
    cells.sort_by(|a, b| (&a.company, &a.value).cmp(&(&b.company, &b.value)));
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_and_an_empty_value_are_two() {
        let columns = FunnelColumns {
            predicates: vec![],
            amounts: vec![],
            counts_delivered: false,
        };
        let row = |value: Cell, rows: Cell| vec![Cell::Text("X".into()), value, rows];
        let table = |rows| SmallTable {
            columns: vec![],
            rows,
        };
        let rows = vec![
            row(Cell::Text("A  ".into()), Cell::Int(3)),
            row(Cell::Text(String::new()), Cell::Int(2)),
            row(Cell::Null, Cell::Int(1)),
        ];
        let cells = parse_scope(&columns, &table(rows)).unwrap();
        let found: Vec<_> = cells
            .iter()
            .map(|cell| (cell.value.as_deref(), cell.rows))
            .collect();
        assert_eq!(found, [(None, 1), (Some(""), 2), (Some("A"), 3)]);
        for wrong in [
            row(Cell::Int(1), Cell::Int(1)),
            row(Cell::Null, Cell::Null),
            vec![Cell::Null],
        ] {
            assert!(parse_scope(&columns, &table(vec![wrong])).is_err());
        }
    }
}
