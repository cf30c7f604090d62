//! Single values of the driver into the integers that Arrow carries.
//!
//! Pure functions; what cannot be exact is a [`CellError`], never an approximation.

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_FROM_YEAR_1: i64 = 719_162;
/// Days from 1900-01-01 to 1970-01-01.
const EPOCH_FROM_1900: i64 = 25_567;
/// Last day of year 9999, in days from 0001-01-01.
const LAST_DAY: i64 = 3_652_058;
/// Days of `datetime`, 1753-01-01 to 9999-12-31, from 1900-01-01.
const DATETIME_DAYS: std::ops::RangeInclusive<i32> = -53_690..=2_958_463;
/// Ticks of 1/300 s in a day.
const DAY_TICKS: u32 = 25_920_000;
/// Minutes in a day.
const DAY_MINUTES: u16 = 1_440;
/// Microseconds in a day.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;
/// 2^51 units of 1/10000: up to there `round` gives back the money that the driver turned into a float.
const MONEY_UNITS_MAX: f64 = 2_251_799_813_685_248.0;

/// Why a cell cannot be carried.
#[derive(Debug)]
pub(super) enum CellError {
    Contradiction,
    Scale { announced: u8, found: u8 },
    Money,
    CodePage,
    Range,
    Impossible,
}

/// The unscaled number of a decimal that has the described scale and no more digits than described.
pub(super) fn exact(
    value: Option<tiberius::numeric::Numeric>,
    precision: u8,
    scale: u8,
) -> Result<Option<i128>, CellError> {
    let top = 10_u128.saturating_pow(u32::from(precision));
    match value {
        Some(number) if number.scale() != scale => Err(CellError::Scale {
            announced: scale,
            found: number.scale(),
        }),
        Some(number) if number.value().unsigned_abs() >= top => Err(CellError::Impossible),
        other => Ok(other.map(|number| number.value())),
    }
}

/// Money arrives as a float of currency units; rounding gives back its units exactly up to 2^51. It has no more digits
/// than described.
#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the driver decodes money to f64; within 2^51 units the rounding is exact, beyond it is refused"
)]
pub(super) fn money(value: f64, precision: u8) -> Result<i128, CellError> {
    let units = (value * 10_000.0).round();
    let exact = units.abs() <= MONEY_UNITS_MAX;
    let units = exact.then_some(units as i128).ok_or(CellError::Money)?;
    if units.unsigned_abs() < 10_u128.saturating_pow(u32::from(precision)) {
        Ok(units)
    } else {
        Err(CellError::Impossible)
    }
}

pub(super) fn date(value: tiberius::time::Date) -> Result<i32, CellError> {
    let days = i64::from(value.days());
    let known = days <= LAST_DAY;
    let days = known.then_some(days - EPOCH_FROM_YEAR_1);
    days.and_then(|days| i32::try_from(days).ok())
        .ok_or(CellError::Impossible)
}

/// Ticks of 1/300 s as SQL Server shows them: rounded to .000, .003 or .007.
pub(super) fn datetime(value: tiberius::time::DateTime) -> Result<i64, CellError> {
    if !DATETIME_DAYS.contains(&value.days()) || value.seconds_fragments() >= DAY_TICKS {
        return Err(CellError::Impossible);
    }
    let days = i64::from(value.days()) - EPOCH_FROM_1900;
    let millis = (i64::from(value.seconds_fragments()) * 10 + 1) / 3;
    Ok(days * DAY_MICROS + millis * 1_000)
}

pub(super) fn small_datetime(value: tiberius::time::SmallDateTime) -> Result<i64, CellError> {
    if value.seconds_fragments() >= DAY_MINUTES {
        return Err(CellError::Impossible);
    }
    let days = i64::from(value.days()) - EPOCH_FROM_1900;
    Ok(days * DAY_MICROS + i64::from(value.seconds_fragments()) * 60_000_000)
}

/// Microseconds since midnight; the seventh digit is cut, never rounded.
pub(super) fn time_micros(value: tiberius::time::Time) -> Result<i64, CellError> {
    let increments = i64::try_from(value.increments()).map_err(|_| CellError::Impossible)?;
    let micros = match value.scale() {
        scale @ 0..=6 => increments.checked_mul(10_i64.pow(u32::from(6 - scale))),
        7 => Some(increments / 10),
        _ => None,
    };
    micros
        .filter(|micros| *micros < DAY_MICROS)
        .ok_or(CellError::Impossible)
}

/// Ticks of 100 ns that [`time_micros`] cuts.
pub(super) fn ticks_cut(value: tiberius::time::Time) -> u8 {
    match value.scale() {
        0..=6 => 0,
        _ => u8::try_from(value.increments() % 10).unwrap_or_default(),
    }
}

pub(super) fn datetime2(value: tiberius::time::DateTime2) -> Result<i64, CellError> {
    let day = i64::from(date(value.date())?);
    Ok(day * DAY_MICROS + time_micros(value.time())?)
}

/// The wire carries UTC; the offset is only how the value is shown.
pub(super) fn offset(value: tiberius::time::DateTimeOffset) -> Result<i64, CellError> {
    let days = i64::from(value.datetime2().date().days());
    if (0..=LAST_DAY).contains(&days) {
        datetime2(value.datetime2())
    } else {
        Err(CellError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime, DateTime2, SmallDateTime, Time};

    #[test]
    fn datetime_ticks_show_as_sql_server_shows_them() {
        let micros = |ticks| datetime(DateTime::new(25_567, ticks)).unwrap();
        assert_eq!(
            [0, 1, 2, 3, 300].map(micros),
            [0, 3_000, 7_000, 10_000, 1_000_000]
        );
        assert_eq!(micros(300 * 86_400 - 1), DAY_MICROS - 3_000);
        assert_eq!(
            datetime(DateTime::new(-53_690, 0)).unwrap(),
            -6_847_804_800_000_000,
            "1753-01-01"
        );
        assert_eq!(
            small_datetime(SmallDateTime::new(25_567, 61)).unwrap(),
            3_660_000_000
        );
    }

    #[test]
    fn the_seventh_digit_is_cut_not_rounded() {
        assert_eq!(
            time_micros(Time::new(863_999_999_999, 7)).unwrap(),
            DAY_MICROS - 1
        );
        assert_eq!(time_micros(Time::new(5, 0)).unwrap(), 5_000_000);
        assert_eq!(ticks_cut(Time::new(863_999_999_999, 7)), 9);
        assert_eq!(ticks_cut(Time::new(863_999_999_990, 7)), 0);
        assert_eq!(ticks_cut(Time::new(86_399_999_999, 6)), 0);
        let last = DateTime2::new(Date::new(3_652_058), Time::new(863_999_999_999, 7));
        assert_eq!(
            datetime2(last).unwrap(),
            253_402_300_799_999_999,
            "9999-12-31 23:59:59.999999"
        );
        assert_eq!(
            datetime2(DateTime2::new(Date::new(0), Time::new(0, 7))).unwrap(),
            -62_135_596_800_000_000
        );
    }

    /// Flipped bits make such values: some overflow an i64, others would pass for another date.
    #[test]
    fn what_sql_server_cannot_hold_is_refused() {
        let impossible = [
            datetime(DateTime::new(i32::MAX, 0)),
            datetime(DateTime::new(-53_691, 0)),
            datetime(DateTime::new(0, DAY_TICKS)),
            small_datetime(SmallDateTime::new(0, DAY_MINUTES)),
            time_micros(Time::new(86_400, 0)),
            time_micros(Time::new(1 << 39, 0)),
            time_micros(Time::new(1, 8)),
            datetime2(DateTime2::new(Date::new(3_652_059), Time::new(0, 7))),
            date(Date::new(3_652_059)).map(i64::from),
            exact(Some(Numeric::new_with_scale(1_000, 2)), 3, 2)
                .map(|value| i64::try_from(value.unwrap()).unwrap()),
        ];
        for (at, value) in impossible.into_iter().enumerate() {
            assert!(matches!(value, Err(CellError::Impossible)), "{at}");
        }
        let top = exact(Some(Numeric::new_with_scale(-999, 2)), 3, 2);
        assert_eq!(top.unwrap(), Some(-999));
    }

    #[test]
    fn money_is_exact_or_refused() {
        for units in [
            0_i128,
            1,
            -1,
            15_000,
            2_251_799_813_685_247,
            -2_251_799_813_685_247,
        ] {
            // As the driver computes it: units divided by 10,000 in f64.
            #[expect(clippy::as_conversions, reason = "as the driver does")]
            let float = units as f64 / 1e4;
            let back = money(float, 19);
            assert!(matches!(back, Ok(back) if back == units), "{units}");
        }
        assert!(matches!(
            money(225_179_981_368_525.0, 19),
            Err(CellError::Money)
        ));
        assert!(matches!(money(f64::NAN, 19), Err(CellError::Money)));
        assert!(matches!(money(-0.9999, 4), Ok(-9_999)));
        assert!(matches!(money(1.0, 4), Err(CellError::Impossible)));
    }
}
