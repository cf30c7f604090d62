//! Google Cloud against stand-ins: what a client does when the network, the service or the rights fail it.

#[cfg(feature = "sandbox")]
mod buckets;
mod calls;
pub(crate) mod fakes;
#[cfg(feature = "sandbox")]
mod runs;
mod secrets;
mod storage;
mod tokens;
#[cfg(feature = "sandbox")]
mod trust;
