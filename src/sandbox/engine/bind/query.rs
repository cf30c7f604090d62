//! Queries around SELECT: common table expressions, set operations, ORDER BY, OFFSET and FETCH.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::sql::sqlparser::ast::{
    Expr as Ast, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr, SetOperator,
    SetQuantifier, Value,
};

use crate::sandbox::engine::bind::convert::{coerce, common_type, key};
use crate::sandbox::engine::bind::{Binder, Bound, OutColumn, Typed, plan_error};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, error, syntax, unknown_column, unsupported};

/// Rows to skip and to give.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    pub(super) skip: usize,
    pub(super) take: Option<usize>,
}

/// Column `index` of a bound query, as an expression over its plan.
pub(super) fn output(bound: &Bound, index: usize, column: &OutColumn) -> Typed {
    let qualified = bound.plan.schema().columns().get(index).cloned();
    let expr = qualified.map_or_else(|| Expr::Column(format!("c{index}").into()), Expr::Column);
    Typed {
        expr,
        ty: column.ty.clone(),
        nullable: column.nullable,
        binary: column.binary,
        value: column.untyped.then_some(Cell::Null),
    }
}

impl Binder<'_> {
    /// Binds a query; `top` says that its rows go to the client.
    pub(super) fn query(&mut self, query: &Query, top: bool) -> SqlResult<Bound> {
        if query.for_clause.is_some() {
            return Err(unsupported("FOR XML, FOR JSON and FOR BROWSE"));
        }
        if !query.locks.is_empty()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return Err(unsupported("the clauses after the query"));
        }
        self.deeper(|binder| {
            // A subquery starts with neither the groups nor the divisors of the query around it.
            let (grouping, divisors) = (binder.grouping.take(), binder.divisors.take());
            let ctes = binder.ctes.len();
            let result = binder
                .with_ctes(query)
                .and_then(|()| binder.body(query, top));
            binder.ctes.truncate(ctes);
            (binder.grouping, binder.divisors) = (grouping, divisors);
            result
        })
    }

    fn with_ctes(&mut self, query: &Query) -> SqlResult<()> {
        let Some(with) = &query.with else {
            return Ok(());
        };
        for cte in &with.cte_tables {
            let columns = cte.alias.columns.iter().map(|c| c.name.clone()).collect();
            self.ctes.push((
                cte.alias.name.value.clone(),
                columns,
                Arc::new((*cte.query).clone()),
            ));
        }
        Ok(())
    }

    fn body(&mut self, query: &Query, top: bool) -> SqlResult<Bound> {
        let order = order_items(query.order_by.as_ref())?;
        let window = self.window(query)?;
        if order.is_empty() && (window.skip > 0 || window.take.is_some()) {
            return Err(syntax("OFFSET and FETCH need ORDER BY"));
        }
        match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, &order, window, top),
            SetExpr::Query(inner) if order.is_empty() => self.query(inner, top),
            other => {
                let bound = self.set(other)?;
                finish(bound, &order, window)
            }
        }
    }

    /// The two sides of UNION, EXCEPT, INTERSECT, or one operand.
    fn set(&mut self, body: &SetExpr) -> SqlResult<Bound> {
        match body {
            SetExpr::Select(select) => self.select(select, &[], Window::default(), false),
            SetExpr::Query(query) => self.query(query, false),
            SetExpr::Values(values) => self.values(values),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let (left, right) = self.deeper(|b| Ok((b.set(left)?, b.set(right)?)))?;
                combine(left, *op, *set_quantifier, right)
            }
            other => Err(unsupported(format!("the query {other}"))),
        }
    }

    fn window(&mut self, query: &Query) -> SqlResult<Window> {
        let skip = match &query.limit_clause {
            None => 0,
            Some(LimitClause::LimitOffset {
                limit: None,
                offset: Some(offset),
                limit_by,
            }) if limit_by.is_empty() => self.count(&offset.value)?,
            Some(_) => return Err(syntax("LIMIT is not T-SQL")),
        };
        let take = match &query.fetch {
            None => None,
            Some(fetch) if fetch.percent || fetch.with_ties => {
                return Err(unsupported("FETCH … PERCENT or WITH TIES"));
            }
            Some(fetch) => Some(
                fetch
                    .quantity
                    .as_ref()
                    .map_or(Ok(1), |ast| self.count(ast))?,
            ),
        };
        Ok(Window { skip, take })
    }

    /// A number of rows, which must be a constant or a variable.
    pub(super) fn count(&mut self, ast: &Ast) -> SqlResult<usize> {
        match self.expr(ast)?.value {
            Some(Cell::Int(n)) => usize::try_from(n).map_err(|_| {
                error(
                    127,
                    15,
                    "A TOP N or FETCH rowcount value may not be negative.",
                )
            }),
            Some(Cell::Dec(n, 0)) => usize::try_from(n).map_err(|_| {
                error(
                    127,
                    15,
                    "A TOP N or FETCH rowcount value may not be negative.",
                )
            }),
            // While only describing, a parameter has no value.
            None if matches!(ast, Ast::Identifier(_)) => Ok(0),
            _ => Err(unsupported(format!("the number of rows {ast}"))),
        }
    }
}

/// The items of ORDER BY.
fn order_items(order: Option<&OrderBy>) -> SqlResult<Vec<OrderByExpr>> {
    match order {
        None => Ok(Vec::new()),
        Some(OrderBy {
            kind: OrderByKind::Expressions(items),
            interpolate: None,
        }) => {
            if items
                .iter()
                .any(|i| i.with_fill.is_some() || i.options.nulls_first.is_some())
            {
                return Err(syntax("NULLS FIRST and NULLS LAST are not T-SQL"));
            }
            Ok(items.clone())
        }
        Some(other) => Err(unsupported(format!("{other}"))),
    }
}

/// `expr` as a sort key: nulls are the lowest values.
pub(super) fn sort_key(expr: Expr, item: &OrderByExpr) -> SortExpr {
    let ascending = item.options.asc != Some(false);
    SortExpr::new(expr, ascending, ascending)
}

/// The position that an ORDER BY item names in the select list: an ordinal or an output name.
pub(super) fn output_position(
    item: &OrderByExpr,
    columns: &[OutColumn],
) -> SqlResult<Option<usize>> {
    match &item.expr {
        Ast::Value(value) => match &value.value {
            Value::Number(text, _) => {
                let out_of_range = || {
                    let text = format!(
                        "The ORDER BY position number {text} is out of range of the number of items in the select list."
                    );
                    error(108, 16, text)
                };
                let position: usize = text.parse().map_err(|_| out_of_range())?;
                if (1..=columns.len()).contains(&position) {
                    Ok(Some(position - 1))
                } else {
                    Err(out_of_range())
                }
            }
            _ => Err(error(
                408,
                16,
                "A constant expression was encountered in the ORDER BY list.",
            )),
        },
        Ast::Identifier(ident) => {
            let name = ident.value.to_lowercase();
            Ok(columns.iter().position(|c| c.name.to_lowercase() == name))
        }
        _ => Ok(None),
    }
}

/// Sorts by output columns only, then cuts the window.
pub(super) fn finish(bound: Bound, order: &[OrderByExpr], window: Window) -> SqlResult<Bound> {
    let mut keys = Vec::with_capacity(order.len());
    for item in order {
        let position = output_position(item, &bound.columns)?;
        let found = position.and_then(|at| Some((at, bound.columns.get(at)?)));
        let (at, column) = found.ok_or_else(|| unknown_column(&item.expr.to_string()))?;
        keys.push(sort_key(key(output(&bound, at, column))?.expr, item));
    }
    let plan = sorted(bound.plan, keys, window)?;
    Ok(Bound { plan, ..bound })
}

/// The plan, sorted and cut.
pub(super) fn sorted(
    plan: LogicalPlan,
    keys: Vec<SortExpr>,
    window: Window,
) -> SqlResult<LogicalPlan> {
    let mut builder = LogicalPlanBuilder::from(plan);
    if !keys.is_empty() {
        builder = builder.sort(keys).map_err(plan_error)?;
    }
    if window.skip > 0 || window.take.is_some() {
        builder = builder
            .limit(window.skip, window.take)
            .map_err(plan_error)?;
    }
    builder.build().map_err(plan_error)
}

fn combine(
    left: Bound,
    op: SetOperator,
    quantifier: SetQuantifier,
    right: Bound,
) -> SqlResult<Bound> {
    if left.columns.len() != right.columns.len() {
        let text = "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.";
        return Err(error(205, 16, text));
    }
    let mut columns = Vec::with_capacity(left.columns.len());
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for (index, (a, b)) in left.columns.iter().zip(&right.columns).enumerate() {
        let (x, y) = (output(&left, index, a), output(&right, index, b));
        let ty = common_type([&x, &y])?;
        let nullable = a.nullable || b.nullable;
        let (binary, untyped) = (a.binary || b.binary, a.untyped && b.untyped);
        columns.push(OutColumn {
            name: a.name.clone(),
            ty: ty.clone(),
            nullable,
            binary,
            untyped,
        });
        one.push(coerce(x, &ty)?.expr.alias(format!("c{index}")));
        two.push(coerce(y, &ty)?.expr.alias(format!("c{index}")));
    }
    let side = |plan: LogicalPlan, exprs: Vec<Expr>| {
        LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)
    };
    let (left, right) = (side(left.plan, one)?, side(right.plan, two)?);
    let all = matches!(quantifier, SetQuantifier::All);
    let plan = match op {
        SetOperator::Union => {
            let builder = LogicalPlanBuilder::from(left);
            let builder = if all {
                builder.union(right)
            } else {
                builder.union_distinct(right)
            };
            builder.and_then(LogicalPlanBuilder::build)
        }
        SetOperator::Except if !all => LogicalPlanBuilder::except(left, right, false),
        SetOperator::Intersect if !all => LogicalPlanBuilder::intersect(left, right, false),
        other => return Err(unsupported(format!("{other} {quantifier}"))),
    };
    Ok(Bound {
        plan: plan.map_err(plan_error)?,
        columns,
        error_column: false,
    })
}
