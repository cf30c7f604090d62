//! The two system procedures that clients call: `sp_describe_first_result_set` and `sp_executesql`.

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::Variables;
use crate::sandbox::engine::execute::{Stop, metas, send};
use crate::sandbox::engine::func::cast::cast;
use crate::sandbox::engine::func::cell::{Cell, single};
use crate::sandbox::engine::session::{Session, read_batch};
use crate::sandbox::tds::describe::described;
use crate::sandbox::tsql::batch::{Argument, Statement, parse_declarations};
use crate::sandbox::tsql::error::{SqlResult, denied, error, unsupported};
use crate::sandbox::wire::{ColumnMeta, Reply, ReplySender};

/// Procedures within procedures at most.
const NESTING_MAX: usize = 8;

impl Session {
    /// The value of a procedure's argument by name or position.
    fn argument(
        &mut self,
        arguments: &[Argument],
        name: &str,
        position: usize,
        variables: &Variables,
    ) -> SqlResult<Option<(SqlType, Cell<'static>)>> {
        let named = arguments.iter().find(|a| {
            a.name
                .as_deref()
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        });
        let found = named.or_else(|| arguments.get(position).filter(|a| a.name.is_none()));
        found
            .map(|argument| self.evaluate(&argument.value, None, variables))
            .transpose()
    }

    pub(super) async fn execute(
        &mut self,
        name: &str,
        arguments: &[Argument],
        variables: &Variables,
        out: &ReplySender,
        nesting: usize,
    ) -> Result<(), Stop> {
        let upper = name.to_ascii_uppercase();
        let base = upper.rsplit('.').next().unwrap_or_default();
        if nesting >= NESTING_MAX {
            return Err(Stop::Failed(error(
                217,
                16,
                "Maximum stored procedure nesting level exceeded.",
            )));
        }
        let text = |value: Option<(SqlType, Cell<'static>)>| match value {
            Some((_, Cell::Text(text))) => text.into_owned(),
            _ => String::new(),
        };
        match base {
            "SP_DESCRIBE_FIRST_RESULT_SET" => {
                let sql = text(self.argument(arguments, "@tsql", 0, variables)?);
                let params = text(self.argument(arguments, "@params", 1, variables)?);
                let columns = self.describe_text(&sql, &params).map_err(|e| {
                    let text = format!(
                        "The batch could not be analyzed because of compile errors: {}",
                        e.message
                    );
                    error(11_501, 16, text)
                })?;
                let (metas, rows) = described(&columns)?;
                send(out, Reply::Columns(metas)).await?;
                send(out, Reply::Rows(rows)).await?;
                let count = u64::try_from(columns.len()).unwrap_or(u64::MAX);
                self.counted(count, out).await
            }
            "SP_EXECUTESQL" => {
                let sql = text(self.argument(arguments, "@stmt", 0, variables)?);
                let declared =
                    parse_declarations(&text(self.argument(arguments, "@params", 1, variables)?))?;
                let mut inner = Variables::new();
                for (index, (name, ty)) in declared.into_iter().enumerate() {
                    let value = self.argument(arguments, &name, index + 2, variables)?;
                    let (from, cell) = value.unwrap_or((SqlType::Int, Cell::Null));
                    let cell = cast(cell, &from, &ty, None)?;
                    inner.insert(name.to_lowercase(), (ty.clone(), Some(single(&cell, &ty)?)));
                }
                Box::pin(self.batch(&sql, &mut inner, out, nesting + 1)).await
            }
            _ if self.shared.config.read_only_login && !base.starts_with("SP_") => {
                Err(Stop::Failed(denied("EXECUTE", name)))
            }
            _ => Err(Stop::Failed(error(
                2812,
                16,
                format!("Could not find stored procedure '{name}'."),
            ))),
        }
    }

    fn describe_text(&mut self, sql: &str, params: &str) -> SqlResult<Vec<ColumnMeta>> {
        let params = parse_declarations(params)?;
        self.first_result(sql, &params)
    }

    /// The columns of the first statement that returns rows; none when there is no such statement.
    pub(super) fn first_result(
        &mut self,
        sql: &str,
        params: &[(String, SqlType)],
    ) -> SqlResult<Vec<ColumnMeta>> {
        let mut variables: Variables = params
            .iter()
            .map(|(name, ty)| (name.to_lowercase(), (ty.clone(), None)))
            .collect();
        for statement in read_batch(sql)? {
            match statement {
                Statement::Query(query) => {
                    return self.bind(&query, &variables).map(|bound| metas(&bound));
                }
                Statement::Declare(list) => {
                    variables.extend(
                        list.into_iter()
                            .map(|d| (d.name.to_lowercase(), (d.sql_type, None))),
                    );
                }
                Statement::Write(action, object) => return Err(self.refuse_write(action, &object)),
                Statement::Execute(name, _)
                    if name
                        .to_ascii_uppercase()
                        .ends_with("SP_DESCRIBE_FIRST_RESULT_SET") =>
                {
                    return Ok(described(&[])?.0);
                }
                Statement::Execute(name, _) => {
                    return Err(unsupported(format!("describing a call of {name}")));
                }
                _ => {}
            }
        }
        Ok(Vec::new())
    }
}
