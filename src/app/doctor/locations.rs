//! Where buckets, dataset and this machine lie. Parts in a place that BigQuery does not load from are wrong; what crosses a
//! continent is advice; what nobody says stays open, because a run works without it.

use super::examination::{Examination, Good};
use super::is_bucket;
use super::places::NO_IDENTITY;
use crate::adapters::google::storage;
use crate::app::google::Google;
use crate::domain::location::{Fit, Location};
use crate::ports::{PortError, PortErrorKind};
use crate::settings::{GoogleCredentials, RunSettings, WarehouseChoice};

/// How a person finds out where a bucket lies.
const DESCRIBE: &str =
    "look where it lies: gcloud storage buckets describe gs://BUCKET --format='value(location)'";

/// How a person finds out where jobs and services run.
const LIST: &str = "look where it runs: gcloud run jobs list, gcloud run services list";

/// Asks where each bucket lies, and the region of Cloud Run that this is; compares them with the location of the dataset
/// that the run names.
pub(super) async fn check(at: &mut Examination<'_>, run: &RunSettings, google: Option<&Google>) {
    let dataset = match &run.warehouse {
        WarehouseChoice::Local(_) => None,
        WarehouseChoice::BigQuery(place) => Some(Location::new(&place.location, &[])),
    };
    let roots = [
        ("staging", Some(run.staging.as_str()), dataset.as_ref()),
        ("evidence", Some(run.evidence.as_str()), None),
        ("leases", run.leases.as_deref(), None),
    ];
    let mut known: Vec<(&str, Location)> = Vec::new();
    known.extend(dataset.iter().map(|place| ("the dataset", place.clone())));
    for (root, location, loads_into) in roots {
        let Some(location) = location.filter(|location| is_bucket(location)) else {
            continue;
        };
        let name = format!("{root} location");
        let Some(google) = google else {
            at.skip(name, NO_IDENTITY);
            continue;
        };
        let found = at.look(name, bucket(google, location, loads_into)).await;
        known.extend(found.flatten().map(|place| (root, place)));
    }
    let is_on_google = run.google.credentials == GoogleCredentials::Metadata || run.disk_is_memory;
    if let Some(google) = google.filter(|_| is_on_google && !known.is_empty()) {
        at.look("cloud run region", region(google, &known)).await;
    }
}

/// Where a bucket lies, and whether BigQuery loads from it into a dataset.
async fn bucket(
    google: &Google,
    location: &str,
    dataset: Option<&Location>,
) -> Result<Good<Option<Location>>, PortError> {
    let found = match storage::lies_in(&google.session()?, location).await {
        Ok(found) => found,
        Err(error) => return left_open(error, None, DESCRIBE),
    };
    match dataset {
        Some(dataset) => loaded(&found, dataset),
        None => Ok(Good::new(found.to_string(), Some(found))),
    }
}

fn loaded(found: &Location, dataset: &Location) -> Result<Good<Option<Location>>, PortError> {
    let good = |said: String| Good::new(said, Some(found.clone()));
    match found.loads_into(dataset) {
        Fit::Loads => Ok(good(format!(
            "{found}, from where BigQuery loads into {dataset}"
        ))),
        Fit::LoadsFromAfar => {
            let said = format!("{found}, from where BigQuery loads into {dataset} too");
            Ok(good(said).better(Some(format!(
                "stage in {dataset}: every month travels there from {found}, which costs, and rows lie in both places"
            ))))
        }
        Fit::Open => {
            let said = format!(
                "{found}, and whether BigQuery loads from there into {dataset} is not known"
            );
            Ok(good(said).left_open().better(Some(format!(
                "stage in {dataset}, or let the scratch table show whether BigQuery loads from {found}"
            ))))
        }
        Fit::Refused => {
            let what = format!("{found}, and BigQuery does not load from there into {dataset}");
            Err(PortError::new(PortErrorKind::Config, what).hint(format!(
                "make a bucket for parts in {dataset} and name it with --staging: gcloud storage buckets create gs://BUCKET \
                 --location={dataset} --uniform-bucket-level-access"
            )))
        }
    }
}

/// The region of this machine; advice where something lies on another continent.
async fn region(google: &Google, known: &[(&str, Location)]) -> Result<Good<()>, PortError> {
    let here = match google.session()?.region().await {
        Ok(Some(here)) => Location::new(&here, &[]),
        Ok(None) => {
            let said = "the metadata server names none: this is not Cloud Run";
            return Ok(Good::new(said, ()));
        }
        Err(error) => return left_open(error, (), LIST),
    };
    let listed = |fits: &dyn Fn(&Location) -> bool| {
        let found = known.iter().filter(|(_, place)| fits(place));
        let found: Vec<String> = found
            .map(|(what, place)| format!("{what} in {place}"))
            .collect();
        found.join(", ")
    };
    let far = listed(&|place| here.is_on_another_continent(place));
    let advised = (!far.is_empty()).then(|| {
        format!(
            "run on the continent of the data, or ask whether rows may leave it: this runs in {here}, {far}, and traffic \
             between continents costs"
        )
    });
    let said = format!("{here}; {}", listed(&|_| true));
    Ok(Good::new(said, ()).better(advised))
}

/// An answer that does not say it leaves it open, with what to do; who does not answer at all is no answer.
fn left_open<T>(mut error: PortError, value: T, by_hand: &str) -> Result<Good<T>, PortError> {
    if matches!(
        error.kind,
        PortErrorKind::Unreachable | PortErrorKind::Timeout
    ) {
        return Err(error);
    }
    let todo = error.hint.take().unwrap_or_else(|| by_hand.to_owned());
    Ok(Good::new(format!("not known: {error}"), value)
        .left_open()
        .better(Some(todo)))
}
