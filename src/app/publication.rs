//! The root for publishing a month in the warehouse: the last step of a run that judged it, or by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::roots::RootOpener;
use super::{SystemClock, warehouse};
use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{Program, RunContext};
use crate::pipeline::Tools;
use crate::pipeline::publication::{PublicationResult, Publisher, publish};
use crate::ports::{Clock, PortError, StoreRoot, Warehouse};
use crate::settings::WarehouseChoice;

/// Where a month is published by itself.
#[derive(Debug, Clone)]
pub struct PublishSettings {
    /// The warehouse.
    pub warehouse: WarehouseChoice,
    /// Where the tables are staged.
    pub staging: String,
}

/// A warehouse and its staging root, opened before anything else is done.
pub(super) struct Outlet {
    staging: StoreRoot,
    warehouse: Arc<dyn Warehouse>,
}

impl Outlet {
    /// Opens both; nothing is asked of them yet.
    ///
    /// # Errors
    /// As [`warehouse::open`] and [`RootOpener::open`].
    pub(super) fn open(settings: &PublishSettings, roots: &RootOpener) -> Result<Self, PortError> {
        let staging = roots.open(&settings.staging)?;
        let limits = Limits::default();
        let warehouse = warehouse::open(&settings.warehouse, &staging, roots.google(), &limits)?;
        Ok(Self { staging, warehouse })
    }

    /// Publishes a month as it is sealed.
    pub(super) async fn publish(
        &self,
        evidence: &StoreRoot,
        period: Period,
        program: &Program,
    ) -> PublicationResult {
        let publisher = Publisher {
            evidence,
            staging: &self.staging,
            warehouse: &*self.warehouse,
            program,
            limits: &Limits::default(),
            begin: &|| begin(&SystemClock),
        };
        said(publish(publisher, period).await)
    }
}

/// Publishes the month of a run that has judged it.
pub(super) async fn of_run(tools: &Tools, context: &RunContext) -> PublicationResult {
    let publisher = Publisher {
        evidence: &tools.evidence,
        staging: &tools.staging,
        warehouse: &*tools.warehouse,
        program: &context.program,
        limits: &tools.limits,
        begin: &|| begin(&*tools.clock),
    };
    said(publish(publisher, context.period).await)
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
