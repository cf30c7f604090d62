//! `INFORMATION_SCHEMA.TABLES` and `INFORMATION_SCHEMA.COLUMNS`.

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::Column;
use crate::sandbox::engine::catalog::StatementCatalog;
use crate::sandbox::engine::facts::COLLATION;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::sysviews::{Rows, objects};
use crate::sandbox::tds::describe::TypeFacts;
use crate::sandbox::tsql::error::{SqlResult, internal};

pub(super) const INFO_TABLES: &[(&str, &str)] = &[
    ("TABLE_CATALOG", "nvarchar(128)"),
    ("TABLE_SCHEMA", "nvarchar(128)"),
    ("TABLE_NAME", "sysname"),
    ("TABLE_TYPE", "varchar(10)"),
];

pub(super) fn info_table_rows(catalog: &StatementCatalog<'_>, database: &str) -> Rows {
    objects(catalog, database)
        .map(|(_, table)| {
            let [database, schema, name] = table.name.clone();
            let kind = if table.is_view { "VIEW" } else { "BASE TABLE" };
            vec![
                Cell::text(database),
                Cell::text(schema),
                Cell::text(name),
                Cell::text(kind),
            ]
        })
        .collect()
}

pub(super) const INFO_COLUMNS: &[(&str, &str)] = &[
    ("TABLE_CATALOG", "nvarchar(128)"),
    ("TABLE_SCHEMA", "nvarchar(128)"),
    ("TABLE_NAME", "sysname"),
    ("COLUMN_NAME", "sysname"),
    ("ORDINAL_POSITION", "int"),
    ("COLUMN_DEFAULT", "nvarchar(4000)"),
    ("IS_NULLABLE", "varchar(3)"),
    ("DATA_TYPE", "nvarchar(128)"),
    ("CHARACTER_MAXIMUM_LENGTH", "int"),
    ("CHARACTER_OCTET_LENGTH", "int"),
    ("NUMERIC_PRECISION", "tinyint"),
    ("NUMERIC_SCALE", "int"),
    ("DATETIME_PRECISION", "smallint"),
    ("COLLATION_NAME", "sysname"),
];

pub(super) fn info_column_rows(catalog: &StatementCatalog<'_>, database: &str) -> SqlResult<Rows> {
    let mut rows = Rows::new();
    for (_, table) in objects(catalog, database) {
        let [database, schema, name] = &table.name;
        for (ordinal, column) in (1..).zip(&table.columns) {
            rows.push(info_column(database, schema, name, ordinal, column)?);
        }
    }
    Ok(rows)
}

fn info_column(
    database: &str,
    schema: &str,
    table: &str,
    ordinal: i64,
    column: &Column,
) -> SqlResult<Vec<Cell<'static>>> {
    let facts = TypeFacts::of(&column.sql_type);
    let text = column.sql_type.to_string();
    let base = text
        .split('(')
        .next()
        .ok_or_else(|| internal("a type without a name"))?;
    let when = |condition: bool, value: i64| {
        if condition {
            Cell::Int(value)
        } else {
            Cell::Null
        }
    };
    let date = matches!(
        column.sql_type,
        SqlType::DateTime
            | SqlType::SmallDateTime
            | SqlType::Date
            | SqlType::DateTime2(_)
            | SqlType::Time(_)
    );
    let number = !facts.collated && !date && facts.precision > 0 && column.sql_type != SqlType::Bit;
    let is_wide = matches!(column.sql_type, SqlType::NChar(_) | SqlType::NVarChar(_));
    let bytes = i64::from(facts.max_length);
    let chars = if is_wide && bytes > 0 {
        bytes / 2
    } else {
        bytes
    };
    Ok(vec![
        Cell::text(database),
        Cell::text(schema),
        Cell::text(table),
        Cell::text(column.name.as_str()),
        Cell::Int(ordinal),
        Cell::Null,
        Cell::text(if column.nullable { "YES" } else { "NO" }),
        Cell::text(base),
        when(facts.collated, chars),
        when(facts.collated, bytes),
        when(number, facts.precision.into()),
        when(number, facts.scale.into()),
        when(date, facts.scale.into()),
        if facts.collated {
            Cell::text(COLLATION)
        } else {
            Cell::Null
        },
    ])
}
