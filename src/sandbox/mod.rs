//! An embedded SQL Server stand-in: a TDS 7.4 server in front of a small T-SQL engine.
//!
//! Beside the floors: only `app.rs` and `cli/` name it; it may use `domain`. Never part of the production image.

pub mod data;
pub mod engine;
pub mod tsql;
pub mod wire;
