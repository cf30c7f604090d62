//! Expressions: names, CASE, CAST, subqueries. Every node that is not known is refused by name.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, Operator, exists, not_exists, out_ref_col, scalar_subquery};
use datafusion::sql::sqlparser::ast::{
    CaseWhen, CastKind, DataType as AstType, Expr as Ast, Ident, Query,
};

use crate::sandbox::engine::bind::compare::compare;
use crate::sandbox::engine::bind::convert::{case, coerce};
use crate::sandbox::engine::bind::literal::literal;
use crate::sandbox::engine::bind::{Binder, Typed, constant, sql_type};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::{
    SqlResult, ambiguous_column, error, not_grouped, syntax, unknown_column, unknown_qualifier,
    unsupported,
};
use crate::sandbox::tsql::types::{arrow_type, text_len};

impl Binder<'_> {
    /// Binds one expression.
    pub(super) fn expr(&mut self, ast: &Ast) -> SqlResult<Typed> {
        self.deeper(|binder| {
            if let Some(group) = binder.group_for(ast)? {
                return Ok(group);
            }
            binder.node(ast)
        })
    }

    /// The group that an expression is, in a grouped query.
    fn group_for(&mut self, ast: &Ast) -> SqlResult<Option<Typed>> {
        let Some(grouping) = self.grouping.take() else {
            return Ok(None);
        };
        let mut found = None;
        if !grouping.groups.is_empty()
            && !matches!(ast, Ast::Value(_) | Ast::Nested(_))
            && let Ok(plain) = self.node(ast)
        {
            let mut groups = grouping.groups.iter().enumerate();
            found = groups
                .find(|(_, group)| group.expr == plain.expr)
                .map(|(at, group)| Typed {
                    expr: Expr::Column(format!("g{at}").into()),
                    value: None,
                    ..group.clone()
                });
        }
        self.grouping = Some(grouping);
        Ok(found)
    }

    fn node(&mut self, ast: &Ast) -> SqlResult<Typed> {
        match ast {
            Ast::Identifier(ident)
                if ident.quote_style.is_none() && ident.value.starts_with("@@") =>
            {
                self.fact(&ident.value, &[])
            }
            Ast::Identifier(ident)
                if ident.quote_style.is_none() && ident.value.starts_with('@') =>
            {
                self.variable(&ident.value)
            }
            Ast::Identifier(ident) => self.column(&[], ident),
            Ast::CompoundIdentifier(parts) => match parts.split_last() {
                Some((name, qualifier)) => self.column(qualifier, name),
                None => Err(syntax("an empty name")),
            },
            Ast::Value(value) => literal(&value.value),
            Ast::Nested(inner) => self.expr(inner),
            Ast::BinaryOp { left, op, right } => self.binary(ast, left, op, right),
            Ast::UnaryOp { op, expr } => self.unary(*op, expr),
            Ast::IsNull(inner) => Ok(Typed::condition(self.expr(inner)?.expr.is_null())),
            Ast::IsNotNull(inner) => Ok(Typed::condition(self.expr(inner)?.expr.is_not_null())),
            Ast::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, low, high, *negated),
            Ast::InList {
                expr,
                list,
                negated,
            } => self.in_list(expr, list, *negated),
            Ast::InSubquery {
                expr,
                subquery,
                negated,
            } => self.in_query(expr, subquery, *negated),
            Ast::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let escape = escape_char
                    .clone()
                    .and_then(|value| value.value.into_string());
                self.like(expr, pattern, escape, *negated)
            }
            other => self.composed(other),
        }
    }

    /// Subqueries, choices, conversions and calls.
    fn composed(&mut self, ast: &Ast) -> SqlResult<Typed> {
        match ast {
            Ast::Exists { subquery, negated } => {
                let plan = Arc::new(self.query(subquery, false)?.plan);
                Ok(Typed::condition(if *negated {
                    not_exists(plan)
                } else {
                    exists(plan)
                }))
            }
            Ast::Subquery(query) => self.scalar(query),
            Ast::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref()),
            Ast::Cast { .. } | Ast::Convert { .. } => self.conversion(ast),
            Ast::Collate { expr, collation } => self.collate(expr, &collation.to_string()),
            Ast::Function(function) => self.function(function),
            Ast::Substring {
                expr,
                substring_from: Some(from),
                substring_for: Some(len),
                ..
            } => self.substring(expr, from, len),
            Ast::Trim {
                expr,
                trim_where: None,
                trim_what: None,
                trim_characters: None,
            } => self.text_unary(Op::Trim, expr),
            other => Err(unsupported(format!("the expression {other}"))),
        }
    }

    /// CAST, CONVERT and their TRY forms.
    fn conversion(&mut self, ast: &Ast) -> SqlResult<Typed> {
        match ast {
            Ast::Cast {
                kind,
                expr,
                data_type,
                array: false,
                format: None,
            } => {
                let lenient = match kind {
                    CastKind::Cast => false,
                    CastKind::TryCast => true,
                    other => return Err(unsupported(format!("the cast {other:?}"))),
                };
                self.cast(expr, data_type, None, lenient)
            }
            Ast::Convert {
                is_try,
                expr,
                data_type: Some(ty),
                styles,
                charset: None,
                ..
            } => {
                let style = styles.first().map(|style| self.expr(style)).transpose()?;
                let style = match style.and_then(|s| s.value) {
                    Some(Cell::Int(style)) => Some(style),
                    None if styles.is_empty() => None,
                    _ => return Err(unsupported("a CONVERT style that is not a constant")),
                };
                self.cast(expr, ty, style, *is_try)
            }
            other => Err(unsupported(format!("the conversion {other}"))),
        }
    }

    /// A column by its name, in the innermost query that has it.
    fn column(&mut self, qualifier: &[Ident], name: &Ident) -> SqlResult<Typed> {
        let table = qualifier.last().map(|ident| ident.value.as_str());
        let same =
            |a: &str, b: &str| a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase();
        let mut qualifier_seen = false;
        for (level, scope) in self.scopes.iter().rev().enumerate() {
            qualifier_seen |= table.is_none_or(|t| scope.iter().any(|c| same(&c.qualifier, t)));
            let mut hits = scope.iter().filter(|c| {
                same(&c.name, &name.value) && table.is_none_or(|t| same(&c.qualifier, t))
            });
            let Some(hit) = hits.next() else { continue };
            if hits.next().is_some() {
                return Err(ambiguous_column(&name.value));
            }
            if level == 0 && self.grouping.is_some() {
                return Err(not_grouped(&format!("{}.{}", hit.qualifier, hit.name)));
            }
            let expr = if level == 0 {
                Expr::Column(hit.column.clone())
            } else {
                out_ref_col(arrow_type(&hit.ty)?, hit.column.clone())
            };
            return Ok(Typed {
                expr,
                ty: hit.ty.clone(),
                nullable: hit.nullable,
                binary: hit.binary,
                value: None,
            });
        }
        match table {
            Some(table) if !qualifier_seen => {
                Err(unknown_qualifier(&format!("{table}.{}", name.value)))
            }
            _ => Err(unknown_column(&name.value)),
        }
    }

    fn scalar(&mut self, query: &Query) -> SqlResult<Typed> {
        let bound = self.query(query, false)?;
        let [column] = bound.columns.as_slice() else {
            let text = "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.";
            return Err(error(116, 16, text));
        };
        if !bound.plan.all_out_ref_exprs().is_empty() {
            return Err(unsupported(
                "a scalar subquery that refers to the query around it",
            ));
        }
        let typed = Typed::new(
            scalar_subquery(Arc::new(bound.plan.clone())),
            column.ty.clone(),
        );
        Ok(Typed {
            binary: column.binary,
            ..typed
        })
    }

    /// CASE; a simple one becomes a searched one. Divisions in branches are not checked row by row.
    fn case(
        &mut self,
        operand: Option<&Ast>,
        branches: &[CaseWhen],
        otherwise: Option<&Ast>,
    ) -> SqlResult<Typed> {
        self.guarded(|binder| {
            let operand = operand.map(|ast| binder.expr(ast)).transpose()?;
            let mut pairs = Vec::with_capacity(branches.len());
            for branch in branches {
                let condition = binder.expr(&branch.condition)?;
                let condition = match &operand {
                    Some(operand) => compare(operand.clone(), Operator::Eq, condition)?,
                    None => condition,
                };
                pairs.push((condition.expr, binder.expr(&branch.result)?));
            }
            let otherwise = otherwise.map(|ast| binder.expr(ast)).transpose()?;
            case(pairs, otherwise)
        })
    }

    /// Binds something that is not evaluated for every row.
    pub(super) fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> SqlResult<T>,
    ) -> SqlResult<T> {
        let divisors = self.divisors.take();
        let result = work(self);
        self.divisors = divisors;
        result
    }

    pub(super) fn cast(
        &mut self,
        expr: &Ast,
        ty: &AstType,
        style: Option<i64>,
        lenient: bool,
    ) -> SqlResult<Typed> {
        let to = sql_type(ty)?;
        let inner = self.expr(expr)?;
        if inner.ty == to && style.is_none() && inner.value.is_none() {
            return Ok(inner);
        }
        if inner.is_null() {
            return constant(Cell::Null, to).map(|t| Typed { value: None, ..t });
        }
        let binary = inner.binary;
        let plain = style.is_none() && !lenient;
        if inner.value.is_some() && plain {
            return Ok(Typed {
                nullable: true,
                binary,
                ..coerce(inner, &to)?
            });
        }
        let expr = call(
            Op::Cast { style, lenient },
            vec![(inner.expr, inner.ty)],
            &to,
        )?;
        Ok(Typed {
            binary,
            ..Typed::new(expr, to)
        })
    }

    fn collate(&mut self, expr: &Ast, collation: &str) -> SqlResult<Typed> {
        let inner = self.expr(expr)?;
        if text_len(&inner.ty).is_none() {
            return Err(error(
                447,
                16,
                format!(
                    "Expression type {} is invalid for COLLATE clause.",
                    inner.ty
                ),
            ));
        }
        let name = collation.to_ascii_uppercase();
        if name.contains("_BIN") {
            return Ok(Typed {
                binary: true,
                ..inner
            });
        }
        if name == "DATABASE_DEFAULT" || name.contains("_CI_AS") {
            return Ok(Typed {
                binary: false,
                ..inner
            });
        }
        Err(unsupported(format!("the collation {collation}")))
    }
}
