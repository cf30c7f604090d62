//! An embedded SQL Server stand-in: a TDS 7.4 server in front of a small T-SQL engine over a generated ledger, anyone's
//! own tables, or both.
//!
//! Beside the floors: only `app/` and `cli/` name it; it may use `domain`. Never part of the production image.

pub mod data;
mod embedded;
pub mod engine;
pub mod files;
mod replayed;
pub mod server;
pub mod tds;
pub mod tsql;
pub mod wire;

pub use data::plants::Planting;
pub use embedded::{Sandbox, SandboxConfig};
