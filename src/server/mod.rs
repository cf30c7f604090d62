//! The HTTP service: the endpoints of the deployment guide over the same runs that the command line makes.
//!
//! May use `app` and `settings` and everything below; the only place that names axum and hyper. Holds no logic of the
//! control. Never starts a second run beside one, never answers with an error that is not JSON, never lets a request
//! without a good token further than `/health`.

mod board;
mod error;
mod guard;
mod jobs;
mod listen;
mod metrics;
mod openapi;
mod request;
mod routes;
mod runs;
mod socket;
mod trace;

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::app::StartError;
use crate::app::alerts::Alerts;
use crate::app::async_job::AsyncJob;
use crate::app::ready::Dependency;
use crate::app::service::{Configuration, Door, configuration};
use crate::pipeline::alert::Alert;
use crate::settings::ServiceSettings;

use board::Board;
use metrics::Metrics;

pub use guard::guarded;
pub use listen::serve;
pub use openapi::document;
pub use routes::{ROUTES, router};

/// The service and what it remembers. Shared by all requests.
pub struct Service {
    settings: ServiceSettings,
    configuration: Configuration,
    door: Door,
    board: Board,
    metrics: Metrics,
    /// The job that makes runs for which nobody waits.
    job: Option<AsyncJob>,
    /// Held while a run is being started, so that of two requests one is first.
    starting: Mutex<()>,
    /// Places for those who wait for it.
    waiting: Semaphore,
    /// The service was asked to stop.
    stopping: CancellationToken,
    /// Runs that have not ended.
    runs: TaskTracker,
    alerts: Alerts,
    /// Alerts on their way: nobody waits for them but the end of the process.
    alerting: TaskTracker,
    ready: Mutex<Option<(Instant, Vec<Dependency>)>>,
}

impl Service {
    /// Sets the service up; reads the catalog and the binary, connects to nothing.
    ///
    /// # Errors
    /// [`StartError`]: a catalog with findings, a place of keys that is refused.
    pub fn new(settings: ServiceSettings) -> Result<Arc<Self>, StartError> {
        Ok(Arc::new(Self {
            configuration: configuration(&settings)?,
            door: Door::new(&settings)?,
            board: Board::new(settings.limits.runs_kept_max),
            metrics: Metrics::default(),
            job: AsyncJob::of(&settings),
            starting: Mutex::new(()),
            waiting: Semaphore::new(settings.limits.starts_waiting_max),
            stopping: CancellationToken::new(),
            runs: TaskTracker::new(),
            alerts: Alerts::new(&settings.run, &settings.limits)?,
            alerting: TaskTracker::new(),
            ready: Mutex::new(None),
            settings,
        }))
    }

    /// Tells of it in the log, and of the webhook without waiting for it.
    fn raise(&self, alert: Alert) {
        Alerts::note(&alert);
        if !self.alerts.have_webhook() {
            return;
        }
        if self.alerting.len() >= self.settings.limits.alerts_max {
            tracing::warn!("too many alerts are on their way: this one stands in the log only");
            return;
        }
        let alerts = self.alerts.clone();
        let deliver = async move { alerts.deliver(&alert).await };
        self.alerting.spawn(deliver.in_current_span());
    }
}
