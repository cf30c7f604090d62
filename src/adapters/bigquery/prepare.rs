//! Making dataset and table, and refusing those that are not what they must be.
//!
//! Nothing that holds a row is changed or dropped here.

use super::client::{Client, FieldSaid, TableSaid, about};
use super::query;
use crate::domain::contract::Contract;
use crate::kernels::bigquery::full_name;
use crate::kernels::bigquery::table::{Making, PARTITION_COLUMN, TableColumn, create, differences};
use crate::ports::{Cell, PortError, PortErrorKind};

/// What a table by another name is called in the command that moves a legacy one away.
const LEGACY: &str = "_legacy";

/// Makes what is absent.
pub(super) async fn prepare(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<(), PortError> {
    dataset(client).await?;
    let making = match client.table(table).await? {
        None => Making::IfAbsent,
        Some(found) if is_by_month(&found) => return same(client, table, contract, &found),
        Some(found) => {
            refuse_filled(client, table, &found).await?;
            tracing::warn!(
                table,
                "an empty table without months is replaced; BigQuery keeps it for a week"
            );
            Making::InPlaceOfEmpty
        }
    };
    make(client, table, contract, making).await
}

/// Makes a table, and looks whether it is that of the contract then.
pub(super) async fn make(
    client: &Client,
    table: &str,
    contract: &Contract,
    making: Making,
) -> Result<(), PortError> {
    let name = full_name(&client.project, &client.dataset, table);
    let what = format!("creating table {}.{table}", client.place());
    query::ask(client, &what, &create(&name, contract, making), 0).await?;
    let made = client.table(table).await?.ok_or_else(|| {
        about(
            client,
            table,
            PortErrorKind::Corrupt,
            "the table was created and is not there",
        )
    })?;
    same(client, table, contract, &made)
}

/// Refuses a table that is not, or no longer, that of the contract.
pub(super) async fn still_same(
    client: &Client,
    table: &str,
    contract: &Contract,
) -> Result<(), PortError> {
    match client.table(table).await? {
        Some(found) => same(client, table, contract, &found),
        None => Err(about(
            client,
            table,
            PortErrorKind::Config,
            "there is no such table any more",
        )),
    }
}

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

fn is_by_month(found: &TableSaid) -> bool {
    let by = found.time_partitioning.as_ref();
    by.is_some_and(|by| by.kind == "MONTH" && by.field.as_deref() == Some(PARTITION_COLUMN))
}

/// Counts: what BigQuery says of a table's rows may be older than the last statement.
async fn refuse_filled(client: &Client, table: &str, found: &TableSaid) -> Result<(), PortError> {
    let kind = found.kind.as_deref().unwrap_or("TABLE");
    let is_table = kind == "TABLE";
    let rows = if is_table {
        let name = full_name(&client.project, &client.dataset, table);
        let what = format!("counting table {}.{table}", client.place());
        let sql = format!("SELECT COUNT(*) AS n FROM {name}");
        let answer = query::ask(client, &what, &sql, 1).await?;
        match answer.rows.first().map(Vec::as_slice) {
            Some([Cell::Int(rows)]) => *rows,
            _ => {
                let what = "the rows of the table could not be counted";
                return Err(about(client, table, PortErrorKind::Corrupt, what));
            }
        }
    } else {
        0
    };
    if is_table && rows == 0 {
        return Ok(());
    }
    let (project, place) = (&client.project, client.place());
    let (what, hint) = if is_table {
        (
            format!(
                "the table holds {rows} rows and is not partitioned by month on `{PARTITION_COLUMN}`; it was left as it is"
            ),
            format!(
                "move it away, then run again: bq query --project_id={project} --location={} --use_legacy_sql=false 'ALTER TABLE `{place}.{table}` RENAME TO `{table}{LEGACY}`'",
                client.location
            ),
        )
    } else {
        (
            format!("what has this name is a {kind}; it was left as it is"),
            "remove it, or take another dataset".to_owned(),
        )
    };
    Err(about(client, table, PortErrorKind::Corrupt, what).hint(hint))
}

fn same(
    client: &Client,
    table: &str,
    contract: &Contract,
    found: &TableSaid,
) -> Result<(), PortError> {
    if !is_by_month(found) {
        let what = format!("the table is not partitioned by month on `{PARTITION_COLUMN}`");
        return Err(about(client, table, PortErrorKind::Corrupt, what));
    }
    let columns: Vec<TableColumn> = found.schema.fields.iter().map(column).collect();
    let said = differences(contract, &columns);
    if said.is_empty() {
        return Ok(());
    }
    Err(about(client, table, PortErrorKind::Corrupt, said.join("; ")).hint(
        "nothing was dropped or loaded: migrate the table to the contract, or move it away with ALTER TABLE … RENAME TO",
    ))
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
}
