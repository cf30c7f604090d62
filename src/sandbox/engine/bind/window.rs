//! ROW_NUMBER, the one window function that the catalog's questions use.

use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, WindowFrame, cast};
use datafusion::sql::sqlparser::ast::{Function, FunctionArguments, WindowType};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::convert::key;
use crate::sandbox::engine::bind::query::sort_key;
use crate::sandbox::engine::bind::{Binder, Typed, plan_error};
use crate::sandbox::tsql::error::{SqlResult, error, unsupported};

impl Binder<'_> {
    /// Binds a call with OVER; its value becomes a column of the input of the select list.
    pub(super) fn window_call(&mut self, name: &str, function: &Function) -> SqlResult<Typed> {
        let refused = || unsupported(format!("window functions ({name} … OVER)"));
        let no_arguments =
            matches!(&function.args, FunctionArguments::List(list) if list.args.is_empty());
        let Some(WindowType::WindowSpec(spec)) = &function.over else {
            return Err(refused());
        };
        if name != "ROW_NUMBER" || !no_arguments || spec.window_frame.is_some() {
            return Err(refused());
        }
        if spec.order_by.is_empty() {
            let text = "The function 'ROW_NUMBER' must have an OVER clause with ORDER BY.";
            return Err(error(4112, 15, text));
        }
        if self.windows.is_none() || self.grouping.is_some() {
            let text = "Windowed functions can only appear in the SELECT or ORDER BY clauses.";
            return Err(error(4108, 15, text));
        }
        let (partition_by, order_by) = self.guarded(|binder| {
            let parts = spec.partition_by.iter();
            let parts = parts.map(|ast| Ok(key(binder.expr(ast)?)?.expr));
            let parts = parts.collect::<SqlResult<Vec<Expr>>>()?;
            let order = spec.order_by.iter();
            let order = order.map(|item| Ok(sort_key(key(binder.expr(&item.expr)?)?.expr, item)));
            Ok((parts, order.collect::<SqlResult<Vec<_>>>()?))
        })?;
        let mut call = WindowFunction::new(row_number_udwf(), Vec::new());
        call.params = WindowFunctionParams {
            partition_by,
            order_by,
            window_frame: WindowFrame::new(Some(true)),
            ..call.params
        };
        let call = Expr::WindowFunction(Box::new(call));
        let windows = self.windows.get_or_insert_default();
        // The planner takes two equal calls for one, so they must share a column.
        let place = windows.iter().position(|known| *known == call);
        let column = format!("w{}", place.unwrap_or(windows.len()));
        if place.is_none() {
            windows.push(call);
        }
        let counted = cast(
            Expr::Column(column.into()),
            datafusion::arrow::datatypes::DataType::Int64,
        );
        Ok(Typed {
            nullable: false,
            ..Typed::new(counted, SqlType::BigInt)
        })
    }
}

/// The input with one more column for each window call: `w0`, `w1`, ….
pub(super) fn window_plan(input: LogicalPlan, windows: Vec<Expr>) -> SqlResult<LogicalPlan> {
    let mut windows = windows.into_iter().enumerate();
    windows.try_fold(input, |plan, (place, window)| {
        let window = window.alias(format!("w{place}"));
        let builder = LogicalPlanBuilder::from(plan).window([window]);
        builder
            .and_then(LogicalPlanBuilder::build)
            .map_err(plan_error)
    })
}
