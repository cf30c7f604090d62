//! SOXauto PG-01: streams every IPE out of SQL Server, checks it, seals the evidence.
//!
//! # Layout
//! Floors, imports point down only (`tests/it/tidy.rs` holds this):
//! faces `cli`, `server` · root `app`, `analysts`, `settings`, `telemetry` · work `pipeline`, `report`, `adapters`, `catalog`
//! · tools `kernels`, `ports` · ground `domain` · beside `sandbox`.

// Tests share a month with the integration tests, which know the crate by its name.
#[cfg(test)]
extern crate self as soxauto;

pub mod adapters;
pub mod analysts;
pub mod app;
pub mod cli;

pub mod catalog;

pub mod domain;
pub mod kernels;
pub mod pipeline;
pub mod ports;
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod server;
pub mod settings;
pub mod telemetry;
