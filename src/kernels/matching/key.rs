//! The normal form of keys, in which two systems spell one thing alike.
//!
//! Never decides that two different things are one beyond these four: blanks at the ends, letter case, a `.0` that a
//! number keeps which once was a float, and the zeros at the end of an exact number's fraction.

/// Appends the normal form of a text; says whether anything of it is left.
///
/// Upper case is that of Unicode, as the collations of the sources compare without case. A text that is only `.0` stays.
pub(super) fn push_normal(text: &str, out: &mut Vec<u8>) -> bool {
    let text = text.trim();
    let shorter = text.strip_suffix(".0").map(str::trim_end);
    let text = shorter.filter(|rest| !rest.is_empty()).unwrap_or(text);
    let start = out.len();
    if text.is_ascii() {
        out.extend_from_slice(text.as_bytes());
        out.get_mut(start..)
            .unwrap_or_default()
            .make_ascii_uppercase();
    } else {
        out.extend_from_slice(text.to_uppercase().as_bytes());
    }
    out.len() > start
}

/// The normal form of a text by which rows are matched; empty when it is blank.
#[must_use]
pub fn normal_key(text: &str) -> String {
    let mut normal = Vec::with_capacity(text.len());
    push_normal(text, &mut normal);
    String::from_utf8(normal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_key_are_one() {
        for (spelling, normal) in [
            (" abc-77 ", "ABC-77"),
            ("ABC-77", "ABC-77"),
            ("12345.0", "12345"),
            ("12345", "12345"),
            ("v1.0 ", "V1"),
            ("12 .0", "12"),
            ("café", "CAFÉ"),
            ("", ""),
            (" \t\u{a0}", ""),
            (".0", ".0"),
        ] {
            assert_eq!(normal_key(spelling), normal, "{spelling:?}");
        }
    }

    #[test]
    fn different_keys_stay_different() {
        for (left, right) in [
            ("12345.00", "12345"),
            ("1.01", "1.0"),
            ("A B", "AB"),
            ("cafe", "café"),
            ("007", "7"),
            ("A-1", "A1"),
        ] {
            assert_ne!(normal_key(left), normal_key(right), "{left:?} {right:?}");
        }
    }
}
