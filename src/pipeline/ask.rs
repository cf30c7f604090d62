//! What is asked of the source before its rows: the columns and the control totals.

use serde_json::json;

use super::Tools;
use super::log::ItemLog;
use super::record::{Executed, ItemRecord};
use crate::domain::contract::Contract;
use crate::domain::ipe::Ipe;
use crate::domain::query::BoundQuery;
use crate::domain::totals::ControlTotals;
use crate::kernels::sql;
use crate::ports::{BY_CONTRACT, Described, PortError, PortErrorKind, Snapshot, SourceColumn};

/// The columns as the server describes them, or as the contract declares them where the server cannot say.
pub(super) async fn ask_columns(
    view: &mut dyn Snapshot,
    ipe: &Ipe,
    query: &BoundQuery,
    log: &mut ItemLog,
) -> Result<Described, PortError> {
    let described = match view.describe(query).await {
        Err(error) if error.kind == PortErrorKind::Unsupported => {
            log.note(
                "the server cannot describe the query",
                json!({"error": error.to_string()}),
            );
            by_contract(&ipe.contract)
        }
        other => other?,
    };
    log.note(
        "columns described",
        json!({"columns": described.columns.len(), "by": described.by}),
    );
    Ok(described)
}

fn by_contract(contract: &Contract) -> Described {
    Described {
        columns: SourceColumn::of(contract),
        by: BY_CONTRACT.to_owned(),
    }
}

pub(super) async fn ask_totals(
    view: &mut dyn Snapshot,
    tools: &Tools,
    contract: &Contract,
    query: &BoundQuery,
    record: &mut ItemRecord,
) -> Result<ControlTotals, PortError> {
    record.executed.push(Executed {
        purpose: "totals".to_owned(),
        query: query.clone(),
    });
    let table = view.rows(query, tools.limits.small_rows_max).await?;
    sql::parse_totals(contract, &table).map_err(|error| {
        PortError::new(
            PortErrorKind::Corrupt,
            format!("the control totals cannot be read: {error}"),
        )
    })
}
