//! The language side of the sandbox: types, values, errors and statements of T-SQL, without running anything.
//!
//! May use `domain` and sqlparser's tokens; never touches tables, sessions or the query engine.

pub mod batch;
pub mod error;
pub mod types;
pub mod value;
