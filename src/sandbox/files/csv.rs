//! CSV files as tables: what they hold is declared in a schema file beside them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::domain::text_file::AtLine;
use crate::domain::text_file::lines::{Feed, Field, LineForm};
use crate::sandbox::data::Table;

use super::builder::{TableBuilder, table};
use super::schema::{CsvForm, TableSchema};
use super::{FileError, LineKind};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// Longest line: a field may be a document.
const LINE_BYTES_MAX: usize = 64 << 20;

/// The table of a CSV file.
pub(super) fn read(
    name: [String; 3],
    path: &Path,
    schema: &TableSchema,
) -> Result<Table, FileError> {
    let form = schema.csv.clone().unwrap_or_default();
    let at = |(line, what): AtLine| FileError::new(path, what).at(LineKind::Line, line);
    let unreadable = |io: std::io::Error| FileError::unreadable(path, &io);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut feed = Feed::new(
        form.encoding,
        LineForm {
            delimiter: form.delimiter,
            quotes: form.quotes,
        },
        LINE_BYTES_MAX,
    );
    let mut rows = TableBuilder::new(path, &schema.columns)?;
    let mut named = !form.header;
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let len = file.read(&mut bytes).map_err(unreadable)?;
        feed.push(bytes.get(..len).unwrap_or_default())
            .map_err(at)?;
        let mut lines = feed.lines();
        let mut fields: Vec<Field<'_>> = Vec::with_capacity(schema.columns.len());
        while let Some(line) = lines.next(&mut fields).map_err(at)? {
            if named {
                push_row(&mut rows, &fields, (schema, &form), line)?;
            } else {
                let names: Vec<&str> = fields.iter().map(|field| field.text.as_ref()).collect();
                schema.require(path, &names)?;
                named = true;
            }
        }
        let left = lines.left();
        feed.keep(left).map_err(at)?;
        if len == 0 {
            break;
        }
    }
    if !named {
        let what = "the file is empty; its first line must name the columns, or say header = false";
        return Err(FileError::new(path, what));
    }
    table(path, name, schema.columns.clone(), rows.finish()?)
}

fn push_row(
    rows: &mut TableBuilder<'_>,
    fields: &[Field<'_>],
    (schema, form): (&TableSchema, &CsvForm),
    line: usize,
) -> Result<(), FileError> {
    if fields.len() != schema.columns.len() {
        let what = format!(
            "{} fields, where {} columns are declared; check the delimiter ({:?}) and the quotes",
            fields.len(),
            schema.columns.len(),
            form.delimiter
        );
        return Err(FileError::new(rows.path(), what).at(LineKind::Line, line));
    }
    let values = fields.iter().map(|field| {
        let null = !field.quoted && field.text == form.null;
        (!null).then_some(field.text.as_ref())
    });
    rows.push(values, line)
}
