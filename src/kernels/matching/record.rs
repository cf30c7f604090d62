//! A row on its way to its partition, in few bytes: where disks are kept in memory, what waits there is memory too.
//!
//! A head of one length, the amount without its leading zeros, the key; little endian. Only the process that wrote a record
//! reads it, so the layout has no version.

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
    /// Flags and length of the amount, part, row, company and GL, day, length of the key.
    const HEAD: usize = 1 + 4 + 4 + 4 + 4 + 2;
    /// Most bytes without the key.
    pub(super) const BYTES_MAX: usize = Self::HEAD + 16;

    /// Appends it. The key has at most 65,535 bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.amount.is_none(), AMOUNT_MISSING)
            | flag(!self.scoped, NO_SCOPE)
            | flag(self.side == Side::Target, TARGET);
        let amount = zigzag(self.amount.unwrap_or(0));
        let bytes = (u128::BITS - amount.leading_zeros()).div_ceil(u8::BITS);
        out.push(flags | u8::try_from(bytes << FLAG_BITS).unwrap_or_default());
        out.extend_from_slice(&self.place.part.to_le_bytes());
        out.extend_from_slice(&self.place.row.to_le_bytes());
        out.extend_from_slice(&self.scope.to_le_bytes());
        out.extend_from_slice(&self.day.to_le_bytes());
        let length = u16::try_from(self.key.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        let amount = amount.to_le_bytes();
        let bytes = usize::try_from(bytes).unwrap_or_default();
        out.extend_from_slice(amount.get(..bytes).unwrap_or(&amount));
        out.extend_from_slice(self.key);
    }

    /// Takes the first record off the bytes; `None` when there is no whole one.
    pub(super) fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let (part, rest) = rest.split_first_chunk()?;
        let (row, rest) = rest.split_first_chunk()?;
        let (scope, rest) = rest.split_first_chunk()?;
        let (day, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (amount, rest) = rest.split_at_checked(usize::from(first >> FLAG_BITS))?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        *bytes = rest;
        let mut units = [0; 16];
        units.get_mut(..amount.len())?.copy_from_slice(amount);
        let amount = unzigzag(u128::from_le_bytes(units));
        let side = if first & TARGET == 0 {
            Side::Actual
        } else {
            Side::Target
        };
        Some(Self {
            side,
            amount: (first & AMOUNT_MISSING == 0).then_some(amount),
            place: RowPlace {
                part: u32::from_le_bytes(*part),
                row: u32::from_le_bytes(*row),
            },
            scope: u32::from_le_bytes(*scope),
            scoped: first & NO_SCOPE == 0,
            day: i32::from_le_bytes(*day),
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
            prop_assert!(length <= Record::BYTES_MAX + key.len());
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
    fn an_amount_takes_as_many_bytes_as_it_needs() {
        for (amount, length) in [
            (0, 0),
            (-128, 1),
            (128, 2),
            (-12_345_678 * 10_i128.pow(18), 11),
            (i128::MAX, 16),
            (i128::MIN, 16),
        ] {
            let record = Record {
                side: Side::Target,
                amount: Some(amount),
                place: RowPlace { part: 0, row: 1 },
                scope: 0,
                scoped: true,
                day: NO_DATE,
                key: b"K",
            };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            assert_eq!(bytes.len(), Record::HEAD + length + 1, "{amount}");
            assert_eq!(Record::read(&mut bytes.as_slice()), Some(record));
        }
    }
}
