//! A row on its way to its partition: the few bytes that matching needs, in one layout.
//!
//! Little endian, the key last. Only the process that wrote a record reads it, so the layout has no version.

use crate::domain::matching::{RowPlace, Side};

/// A row has no amount.
const AMOUNT_MISSING: u8 = 1;
/// A row has no company or no GL.
const NO_SCOPE: u8 = 2;
/// A row is of the target.
const TARGET: u8 = 4;

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
    /// Bytes without the key.
    pub(super) const HEAD: usize = 16 + 4 + 4 + 4 + 4 + 1 + 2;

    /// Appends it. The key has at most 65,535 bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.amount.is_none(), AMOUNT_MISSING)
            | flag(!self.scoped, NO_SCOPE)
            | flag(self.side == Side::Target, TARGET);
        let length = u16::try_from(self.key.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&self.amount.unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&self.place.part.to_le_bytes());
        out.extend_from_slice(&self.place.row.to_le_bytes());
        out.extend_from_slice(&self.scope.to_le_bytes());
        out.extend_from_slice(&self.day.to_le_bytes());
        out.push(flags);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.key);
    }

    /// Takes the first record off the bytes; `None` when there is no whole one.
    pub(super) fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let (amount, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_first_chunk()?;
        let (row, rest) = rest.split_first_chunk()?;
        let (scope, rest) = rest.split_first_chunk()?;
        let (day, rest) = rest.split_first_chunk()?;
        let ([flags], rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        *bytes = rest;
        let side = if flags & TARGET == 0 {
            Side::Actual
        } else {
            Side::Target
        };
        Some(Self {
            side,
            amount: (flags & AMOUNT_MISSING == 0).then_some(i128::from_le_bytes(*amount)),
            place: RowPlace {
                part: u32::from_le_bytes(*part),
                row: u32::from_le_bytes(*row),
            },
            scope: u32::from_le_bytes(*scope),
            scoped: flags & NO_SCOPE == 0,
            day: i32::from_le_bytes(*day),
            key,
        })
    }

    /// Whether rows of the other side can belong to it.
    pub(super) fn is_matchable(&self) -> bool {
        self.scoped && !self.key.is_empty()
    }
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
            prop_assert_eq!(bytes.len(), Record::HEAD + key.len());
            record.write(&mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(Record::read(&mut rest), Some(record));
            prop_assert_eq!(Record::read(&mut rest), Some(record));
            prop_assert!(rest.is_empty());
            let mut cut = bytes.get(1..Record::HEAD + key.len()).unwrap();
            prop_assert!(Record::read(&mut cut).is_none() || key.len() > 0);
        }
    }
}
