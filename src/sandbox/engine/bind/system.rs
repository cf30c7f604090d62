//! Questions about the server inside expressions: `@@name`, niladic functions, properties, permissions.
//!
//! The answers come from the catalog; nothing is computed here.

use datafusion::sql::sqlparser::ast::Expr as Ast;

use crate::sandbox::engine::bind::{Binder, Typed, constant, evaluate};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, error, unsupported};

impl Binder<'_> {
    /// A fact of the server, as a constant.
    pub(super) fn fact(&mut self, name: &str, arguments: &[Option<String>]) -> SqlResult<Typed> {
        let (cell, ty) = self.catalog.fact(&name.to_ascii_uppercase(), arguments)?;
        let typed = constant(cell, ty)?;
        let value = typed.value.filter(|v| *v != Cell::Null);
        Ok(Typed {
            nullable: true,
            value,
            ..typed
        })
    }

    /// A function that only the server can answer; its arguments must be constants.
    pub(super) fn server_call(&mut self, name: &str, args: &[Ast]) -> SqlResult<Typed> {
        let mut texts = Vec::with_capacity(args.len());
        for ast in args {
            let typed = self.expr(ast)?;
            let cell = match typed.value {
                Some(cell) => cell,
                // Without a column in it, an expression can be computed at once.
                None => evaluate(typed.expr, &typed.ty)
                    .map_err(|_| unsupported(format!("the function {name} over columns")))?,
            };
            texts.push(match cell {
                Cell::Text(text) => Some(text.into_owned()),
                Cell::Int(n) => Some(n.to_string()),
                Cell::Null => None,
                _ => return Err(unsupported(format!("the arguments of {name}"))),
            });
        }
        self.fact(name, &texts).map_err(|e| match e.number {
            195 => error(
                195,
                15,
                format!("'{name}' is not a function that the sandbox knows."),
            ),
            _ => e,
        })
    }
}
