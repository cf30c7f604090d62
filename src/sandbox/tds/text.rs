//! Text as TDS carries it: UTF-16LE for `nvarchar`, and GUID bytes. Pure.

/// `SQL_Latin1_General_CP1_CI_AS` as five wire bytes: LCID 1033 with flags, sort id 52.
pub(super) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];
/// Its name.
pub(super) const COLLATION_NAME: &str = "SQL_Latin1_General_CP1_CI_AS";

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
