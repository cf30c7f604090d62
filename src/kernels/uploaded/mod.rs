//! The rows of an uploaded file: how it is written is found out, its lines become batches, and a second reader that shares
//! neither fields nor numbers with the first counts and sums it.
//!
//! Reads bytes in pieces and holds a line, a batch, and the drawn rows; knows no place where files lie. Says line and
//! column of what is wrong, never what stands there.

mod amounts;
mod draw;
mod examine;
mod header;
#[cfg(test)]
mod properties;
mod rows;
mod second;
#[cfg(test)]
mod tests;
mod walk;

pub use examine::examine;
pub use rows::{described, read_rows};
pub use second::{Counted, DrawnRow, count};
pub use walk::Bounds;

use crate::ports::{PortError, PortErrorKind};

/// What is wrong with a file, and how to mend it.
fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> PortError {
    PortError::new(PortErrorKind::Corrupt, what).hint(remedy)
}

/// What is wrong in a line of a file.
fn wrong_line(line: usize, what: &str) -> PortError {
    let (what, remedy) = what
        .split_once("; ")
        .unwrap_or((what, "correct it where the file is made"));
    wrong(format!("line {line}: {what}"), remedy)
}

/// What is wrong in a column of a line.
fn wrong_cell(line: usize, column: &str, what: &str) -> PortError {
    wrong_line(line, &format!("column `{column}` {what}"))
}
