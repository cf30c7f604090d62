//! Operators: arithmetic, comparison chains, AND and OR, BETWEEN, the unary ones.

use datafusion::logical_expr::{Expr, Operator};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr as Ast, UnaryOperator};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::compare::{balanced, compare};
use crate::sandbox::engine::bind::convert::coerce;
use crate::sandbox::engine::bind::{Binder, Typed, constant};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::dates::Part;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::{SqlResult, error, unsupported};
use crate::sandbox::tsql::types::{
    Arith, Family, arith_type, family, is_numeric, text_len, text_type,
};

impl Binder<'_> {
    pub(super) fn binary(
        &mut self,
        whole: &Ast,
        left: &Ast,
        op: &BinaryOperator,
        right: &Ast,
    ) -> SqlResult<Typed> {
        let comparison = match op {
            BinaryOperator::And | BinaryOperator::Or => return self.logic(whole, op),
            BinaryOperator::Eq => Some(Operator::Eq),
            BinaryOperator::NotEq => Some(Operator::NotEq),
            BinaryOperator::Lt => Some(Operator::Lt),
            BinaryOperator::LtEq => Some(Operator::LtEq),
            BinaryOperator::Gt => Some(Operator::Gt),
            BinaryOperator::GtEq => Some(Operator::GtEq),
            _ => None,
        };
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        if let Some(op) = comparison {
            return compare(left, op, right);
        }
        let op = match op {
            BinaryOperator::Plus => Arith::Add,
            BinaryOperator::Minus => Arith::Sub,
            BinaryOperator::Multiply => Arith::Mul,
            BinaryOperator::Divide => Arith::Div,
            BinaryOperator::Modulo => Arith::Rem,
            other => return Err(unsupported(format!("the operator {other}"))),
        };
        self.arith(op, left, right)
    }

    /// AND and OR; a chain of one operator becomes a balanced tree.
    fn logic(&mut self, whole: &Ast, op: &BinaryOperator) -> SqlResult<Typed> {
        let mut terms = Vec::new();
        let mut node = whole;
        while let Ast::BinaryOp {
            left,
            op: own,
            right,
        } = node
        {
            if own != op {
                break;
            }
            terms.push(&**right);
            node = left;
        }
        terms.push(node);
        let mut conditions = Vec::with_capacity(terms.len());
        for term in terms.into_iter().rev() {
            conditions.push(self.expr(term)?.expr);
        }
        let and = matches!(op, BinaryOperator::And);
        let operator = if and { Operator::And } else { Operator::Or };
        Ok(Typed::condition(balanced(conditions, operator, and)))
    }

    /// `+ - * / %` over numbers, texts and dates.
    pub(super) fn arith(&mut self, op: Arith, left: Typed, right: Typed) -> SqlResult<Typed> {
        if let (Arith::Add, Some((a, ua)), Some((b, ub))) =
            (op, text_len(&left.ty), text_len(&right.ty))
        {
            let len = a.zip(b).and_then(|(a, b)| a.checked_add(b));
            let limit = if ua || ub { 4000 } else { 8000 };
            let bounded = a.is_some() && b.is_some();
            let ty = text_type(
                if bounded {
                    Some(len.unwrap_or(limit).min(limit))
                } else {
                    None
                },
                ua || ub,
            );
            let binary = left.binary || right.binary;
            let expr = call(
                Op::Join,
                vec![(left.expr, left.ty), (right.expr, right.ty)],
                &ty,
            )?;
            return Ok(Typed {
                binary,
                ..Typed::new(expr, ty)
            });
        }
        let days = |date: &Typed, n: &Typed| {
            matches!(date.ty, SqlType::DateTime | SqlType::SmallDateTime)
                && family(&n.ty) == Family::Integer
        };
        if matches!(op, Arith::Add | Arith::Sub) && days(&left, &right) {
            let ty = left.ty.clone();
            let count = if op == Arith::Sub {
                negate(right)?
            } else {
                right
            };
            let args = vec![(count.expr, count.ty), (left.expr, left.ty)];
            return Ok(Typed::new(call(Op::DateAdd(Part::Day), args, &ty)?, ty));
        }
        let left = number(left, &right)?;
        let right = number(right, &left)?;
        let ret = arith_type(op, &digits(&left, &right), &digits(&right, &left))?;
        if family(&ret) == Family::Float {
            return Err(unsupported("arithmetic over real or float"));
        }
        let divides = matches!(op, Arith::Div | Arith::Rem);
        let known = right
            .value
            .as_ref()
            .is_some_and(|v| !matches!(v, Cell::Int(0) | Cell::Dec(0, _)));
        let soft = divides && !known && self.divisors.is_some() && self.grouping.is_none();
        if soft {
            let zero = call(
                Op::IsZero,
                vec![(right.expr.clone(), right.ty.clone())],
                &SqlType::Bit,
            )?;
            if let Some(divisors) = &mut self.divisors {
                divisors.push(zero);
            }
        }
        let expr = call(
            Op::Arith { op, soft },
            vec![(left.expr, left.ty), (right.expr, right.ty)],
            &ret,
        )?;
        Ok(Typed::new(expr, ret))
    }

    pub(super) fn unary(&mut self, op: UnaryOperator, expr: &Ast) -> SqlResult<Typed> {
        let inner = self.expr(expr)?;
        match op {
            UnaryOperator::Plus => Ok(inner),
            UnaryOperator::Minus => negate(inner),
            UnaryOperator::Not => Ok(Typed::condition(Expr::Not(Box::new(inner.expr)))),
            other => Err(unsupported(format!("the operator {other}"))),
        }
    }

    pub(super) fn between(
        &mut self,
        expr: &Ast,
        low: &Ast,
        high: &Ast,
        negated: bool,
    ) -> SqlResult<Typed> {
        let (x, low, high) = (self.expr(expr)?, self.expr(low)?, self.expr(high)?);
        let from = compare(x.clone(), Operator::GtEq, low)?.expr;
        let inside = from.and(compare(x, Operator::LtEq, high)?.expr);
        Ok(Typed::condition(if negated {
            Expr::Not(Box::new(inside))
        } else {
            inside
        }))
    }
}

/// `-x`, of the same type.
fn negate(typed: Typed) -> SqlResult<Typed> {
    match &typed.value {
        Some(Cell::Int(v)) if *v != i64::MIN => return constant(Cell::Int(-v), typed.ty),
        Some(Cell::Dec(v, s)) => return constant(Cell::Dec(-v, *s), typed.ty),
        _ => {}
    }
    if !is_numeric(&typed.ty) {
        return Err(error(
            8117,
            16,
            format!(
                "Operand data type {} is invalid for minus operator.",
                typed.ty
            ),
        ));
    }
    let zero = coerce(constant(Cell::Int(0), SqlType::Int)?, &typed.ty)?;
    let ty = typed.ty.clone();
    let args = vec![(zero.expr, zero.ty), (typed.expr, typed.ty)];
    Ok(Typed::new(
        call(
            Op::Arith {
                op: Arith::Sub,
                soft: false,
            },
            args,
            &ty,
        )?,
        ty,
    ))
}

/// A text beside a number is read as that kind of number.
fn number(typed: Typed, other: &Typed) -> SqlResult<Typed> {
    if typed.is_null() {
        return coerce(
            typed,
            if is_numeric(&other.ty) {
                &other.ty
            } else {
                &SqlType::Int
            },
        );
    }
    if family(&typed.ty) == Family::Text && is_numeric(&other.ty) {
        return coerce(typed, &other.ty);
    }
    Ok(typed)
}

/// The type with which an operand takes part: beside a decimal, an integer constant has only the digits it shows.
fn digits(typed: &Typed, other: &Typed) -> SqlType {
    match &typed.value {
        Some(Cell::Int(value)) if family(&other.ty) == Family::Decimal => SqlType::Decimal {
            precision: u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(19),
            scale: 0,
        },
        _ => typed.ty.clone(),
    }
}
