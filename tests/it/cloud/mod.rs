//! Google Cloud against stand-ins: what a client does when the network, the service or the rights fail it.

mod bigquery;
#[cfg(feature = "sandbox")]
mod bigquery_runs;
mod bigquery_stand_in;
#[cfg(feature = "sandbox")]
mod buckets;
mod calls;
pub(crate) mod fakes;
#[cfg(feature = "sandbox")]
mod killed;
#[cfg(feature = "sandbox")]
mod runs;
mod secrets;
mod storage;
#[cfg(feature = "sandbox")]
mod struck;
mod tokens;
#[cfg(feature = "sandbox")]
mod trust;
