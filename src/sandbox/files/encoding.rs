//! Bytes of a text file into text; a byte that the encoding does not have is an error with its line.

use serde::Deserialize;

use crate::sandbox::tds::text::cp1252_text;

use super::AtLine;

/// How characters are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Little-endian unless a byte order mark says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

const MARK_8: &[u8] = &[0xEF, 0xBB, 0xBF];
const MARK_16_LITTLE: &[u8] = &[0xFF, 0xFE];
const MARK_16_BIG: &[u8] = &[0xFE, 0xFF];

/// The text of a file without its byte order mark; an error is the line, from 1, and what is wrong.
pub(super) fn decode(bytes: Vec<u8>, encoding: Encoding) -> Result<String, AtLine> {
    match encoding {
        Encoding::Utf8 => utf8(bytes),
        Encoding::Utf16 => utf16(&bytes),
        Encoding::Windows1252 => Ok(cp1252_text(&bytes)),
    }
}

fn utf8(mut bytes: Vec<u8>) -> Result<String, AtLine> {
    if bytes.starts_with(MARK_16_LITTLE) || bytes.starts_with(MARK_16_BIG) {
        let what = "the file is UTF-16; say encoding = \"utf-16\" in its schema file";
        return Err((1, what.to_owned()));
    }
    if bytes.starts_with(MARK_8) {
        bytes.drain(..MARK_8.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = good.unwrap_or_default().iter().filter(|b| **b == b'\n');
        let what =
            "a byte is not UTF-8; say encoding = \"windows-1252\" or \"utf-16\" in the schema file";
        (lines.count() + 1, what.to_owned())
    })
}

fn utf16(bytes: &[u8]) -> Result<String, AtLine> {
    let big = bytes.starts_with(MARK_16_BIG);
    let marked = big || bytes.starts_with(MARK_16_LITTLE);
    let body = bytes.get(if marked { 2 } else { 0 }..).unwrap_or_default();
    let (pairs, rest) = body.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| {
        if big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    };
    let mut text = String::with_capacity(body.len() / 2);
    let mut line = 1;
    for c in char::decode_utf16(pairs.iter().map(unit)) {
        let Ok(c) = c else {
            let what =
                "half of a surrogate pair stands alone; write the file again as UTF-16 or UTF-8";
            return Err((line, what.to_owned()));
        };
        line += usize::from(c == '\n');
        text.push(c);
    }
    if !rest.is_empty() {
        let what = "the file ends within a character: it is cut off or not UTF-16";
        return Err((line, what.to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_encodings_give_the_same_text() {
        let text = "Café;5 €\r\nß\n";
        let utf16 = |big: bool| -> Vec<u8> {
            let units = text.encode_utf16();
            let bytes = units.flat_map(|u| {
                if big {
                    u.to_be_bytes()
                } else {
                    u.to_le_bytes()
                }
            });
            bytes.collect()
        };
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (marked(MARK_8, text.into()), Encoding::Utf8),
            (utf16(false), Encoding::Utf16),
            (marked(MARK_16_LITTLE, utf16(false)), Encoding::Utf16),
            (marked(MARK_16_BIG, utf16(true)), Encoding::Utf16),
            (b"Caf\xE9;5 \x80\r\n\xDF\n".to_vec(), Encoding::Windows1252),
        ] {
            assert_eq!(decode(bytes, encoding).unwrap(), text, "{encoding:?}");
        }
    }

    #[test]
    fn what_an_encoding_lacks_is_an_error_with_its_line() {
        for (bytes, encoding, line, part) in [
            (&b"a\nb\nCaf\xE9\n"[..], Encoding::Utf8, 3, "windows-1252"),
            (
                b"\xFF\xFEa\0",
                Encoding::Utf8,
                1,
                "say encoding = \"utf-16\"",
            ),
            (b"a\0\n\0\x00\xD8b\0", Encoding::Utf16, 2, "surrogate"),
            (b"a\0b", Encoding::Utf16, 1, "cut off"),
        ] {
            let (found, what) = decode(bytes.to_vec(), encoding).unwrap_err();
            assert!(found == line && what.contains(part), "{found}: {what}");
        }
    }
}
