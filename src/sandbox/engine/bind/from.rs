//! FROM: tables by name, derived tables, common table expressions, joins, hints.

use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::{
    Expr as Ast, FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator,
    ObjectName, TableAlias, TableFactor, TableFunctionArgs, TableWithJoins, Values,
};

use crate::sandbox::engine::bind::convert::{coerce, common_type};
use crate::sandbox::engine::bind::{
    Binder, Bound, OutColumn, Scope, ScopeColumn, Typed, plan_error,
};
use crate::sandbox::tsql::error::{SqlResult, error, internal, syntax, unknown_table, unsupported};

type Relation = (LogicalPlan, Scope);

/// Table hints that change no answer over immutable tables.
const HINTS: [&str; 12] = [
    "NOLOCK",
    "READUNCOMMITTED",
    "READCOMMITTED",
    "REPEATABLEREAD",
    "SERIALIZABLE",
    "HOLDLOCK",
    "READPAST",
    "ROWLOCK",
    "PAGLOCK",
    "TABLOCK",
    "FORCESEEK",
    "FORCESCAN",
];

impl Binder<'_> {
    /// Binds FROM; without one there is one row.
    pub(super) fn from(&mut self, tables: &[TableWithJoins]) -> SqlResult<Relation> {
        let mut all: Option<Relation> = None;
        for table in tables {
            let next = self.joined(table)?;
            all = Some(match all {
                None => next,
                Some(left) => cross(left, next)?,
            });
        }
        match all {
            Some(relation) => Ok(relation),
            None => Ok((
                LogicalPlanBuilder::empty(true)
                    .build()
                    .map_err(plan_error)?,
                Scope::new(),
            )),
        }
    }

    fn joined(&mut self, table: &TableWithJoins) -> SqlResult<Relation> {
        let mut left = self.factor(&table.relation)?;
        for join in &table.joins {
            left = self.join(left, join)?;
        }
        Ok(left)
    }

    fn join(&mut self, left: Relation, join: &Join) -> SqlResult<Relation> {
        let right = self.factor(&join.relation)?;
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (JoinType::Inner, c),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (JoinType::Left, c),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (JoinType::Right, c),
            JoinOperator::FullOuter(c) => (JoinType::Full, c),
            JoinOperator::CrossJoin(_) => return cross(left, right),
            JoinOperator::CrossApply | JoinOperator::OuterApply => {
                return Err(unsupported("APPLY"));
            }
            _ => return Err(unsupported("this kind of join")),
        };
        let JoinConstraint::On(condition) = constraint else {
            return Err(syntax("a join without ON"));
        };
        let (left_plan, mut scope) = left;
        let (right_plan, mut right_scope) = right;
        if matches!(kind, JoinType::Left | JoinType::Full) {
            right_scope.iter_mut().for_each(|c| c.nullable = true);
        }
        if matches!(kind, JoinType::Right | JoinType::Full) {
            scope.iter_mut().for_each(|c| c.nullable = true);
        }
        scope.extend(right_scope);
        self.scopes.push(scope);
        let condition = self.expr(condition);
        let scope = self.scopes.pop().unwrap_or_default();
        let plan = LogicalPlanBuilder::from(left_plan)
            .join_on(right_plan, kind, [condition?.expr])
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)?;
        Ok((plan, scope))
    }

    fn factor(&mut self, factor: &TableFactor) -> SqlResult<Relation> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version: None,
                sample: None,
                partitions,
                ..
            } if partitions.is_empty() => {
                with_hints.iter().try_for_each(hint)?;
                self.named(name, alias.as_ref(), args.as_ref())
            }
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias,
                sample: None,
            } => {
                let alias = alias
                    .as_ref()
                    .ok_or_else(|| syntax("a derived table needs an alias"))?;
                let bound = self.query(subquery, false)?;
                self.derived(bound, &alias.name.value, &alias_columns(alias))
            }
            TableFactor::OpenJsonTable {
                json_expr,
                json_path: None,
                columns,
                alias,
            } => {
                let bound = self.open_json(json_expr, columns)?;
                let name = alias
                    .as_ref()
                    .map_or("OPENJSON", |a| a.name.value.as_str())
                    .to_owned();
                self.derived(bound, &name, &[])
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.joined(table_with_joins),
            other => Err(unsupported(format!("{other} in FROM"))),
        }
    }

    fn named(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        args: Option<&TableFunctionArgs>,
    ) -> SqlResult<Relation> {
        let parts: Vec<String> = name
            .0
            .iter()
            .map(|part| {
                part.as_ident()
                    .map(|ident| ident.value.clone())
                    .ok_or_else(|| syntax(name))
            })
            .collect::<SqlResult<_>>()?;
        let (database, schema, table) = match parts.as_slice() {
            [table] => ("", "", table.as_str()),
            [schema, table] => ("", schema.as_str(), table.as_str()),
            [database, schema, table] => (database.as_str(), schema.as_str(), table.as_str()),
            _ => return Err(unsupported(format!("linked servers ({name})"))),
        };
        if table.starts_with('#') {
            return Err(unsupported(format!("temporary tables ({table})")));
        }
        let shown = alias.map_or(table, |a| a.name.value.as_str()).to_owned();
        if let (Some(index), true) = (self.cte(table), parts.len() == 1) {
            return self.cte_relation(index, &shown);
        }
        if args.is_some_and(|args| !args_are_hints(args))
            && !table.eq_ignore_ascii_case("fn_my_permissions")
        {
            return Err(unsupported(format!("the table function {name}")));
        }
        let (table, source) =
            self.catalog
                .table(database, schema, table)
                .map_err(|e| match e.number {
                    208 => unknown_table(&name.to_string().replace(['[', ']'], "")),
                    _ => e,
                })?;
        let relation = self.alias();
        let plan = LogicalPlanBuilder::scan(relation.as_str(), source, None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)?;
        let scope = table
            .columns
            .iter()
            .map(|column| ScopeColumn {
                qualifier: shown.clone(),
                name: column.name.clone(),
                column: Column::new(Some(relation.as_str()), column.name.as_str()),
                ty: column.sql_type.clone(),
                nullable: column.nullable,
                binary: false,
            })
            .collect();
        Ok((plan, scope))
    }

    fn cte(&self, name: &str) -> Option<usize> {
        self.ctes
            .iter()
            .rposition(|(own, ..)| own.eq_ignore_ascii_case(name))
    }

    /// A common table expression sees only those before it, so it cannot call itself.
    fn cte_relation(&mut self, index: usize, shown: &str) -> SqlResult<Relation> {
        let (_, columns, query) = self
            .ctes
            .get(index)
            .cloned()
            .ok_or_else(|| internal("no such CTE"))?;
        let later = self.ctes.split_off(index);
        // Nor does it see the tables of the query that uses it.
        let scopes = std::mem::take(&mut self.scopes);
        let bound = self.query(&query, false);
        self.scopes = scopes;
        self.ctes.extend(later);
        self.derived(bound?, shown, &columns)
    }

    /// A bound query as a relation of that name.
    fn derived(&mut self, bound: Bound, shown: &str, names: &[Ident]) -> SqlResult<Relation> {
        if !names.is_empty() && names.len() != bound.columns.len() {
            return Err(error(
                8158,
                16,
                format!("'{shown}' has not as many columns as its column list."),
            ));
        }
        let relation = self.alias();
        let plan = LogicalPlanBuilder::from(bound.plan)
            .alias(relation.as_str())
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)?;
        let mut scope = Scope::with_capacity(bound.columns.len());
        for (index, column) in bound.columns.into_iter().enumerate() {
            let name = names
                .get(index)
                .map_or(column.name, |ident| ident.value.clone());
            if name.is_empty() {
                return Err(error(
                    8155,
                    16,
                    format!(
                        "No column name was specified for column {} of '{shown}'.",
                        index + 1
                    ),
                ));
            }
            if scope
                .iter()
                .any(|c: &ScopeColumn| c.name.to_lowercase() == name.to_lowercase())
            {
                return Err(error(
                    8156,
                    16,
                    format!("The column '{name}' was specified multiple times for '{shown}'."),
                ));
            }
            scope.push(ScopeColumn {
                qualifier: shown.to_owned(),
                name,
                column: Column::new(Some(relation.as_str()), format!("c{index}")),
                ty: column.ty,
                nullable: column.nullable,
                binary: column.binary,
            });
        }
        Ok((plan, scope))
    }

    /// `VALUES (…), (…)`.
    pub(super) fn values(&mut self, values: &Values) -> SqlResult<Bound> {
        let mut rows: Vec<Vec<Typed>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            rows.push(
                row.content
                    .iter()
                    .map(|ast| self.expr(ast))
                    .collect::<SqlResult<_>>()?,
            );
        }
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(error(
                10_709,
                16,
                "The number of columns for each row in a table value constructor must be the same.",
            ));
        }
        self.constant_rows(rows, width)
    }

    /// A relation of the given rows.
    pub(super) fn constant_rows(
        &mut self,
        rows: Vec<Vec<Typed>>,
        width: usize,
    ) -> SqlResult<Bound> {
        let mut columns = Vec::with_capacity(width);
        for index in 0..width {
            let cells: Vec<&Typed> = rows.iter().filter_map(|row| row.get(index)).collect();
            columns.push(OutColumn {
                name: String::new(),
                ty: common_type(cells.iter().copied())?,
                nullable: cells.iter().any(|c| c.nullable),
                binary: false,
                untyped: false,
            });
        }
        let mut exprs: Vec<Vec<Expr>> = Vec::with_capacity(rows.len());
        for row in rows {
            let cells = row
                .into_iter()
                .zip(&columns)
                .map(|(cell, column)| Ok(coerce(cell, &column.ty)?.expr));
            exprs.push(cells.collect::<SqlResult<_>>()?);
        }
        let names = (0..width)
            .map(|i| Expr::Column(format!("column{}", i + 1).into()).alias(format!("c{i}")));
        let plan = LogicalPlanBuilder::values(exprs)
            .and_then(|b| b.project(names.collect::<Vec<_>>()))
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)?;
        Ok(Bound {
            plan,
            columns,
            error_column: false,
        })
    }
}

fn alias_columns(alias: &TableAlias) -> Vec<Ident> {
    alias.columns.iter().map(|c| c.name.clone()).collect()
}

fn cross(left: Relation, right: Relation) -> SqlResult<Relation> {
    let plan = LogicalPlanBuilder::from(left.0)
        .cross_join(right.0)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    let mut scope = left.1;
    scope.extend(right.1);
    Ok((plan, scope))
}

/// Accepts a table hint that changes nothing.
fn hint(ast: &Ast) -> SqlResult<()> {
    let name = match ast {
        Ast::Identifier(ident) => ident.value.clone(),
        Ast::Function(function) => function.name.to_string(),
        other => return Err(unsupported(format!("the table hint {other}"))),
    };
    let upper = name.to_ascii_uppercase();
    if HINTS.contains(&upper.as_str()) || upper == "INDEX" {
        Ok(())
    } else {
        Err(unsupported(format!("the table hint {name}")))
    }
}

/// `FROM t (NOLOCK)`: the old way to write hints.
fn args_are_hints(args: &TableFunctionArgs) -> bool {
    args.args.iter().all(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(ast)) => hint(ast).is_ok(),
        _ => false,
    })
}

/// A relation without rows, of the shape of `bound`.
pub(super) fn emptied(bound: Bound) -> SqlResult<Bound> {
    let plan = LogicalPlanBuilder::from(bound.plan)
        .filter(lit(false))
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    Ok(Bound { plan, ..bound })
}
