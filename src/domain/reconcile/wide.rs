//! Exact arithmetic beyond 38 digits, where an amount meets a rate: comparison without division, and dollars as fractions
//! that are rounded once, when they are shown.

use num_bigint::BigInt;

use crate::domain::amount::Amount;

/// Fraction digits of dollars as they are shown.
const SHOWN_SCALE: u8 = 2;

/// Fraction digits of per cent.
const PER_CENT_SCALE: u8 = 6;

fn ten(power: u8) -> BigInt {
    BigInt::from(10).pow(u32::from(power))
}

/// Whether an amount reaches a threshold in US dollars: |amount| ≥ threshold × rate. Equality reaches it.
///
/// # Units
/// `amount` in local currency, `rate` in local currency per dollar.
#[must_use]
pub fn reaches(amount: Amount, threshold: Amount, rate: Amount) -> bool {
    let left =
        BigInt::from(amount.units().unsigned_abs()) * ten(threshold.scale()) * ten(rate.scale());
    let right = BigInt::from(threshold.units()) * BigInt::from(rate.units()) * ten(amount.scale());
    left >= right
}

/// Whether two positive rates differ by more than a share of the old one.
#[must_use]
pub fn moves_more(new: Amount, old: Amount, per_cent: u8) -> bool {
    let new_units = BigInt::from(new.units()) * ten(old.scale());
    let old_units = BigInt::from(old.units()) * ten(new.scale());
    let moved = BigInt::from((&new_units - &old_units).magnitude().clone());
    moved * BigInt::from(100) > old_units * BigInt::from(per_cent)
}

/// Whether two amounts are the same number, whatever their scales.
#[must_use]
pub fn same(left: Amount, right: Amount) -> bool {
    BigInt::from(left.units()) * ten(right.scale())
        == BigInt::from(right.units()) * ten(left.scale())
}

/// A part in per cent of a whole, with six digits, half away from zero; `None` of nothing, and beyond 38 digits.
#[must_use]
pub fn per_cent(part: Amount, whole: Amount) -> Option<Amount> {
    if whole.units() == 0 {
        return None;
    }
    let size = |amount: Amount| BigInt::from(amount.units().unsigned_abs());
    // Two of the power make per cent of the quotient.
    let over = size(part) * ten(whole.scale()) * ten(PER_CENT_SCALE + 2);
    let under = size(whole) * ten(part.scale());
    let two = BigInt::from(2);
    let units = i128::try_from((over * &two + &under) / (under * two)).ok()?;
    let is_negative = (part.units() < 0) != (whole.units() < 0);
    Amount::new(if is_negative { -units } else { units }, PER_CENT_SCALE).ok()
}

/// An exact number of US dollars, as a fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dollars {
    over: BigInt,
    /// Never zero, never negative.
    under: BigInt,
}

impl Default for Dollars {
    fn default() -> Self {
        Self {
            over: BigInt::ZERO,
            under: BigInt::from(1),
        }
    }
}

impl Dollars {
    /// An amount in local currency at a rate; `None` for a rate that is not above zero.
    #[must_use]
    pub fn of(amount: Amount, rate: Amount) -> Option<Self> {
        (rate.units() > 0).then(|| Self {
            over: BigInt::from(amount.units()) * ten(rate.scale()),
            under: BigInt::from(rate.units()) * ten(amount.scale()),
        })
    }

    /// Adds without rounding.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Self {
            over: &self.over * &other.under + &other.over * &self.under,
            under: &self.under * &other.under,
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        Self {
            over: BigInt::from(self.over.magnitude().clone()),
            under: self.under.clone(),
        }
    }

    /// With two digits, half away from zero; `None` beyond 38 digits.
    #[must_use]
    pub fn shown(&self) -> Option<Amount> {
        let two = BigInt::from(2);
        let hundredths = BigInt::from(self.over.magnitude().clone()) * ten(SHOWN_SCALE);
        let rounded = (hundredths * &two + &self.under) / (&self.under * two);
        let units = i128::try_from(rounded).ok()?;
        let is_negative = self.over < BigInt::ZERO;
        Amount::new(if is_negative { -units } else { units }, SHOWN_SCALE).ok()
    }

    /// Whether the number without its sign is at least `threshold`.
    #[must_use]
    pub fn reaches(&self, threshold: Amount) -> bool {
        let left = BigInt::from(self.over.magnitude().clone()) * ten(threshold.scale());
        left >= BigInt::from(threshold.units()) * &self.under
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn dollars(lcy: &str, rate: &str) -> String {
        let dollars = Dollars::of(amount(lcy), amount(rate)).unwrap();
        dollars.shown().unwrap().to_string()
    }

    /// The worked numbers of the control's description.
    #[test]
    fn dollars_are_rounded_half_away_from_zero() {
        for (lcy, rate, shown) in [
            ("1550", "15.5", "100.00"),
            ("400", "4", "100.00"),
            ("1650000.00", "1650", "1000.00"),
            ("1485000", "1650", "900.00"),
            ("165000", "1650", "100.00"),
            ("24450", "48.9", "500.00"),
            ("5000", "1650", "3.03"),
            ("60000.00", "48.9", "1226.99"),
            ("-20000.00", "13.5", "-1481.48"),
            ("1000000", "600", "1666.67"),
            ("0.005", "1", "0.01"),
            ("-0.005", "1", "-0.01"),
            ("129999.99", "130", "1000.00"),
        ] {
            assert_eq!(dollars(lcy, rate), shown, "{lcy} at {rate}");
        }
        assert_eq!(Dollars::of(amount("1"), amount("0")), None);
        assert_eq!(Dollars::of(amount("1"), amount("-1650")), None);
    }

    #[test]
    fn equality_reaches_and_a_last_digit_below_does_not() {
        let is_reached = |lcy, usd, rate| reaches(amount(lcy), amount(usd), amount(rate));
        assert!(is_reached("1650000.00", "1000", "1650"));
        assert!(is_reached("-1650000.00", "1000.00", "1650.000"));
        assert!(!is_reached("1649999.99999999999999999999", "1000", "1650"));
        assert!(
            !is_reached("129999.99", "1000", "130"),
            "999.9999 dollars, shown as 1000.00"
        );
        assert!(is_reached("50000", "1000", "50"));
        let widest = Amount::new(10_i128.pow(38) - 1, 0).unwrap();
        let finest = Amount::new(10_i128.pow(38) - 1, 38).unwrap();
        assert!(reaches(widest, finest, finest) && !reaches(finest, widest, widest));
    }

    #[test]
    fn sums_are_of_unrounded_values() {
        let third = Dollars::of(amount("1"), amount("3")).unwrap();
        let sum = third.add(&third).add(&third);
        assert_eq!(sum.shown().unwrap().to_string(), "1.00");
        assert!(sum.reaches(amount("1")) && !sum.reaches(amount("1.00000000000000000001")));
    }

    #[test]
    fn a_rate_moves_by_more_than_its_share_or_not() {
        let moves = |new, old| moves_more(amount(new), amount(old), 20);
        assert!(!moves("120.00", "100") && !moves("80", "100.0"));
        assert!(moves("120.00000000000000000001", "100") && moves("79.99", "100"));
        assert!(same(amount("1.00"), amount("1")) && !same(amount("1.01"), amount("1")));
    }

    #[test]
    fn a_part_of_nothing_is_no_per_cent_and_the_rest_is_rounded_once() {
        let shown = |part, whole| per_cent(amount(part), amount(whole)).map(|one| one.to_string());
        for (part, whole, wanted) in [
            ("1", "3", "33.333333"),
            ("-2.00", "3", "-66.666667"),
            ("1", "-8", "-12.500000"),
            ("-1", "-4.0", "25.000000"),
            ("0", "7", "0.000000"),
            ("0.000000005", "1", "0.000001"),
            (
                "1650000.00",
                "12345678901234567.00000000000000000001",
                "0.000000",
            ),
        ] {
            assert_eq!(
                shown(part, whole).as_deref(),
                Some(wanted),
                "{part} of {whole}"
            );
        }
        assert_eq!(shown("1", "0.00"), None);
        assert_eq!(shown("9".repeat(38).as_str(), "0.01"), None);
    }

    proptest! {
        #[test]
        fn both_ways_to_a_threshold_agree(
            units in -(10_i128.pow(30))..10_i128.pow(30), usd in 0_i128..1_000_000, rate in 1_i128..10_000_000,
        ) {
            let (lcy, usd, rate) = (
                Amount::new(units, 20).unwrap(), Amount::new(usd, 2).unwrap(), Amount::new(rate, 4).unwrap(),
            );
            let dollars = Dollars::of(lcy, rate).unwrap();
            prop_assert_eq!(reaches(lcy, usd, rate), dollars.reaches(usd));
            prop_assert_eq!(dollars.abs().reaches(usd), dollars.reaches(usd));
        }
    }
}
