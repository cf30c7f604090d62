//! Bytes of a text file into text, as they come; a byte that the encoding does not have is an error with its line.

use serde::{Deserialize, Serialize};

use super::AtLine;
use super::cp1252::cp1252_text;

/// How characters are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// With or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Little-endian unless a byte order mark says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
    /// One byte a character.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

const MARK_8: &[u8] = &[0xEF, 0xBB, 0xBF];
const MARK_16_LITTLE: &[u8] = &[0xFF, 0xFE];
const MARK_16_BIG: &[u8] = &[0xFE, 0xFF];

/// Bytes in which every mark is seen.
pub const MARK_BYTES: usize = 3;

impl Encoding {
    /// The encoding that the first bytes of a file mark.
    #[must_use]
    pub fn marked(first: &[u8]) -> Option<Self> {
        if first.starts_with(MARK_8) {
            Some(Self::Utf8)
        } else if first.starts_with(MARK_16_LITTLE) || first.starts_with(MARK_16_BIG) {
            Some(Self::Utf16)
        } else {
            None
        }
    }

    /// As people write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// Turns bytes into text, without the byte order mark; holds back the bytes of a character that is not whole yet.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    begun: bool,
    big: bool,
    rest: Vec<u8>,
    /// Line of the next character, from 1.
    line: usize,
    /// Whether a character beyond ASCII was seen.
    wide: bool,
}

impl Decoder {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            begun: false,
            big: false,
            rest: Vec::new(),
            line: 1,
            wide: false,
        }
    }

    /// Whether a character beyond ASCII was seen: the bytes so far are of this encoding and of hardly another one.
    #[must_use]
    pub fn has_wide(&self) -> bool {
        self.wide
    }

    /// Appends the text of the next bytes.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong.
    pub fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<(), AtLine> {
        if !self.begun && self.rest.len() + bytes.len() < MARK_BYTES {
            self.rest.extend_from_slice(bytes);
            return Ok(());
        }
        self.take(bytes, text, false)
    }

    /// Appends what is left at the end of the file.
    ///
    /// # Errors
    /// As [`Decoder::push`]; a character that is not whole is one.
    pub fn finish(&mut self, text: &mut String) -> Result<(), AtLine> {
        self.take(&[], text, true)
    }

    fn take(&mut self, bytes: &[u8], text: &mut String, ended: bool) -> Result<(), AtLine> {
        let joined;
        let mut data = bytes;
        if !self.rest.is_empty() {
            joined = [std::mem::take(&mut self.rest).as_slice(), bytes].concat();
            data = &joined;
        }
        if !self.begun {
            self.begun = true;
            data = self.without_mark(data)?;
        }
        let from = text.len();
        let decoded = match self.encoding {
            Encoding::Utf8 => utf8(data, text, ended),
            Encoding::Utf16 => utf16(data, text, self.big, ended),
            Encoding::Windows1252 => {
                text.push_str(&cp1252_text(data));
                Ok(data.len())
            }
        };
        let added = text.as_bytes().get(from..).unwrap_or_default();
        self.line += added.iter().filter(|byte| **byte == b'\n').count();
        self.wide |= !added.is_ascii();
        let used = decoded.map_err(|what| (self.line, what.to_owned()))?;
        self.rest
            .extend_from_slice(data.get(used..).unwrap_or_default());
        Ok(())
    }

    fn without_mark<'a>(&mut self, data: &'a [u8]) -> Result<&'a [u8], AtLine> {
        let marked = Encoding::marked(data);
        let len = match (self.encoding, marked) {
            (Encoding::Utf8, Some(Encoding::Utf16)) => {
                let what =
                    "the file is UTF-16; say encoding = \"utf-16\" where its form is declared";
                return Err((1, what.to_owned()));
            }
            (Encoding::Utf8, Some(Encoding::Utf8)) => MARK_8.len(),
            (Encoding::Utf16, Some(Encoding::Utf16)) => {
                self.big = data.starts_with(MARK_16_BIG);
                MARK_16_BIG.len()
            }
            _ => 0,
        };
        Ok(data.get(len..).unwrap_or_default())
    }
}

/// Appends the whole characters and gives the bytes that they take.
fn utf8(data: &[u8], text: &mut String, ended: bool) -> Result<usize, &'static str> {
    match std::str::from_utf8(data) {
        Ok(all) => {
            text.push_str(all);
            Ok(data.len())
        }
        Err(error) => {
            let good = data.get(..error.valid_up_to()).unwrap_or_default();
            text.push_str(std::str::from_utf8(good).unwrap_or_default());
            if error.error_len().is_none() && !ended {
                return Ok(good.len());
            }
            Err(
                "a byte is not UTF-8; say encoding = \"windows-1252\" or \"utf-16\" where the form of the file is declared",
            )
        }
    }
}

fn utf16(data: &[u8], text: &mut String, big: bool, ended: bool) -> Result<usize, &'static str> {
    let (mut pairs, odd) = data.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| {
        if big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    };
    if let Some((last, before)) = pairs.split_last()
        && !ended
        && (0xD800..0xDC00).contains(&unit(last))
    {
        // The first half of a pair: the second comes with the next bytes.
        pairs = before;
    }
    for c in char::decode_utf16(pairs.iter().map(unit)) {
        let whole = c.map_err(
            |_| "half of a surrogate pair stands alone; write the file again as UTF-16 or UTF-8",
        )?;
        text.push(whole);
    }
    if ended && !odd.is_empty() {
        return Err("the file ends within a character: it is cut off or not UTF-16");
    }
    Ok(pairs.len() * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a file that comes in pieces of `len` bytes.
    fn decode(bytes: &[u8], encoding: Encoding, len: usize) -> Result<String, AtLine> {
        let (mut decoder, mut text) = (Decoder::new(encoding), String::new());
        for piece in bytes.chunks(len) {
            decoder.push(piece, &mut text)?;
        }
        decoder.finish(&mut text)?;
        Ok(text)
    }

    #[test]
    fn the_three_encodings_give_the_same_text_however_the_bytes_come() {
        let text = "Café;5 €\r\nß\n";
        let wide = format!("{text}𝄞");
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
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
        for (bytes, encoding, expected) in [
            (wide.as_bytes().to_vec(), Encoding::Utf8, wide.as_str()),
            (marked(MARK_8, wide.clone().into()), Encoding::Utf8, &wide),
            (utf16(&wide, false), Encoding::Utf16, &wide),
            (
                marked(MARK_16_LITTLE, utf16(&wide, false)),
                Encoding::Utf16,
                &wide,
            ),
            (
                marked(MARK_16_BIG, utf16(&wide, true)),
                Encoding::Utf16,
                &wide,
            ),
            (
                b"Caf\xE9;5 \x80\r\n\xDF\n".to_vec(),
                Encoding::Windows1252,
                text,
            ),
            (b"a".to_vec(), Encoding::Utf8, "a"),
            (Vec::new(), Encoding::Utf16, ""),
        ] {
            for len in [1, 2, 3, 5, 100] {
                let found = decode(&bytes, encoding, len);
                assert_eq!(found.unwrap(), expected, "{encoding:?} by {len}");
            }
        }
    }

    #[test]
    fn what_an_encoding_lacks_is_an_error_with_its_line() {
        for (bytes, encoding, line, part) in [
            (&b"a\nb\nCaf\xE9\n"[..], Encoding::Utf8, 3, "windows-1252"),
            (b"a\nb\xC3", Encoding::Utf8, 2, "windows-1252"),
            (
                b"\xFF\xFEa\0",
                Encoding::Utf8,
                1,
                "say encoding = \"utf-16\"",
            ),
            (b"a\0\n\0\x00\xD8b\0", Encoding::Utf16, 2, "surrogate"),
            (b"a\0\n\0\x00\xD8", Encoding::Utf16, 2, "surrogate"),
            (b"a\0b", Encoding::Utf16, 1, "cut off"),
        ] {
            for len in [1, 2, 3, 100] {
                let (found, what) = decode(bytes, encoding, len).unwrap_err();
                assert!(found == line && what.contains(part), "{found}: {what}");
            }
        }
    }

    #[test]
    fn a_mark_says_what_the_file_is() {
        for (first, expected) in [
            (&b"\xEF\xBB\xBFa"[..], Some(Encoding::Utf8)),
            (b"\xFF\xFE", Some(Encoding::Utf16)),
            (b"\xFE\xFF", Some(Encoding::Utf16)),
            (b"abc", None),
            (b"", None),
        ] {
            assert_eq!(Encoding::marked(first), expected);
        }
    }
}
