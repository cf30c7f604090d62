//! Asking a question: one statement, its whole answer, and nothing that is cut off taken for the end.

use chrono::{NaiveDate, NaiveDateTime};
use gcp_bigquery_client::model::error_proto::ErrorProto;
use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::job_reference::JobReference;
use gcp_bigquery_client::model::query_request::QueryRequest;
use gcp_bigquery_client::model::table_row::TableRow;
use gcp_bigquery_client::model::table_schema::TableSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::client::Client;
use super::words::{JOB_USER, of_job};
use crate::adapters::google::http::{Call, Method};
use crate::ports::{Cell, PortError, PortErrorKind, SmallTable};

/// A page of an answer, or the news that there is none yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    job_complete: bool,
    job_reference: Option<JobReference>,
    #[serde(default)]
    errors: Vec<ErrorProto>,
    schema: Option<TableSchema>,
    #[serde(default)]
    rows: Vec<TableRow>,
    total_rows: Option<String>,
    page_token: Option<String>,
}

/// Runs a statement and gives its answer of at most `rows_max` rows. The answer is computed, never remembered.
pub(super) async fn ask(
    client: &Client,
    what: &str,
    sql: &str,
    rows_max: usize,
) -> Result<SmallTable, PortError> {
    let limits = &client.limits;
    let until = Instant::now() + limits.query_deadline;
    let request = QueryRequest {
        location: Some(client.location.clone()),
        max_results: Some(limits.page_rows_max),
        timeout_ms: i32::try_from(limits.query_wait.as_millis()).ok(),
        use_query_cache: Some(false),
        ..QueryRequest::new(sql)
    };
    let call = Call::new(what, Method::POST, client.url(&["queries"])?);
    let call = call
        .repeatable()
        .needs(format!("{JOB_USER} and {}", super::words::DATA_EDITOR));
    let mut page: Page = client.ask(&call.json(&request)?).await?;
    let job = page.job_reference.take();
    let mut table = SmallTable::default();
    let mut types = Vec::new();
    for _ in 0..limits.pages_max {
        while !page.job_complete {
            refuse_errors(what, &page.errors)?;
            if Instant::now() >= until {
                let text = format!(
                    "{what}: no answer within {} s",
                    limits.query_deadline.as_secs()
                );
                return Err(PortError::new(PortErrorKind::Timeout, text)
                    .hint("look at the job in BigQuery's console; run the item again"));
            }
            // The service itself waits; this pause is for one that does not.
            tokio::time::sleep(limits.poll_first).await;
            page = next(client, what, job.as_ref(), None).await?;
        }
        refuse_errors(what, &page.errors)?;
        if let Some(schema) = page.schema.take() {
            let fields = schema.fields.unwrap_or_default();
            table.columns = fields.iter().map(|field| field.name.clone()).collect();
            types = fields.into_iter().map(|field| field.r#type).collect();
        }
        for row in std::mem::take(&mut page.rows) {
            if table.rows.len() >= rows_max {
                let text = format!("{what}: the answer has more than {rows_max} rows");
                return Err(PortError::new(PortErrorKind::Limit, text));
            }
            table.rows.push(cells(what, &types, row)?);
        }
        match page.page_token.take() {
            Some(token) => page = next(client, what, job.as_ref(), Some(&token)).await?,
            None => return whole(what, table, page.total_rows.as_deref()),
        }
    }
    let text = format!(
        "{what}: the answer has more than {} pages",
        limits.pages_max
    );
    Err(PortError::new(PortErrorKind::Limit, text))
}

async fn next(
    client: &Client,
    what: &str,
    job: Option<&JobReference>,
    token: Option<&str>,
) -> Result<Page, PortError> {
    let id = job.and_then(|job| job.job_id.as_deref());
    let id = id.ok_or_else(|| corrupt(what, "the reply names no job"))?;
    let mut url = client.url(&["queries", id])?;
    let location = job.and_then(|job| job.location.as_deref());
    url.query_pairs_mut()
        .append_pair("location", location.unwrap_or(&client.location))
        .append_pair("maxResults", &client.limits.page_rows_max.to_string())
        .append_pair(
            "timeoutMs",
            &client.limits.query_wait.as_millis().to_string(),
        );
    if let Some(token) = token {
        url.query_pairs_mut().append_pair("pageToken", token);
    }
    client.ask(&Call::get(what, url).needs(JOB_USER)).await
}

/// A reply of status 200 may hold errors beside an answer of no rows.
fn refuse_errors(what: &str, errors: &[ErrorProto]) -> Result<(), PortError> {
    match errors.first() {
        Some(error) => Err(of_job(what, error)),
        None => Ok(()),
    }
}

/// The answer, if it has the rows that were announced.
fn whole(what: &str, table: SmallTable, total: Option<&str>) -> Result<SmallTable, PortError> {
    let found = table.rows.len().to_string();
    match total {
        Some(total) if total != found => {
            let text = format!("the answer has {found} rows, announced were {total}");
            Err(corrupt(what, &text))
        }
        _ => Ok(table),
    }
}

fn cells(what: &str, types: &[FieldType], row: TableRow) -> Result<Vec<Cell>, PortError> {
    let values = row.columns.unwrap_or_default();
    if values.len() != types.len() {
        let text = format!(
            "a row has {} values, announced were {}",
            values.len(),
            types.len()
        );
        return Err(corrupt(what, &text));
    }
    let pairs = values.into_iter().zip(types).enumerate();
    pairs
        .map(|(place, (value, kind))| {
            let wrong = || {
                corrupt(
                    what,
                    &format!("value {} of a row is no {kind:?}", place + 1),
                )
            };
            match value.value {
                None | Some(Value::Null) => Ok(Cell::Null),
                Some(Value::String(text)) => cell(&text, kind).ok_or_else(wrong),
                Some(_) => Err(wrong()),
            }
        })
        .collect()
}

/// A value by its type; `None` where the text is none of that type, or the type cannot be carried exactly.
fn cell(text: &str, kind: &FieldType) -> Option<Cell> {
    Some(match kind {
        FieldType::String => Cell::Text(text.to_owned()),
        FieldType::Integer | FieldType::Int64 => Cell::Int(text.parse().ok()?),
        FieldType::Numeric | FieldType::Bignumeric => Cell::Decimal(text.parse().ok()?),
        FieldType::Boolean | FieldType::Bool => Cell::Bool(text.parse().ok()?),
        FieldType::Date => Cell::Date(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?),
        FieldType::Datetime => {
            Cell::DateTime(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?)
        }
        _ => return None,
    })
}

fn corrupt(what: &str, why: &str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, format!("{what}: {why}")).hint("run the item again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_type_and_never_guessed() {
        assert_eq!(cell("12", &FieldType::Integer), Some(Cell::Int(12)));
        assert_eq!(
            cell("12", &FieldType::String),
            Some(Cell::Text("12".into()))
        );
        assert_eq!(
            cell("-0.50", &FieldType::Bignumeric),
            Some(Cell::Decimal("-0.50".parse().unwrap()))
        );
        assert_eq!(cell("true", &FieldType::Bool), Some(Cell::Bool(true)));
        assert!(matches!(
            cell("2024-04-01", &FieldType::Date),
            Some(Cell::Date(_))
        ));
        for (text, kind) in [
            ("1.0", FieldType::Integer),
            ("1e3", FieldType::Numeric),
            ("1.5", FieldType::Float),
            ("x", FieldType::Date),
        ] {
            assert_eq!(cell(text, &kind), None, "{text}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_not_taken_for_the_end() {
        let table = || SmallTable {
            columns: Vec::new(),
            rows: vec![Vec::new()],
        };
        assert!(whole("x", table(), Some("1")).is_ok() && whole("x", table(), None).is_ok());
        assert_eq!(
            whole("x", table(), Some("2")).unwrap_err().kind,
            PortErrorKind::Corrupt
        );
    }
}
