//! Files of text with fields: encodings, lines, quotes and values, piece by piece as the bytes come.
//!
//! What is wrong is said with its line, from 1, and never with what stands there: rows do not belong in a log.

pub mod cp1252;
pub mod encoding;
pub mod lines;
pub mod value;

/// What is wrong in a line, from 1, of a text.
pub type AtLine = (usize, String);
