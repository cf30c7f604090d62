//! The warehouse of a run, from its settings: the one place that knows which there are.

use std::sync::Arc;

use crate::adapters::local_warehouse::LocalWarehouse;
use crate::adapters::store;
use crate::ports::{PortError, PortErrorKind, StoreRoot, Warehouse};
use crate::settings::WarehouseChoice;

/// Opens the warehouse; its months are loaded from `staging`.
///
/// # Errors
/// `Config` and `Denied` as [`store::open`] says them; `Unsupported` for BigQuery.
pub(super) fn open(
    choice: &WarehouseChoice,
    staging: &StoreRoot,
) -> Result<Arc<dyn Warehouse>, PortError> {
    match choice {
        WarehouseChoice::Local(location) => {
            let root = store::open(location)?;
            Ok(Arc::new(LocalWarehouse::new(&root, staging.clone())?))
        }
        WarehouseChoice::BigQuery(place) => Err(PortError::new(
            PortErrorKind::Unsupported,
            format!(
                "dataset {} of project {}: BigQuery comes in a later version",
                place.dataset, place.project
            ),
        )
        .hint("write a folder or file:///folder")),
    }
}
