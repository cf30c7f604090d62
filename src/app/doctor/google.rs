//! Who we are at Google, and whether our clock is Google's.

use chrono::TimeDelta;

use super::examination::{Examination, Good};
use super::is_bucket;
use crate::app::SystemClock;
use crate::app::google::Google;
use crate::app::uploads;
use crate::ports::{Clock as _, PortError, PortErrorKind};
use crate::settings::{
    DoctorSettings, GoogleCredentials, RunSettings, SecretsChoice, WarehouseChoice,
};

/// Whether a run with these settings, or the service that starts it, calls Google at all.
fn is_used(settings: &DoctorSettings) -> bool {
    let run = &settings.run;
    has_bucket(run)
        || run.drive.is_some()
        || settings.async_job.is_some()
        || matches!(run.warehouse, WarehouseChoice::BigQuery(_))
        || matches!(run.source.secrets, SecretsChoice::Gcp(_))
        || matches!(
            run.google.credentials,
            GoogleCredentials::File(_) | GoogleCredentials::Secret
        )
}

/// Whether a root or a file lies in Cloud Storage.
fn has_bucket(run: &RunSettings) -> bool {
    let leases = run.leases.as_deref().is_some_and(is_bucket);
    let files = uploads::in_buckets(&run.files).next().is_some();
    is_bucket(&run.staging) || is_bucket(&run.evidence) || leases || files
}

const UNUSED: &str = "nothing of Google Cloud is used";

/// Asks for a token, if one is needed at all; whether nothing stands in the way of calls.
pub(super) async fn identity(
    at: &mut Examination<'_>,
    settings: &DoctorSettings,
    made: &Result<Google, PortError>,
) -> bool {
    const NAME: &str = "google identity";
    if !is_used(settings) {
        at.skip(NAME, UNUSED);
        return true;
    }
    let asked = async {
        let session = made.as_ref().map_err(Clone::clone)?.session()?;
        let tokens = session.tokens();
        tokens.token().await?;
        let who = tokens.identity().await;
        Ok(Good::new(format!("a token of {who}"), ()))
    };
    at.look(NAME, asked).await.is_some()
}

/// Compares our clock with that of the first service that a run uses.
pub(super) async fn clock(
    at: &mut Examination<'_>,
    settings: &DoctorSettings,
    google: Option<&Google>,
) {
    const NAME: &str = "google clock";
    let run = &settings.run;
    if !is_used(settings) {
        return at.skip(NAME, UNUSED);
    }
    let Some(google) = google else {
        return at.skip(NAME, "there is no identity at Google");
    };
    let longest = at.limits.clock_skew_max;
    let compared = async {
        let session = google.session()?;
        let places = session.endpoints();
        let place = match &run.warehouse {
            _ if has_bucket(run) => &places.storage,
            WarehouseChoice::BigQuery(_) => &places.bigquery,
            _ if matches!(run.source.secrets, SecretsChoice::Gcp(_)) => &places.secretmanager,
            _ if run.drive.is_some() => &places.drive,
            _ if settings.async_job.is_some() => &places.run,
            WarehouseChoice::Local(_) => &places.secretmanager,
        };
        let theirs = session.time_at(place).await?;
        let ahead = SystemClock.now() - theirs;
        let longest = TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX);
        within(ahead, longest)
    };
    at.look(NAME, compared).await;
}

fn within(ahead: TimeDelta, longest: TimeDelta) -> Result<Good<()>, PortError> {
    let seconds = ahead.num_seconds();
    if ahead.abs() <= longest {
        return Ok(Good::new(
            format!("this machine is {seconds} s ahead of Google"),
            (),
        ));
    }
    let what = format!(
        "this machine's clock is {seconds} s ahead of Google's, {} s are allowed",
        longest.num_seconds()
    );
    Err(PortError::new(PortErrorKind::Config, what)
        .hint("set the clock by NTP: keys are not accepted and leases are misjudged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_in_both_directions() {
        let longest = TimeDelta::seconds(60);
        for seconds in [-60, 0, 60] {
            assert!(within(TimeDelta::seconds(seconds), longest).is_ok());
        }
        for seconds in [-61, 61, 3_600] {
            let error = within(TimeDelta::seconds(seconds), longest).err().unwrap();
            assert!(error.message.contains(&format!("is {seconds} s ahead")));
            assert!(error.hint.unwrap().contains("NTP"));
        }
    }
}
