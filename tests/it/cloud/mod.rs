//! Google Cloud against stand-ins: what a client does when the network, the service or the rights fail it.

mod bigquery;
#[cfg(feature = "sandbox")]
mod bigquery_engine;
#[cfg(feature = "sandbox")]
mod bigquery_runs;
pub(crate) mod bigquery_stand_in;
#[cfg(feature = "sandbox")]
mod buckets;
#[cfg(feature = "sandbox")]
mod caller;
mod calls;
#[cfg(feature = "sandbox")]
mod delivered;
mod drive;
mod drive_folder;
pub(crate) mod fakes;
#[cfg(feature = "sandbox")]
mod killed;
mod logins;
#[cfg(feature = "sandbox")]
mod own_account;
mod places;
mod refused;
#[cfg(feature = "sandbox")]
mod runs;
mod secrets;
mod storage;
#[cfg(feature = "sandbox")]
mod struck;
mod tokens;
#[cfg(feature = "sandbox")]
mod trust;
#[cfg(feature = "sandbox")]
mod undelivered;
