//! What is used beside roots and warehouse: the folder of Drive that packages are copied to, and the job that makes runs
//! for a service. Puts nothing there and starts nothing.

use super::examination::{Examination, Good};
use super::places::NO_IDENTITY;
use crate::adapters::google::cloud_run::CloudRunJob;
use crate::adapters::google::drive::Drive;
use crate::app::google::Google;
use crate::domain::job::JobName;
use crate::domain::limits::{Limits, ServerLimits};
use crate::ports::PortError;
use crate::settings::RunSettings;

/// Looks at the folder of Drive, if packages are to be delivered.
pub(super) async fn drive(
    at: &mut Examination<'_>,
    run: &RunSettings,
    limits: &Limits,
    google: Option<&Google>,
) {
    const NAME: &str = "drive folder";
    let Some(drive) = &run.drive else { return };
    let Some(google) = google else {
        return at.skip(NAME, NO_IDENTITY);
    };
    let looked = async {
        let session = google.session_for_drive()?;
        let name = Drive::new(session, drive.folder.clone(), limits.drive.clone())
            .look()
            .await?;
        let said = format!("{name} takes files, in a shared drive");
        Ok(Good::new(said, ()))
    };
    at.look(NAME, looked).await;
}

/// Looks at the job that makes runs, if there is one: whether it is there and may be looked at, and may be started.
pub(super) async fn job(at: &mut Examination<'_>, name: Option<&JobName>, google: Option<&Google>) {
    const LOOK: &str = "job";
    const START: &str = "job start";
    let Some(name) = name else { return };
    let Some(google) = google else {
        at.skip(LOOK, NO_IDENTITY);
        return at.skip(START, NO_IDENTITY);
    };
    let looked = async {
        let listed = of(name, google)?.executions().await?;
        let said = format!("{} is there, with {} executions", name.job, listed.len());
        Ok(Good::new(said, ()))
    };
    at.look(LOOK, looked).await;
    let asked = async {
        of(name, google)?.may_start().await?;
        let said = format!("{} may be started for a month; it was not", name.job);
        Ok(Good::new(said, ()))
    };
    at.look(START, asked).await;
}

fn of(name: &JobName, google: &Google) -> Result<CloudRunJob, PortError> {
    let pages_max = ServerLimits::default().job_pages_max;
    Ok(CloudRunJob::new(google.session()?, name.clone(), pages_max))
}
