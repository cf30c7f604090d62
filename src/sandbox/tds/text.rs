//! Text as TDS carries it: Windows-1252 for `varchar`, UTF-16LE for `nvarchar`, and GUID bytes.
//!
//! Pure. A character that a code page lacks is an error, never a question mark.

/// `SQL_Latin1_General_CP1_CI_AS` as five wire bytes: LCID 1033 with flags, sort id 52.
pub(super) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];
/// Its name.
pub(super) const COLLATION_NAME: &str = "SQL_Latin1_General_CP1_CI_AS";

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
pub(crate) fn put_cp1252(buf: &mut Vec<u8>, text: &str) -> Option<()> {
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
pub(crate) fn cp1252_text(bytes: &[u8]) -> String {
    let decode = |byte: &u8| match byte.checked_sub(0x80).map(usize::from) {
        Some(at) => CP1252_HIGH.get(at).copied().unwrap_or(char::from(*byte)),
        None => char::from(*byte),
    };
    bytes.iter().map(decode).collect()
}

/// Appends `text` as UTF-16LE.
pub(super) fn put_utf16(buf: &mut Vec<u8>, text: &str) {
    if text.is_ascii() {
        let start = buf.len();
        buf.resize(start + text.len() * 2, 0);
        if let Some(tail) = buf.get_mut(start..) {
            let (pairs, _) = tail.as_chunks_mut::<2>();
            for (pair, byte) in pairs.iter_mut().zip(text.bytes()) {
                *pair = [byte, 0];
            }
        }
        return;
    }
    for unit in text.encode_utf16() {
        buf.extend_from_slice(&unit.to_le_bytes());
    }
}

/// Between the byte order of the text form and the wire's (first three groups little-endian).
pub(super) fn swap_guid(bytes: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let [i, j, k, l, m, n, o, p] = rest;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// The sixteen bytes of `XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX` in text order.
pub(crate) fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    let dashes = [8, 13, 18, 23];
    if bytes.len() != 36 || dashes.iter().any(|at| bytes.get(*at) != Some(&b'-')) {
        return None;
    }
    let mut digits = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
    let mut guid = [0; 16];
    for byte in &mut guid {
        let high = digits.next()??;
        let low = digits.next()??;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(guid)
}

/// The upper-case text form of a GUID.
pub(crate) fn guid_text(guid: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in guid.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase()));
        }
    }
    text
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

    #[test]
    fn guids_go_round() {
        let text = "6F9619FF-8B86-D011-B42D-00C04FC964FF";
        let guid = parse_guid(text).unwrap();
        assert_eq!(guid_text(guid), text);
        assert_eq!(swap_guid(guid)[..4], [0xFF, 0x19, 0x96, 0x6F]);
        assert_eq!(swap_guid(swap_guid(guid)), guid);
        assert_eq!(parse_guid("6F9619FF-8B86-D011-B42D-00C04FC964F"), None);
        assert_eq!(parse_guid("6F9619FF-8B86-D011-B42D-00C04FC964FG"), None);
    }
}
