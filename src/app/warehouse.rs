//! The warehouse of a run, from its settings: the one place that knows which there are.

use std::sync::Arc;

use crate::adapters::bigquery::{BigQuery, DatasetPlace};
use crate::adapters::local_warehouse::LocalWarehouse;
use crate::adapters::store;
use crate::domain::limits::Limits;
use crate::ports::{PortError, StoreRoot, Warehouse};
use crate::settings::{BigQueryPlace, WarehouseChoice};

use super::google::Google;

/// Opens the warehouse; its months are loaded from `staging`.
///
/// # Errors
/// `Config` and `Denied` as [`store::open`] says them; `Config` for a staging root that BigQuery cannot load from.
pub(super) fn open(
    choice: &WarehouseChoice,
    staging: &StoreRoot,
    google: &Google,
    limits: &Limits,
) -> Result<Arc<dyn Warehouse>, PortError> {
    match choice {
        WarehouseChoice::Local(location) => {
            let root = store::open(location)?;
            Ok(Arc::new(LocalWarehouse::new(&root, staging.clone())?))
        }
        WarehouseChoice::BigQuery(place) => {
            BigQuery::refuse_staging(staging)?;
            Ok(Arc::new(dataset(place, google, limits)?))
        }
    }
}

/// The dataset, whatever it may be loaded from.
///
/// # Errors
/// As the settings of Google say it.
pub(super) fn dataset(
    place: &BigQueryPlace,
    google: &Google,
    limits: &Limits,
) -> Result<BigQuery, PortError> {
    let session = google.session()?;
    let place = DatasetPlace {
        project: place.project.clone(),
        dataset: place.dataset.clone(),
        location: place.location.clone(),
    };
    Ok(BigQuery::new(session, place, limits.bigquery.clone()))
}
