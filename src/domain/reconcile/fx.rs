//! Closing rates: one for a company, or a reason why there is none. No rate is ever assumed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::result::{Code, ReconcileFinding};
use super::wide::{moves_more, same};
use crate::domain::amount::Amount;

/// The currency of thresholds.
const DOLLAR: &str = "USD";
/// Share of last month's rate from which a move is said on page one.
const MOVE_PER_CENT: u8 = 20;

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
    /// 1 for a currency that is not the dollar, or another rate for the dollar.
    Unfit(Amount),
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

    /// What the rates are for companies of these currencies: a company that keeps its books in dollars has the rate 1,
    /// which is a fact and no default, and nobody else has.
    ///
    /// # Shape
    /// `currencies`: company and its currency.
    #[must_use]
    pub fn fit<'a>(&self, currencies: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let one = Amount::new(1, 0).unwrap_or(Amount::zero(0));
        let fitted = currencies.map(|(company, currency)| {
            let rate = match self.of(company) {
                Rate::Missing if currency == DOLLAR => Rate::One(one),
                Rate::One(rate) if same(*rate, one) != (currency == DOLLAR) => Rate::Unfit(*rate),
                rate => rate.clone(),
            };
            (company.to_owned(), rate)
        });
        Self(fitted.collect())
    }

    /// Companies for which another source says another rate.
    ///
    /// # Shape
    /// `others`: company, and every rate that the other source has of its currency; `source` names it.
    #[must_use]
    pub fn differing(
        &self,
        source: &str,
        others: &BTreeMap<String, Vec<Amount>>,
    ) -> Vec<ReconcileFinding> {
        let mut found = Vec::new();
        for (company, others) in others {
            let Rate::One(rate) = self.of(company) else {
                continue;
            };
            let different: Vec<String> = others
                .iter()
                .filter(|other| !same(**other, *rate))
                .map(|other| plain(*other))
                .collect();
            if !different.is_empty() {
                found.push(ReconcileFinding {
                    code: Code::FxDiffers,
                    place: company.clone(),
                    what: format!(
                        "the closing rate is {}, and {source} says {}",
                        plain(*rate),
                        different.join(" and ")
                    ),
                });
            }
        }
        found
    }

    /// Companies whose rate is far from last month's: a warning.
    #[must_use]
    pub fn moved(&self, last: &Self) -> Vec<ReconcileFinding> {
        let mut found = Vec::new();
        for (company, rate) in &self.0 {
            let (Rate::One(new), Rate::One(old)) = (rate, last.of(company)) else {
                continue;
            };
            if moves_more(*new, *old, MOVE_PER_CENT) {
                let (new, old) = (plain(*new), plain(*old));
                found.push(ReconcileFinding {
                    code: Code::FxMoved,
                    place: company.clone(),
                    what: format!(
                        "the closing rate is {new} and was {old} last month, more than {MOVE_PER_CENT} per cent away"
                    ),
                });
            }
        }
        found
    }

    /// The rates as they stand in a result.
    #[must_use]
    pub fn known(rates: &BTreeMap<String, Rate>) -> Self {
        Self(rates.clone())
    }

    /// Every company that has a row, or was asked for, with its rate.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, Rate> {
        &self.0
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

    /// Why there is no rate, in words.
    #[must_use]
    pub fn problem(&self) -> Option<(Code, String)> {
        Some(match self {
            Self::One(_) => return None,
            Self::Missing => (Code::FxMissing, "no closing rate".to_owned()),
            Self::Ambiguous(rates) => {
                let rates: Vec<String> = rates.iter().copied().map(plain).collect();
                let what = format!(
                    "several rows with rates {}; none is taken",
                    rates.join(" and ")
                );
                (Code::FxAmbiguous, what)
            }
            Self::NotPositive(rate) => (
                Code::FxNotPositive,
                format!("a closing rate of {}", plain(*rate)),
            ),
            Self::Unfit(rate) => (
                Code::FxUnfit,
                format!(
                    "a closing rate of {}: 1 is the dollar's, and only the dollar's",
                    plain(*rate)
                ),
            ),
        })
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

    /// Defect 16 of the predecessor: 600 francs were 600 dollars, and fine.
    #[test]
    fn one_is_the_rate_of_the_dollar_and_of_nothing_else() {
        let rates = rates(&[
            ("HF_SN", Some("1.00")),
            ("NG_USD", Some("1.0")),
            ("KE_USD", Some("130")),
        ]);
        let currencies = [
            ("HF_SN", "XOF"),
            ("NG_USD", "USD"),
            ("KE_USD", "USD"),
            ("EG_USD", "USD"),
            ("EC_IC", "XOF"),
        ];
        let fitted = rates.fit(currencies.into_iter());
        assert_eq!(fitted.of("HF_SN"), &Rate::Unfit(amount("1.00")));
        assert_eq!(fitted.of("NG_USD"), &Rate::One(amount("1.0")));
        assert_eq!(fitted.of("KE_USD"), &Rate::Unfit(amount("130")));
        assert_eq!(fitted.of("EG_USD"), &Rate::One(amount("1")));
        assert_eq!(fitted.of("EC_IC"), &Rate::Missing);
        let problem = fitted.of("HF_SN").problem().unwrap();
        assert_eq!(problem.0, Code::FxUnfit);
        assert_eq!(fitted.of("NG_USD").problem(), None);
    }

    #[test]
    fn another_source_and_last_month_are_compared() {
        let now = rates(&[
            ("EC_NG", Some("1650")),
            ("EC_KE", Some("130")),
            ("JD_UG", None),
        ]);
        let others = BTreeMap::from([
            (
                "EC_NG".to_owned(),
                vec![amount("1650.00"), amount("1649.5")],
            ),
            ("EC_KE".to_owned(), vec![amount("130.0")]),
            ("JD_UG".to_owned(), vec![amount("3800")]),
        ]);
        let found = now.differing("CR_04", &others);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].code, found[0].place.as_str()),
            (Code::FxDiffers, "EC_NG")
        );
        assert_eq!(
            found[0].what,
            "the closing rate is 1650, and CR_04 says 1649.5"
        );
        let last = rates(&[
            ("EC_NG", Some("1300")),
            ("EC_KE", Some("125")),
            ("JD_UG", Some("3800")),
        ]);
        let moved = now.moved(&last);
        assert_eq!(moved.len(), 1);
        assert_eq!(
            (moved[0].code, moved[0].place.as_str()),
            (Code::FxMoved, "EC_NG")
        );
        assert!(Code::FxMoved.is_warning() && !Code::FxDiffers.is_warning());
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
