//! Conversions that T-SQL makes by itself: between operands, branches and set operations.

use datafusion::logical_expr::{Case, Expr};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::{Typed, constant};
use crate::sandbox::engine::func::call;
use crate::sandbox::engine::func::cast::cast;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::{SqlResult, internal};
use crate::sandbox::tsql::types::{text_len, unify};
use crate::sandbox::tsql::value::collation_key;

/// `typed` as a value of `to`.
///
/// # Errors
/// The conversion's error, at once for constants.
pub(super) fn coerce(typed: Typed, to: &SqlType) -> SqlResult<Typed> {
    if &typed.ty == to && !typed.is_null() {
        return Ok(typed);
    }
    if let Some(value) = typed.value {
        let cell = cast(value, &typed.ty, to, None)?.into_owned();
        return Ok(Typed {
            binary: typed.binary,
            ..constant(cell, to.clone())?
        });
    }
    let longer = match (text_len(&typed.ty), text_len(to)) {
        (Some((from, _)), Some((len, _))) => match (from, len) {
            (_, None) => true,
            (Some(from), Some(len)) => {
                len >= from && !matches!(to, SqlType::Char(_) | SqlType::NChar(_))
            }
            (None, Some(_)) => false,
        },
        _ => false,
    };
    let expr = if longer {
        typed.expr
    } else {
        call(
            Op::Cast {
                style: None,
                lenient: false,
            },
            vec![(typed.expr, typed.ty)],
            to,
        )?
    };
    Ok(Typed {
        expr,
        ty: to.clone(),
        nullable: typed.nullable,
        binary: typed.binary,
        value: None,
    })
}

/// The type in which all of `values` meet; untyped nulls follow the others.
///
/// # Errors
/// 206 when two of them do not go together.
pub(super) fn common_type<'t>(values: impl IntoIterator<Item = &'t Typed>) -> SqlResult<SqlType> {
    let mut common: Option<SqlType> = None;
    for typed in values.into_iter().filter(|t| !t.is_null()) {
        common = Some(match common {
            None => typed.ty.clone(),
            Some(ty) => unify(&ty, &typed.ty)?,
        });
    }
    Ok(common.unwrap_or(SqlType::Int))
}

/// The form of a text in which the default collation compares it; anything else unchanged.
///
/// # Errors
/// Internal ones.
pub(super) fn key(typed: Typed) -> SqlResult<Typed> {
    if typed.binary || text_len(&typed.ty).is_none() {
        return Ok(typed);
    }
    let ty = SqlType::NVarChar(None);
    if let Some(Cell::Text(text)) = &typed.value {
        return constant(Cell::text(collation_key(text)), ty);
    }
    let expr = call(Op::Key, vec![(typed.expr, typed.ty)], &ty)?;
    Ok(Typed {
        nullable: typed.nullable,
        ..Typed::new(expr, ty)
    })
}

/// `CASE WHEN condition THEN value … ELSE otherwise END` over branches of one type.
///
/// # Errors
/// 206 when the branches do not go together.
pub(super) fn case(branches: Vec<(Expr, Typed)>, otherwise: Option<Typed>) -> SqlResult<Typed> {
    let ty = common_type(branches.iter().map(|(_, value)| value).chain(&otherwise))?;
    let binary = branches.iter().any(|(_, value)| value.binary);
    let nullable =
        otherwise.as_ref().is_none_or(|o| o.nullable) || branches.iter().any(|(_, v)| v.nullable);
    let mut pairs = Vec::with_capacity(branches.len());
    for (condition, value) in branches {
        pairs.push((Box::new(condition), Box::new(coerce(value, &ty)?.expr)));
    }
    let otherwise = match otherwise {
        Some(value) => coerce(value, &ty)?,
        None => constant(Cell::Null, ty.clone())?,
    };
    if pairs.is_empty() {
        return Err(internal("CASE without branches"));
    }
    let expr = Expr::Case(Case::new(None, pairs, Some(Box::new(otherwise.expr))));
    Ok(Typed {
        expr,
        ty,
        nullable,
        binary,
        value: None,
    })
}
