//! The bytes of single cells, shared by all columns of a kind.
//!
//! Pure; the errors name what is wrong with a value, never the value.

use super::column::TextForm;
use super::text::put_utf16;
use super::type_info::Framing;
use crate::domain::text_file::cp1252::put_cp1252;

/// Why a value cannot go over the wire as announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellError {
    /// The array is not the carrier of the type.
    Carrier,
    /// A null in a column announced as not null.
    Null,
    /// A number outside its type or precision.
    Overflow,
    /// A date or time outside its type.
    Date,
    /// Text or bytes longer than announced.
    TooLong,
    /// A character that Windows-1252 has not.
    CodePage,
    /// Text that is no GUID.
    Guid,
}

impl CellError {
    /// SQL Server's error number and message for the column.
    pub(super) fn explain(self, column: &str, sql_type: &str) -> (u32, String) {
        match self {
            Self::Carrier => (
                50_000,
                format!("the engine's array for column {column} does not carry {sql_type}"),
            ),
            Self::Null => (
                515,
                format!("a null value in column {column}, announced as not null"),
            ),
            Self::Overflow => (
                8115,
                format!(
                    "Arithmetic overflow error converting column {column} to data type {sql_type}."
                ),
            ),
            Self::Date => (
                242,
                format!(
                    "The conversion of column {column} to {sql_type} resulted in an out-of-range value."
                ),
            ),
            Self::TooLong => (
                2628,
                format!("String or binary data would be truncated in column '{column}'."),
            ),
            Self::CodePage => (
                8114,
                format!(
                    "Error converting data type nvarchar to {sql_type} in column {column}: a character is not in code page 1252."
                ),
            ),
            Self::Guid => (
                8169,
                format!("Conversion failed when converting column {column} to uniqueidentifier."),
            ),
        }
    }
}

/// Appends a value of fixed size with its length byte, if the framing has one.
pub(super) fn put_number<const N: usize>(
    buf: &mut Vec<u8>,
    framing: Framing,
    bytes: [u8; N],
) -> Result<(), CellError> {
    if framing == Framing::Byte {
        buf.push(u8::try_from(N).map_err(|_| CellError::TooLong)?);
    }
    buf.extend_from_slice(&bytes);
    Ok(())
}

/// Appends a decimal: length, sign, little-endian magnitude.
pub(super) fn put_decimal(
    buf: &mut Vec<u8>,
    value: i128,
    bytes: u8,
    limit: u128,
) -> Result<(), CellError> {
    let magnitude = value.unsigned_abs();
    if magnitude >= limit {
        return Err(CellError::Overflow);
    }
    let mut cell = [0; 18];
    let [len, sign, digits @ ..] = &mut cell;
    *len = bytes + 1;
    *sign = u8::from(value >= 0);
    *digits = magnitude.to_le_bytes();
    buf.extend_from_slice(cell.get(..usize::from(bytes) + 2).unwrap_or_default());
    Ok(())
}

/// Appends `money`: the high half goes first.
pub(super) fn put_money(buf: &mut Vec<u8>, framing: Framing, value: i128) -> Result<(), CellError> {
    let value = i64::try_from(value).map_err(|_| CellError::Overflow)?;
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    put_number(buf, framing, [e, f, g, h, a, b, c, d])
}

/// Appends text in its code page.
pub(super) fn put_text(
    buf: &mut Vec<u8>,
    framing: Framing,
    text: &str,
    form: TextForm,
) -> Result<(), CellError> {
    let frame = Frame::open(buf, framing);
    if form.wide {
        put_utf16(buf, text);
    } else {
        put_cp1252(buf, text).ok_or(CellError::CodePage)?;
    }
    let len = frame.content_len(buf);
    if len > form.bytes_max {
        return Err(CellError::TooLong);
    }
    if form.padded {
        let missing = form.bytes_max - len;
        if form.wide {
            buf.extend((0..missing / 2).flat_map(|_| [b' ', 0]));
        } else {
            buf.resize(buf.len() + missing, b' ');
        }
    }
    frame.close(buf)
}

/// Appends bytes.
pub(super) fn put_bytes(
    buf: &mut Vec<u8>,
    framing: Framing,
    bytes: &[u8],
    bytes_max: usize,
    padded: bool,
) -> Result<(), CellError> {
    if bytes.len() > bytes_max {
        return Err(CellError::TooLong);
    }
    let frame = Frame::open(buf, framing);
    buf.extend_from_slice(bytes);
    if padded {
        buf.resize(buf.len() + bytes_max - bytes.len(), 0);
    }
    frame.close(buf)
}

/// A length that is written after its content is known.
struct Frame {
    framing: Framing,
    content: usize,
}

impl Frame {
    fn open(buf: &mut Vec<u8>, framing: Framing) -> Self {
        match framing {
            Framing::Bare => {}
            Framing::Byte => buf.push(0),
            Framing::Short => buf.extend_from_slice(&[0; 2]),
            Framing::Plp => buf.extend_from_slice(&[0; 12]),
            Framing::TextPointer => {
                buf.push(16);
                buf.extend_from_slice(b"sandbox textptr\0");
                buf.extend_from_slice(&[0; 12]);
            }
        }
        Self {
            framing,
            content: buf.len(),
        }
    }

    fn content_len(&self, buf: &[u8]) -> usize {
        buf.len() - self.content
    }

    fn close(self, buf: &mut Vec<u8>) -> Result<(), CellError> {
        let len = self.content_len(buf);
        match self.framing {
            Framing::Bare => {}
            Framing::Byte => {
                let len = u8::try_from(len).map_err(|_| CellError::TooLong)?;
                self.patch(buf, len.to_le_bytes());
            }
            Framing::Short => {
                let len = u16::try_from(len).map_err(|_| CellError::TooLong)?;
                self.patch(buf, len.to_le_bytes());
            }
            Framing::TextPointer => {
                let len = u32::try_from(len).map_err(|_| CellError::TooLong)?;
                self.patch(buf, len.to_le_bytes());
            }
            Framing::Plp => {
                let len = u32::try_from(len).map_err(|_| CellError::TooLong)?;
                if len == 0 {
                    // Total of zero and the terminator; there is no empty chunk.
                    return Ok(());
                }
                let [a, b, c, d] = len.to_le_bytes();
                self.patch(buf, [a, b, c, d, 0, 0, 0, 0, a, b, c, d]);
                buf.extend_from_slice(&[0; 4]);
            }
        }
        Ok(())
    }

    fn patch<const N: usize>(&self, buf: &mut [u8], length: [u8; N]) {
        if let Some(place) = buf.get_mut(self.content - N..self.content) {
            place.copy_from_slice(&length);
        }
    }
}
