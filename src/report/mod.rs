//! Work floor: pages and files that people read, made from results only.
//!
//! May use `domain`. Pure functions: the same result gives the same bytes; nothing is fetched, nothing is read. Says nothing
//! that the result does not say, and never "effective" or "certified": the reviewer concludes.

pub mod charts;
pub mod words;
