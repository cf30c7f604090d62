//! The evidence package: sealed whole, verified against every kind of change.

pub(crate) mod sample;
