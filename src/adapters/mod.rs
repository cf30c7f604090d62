//! Work floor: the only place where vendors are named, one folder each. Adapters never name each other.

pub mod mssql;
