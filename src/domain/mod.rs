//! Ground floor: values and rules. No async, no I/O, no Arrow.

pub mod sql_type;
