//! The first look at a file: how it is written, as it was declared or as it shows, and why.

use std::io::Read;

use super::amounts::MarkEvidence;
use super::header::{Header, header};
use super::walk::{Bounds, Walked, first_bytes, undecoded, walk};
use super::wrong;
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::text_file::encoding::{Decoder, Encoding};
use crate::domain::uploaded::{DateOrder, DecimalMark, FileDefinition, FileFound, FileLayout};
use crate::ports::{PortError, PortErrorKind};

/// Opens the file anew, at its first byte.
type Open<'a> = &'a dyn Fn() -> Box<dyn Read + Send>;

/// Finds out how a file is written, by all of its lines.
///
/// # Errors
/// `Corrupt` for a file of which that cannot be said for sure, or that has a line that is none of its rows; what the
/// reader says.
pub fn examine(
    open: Open<'_>,
    (item, definition, contract): (&str, &FileDefinition, &Contract),
    bounds: Bounds,
) -> Result<FileFound, PortError> {
    let form = definition.form;
    let first = first_bytes(open().as_mut(), bounds.line_bytes_max)?;
    if first.is_empty() {
        return Err(wrong(
            "the file is empty",
            "export it again; a month without rows still has a first line with the column names",
        ));
    }
    let marked = Encoding::marked(&first);
    let (encoding, why) = match (form.encoding, marked) {
        (Some(declared), _) => (declared, format!("{}: declared", declared.word())),
        (None, Some(marked)) => (marked, format!("{}: by its byte order mark", marked.word())),
        (None, None) => (Encoding::Utf8, "utf-8: every byte of it is".to_owned()),
    };
    let of_item = (definition, contract);
    let seen = look(open, &first, encoding, of_item, bounds);
    let is_open = form.encoding.is_none() && marked.is_none();
    let (encoding, why, seen) = match seen {
        Ok(seen) => (encoding, why, seen),
        Err(error) if is_open && error.kind == PortErrorKind::Unsupported => {
            let line = error.message.split(':').next().unwrap_or_default();
            let why = format!("windows-1252: {line} is not UTF-8, and nothing before it is");
            let encoding = Encoding::Windows1252;
            let seen = look(open, &first, encoding, of_item, bounds)?;
            (encoding, why, seen)
        }
        Err(error) => {
            let kind = match error.kind {
                PortErrorKind::Unsupported => PortErrorKind::Corrupt,
                kind => kind,
            };
            return Err(PortError { kind, ..error });
        }
    };
    found((item, definition), (encoding, why), seen)
}

/// What all lines show.
struct Seen {
    header: Header,
    evidence: MarkEvidence,
    walked: Walked,
}

fn look(
    open: Open<'_>,
    first: &[u8],
    encoding: Encoding,
    (definition, contract): (&FileDefinition, &Contract),
    bounds: Bounds,
) -> Result<Seen, PortError> {
    let line = first_line(first, encoding, bounds)?;
    if line.contains('\0') {
        return Err(wrong(
            "line 1: holds NUL bytes: the file is no text, or UTF-16 without a mark",
            "export it as UTF-8, or say utf-16 with --file-form",
        ));
    }
    let declared = definition.form.separator;
    let header = header(&line, declared, definition, contract)?;
    let layout = FileLayout {
        encoding,
        separator: header.separator,
        decimal: DecimalMark::Point,
        dates: DateOrder::Iso,
        fields: header.fields,
        line: definition.line.clone(),
        columns: header.columns.clone(),
    };
    let amounts: Vec<(usize, &str)> = contract
        .columns
        .iter()
        .filter(|column| matches!(column.column_type, ColumnType::Decimal { .. }))
        .filter_map(|column| Some((layout.field_of(&column.name)?, column.name.as_str())))
        .collect();
    let mut evidence = MarkEvidence::default();
    let is_open = definition.form.decimal.is_none();
    let form = (encoding, layout.line_form(), layout.fields);
    let walked = walk(open().as_mut(), form, bounds, &mut |line, fields| {
        for (field, name) in amounts.iter().filter(|_| is_open) {
            let text = fields.get(*field).map_or("", |field| field.text.trim());
            if !text.is_empty() {
                evidence.see(text, line, name)?;
            }
        }
        Ok(true)
    })?;
    Ok(Seen {
        header,
        evidence,
        walked,
    })
}

/// The text of the first line.
fn first_line(first: &[u8], encoding: Encoding, bounds: Bounds) -> Result<String, PortError> {
    let (mut decoder, mut text) = (Decoder::new(encoding), String::new());
    let mut decoded = decoder.push(first, &mut text);
    if decoded.is_ok() && first.len() < bounds.line_bytes_max {
        decoded = decoder.finish(&mut text);
    }
    match (text.split_once('\n'), decoded) {
        (Some((line, _)), _) => Ok(line.trim_end_matches('\r').to_owned()),
        (None, Err(at)) => Err(undecoded(at, decoder.has_wide())),
        (None, Ok(())) if first.len() < bounds.line_bytes_max => Ok(text),
        (None, Ok(())) => {
            let what = format!("line 1: it has more than {} bytes", bounds.line_bytes_max);
            let remedy = "the file is no text with lines; export it as CSV with its column names in the first line";
            Err(wrong(what, remedy))
        }
    }
}

fn found(
    (item, definition): (&str, &FileDefinition),
    (encoding, why): (Encoding, String),
    seen: Seen,
) -> Result<FileFound, PortError> {
    let form = definition.form;
    let (decimal, why_decimal) = match form.decimal {
        Some(declared) => (declared, format!("{}: declared", declared.word())),
        None => seen.evidence.decide(item)?,
    };
    let separator = seen.header.separator;
    let why_separator = match form.separator {
        Some(_) => format!("{}: declared", separator.word()),
        None => format!(
            "{}: by it the first line names the columns",
            separator.word()
        ),
    };
    let dates = form.dates.unwrap_or_default();
    let why_dates = match form.dates {
        Some(_) => format!("{}: declared", dates.word()),
        None => format!("{}: nothing else was declared", dates.word()),
    };
    Ok(FileFound {
        layout: FileLayout {
            encoding,
            separator,
            decimal,
            dates,
            fields: seen.header.fields,
            line: definition.line.clone(),
            columns: seen.header.columns,
        },
        reasons: vec![why, why_separator, why_decimal, why_dates],
        left_out: seen.header.left_out,
        lines: seen.walked.lines,
        rows: seen.walked.rows,
    })
}
