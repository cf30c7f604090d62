//! Work floor: pages and files that people read, made from results only.
//!
//! May use `domain` and the values that `kernels` made. Pure functions: the same result gives the same bytes; nothing is fetched, nothing is read. Says nothing
//! that the result does not say, and never "effective" or "certified": the reviewer concludes.

pub mod charts;
mod compared;
mod drift;
mod entries;
pub mod material;
pub mod page;
pub mod published;
pub mod tables;
mod vocabulary;
pub mod words;
pub mod workbook;

#[cfg(test)]
mod beside;

#[cfg(test)]
#[path = "../../tests/it/page/month.rs"]
pub(crate) mod month;
