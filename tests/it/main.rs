//! Integration tests.

#[cfg(feature = "sandbox")]
mod sandbox_tds;
