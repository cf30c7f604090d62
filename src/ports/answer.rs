//! Rows of any number on their way to a reader: a header, then batches of exact texts.

use std::io;

/// How the values of an answer's column are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A float: what a reader sums of it is not exact.
    Float,
    /// Truth.
    Bool,
    /// Texts, dates, times, bytes.
    Text,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Name.
    pub name: String,
    /// What its values are.
    pub kind: ValueKind,
}

/// One row: texts, `None` for null.
pub type AnswerRow = Vec<Option<String>>;

/// Takes an answer as it comes. Called from one thread at a time.
pub trait RowSink: Send {
    /// The columns; called once, before any rows.
    ///
    /// # Errors
    /// What the place of writing says; nothing more is then sent.
    fn begin(&mut self, columns: &[AnswerColumn]) -> io::Result<()>;

    /// Some rows, in order. `false` means that no more are wanted.
    ///
    /// # Errors
    /// As [`RowSink::begin`].
    fn rows(&mut self, rows: Vec<AnswerRow>) -> io::Result<bool>;

    /// The good end of the rows; also after `false`, never after an error.
    ///
    /// # Errors
    /// As [`RowSink::begin`].
    fn end(&mut self) -> io::Result<()>;
}

/// Where an answer goes.
pub enum AnswerTo {
    /// As texts.
    Rows(Box<dyn RowSink>),
    /// As one Parquet file with the types of the answer.
    Parquet(Box<dyn io::Write + Send>),
}
