//! One SELECT: its clauses in the order in which SQL Server evaluates them.

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr as Ast, GroupByExpr, Ident, OrderByExpr, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TopQuantity, WildcardAdditionalOptions,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::aggregate::{contains_aggregate, group_plan};
use crate::sandbox::engine::bind::convert::key;
use crate::sandbox::engine::bind::query::{Window, finish, output_position, sort_key, sorted};
use crate::sandbox::engine::bind::window::window_plan;
use crate::sandbox::engine::bind::{Binder, Bound, Grouping, OutColumn, Typed, plan_error};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{
    SqlResult, error, internal, syntax, unknown_qualifier, unsupported,
};

/// A bound select list: names and expressions.
type Items = Vec<(String, Typed)>;

impl Binder<'_> {
    /// Binds one SELECT with the ORDER BY and window of its query.
    pub(super) fn select(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        window: Window,
        top: bool,
    ) -> SqlResult<Bound> {
        refuse_clauses(select)?;
        let window = self.top(select, window)?;
        let (plan, scope) = self.from(&select.from)?;
        self.scopes.push(scope);
        let result = self.clauses(select, plan, order, window, top);
        self.scopes.pop();
        result
    }

    fn clauses(
        &mut self,
        select: &Select,
        plan: LogicalPlan,
        order: &[OrderByExpr],
        window: Window,
        top: bool,
    ) -> SqlResult<Bound> {
        let condition = select.selection.as_ref();
        let condition = condition.map(|ast| self.expr(ast)).transpose()?;
        let mut plan = filtered(plan, condition)?;
        let groups = self.groups(select)?;
        let grouped =
            !groups.is_empty() || select.having.is_some() || has_aggregates(select, order);
        let distinct = matches!(select.distinct, Some(Distinct::Distinct));
        if grouped {
            self.grouping = Some(Grouping {
                groups,
                calls: Vec::new(),
            });
        }
        self.divisors = (top && !grouped && !distinct).then(Vec::new);
        let around = self.windows.replace(Vec::new());
        let items = self.items(&select.projection);
        let windows = std::mem::replace(&mut self.windows, around).unwrap_or_default();
        let items = items?;
        let divisors = self.divisors.take().unwrap_or_default();
        let columns = columns_of(&items);
        let keys = if distinct {
            Vec::new()
        } else {
            self.keys(order, &columns, &items)?
        };
        let having = select
            .having
            .as_ref()
            .map(|condition| self.expr(condition))
            .transpose()?;
        if let Some(grouping) = self.grouping.take() {
            plan = group_plan(plan, grouping)?;
        }
        plan = window_plan(filtered(plan, having)?, windows)?;
        let exprs: Vec<Expr> = items
            .into_iter()
            .enumerate()
            .map(|(i, (_, t))| t.expr.alias(format!("c{i}")))
            .collect();
        if distinct {
            let builder = LogicalPlanBuilder::from(plan)
                .project(exprs)
                .and_then(LogicalPlanBuilder::distinct);
            let plan = builder
                .and_then(LogicalPlanBuilder::build)
                .map_err(plan_error)?;
            return finish(
                Bound {
                    plan,
                    columns,
                    error_column: false,
                },
                order,
                window,
            );
        }
        project(plan, columns, exprs, divisors, keys, window)
    }

    fn top(&mut self, select: &Select, window: Window) -> SqlResult<Window> {
        let Some(top) = &select.top else {
            return Ok(window);
        };
        if top.percent || top.with_ties {
            return Err(unsupported("TOP … PERCENT and TOP … WITH TIES"));
        }
        if window.skip > 0 || window.take.is_some() {
            return Err(error(
                10_741,
                15,
                "A TOP can not be used in the same query or sub-query as an OFFSET.",
            ));
        }
        let take = match &top.quantity {
            Some(TopQuantity::Constant(n)) => usize::try_from(*n).map_err(internal)?,
            Some(TopQuantity::Expr(ast)) => self.count(ast)?,
            None => return Err(syntax("TOP without a number")),
        };
        Ok(Window {
            skip: 0,
            take: Some(take),
        })
    }

    fn groups(&mut self, select: &Select) -> SqlResult<Vec<Typed>> {
        match &select.group_by {
            GroupByExpr::Expressions(list, modifiers) if modifiers.is_empty() => list
                .iter()
                .map(|ast| match ast {
                    Ast::Value(_) => Err(error(
                        164,
                        15,
                        "Each GROUP BY expression must contain at least one column.",
                    )),
                    Ast::GroupingSets(_) | Ast::Cube(_) | Ast::Rollup(_) => {
                        Err(unsupported(format!("GROUP BY {ast}")))
                    }
                    ast => self.expr(ast),
                })
                .collect(),
            other => Err(unsupported(format!("{other}"))),
        }
    }

    fn items(&mut self, projection: &[SelectItem]) -> SqlResult<Items> {
        let mut items = Items::new();
        for item in projection {
            match item {
                SelectItem::UnnamedExpr(Ast::BinaryOp { left, op, right })
                    if is_alias(left, op) =>
                {
                    let Ast::Identifier(alias) = left.as_ref() else {
                        continue;
                    };
                    items.push((alias.value.clone(), self.expr(right)?));
                }
                SelectItem::UnnamedExpr(ast) => items.push((name_of(ast), self.expr(ast)?)),
                SelectItem::ExprWithAlias { expr, alias } => {
                    items.push((alias.value.clone(), self.expr(expr)?));
                }
                SelectItem::Wildcard(options) => {
                    plain_wildcard(options)?;
                    self.star(None, &mut items)?;
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    plain_wildcard(options)?;
                    let table = name
                        .0
                        .last()
                        .and_then(|part| part.as_ident())
                        .map(|ident| ident.value.clone());
                    self.star(table.as_deref(), &mut items)?;
                }
                other => return Err(unsupported(format!("the select item {other}"))),
            }
        }
        Ok(items)
    }

    /// All columns, or those of one table.
    fn star(&mut self, table: Option<&str>, items: &mut Items) -> SqlResult<()> {
        let scope = self.scopes.last().cloned().unwrap_or_default();
        let before = items.len();
        for column in scope
            .iter()
            .filter(|c| table.is_none_or(|t| c.qualifier.eq_ignore_ascii_case(t)))
        {
            let parts = vec![
                Ident::with_quote('[', &column.qualifier),
                Ident::with_quote('[', &column.name),
            ];
            items.push((
                column.name.clone(),
                self.expr(&Ast::CompoundIdentifier(parts))?,
            ));
        }
        if items.len() > before {
            return Ok(());
        }
        Err(match table {
            Some(table) => unknown_qualifier(table),
            None => error(263, 16, "Must specify table to select from."),
        })
    }

    /// The sort keys; those that are output columns refer to them.
    fn keys(
        &mut self,
        order: &[OrderByExpr],
        columns: &[OutColumn],
        items: &Items,
    ) -> SqlResult<Vec<(Expr, OrderByExpr)>> {
        let mut keys = Vec::with_capacity(order.len());
        for item in order {
            let typed = match output_position(item, columns)?.and_then(|at| items.get(at)) {
                Some((_, typed)) => typed.clone(),
                None => self.expr(&item.expr)?,
            };
            keys.push((key(typed)?.expr, item.clone()));
        }
        Ok(keys)
    }
}

/// The output columns, then hidden ones for sorting and for divisions by zero; sorted, cut, and the sort keys dropped.
fn project(
    plan: LogicalPlan,
    columns: Vec<OutColumn>,
    mut exprs: Vec<Expr>,
    divisors: Vec<Expr>,
    keys: Vec<(Expr, OrderByExpr)>,
    window: Window,
) -> SqlResult<Bound> {
    let visible = exprs.len();
    let mut shown: Vec<Expr> = (0..visible)
        .map(|i| Expr::Column(format!("c{i}").into()))
        .collect();
    let error_column = !divisors.is_empty();
    if let Some(any) = divisors.into_iter().reduce(Expr::or) {
        exprs.push(any.alias("zero_divisor"));
        shown.push(Expr::Column("zero_divisor".into()));
    }
    let mut sorts: Vec<SortExpr> = Vec::with_capacity(keys.len());
    for (index, (expr, item)) in keys.into_iter().enumerate() {
        exprs.push(expr.alias(format!("o{index}")));
        sorts.push(sort_key(Expr::Column(format!("o{index}").into()), &item));
    }
    let hidden = !sorts.is_empty();
    let plan = LogicalPlanBuilder::from(plan)
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    let mut plan = sorted(plan, sorts, window)?;
    if hidden {
        plan = LogicalPlanBuilder::from(plan)
            .project(shown)
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)?;
    }
    Ok(Bound {
        plan,
        columns,
        error_column,
    })
}

fn columns_of(items: &Items) -> Vec<OutColumn> {
    items
        .iter()
        .map(|(name, typed)| OutColumn {
            name: name.clone(),
            ty: if typed.is_null() {
                SqlType::Int
            } else {
                typed.ty.clone()
            },
            nullable: typed.nullable,
            binary: typed.binary,
            untyped: typed.value == Some(Cell::Null),
        })
        .collect()
}

/// `alias = expression` in a select list.
fn is_alias(left: &Ast, op: &datafusion::sql::sqlparser::ast::BinaryOperator) -> bool {
    matches!(op, datafusion::sql::sqlparser::ast::BinaryOperator::Eq)
        && matches!(left, Ast::Identifier(ident) if !ident.value.starts_with('@'))
}

/// The name that an expression without alias has: a column's, else none.
fn name_of(ast: &Ast) -> String {
    match ast {
        Ast::Identifier(ident) if !ident.value.starts_with('@') || ident.quote_style.is_some() => {
            ident.value.clone()
        }
        Ast::CompoundIdentifier(parts) => parts
            .last()
            .map(|ident| ident.value.clone())
            .unwrap_or_default(),
        Ast::Nested(inner) => name_of(inner),
        Ast::Collate { expr, .. } => name_of(expr),
        _ => String::new(),
    }
}

fn plain_wildcard(options: &WildcardAdditionalOptions) -> SqlResult<()> {
    let plain = options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none();
    if plain { Ok(()) } else { Err(syntax("near *")) }
}

/// True when an aggregate stands in the select list or in ORDER BY (subqueries have their own groups).
fn has_aggregates(select: &Select, order: &[OrderByExpr]) -> bool {
    let found = |ast: &Ast| contains_aggregate(ast);
    let items = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(ast) | SelectItem::ExprWithAlias { expr: ast, .. } => found(ast),
        _ => false,
    });
    items || order.iter().any(|item| found(&item.expr))
}

fn refuse_clauses(select: &Select) -> SqlResult<()> {
    let clause = if select.into.is_some() {
        "SELECT … INTO"
    } else if matches!(select.distinct, Some(Distinct::On(_))) {
        "DISTINCT ON"
    } else if select.qualify.is_some() || select.prewhere.is_some() {
        "QUALIFY and PREWHERE"
    } else if !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.named_window.is_empty()
    {
        "LATERAL VIEW, CONNECT BY and WINDOW"
    } else if !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
    {
        "CLUSTER BY, DISTRIBUTE BY and SORT BY"
    } else if select.value_table_mode.is_some()
        || select.exclude.is_some()
        || select.select_modifiers.is_some()
    {
        "the modifiers of SELECT"
    } else {
        return Ok(());
    };
    Err(unsupported(clause))
}

/// The rows of a plan for which a condition holds; all of them without one.
fn filtered(plan: LogicalPlan, condition: Option<Typed>) -> SqlResult<LogicalPlan> {
    let Some(condition) = condition else {
        return Ok(plan);
    };
    LogicalPlanBuilder::from(plan)
        .filter(condition.expr)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)
}
