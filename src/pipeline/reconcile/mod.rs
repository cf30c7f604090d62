//! Work floor: the reconciliation of a month from sealed packages, sealed in a package of its own.

pub mod inputs;
