//! The lines of a file that hold rows, one after the other: as many fields each as the first line, and nothing in them
//! that no text has.

use std::io::{ErrorKind, Read};

use super::{wrong, wrong_cell, wrong_line};
use crate::domain::limits::Limits;
use crate::domain::text_file::encoding::Encoding;
use crate::domain::text_file::lines::{Feed, Field, LineForm};
use crate::ports::{PortError, PortErrorKind};

/// How much of a file is held.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes that are read at once.
    pub read_bytes: usize,
    /// Bytes of the longest line.
    pub line_bytes_max: usize,
    /// Rows of a batch.
    pub batch_rows_max: usize,
    /// Bytes of a batch.
    pub batch_bytes_max: usize,
    /// Companies.
    pub companies_max: usize,
}

impl Bounds {
    /// What the limits of a run allow.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            read_bytes: limits.file_read_bytes,
            line_bytes_max: limits.file_line_bytes_max,
            batch_rows_max: limits.batch_rows_max,
            batch_bytes_max: limits.batch_bytes_max,
            companies_max: limits.small_rows_max,
        }
    }
}

/// What the lines of a file came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) lines: u64,
    pub(super) rows: u64,
}

/// Takes the fields of a row with its line; `false` wants no more.
pub(super) type EachRow<'a> = &'a mut dyn FnMut(usize, &[Field<'_>]) -> Result<bool, PortError>;

/// Reads into `bytes` as far as there is something; an error of ours comes out as it went in.
pub(super) fn read_some(from: &mut dyn Read, bytes: &mut [u8]) -> Result<usize, PortError> {
    loop {
        match from.read(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let own = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<PortError>());
                return Err(own.cloned().unwrap_or_else(|| error.into()));
            }
            Ok(len) => return Ok(len),
        }
    }
}

/// Walks over all rows. `each` may end the walk by `false`. `Unsupported` is a file that may have another encoding.
pub(super) fn walk(
    from: &mut dyn Read,
    (encoding, form, width): (Encoding, LineForm, usize),
    bounds: Bounds,
    each: EachRow<'_>,
) -> Result<Walked, PortError> {
    let at = |(line, what): (usize, String)| wrong_line(line, &what);
    let mut feed = Feed::new(encoding, form, bounds.line_bytes_max);
    let mut bytes = vec![0; bounds.read_bytes];
    let (mut walked, mut named, mut blank) = (Walked::default(), false, None);
    loop {
        let len = read_some(from, &mut bytes)?;
        let pushed = feed.push(bytes.get(..len).unwrap_or_default());
        pushed.map_err(|at| undecoded(at, feed.has_wide()))?;
        let (mut lines, mut fields) = (feed.lines(), Vec::new());
        while let Some(line) = lines.next(&mut fields).map_err(at)? {
            no_controls(line, &fields)?;
            if !named {
                named = true;
            } else if is_blank(&fields) && width > 1 {
                blank = blank.or(Some(line));
            } else {
                if let Some(blank) = blank {
                    return Err(wrong_line(
                        blank,
                        "an empty line between rows; a row may be missing here, export the file again",
                    ));
                }
                as_wide(line, fields.len(), width)?;
                walked.rows += 1;
                if !each(line, &fields)? {
                    return Ok(walked);
                }
            }
        }
        let left = lines.left();
        feed.keep(left).map_err(at)?;
        if len == 0 {
            break;
        }
    }
    walked.lines = u64::try_from(feed.line() - 1).unwrap_or(u64::MAX);
    Ok(walked)
}

/// Bytes that the encoding does not have. Behind characters that it alone has they are broken; else the file may have
/// another encoding.
pub(super) fn undecoded((line, what): (usize, String), wide: bool) -> PortError {
    if wide {
        return wrong(
            format!("line {line}: a byte is not of the encoding of the characters before it"),
            "bytes were broken on their way, or two files were joined; export it again, or declare its encoding with \
             --file-form",
        );
    }
    let mut error = wrong_line(line, &what);
    error.kind = PortErrorKind::Unsupported;
    error
}

fn is_blank(fields: &[Field<'_>]) -> bool {
    matches!(fields, [only] if !only.quoted && only.text.is_empty())
}

fn as_wide(line: usize, found: usize, width: usize) -> Result<(), PortError> {
    if found == width {
        return Ok(());
    }
    let what = format!("{found} fields, where the first line has {width}");
    Err(wrong(
        format!("line {line}: {what}"),
        "a separator or a quote stands in a text, or the file is cut off; export it again, with quotes around texts",
    ))
}

/// Refuses what no export of text writes: it is a sign of another kind of file, or of broken bytes.
fn no_controls(line: usize, fields: &[Field<'_>]) -> Result<(), PortError> {
    for (place, field) in fields.iter().enumerate() {
        let text = field.text.as_ref();
        let is_plain = |byte: u8| (b' '..0x7F).contains(&byte);
        if text.bytes().all(is_plain) {
            continue;
        }
        let of_line = |c: char| field.quoted && matches!(c, '\n' | '\r');
        let bad = |c: &char| (c.is_control() && *c != '\t' && !of_line(*c)) || *c == '\u{feff}';
        let what = match text.chars().find(bad) {
            None => continue,
            Some('\0') => {
                "holds a NUL byte; the file is no text, or is UTF-16 without a mark: say utf-16 with --file-form"
            }
            Some('\u{feff}') => {
                "holds a byte order mark; two files were joined here: upload them as one export"
            }
            Some(_) => "holds a control character; correct it where the file is made",
        };
        return Err(wrong_cell(line, &format!("no. {}", place + 1), what));
    }
    Ok(())
}

/// The first bytes of a file.
pub(super) fn first_bytes(from: &mut dyn Read, len: usize) -> Result<Vec<u8>, PortError> {
    let (mut first, mut bytes) = (Vec::new(), vec![0; len]);
    while first.len() < len {
        let more = read_some(from, &mut bytes)?;
        if more == 0 {
            break;
        }
        first.extend_from_slice(bytes.get(..more).unwrap_or_default());
    }
    Ok(first)
}
