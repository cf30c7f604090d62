//! The SQL Server adapter against the wire: types, questions, and every way in which a source can fail.

mod failures;
mod losses;
mod questions;
mod refusing;
mod types;
mod undescribed;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use soxauto::adapters::mssql::MssqlSource;
use soxauto::domain::limits::Limits;
use soxauto::domain::query::BoundQuery;
use soxauto::ports::{BatchStream, PortError, Secret, Snapshot, Source};
use soxauto::sandbox::server::{Credentials, Server, ServerConfig, Trust};
use soxauto::sandbox::tds::fixed::FixedEngine;
use soxauto::sandbox::wire::{ColumnMeta, SqlEngine};

pub(crate) const LOGIN: Credentials<'static> = Credentials {
    user: "reader",
    password: "S3cret};x",
    database: "NAV",
};

const IDENTITY: &str =
    "SELECT @@SERVERNAME AS server, @@VERSION AS version, SUSER_SNAME() AS login";

const SETTINGS: &str = "SELECT d.name, d.snapshot_isolation_state, d.collation_name, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'INSERT') AS may_insert, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'UPDATE') AS may_update, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'DELETE') AS may_delete, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'ALTER') AS may_alter, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'EXECUTE') AS may_execute, \
    HAS_PERMS_BY_NAME(N'[NAV]', 'DATABASE', 'CONTROL') AS may_control \
    FROM sys.databases AS d WHERE d.name = N'NAV'";

pub(crate) fn column(name: &str, sql_type: &str) -> ColumnMeta {
    ColumnMeta {
        name: name.to_owned(),
        sql_type: sql_type.parse().unwrap(),
        nullable: true,
    }
}

pub(crate) fn batch(arrays: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = arrays
        .iter()
        .enumerate()
        .map(|(i, a)| Field::new(format!("c{i}"), a.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn number(value: i32) -> ArrayRef {
    Arc::new(Int32Array::from(vec![value]))
}

/// What the adapter asks after a refusal to describe: is the transaction open, and can it go on.
const STANDING: &str = "SELECT @@TRANCOUNT AS [transactions], XACT_STATE() AS [state]";

/// An engine that answers what the adapter asks when it opens a view on database NAV.
pub(crate) fn engine(snapshot_state: i32, may_insert: i32) -> FixedEngine {
    let identity = vec![
        text("FIN-SQL"),
        text("Microsoft SQL Server 2019\nmore"),
        text("reader"),
    ];
    let mut settings = vec![
        text("NAV"),
        number(snapshot_state),
        text("Latin1_General_100_CI_AS"),
        number(may_insert),
    ];
    settings.extend((0..5).map(|_| number(0)));
    let mut settings_columns = vec![
        column("name", "sysname"),
        column("snapshot_isolation_state", "int"),
        column("collation_name", "sysname"),
    ];
    settings_columns.extend(
        ["insert", "update", "delete", "alter", "execute", "control"].map(|r| column(r, "int")),
    );
    FixedEngine::new()
        .with_login(LOGIN.user, LOGIN.password)
        .on_rows(
            IDENTITY,
            vec![
                column("server", "nvarchar(128)"),
                column("version", "nvarchar(300)"),
                column("login", "sysname"),
            ],
            batch(identity),
        )
        .on_rows(SETTINGS, settings_columns, batch(settings))
}

async fn serve(engine: impl SqlEngine, config: ServerConfig) -> Server {
    Server::start(config, Arc::new(engine)).await.unwrap()
}

fn limits() -> Limits {
    Limits {
        open_attempts_max: 2,
        open_backoff_first: std::time::Duration::from_millis(5),
        ..Limits::default()
    }
}

fn source(server: &Server) -> MssqlSource {
    MssqlSource::new(
        &Secret::new(server.odbc_string(&LOGIN, Trust::Any)),
        limits(),
        2,
    )
    .unwrap()
}

async fn open(server: &Server) -> Result<Box<dyn Snapshot>, PortError> {
    source(server).open(&["NAV".to_owned()]).await
}

fn query(text: &str) -> BoundQuery {
    BoundQuery {
        text: text.to_owned(),
        params: Vec::new(),
    }
}

async fn collect(mut stream: BatchStream) -> Result<Vec<RecordBatch>, (u64, PortError)> {
    let mut batches = Vec::new();
    while let Some(batch) = stream.batches.recv().await {
        match batch {
            Ok(batch) => batches.push(batch),
            Err(error) => {
                let rows = batches
                    .iter()
                    .map(|b: &RecordBatch| u64::try_from(b.num_rows()).unwrap())
                    .sum();
                return Err((rows, error));
            }
        }
    }
    Ok(batches)
}
