//! From T-SQL's syntax tree to a DataFusion plan whose columns have SQL Server's types.
//!
//! Every node of the tree is matched by name: what is not known here is refused, never passed on to an engine that
//! might understand it differently. All conversions are made explicit, so DataFusion never coerces.

mod aggregate;
mod call;
mod compare;
mod convert;
mod expr;
mod from;
mod literal;
mod openjson;
mod operators;
mod query;
mod select;
mod system;
mod text_call;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};
use datafusion::physical_expr::create_physical_expr;
use datafusion::sql::sqlparser::ast::{DataType as AstType, Expr as AstExpr, Ident, Query};

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::Table;
use crate::sandbox::engine::func::cell::{Cell, first, single};
use crate::sandbox::tsql::error::{SqlResult, internal, several_values, syntax, unsupported};
use crate::sandbox::wire::SqlError;

/// What the binder asks the outside world for.
pub trait Catalog {
    /// The table of these names, if there is one; empty database and schema mean the defaults.
    ///
    /// # Errors
    /// 208 for a database or table that does not exist, 229 where the login may not read.
    fn table(
        &self,
        database: &str,
        schema: &str,
        name: &str,
    ) -> SqlResult<(Arc<Table>, Arc<dyn TableSource>)>;

    /// The value of `@@name`, a niladic function or a property, with its type.
    ///
    /// # Errors
    /// The sandbox's refusal for names that it does not know.
    fn fact(&self, name: &str, arguments: &[Option<String>])
    -> SqlResult<(Cell<'static>, SqlType)>;
}

/// Variables and parameters by lower-case name with the at sign; no value while only describing.
pub type Variables = HashMap<String, (SqlType, Option<ArrayRef>)>;

/// An expression with everything that SQL Server knows about it.
#[derive(Debug, Clone)]
pub struct Typed {
    /// For DataFusion.
    pub expr: Expr,
    /// Type.
    pub ty: SqlType,
    /// Whether it may be null.
    pub nullable: bool,
    /// True under a binary collation.
    pub binary: bool,
    /// The value of a constant.
    pub value: Option<Cell<'static>>,
}

impl Typed {
    /// An expression that may be null.
    pub(super) fn new(expr: Expr, ty: SqlType) -> Self {
        Self {
            expr,
            ty,
            nullable: true,
            binary: false,
            value: None,
        }
    }

    /// A condition.
    pub(super) fn condition(expr: Expr) -> Self {
        Self::new(expr, SqlType::Bit)
    }

    /// True for a NULL whose type nobody wrote.
    pub(super) fn is_null(&self) -> bool {
        self.value == Some(Cell::Null)
    }
}

/// A constant of a type.
///
/// # Errors
/// When the value is not one of the type.
pub fn constant(cell: Cell<'static>, ty: SqlType) -> SqlResult<Typed> {
    let array = single(&cell, &ty)?;
    let scalar = ScalarValue::try_from_array(&array, 0).map_err(plan_error)?;
    let nullable = cell == Cell::Null;
    Ok(Typed {
        expr: Expr::Literal(scalar, None),
        ty,
        nullable,
        binary: false,
        value: Some(cell),
    })
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutColumn {
    /// Name as the select list says it; may be empty.
    pub name: String,
    /// Type.
    pub ty: SqlType,
    /// Whether nulls are possible.
    pub nullable: bool,
    /// True under a binary collation.
    pub binary: bool,
    /// True for a bare NULL, which takes the type of whatever it meets.
    pub untyped: bool,
}

/// A bound query: its plan has the columns `c0`, `c1`, … in order, then perhaps the error column.
#[derive(Debug, Clone)]
pub struct Bound {
    /// For DataFusion.
    pub plan: LogicalPlan,
    /// What the columns are.
    pub columns: Vec<OutColumn>,
    /// True when a last, boolean column says "division by zero in this row".
    pub error_column: bool,
}

/// One column that a name can mean.
#[derive(Debug, Clone)]
struct ScopeColumn {
    /// Alias or table name.
    qualifier: String,
    name: String,
    column: Column,
    ty: SqlType,
    nullable: bool,
    binary: bool,
}

type Scope = Vec<ScopeColumn>;

/// What is being collected while the select list of a grouped query is bound.
#[derive(Debug, Default)]
struct Grouping {
    groups: Vec<Typed>,
    calls: Vec<(Expr, Typed)>,
}

/// Binds the statements of one batch.
pub struct Binder<'a> {
    catalog: &'a dyn Catalog,
    variables: &'a Variables,
    /// Innermost last.
    scopes: Vec<Scope>,
    ctes: Vec<(String, Vec<Ident>, Arc<Query>)>,
    grouping: Option<Grouping>,
    /// Window calls of the select list that is being bound.
    windows: Option<Vec<Expr>>,
    /// Divisors of the outermost select list that are checked row by row.
    divisors: Option<Vec<Expr>>,
    aliases: usize,
    depth: usize,
}

/// Nested queries and expressions at most; a worker's stack holds more.
const DEPTH_MAX: usize = 120;

impl<'a> Binder<'a> {
    /// A binder over one version of the tables.
    pub fn new(catalog: &'a dyn Catalog, variables: &'a Variables) -> Self {
        Self {
            catalog,
            variables,
            scopes: Vec::new(),
            ctes: Vec::new(),
            grouping: None,
            windows: None,
            divisors: None,
            aliases: 0,
            depth: 0,
        }
    }

    /// Binds a query whose rows go to the client.
    ///
    /// # Errors
    /// The server error of the query.
    pub fn bind(&mut self, query: &Query) -> SqlResult<Bound> {
        self.query(query, true)
    }

    /// Binds an expression outside a query and computes it at once, as a value of `ty` if one is given.
    ///
    /// # Errors
    /// The expression's error; the sandbox's refusal for subqueries and functions that need rows.
    pub fn constant(
        &mut self,
        ast: &AstExpr,
        ty: Option<&SqlType>,
    ) -> SqlResult<(SqlType, Cell<'static>)> {
        let typed = self.expr(ast)?;
        let ty = ty.cloned().unwrap_or_else(|| typed.ty.clone());
        let typed = convert::coerce(typed, &ty)?;
        if let Some(cell) = typed.value {
            return Ok((ty, cell));
        }
        Ok((ty.clone(), evaluate(typed.expr, &ty)?))
    }

    /// A fresh name for a relation inside the plan.
    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> SqlResult<T>) -> SqlResult<T> {
        if self.depth >= DEPTH_MAX {
            return Err(unsupported("expressions nested this deep"));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// The value of a variable as a constant, or a typed null while describing.
    fn variable(&self, name: &str) -> SqlResult<Typed> {
        let (ty, value) = self
            .variables
            .get(&name.to_lowercase())
            .ok_or_else(|| crate::sandbox::tsql::error::unknown_variable(name))?;
        let cell = value
            .as_ref()
            .map_or(Ok(Cell::Null), |array| first(array, ty))?;
        let typed = constant(cell, ty.clone())?;
        // A variable is never an untyped NULL and may always be null.
        let value = typed.value.filter(|v| *v != Cell::Null);
        Ok(Typed {
            nullable: true,
            value,
            ..typed
        })
    }
}

/// Computes an expression that needs no row.
fn evaluate(expr: Expr, ty: &SqlType) -> SqlResult<Cell<'static>> {
    let schema = DFSchema::empty();
    let physical = create_physical_expr(
        &expr,
        &schema,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )
    .map_err(plan_error)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema.inner()), Vec::new(), &options)
        .map_err(internal)?;
    let array = physical
        .evaluate(&batch)
        .and_then(|value| value.into_array(1))
        .map_err(plan_error)?;
    first(&array, ty)
}

/// The SQL type of a type in the syntax tree.
///
/// # Errors
/// Types that the sandbox does not hold.
pub fn sql_type(ty: &AstType) -> SqlResult<SqlType> {
    let text = match ty {
        AstType::Custom(name, arguments) if !arguments.is_empty() => {
            format!("{name}({})", arguments.join(","))
        }
        AstType::Datetime(None) => "datetime".to_owned(),
        other => other.to_string(),
    };
    let bare = text.to_lowercase().replace(['[', ']', '"'], "");
    let parsed: SqlType = match bare.strip_prefix("character varying") {
        Some(len) => format!("varchar{len}").parse(),
        None => bare.parse(),
    }
    .map_err(syntax)?;
    match parsed {
        SqlType::Other(name) => Err(unsupported(format!("the type {name}"))),
        // CAST(x AS varchar) has 30 characters, unlike a declaration.
        SqlType::VarChar(Some(1)) if !bare.contains('(') => Ok(SqlType::VarChar(Some(30))),
        SqlType::NVarChar(Some(1)) if !bare.contains('(') => Ok(SqlType::NVarChar(Some(30))),
        SqlType::VarBinary(Some(1)) if !bare.contains('(') => Ok(SqlType::VarBinary(Some(30))),
        SqlType::Char(1) if !bare.contains('(') => Ok(SqlType::Char(30)),
        ty => Ok(ty),
    }
}

/// The server error inside a DataFusion error, or an internal one.
pub fn plan_error(error: DataFusionError) -> SqlError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        if let Some(own) = inner.downcast_ref::<SqlError>() {
            return own.clone();
        }
        source = inner.source();
    }
    let text = error.to_string();
    match &error {
        DataFusionError::NotImplemented(text) => unsupported(text),
        _ if text.contains("This feature is not implemented") => unsupported(text),
        _ if text.contains("Scalar subquery returned more than one row") => several_values(),
        _ => internal(text),
    }
}
