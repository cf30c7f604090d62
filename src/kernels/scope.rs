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

/// The companies as values of the column [`COMPANY`](super::population::COMPANY), from the answer to
/// [`funnel_query`](super::population::funnel_query), which groups by them just so: what [`scope_query`] would answer.
///
/// # Errors
/// As [`parse_scope`], and for a sum beyond 38 digits.
pub fn companies(columns: &FunnelColumns, funnel: &SmallTable) -> Result<Vec<ScopeCell>, String> {
    let mut rows = Vec::with_capacity(funnel.rows.len());
    for row in &funnel.rows {
        let (keeps, counts) = row
            .split_at_checked(columns.predicates.len() + 1)
            .ok_or("too few columns")?;
        let ([company, ..], [rows_of, _delivered, sums @ ..]) = (keeps, counts) else {
            return Err("too few columns".to_owned());
        };
        let mut row = vec![company.clone(), company.clone(), rows_of.clone()];
        row.extend_from_slice(sums);
        rows.push(row);
    }
    let cells = parse_scope(
        columns,
        &SmallTable {
            columns: Vec::new(),
            rows,
        },
    )?;
    let mut all: Vec<ScopeCell> = Vec::new();
    for cell in cells {
        match all.last_mut() {
            Some(last) if last.company == cell.company && last.value == cell.value => {
                last.rows += cell.rows;
                for (sum, added) in last.sums.iter_mut().zip(cell.sums) {
                    *sum = sum.checked_add(added).map_err(|e| e.to_string())?;
                }
            }
            _ => all.push(cell),
        }
    }
    Ok(all)
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
    use crate::domain::amount::Amount;
    use crate::domain::contract::{Column, ColumnType};

    fn table(rows: Vec<Vec<Cell>>) -> SmallTable {
        SmallTable {
            columns: vec![],
            rows,
        }
    }

    #[test]
    fn the_funnel_gives_companies_once_whatever_the_predicates_say() {
        let sql_type = "decimal(38,2)".parse().unwrap();
        let amount = Column {
            source: "a".into(),
            name: "a".into(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: true,
            amount: true,
            personal: false,
            description: String::new(),
        };
        let columns = FunnelColumns {
            predicates: vec!["p".into()],
            amounts: vec![amount],
            counts_delivered: true,
        };
        let row = |company: Cell, kept: i64, rows: i64, units: i128| {
            let sum = Cell::Decimal(Amount::new(units, 2).unwrap());
            vec![
                company,
                Cell::Int(kept),
                Cell::Int(rows),
                Cell::Int(99),
                sum,
            ]
        };
        let company = |name: &str| Cell::Text(name.into());
        let funnel = table(vec![
            row(company("B"), 1, 3, 150),
            row(Cell::Null, 1, 1, 7),
            row(company("A "), 0, 2, -50),
            row(company(""), 0, 4, 1),
            row(company("A"), 1, 5, 20),
        ]);
        let found = companies(&columns, &funnel).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|cell| {
                (
                    &*cell.company,
                    cell.value.as_deref(),
                    cell.rows,
                    cell.sums[0].units(),
                )
            })
            .collect();
        let expected = [
            ("", None, 1, 7),
            ("", Some(""), 4, 1),
            ("A", Some("A"), 7, -30),
            ("B", Some("B"), 3, 150),
        ];
        assert_eq!(found, expected);
        let most = 10_i128.pow(38) - 1;
        let beyond = table(vec![
            row(company("A"), 0, 1, most),
            row(company("A"), 1, 1, 1),
        ]);
        assert!(companies(&columns, &beyond).is_err(), "a sum never wraps");
        let short = table(vec![vec![company("A"), Cell::Int(1)]]);
        assert_eq!(
            companies(&columns, &short),
            Err("too few columns".to_owned())
        );
    }

    #[test]
    fn no_value_and_an_empty_value_are_two() {
        let columns = FunnelColumns {
            predicates: vec![],
            amounts: vec![],
            counts_delivered: false,
        };
        let row = |value: Cell, rows: Cell| vec![Cell::Text("X".into()), value, rows];
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
