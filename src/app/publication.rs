//! The root for publishing a month in the warehouse: the last step of a run that judged it, or by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::roots::RootOpener;
use super::running::host_name;
use super::{SystemClock, warehouse};
use crate::adapters::process::ProcProcesses;
use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{Program, RunContext};
use crate::pipeline::Tools;
use crate::pipeline::lease::Leases;
use crate::pipeline::publication::{PublicationResult, Publisher, publish};
use crate::ports::{Clock, PortError, Processes, StoreRoot, Warehouse};
use crate::settings::WarehouseChoice;

/// Where a month is published by itself.
#[derive(Debug, Clone)]
pub struct PublishSettings {
    /// The warehouse.
    pub warehouse: WarehouseChoice,
    /// Where the tables are staged.
    pub staging: String,
    /// Root of the leases; `None` is the evidence root.
    pub leases: Option<String>,
}

/// A warehouse, its staging root and the leases of the evidence root, opened before anything else is done.
pub(super) struct Outlet {
    evidence: StoreRoot,
    leases: Leases,
    staging: StoreRoot,
    warehouse: Arc<dyn Warehouse>,
}

impl Outlet {
    /// Opens them; nothing is asked of them yet.
    ///
    /// # Errors
    /// As [`warehouse::open`] and [`RootOpener::open`].
    pub(super) fn open(
        settings: &PublishSettings,
        roots: &RootOpener,
        evidence: &StoreRoot,
    ) -> Result<Self, PortError> {
        let leases = roots.leases(settings.leases.as_deref(), evidence)?;
        let staging = roots.open(&settings.staging)?;
        let limits = Limits::default();
        let warehouse = warehouse::open(&settings.warehouse, &staging, roots.google(), &limits)?;
        Ok(Self {
            evidence: evidence.clone(),
            leases,
            staging,
            warehouse,
        })
    }

    /// Publishes the month of a judgement as it is sealed.
    pub(super) async fn publish(
        &self,
        (run_id, period): (&RunId, Period),
        program: &Program,
    ) -> PublicationResult {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let processes: Arc<dyn Processes> = Arc::new(ProcProcesses);
        let publisher = Publisher {
            evidence: &self.evidence,
            leases: &self.leases,
            staging: &self.staging,
            warehouse: &*self.warehouse,
            program,
            limits: &Limits::default(),
            clock: &clock,
            processes: &processes,
            host: &host_name(),
            // Whoever interrupts the command ends the process with it.
            stop: &CancellationToken::new(),
            begin: &|| begin(&SystemClock),
        };
        labelled(publisher, run_id, period).await
    }
}

/// Publishes the month of a run that has judged it.
pub(super) async fn of_run(tools: &Tools, context: &RunContext) -> PublicationResult {
    let publisher = Publisher {
        evidence: &tools.evidence,
        leases: &tools.leases,
        staging: &tools.staging,
        warehouse: &*tools.warehouse,
        program: &context.program,
        limits: &tools.limits,
        clock: &tools.clock,
        processes: &tools.processes,
        host: &tools.places.host,
        stop: &tools.stop,
        begin: &|| begin(&*tools.clock),
    };
    labelled(publisher, &context.run_id, context.period).await
}

/// Publishes; what anybody logs on the way says which run and month it belongs to, as it does of an item.
async fn labelled(publisher: Publisher<'_>, run_id: &RunId, period: Period) -> PublicationResult {
    let labels = tracing::error_span!("publication", run_id = %run_id, period = %period);
    let publishing = async { said(publish(publisher, period).await) };
    publishing.instrument(labels).await
}

/// A name that no publication has, and the present time.
fn begin(clock: &dyn Clock) -> (RunId, DateTime<Utc>) {
    let at = clock.now();
    (RunId::new(at, rand::random()), at)
}

/// Notes in the log what came of it.
fn said(result: PublicationResult) -> PublicationResult {
    let publication = result.publication_id.as_ref().map(RunId::as_str);
    match &result.error_message {
        Some(error) => tracing::error!(publication, error, "the month was not published"),
        None => {
            let tables = result.tables.len();
            tracing::info!(publication, tables, "the month was published");
        }
    }
    result
}
