//! Work floor: what answers the ports, one folder per vendor. Adapters name neither each other nor the pipeline; the
//! session of `google` is the one thing that its services share.

pub mod bigquery;
pub mod google;
pub mod local_warehouse;
pub mod machine;
pub mod mssql;
pub mod process;
pub mod scratch;
pub mod secrets;
pub mod store;
pub mod uploads;
