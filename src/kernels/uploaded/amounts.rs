//! Amounts as people write them: which of `.` and `,` stands before the fraction, decided by the whole column or not at all.

use std::borrow::Cow;

use super::{wrong, wrong_cell};
use crate::domain::uploaded::DecimalMark;
use crate::ports::PortError;

/// What may stand between thousands, beside the mark that is not the decimal one.
const GAPS: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\''];

/// The number with a point and without anything between thousands.
///
/// # Errors
/// Why it is no number of this form, without the number.
pub(super) fn plain(text: &str, mark: DecimalMark) -> Result<Cow<'_, str>, String> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let other = match mark {
        DecimalMark::Point => ',',
        DecimalMark::Comma => '.',
    };
    let (whole, fraction) = match digits.split_once(mark.character()) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || {
        format!(
            "is no amount of the form {}; write digits, a sign before them if it is negative, and neither currency nor \
             exponent",
            mark.word()
        )
    };
    if whole.is_empty() && fraction.is_none_or(str::is_empty) {
        return Err(wrong());
    }
    if !fraction.is_none_or(is_number) {
        return Err(wrong());
    }
    if is_number(whole) {
        return Ok(match mark {
            DecimalMark::Point => Cow::Borrowed(text),
            DecimalMark::Comma => Cow::Owned(text.replace(',', ".")),
        });
    }
    let gap = whole
        .chars()
        .find(|c| *c == other || GAPS.contains(c))
        .ok_or_else(wrong)?;
    let mut groups = whole.split(gap);
    let first = groups.next().unwrap_or_default();
    let begins = (1..=3).contains(&first.len()) && is_number(first) && !first.starts_with('0');
    if !begins || !groups.all(|group| group.len() == 3 && is_number(group)) {
        return Err(wrong());
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let whole: String = whole.split(gap).collect();
    Ok(Cow::Owned(match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }))
}

/// A place in a file.
type Place = (usize, String);

/// What the amounts of a file say of their decimal mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MarkEvidence {
    /// First amount that can only have a point before its fraction.
    point: Option<Place>,
    /// First amount that can only have a comma.
    comma: Option<Place>,
    /// First amount that may have either, with two values.
    either: Option<Place>,
}

impl MarkEvidence {
    /// Looks at an amount.
    ///
    /// # Errors
    /// What is an amount of neither form.
    pub(super) fn see(&mut self, text: &str, line: usize, column: &str) -> Result<(), PortError> {
        let (point, comma) = (
            plain(text, DecimalMark::Point),
            plain(text, DecimalMark::Comma),
        );
        let slot = match (point, comma) {
            (Ok(point), Ok(comma)) if point == comma => return Ok(()),
            (Ok(_), Ok(_)) => &mut self.either,
            (Ok(_), Err(_)) => &mut self.point,
            (Err(_), Ok(_)) => &mut self.comma,
            (Err(_), Err(_)) => {
                let what = "is no amount; write digits, a sign before them if it is negative, and neither currency nor \
                            exponent";
                return Err(wrong_cell(line, column, what));
            }
        };
        if slot.is_none() {
            *slot = Some((line, column.to_owned()));
        }
        Ok(())
    }

    /// The mark, and why it is that one.
    ///
    /// # Errors
    /// Amounts that contradict each other, or of which none decides.
    pub(super) fn decide(&self, item: &str) -> Result<(DecimalMark, String), PortError> {
        let declare = |why: &str| {
            format!("{why}: say --file-form {item}=decimal-point or {item}=decimal-comma")
        };
        match (&self.point, &self.comma, &self.either) {
            (Some((point, _)), Some((comma, column)), _) => Err(wrong(
                format!(
                    "line {comma}: column `{column}` has a decimal comma, and line {point} a decimal point"
                ),
                "export the file again, in one form",
            )),
            (Some((line, _)), None, _) => Ok((
                DecimalMark::Point,
                format!("decimal-point: line {line} can only be read so"),
            )),
            (None, Some((line, _)), _) => Ok((
                DecimalMark::Comma,
                format!("decimal-comma: line {line} can only be read so"),
            )),
            (None, None, Some((line, column))) => Err(wrong(
                format!(
                    "line {line}: column `{column}` has one mark before three digits, a thousand or a fraction, and no \
                     amount of the file decides it"
                ),
                declare("ask who made the file"),
            )),
            (None, None, None) => Ok((
                DecimalMark::Point,
                "decimal-point: no amount has a fraction or a mark between thousands".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> [Option<String>; 2] {
        [DecimalMark::Point, DecimalMark::Comma]
            .map(|mark| plain(text, mark).ok().map(Cow::into_owned))
    }

    #[test]
    fn an_amount_is_read_in_each_form_or_refused() {
        let some = |text: &str| Some(text.to_owned());
        for (text, point, comma) in [
            ("12", some("12"), some("12")),
            (" -7 ", some("-7"), some("-7")),
            ("1.234", some("1.234"), some("1234")),
            ("1,234", some("1234"), some("1.234")),
            ("12.5", some("12.5"), None),
            ("12,50", None, some("12.50")),
            ("0.125", some("0.125"), None),
            ("0,125", None, some("0.125")),
            ("1234.567", some("1234.567"), None),
            ("-1.234.567,89", None, some("-1234567.89")),
            ("1,234,567", some("1234567"), None),
            ("1,234.5", some("1234.5"), None),
            ("+1 234,5", None, some("1234.5")),
            ("1\u{202f}234", some("1234"), some("1234")),
            ("1'234.50", some("1234.50"), None),
            (".5", some(".5"), None),
            ("1 234.567 890", None, None),
            ("1,23,456", None, None),
            ("12 34", None, None),
            ("1.234 567", None, None),
            ("1e3", None, None),
            ("(12.00)", None, None),
            ("12-", None, None),
            ("KES 12", None, None),
            ("--1", None, None),
            ("", None, None),
            (".", None, None),
            ("-", None, None),
        ] {
            assert_eq!(both(text), [point, comma], "{text}");
        }
    }

    fn decided(amounts: &[&str]) -> Result<DecimalMark, String> {
        let mut evidence = MarkEvidence::default();
        for (place, text) in amounts.iter().enumerate() {
            evidence
                .see(text, place + 2, "amount_used")
                .map_err(|error| error.to_string())?;
        }
        let decided = evidence.decide("JDASH");
        decided
            .map(|(mark, _)| mark)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_whole_column_decides_or_nobody_does() {
        assert_eq!(decided(&["1.234", "7", "0,5"]), Ok(DecimalMark::Comma));
        assert_eq!(decided(&["1.234", "7", "0.5"]), Ok(DecimalMark::Point));
        assert_eq!(decided(&["7", "12"]), Ok(DecimalMark::Point));
        assert_eq!(decided(&[]), Ok(DecimalMark::Point));
        let undecided = decided(&["7", "1.234"]).unwrap_err();
        assert!(undecided.contains("line 3"), "{undecided}");
        assert!(
            undecided.contains("--file-form JDASH=decimal-point"),
            "{undecided}"
        );
        let mixed = decided(&["0.5", "7", "0,5"]).unwrap_err();
        assert!(
            mixed.contains("line 4") && mixed.contains("line 2"),
            "{mixed}"
        );
        let none = decided(&["7", "seven"]).unwrap_err();
        assert!(none.contains("line 3") && !none.contains("seven"), "{none}");
    }
}
