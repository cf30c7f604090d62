//! The system views that our program, drivers and people ask: `sys.*`, `INFORMATION_SCHEMA.*`.
//!
//! Made anew for every statement from the tables and sessions; only the columns that are asked for in practice.

use std::sync::PoisonError;

use crate::sandbox::data::table::schema_of;
use crate::sandbox::data::{Column, Table};
use crate::sandbox::engine::catalog::StatementCatalog;
use crate::sandbox::engine::facts::{COLLATION, permissions};
use crate::sandbox::engine::func::cell::{Cell, Writer};
use crate::sandbox::engine::infoschema::{
    INFO_COLUMNS, INFO_TABLES, info_column_rows, info_table_rows,
};
use crate::sandbox::tds::describe::TypeFacts;
use crate::sandbox::tsql::error::{SqlResult, internal};
use arrow::record_batch::RecordBatch;

pub(super) type Rows = Vec<Vec<Cell<'static>>>;

/// Id of the first generated object.
const FIRST_OBJECT: i64 = 100_000_001;

/// The view of these names, if it is one.
pub(super) fn view(
    catalog: &StatementCatalog<'_>,
    database: &str,
    schema: &str,
    name: &str,
) -> SqlResult<Option<Table>> {
    let (columns, rows): (&[(&str, &str)], Rows) = match (
        schema.to_ascii_lowercase().as_str(),
        name.to_ascii_lowercase().as_str(),
    ) {
        ("sys", "databases") => (DATABASES, database_rows(catalog)),
        ("sys", "dm_exec_sessions") => (SESSIONS, session_rows(catalog)),
        ("sys", "schemas") => (SCHEMAS, schema_rows(catalog, database)),
        ("sys", "tables" | "views" | "objects" | "all_objects") => {
            (OBJECTS, object_rows(catalog, database, name))
        }
        ("sys", "columns") => (COLUMNS, column_rows(catalog, database)?),
        ("information_schema", "tables") => (INFO_TABLES, info_table_rows(catalog, database)),
        ("information_schema", "columns") => (INFO_COLUMNS, info_column_rows(catalog, database)?),
        ("sys" | "dbo", "fn_my_permissions") => (PERMISSIONS, permission_rows(catalog)),
        _ => return Ok(None),
    };
    table(schema, name, columns, rows).map(Some)
}

/// A table of the given cells; every column may be null.
pub(super) fn table(
    schema: &str,
    name: &str,
    columns: &[(&str, &str)],
    rows: Rows,
) -> SqlResult<Table> {
    let columns: Vec<Column> = columns
        .iter()
        .map(|(name, ty)| {
            Ok(Column {
                name: (*name).to_owned(),
                sql_type: ty.parse().map_err(internal)?,
                nullable: true,
            })
        })
        .collect::<SqlResult<_>>()?;
    let arrow = schema_of(&columns)?;
    let mut arrays = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let mut writer = Writer::new(&column.sql_type)?;
        for row in &rows {
            writer.push(row.get(index).unwrap_or(&Cell::Null))?;
        }
        arrays.push(writer.finish());
    }
    let batch = RecordBatch::try_new(std::sync::Arc::clone(&arrow), arrays).map_err(internal)?;
    let name = [String::new(), schema.to_owned(), name.to_owned()];
    Ok(Table {
        name,
        columns,
        schema: arrow,
        batches: vec![batch],
        is_view: true,
    })
}

const DATABASES: &[(&str, &str)] = &[
    ("name", "sysname"),
    ("database_id", "int"),
    ("snapshot_isolation_state", "tinyint"),
    ("snapshot_isolation_state_desc", "nvarchar(60)"),
    ("is_read_committed_snapshot_on", "bit"),
    ("collation_name", "sysname"),
    ("compatibility_level", "tinyint"),
    ("state", "tinyint"),
    ("state_desc", "nvarchar(60)"),
    ("is_read_only", "bit"),
];

/// Ids and names of the databases.
pub(super) fn databases(catalog: &StatementCatalog<'_>) -> Vec<(i64, String)> {
    let user = catalog
        .version
        .tables
        .databases()
        .into_iter()
        .map(str::to_owned);
    let named = std::iter::once("master".to_owned()).chain(user);
    // 2 to 4 are tempdb, model and msdb, which the sandbox does not have.
    named
        .zip(std::iter::once(1).chain(5..))
        .map(|(name, id)| (id, name))
        .collect()
}

fn database_rows(catalog: &StatementCatalog<'_>) -> Rows {
    let allowed = catalog.shared.config.snapshot_allowed;
    databases(catalog)
        .into_iter()
        .map(|(id, name)| {
            let on = allowed || name == "master";
            vec![
                Cell::text(name),
                Cell::Int(id),
                Cell::Int(i64::from(on)),
                Cell::text(if on { "ON" } else { "OFF" }),
                Cell::Int(0),
                Cell::text(COLLATION),
                Cell::Int(150),
                Cell::Int(0),
                Cell::text("ONLINE"),
                Cell::Int(0),
            ]
        })
        .collect()
}

const SESSIONS: &[(&str, &str)] = &[
    ("session_id", "smallint"),
    ("host_name", "nvarchar(128)"),
    ("program_name", "nvarchar(128)"),
    ("login_name", "nvarchar(128)"),
    ("original_login_name", "nvarchar(128)"),
    ("transaction_isolation_level", "smallint"),
    ("database_id", "smallint"),
    ("is_user_process", "bit"),
    ("status", "nvarchar(30)"),
    ("client_interface_name", "nvarchar(32)"),
    ("language", "nvarchar(128)"),
];

fn session_rows(catalog: &StatementCatalog<'_>) -> Rows {
    let ids = databases(catalog);
    let sessions = catalog
        .shared
        .sessions
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    sessions
        .iter()
        .map(|(id, session)| {
            let database = ids
                .iter()
                .find(|(_, name)| *name == session.database)
                .map_or(1, |(id, _)| *id);
            vec![
                Cell::Int(i64::from(*id)),
                Cell::Null,
                Cell::text(session.program.as_str()),
                Cell::text(session.login.as_str()),
                Cell::text(session.login.as_str()),
                Cell::Int(i64::from(session.isolation)),
                Cell::Int(database),
                Cell::Int(1),
                Cell::text(if *id == catalog.session {
                    "running"
                } else {
                    "sleeping"
                }),
                Cell::text("TDS"),
                Cell::text("us_english"),
            ]
        })
        .collect()
}

const SCHEMAS: &[(&str, &str)] = &[
    ("name", "sysname"),
    ("schema_id", "int"),
    ("principal_id", "int"),
];

/// Schemas of a database with their ids.
fn schemas(catalog: &StatementCatalog<'_>, database: &str) -> Vec<(i64, String)> {
    let mut names = vec!["dbo".to_owned()];
    for table in &catalog.version.tables.all {
        let [own, schema, _] = &table.name;
        if own == database && !names.contains(schema) {
            names.push(schema.clone());
        }
    }
    (1..).zip(names).collect()
}

fn schema_rows(catalog: &StatementCatalog<'_>, database: &str) -> Rows {
    let rows = schemas(catalog, database).into_iter();
    rows.map(|(id, name)| vec![Cell::text(name), Cell::Int(id), Cell::Int(1)])
        .collect()
}

/// Tables of a database with their object ids.
pub(super) fn objects<'a>(
    catalog: &'a StatementCatalog<'_>,
    database: &'a str,
) -> impl Iterator<Item = (i64, &'a Table)> {
    let all = catalog.version.tables.all.iter().map(AsRef::as_ref);
    (FIRST_OBJECT..)
        .zip(all)
        .filter(move |(_, table)| table.name.first().is_some_and(|own| own == database))
}

const OBJECTS: &[(&str, &str)] = &[
    ("name", "sysname"),
    ("object_id", "int"),
    ("schema_id", "int"),
    ("type", "char(2)"),
    ("type_desc", "nvarchar(60)"),
    ("is_ms_shipped", "bit"),
];

fn object_rows(catalog: &StatementCatalog<'_>, database: &str, which: &str) -> Rows {
    let schemas = schemas(catalog, database);
    let wanted = |table: &Table| match which.to_ascii_lowercase().as_str() {
        "tables" => !table.is_view,
        "views" => table.is_view,
        _ => true,
    };
    objects(catalog, database)
        .filter(|(_, table)| wanted(table))
        .map(|(id, table)| {
            let [_, schema, name] = &table.name;
            let schema = schemas
                .iter()
                .find(|(_, own)| own == schema)
                .map_or(1, |(id, _)| *id);
            let (ty, text) = if table.is_view {
                ("V ", "VIEW")
            } else {
                ("U ", "USER_TABLE")
            };
            vec![
                Cell::text(name.as_str()),
                Cell::Int(id),
                Cell::Int(schema),
                Cell::text(ty),
                Cell::text(text),
                Cell::Int(0),
            ]
        })
        .collect()
}

const COLUMNS: &[(&str, &str)] = &[
    ("object_id", "int"),
    ("name", "sysname"),
    ("column_id", "int"),
    ("system_type_id", "tinyint"),
    ("user_type_id", "int"),
    ("max_length", "smallint"),
    ("precision", "tinyint"),
    ("scale", "tinyint"),
    ("collation_name", "sysname"),
    ("is_nullable", "bit"),
];

fn column_rows(catalog: &StatementCatalog<'_>, database: &str) -> SqlResult<Rows> {
    let mut rows = Rows::new();
    for (id, table) in objects(catalog, database) {
        for (ordinal, column) in (1..).zip(&table.columns) {
            let facts = TypeFacts::of(&column.sql_type);
            rows.push(vec![
                Cell::Int(id),
                Cell::text(column.name.as_str()),
                Cell::Int(ordinal),
                Cell::Int(facts.system_type_id.into()),
                Cell::Int(facts.system_type_id.into()),
                Cell::Int(facts.max_length.into()),
                Cell::Int(facts.precision.into()),
                Cell::Int(facts.scale.into()),
                if facts.collated {
                    Cell::text(COLLATION)
                } else {
                    Cell::Null
                },
                Cell::Int(i64::from(column.nullable)),
            ]);
        }
    }
    Ok(rows)
}

const PERMISSIONS: &[(&str, &str)] = &[
    ("entity_name", "sysname"),
    ("subentity_name", "sysname"),
    ("permission_name", "nvarchar(60)"),
];

fn permission_rows(catalog: &StatementCatalog<'_>) -> Rows {
    permissions(catalog.shared.config.read_only_login)
        .into_iter()
        .map(|name| vec![Cell::text("database"), Cell::text(""), Cell::text(name)])
        .collect()
}
