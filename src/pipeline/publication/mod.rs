//! A month in the warehouse for analysts: the judgement that speaks for it, bucket by bucket, and every sealed package.
//!
//! Evidence is the truth and the warehouse a copy. Both tables are made whole from the evidence root each time, under a name
//! that no other publication has, then staged, loaded and counted as the month of an item is (ADR 44). Nothing is sealed
//! here, and nothing that is sealed changes by it.

mod gather;
mod load;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{Program, RunContext};
use crate::ports::{PortError, PortErrorKind, StoreRoot, Warehouse};

pub use load::{StagedTable, load, stage};

/// How often a month is made again because something was sealed meanwhile.
const ROUNDS_MAX: u32 = 3;

/// Where a month is published, and from what.
#[derive(Clone, Copy)]
pub struct Publisher<'a> {
    /// Root of the packages.
    pub evidence: &'a StoreRoot,
    /// Where the tables are staged.
    pub staging: &'a StoreRoot,
    /// Where they are loaded.
    pub warehouse: &'a dyn Warehouse,
    /// The program that publishes.
    pub program: &'a Program,
    /// How much is looked at together.
    pub limits: &'a Limits,
    /// Gives a name that no publication has, and the present time.
    pub begin: &'a (dyn Fn() -> (RunId, DateTime<Utc>) + Sync),
}

/// What came of a publication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationResult {
    /// Its name, which is the `_run_id` of its rows; `None` where it did not come to that.
    pub publication_id: Option<RunId>,
    /// The tables that show the month as it was published.
    pub tables: Vec<PublishedTable>,
    /// Why not all is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// A table that shows a published month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedTable {
    /// Table and month in the warehouse.
    pub destination_table: String,
    /// Rows, as counted there.
    pub rows: u64,
    /// Content digest, as counted there.
    pub digest: String,
}

/// Publishes a month; what could not be published is in the result.
pub async fn publish(publisher: Publisher<'_>, period: Period) -> PublicationResult {
    let mut result = PublicationResult::default();
    if let Err(error) = rounds(publisher, period, &mut result).await {
        result.error_message = Some(error.to_string());
    }
    result
}

/// Publishes until nothing was sealed meanwhile. Of several that publish at once the one that loads last looks once more
/// after its load, so that what the tables show in the end is what is sealed.
async fn rounds(
    publisher: Publisher<'_>,
    period: Period,
    result: &mut PublicationResult,
) -> Result<(), PortError> {
    for _ in 0..ROUNDS_MAX {
        let sealed = gather::sealed(publisher.evidence, period).await?;
        let tables = gather::tables(publisher.evidence, period).await?;
        let context = context(publisher, period);
        result.publication_id = Some(context.run_id.clone());
        result.tables.clear();
        for table in &tables {
            let staged = stage(publisher, &context, table).await?;
            result.tables.push(load(publisher, &staged).await?);
        }
        if gather::sealed(publisher.evidence, period).await? == sealed {
            return Ok(());
        }
    }
    let what =
        format!("packages of {period} were sealed all the while, and the last may be missing");
    Err(PortError::new(PortErrorKind::Limit, what)
        .at("evidence", publisher.evidence.uri.clone())
        .hint("publish again when the runs of the month have ended"))
}

/// The context of a publication's rows.
fn context(publisher: Publisher<'_>, period: Period) -> RunContext {
    let (run_id, started_at) = (publisher.begin)();
    RunContext {
        run_id,
        period,
        started_at,
        stamps: Vec::new(),
        accepted: Vec::new(),
        program: publisher.program.clone(),
    }
}
