//! Rows behind a balance against the line-item threshold of its country: which of them are worth a look by themselves. No
//! verdict rests on it.

use super::result::Bucket;
use super::wide::reaches;
use crate::domain::amount::Amount;

impl Bucket {
    /// Whether a row behind it reaches the line-item threshold: |amount| ≥ threshold × rate, without division; equality
    /// reaches it. `None` without a rate, and where an older version judged: then nobody knows.
    ///
    /// # Units
    /// `amount` in local currency.
    #[must_use]
    pub fn reaches_line_item(&self, amount: Amount) -> Option<bool> {
        let threshold = self.line_item.as_ref()?;
        Some(reaches(amount, threshold.usd, self.rate?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reconcile::month::{DEFAULTS, EGYPT, Month, amount, bucket};
    use crate::domain::reconcile::threshold::Thresholds;

    fn of(month: &Month, place: (&str, &str, Option<&str>)) -> Bucket {
        let (line, company, gl) = place;
        bucket(&month.judged(), line, company, gl).clone()
    }

    const NIGERIA: (&str, &str, Option<&str>) = ("L1", "EC_NG", Some("13003"));

    #[test]
    fn equality_reaches_and_the_last_digit_below_does_not() {
        let nigeria = of(&Month::new(), NIGERIA);
        let threshold = nigeria.line_item.clone().unwrap();
        assert_eq!(threshold.rule, "DEFAULT v1 line-item");
        assert_eq!((threshold.version, threshold.sha256.len()), (1, 64));
        // 500 dollars at 1650.
        for (row, reached) in [
            ("825000", true),
            ("-825000.00", true),
            ("824999.99999999999999999999", false),
            ("-1", false),
        ] {
            let said = nigeria.reaches_line_item(amount(row));
            assert_eq!(said, Some(reached), "{row}");
        }
    }

    #[test]
    fn a_country_has_its_own_where_its_filter_is_met() {
        let (egypt, vouchers) = (
            of(&Month::new(), ("L1", "JM_EG", Some("13003"))),
            of(&Month::new(), ("L6", "JM_EG", None)),
        );
        // 500 and 5000 dollars at 48.9.
        assert_eq!(egypt.reaches_line_item(amount("24450")), Some(true));
        assert_eq!(vouchers.reaches_line_item(amount("24450")), Some(false));
        assert_eq!(vouchers.reaches_line_item(amount("244500")), Some(true));
        assert_eq!(vouchers.line_item.unwrap().rule, "EG v1 line-item");
    }

    #[test]
    fn another_threshold_gives_another_word_and_no_other_verdict() {
        let month = Month::new().actual("EC_NG", "13003", "825000");
        let mut higher = month.clone();
        let defaults = DEFAULTS.replace("\"500\"", "\"500.01\"");
        assert_ne!(defaults, DEFAULTS);
        let files = [("DEFAULT", defaults.as_str()), ("EG", EGYPT)];
        higher.thresholds = Thresholds::read(files).unwrap();
        let row = amount("825000");
        let (one, other) = (of(&month, NIGERIA), of(&higher, NIGERIA));
        assert_eq!(one.reaches_line_item(row), Some(true));
        assert_eq!(other.reaches_line_item(row), Some(false));
        assert_eq!(one.status, other.status);
    }

    #[test]
    fn without_a_rate_nobody_knows() {
        let month = Month::new().rate("EC_NG", &[None]);
        let unknown = of(&month, NIGERIA);
        assert_eq!(unknown.reaches_line_item(amount("825000")), None);
        // What an older version judged has no such threshold, and is read and written as it was.
        let mut older = of(&Month::new(), NIGERIA);
        older.line_item = None;
        assert_eq!(older.reaches_line_item(amount("825000")), None);
        let json = serde_json::to_string(&older).unwrap();
        assert!(!json.contains("line_item"), "{json}");
        assert_eq!(serde_json::from_str::<Bucket>(&json).unwrap(), older);
    }
}
