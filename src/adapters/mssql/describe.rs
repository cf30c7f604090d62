//! What a query will deliver, asked of the server before it runs.
//!
//! # Source
//! `sys.sp_describe_first_result_set`: tiberius exposes only a name and a coarse type.

use crate::domain::contract::ColumnType;
use crate::domain::query::{BoundParam, BoundQuery, ParamValue};
use crate::domain::sql_type::SqlType;
use crate::ports::{Cell, Described, PortError, PortErrorKind, SmallTable, SourceColumn};

/// The question, with the text and the declarations of its parameters as values.
pub(super) fn question(query: &BoundQuery) -> BoundQuery {
    let declarations: Vec<String> = query
        .params
        .iter()
        .enumerate()
        .map(|(i, param)| format!("@P{} {}", i + 1, param.sql_type))
        .collect();
    let text = |name: &str, value: String| BoundParam {
        name: name.to_owned(),
        sql_type: "nvarchar(max)".to_owned(),
        value: ParamValue::Text(value),
    };
    BoundQuery {
        text: "EXEC sys.sp_describe_first_result_set @tsql = @P1, @params = @P2".to_owned(),
        params: vec![
            text("tsql", query.text.clone()),
            text("params", declarations.join(", ")),
        ],
    }
}

/// Reads the answer.
///
/// # Errors
/// `Corrupt` when a column of the answer is missing; `Query` when there is no result set.
pub(super) fn read(answer: &SmallTable) -> Result<Described, PortError> {
    let at = |name: &str| {
        answer
            .columns
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                PortError::new(
                    PortErrorKind::Corrupt,
                    format!("the server's description has no column {name}"),
                )
            })
    };
    let (name, type_name, nullable) = (at("name")?, at("system_type_name")?, at("is_nullable")?);
    let (hidden, collation) = (at("is_hidden")?, at("collation_name")?);
    let mut columns = Vec::with_capacity(answer.rows.len());
    for row in &answer.rows {
        if row.get(hidden) == Some(&Cell::Bool(true)) {
            continue;
        }
        columns.push(SourceColumn {
            ordinal: columns.len(),
            name: text(row.get(name)).unwrap_or_default(),
            sql_type: text(row.get(type_name)).unwrap_or_else(|| "unknown".to_owned()),
            column_type: None,
            nullable: row.get(nullable) != Some(&Cell::Bool(false)),
            collation: text(row.get(collation)),
        });
    }
    if columns.is_empty() {
        return Err(
            PortError::new(PortErrorKind::Query, "the query returns no result set")
                .hint("a query file holds one SELECT behind its params block"),
        );
    }
    for column in &mut columns {
        column.column_type = carrier(column);
    }
    Ok(Described {
        columns,
        by: "server".to_owned(),
    })
}

fn text(cell: Option<&Cell>) -> Option<String> {
    match cell {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The carrier of a column, or `None` where its type or code page is refused.
pub(super) fn carrier(column: &SourceColumn) -> Option<ColumnType> {
    let sql_type = column.parsed_type();
    let code_page = matches!(
        sql_type,
        SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text
    );
    if code_page && !column.collation.as_deref().is_none_or(proven_code_page) {
        return None;
    }
    ColumnType::of(&sql_type)
}

/// Collations whose `varchar` bytes are Windows-1252, decoded byte by byte in the tests. `_UTF8` collations are
/// decoded as Windows-1252 by tiberius without a word, so they are refused.
fn proven_code_page(collation: &str) -> bool {
    let upper = collation.to_ascii_uppercase();
    !upper.contains("UTF8")
        && [
            "SQL_LATIN1_GENERAL_CP1_",
            "LATIN1_GENERAL_",
            "FRENCH_",
            "MODERN_SPANISH_",
            "FINNISH_SWEDISH_",
            "DANISH_NORWEGIAN_",
        ]
        .iter()
        .any(|prefix| upper.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(sql_type: &str, collation: Option<&str>) -> SourceColumn {
        SourceColumn {
            ordinal: 0,
            name: "x".into(),
            sql_type: sql_type.into(),
            column_type: None,
            nullable: true,
            collation: collation.map(str::to_owned),
        }
    }

    #[test]
    fn varchar_needs_a_proven_code_page_and_nvarchar_does_not() {
        let cp1252 = Some("SQL_Latin1_General_CP1_CI_AS");
        assert_eq!(
            carrier(&column("varchar(20)", cp1252)),
            Some(ColumnType::Text)
        );
        assert_eq!(
            carrier(&column(
                "varchar(20)",
                Some("Latin1_General_100_CI_AS_SC_UTF8")
            )),
            None
        );
        assert_eq!(
            carrier(&column("varchar(20)", Some("Cyrillic_General_CI_AS"))),
            None
        );
        assert_eq!(
            carrier(&column("nvarchar(20)", Some("Cyrillic_General_CI_AS"))),
            Some(ColumnType::Text)
        );
        assert_eq!(carrier(&column("xml", None)), None);
    }

    #[test]
    fn the_question_declares_every_parameter() {
        let query = BoundQuery {
            text: "SELECT @P1, @P2".into(),
            params: ["date", "int"]
                .map(|sql_type| BoundParam {
                    name: "x".into(),
                    sql_type: sql_type.into(),
                    value: ParamValue::Int(1),
                })
                .to_vec(),
        };
        assert_eq!(
            question(&query).params[1].value,
            ParamValue::Text("@P1 date, @P2 int".into())
        );
    }
}
