//! `SET SHOWPLAN_XML ON`: a query is answered with its plan and is not run.
//!
//! # Shape
//! The smallest showplan document: one `StmtSimple` whose estimate is the rows of the largest table that is read. There is
//! no cost, because the stand-in has no unit for it.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::sql::sqlparser::ast::Query;

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::Column;
use crate::sandbox::data::table::schema_of;
use crate::sandbox::engine::bind::{Variables, plan_error};
use crate::sandbox::engine::execute::{Stop, send};
use crate::sandbox::engine::session::Session;
use crate::sandbox::tsql::error::{SqlResult, error, internal};
use crate::sandbox::wire::{ColumnMeta, Reply, ReplySender, SqlSession};

/// Name of the one column, as SQL Server gives it.
const COLUMN: &str = "Microsoft SQL Server 2005 XML Showplan";

impl Session {
    /// Answers a query with its plan.
    pub(super) async fn show_plan(
        &mut self,
        query: &Query,
        variables: &Variables,
        out: &ReplySender,
    ) -> Result<(), Stop> {
        if !self.shared.config.showplan_allowed {
            let text = format!(
                "SHOWPLAN permission denied in database '{}'.",
                self.database()
            );
            return Err(Stop::Failed(error(262, 14, text)));
        }
        let bound = self.bind(query, variables)?;
        let plan = self.shared.state.create_physical_plan(&bound.plan).await;
        let rows = rows_at_most(plan.map_err(plan_error)?.as_ref())?;
        let text = format!(
            "<ShowPlanXML><BatchSequence><Batch><Statements><StmtSimple StatementId=\"1\" StatementType=\"SELECT\" StatementEstRows=\"{rows}\"/>\
             </Statements></Batch></BatchSequence></ShowPlanXML>"
        );
        let sql_type = SqlType::NVarChar(None);
        let schema = schema_of(&[Column {
            name: COLUMN.to_owned(),
            sql_type: sql_type.clone(),
            nullable: true,
        }])?;
        let plans = Arc::new(StringArray::from(vec![text]));
        let rows = RecordBatch::try_new(schema, vec![plans]).map_err(internal)?;
        let meta = ColumnMeta {
            name: COLUMN.to_owned(),
            sql_type,
            nullable: true,
        };
        send(out, Reply::Columns(vec![meta])).await?;
        send(out, Reply::Rows(rows)).await?;
        self.counted(1, out).await
    }
}

/// Rows of the largest table that a plan reads: the planner's own guess of joins is off by orders of magnitude.
fn rows_at_most(plan: &dyn ExecutionPlan) -> SqlResult<usize> {
    let children = plan.children();
    if children.is_empty() {
        let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new());
        let rows = statistics.map_err(plan_error)?.num_rows;
        return Ok(rows.get_value().copied().unwrap_or_default());
    }
    let mut rows = children
        .into_iter()
        .map(|child| rows_at_most(child.as_ref()));
    rows.try_fold(0, |most, rows| Ok(most.max(rows?)))
}
