//! The seam to Polars: part files in, data frames out, panics and errors turned into values.
//!
//! May use Polars. Reads only bytes in memory; Polars' own file and cloud readers stay off. Never passes on a message
//! that Polars made about values: such a message could quote a row.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use polars::prelude::{
    DataFrame, DataType, ParallelStrategy, ParquetReader, PolarsError, PolarsResult, Schema,
    SchemaExt as _, SerReader as _,
};

/// Metadata of a part, as Polars shares it among readers.
type Footer = Arc<polars::io::parquet::metadata::FileMetadata>;

/// What Polars could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("polars failed while {doing}: {what}")]
pub struct FrameError {
    /// The step, with the names of the columns at hand.
    pub doing: String,
    /// Kind of the failure; never a value of a row.
    pub what: String,
}

/// Runs a step of Polars; a panic or an error becomes a [`FrameError`] that says what was being done.
///
/// # Errors
/// [`FrameError`]. Nothing of a frame that was at hand may be used afterwards; frames are never changed in place.
pub(super) fn guarded<T>(
    doing: impl FnOnce() -> String,
    step: impl FnOnce() -> PolarsResult<T>,
) -> Result<T, FrameError> {
    // Frames are immutable and dropped with the closure, so no broken state can be seen after a panic.
    let what = match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => kind(&error).to_owned(),
        Err(_payload) => "it panicked".to_owned(),
    };
    Err(FrameError {
        doing: doing(),
        what,
    })
}

fn kind(error: &PolarsError) -> &'static str {
    match error {
        PolarsError::ColumnNotFound(_) => "column not found",
        PolarsError::ComputeError(_) => "compute error",
        PolarsError::Duplicate(_) => "duplicate column",
        PolarsError::InvalidOperation(_) => "invalid operation",
        PolarsError::IO { .. } => "the bytes are not readable as Parquet",
        PolarsError::NoData(_) => "no data",
        PolarsError::OutOfBounds(_) => "out of bounds",
        PolarsError::SchemaMismatch(_) => "schema mismatch",
        PolarsError::ShapeMismatch(_) => "shape mismatch",
        _ => "error of another kind",
    }
}

/// One part file in memory.
pub(super) struct Part {
    bytes: Bytes,
    footer: Footer,
    schema: Schema,
}

impl Part {
    /// Reads the footer.
    ///
    /// # Errors
    /// [`FrameError`] when the bytes are not a Parquet file.
    pub(super) fn open(bytes: Bytes) -> Result<Self, FrameError> {
        let doing = || "reading the footer of a part".to_owned();
        let (footer, schema) = guarded(doing, || {
            let mut reader = ParquetReader::new(Cursor::new(bytes.clone()));
            let schema = reader.schema()?;
            let footer = Arc::clone(reader.get_metadata()?);
            Ok((footer, Schema::from_arrow_schema(&schema)))
        })?;
        Ok(Self {
            bytes,
            footer,
            schema,
        })
    }

    /// The type of a column, as Polars reads it.
    pub(super) fn dtype(&self, name: &str) -> Option<&DataType> {
        self.schema.get(name)
    }

    /// Number of row groups.
    pub(super) fn row_groups(&self) -> usize {
        self.footer.row_groups.len()
    }

    /// Decodes the named columns of one row group, once.
    ///
    /// A footer that knows only this row group selects it: a slice of the whole file would touch the pages of every
    /// row group before it again.
    ///
    /// # Shape
    /// Columns by name; all rows of the row group.
    /// # Errors
    /// [`FrameError`] for a row group that is not there or not readable.
    pub(super) fn row_group(
        &self,
        index: usize,
        columns: &[String],
    ) -> Result<DataFrame, FrameError> {
        let doing = || format!("decoding row group {index} ({})", columns.join(", "));
        guarded(doing, || {
            let group = self.footer.row_groups.get(index).cloned();
            let mut footer = (*self.footer).clone();
            footer.num_rows = group.as_ref().map_or(0, |group| group.num_rows());
            footer.row_groups = group.into_iter().collect();
            let mut reader = ParquetReader::new(Cursor::new(self.bytes.clone()))
                .read_parallel(ParallelStrategy::Columns)
                .with_columns(Some(columns.to_vec()));
            reader.set_metadata(Arc::new(footer));
            reader.finish()
        })
    }
}

/// The whole numbers of a column of a small result.
///
/// # Errors
/// [`FrameError`] when the column is not there or of another type.
pub(super) fn whole_numbers(
    frame: &DataFrame,
    name: &str,
) -> Result<Vec<Option<i128>>, FrameError> {
    guarded(
        || format!("reading {name}"),
        || Ok(frame.column(name)?.i128()?.iter().collect()),
    )
}

/// The texts of a column of a small result; null is empty.
///
/// # Errors
/// [`FrameError`] when the column is not there or of another type.
pub(super) fn texts(frame: &DataFrame, name: &str) -> Result<Vec<String>, FrameError> {
    guarded(
        || format!("reading {name}"),
        || {
            let cells = frame.column(name)?.str()?;
            let cells = cells.iter().map(Option::unwrap_or_default);
            Ok(cells.map(str::to_owned).collect())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_without_its_message() {
        let doing = || "summing amount".to_owned();
        let error = guarded::<()>(doing, || panic!("secret 4711")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "polars failed while summing amount: it panicked"
        );
        let quoting = PolarsError::ComputeError("secret 4711".into());
        let error = guarded::<()>(doing, || Err(quoting)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "polars failed while summing amount: compute error"
        );
        assert_eq!(guarded(doing, || Ok(7)), Ok(7));
    }
}
