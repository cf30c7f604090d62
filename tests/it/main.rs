//! Integration tests.

mod evidence;
mod staging;
mod warehouse;
