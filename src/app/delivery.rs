//! Sealed packages, and the place outside that they are delivered to.

use std::sync::Arc;

use crate::adapters::google::drive::Drive;
use crate::domain::limits::Limits;
use crate::pipeline::deliver::{Delivery, DeliveryReport, deliver};
use crate::pipeline::package::write::package_folder;
use crate::pipeline::{ItemOutcome, Tools};
use crate::ports::{EvidenceSink, PortError, StoreRoot};
use crate::settings::DriveSettings;

use super::google::Google;
use super::roots::RootOpener;

/// Where the packages of a run go.
pub(super) struct Outbox {
    sink: Arc<dyn EvidenceSink>,
    include_rows: bool,
}

impl Outbox {
    /// Sets it up; nothing is asked yet.
    ///
    /// # Errors
    /// `Config` for a key that cannot be read or is none.
    pub(super) fn open(
        settings: &DriveSettings,
        google: &Google,
        limits: &Limits,
    ) -> Result<Self, PortError> {
        let (session, folder) = (google.session_for_drive()?, settings.folder.clone());
        let drive = Drive::new(session, folder, limits.drive.clone());
        Ok(Self {
            sink: Arc::new(drive),
            include_rows: settings.include_rows,
        })
    }

    /// Delivers the package of an item, if it was sealed. Says what came of it, and changes nothing else.
    pub(super) async fn deliver(
        &self,
        tools: &Tools,
        outcome: &ItemOutcome,
    ) -> Option<DeliveryReport> {
        let sealed = outcome.package.as_ref()?;
        let package = tools.evidence.below(&package_folder(&outcome.record));
        let staging = |_: &str| Ok(tools.staging.clone());
        let delivery = Delivery {
            package: &package,
            rows: self.include_rows.then_some(&staging),
            limits: &tools.limits,
        };
        let delivered = deliver(&*self.sink, delivery);
        let report = tools.stop.run_until_cancelled(delivered).await;
        let report = report.unwrap_or_else(|| DeliveryReport {
            place: self.sink.location(),
            files: Vec::new(),
            error: Some(format!(
                "the run was asked to stop before package {} was delivered",
                sealed.uri
            )),
        });
        let (ipe, place) = (&outcome.record.ipe, &report.place);
        match &report.error {
            Some(error) => tracing::error!(%ipe, place, error, "the package was not delivered"),
            None => {
                tracing::info!(%ipe, place, files = report.files.len(), "the package was delivered")
            }
        }
        Some(report)
    }
}

/// Delivers a package that was sealed before. `staging` names the root that holds its parts, if not the one that the
/// package names.
///
/// # Errors
/// A place that cannot be opened at all; what came of the delivery is in the report.
pub async fn upload(
    roots: &RootOpener,
    settings: &DriveSettings,
    package: &str,
    staging: Option<&str>,
) -> Result<DeliveryReport, PortError> {
    let limits = Limits::default();
    let outbox = Outbox::open(settings, roots.google(), &limits)?;
    let package = roots.open_existing(package)?;
    let open = |recorded: &str| -> Result<StoreRoot, PortError> {
        roots.open_existing(staging.unwrap_or(recorded))
    };
    let delivery = Delivery {
        package: &package,
        rows: settings.include_rows.then_some(&open),
        limits: &limits,
    };
    Ok(deliver(&*outbox.sink, delivery).await)
}
