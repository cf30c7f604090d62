//! What the server's plan expects of a query, without running it.
//!
//! # Source
//! `SET SHOWPLAN_XML ON`: the session then answers every statement with its plan. The option would outlive the question,
//! so it is asked on a connection of its own that is closed behind it. `StatementEstRows` and `StatementSubTreeCost` are
//! attributes of `StmtSimple` in the showplan schema.

use tiberius::{ColumnData, QueryItem};

use futures::TryStreamExt;

use crate::domain::lexer::{Kind, lex};
use crate::domain::limits::Limits;
use crate::domain::query::{BoundQuery, ParamValue};
use crate::ports::{Estimate, PortError, PortErrorKind};

use super::access::command;
use super::connect::Wire;
use super::guard::Deadline;

/// Asks for the plan; the connection is spent afterwards.
pub(super) async fn estimate(
    client: &mut Wire,
    query: &BoundQuery,
    limits: &Limits,
) -> Result<Estimate, PortError> {
    command(client, "SET SHOWPLAN_XML ON", limits).await?;
    let mut deadline = Deadline::new(limits);
    let text = with_values(query);
    let mut answer = deadline.first(client.simple_query(text)).await?;
    let mut plan = None;
    while let Some(item) = deadline.next(answer.try_next()).await? {
        if let QueryItem::Row(row) = item
            && plan.is_none()
        {
            plan = row.into_iter().next().and_then(|cell| match cell {
                ColumnData::String(text) => text.map(std::borrow::Cow::into_owned),
                ColumnData::Xml(xml) => xml.map(|xml| xml.to_string()),
                _ => None,
            });
        }
    }
    plan.as_deref().and_then(read).ok_or_else(|| {
        PortError::new(
            PortErrorKind::Unsupported,
            "the server's plan holds no estimate of rows",
        )
    })
}

/// The text with its parameters written out: a plan for unknown values guesses, and no row depends on it.
fn with_values(query: &BoundQuery) -> String {
    let tokens = lex(&query.text, 0).unwrap_or_default();
    let mut text = String::with_capacity(query.text.len());
    let mut copied = 0;
    for token in tokens.iter().filter(|token| token.kind == Kind::Param) {
        let number = token.text.trim_start_matches("@P").parse::<usize>().ok();
        let param = number.and_then(|number| query.params.get(number.checked_sub(1)?));
        let Some(param) = param else { continue };
        text.push_str(query.text.get(copied..token.start).unwrap_or_default());
        let value = match &param.value {
            ParamValue::Date(date) => format!("'{date}'"),
            ParamValue::Int(number) => number.to_string(),
            ParamValue::Null => "NULL".to_owned(),
            ParamValue::Text(text) => format!("N'{}'", text.replace('\'', "''")),
        };
        text.push_str(&format!("CAST({value} AS {})", param.sql_type));
        copied = token.end();
    }
    text.push_str(query.text.get(copied..).unwrap_or_default());
    text
}

/// The numbers of the first statement that has them, as the server writes them.
fn read(plan: &str) -> Option<Estimate> {
    let attribute = |name: &str| {
        let (_, rest) = plan.split_once(&format!(" {name}=\""))?;
        let (value, _) = rest.split_once('"')?;
        value
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            .then(|| value.to_owned())
    };
    Some(Estimate {
        rows: attribute("StatementEstRows")?,
        cost: attribute("StatementSubTreeCost"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::BoundParam;

    #[test]
    fn a_plan_gives_rows_and_cost_as_the_server_writes_them() {
        let plan = "<ShowPlanXML><StmtSimple StatementText=\"x\" StatementEstRows=\"1.2e+06\" \
                    StatementSubTreeCost=\"41.5\"/></ShowPlanXML>";
        let estimate = read(plan).unwrap();
        assert_eq!(estimate.rows, "1.2e+06");
        assert_eq!(estimate.cost.as_deref(), Some("41.5"));
        assert_eq!(
            read(&plan.replace(" StatementSubTreeCost=\"41.5\"", ""))
                .unwrap()
                .cost,
            None
        );
        for other in ["", "<ShowPlanXML/>", "<S StatementEstRows=\"many\"/>"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn values_stand_where_the_parameters_stood_and_nowhere_else() {
        let param = |sql_type: &str, value| BoundParam {
            name: "x".into(),
            sql_type: sql_type.into(),
            value,
        };
        let query = BoundQuery {
            text: "SELECT '@P1', [@P1] FROM t WHERE a < @P1 AND b = @P2 AND c = @P3".into(),
            params: vec![
                param("date", ParamValue::Date("2024-05-01".parse().unwrap())),
                param("varchar(9)", ParamValue::Text("O'B".into())),
                param("int", ParamValue::Int(-7)),
            ],
        };
        assert_eq!(
            with_values(&query),
            "SELECT '@P1', [@P1] FROM t WHERE a < CAST('2024-05-01' AS date) AND b = CAST(N'O''B' AS varchar(9)) \
             AND c = CAST(-7 AS int)"
        );
    }
}
