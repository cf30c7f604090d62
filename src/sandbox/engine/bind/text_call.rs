//! The text functions of T-SQL.

use datafusion::sql::sqlparser::ast::Expr as Ast;

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::call::typed_call;
use crate::sandbox::engine::bind::convert::coerce;
use crate::sandbox::engine::bind::{Binder, Typed};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::func::scalar::Op;
use crate::sandbox::tsql::error::SqlResult;
use crate::sandbox::tsql::types::{Family, family, text_len, text_type};

impl Binder<'_> {
    /// A call of a text function; `None` when the name is none.
    pub(super) fn text_call(&mut self, name: &str, args: &[Ast]) -> SqlResult<Option<Typed>> {
        let typed = match (name, args) {
            ("LEN", [x]) => {
                let x = self.text(x)?;
                let long = matches!(x.ty, SqlType::VarChar(None) | SqlType::NVarChar(None));
                typed_call(
                    Op::Len,
                    vec![x],
                    if long { SqlType::BigInt } else { SqlType::Int },
                )?
            }
            ("UPPER", [x]) => self.text_unary(Op::Upper, x)?,
            ("LOWER", [x]) => self.text_unary(Op::Lower, x)?,
            ("LTRIM", [x]) => self.text_unary(Op::TrimStart, x)?,
            ("RTRIM", [x]) => self.text_unary(Op::TrimEnd, x)?,
            ("TRIM", [x]) => self.text_unary(Op::Trim, x)?,
            ("LEFT" | "RIGHT", [x, count]) => {
                let (x, count) = (self.text(x)?, coerce(self.expr(count)?, &SqlType::Int)?);
                let (len, unicode) = text_len(&x.ty).unwrap_or((None, true));
                let cut = match count.value {
                    Some(Cell::Int(n)) => u16::try_from(n)
                        .ok()
                        .map(|n| len.map_or(n, |len| len.min(n))),
                    _ => len,
                };
                let op = if name == "LEFT" { Op::Left } else { Op::Right };
                typed_call(op, vec![x, count], text_type(cut, unicode))?
            }
            ("SUBSTRING", [x, from, len]) => self.substring(x, from, len)?,
            ("REPLACE", [x, old, new]) => {
                let (x, old, new) = (self.text(x)?, self.text(old)?, self.text(new)?);
                let unicode = text_len(&x.ty).is_none_or(|(_, unicode)| unicode);
                typed_call(
                    Op::Replace,
                    vec![x, old, new],
                    text_type(Some(if unicode { 4000 } else { 8000 }), unicode),
                )?
            }
            ("CHARINDEX", [what, x]) => {
                let (what, x) = (self.text(what)?, self.text(x)?);
                typed_call(Op::CharIndex, vec![what, x], SqlType::Int)?
            }
            ("CONCAT", list) if list.len() > 1 => self.concat(list)?,
            ("QUOTENAME", [x]) => {
                let x = coerce(self.text(x)?, &SqlType::NVarChar(None))?;
                typed_call(Op::QuoteName, vec![x], SqlType::NVarChar(Some(258)))?
            }
            _ => return Ok(None),
        };
        Ok(Some(typed))
    }

    /// An argument as text.
    fn text(&mut self, ast: &Ast) -> SqlResult<Typed> {
        let x = self.expr(ast)?;
        if family(&x.ty) == Family::Text {
            Ok(x)
        } else {
            coerce(x, &SqlType::VarChar(Some(8000)))
        }
    }

    /// A function that keeps the type of its text.
    pub(super) fn text_unary(&mut self, op: Op, ast: &Ast) -> SqlResult<Typed> {
        let x = self.text(ast)?;
        let (len, unicode) = text_len(&x.ty).unwrap_or((None, true));
        let ty = text_type(len, unicode);
        typed_call(
            op,
            vec![x],
            if len.is_none() { max_type(unicode) } else { ty },
        )
    }

    /// SUBSTRING over a text or a binary.
    pub(super) fn substring(&mut self, x: &Ast, from: &Ast, len: &Ast) -> SqlResult<Typed> {
        let x = self.expr(x)?;
        let from = coerce(self.expr(from)?, &SqlType::BigInt)?;
        let len = coerce(self.expr(len)?, &SqlType::BigInt)?;
        let wanted = match len.value {
            Some(Cell::Int(n)) => u16::try_from(n).ok(),
            _ => None,
        };
        if family(&x.ty) == Family::Binary {
            let own = match &x.ty {
                SqlType::Binary(n) => Some(*n),
                SqlType::VarBinary(n) => *n,
                _ => None,
            };
            let cut = wanted
                .or(own)
                .map(|n| own.map_or(n, |own| own.min(n)).max(1));
            return typed_call(Op::Substring, vec![x, from, len], SqlType::VarBinary(cut));
        }
        let x = if family(&x.ty) == Family::Text {
            x
        } else {
            coerce(x, &SqlType::VarChar(Some(8000)))?
        };
        let (own, unicode) = text_len(&x.ty).unwrap_or((None, true));
        let cut = wanted.or(own).map(|n| own.map_or(n, |own| own.min(n)));
        let ty = if cut.is_none() {
            max_type(unicode)
        } else {
            text_type(cut, unicode)
        };
        typed_call(Op::Substring, vec![x, from, len], ty)
    }

    fn concat(&mut self, list: &[Ast]) -> SqlResult<Typed> {
        let args = list
            .iter()
            .map(|ast| self.expr(ast))
            .collect::<SqlResult<Vec<_>>>()?;
        let (mut len, mut unicode) = (Some(0_u16), false);
        for arg in &args {
            let (own, wide) = text_len(&arg.ty).unwrap_or((Some(40), false));
            len = len.zip(own).and_then(|(a, b)| a.checked_add(b));
            unicode |= wide;
        }
        let limit = if unicode { 4000 } else { 8000 };
        let typed = typed_call(
            Op::Concat,
            args,
            text_type(Some(len.unwrap_or(limit).min(limit)), unicode),
        )?;
        Ok(Typed {
            nullable: false,
            ..typed
        })
    }
}

fn max_type(unicode: bool) -> SqlType {
    if unicode {
        SqlType::NVarChar(None)
    } else {
        SqlType::VarChar(None)
    }
}
