//! A row on its way to its partition, in as few bytes as it takes: where disks are kept in memory, what waits there is
//! memory too.
//!
//! A byte with flags and the length of the amount, the amount, five numbers of seven bits a byte, the key. Only the process
//! that wrote a record reads it, so the layout has no version.

use crate::domain::matching::{RowPlace, Side};

/// A row has no amount.
const AMOUNT_MISSING: u8 = 1;
/// A row has no company or no GL.
const NO_SCOPE: u8 = 2;
/// A row is of the target.
const TARGET: u8 = 4;
/// The flags; above them stands the number of bytes of the amount, 16 at most.
const FLAG_BITS: u32 = 3;

/// Day of a row without a date.
pub(super) const NO_DATE: i32 = i32::MIN;

/// One row.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Record<'a> {
    /// Its side.
    pub(super) side: Side,
    /// Units of the common scale in ledger sign; `None` is a missing amount.
    pub(super) amount: Option<i128>,
    /// Where it stands.
    pub(super) place: RowPlace,
    /// Number of its company and GL.
    pub(super) scope: u32,
    /// Whether both company and GL are there.
    pub(super) scoped: bool,
    /// Days since 1970, or [`NO_DATE`].
    pub(super) day: i32,
    /// Key in normal form; empty without one.
    pub(super) key: &'a [u8],
}

impl<'a> Record<'a> {
    /// Most bytes without the key.
    pub(super) const HEAD_MAX: usize = 1 + 16 + 5 * 5;

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.amount.is_none(), AMOUNT_MISSING)
            | flag(!self.scoped, NO_SCOPE)
            | flag(self.side == Side::Target, TARGET);
        let amount = zigzag(self.amount.unwrap_or(0));
        let bytes = (u128::BITS - amount.leading_zeros()).div_ceil(u8::BITS);
        out.push(flags | u8::try_from(bytes << FLAG_BITS).unwrap_or_default());
        let amount = amount.to_le_bytes().into_iter();
        out.extend(amount.take(usize::try_from(bytes).unwrap_or_default()));
        write_number(self.place.part, out);
        write_number(self.place.row, out);
        write_number(self.scope, out);
        // Days around 1970 are small numbers whatever their sign.
        write_number(
            (self.day.cast_unsigned() << 1) ^ (self.day >> 31).cast_unsigned(),
            out,
        );
        write_number(u32::try_from(self.key.len()).unwrap_or(u32::MAX), out);
        out.extend_from_slice(self.key);
    }

    /// Takes the first record off the bytes; `None` when there is no whole one.
    pub(super) fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let (first, mut rest) = bytes.split_first()?;
        let (amount, after) = rest.split_at_checked(usize::from(first >> FLAG_BITS))?;
        rest = after;
        let mut units = [0; 16];
        units.get_mut(..amount.len())?.copy_from_slice(amount);
        let place = RowPlace {
            part: read_number(&mut rest)?,
            row: read_number(&mut rest)?,
        };
        let scope = read_number(&mut rest)?;
        let day = read_number(&mut rest)?;
        let length = usize::try_from(read_number(&mut rest)?).ok()?;
        let (key, rest) = rest.split_at_checked(length)?;
        *bytes = rest;
        let side = if first & TARGET == 0 {
            Side::Actual
        } else {
            Side::Target
        };
        let amount = unzigzag(u128::from_le_bytes(units));
        Some(Self {
            side,
            amount: (first & AMOUNT_MISSING == 0).then_some(amount),
            place,
            scope,
            scoped: first & NO_SCOPE == 0,
            day: (day >> 1).cast_signed() ^ -(day & 1).cast_signed(),
            key,
        })
    }

    /// Whether rows of the other side can belong to it.
    pub(super) fn is_matchable(&self) -> bool {
        self.scoped && !self.key.is_empty()
    }
}

/// A small number for a small amount of either sign.
fn zigzag(amount: i128) -> u128 {
    (amount.cast_unsigned() << 1) ^ (amount >> 127).cast_unsigned()
}

fn unzigzag(number: u128) -> i128 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Seven bits a byte, lowest first; the highest bit says that there are more.
fn write_number(mut number: u32, out: &mut Vec<u8>) {
    while number > 0x7F {
        let [low, ..] = number.to_le_bytes();
        out.push(low | 0x80);
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    out.push(low);
}

fn read_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_back(
            amount in any::<Option<i128>>(),
            (part, row, scope, day) in any::<(u32, u32, u32, i32)>(),
            (scoped, target) in any::<(bool, bool)>(),
            key in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let record = Record {
                side: if target { Side::Target } else { Side::Actual },
                amount,
                place: RowPlace { part, row },
                scope,
                scoped,
                day,
                key: &key,
            };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            let length = bytes.len();
            prop_assert!(length <= Record::HEAD_MAX + key.len());
            record.write(&mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(Record::read(&mut rest), Some(record));
            prop_assert_eq!(Record::read(&mut rest), Some(record));
            prop_assert!(rest.is_empty());
            let mut cut = bytes.get(..length - 1).unwrap();
            prop_assert_eq!(Record::read(&mut cut), None);
        }
    }

    #[test]
    fn the_ends_of_all_numbers_read_back_and_small_ones_are_short() {
        let record = |amount, day, row| Record {
            side: Side::Target,
            amount: Some(amount),
            place: RowPlace { part: 0, row },
            scope: 0,
            scoped: true,
            day,
            key: b"K",
        };
        for (amount, day, row, length) in [
            (0, 0, 0, 7),
            (-1, -1, 127, 8),
            (i128::MAX, i32::MAX, u32::MAX, 31),
            (i128::MIN, NO_DATE, 128, 28),
            (-12_345_678 * 10_i128.pow(18), 19_843, 100_000, 22),
        ] {
            let (mut bytes, record) = (Vec::new(), record(amount, day, row));
            record.write(&mut bytes);
            assert_eq!(bytes.len(), length, "{amount} {day} {row}");
            assert_eq!(Record::read(&mut bytes.as_slice()), Some(record));
        }
    }
}
