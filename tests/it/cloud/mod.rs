//! Google Cloud against stand-ins: what a client does when the network, the service or the rights fail it.

mod bigquery;
#[cfg(feature = "sandbox")]
mod bigquery_runs;
mod bigquery_stand_in;
mod calls;
mod fakes;
#[cfg(feature = "sandbox")]
mod runs;
mod secrets;
mod tokens;
#[cfg(feature = "sandbox")]
mod trust;
