//! OPENJSON over a constant array: the list parameter of the catalog's queries.

use datafusion::sql::sqlparser::ast::{Expr as Ast, OpenJsonTableColumn};
use serde_json::Value;

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::convert::coerce;
use crate::sandbox::engine::bind::from::emptied;
use crate::sandbox::engine::bind::{Binder, Bound, Typed, constant, sql_type};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, error, unsupported};

/// Elements of a list at most.
const ELEMENTS_MAX: usize = 100_000;

impl Binder<'_> {
    /// `OPENJSON(x) WITH (name type 'path', …)` where `x` is a constant or variable.
    pub(super) fn open_json(
        &mut self,
        json: &Ast,
        columns: &[OpenJsonTableColumn],
    ) -> SqlResult<Bound> {
        if columns.is_empty() {
            return Err(unsupported("OPENJSON without a WITH clause"));
        }
        let json = self.expr(json)?;
        let elements = match &json.value {
            Some(Cell::Text(text)) => elements(text)?,
            Some(Cell::Null) => Vec::new(),
            // A parameter without a value while describing.
            None if matches!(json.expr, datafusion::logical_expr::Expr::Literal(..)) => Vec::new(),
            _ => return Err(unsupported("OPENJSON over a column")),
        };
        let types = columns
            .iter()
            .map(|c| sql_type(&c.r#type))
            .collect::<SqlResult<Vec<SqlType>>>()?;
        let mut rows = Vec::with_capacity(elements.len().max(1));
        for element in &elements {
            let row = columns
                .iter()
                .zip(&types)
                .map(|(column, ty)| cell(element, column, ty));
            rows.push(row.collect::<SqlResult<Vec<Typed>>>()?);
        }
        let empty = rows.is_empty();
        if empty {
            let row = types
                .iter()
                .map(|ty| constant(Cell::Null, ty.clone()).map(typed_null));
            rows.push(row.collect::<SqlResult<Vec<Typed>>>()?);
        }
        let mut bound = self.constant_rows(rows, columns.len())?;
        for (out, (column, ty)) in bound.columns.iter_mut().zip(columns.iter().zip(types)) {
            out.name = column.name.value.clone();
            out.ty = ty;
            out.nullable = true;
        }
        if empty { emptied(bound) } else { Ok(bound) }
    }
}

/// A null that keeps its type where it meets others.
fn typed_null(typed: Typed) -> Typed {
    Typed {
        value: None,
        ..typed
    }
}

/// The elements of an array; a lone object is its own only element.
fn elements(text: &str) -> SqlResult<Vec<Value>> {
    let bad = || error(13_609, 16, "JSON text is not properly formatted.");
    match serde_json::from_str(text).map_err(|_| bad())? {
        Value::Array(list) if list.len() > ELEMENTS_MAX => Err(unsupported(format!(
            "OPENJSON over more than {ELEMENTS_MAX} elements"
        ))),
        Value::Array(list) => Ok(list),
        object @ Value::Object(_) => Ok(vec![object]),
        _ => Err(bad()),
    }
}

fn cell(element: &Value, column: &OpenJsonTableColumn, ty: &SqlType) -> SqlResult<Typed> {
    if column.as_json {
        return Err(unsupported("OPENJSON … AS JSON"));
    }
    let path = column
        .path
        .clone()
        .unwrap_or_else(|| format!("$.{}", column.name.value));
    let path = path.trim_matches('\'').trim_start_matches("lax ").trim();
    let value = match path.strip_prefix("$.") {
        _ if path == "$" => Some(element),
        Some(key) if !key.contains(['.', '[']) => element.get(key.trim_matches('"')),
        _ => return Err(unsupported(format!("the JSON path {path}"))),
    };
    let text = match value {
        None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
            return constant(Cell::Null, ty.clone()).map(typed_null);
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let typed = constant(Cell::text(text), SqlType::NVarChar(None))?;
    Ok(Typed {
        nullable: true,
        ..coerce(typed, ty)?
    })
}
