//! Exact decimal amounts: an `i128` and a scale, never a float.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// First magnitude that SQL Server's 38 digits cannot hold.
const UNITS_END: u128 = 10_u128.pow(38);

/// An exact decimal amount, `units × 10^-scale`, of at most 38 digits.
///
/// # Units
/// `units` counts the smallest step of the scale: 1.50 with scale 2 is 150 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    units: i128,
    scale: u8,
}

/// Why an amount could not be made or added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a plain decimal number.
    #[error("`{0}` is not a decimal number")]
    NotADecimal(String),
    /// More than 38 digits.
    #[error("the amount leaves the 38 digits of decimal(38,{scale})")]
    Overflow {
        /// Scale of the amount.
        scale: u8,
    },
    /// Two scales were mixed.
    #[error("amounts of scale {left} and {right} cannot be added; rescale one first")]
    ScaleMismatch {
        /// Scale on the left.
        left: u8,
        /// Scale on the right.
        right: u8,
    },
}

impl Amount {
    /// Makes an amount.
    ///
    /// # Errors
    /// [`AmountError::Overflow`] beyond 38 digits or a scale above 38.
    pub fn new(units: i128, scale: u8) -> Result<Self, AmountError> {
        if units.unsigned_abs() >= UNITS_END || scale > 38 {
            return Err(AmountError::Overflow { scale });
        }
        Ok(Self { units, scale })
    }

    /// Zero of a scale of at most 38.
    #[must_use]
    pub fn zero(scale: u8) -> Self {
        Self {
            units: 0,
            scale: scale.min(38),
        }
    }

    /// Count of smallest steps.
    #[must_use]
    pub fn units(self) -> i128 {
        self.units
    }

    /// Fraction digits.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// Adds an amount of the same scale.
    ///
    /// # Errors
    /// [`AmountError::Overflow`] beyond 38 digits, [`AmountError::ScaleMismatch`] for another scale.
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        if self.scale != other.scale {
            return Err(AmountError::ScaleMismatch {
                left: self.scale,
                right: other.scale,
            });
        }
        let overflow = AmountError::Overflow { scale: self.scale };
        Self::new(
            self.units.checked_add(other.units).ok_or(overflow)?,
            self.scale,
        )
    }

    /// The same value with more fraction digits.
    ///
    /// # Errors
    /// [`AmountError::Overflow`] beyond 38 digits; [`AmountError::ScaleMismatch`] if digits would be lost.
    pub fn rescale(self, scale: u8) -> Result<Self, AmountError> {
        let overflow = AmountError::Overflow { scale };
        let Some(digits) = scale.checked_sub(self.scale) else {
            return Err(AmountError::ScaleMismatch {
                left: self.scale,
                right: scale,
            });
        };
        let factor = 10_i128
            .checked_pow(u32::from(digits))
            .ok_or(overflow.clone())?;
        Self::new(self.units.checked_mul(factor).ok_or(overflow)?, scale)
    }
}

impl PartialOrd for Amount {
    /// Amounts of two scales have no order here: rescale one first.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.scale == other.scale).then(|| self.units.cmp(&other.units))
    }
}

impl fmt::Display for Amount {
    /// Exactly `scale` fraction digits, a zero before the point, a minus only below zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = self.units.unsigned_abs().to_string();
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let scale = usize::from(self.scale);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads `-12.340`: the fraction digits written are the scale. No exponent, no separators, no plus sign.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let refuse = || AmountError::NotADecimal(text.to_owned());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let dangling = digits.ends_with('.') || whole.is_empty();
        if dangling || !plain(whole) || !plain(fraction) {
            return Err(refuse());
        }
        let scale = u8::try_from(fraction.len()).map_err(|_| refuse())?;
        let overflow = || AmountError::Overflow { scale };
        let units: i128 = format!("{whole}{fraction}")
            .parse()
            .map_err(|_| overflow())?;
        Self::new(if negative { -units } else { units }, scale)
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_form_is_canonical() {
        for (units, scale, text) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (-5, 1, "-0.5"),
            (-150, 2, "-1.50"),
            (1, 20, "0.00000000000000000001"),
        ] {
            assert_eq!(Amount::new(units, scale).unwrap().to_string(), text);
        }
    }

    #[test]
    fn sums_stop_at_38_digits() {
        let top = Amount::new(10_i128.pow(38) - 1, 20).unwrap();
        let step = Amount::new(1, 20).unwrap();
        assert_eq!(
            top.checked_add(step),
            Err(AmountError::Overflow { scale: 20 })
        );
        assert!(top.checked_add(Amount::zero(20)).is_ok());
    }

    #[test]
    fn scales_are_never_mixed_in_silence() {
        let cents = Amount::new(150, 2).unwrap();
        assert!(cents.checked_add(Amount::zero(4)).is_err());
        assert_eq!(cents.rescale(4).unwrap().to_string(), "1.5000");
        assert!(cents.rescale(1).is_err());
    }

    #[test]
    fn other_number_texts_are_refused() {
        for bad in [
            "", "-", "1.", ".5", "+1", "1e3", "1,000", " 1", "--1", "NaN",
        ] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reads_back(units in -(10_i128.pow(38) - 1)..10_i128.pow(38), scale in 0_u8..=38) {
            let amount = Amount::new(units, scale).unwrap();
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
        }
    }
}
