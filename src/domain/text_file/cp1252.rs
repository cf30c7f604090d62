//! Windows-1252. A character that it lacks is an error, never a question mark.

/// Code page 1252 at 0x80–0x9F; the five undefined bytes stand for their C1 controls.
const CP1252_HIGH: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2C6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}', '\u{17E}', '\u{178}',
];

/// The byte of a character, or `None` when Windows-1252 has none.
fn cp1252_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..=0x7F | 0xA0..=0xFF) => u8::try_from(code).ok(),
        _ => {
            let at = CP1252_HIGH.iter().position(|high| *high == c)?;
            u8::try_from(at + 0x80).ok()
        }
    }
}

/// Appends `text` in Windows-1252; `None` when a character is missing there (then bytes may have been added).
#[must_use]
pub fn put_cp1252(buf: &mut Vec<u8>, text: &str) -> Option<()> {
    if text.is_ascii() {
        buf.extend_from_slice(text.as_bytes());
        return Some(());
    }
    for c in text.chars() {
        buf.push(cp1252_byte(c)?);
    }
    Some(())
}

/// Text of Windows-1252 bytes.
#[must_use]
pub fn cp1252_text(bytes: &[u8]) -> String {
    let decode = |byte: &u8| match byte.checked_sub(0x80).map(usize::from) {
        Some(at) => CP1252_HIGH.get(at).copied().unwrap_or(char::from(*byte)),
        None => char::from(*byte),
    };
    bytes.iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_the_code_page_goes_round() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = cp1252_text(&bytes);
        let mut back = Vec::new();
        assert!(put_cp1252(&mut back, &text).is_some());
        assert_eq!(back, bytes);
        assert!(text.contains('€') && text.contains('é'));
    }

    #[test]
    fn a_character_outside_is_refused() {
        assert_eq!(put_cp1252(&mut Vec::new(), "Łódź"), None);
    }
}
