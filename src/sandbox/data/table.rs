//! Tables as the engine reads them: declared SQL types and immutable Arrow batches, shared by `Arc`.
//!
//! A [`Tables`] value is one version of all databases; a writer makes a new version and shares the unchanged tables.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::domain::sql_type::SqlType;
use crate::sandbox::tsql::error::{SqlResult, internal};
use crate::sandbox::tsql::types::arrow_type;

/// A column as a `CREATE TABLE` would declare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in the spelling of the source.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
    /// Whether nulls are allowed.
    pub nullable: bool,
}

/// One table (or view) with its rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// Database, schema and name.
    pub name: [String; 3],
    /// Declared columns, in order.
    pub columns: Vec<Column>,
    /// The Arrow schema of the batches.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// True when people know it as a view.
    pub is_view: bool,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// True when the three names are this table's, in any case.
    pub fn is_named(&self, database: &str, schema: &str, table: &str) -> bool {
        let [d, s, t] = &self.name;
        d.eq_ignore_ascii_case(database)
            && s.eq_ignore_ascii_case(schema)
            && t.eq_ignore_ascii_case(table)
    }
}

/// The declaration of a table: names, then `(column, type, nullable)`.
pub(crate) struct TableDef {
    pub(crate) name: [&'static str; 3],
    pub(crate) columns: &'static [(&'static str, &'static str, bool)],
    pub(crate) is_view: bool,
}

impl TableDef {
    /// The declared columns with their types read.
    pub(crate) fn columns(&self) -> SqlResult<Vec<Column>> {
        self.columns
            .iter()
            .map(|(name, ty, nullable)| {
                Ok(Column {
                    name: (*name).to_owned(),
                    sql_type: ty.parse().map_err(internal)?,
                    nullable: *nullable,
                })
            })
            .collect()
    }

    /// The Arrow schema of the declared columns.
    pub(crate) fn schema(&self) -> SqlResult<SchemaRef> {
        schema_of(&self.columns()?)
    }

    /// A table of this declaration.
    pub(crate) fn table(&self, batches: Vec<RecordBatch>) -> SqlResult<Table> {
        let columns = self.columns()?;
        Ok(Table {
            name: self.name.map(str::to_owned),
            schema: schema_of(&columns)?,
            columns,
            batches,
            is_view: self.is_view,
        })
    }

    /// A table of one batch.
    pub(crate) fn table_of(&self, arrays: Vec<ArrayRef>) -> SqlResult<Table> {
        let batch = RecordBatch::try_new(self.schema()?, arrays).map_err(internal)?;
        self.table(vec![batch])
    }
}

/// The Arrow schema that carries `columns`.
pub(crate) fn schema_of(columns: &[Column]) -> SqlResult<SchemaRef> {
    let fields: SqlResult<Vec<Field>> = columns
        .iter()
        .map(|c| Ok(Field::new(&c.name, arrow_type(&c.sql_type)?, c.nullable)))
        .collect();
    Ok(Arc::new(Schema::new(fields?)))
}

/// One immutable version of every database.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Number of the version; a later one is larger.
    pub version: u64,
    /// All tables of all databases.
    pub all: Vec<Arc<Table>>,
}

impl Tables {
    /// Finds a table by its three names, in any case.
    pub fn find(&self, database: &str, schema: &str, table: &str) -> Option<&Arc<Table>> {
        self.all
            .iter()
            .find(|t| t.is_named(database, schema, table))
    }

    /// The databases in the order of their first table, in their own spelling.
    pub fn databases(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for table in &self.all {
            let [database, ..] = &table.name;
            if !names.contains(&database.as_str()) {
                names.push(database);
            }
        }
        names
    }

    /// A next version in which `tables` replace those of the same names or are added.
    #[must_use]
    pub fn with(&self, tables: Vec<Table>) -> Self {
        let mut all = self.all.clone();
        for table in tables {
            let [d, s, t] = table.name.clone();
            let table = Arc::new(table);
            match all.iter_mut().find(|old| old.is_named(&d, &s, &t)) {
                Some(old) => *old = table,
                None => all.push(table),
            }
        }
        Self {
            version: self.version.saturating_add(1),
            all,
        }
    }
}
