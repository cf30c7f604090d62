//! Opens one consistent view: who am I, what may I, and can all databases be read in one SNAPSHOT.

use chrono::DateTime;
use futures::TryStreamExt;
use tiberius::{ColumnData, Query, QueryItem, Row};

use crate::domain::amount::Amount;
use crate::domain::limits::Limits;
use crate::domain::query::{BoundQuery, ParamValue};
use crate::ports::{
    AccessEvidence, Cell, Consistency, DatabaseAccess, PortError, PortErrorKind, SmallTable,
};

use super::connect::Wire;
use super::convert::{self, CellError};
use super::guard::Deadline;

/// Rights that would let the login change something.
const WRITE_RIGHTS: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "ALTER", "EXECUTE", "CONTROL"];

/// A view that is open, and what is known of it.
pub(super) struct Opened {
    pub(super) consistency: Consistency,
    pub(super) access: AccessEvidence,
}

/// Asks for identity and rights, then begins the snapshot where every database allows it.
pub(super) async fn open(
    client: &mut Wire,
    databases: &[String],
    limits: &Limits,
) -> Result<Opened, PortError> {
    let identity = ask(
        client,
        "SELECT @@SERVERNAME AS server, @@VERSION AS version, SUSER_SNAME() AS login",
        limits,
    )
    .await?;
    let text = |table: &SmallTable, column: usize| match table
        .rows
        .first()
        .and_then(|row| row.get(column))
    {
        Some(Cell::Text(text)) => text.clone(),
        _ => "unknown".to_owned(),
    };
    let mut found = Vec::with_capacity(databases.len());
    for name in databases {
        let settings = ask(client, &settings_question(name), limits).await?;
        found.push(database(name, &settings)?);
    }
    let snapshot = !found.is_empty() && found.iter().all(|database| database.snapshot_allowed);
    if snapshot {
        command(client, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", limits).await?;
        command(client, "BEGIN TRANSACTION", limits).await?;
    } else {
        command(
            client,
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            limits,
        )
        .await?;
    }
    let access = AccessEvidence {
        server: text(&identity, 0),
        server_version: text(&identity, 1)
            .lines()
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        login: text(&identity, 2),
        isolation_level: if snapshot {
            "SNAPSHOT"
        } else {
            "READ COMMITTED"
        }
        .to_owned(),
        databases: found,
    };
    let consistency = if snapshot {
        Consistency::Snapshot
    } else {
        Consistency::Bracketed
    };
    Ok(Opened {
        consistency,
        access,
    })
}

fn settings_question(database: &str) -> String {
    let text = |text: &str| format!("N'{}'", text.replace('\'', "''"));
    let (literal, quoted) = (
        text(database),
        text(&format!("[{}]", database.replace(']', "]]"))),
    );
    let rights: Vec<String> = WRITE_RIGHTS
        .iter()
        .map(|right| {
            let name = right.to_ascii_lowercase();
            format!("HAS_PERMS_BY_NAME({quoted}, 'DATABASE', '{right}') AS may_{name}")
        })
        .collect();
    format!(
        "SELECT d.name, d.snapshot_isolation_state, d.collation_name, {} FROM sys.databases AS d WHERE d.name = {literal}",
        rights.join(", "),
    )
}

fn database(name: &str, settings: &SmallTable) -> Result<DatabaseAccess, PortError> {
    let is_it = |row: &&Vec<Cell>| matches!(row.first(), Some(Cell::Text(text)) if text.eq_ignore_ascii_case(name));
    let row = settings.rows.iter().find(is_it).ok_or_else(|| {
        PortError::new(
            PortErrorKind::Denied,
            format!("database [{name}] does not exist there, or the login cannot see it"),
        )
        .hint("compare the item's databases with the server, and grant the login CONNECT")
    })?;
    let number = |index: usize| match row.get(index) {
        Some(Cell::Int(value)) => Some(*value),
        Some(Cell::Bool(value)) => Some(i64::from(*value)),
        _ => None,
    };
    let answers: Vec<Option<i64>> = (0..WRITE_RIGHTS.len()).map(|i| number(3 + i)).collect();
    let write_rights = answers.iter().all(Option::is_some).then(|| {
        WRITE_RIGHTS
            .iter()
            .zip(&answers)
            .filter(|(_, has)| **has == Some(1))
            .map(|(right, _)| (*right).to_owned())
            .collect()
    });
    Ok(DatabaseAccess {
        name: name.to_owned(),
        snapshot_allowed: number(1) == Some(1),
        collation: match row.get(2) {
            Some(Cell::Text(text)) => text.clone(),
            _ => "unknown".to_owned(),
        },
        write_rights,
    })
}

async fn ask(client: &mut Wire, sql: &str, limits: &Limits) -> Result<SmallTable, PortError> {
    let query = BoundQuery {
        text: sql.to_owned(),
        params: Vec::new(),
    };
    small_table(client, &query, limits.small_rows_max, limits).await
}

/// A statement without a result.
pub(super) async fn command(
    client: &mut Wire,
    sql: &str,
    limits: &Limits,
) -> Result<(), PortError> {
    let mut deadline = Deadline::new(limits);
    let mut stream = deadline.first(client.simple_query(sql)).await?;
    while deadline.next(stream.try_next()).await?.is_some() {}
    Ok(())
}

/// Runs a query with its values bound, and collects at most `rows_max` rows.
pub(super) async fn small_table(
    client: &mut Wire,
    query: &BoundQuery,
    rows_max: usize,
    limits: &Limits,
) -> Result<SmallTable, PortError> {
    let mut deadline = Deadline::new(limits);
    let mut stream = deadline.first(bound(query).query(client)).await?;
    let mut table = SmallTable::default();
    while let Some(item) = deadline.next(stream.try_next()).await? {
        match item {
            QueryItem::Metadata(meta) if meta.result_index() == 0 => {
                table.columns = meta
                    .columns()
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect();
            }
            QueryItem::Metadata(_) => return Err(second_result()),
            QueryItem::Row(_) if table.rows.len() == rows_max => {
                return Err(PortError::new(
                    PortErrorKind::Limit,
                    format!("the answer has more than {rows_max} rows"),
                ));
            }
            QueryItem::Row(row) => table.rows.push(cells(row)?),
        }
    }
    Ok(table)
}

/// Two result sets cannot both be the item.
pub(super) fn second_result() -> PortError {
    PortError::new(
        PortErrorKind::Query,
        "the query returns more than one result set",
    )
    .hint("a query file holds one SELECT behind its params block")
}

/// The statement with its values bound as typed parameters.
pub(super) fn bound(query: &BoundQuery) -> Query<'_> {
    let mut bound = Query::new(query.text.as_str());
    for param in &query.params {
        match &param.value {
            ParamValue::Date(date) => bound.bind(*date),
            ParamValue::Int(number) => bound.bind(*number),
            ParamValue::Text(text) => bound.bind(text.as_str()),
            ParamValue::Null => bound.bind(Option::<&str>::None),
        }
    }
    bound
}

fn cells(row: Row) -> Result<Vec<Cell>, PortError> {
    let names: Vec<String> = row
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    row.into_iter()
        .zip(names)
        .map(|(cell, name)| small_cell(cell, &name))
        .collect()
}

fn small_cell(cell: ColumnData<'static>, name: &str) -> Result<Cell, PortError> {
    let unsupported = || {
        PortError::new(
            PortErrorKind::Unsupported,
            format!("column [{name}] has a type that small answers do not use"),
        )
    };
    let moment = |micros: Result<i64, CellError>| {
        let micros = micros.map_err(|_| unsupported())?;
        let moment = DateTime::from_timestamp_micros(micros).ok_or_else(unsupported)?;
        Ok::<_, PortError>(moment.naive_utc())
    };
    Ok(match cell {
        ColumnData::DateTime(Some(value)) => Cell::DateTime(moment(convert::datetime(value))?),
        ColumnData::SmallDateTime(Some(value)) => {
            Cell::DateTime(moment(convert::small_datetime(value))?)
        }
        ColumnData::DateTime2(Some(value)) => Cell::DateTime(moment(convert::datetime2(value))?),
        ColumnData::Date(Some(value)) => {
            let micros = convert::date(value).map(|days| i64::from(days) * convert::DAY_MICROS);
            Cell::Date(moment(micros)?.date())
        }
        ColumnData::U8(Some(value)) => Cell::Int(i64::from(value)),
        ColumnData::I16(Some(value)) => Cell::Int(i64::from(value)),
        ColumnData::I32(Some(value)) => Cell::Int(i64::from(value)),
        ColumnData::I64(Some(value)) => Cell::Int(value),
        ColumnData::Bit(Some(value)) => Cell::Bool(value),
        ColumnData::String(Some(value)) => Cell::Text(value.into_owned()),
        ColumnData::Numeric(Some(value)) => {
            Cell::Decimal(Amount::new(value.value(), value.scale()).map_err(|_| unsupported())?)
        }
        ColumnData::Binary(Some(value)) => Cell::Bytes(value.into_owned()),
        ColumnData::U8(None)
        | ColumnData::I16(None)
        | ColumnData::I32(None)
        | ColumnData::I64(None)
        | ColumnData::Bit(None)
        | ColumnData::String(None)
        | ColumnData::Numeric(None)
        | ColumnData::Binary(None)
        | ColumnData::DateTime(None)
        | ColumnData::SmallDateTime(None)
        | ColumnData::DateTime2(None)
        | ColumnData::Date(None) => Cell::Null,
        _ => return Err(unsupported()),
    })
}
