//! Dates and times between their Arrow carriers and the bytes of TDS.
//!
//! Pure. One tick is 100 ns; tick zero is 0001-01-01 00:00:00. Nothing here uses floating point.

/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_162;
/// Days from 0001-01-01 to 1900-01-01.
const DAYS_TO_1900: i64 = 693_595;
/// Days from 0001-01-01 to 1753-01-01, the first `datetime`.
const DAYS_TO_1753: i64 = 639_905;
/// Days from 0001-01-01 to 9999-12-31.
const DAY_MAX: i64 = 3_652_058;
/// Ticks of a day.
pub(super) const TICKS_DAY: i64 = 864_000_000_000;
/// Microseconds of a day.
const MICROS_DAY: i64 = 86_400_000_000;
/// `datetime` counts of 1/300 s in a day.
const CLOCK_DAY: i64 = 25_920_000;
/// `datetime` counts in a minute.
const CLOCK_MINUTE: i64 = 18_000;

/// Ticks in one unit of the last digit of `scale`.
pub(super) fn ticks_per_unit(scale: u8) -> i64 {
    match scale {
        0 => 10_000_000,
        1 => 1_000_000,
        2 => 100_000,
        3 => 10_000,
        4 => 1_000,
        5 => 100,
        6 => 10,
        _ => 1,
    }
}

/// Bytes of the time part on the wire.
pub(super) fn time_bytes(scale: u8) -> u8 {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}

/// Days since 0001-01-01 of a `Date32`, if SQL Server can hold the date.
pub(super) fn day_from_unix(days: i32) -> Option<i64> {
    let day = i64::from(days) + DAYS_TO_1970;
    (0..=DAY_MAX).contains(&day).then_some(day)
}

/// `Date32` of days since 0001-01-01.
pub(super) fn unix_from_day(day: i64) -> Option<i32> {
    i32::try_from(day - DAYS_TO_1970).ok()
}

/// Ticks of microseconds since 1970.
pub(super) fn ticks_from_micros(micros: i64) -> Option<i64> {
    micros
        .checked_mul(10)?
        .checked_add(DAYS_TO_1970 * TICKS_DAY)
}

/// Microseconds since 1970 of ticks that are whole microseconds.
pub(super) fn micros_from_ticks(ticks: i64) -> Option<i64> {
    (ticks % 10 == 0).then(|| ticks / 10 - DAYS_TO_1970 * MICROS_DAY)
}

/// Rounds to the scale as SQL Server does and checks years 1–9999.
pub(super) fn round_ticks(ticks: i64, scale: u8) -> Option<i64> {
    let unit = ticks_per_unit(scale);
    let rounded = if unit == 1 {
        ticks
    } else {
        (ticks + unit / 2).div_euclid(unit) * unit
    };
    (0..(DAY_MAX + 1) * TICKS_DAY)
        .contains(&rounded)
        .then_some(rounded)
}

/// Appends the units of a time of day.
pub(super) fn put_time(buf: &mut Vec<u8>, ticks_of_day: i64, scale: u8) {
    let [a, b, c, d, e, ..] = (ticks_of_day / ticks_per_unit(scale)).to_le_bytes();
    match time_bytes(scale) {
        3 => buf.extend_from_slice(&[a, b, c]),
        4 => buf.extend_from_slice(&[a, b, c, d]),
        _ => buf.extend_from_slice(&[a, b, c, d, e]),
    }
}

/// Appends the three bytes of a day number.
pub(super) fn put_day(buf: &mut Vec<u8>, day: i64) {
    let [a, b, c, ..] = day.to_le_bytes();
    buf.extend_from_slice(&[a, b, c]);
}

/// `datetime` of microseconds since 1970: days since 1900 and counts of 1/300 s, rounded.
pub(super) fn clock_from_micros(micros: i64) -> Option<(i32, u32)> {
    let total = clock_total(micros)?;
    let day = total.div_euclid(CLOCK_DAY);
    if !(DAYS_TO_1753 - DAYS_TO_1900..=DAY_MAX - DAYS_TO_1900).contains(&day) {
        return None;
    }
    Some((
        i32::try_from(day).ok()?,
        u32::try_from(total.rem_euclid(CLOCK_DAY)).ok()?,
    ))
}

/// `smalldatetime` of microseconds since 1970: days since 1900 and minutes, rounded.
pub(super) fn minutes_from_micros(micros: i64) -> Option<(u16, u16)> {
    let minutes = (clock_total(micros)? + CLOCK_MINUTE / 2).div_euclid(CLOCK_MINUTE);
    let day = u16::try_from(minutes.div_euclid(1440)).ok()?;
    Some((day, u16::try_from(minutes.rem_euclid(1440)).ok()?))
}

/// Counts of 1/300 s since 1900; the split keeps 9999-12-31 far from overflow.
fn clock_total(micros: i64) -> Option<i64> {
    let day = micros.div_euclid(MICROS_DAY) + DAYS_TO_1970 - DAYS_TO_1900;
    let clock = (micros.rem_euclid(MICROS_DAY) * 3 + 5_000) / 10_000;
    day.checked_mul(CLOCK_DAY)?.checked_add(clock)
}

/// Microseconds since 1970 of a `datetime`, rounded to the millisecond that SQL Server shows.
pub(super) fn micros_from_clock(days: i32, clock: u32) -> Option<i64> {
    let millis = (i64::from(clock) * 10 + 1) / 3;
    let day = i64::from(days) + DAYS_TO_1900 - DAYS_TO_1970;
    day.checked_mul(MICROS_DAY)?.checked_add(millis * 1_000)
}

/// Microseconds since 1970 of a `smalldatetime`.
pub(super) fn micros_from_minutes(days: u16, minutes: u16) -> i64 {
    (i64::from(days) + DAYS_TO_1900 - DAYS_TO_1970) * MICROS_DAY + i64::from(minutes) * 60_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetime_rounds_to_three_hundredths() {
        let clock = |millis: i64| clock_from_micros(millis * 1_000).unwrap().1;
        assert_eq!(
            (clock(0), clock(1), clock(2), clock(3), clock(997)),
            (0, 0, 1, 1, 299)
        );
        assert_eq!(clock(999), 300);
    }

    #[test]
    fn datetime_shows_0_3_7() {
        let millis = |clock| micros_from_clock(25_567, clock).unwrap() / 1_000;
        assert_eq!(
            [0, 1, 2, 3, 299, 300].map(millis),
            [0, 3, 7, 10, 997, 1_000]
        );
    }

    #[test]
    fn smalldatetime_rounds_at_thirty_seconds() {
        let minutes = |millis: i64| minutes_from_micros(millis * 1_000).unwrap().1;
        assert_eq!(
            (minutes(29_998), minutes(29_999), minutes(30_000)),
            (0, 1, 1)
        );
    }

    #[test]
    fn ranges_end_where_sql_server_ends() {
        // 1753-01-01 and the last microsecond before it.
        let first = (DAYS_TO_1753 - DAYS_TO_1970) * MICROS_DAY;
        assert_eq!(clock_from_micros(first), Some((-53_690, 0)));
        assert_eq!(clock_from_micros(first - 10_000), None);
        assert_eq!(round_ticks(-1, 7), None);
        assert!(round_ticks((DAY_MAX + 1) * TICKS_DAY - 1, 7).is_some());
        assert_eq!(round_ticks((DAY_MAX + 1) * TICKS_DAY - 1, 0), None);
        assert_eq!(day_from_unix(2_932_896), Some(DAY_MAX));
        assert_eq!(day_from_unix(2_932_897), None);
    }
}
