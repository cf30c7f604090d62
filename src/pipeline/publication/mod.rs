//! A month in the warehouse for analysts: the judgement that speaks for it, bucket by bucket, and every sealed package.
//!
//! Evidence is the truth and the warehouse a copy. Both tables are made whole from the evidence root each time, under a name
//! that no other publication has, then staged, loaded and counted as the month of an item is (ADR 44). Evidence is read at a
//! place in the line of the month's publications, so that who stands later there has seen more. Nothing is sealed here, and
//! nothing that is sealed changes by it.

mod gather;
mod line;
mod load;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{ItemStatus, Program, RunContext};
use crate::pipeline::lease::{Lease, Leases};
use crate::ports::{Clock, PortError, PortErrorKind, Processes, StoreRoot, Warehouse};

pub use line::enter;
pub use load::{StagedTable, load, stage};

/// How often a month is made again because something was sealed meanwhile.
const ROUNDS_MAX: u32 = 3;

/// Where a month is published, and from what.
#[derive(Clone, Copy)]
pub struct Publisher<'a> {
    /// Root of the packages.
    pub evidence: &'a StoreRoot,
    /// Where its leases lie.
    pub leases: &'a Leases,
    /// Where the tables are staged.
    pub staging: &'a StoreRoot,
    /// Where they are loaded.
    pub warehouse: &'a dyn Warehouse,
    /// The program that publishes.
    pub program: &'a Program,
    /// How much is looked at together, and how long another publication is waited for.
    pub limits: &'a Limits,
    /// Time, by which leases expire.
    pub clock: &'a Arc<dyn Clock>,
    /// Who else runs on this machine.
    pub processes: &'a Arc<dyn Processes>,
    /// Name of this machine, for those who wait.
    pub host: &'a str,
    /// Asks it to stop; a load that has begun ends first.
    pub stop: &'a CancellationToken,
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
        let context = context(publisher, period);
        let mut lease = line::enter(publisher, &context).await?;
        let published = round(publisher, &context, &mut lease, result).await;
        let status = match &published {
            Ok(_) => ItemStatus::Success,
            Err(_) => ItemStatus::Error,
        };
        line::leave(publisher, lease, status).await;
        let published = published?;
        if gather::sealed(publisher.evidence, period).await? == published {
            return Ok(());
        }
    }
    let what =
        format!("packages of {period} were sealed all the while, and the last may be missing");
    Err(PortError::new(PortErrorKind::Limit, what)
        .at("evidence", publisher.evidence.uri.clone())
        .hint("publish again when the runs of the month have ended"))
}

/// Publishes once, at a place in the line; gives what was sealed when it began to read.
async fn round(
    publisher: Publisher<'_>,
    context: &RunContext,
    lease: &mut Lease,
    result: &mut PublicationResult,
) -> Result<BTreeSet<String>, PortError> {
    let (evidence, period) = (publisher.evidence, context.period);
    let gathering = async {
        let sealed = gather::sealed(evidence, period).await?;
        let tables = gather::tables(evidence, period).await?;
        Ok::<_, PortError>((sealed, tables))
    };
    let (sealed, tables) = unless_stopped(publisher, period, gathering).await?;
    result.publication_id = Some(context.run_id.clone());
    result.tables.clear();
    for table in &tables {
        let staging = stage(publisher, context, table);
        let staged = unless_stopped(publisher, period, staging).await?;
        result.tables.push(load(publisher, &staged, lease).await?);
    }
    Ok(sealed)
}

/// What comes of everything but a load, which may be left at any point.
async fn unless_stopped<T>(
    publisher: Publisher<'_>,
    period: Period,
    work: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let done = publisher.stop.run_until_cancelled(work).await;
    done.unwrap_or_else(|| Err(line::stopped(period)))
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
