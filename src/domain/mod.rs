//! Ground floor: values and rules. No async, no I/O, no Arrow.

pub mod amount;
pub mod check;
pub mod contract;
pub mod digest;
pub mod finding;
pub mod freshness;
pub mod ids;
pub mod ipe;
pub mod job;
pub mod keys;
pub mod lexer;
pub mod limits;
pub mod losses;
pub mod manifest;
pub mod period;
pub mod plant;
pub mod population;
pub mod query;
pub mod run;
pub mod scope;
pub mod sequence;
pub mod shard;
pub mod sql_type;
pub mod totals;
pub mod witness;
