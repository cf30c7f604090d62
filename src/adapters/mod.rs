//! Work floor: what answers the ports. One folder per vendor; adapters do not name each other, the pipeline or reports.

pub mod local_warehouse;
pub mod store;
