//! Making dataset and table, and refusing those that are not what they must be.
//!
//! Nothing that holds a row is changed or dropped here.

use chrono::DateTime;

use super::client::{Client, FieldSaid, TableSaid, about};
use super::{query, replace};
use crate::domain::contract::Contract;
use crate::kernels::bigquery::full_name;
use crate::kernels::bigquery::table::{
    PARTITION_COLUMN, TableColumn, create, create_for_an_hour, differences, keep,
};
use crate::ports::{PortError, PortErrorKind, TRIAL_PREFIX};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Makes what is absent.
pub(super) async fn prepare(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<(), PortError> {
    dataset(client).await?;
    let found = match client.table(table).await? {
        Some(found) if is_by_month(&found) => return same(client, table, contract, &found),
        Some(found) => replace::empty(client, table, contract, found).await?,
        None => None,
    };
    let made = match found {
        Some(made) => made,
        None => made(client, table, contract).await?,
    };
    let made = kept(client, table, made).await?;
    same(client, table, contract, &made)
}

/// Makes the table where there is none.
async fn made(client: &Client, table: &str, contract: &Contract) -> Result<TableSaid, PortError> {
    let name = full_name(&client.project, &client.dataset, table);
    let what = format!("creating table {}.{table}", client.place());
    query::ask(client, &what, &create(&name, contract), 0).await?;
    is_there(client, table).await
}

/// Makes a table of a trial, and looks whether it is that of the contract then.
pub(super) async fn made_for_an_hour(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<(), PortError> {
    let name = full_name(&client.project, &client.dataset, table);
    let what = format!("creating table {}.{table}", client.place());
    query::ask(client, &what, &create_for_an_hour(&name, contract), 0).await?;
    same(client, table, contract, &is_there(client, table).await?)
}

/// A table that this run has made, without the end that its dataset gives to new tables.
async fn kept(client: &Client, table: &str, made: TableSaid) -> Result<TableSaid, PortError> {
    if ends(&made).is_empty() {
        return Ok(made);
    }
    let name = full_name(&client.project, &client.dataset, table);
    let what = format!("keeping the months of table {}.{table}", client.place());
    query::ask(client, &what, &keep(&name), 0).await?;
    is_there(client, table).await
}

async fn is_there(client: &Client, table: &str) -> Result<TableSaid, PortError> {
    let found = client.table(table).await?;
    found.ok_or_else(|| {
        let what = "the table was created and is not there";
        about(client, table, PortErrorKind::Corrupt, what)
    })
}

/// Refuses a table that is not, or no longer, that of the contract.
pub(super) async fn still_same(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<(), PortError> {
    match client.table(table).await? {
        Some(found) => same(client, table, contract, &found),
        None => Err(about(client, table, PortErrorKind::Config, GONE)),
    }
}

/// Every way in which a table is not, or no longer, that of the contract.
pub(super) async fn wrong(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<Vec<String>, PortError> {
    let found = client.table(table).await?;
    Ok(found.map_or_else(
        || vec![GONE.to_owned()],
        |found| unlike(table, contract, &found),
    ))
}

const GONE: &str = "there is no such table any more";

/// Makes the dataset if it is absent; refuses one that is elsewhere.
pub(super) async fn dataset(client: &Client) -> Result<(), PortError> {
    if located(client).await?.is_some() {
        return Ok(());
    }
    client.create_dataset().await?;
    tracing::info!(
        dataset = client.place(),
        location = client.location,
        "the dataset was created"
    );
    match located(client).await? {
        Some(_) => Ok(()),
        None => elsewhere(client, ""),
    }
}

/// Where the dataset is, if there is one; refuses one that is elsewhere than the run says.
pub(super) async fn located(client: &Client) -> Result<Option<String>, PortError> {
    match client.dataset_location().await? {
        Some(found) if !found.eq_ignore_ascii_case(&client.location) => elsewhere(client, &found),
        found => Ok(found),
    }
}

fn elsewhere<T>(client: &Client, found: &str) -> Result<T, PortError> {
    let (place, wanted) = (client.place(), &client.location);
    let what = format!("dataset {place} is in {found}, the run asks for {wanted}");
    Err(PortError::new(PortErrorKind::Config, what).hint(format!(
        "write bigquery://{}/{}?location={found}, or take another dataset; the staging bucket must be there too",
        client.project, client.dataset
    )))
}

pub(super) fn is_by_month(found: &TableSaid) -> bool {
    let by = found.time_partitioning.as_ref();
    by.is_some_and(|by| by.kind == "MONTH" && by.field.as_deref() == Some(PARTITION_COLUMN))
}

/// The end of a table or of its months, one sentence each; empty when both stay for good.
fn ends(found: &TableSaid) -> Vec<String> {
    let is_set = |text: &&String| text.as_str() != "0";
    let by = found.time_partitioning.as_ref();
    let months = by.and_then(|by| by.expiration_ms.as_ref()).filter(is_set);
    let months = months.map(|age| match age.parse::<u64>() {
        Ok(age) => format!("BigQuery deletes its months after {} days", age / DAY_MS),
        Err(_) => "BigQuery deletes its months after some time".to_owned(),
    });
    let whole = found.expiration_time.as_ref().filter(is_set).map(|at| {
        let at = at.parse().ok().and_then(DateTime::from_timestamp_millis);
        let at = at.map_or_else(String::new, |at| format!(" on {}", at.date_naive()));
        format!("BigQuery deletes the table{at}")
    });
    months.into_iter().chain(whole).collect()
}

/// Every way in which a table is not that of the contract. Only a table of a trial may end.
fn unlike(table: &str, contract: &Contract, found: &TableSaid) -> Vec<String> {
    if !is_by_month(found) {
        let what = format!("the table is not partitioned by month on `{PARTITION_COLUMN}`");
        return vec![what];
    }
    let columns: Vec<TableColumn> = found.schema.fields.iter().map(column).collect();
    let mut said = differences(contract, &columns);
    if !table.starts_with(TRIAL_PREFIX) {
        said.extend(ends(found));
    }
    said
}

fn same(
    client: &Client,
    table: &str,
    contract: &Contract,
    found: &TableSaid,
) -> Result<(), PortError> {
    let said = unlike(table, contract, found);
    if said.is_empty() {
        return Ok(());
    }
    let hint = if said == ends(found) {
        let name = full_name(&client.project, &client.dataset, table);
        format!(
            "a closed month must stay; run this, then run again: {}",
            client.command(&keep(&name))
        )
    } else {
        "nothing was dropped or loaded: migrate the table to the contract, or move it away with ALTER TABLE … RENAME TO"
            .to_owned()
    };
    Err(about(client, table, PortErrorKind::Corrupt, said.join("; ")).hint(hint))
}

/// A column with its type as `INFORMATION_SCHEMA` writes it: the interface has the older names of some.
fn column(field: &FieldSaid) -> TableColumn {
    let name = match field.kind.as_str() {
        "INTEGER" => "INT64",
        "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        other => other,
    };
    let scale = field.scale.as_deref().unwrap_or("0");
    let mode = field.mode.as_deref();
    TableColumn {
        name: field.name.clone(),
        data_type: match &field.precision {
            _ if mode == Some("REPEATED") => format!("ARRAY<{name}>"),
            Some(precision) => format!("{name}({precision}, {scale})"),
            None => name.to_owned(),
        },
        nullable: mode != Some("REQUIRED"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_compared_in_the_words_of_the_contract() {
        let said = |text: &str| column(&serde_json::from_str(text).unwrap());
        let whole = said(r#"{"name":"n","type":"INTEGER","mode":"REQUIRED"}"#);
        assert_eq!((whole.data_type.as_str(), whole.nullable), ("INT64", false));
        let exact = said(r#"{"name":"a","type":"BIGNUMERIC","precision":"38","scale":"20"}"#);
        assert_eq!(
            (exact.data_type.as_str(), exact.nullable),
            ("BIGNUMERIC(38, 20)", true)
        );
        let no_scale = said(r#"{"name":"a","type":"NUMERIC","precision":"29","mode":"NULLABLE"}"#);
        assert_eq!(no_scale.data_type, "NUMERIC(29, 0)");
        assert_eq!(
            said(r#"{"name":"a","type":"NUMERIC"}"#).data_type,
            "NUMERIC"
        );
        let repeated = said(r#"{"name":"a","type":"STRING","mode":"REPEATED"}"#);
        assert_eq!(repeated.data_type, "ARRAY<STRING>");
    }

    #[test]
    fn a_table_that_ends_says_when_and_one_that_stays_says_nothing() {
        let said = |text: &str| ends(&serde_json::from_str(text).unwrap());
        let both = r#"{"expirationTime":"1735689600000","timePartitioning":{"type":"MONTH","expirationMs":"5184000000"}}"#;
        assert_eq!(
            said(both),
            [
                "BigQuery deletes its months after 60 days",
                "BigQuery deletes the table on 2025-01-01"
            ]
        );
        for stays in [
            "{}",
            r#"{"timePartitioning":{"type":"MONTH"}}"#,
            r#"{"expirationTime":null,"timePartitioning":{"type":"MONTH","expirationMs":"0"}}"#,
        ] {
            assert_eq!(said(stays), Vec::<String>::new(), "{stays}");
        }
    }
}
