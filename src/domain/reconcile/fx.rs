//! Closing rates: one for a company, or a reason why there is none. No rate is ever assumed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;

/// What the source says of a company's closing rate.
///
/// # Units
/// Local currency per US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rate", content = "value")]
pub enum Rate {
    /// One rate above zero.
    One(Amount),
    /// No row, or a row without a rate.
    Missing,
    /// Several rows that do not say the same; none of them is taken.
    Ambiguous(Vec<Amount>),
    /// A rate that is no rate.
    NotPositive(Amount),
}

/// The rates of all companies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<String, Rate>);

impl Rates {
    /// Reads rows of company and rate; a rate that is repeated is one rate.
    #[must_use]
    pub fn read(rows: impl IntoIterator<Item = (String, Option<Amount>)>) -> Self {
        let mut found: BTreeMap<String, Vec<Option<Amount>>> = BTreeMap::new();
        for (company, rate) in rows {
            found.entry(company).or_default().push(rate);
        }
        let rates = found.into_iter();
        Self(rates.map(|(company, rows)| (company, one(&rows))).collect())
    }

    /// The rate of a company; one without a row has none.
    #[must_use]
    pub fn of(&self, company: &str) -> &Rate {
        self.0.get(company).unwrap_or(&Rate::Missing)
    }

    /// Companies of one currency whose rates are not the same, by currency.
    ///
    /// # Shape
    /// `currencies`: company and its currency.
    #[must_use]
    pub fn unequal<'a>(
        &self,
        currencies: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> BTreeMap<&'a str, Vec<(&'a str, Amount)>> {
        let mut by_currency: BTreeMap<&str, Vec<(&str, Amount)>> = BTreeMap::new();
        for (company, currency) in currencies {
            if let Rate::One(rate) = self.of(company) {
                by_currency
                    .entry(currency)
                    .or_default()
                    .push((company, *rate));
            }
        }
        by_currency.retain(|_, rates| {
            let different: BTreeSet<String> = rates.iter().map(|(_, rate)| plain(*rate)).collect();
            different.len() > 1
        });
        by_currency
    }
}

impl Rate {
    /// The rate, where there is one.
    #[must_use]
    pub fn one(&self) -> Option<Amount> {
        match self {
            Self::One(rate) => Some(*rate),
            _ => None,
        }
    }
}

/// The text of a value without zeros at its end: 1650.00 and 1650 are one rate.
pub(super) fn plain(rate: Amount) -> String {
    let text = rate.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn one(rows: &[Option<Amount>]) -> Rate {
    let mut different: Vec<Amount> = Vec::new();
    for rate in rows.iter().flatten() {
        if !different.iter().any(|known| plain(*known) == plain(*rate)) {
            different.push(*rate);
        }
    }
    let has_none = rows.iter().any(Option::is_none);
    match different.as_slice() {
        [] => Rate::Missing,
        [rate] if has_none => Rate::Ambiguous(vec![*rate]),
        [rate] if rate.units() <= 0 => Rate::NotPositive(*rate),
        [rate] => Rate::One(*rate),
        _ => Rate::Ambiguous(different),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn rates(rows: &[(&str, Option<&str>)]) -> Rates {
        let rows = rows.iter();
        Rates::read(rows.map(|(company, rate)| ((*company).to_owned(), rate.map(amount))))
    }

    /// Defect 16 of the predecessor: a missing rate was taken for 1.0 and judged as fine.
    #[test]
    fn what_is_missing_is_no_rate_and_the_first_of_two_does_not_win() {
        let rates = rates(&[
            ("EC_NG", Some("1650.00")),
            ("EC_NG", Some("1650")),
            ("JD_UG", None),
            ("JD_DZ", Some("134.5")),
            ("JD_DZ", Some("134.9")),
            ("EC_KE", Some("0.00")),
            ("JM_EG", Some("48.9")),
            ("JM_EG", None),
        ]);
        assert_eq!(rates.of("EC_NG"), &Rate::One(amount("1650.00")));
        assert_eq!(rates.of("JD_UG"), &Rate::Missing);
        assert_eq!(rates.of("HF_SN"), &Rate::Missing);
        assert_eq!(
            rates.of("JD_DZ"),
            &Rate::Ambiguous(vec![amount("134.5"), amount("134.9")])
        );
        assert_eq!(rates.of("EC_KE"), &Rate::NotPositive(amount("0.00")));
        assert_eq!(rates.of("JM_EG"), &Rate::Ambiguous(vec![amount("48.9")]));
        for company in ["JD_UG", "HF_SN", "JD_DZ", "EC_KE", "JM_EG"] {
            assert_eq!(rates.of(company).one(), None, "{company}");
        }
    }

    #[test]
    fn companies_of_one_currency_have_one_rate() {
        let currencies = [("EC_IC", "XOF"), ("HF_SN", "XOF"), ("EC_NG", "NGN")];
        let same = rates(&[
            ("EC_IC", Some("600")),
            ("HF_SN", Some("600.0")),
            ("EC_NG", Some("1650")),
        ]);
        assert!(same.unequal(currencies.into_iter()).is_empty());
        let other = rates(&[
            ("EC_IC", Some("600")),
            ("HF_SN", Some("601")),
            ("EC_NG", Some("1650")),
        ]);
        let found = other.unequal(currencies.into_iter());
        assert_eq!(found.keys().collect::<Vec<_>>(), [&"XOF"]);
    }
}
