//! Putting the table of a contract in the place of an empty one that somebody made by hand.
//!
//! It happens before a run has its place in the line of a month, and months share a table: so it is a job whose id names
//! the table that was found, by the time when that was made. BigQuery runs an id once, so each table is dropped once at
//! most, however often it is asked for, and never the one that stands there afterwards (ADR-0031).

use std::collections::BTreeMap;

use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;

use super::client::{Client, Inserted, TableSaid, about, labels};
use super::watch::ended;
use super::{query, words};
use crate::domain::contract::Contract;
use crate::kernels::bigquery::full_name;
use crate::kernels::bigquery::job::{attempt, replacement_name};
use crate::kernels::bigquery::table::{PARTITION_COLUMN, replace_empty};
use crate::ports::{Cell, PortError, PortErrorKind};

/// What a table by another name is called in the command that moves a legacy one away.
const LEGACY: &str = "_legacy";

/// Replaces the table that was found, which has no months, if it is empty; gives what stands there afterwards.
pub(super) async fn empty(
    client: &Client,
    table: &str,
    contract: &Contract,
    found: TableSaid,
) -> Result<Option<TableSaid>, PortError> {
    refuse_filled(client, table, &found).await?;
    let made_at = found.creation_time.as_deref().ok_or_else(|| {
        let what = "BigQuery does not say when the table was made";
        about(client, table, PortErrorKind::Corrupt, what).hint(by_hand(client, table))
    })?;
    tracing::warn!(
        table,
        "an empty table without months is replaced; BigQuery keeps it for a week"
    );
    let name = replacement_name(&client.place(), table, made_at);
    let what = format!("replacing the empty table {}.{table}", client.place());
    let place = (client.project.as_str(), client.dataset.as_str(), table);
    let script = replace_empty(place, contract, !found.schema.fields.is_empty());
    let mut last = None;
    for generation in 1..=client.limits.load_attempts_max {
        let id = attempt(&name, generation);
        let inserted = client.insert(&what, &id, configuration(&script)).await?;
        let done = ended(client, &id).await?;
        let now = client.table(table).await?;
        let Some(error) = done.error() else {
            return Ok(now);
        };
        let is_it = |now: &TableSaid| now.creation_time == found.creation_time;
        // It ended after its DROP, or somebody else was faster: the next attempt would drop another table.
        if !now.as_ref().is_some_and(is_it) {
            return Ok(now);
        }
        let failed = words::of_job(&what, error).at("job", id);
        if inserted == Inserted::Created && !words::is_transient(error) {
            return Err(match failed.hint {
                Some(_) => failed,
                None => failed.hint("run the item again: the table is looked at anew"),
            });
        }
        last = Some(failed);
        tokio::time::sleep(client.limits.poll_first).await;
    }
    let last = last.unwrap_or_else(|| {
        let what = "no attempt to replace the table is allowed";
        about(client, table, PortErrorKind::Limit, what)
    });
    Err(last.hint(by_hand(client, table)))
}

/// What a person does whom this program cannot help.
fn by_hand(client: &Client, table: &str) -> String {
    let name = full_name(&client.project, &client.dataset, table);
    format!(
        "if the table is empty, drop it, then run again: {}",
        client.command(&format!("DROP TABLE {name}"))
    )
}

fn configuration(script: &str) -> JobConfiguration {
    let pairs = [("made_by".to_owned(), "soxauto".to_owned())];
    JobConfiguration {
        labels: labels(BTreeMap::from(pairs)),
        query: Some(JobConfigurationQuery {
            query: script.to_owned(),
            use_legacy_sql: Some(false),
            ..JobConfigurationQuery::default()
        }),
        ..JobConfiguration::default()
    }
}

/// Counts: what BigQuery says of a table's rows may be older than the last statement. A table without columns has no
/// rows, and BigQuery answers no question about one.
async fn refuse_filled(client: &Client, table: &str, found: &TableSaid) -> Result<(), PortError> {
    let kind = found.kind.as_deref().unwrap_or("TABLE");
    if kind != "TABLE" {
        let what = format!("what has this name is a {kind}; it was left as it is");
        return Err(about(client, table, PortErrorKind::Corrupt, what)
            .hint("remove it, or take another dataset"));
    }
    if found.schema.fields.is_empty() {
        return Ok(());
    }
    let name = full_name(&client.project, &client.dataset, table);
    let what = format!("counting table {}.{table}", client.place());
    let sql = format!("SELECT COUNT(*) AS n FROM {name}");
    let answer = query::ask(client, &what, &sql, 1).await?;
    let rows = match answer.rows.first().map(Vec::as_slice) {
        Some([Cell::Int(0)]) => return Ok(()),
        Some([Cell::Int(rows)]) => *rows,
        _ => {
            let what = "the rows of the table could not be counted";
            return Err(about(client, table, PortErrorKind::Corrupt, what));
        }
    };
    let what = format!(
        "the table holds {rows} rows and is not partitioned by month on `{PARTITION_COLUMN}`; it was left as it is"
    );
    let rename = format!("ALTER TABLE {name} RENAME TO `{table}{LEGACY}`");
    let hint = format!("move it away, then run again: {}", client.command(&rename));
    Err(about(client, table, PortErrorKind::Corrupt, what).hint(hint))
}
