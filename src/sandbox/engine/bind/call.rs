//! Function calls by name: dates, nulls, choices; texts are in `text_call`, server facts in `system`.

use datafusion::logical_expr::Operator;
use datafusion::sql::sqlparser::ast::{
    Expr as Ast, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::aggregate::is_aggregate;
use crate::sandbox::engine::bind::compare::compare;
use crate::sandbox::engine::bind::convert::{case, coerce};
use crate::sandbox::engine::bind::{Binder, Typed, constant};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::dates::Part;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::{SqlResult, error, syntax, unsupported};
use crate::sandbox::tsql::types::{Family, family};

impl Binder<'_> {
    /// Binds a function call.
    pub(super) fn function(&mut self, function: &Function) -> SqlResult<Typed> {
        let name = function
            .name
            .to_string()
            .to_ascii_uppercase()
            .replace(['[', ']'], "");
        if function.over.is_some() {
            return self.window_call(&name, function);
        }
        if is_aggregate(function) {
            return self.aggregate(function);
        }
        let args = arguments(function, &name)?;
        match (name.as_str(), args.as_slice()) {
            ("ISNULL", [x, other]) => self.is_null(x, other),
            ("COALESCE", list) if list.len() > 1 => self.coalesce(list),
            ("NULLIF", [x, other]) => self.null_if(x, other),
            ("IIF", [condition, yes, no]) => self.guarded(|b| {
                let condition = b.expr(condition)?.expr;
                let yes = b.expr(yes)?;
                let no = b.expr(no)?;
                case(vec![(condition, yes)], Some(no))
            }),
            ("EOMONTH", [x]) => self.end_of_month(x, None),
            ("EOMONTH", [x, months]) => self.end_of_month(x, Some(months)),
            ("DATEADD", [part, count, x]) => self.date_add(part, count, x),
            ("DATEDIFF", [part, from, to]) => {
                let op = Op::DateDiff(part_of(part)?);
                let (from, to) = (self.date(from)?, self.date(to)?);
                typed_call(op, vec![from, to], SqlType::Int)
            }
            ("DATEPART", [part, x]) => self.date_part(part_of(part)?, x),
            ("YEAR", [x]) => self.date_part(Part::Year, x),
            ("MONTH", [x]) => self.date_part(Part::Month, x),
            ("DAY", [x]) => self.date_part(Part::Day, x),
            ("ABS", [x]) => {
                let x = self.expr(x)?;
                let ty = match family(&x.ty) {
                    Family::Decimal => x.ty.clone(),
                    Family::Integer if x.ty == SqlType::BigInt => SqlType::BigInt,
                    Family::Integer => SqlType::Int,
                    _ => return Err(unsupported(format!("ABS of {}", x.ty))),
                };
                typed_call(Op::Abs, vec![coerce(x, &ty)?], ty)
            }
            ("DATALENGTH", [x]) => {
                let x = self.expr(x)?;
                let long = matches!(
                    x.ty,
                    SqlType::VarChar(None) | SqlType::NVarChar(None) | SqlType::VarBinary(None)
                );
                typed_call(
                    Op::DataLength,
                    vec![x],
                    if long { SqlType::BigInt } else { SqlType::Int },
                )
            }
            ("HASHBYTES", [algorithm, x]) => self.hash(algorithm, x),
            _ => match self.text_call(&name, &args)? {
                Some(typed) => Ok(typed),
                None => self.server_call(&name, &args),
            },
        }
    }

    /// ISNULL: the type of the first argument.
    fn is_null(&mut self, x: &Ast, other: &Ast) -> SqlResult<Typed> {
        let x = self.expr(x)?;
        let other = self.guarded(|b| b.expr(other))?;
        if x.is_null() {
            return Ok(other);
        }
        let nullable = x.nullable && other.nullable;
        let ty = x.ty.clone();
        let condition = x.expr.clone().is_not_null();
        let typed = case(vec![(condition, x)], Some(coerce(other, &ty)?))?;
        Ok(Typed { nullable, ..typed })
    }

    fn coalesce(&mut self, list: &[Ast]) -> SqlResult<Typed> {
        self.guarded(|binder| {
            let mut values = list
                .iter()
                .map(|ast| binder.expr(ast))
                .collect::<SqlResult<Vec<_>>>()?;
            let nullable = values.iter().all(|v| v.nullable);
            let last = values.pop();
            let branches = values
                .into_iter()
                .filter(|v| !v.is_null())
                .map(|v| (v.expr.clone().is_not_null(), v))
                .collect::<Vec<_>>();
            match (branches.is_empty(), last) {
                (true, Some(last)) => Ok(last),
                (_, last) => Ok(Typed {
                    nullable,
                    ..case(branches, last)?
                }),
            }
        })
    }

    fn null_if(&mut self, x: &Ast, other: &Ast) -> SqlResult<Typed> {
        let (x, other) = (self.expr(x)?, self.expr(other)?);
        let same = compare(x.clone(), Operator::Eq, other)?.expr;
        let ty = x.ty.clone();
        let typed = case(
            vec![(same.is_not_true(), x)],
            Some(constant(Cell::Null, ty)?),
        )?;
        Ok(Typed {
            nullable: true,
            ..typed
        })
    }

    /// An argument that must be a date, a date-time or a time; texts are read as `datetime2(7)`, integers as `datetime`.
    fn date(&mut self, ast: &Ast) -> SqlResult<Typed> {
        let x = self.expr(ast)?;
        match family(&x.ty) {
            Family::Date | Family::DateTime | Family::Time => Ok(x),
            Family::Text => coerce(x, &SqlType::DateTime2(6)),
            Family::Integer => coerce(x, &SqlType::DateTime),
            _ => Err(error(
                8116,
                16,
                format!(
                    "Argument data type {} is invalid for a date function.",
                    x.ty
                ),
            )),
        }
    }

    fn date_part(&mut self, part: Part, ast: &Ast) -> SqlResult<Typed> {
        let x = self.date(ast)?;
        typed_call(Op::DatePart(part), vec![x], SqlType::Int)
    }

    fn date_add(&mut self, part: &Ast, count: &Ast, x: &Ast) -> SqlResult<Typed> {
        let part = part_of(part)?;
        let count = coerce(self.expr(count)?, &SqlType::BigInt)?;
        let source = self.expr(x)?;
        // A text is read as datetime here, unlike in the other date functions.
        let x = match family(&source.ty) {
            Family::Text | Family::Integer => coerce(source, &SqlType::DateTime)?,
            Family::Date | Family::DateTime | Family::Time => source,
            _ => {
                return Err(error(
                    8116,
                    16,
                    format!("Argument data type {} is invalid for dateadd.", source.ty),
                ));
            }
        };
        let ty = x.ty.clone();
        typed_call(Op::DateAdd(part), vec![count, x], ty)
    }

    fn end_of_month(&mut self, x: &Ast, months: Option<&Ast>) -> SqlResult<Typed> {
        let mut args = vec![self.date(x)?];
        if let Some(months) = months {
            args.push(coerce(self.expr(months)?, &SqlType::Int)?);
        }
        typed_call(Op::EoMonth, args, SqlType::Date)
    }

    fn hash(&mut self, algorithm: &Ast, x: &Ast) -> SqlResult<Typed> {
        match self.expr(algorithm)?.value {
            Some(Cell::Text(name)) if name.eq_ignore_ascii_case("SHA2_256") => {}
            _ => {
                return Err(unsupported(
                    "HASHBYTES with another algorithm than SHA2_256",
                ));
            }
        }
        let x = coerce(self.expr(x)?, &SqlType::VarBinary(None))?;
        typed_call(Op::Sha256, vec![x], SqlType::VarBinary(Some(8000)))
    }
}

/// A call as a typed expression that may be null.
pub(super) fn typed_call(op: Op, args: Vec<Typed>, ret: SqlType) -> SqlResult<Typed> {
    let binary = args.first().is_some_and(|a| a.binary);
    let args = args.into_iter().map(|a| (a.expr, a.ty)).collect();
    Ok(Typed {
        binary,
        ..Typed::new(call(op, args, &ret)?, ret)
    })
}

/// The plain arguments of a call.
fn arguments(function: &Function, name: &str) -> SqlResult<Vec<Ast>> {
    let list = match &function.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::List(list) => list,
        FunctionArguments::Subquery(_) => {
            return Err(unsupported(format!("a subquery as argument of {name}")));
        }
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err(syntax(format!("near the arguments of {name}")));
    }
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(ast)) => Ok(ast.clone()),
        _ => Err(syntax(format!("near the arguments of {name}"))),
    };
    list.args.iter().map(plain).collect()
}

/// The date part that an argument names.
fn part_of(ast: &Ast) -> SqlResult<Part> {
    match ast {
        Ast::Identifier(ident) => Part::named(&ident.value),
        other => Err(syntax(format!("the date part {other}"))),
    }
}
