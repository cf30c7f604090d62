//! Aggregate functions with the result types of T-SQL, and the plan node that computes them.

use std::ops::ControlFlow;

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr as Ast, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Query, Visit, Visitor,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::convert::{case, coerce, key};
use crate::sandbox::engine::bind::{Binder, Grouping, Typed, constant, plan_error};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::engine::func::sum::sum;
use crate::sandbox::tsql::error::{SqlResult, error, syntax, unsupported};
use crate::sandbox::tsql::types::{Arith, Family, family, sum_type};

/// Upper-case names of the aggregates.
const AGGREGATES: [&str; 6] = ["SUM", "COUNT", "COUNT_BIG", "MIN", "MAX", "AVG"];

/// True for a call that needs groups.
pub(super) fn is_aggregate(function: &Function) -> bool {
    function.over.is_none()
        && AGGREGATES.contains(&function.name.to_string().to_ascii_uppercase().as_str())
}

impl Binder<'_> {
    /// Binds an aggregate call; its value becomes a column of the grouped input.
    pub(super) fn aggregate(&mut self, function: &Function) -> SqlResult<Typed> {
        let name = function.name.to_string().to_ascii_uppercase();
        let Some(grouping) = self.grouping.take() else {
            return Err(error(147, 15, "An aggregate may not appear here."));
        };
        let arguments = self.guarded(|binder| binder.aggregate_argument(function));
        self.grouping = Some(grouping);
        let (argument, distinct) = arguments?;
        let typed = match (name.as_str(), argument) {
            ("COUNT" | "COUNT_BIG", argument) => {
                let arg = match argument {
                    Some(typed) => key(typed)?.expr,
                    None => lit(1_i64),
                };
                let big = self.slot(apply(count_udaf(), arg, distinct), SqlType::BigInt);
                if name == "COUNT" {
                    coerce(big, &SqlType::Int)?
                } else {
                    big
                }
            }
            (_, None) => return Err(syntax(format!("{name}(*)"))),
            ("MIN" | "MAX", Some(arg)) => {
                if matches!(arg.ty, SqlType::Bit) {
                    return Err(error(
                        8117,
                        16,
                        format!("Operand data type bit is invalid for {name} operator."),
                    ));
                }
                let udaf = if name == "MIN" {
                    min_udaf()
                } else {
                    max_udaf()
                };
                let binary = arg.binary;
                Typed {
                    binary,
                    ..self.slot(apply(udaf, arg.expr, false), arg.ty)
                }
            }
            (_, Some(_)) if distinct => return Err(unsupported(format!("{name}(DISTINCT …)"))),
            ("SUM", Some(arg)) => self.sum(arg)?,
            (_, Some(arg)) => self.average(arg)?,
        };
        Ok(typed)
    }

    fn sum(&mut self, arg: Typed) -> SqlResult<Typed> {
        let ret = sum_type(&arg.ty)?;
        let udaf = std::sync::Arc::new(sum(&ret)?);
        Ok(self.slot(apply(udaf, arg.expr, false), ret))
    }

    /// AVG as SUM / COUNT in T-SQL's arithmetic, null over nothing.
    fn average(&mut self, arg: Typed) -> SqlResult<Typed> {
        let count = self.slot(
            apply(count_udaf(), arg.expr.clone(), false),
            SqlType::BigInt,
        );
        let sum = self.sum(arg)?;
        let ret = match &sum.ty {
            SqlType::Decimal { precision, scale } => SqlType::Decimal {
                precision: *precision,
                scale: (*scale).max(6),
            },
            other => other.clone(),
        };
        let args = vec![(sum.expr.clone(), sum.ty), (count.expr, count.ty)];
        let quotient = call(
            Op::Arith {
                op: Arith::Div,
                soft: true,
            },
            args,
            &ret,
        )?;
        let some = (sum.expr.is_not_null(), Typed::new(quotient, ret.clone()));
        case(vec![some], Some(constant(Cell::Null, ret)?))
    }

    /// The argument (`None` for `*`) and whether it is DISTINCT.
    fn aggregate_argument(&mut self, function: &Function) -> SqlResult<(Option<Typed>, bool)> {
        let FunctionArguments::List(list) = &function.args else {
            return Err(syntax("an aggregate without arguments"));
        };
        if function.filter.is_some()
            || !function.within_group.is_empty()
            || !list.clauses.is_empty()
        {
            return Err(unsupported(format!("the clauses of {}", function.name)));
        }
        let distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
        match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] => Ok((None, false)),
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(Ast::Wildcard(_)))] => Ok((None, false)),
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast))] => {
                let typed = self.expr(ast)?;
                if family(&typed.ty) == Family::Other {
                    return Err(unsupported(format!("{} over {}", function.name, typed.ty)));
                }
                Ok((Some(typed), distinct))
            }
            _ => Err(syntax(format!("the arguments of {}", function.name))),
        }
    }

    /// The column in which the grouped input gives an aggregate.
    fn slot(&mut self, aggregate: Expr, ty: SqlType) -> Typed {
        let calls = &mut self.grouping.get_or_insert_with(Grouping::default).calls;
        let position = calls.iter().position(|(expr, _)| *expr == aggregate);
        let at = position.unwrap_or(calls.len());
        let typed = Typed::new(Expr::Column(format!("s{at}").into()), ty);
        if position.is_none() {
            calls.push((aggregate, typed.clone()));
        }
        typed
    }
}

fn apply(
    udaf: std::sync::Arc<datafusion::logical_expr::AggregateUDF>,
    arg: Expr,
    distinct: bool,
) -> Expr {
    Expr::AggregateFunction(AggregateFunction::new_udf(
        udaf,
        vec![arg],
        distinct,
        None,
        Vec::new(),
        None,
    ))
}

/// The grouped input: columns `g0`, `g1`, … and `s0`, `s1`, ….
pub(super) fn group_plan(input: LogicalPlan, grouping: Grouping) -> SqlResult<LogicalPlan> {
    let groups: Vec<Expr> = grouping
        .groups
        .into_iter()
        .enumerate()
        .map(|(i, g)| g.expr.alias(format!("g{i}")))
        .collect();
    let calls: Vec<Expr> = grouping
        .calls
        .into_iter()
        .enumerate()
        .map(|(i, (call, _))| call.alias(format!("s{i}")))
        .collect();
    if calls.is_empty() && groups.is_empty() {
        // HAVING alone: one group of everything.
        return LogicalPlanBuilder::empty(true).build().map_err(plan_error);
    }
    if calls.is_empty() {
        // Groups without aggregates are the distinct groups.
        let builder = LogicalPlanBuilder::from(input)
            .project(groups)
            .and_then(LogicalPlanBuilder::distinct);
        return builder
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error);
    }
    LogicalPlanBuilder::from(input)
        .aggregate(groups, calls)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)
}

/// True when an aggregate stands in the expression itself.
pub(super) fn contains_aggregate(ast: &Ast) -> bool {
    ast.visit(&mut AggregateFinder { queries: 0 }).is_break()
}

/// Looks for an aggregate outside subqueries, which have groups of their own.
struct AggregateFinder {
    queries: usize,
}

impl Visitor for AggregateFinder {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Ast) -> ControlFlow<()> {
        match expr {
            Ast::Function(function) if self.queries == 0 && is_aggregate(function) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
