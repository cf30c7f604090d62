//! What names mean in one statement: the tables of one version, the system views, the server's facts.

use std::sync::Arc;

use datafusion::logical_expr::TableSource;

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::Table;
use crate::sandbox::engine::bind::Catalog;
use crate::sandbox::engine::facts;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::sysviews;
use crate::sandbox::engine::{Shared, Version, source_of};
use crate::sandbox::tsql::error::{SqlResult, error, unknown_table};

/// Isolation level SNAPSHOT on the wire.
pub(super) const SNAPSHOT: u8 = 5;

/// The catalog as one statement of one session sees it.
pub(super) struct StatementCatalog<'a> {
    pub(super) shared: &'a Shared,
    pub(super) version: Arc<Version>,
    pub(super) session: u16,
    pub(super) database: &'a str,
    pub(super) isolation: u8,
    pub(super) transactions: u32,
    pub(super) row_count: u64,
}

impl Catalog for StatementCatalog<'_> {
    fn table(
        &self,
        database: &str,
        schema: &str,
        name: &str,
    ) -> SqlResult<(Arc<Table>, Arc<dyn TableSource>)> {
        let database = if database.is_empty() {
            self.database
        } else {
            database
        };
        let database = self
            .shared
            .database(database)
            .ok_or_else(|| unknown_table(name))?;
        let schema = if schema.is_empty() { "dbo" } else { schema };
        if let Some(table) = sysviews::view(self, &database, schema, name)? {
            let source = source_of(&table, 1)?;
            return Ok((Arc::new(table), source));
        }
        let position = self
            .version
            .tables
            .all
            .iter()
            .position(|t| t.is_named(&database, schema, name));
        let found = position.and_then(|at| {
            Some((
                self.version.tables.all.get(at)?,
                self.version.sources.get(at)?,
            ))
        });
        let (table, source) = found.ok_or_else(|| unknown_table(name))?;
        if self.isolation == SNAPSHOT && !self.shared.config.snapshot_allowed {
            let text = format!(
                "Snapshot isolation transaction failed accessing database '{database}' because snapshot isolation is \
                 not allowed in this database. Use ALTER DATABASE to allow snapshot isolation."
            );
            return Err(error(3952, 16, text));
        }
        Ok((Arc::clone(table), Arc::clone(source)))
    }

    fn fact(
        &self,
        name: &str,
        arguments: &[Option<String>],
    ) -> SqlResult<(Cell<'static>, SqlType)> {
        facts::fact(self, name, arguments)
    }
}
