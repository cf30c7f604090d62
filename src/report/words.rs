//! Words, numbers and dates as a reader of English or French writes them, and text that is safe in HTML.

use chrono::{Datelike as _, NaiveDate};

use crate::domain::amount::Amount;

/// Language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

/// Fraction digits that a page shows of money.
const SHOWN_DIGITS: u8 = 2;

const MONTHS: [(&str, &str); 12] = [
    ("January", "janvier"),
    ("February", "février"),
    ("March", "mars"),
    ("April", "avril"),
    ("May", "mai"),
    ("June", "juin"),
    ("July", "juillet"),
    ("August", "août"),
    ("September", "septembre"),
    ("October", "octobre"),
    ("November", "novembre"),
    ("December", "décembre"),
];

impl Language {
    /// The tag of the language in HTML.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.pick("en", "fr")
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn pick<'a>(self, english: &'a str, french: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// A whole number with its thousands apart.
    #[must_use]
    pub fn count(self, number: u64) -> String {
        self.thousands(&number.to_string())
    }

    /// An amount with two fraction digits, rounded half away from zero, with a minus below zero.
    #[must_use]
    pub fn amount(self, amount: Amount) -> String {
        let sign = if amount.units() < 0 { "\u{2212}" } else { "" };
        let (whole, fraction) = hundredths(amount);
        // Dust is shown as zero, and zero has no sign.
        let sign = if whole == 0 && fraction == 0 {
            ""
        } else {
            sign
        };
        let point = self.pick(".", ",");
        let whole = self.thousands(&whole.to_string());
        format!("{sign}{whole}{point}{fraction:02}")
    }

    /// An amount in ledger sign as a debit or a credit, never with a bare sign.
    #[must_use]
    pub fn dr_cr(self, amount: Amount) -> String {
        let (whole, fraction) = hundredths(amount);
        let point = self.pick(".", ",");
        let text = format!("{}{point}{fraction:02}", self.thousands(&whole.to_string()));
        if whole == 0 && fraction == 0 {
            return text;
        }
        let side = if amount.units() < 0 {
            self.pick("Cr", "C")
        } else {
            self.pick("Dr", "D")
        };
        format!("{text}\u{a0}{side}")
    }

    /// A date as it is written in a sentence.
    #[must_use]
    pub fn date(self, date: NaiveDate) -> String {
        let (day, year) = (date.day(), date.year());
        let month = self.month_name(date);
        match (self, day) {
            (Self::French, 1) => format!("1er {month} {year}"),
            _ => format!("{day} {month} {year}"),
        }
    }

    /// A month with its year.
    #[must_use]
    pub fn month(self, date: NaiveDate) -> String {
        format!("{} {}", self.month_name(date), date.year())
    }

    fn month_name(self, date: NaiveDate) -> &'static str {
        let index = usize::try_from(date.month0()).unwrap_or_default();
        MONTHS
            .get(index)
            .map_or("", |(english, french)| self.pick(english, french))
    }

    /// Digits in groups of three: a comma in English, a narrow space that does not break in French.
    fn thousands(self, digits: &str) -> String {
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push_str(self.pick(",", "\u{202f}"));
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// Whole units and hundredths of an amount without its sign, rounded half away from zero.
fn hundredths(amount: Amount) -> (u128, u128) {
    let (units, scale) = (amount.units().unsigned_abs(), amount.scale());
    let Some(digits) = scale.checked_sub(SHOWN_DIGITS) else {
        let (one, missing) = (
            10_u128.pow(u32::from(scale)),
            10_u128.pow(u32::from(SHOWN_DIGITS - scale)),
        );
        return (units / one, units % one * missing);
    };
    let step = 10_u128.pow(u32::from(digits));
    let rounded = units / step + u128::from(units % step >= step - step / 2);
    (rounded / 100, rounded % 100)
}

/// Text that stands for itself in HTML, in an element or in a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::Language::{English, French};
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_rounded_half_away_from_zero_and_grouped() {
        for (text, english, french) in [
            ("1650000.00", "1,650,000.00", "1\u{202f}650\u{202f}000,00"),
            ("-1226.985", "\u{2212}1,226.99", "\u{2212}1\u{202f}226,99"),
            ("0.005", "0.01", "0,01"),
            ("0.0049999", "0.00", "0,00"),
            ("-0.00000000000000000001", "0.00", "0,00"),
            ("7", "7.00", "7,00"),
            ("99.5", "99.50", "99,50"),
            ("999.995", "1,000.00", "1\u{202f}000,00"),
        ] {
            assert_eq!(English.amount(amount(text)), english, "{text}");
            assert_eq!(French.amount(amount(text)), french, "{text}");
        }
        let widest = Amount::new(-(10_i128.pow(38) - 1), 0).unwrap();
        assert!(English.amount(widest).ends_with(",999.00"));
    }

    #[test]
    fn debit_and_credit_are_words_and_zero_is_neither() {
        assert_eq!(English.dr_cr(amount("20000.00")), "20,000.00\u{a0}Dr");
        assert_eq!(English.dr_cr(amount("-20000.00")), "20,000.00\u{a0}Cr");
        assert_eq!(French.dr_cr(amount("-0.015")), "0,02\u{a0}C");
        assert_eq!(French.dr_cr(amount("0.000")), "0,00");
    }

    #[test]
    fn dates_are_sentences() {
        let first = NaiveDate::from_ymd_opt(2024, 5, 1).unwrap();
        let last = NaiveDate::from_ymd_opt(2024, 8, 31).unwrap();
        assert_eq!(English.date(first), "1 May 2024");
        assert_eq!(French.date(first), "1er mai 2024");
        assert_eq!(French.date(last), "31 août 2024");
        assert_eq!(English.month(last), "August 2024");
        assert_eq!(English.count(1_234_567), "1,234,567");
        assert_eq!(French.count(999), "999");
    }

    #[test]
    fn no_text_can_become_markup() {
        assert_eq!(
            escaped("<b onload='x'>\"&\u{1b}"),
            "&lt;b onload=&#39;x&#39;&gt;&quot;&amp; "
        );
    }
}
