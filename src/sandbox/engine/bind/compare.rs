//! Comparisons, IN and LIKE: where the default collation and the implicit conversions decide.

use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Expr, Operator, binary_expr, in_subquery, lit, not_in_subquery};
use datafusion::sql::sqlparser::ast::{Expr as Ast, Query};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::convert::{coerce, common_type, key};
use crate::sandbox::engine::bind::query::output;
use crate::sandbox::engine::bind::{Binder, Typed, plan_error};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cast::cast;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::{SqlResult, error, type_clash};
use crate::sandbox::tsql::types::{Family, family, is_numeric, unify};

/// `left op right` as a condition.
///
/// # Errors
/// 206 for types that do not compare.
pub(super) fn compare(left: Typed, op: Operator, right: Typed) -> SqlResult<Typed> {
    if let Some((left, right)) = same_number(&left, &right)? {
        return Ok(Typed::condition(binary_expr(left.expr, op, right.expr)));
    }
    if is_numeric(&left.ty)
        && is_numeric(&right.ty)
        && family(&unify(&left.ty, &right.ty)?) == Family::Decimal
    {
        let order = call(
            Op::Compare,
            vec![(left.expr, left.ty), (right.expr, right.ty)],
            &SqlType::Int,
        )?;
        return Ok(Typed::condition(binary_expr(order, op, lit(0_i32))));
    }
    let (left, right) = together(left, right)?;
    Ok(Typed::condition(binary_expr(left.expr, op, right.expr)))
}

/// Both operands in one type and, for texts, in the form in which the collation compares them.
fn together(left: Typed, right: Typed) -> SqlResult<(Typed, Typed)> {
    let ty = common_type([&left, &right])?;
    if matches!(family(&ty), Family::Other) {
        return Err(type_clash(&left.ty, &right.ty));
    }
    let binary = left.binary || right.binary;
    let (mut left, mut right) = (coerce(left, &ty)?, coerce(right, &ty)?);
    left.binary = binary;
    right.binary = binary;
    Ok((key(left)?, key(right)?))
}

/// Operands of exactly the same numeric type, when a constant can be brought into the other's type without loss.
fn same_number(left: &Typed, right: &Typed) -> SqlResult<Option<(Typed, Typed)>> {
    if !is_numeric(&left.ty) || !is_numeric(&right.ty) || left.is_null() || right.is_null() {
        return Ok(None);
    }
    if left.ty == right.ty {
        return Ok(Some((left.clone(), right.clone())));
    }
    if let Some(constant) = exact_constant(right, &left.ty)? {
        return Ok(Some((left.clone(), constant)));
    }
    if let Some(constant) = exact_constant(left, &right.ty)? {
        return Ok(Some((constant, right.clone())));
    }
    Ok(None)
}

/// The constant in another type, if nothing is lost on the way there and back.
fn exact_constant(typed: &Typed, to: &SqlType) -> SqlResult<Option<Typed>> {
    let Some(value) = typed.value.clone().filter(|v| *v != Cell::Null) else {
        return Ok(None);
    };
    if family(to) == Family::Float {
        return Ok(None);
    }
    let Ok(there) = cast(value.clone(), &typed.ty, to, None) else {
        return Ok(None);
    };
    match cast(there, to, &typed.ty, None) {
        Ok(back) if back == value => coerce(typed.clone(), to).map(Some),
        _ => Ok(None),
    }
}

impl Binder<'_> {
    /// `x [NOT] IN (a, b, …)`.
    pub(super) fn in_list(&mut self, expr: &Ast, list: &[Ast], negated: bool) -> SqlResult<Typed> {
        let needle = self.expr(expr)?;
        let list = list
            .iter()
            .map(|item| self.expr(item))
            .collect::<SqlResult<Vec<_>>>()?;
        let constants = list.iter().all(|item| item.value.is_some());
        let mut conditions: Vec<Expr> = Vec::new();
        let mut plain: Vec<Expr> = Vec::new();
        let mut target: Option<Typed> = None;
        for item in list {
            // Items that can be brought into one form with the needle go into one list; the others are compared alone.
            let pair = match same_number(&needle, &item)? {
                Some(pair) => Some(pair),
                None if is_numeric(&needle.ty) => None,
                None => Some(together(needle.clone(), item.clone())?),
            };
            match pair {
                Some((left, right))
                    if constants && target.as_ref().is_none_or(|t| t.expr == left.expr) =>
                {
                    plain.push(right.expr);
                    target = Some(left);
                }
                _ => conditions.push(compare(needle.clone(), Operator::Eq, item)?.expr),
            }
        }
        if let Some(target) = target {
            conditions.push(Expr::InList(InList::new(
                Box::new(target.expr),
                plain,
                false,
            )));
        }
        let found = any_of(conditions);
        Ok(Typed::condition(if negated {
            Expr::Not(Box::new(found))
        } else {
            found
        }))
    }

    /// `x [NOT] IN (SELECT …)`.
    pub(super) fn in_query(
        &mut self,
        expr: &Ast,
        query: &Query,
        negated: bool,
    ) -> SqlResult<Typed> {
        let needle = self.expr(expr)?;
        let bound = self.query(query, false)?;
        let [column] = bound.columns.as_slice() else {
            let text = "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.";
            return Err(error(116, 16, text));
        };
        let (needle, item) = together(needle, output(&bound, 0, column))?;
        let plan = datafusion::logical_expr::LogicalPlanBuilder::from(bound.plan)
            .project(vec![item.expr.alias("c0")])
            .and_then(datafusion::logical_expr::LogicalPlanBuilder::build)
            .map_err(plan_error)?;
        let plan = std::sync::Arc::new(plan);
        Ok(Typed::condition(if negated {
            not_in_subquery(needle.expr, plan)
        } else {
            in_subquery(needle.expr, plan)
        }))
    }

    /// `x [NOT] LIKE pattern [ESCAPE c]`.
    pub(super) fn like(
        &mut self,
        expr: &Ast,
        pattern: &Ast,
        escape: Option<String>,
        negated: bool,
    ) -> SqlResult<Typed> {
        let text = self.expr(expr)?;
        let pattern = self.expr(pattern)?;
        let binary = text.binary || pattern.binary;
        let ty = SqlType::NVarChar(None);
        let mut args = vec![
            (coerce(text, &ty)?.expr, ty.clone()),
            (coerce(pattern, &ty)?.expr, ty.clone()),
        ];
        if let Some(escape) = escape {
            args.push((lit(escape), ty));
        }
        let found = call(Op::Like { binary }, args, &SqlType::Bit)?;
        Ok(Typed::condition(if negated {
            Expr::Not(Box::new(found))
        } else {
            found
        }))
    }
}

/// `a OR b OR …`, balanced so that long lists do not nest.
pub(super) fn any_of(conditions: Vec<Expr>) -> Expr {
    balanced(conditions, Operator::Or, false)
}

/// Joins conditions by AND or OR as a balanced tree; `empty` is the value of none.
pub(super) fn balanced(mut conditions: Vec<Expr>, op: Operator, empty: bool) -> Expr {
    while conditions.len() > 1 {
        let mut next = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut items = conditions.into_iter();
        while let Some(left) = items.next() {
            next.push(match items.next() {
                Some(right) => binary_expr(left, op, right),
                None => left,
            });
        }
        conditions = next;
    }
    conditions.pop().unwrap_or_else(|| lit(empty))
}
