//! SQL that counts the rows between two running numbers of each company, in T-SQL, and the reading of its answer.
//!
//! May use bound queries and the population's definition. Never runs anything, and never writes a value into a text.

use std::collections::BTreeMap;

use super::population::{bind, count, grouped, text};
use super::sql::quoted;
use crate::domain::period::Period;
use crate::domain::population::PopulationDefinition;
use crate::domain::query::{BoundParam, BoundQuery, ParamValue, QueryError};
use crate::ports::SmallTable;

/// Counts the base table up to the cutoff of `period` between the numbers of each company, both inclusive.
///
/// # Shape
/// Columns `company`, `rows`. `None` without a running number or without companies.
/// # Errors
/// [`QueryError`] when the cutoff's condition uses a parameter that no period has.
pub fn between_query(
    population: &PopulationDefinition,
    period: Period,
    numbers: &BTreeMap<String, (i64, i64)>,
) -> Result<Option<BoundQuery>, QueryError> {
    let Some(sequence) = population.sequence.as_ref().filter(|_| !numbers.is_empty()) else {
        return Ok(None);
    };
    let group = grouped(&format!("b.{}", quoted(&population.company)));
    let statement = format!(
        "SELECT {group} AS [company], COUNT_BIG(*) AS [rows] FROM {} AS b WHERE ({})",
        population.table, population.until
    );
    let BoundQuery {
        mut text,
        mut params,
    } = bind(population, &statement, period)?;
    let mut add = |name: &str, place: usize, sql_type: &str, value: ParamValue| {
        params.push(BoundParam {
            name: format!("{name}_{place}"),
            sql_type: sql_type.to_owned(),
            value,
        });
        format!("@P{}", params.len())
    };
    let ranges = numbers.iter().enumerate().map(|(place, (company, ends))| {
        let company = add(
            "company",
            place,
            "nvarchar(4000)",
            ParamValue::Text(company.clone()),
        );
        let first = add("first", place, "bigint", ParamValue::Int(ends.0));
        let last = add("last", place, "bigint", ParamValue::Int(ends.1));
        format!(
            "({group} = {company} AND b.{} BETWEEN {first} AND {last})",
            quoted(sequence)
        )
    });
    let ranges: Vec<String> = ranges.collect();
    text.push_str(&format!(
        "\nAND ({})\nGROUP BY {group}",
        ranges.join("\nOR ")
    ));
    Ok(Some(BoundQuery { text, params }))
}

/// Reads the answer to [`between_query`].
///
/// # Errors
/// One sentence for an answer of another shape.
pub fn parse_between(table: &SmallTable) -> Result<BTreeMap<String, u64>, String> {
    let mut found = BTreeMap::new();
    for row in &table.rows {
        let [company, rows] = row.as_slice() else {
            return Err(format!("{} columns instead of 2", row.len()));
        };
        let company = text(company)?;
        if found.insert(company.clone(), count(rows)?).is_some() {
            return Err(format!("company `{company}` comes twice"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::QueryFile;

    #[test]
    fn values_are_bound_and_never_written() {
        let block = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n";
        let mut population = PopulationDefinition {
            table: "[D].[dbo].[T]".into(),
            company: "co".into(),
            until: "b.[d] < @next_start OR b.[d] IS NULL".into(),
            sequence: Some("No_".into()),
            companies: vec![],
            freshness: None,
            scopes: vec![],
            query: QueryFile::parse(&format!("{block}SELECT 1 AS a WHERE 1 < @next_start"))
                .unwrap(),
        };
        let march = "2024-03".parse().unwrap();
        let numbers = BTreeMap::from([("O'B".to_owned(), (7, 9)), ("X".to_owned(), (1, 2))]);
        let query = between_query(&population, march, &numbers)
            .unwrap()
            .unwrap();
        assert_eq!(
            query.text,
            "SELECT RTRIM(b.[co]) COLLATE Latin1_General_100_BIN2 AS [company], COUNT_BIG(*) AS [rows] \
             FROM [D].[dbo].[T] AS b WHERE (b.[d] < @P1 OR b.[d] IS NULL)\n\
             AND ((RTRIM(b.[co]) COLLATE Latin1_General_100_BIN2 = @P2 AND b.[No_] BETWEEN @P3 AND @P4)\n\
             OR (RTRIM(b.[co]) COLLATE Latin1_General_100_BIN2 = @P5 AND b.[No_] BETWEEN @P6 AND @P7))\n\
             GROUP BY RTRIM(b.[co]) COLLATE Latin1_General_100_BIN2"
        );
        assert_eq!(
            query.params[0].value,
            ParamValue::Date("2024-04-01".parse().unwrap())
        );
        assert_eq!(query.params[1].value, ParamValue::Text("O'B".into()));
        assert_eq!(query.params.len(), 7);
        population.sequence = None;
        let nothing = between_query(&population, march, &numbers).unwrap();
        assert_eq!(nothing, None);
    }
}
