//! Remote procedure calls and the statements that clients prepare.
//!
//! It must never keep more than [`PREPARED_MAX`] statements for one connection.

use std::collections::HashMap;

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{SqlError, SqlParam};

use super::connection::Connection;
use super::packet::TdsError;
use super::response::{End, Finished, Style, Tail};
use super::rpc::{Call, Procedure, bare_name, bind, int_arg, parse_declarations, text_arg};
use super::value::internal;

/// Statements that one connection may keep prepared; clients of the tests keep a handful.
const PREPARED_MAX: usize = 1_000;

/// A statement with its declared parameters.
#[derive(Debug, Clone)]
struct Statement {
    sql: String,
    declared: Vec<(String, SqlType)>,
}

/// The prepared statements of a connection.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    statements: HashMap<i32, Statement>,
    last_handle: i32,
}

impl Prepared {
    fn add(&mut self, statement: Statement) -> Result<i32, SqlError> {
        if self.statements.len() >= PREPARED_MAX {
            return Err(internal(format!(
                "more than {PREPARED_MAX} prepared statements"
            )));
        }
        self.last_handle = self.last_handle.wrapping_add(1);
        self.statements.insert(self.last_handle, statement);
        Ok(self.last_handle)
    }

    fn handle(&self, param: Option<&SqlParam>) -> Result<i32, SqlError> {
        let wanted = param.and_then(int_arg);
        wanted
            .and_then(|wanted| i32::try_from(wanted).ok())
            .filter(|handle| self.statements.contains_key(handle))
            .ok_or_else(|| {
                let shown = wanted.unwrap_or(0);
                let text = format!("Could not find prepared statement with handle {shown}.");
                SqlError {
                    number: 8179,
                    state: 2,
                    ..internal(text)
                }
            })
    }
}

/// What a call comes down to.
enum Plan {
    Nothing,
    Describe {
        sql: String,
        declared: Vec<(String, SqlType)>,
    },
    Run {
        sql: String,
        params: Vec<SqlParam>,
    },
}

impl Connection {
    /// Runs the calls of one message in order; the first error ends the answer.
    pub(super) async fn calls(&mut self, calls: Vec<Call>) -> Result<Finished, TdsError> {
        let count = calls.len();
        for (at, call) in calls.into_iter().enumerate() {
            let mut tail = Tail {
                more: at + 1 < count,
                ..Tail::default()
            };
            let finished = match plan(self.prepared(), &call, &mut tail) {
                Err(error) => self.fail(&error, Style::Procedure).await?,
                Ok(Plan::Nothing) => {
                    self.answer(Style::Procedure)
                        .finish(End::Complete, &tail)
                        .await?
                }
                Ok(Plan::Describe { sql, declared }) => self.describe(sql, declared, &tail).await?,
                Ok(Plan::Run { sql, params }) => {
                    self.statement(sql, params, Style::Procedure, &tail).await?
                }
            };
            if finished != Finished::More {
                return Ok(finished);
            }
        }
        self.fail(
            &internal("empty procedure call".to_owned()),
            Style::Procedure,
        )
        .await
    }
}

/// Resolves a call and keeps the books of prepared statements.
fn plan(prepared: &mut Prepared, call: &Call, tail: &mut Tail) -> Result<Plan, SqlError> {
    let params = call.params.as_slice();
    match &call.procedure {
        Procedure::ExecuteSql => {
            let statement = statement(params.first(), params.get(1))?;
            Ok(run(&statement, params.get(2..).unwrap_or_default()))
        }
        Procedure::Prepare => {
            let statement = statement(params.get(2), params.get(1))?;
            tail.handle = Some(new_handle(prepared, statement.clone(), params.first())?);
            Ok(Plan::Describe {
                sql: statement.sql,
                declared: statement.declared,
            })
        }
        Procedure::PrepExec => {
            let statement = statement(params.get(2), params.get(1))?;
            tail.handle = Some(new_handle(prepared, statement.clone(), params.first())?);
            Ok(run(&statement, params.get(3..).unwrap_or_default()))
        }
        Procedure::Execute => {
            let handle = prepared.handle(params.first())?;
            let missing = || internal("prepared statement lost".to_owned());
            let statement = prepared.statements.get(&handle).ok_or_else(missing)?;
            Ok(run(statement, params.get(1..).unwrap_or_default()))
        }
        Procedure::Unprepare => {
            let handle = prepared.handle(params.first())?;
            prepared.statements.remove(&handle);
            Ok(Plan::Nothing)
        }
        Procedure::Named(name) => Ok(named(name, params)),
        Procedure::Number(number) => Err(internal(format!(
            "the sandbox has no system procedure number {number}"
        ))),
    }
}

fn statement(sql: Option<&SqlParam>, declared: Option<&SqlParam>) -> Result<Statement, SqlError> {
    let missing = || SqlError {
        number: 214,
        ..internal(
            "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.".to_owned(),
        )
    };
    Ok(Statement {
        sql: sql.and_then(text_arg).ok_or_else(missing)?.to_owned(),
        declared: declared
            .and_then(text_arg)
            .map(parse_declarations)
            .unwrap_or_default(),
    })
}

fn new_handle(
    prepared: &mut Prepared,
    statement: Statement,
    output: Option<&SqlParam>,
) -> Result<(u16, String, i32), SqlError> {
    let name = output.map(|param| param.name.clone()).unwrap_or_default();
    Ok((0, name, prepared.add(statement)?))
}

fn run(statement: &Statement, values: &[SqlParam]) -> Plan {
    Plan::Run {
        sql: statement.sql.clone(),
        params: bind(values, &statement.declared),
    }
}

/// Any other procedure goes to the engine as `EXEC name @a, @b`, with its arguments as parameters.
fn named(name: &str, params: &[SqlParam]) -> Plan {
    const DESCRIBE: &str = "sp_describe_first_result_set";
    let known: &[&str] = match bare_name(name).as_str() {
        DESCRIBE => &["@tsql", "@params", "@browse_information_mode"],
        _ => &[],
    };
    let name = if known.is_empty() {
        name.to_owned()
    } else {
        format!("sys.{DESCRIBE}")
    };
    let mut arguments = Vec::new();
    let mut bound = Vec::new();
    for (at, param) in params.iter().enumerate() {
        let mut param = param.clone();
        let by_position = param.name.is_empty()
            || known
                .get(at)
                .is_some_and(|known| known.eq_ignore_ascii_case(&param.name));
        if param.name.is_empty() {
            param.name = known
                .get(at)
                .map_or_else(|| format!("@P{}", at + 1), |n| (*n).to_owned());
        }
        arguments.push(match by_position {
            true => param.name.clone(),
            false => format!("{0} = {0}", param.name),
        });
        bound.push(param);
    }
    let sql = format!("EXEC {name} {}", arguments.join(", "));
    Plan::Run {
        sql: sql.trim_end().to_owned(),
        params: bound,
    }
}
