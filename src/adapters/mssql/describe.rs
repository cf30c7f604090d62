//! What a query will deliver, asked of the server before it runs.
//!
//! # Source
//! `sys.sp_describe_first_result_set`: tiberius exposes only a name and a coarse type.

use crate::domain::contract::ColumnType;
use crate::domain::limits::Limits;
use crate::domain::query::{BoundParam, BoundQuery, ParamValue};
use crate::domain::sql_type::SqlType;
use crate::ports::{
    BY_SERVER, Cell, Described, PortError, PortErrorKind, SmallTable, SourceColumn,
};

use super::access;
use super::connect::Wire;

/// SQL Server allows 4,096 columns in a select list, BigQuery loads far fewer.
const COLUMNS_MAX: usize = 1_024;

/// Server errors that say "this text cannot be described", not "this text is wrong": the procedure is not there or may
/// not be called, or the text is beyond it.
const UNDESCRIBABLE: [&str; 11] = [
    "2812", "229", "11501", "11502", "11503", "11509", "11513", "11514", "11525", "11526", "11529",
];

/// What mends a refusal.
const MAY_DESCRIBE: &str = "let the login execute sys.sp_describe_first_result_set; a run that cannot describe takes the types of ipe.toml";

/// Asks whether the transaction of the view is open and can go on.
const STANDING: &str = "SELECT @@TRANCOUNT AS [transactions], XACT_STATE() AS [state]";

/// Describes a query on the connection of a view: its text with parameters, and where the server cannot, the same text
/// with typed `DECLARE`s in front.
///
/// # Errors
/// `Unsupported` with the first refusal when the server describes neither: the view can go on. After any other error it
/// cannot.
pub(super) async fn describe(
    client: &mut Wire,
    query: &BoundQuery,
    in_transaction: bool,
    limits: &Limits,
) -> Result<Described, PortError> {
    let texts = [Some(query.clone()), declared(query)];
    let mut refused = None;
    for text in texts.into_iter().flatten() {
        match access::small_table(client, &question(&text), COLUMNS_MAX, limits).await {
            Err(error) if is_undescribable(&error) => {
                if in_transaction {
                    still_stands(client, &error, limits).await?;
                }
                refused.get_or_insert(error);
            }
            // Only a refusal to describe leaves the view usable, so nothing else may look like one.
            Err(error) if error.kind == PortErrorKind::Unsupported => {
                return Err(PortError {
                    kind: PortErrorKind::Corrupt,
                    ..error
                });
            }
            answer => return read(&answer?),
        }
    }
    Err(unsupported(refused))
}

/// The first refusal, as the error that leaves the view usable.
fn unsupported(refused: Option<PortError>) -> PortError {
    let refused = refused.unwrap_or_else(|| {
        PortError::new(PortErrorKind::Unsupported, "there is no text to describe")
    });
    let hint = match &refused.hint {
        Some(first) => format!("{first}; {MAY_DESCRIBE}"),
        None => MAY_DESCRIBE.to_owned(),
    };
    PortError {
        kind: PortErrorKind::Unsupported,
        message: format!("the server cannot describe the query: {}", refused.message),
        ..refused
    }
    .hint(hint)
}

fn is_undescribable(error: &PortError) -> bool {
    UNDESCRIBABLE.iter().any(|code| {
        let words = format!("SQL Server error {code}:");
        error.message.starts_with(&words)
    })
}

/// A failed statement may have rolled the SNAPSHOT transaction back; what came after would be read from another moment.
async fn still_stands(
    client: &mut Wire,
    after: &PortError,
    limits: &Limits,
) -> Result<(), PortError> {
    let question = BoundQuery {
        text: STANDING.to_owned(),
        params: Vec::new(),
    };
    let answer = access::small_table(client, &question, 1, limits).await;
    let answer = answer.map_err(|error| error.at("after", after.message.clone()))?;
    if answer.rows == [[Cell::Int(1), Cell::Int(1)]] {
        return Ok(());
    }
    Err(PortError::new(
        PortErrorKind::Query,
        format!(
            "the SNAPSHOT transaction did not survive a question that the server cannot answer: {}",
            after.message
        ),
    )
    .hint(MAY_DESCRIBE))
}

/// The text with its parameters as local variables; `None` where there are none.
fn declared(query: &BoundQuery) -> Option<BoundQuery> {
    let declarations = declarations(query)?;
    Some(BoundQuery {
        text: format!("DECLARE {declarations};\n{}", query.text),
        params: Vec::new(),
    })
}

/// `@P1 date, @P2 int`; `None` without parameters.
fn declarations(query: &BoundQuery) -> Option<String> {
    let params = query.params.iter().enumerate();
    let params: Vec<String> = params
        .map(|(i, param)| format!("@P{} {}", i + 1, param.sql_type))
        .collect();
    (!params.is_empty()).then(|| params.join(", "))
}

/// The question, with the text and the declarations of its parameters as values.
fn question(query: &BoundQuery) -> BoundQuery {
    let text = |name: &str, value: String| BoundParam {
        name: name.to_owned(),
        sql_type: "nvarchar(max)".to_owned(),
        value: ParamValue::Text(value),
    };
    BoundQuery {
        text: "EXEC sys.sp_describe_first_result_set @tsql = @P1, @params = @P2".to_owned(),
        params: vec![
            text("tsql", query.text.clone()),
            text("params", declarations(query).unwrap_or_default()),
        ],
    }
}

/// Reads the answer.
///
/// # Errors
/// `Corrupt` when a column of the answer is missing; `Query` when there is no result set.
fn read(answer: &SmallTable) -> Result<Described, PortError> {
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
        by: BY_SERVER.to_owned(),
    })
}

fn text(cell: Option<&Cell>) -> Option<String> {
    match cell {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The carrier of a column, or `None` where its type or code page is refused.
fn carrier(column: &SourceColumn) -> Option<ColumnType> {
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
pub(super) fn proven_code_page(collation: &str) -> bool {
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
    fn the_question_declares_every_parameter_beside_the_text_or_in_it() {
        let param = |sql_type: &str| BoundParam {
            name: "x".into(),
            sql_type: sql_type.into(),
            value: ParamValue::Int(1),
        };
        let query = BoundQuery {
            text: "SELECT @P1, @P2".into(),
            params: ["date", "int"].map(param).into(),
        };
        let asked = |query: &BoundQuery| question(query).params.into_iter().map(|p| p.value);
        let text = |text: &str| ParamValue::Text(text.into());
        assert!(asked(&query).eq([text("SELECT @P1, @P2"), text("@P1 date, @P2 int")]));
        let in_it = declared(&query).unwrap();
        let whole = "DECLARE @P1 date, @P2 int;\nSELECT @P1, @P2";
        assert!(asked(&in_it).eq([text(whole), text("")]));
        assert_eq!(declared(&in_it), None, "there is nothing more to try");
    }

    #[test]
    fn only_a_refusal_to_describe_is_one() {
        let said = |text: &str| is_undescribable(&PortError::new(PortErrorKind::Query, text));
        assert!(said("SQL Server error 2812: Could not find it."));
        assert!(said("SQL Server error 11526: temporary table."));
        assert!(!said("SQL Server error 208: Invalid object name."));
        assert!(!said("SQL Server error 22: 2812"));
    }
}
