//! Work floor: the way of one item from the source to its sealed evidence.
//!
//! May use `domain`, `kernels`, `ports` and `report`; names no vendor and picks no adapter.

pub mod package;
pub mod record;
pub mod stage;
