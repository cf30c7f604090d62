//! The roots and the warehouse: whether they can be written and read, and keep what they must.

use super::examination::{Examination, Good};
use super::is_bucket;
use crate::adapters::bigquery::BigQuery;
use crate::adapters::store;
use crate::app::google::Google;
use crate::app::{SystemClock, roots, warehouse};
use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::pipeline::lease::Leases;
use crate::pipeline::{probe, trial};
use crate::ports::{Clock as _, PortError, StoreRoot, TrialWarehouse as _, Warehouse as _};
use crate::settings::{BigQueryPlace, DoctorSettings, RunSettings, WarehouseChoice};

const SCRATCH: &str = "bigquery scratch table";
pub(super) const NO_IDENTITY: &str = "there is no identity at Google";

/// Opens a root and sees that what is created there stays; gives the root where it does.
pub(super) async fn root(
    at: &mut Examination<'_>,
    run: &RunSettings,
    (name, location): (&'static str, &str),
    google: Option<&Google>,
) -> Option<StoreRoot> {
    if is_bucket(location) && google.is_none() {
        at.skip(name, NO_IDENTITY);
        return None;
    }
    let looked = async {
        if run.disk_is_memory {
            roots::refuse_memory_disk(&[(name, location)])?;
        }
        let root = match google.filter(|_| is_bucket(location)) {
            Some(google) => crate::adapters::google::storage::root(google.session()?, location)?,
            None => store::open(location)?,
        };
        probe::create_only(&root, &name_now()).await?;
        let said = format!("{} takes what is new and replaces nothing", root.uri);
        Ok(Good::new(said, root))
    };
    at.look(name, looked).await
}

/// Looks at the root of the leases, where it is one of its own, and whether it is that of every other run.
pub(super) async fn leases(
    at: &mut Examination<'_>,
    run: &RunSettings,
    evidence: Option<StoreRoot>,
    google: Option<&Google>,
) {
    const NAME: &str = "leases root";
    let own = match &run.leases {
        Some(location) => root(at, run, ("leases", location), google).await,
        None => evidence.clone(),
    };
    let (Some(own), Some(evidence)) = (own, evidence) else {
        return at.skip(NAME, "behind evidence and leases");
    };
    let looked = async {
        let leases = Leases::new(own, &evidence);
        leases.agree().await?;
        let advised = (leases.apart().is_none() && is_bucket(&run.evidence)).then(|| {
            "name a bucket without retention with --leases: a run at work leaves an object every 30 s, and retention \
             keeps each as long as the evidence"
                .to_owned()
        });
        let said = format!("{}, for every run of this evidence", leases.root().uri);
        Ok(Good::new(said, ()).better(advised))
    };
    at.look(NAME, looked).await;
}

/// Looks at a folder as at a root; at a dataset: whether it is there, takes jobs, and keeps every type.
pub(super) async fn warehouse(
    at: &mut Examination<'_>,
    settings: &DoctorSettings,
    limits: &Limits,
    (google, staging): (Option<&Google>, Option<StoreRoot>),
) {
    let run = &settings.run;
    let place = match &run.warehouse {
        WarehouseChoice::Local(location) => {
            root(at, run, ("warehouse", location), None).await;
            return;
        }
        WarehouseChoice::BigQuery(place) => place,
    };
    let Some(google) = google else {
        at.skip("bigquery dataset", NO_IDENTITY);
        at.skip("bigquery jobs", NO_IDENTITY);
        return at.skip(SCRATCH, NO_IDENTITY);
    };
    let found = at.look(
        "bigquery dataset",
        dataset(place, google, limits, settings.scratch),
    );
    let found = found.await;
    let asked = at.look("bigquery jobs", jobs(place, google, limits)).await;
    match (found, asked, staging) {
        _ if !settings.scratch => at.skip(SCRATCH, "--no-scratch"),
        (None, _, _) => at.skip(SCRATCH, "behind bigquery dataset"),
        (_, None, _) => at.skip(SCRATCH, "behind bigquery jobs"),
        (_, _, None) => at.skip(SCRATCH, "behind staging"),
        (Some(()), Some(()), Some(staging)) => {
            let longest = at.limits.trial_timeout;
            let proved = scratch(place, google, limits, &staging);
            at.look_for(longest, SCRATCH, proved).await;
        }
    }
}

async fn dataset(
    place: &BigQueryPlace,
    google: &Google,
    limits: &Limits,
    is_made: bool,
) -> Result<Good<()>, PortError> {
    let warehouse = warehouse::dataset(place, google, limits)?;
    let name = format!("{}.{}", place.project, place.dataset);
    Ok(match warehouse.found_in().await? {
        Some(location) => Good::new(format!("{name} is in {location}"), ()),
        None if is_made => Good::new(format!("{name} is not there, and is made now"), ()),
        None => Good::new(format!("{name} is not there; the first run makes it"), ()).better(Some(
            "make the dataset (deploy/README.md), or grant roles/bigquery.user on the project to the runner".to_owned(),
        )),
    })
}

async fn jobs(
    place: &BigQueryPlace,
    google: &Google,
    limits: &Limits,
) -> Result<Good<()>, PortError> {
    let warehouse = warehouse::dataset(place, google, limits)?;
    warehouse.rows("SELECT 1 AS n", 1).await?;
    Ok(Good::new(
        format!(
            "project {} answers a query in {}",
            place.project, place.location
        ),
        (),
    ))
}

async fn scratch(
    place: &BigQueryPlace,
    google: &Google,
    limits: &Limits,
    staging: &StoreRoot,
) -> Result<Good<()>, PortError> {
    BigQuery::refuse_staging(staging)?;
    let warehouse = warehouse::dataset(place, google, limits)?;
    let proof = trial::prove(&warehouse, staging, &name_now(), limits).await?;
    let said = format!(
        "{} columns and {} rows came back as they were staged",
        proof.columns, proof.rows
    );
    let left = proof.left.map(|why| {
        format!(
            "nothing: table {} could not be dropped ({why}) and goes by itself within an hour",
            proof.table
        )
    });
    Ok(Good::new(said, ()).better(left))
}

/// A name that nothing else has.
fn name_now() -> RunId {
    RunId::new(SystemClock.now(), rand::random())
}
