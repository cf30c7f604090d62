//! What carrying a column changed about its values: counts, never the values.

use serde::{Deserialize, Serialize};

/// What decoding changed in one column.
///
/// # Units
/// Ticks are 100 ns, the seventh fraction digit of a second, of which microseconds have no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Values whose seventh digit was not zero and was cut.
    pub cut: u64,
    /// Sum of the ticks that were cut.
    pub ticks: u64,
    /// Most ticks cut from one value, at most 9.
    pub ticks_max: u8,
    /// Values with an offset other than +00:00: kept as the same instant in UTC, without the offset.
    pub offsets: u64,
}

impl Changes {
    /// Counts what is cut from one value; nothing for 0.
    pub fn see_ticks(&mut self, ticks: u8) {
        if ticks > 0 {
            self.cut += 1;
            self.ticks += u64::from(ticks);
            self.ticks_max = self.ticks_max.max(ticks);
        }
    }

    /// Counts the offset of one value; nothing for 0.
    pub fn see_offset(&mut self, minutes: i16) {
        self.offsets += u64::from(minutes != 0);
    }

    /// Whether no value was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether such counts are possible over so many values.
    #[must_use]
    pub fn are_possible(&self, values: u64) -> bool {
        let most = u64::from(self.ticks_max);
        let ticks_fit = match self.cut {
            0 => self.ticks == 0 && most == 0,
            cut => {
                // One value lost the most, every other at least one tick.
                let (least, greatest) = (most.checked_add(cut - 1), most.checked_mul(cut));
                (1..=9).contains(&most)
                    && least.is_some_and(|least| least <= self.ticks)
                    && greatest.is_some_and(|greatest| self.ticks <= greatest)
            }
        };
        ticks_fit && self.cut <= values && self.offsets <= values
    }
}

/// One line of the loss ledger: a column that does not carry every value as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLosses {
    /// Canonical name.
    pub column: String,
    /// Its values, nulls aside.
    pub values: u64,
    /// What was changed; nothing where the carrier is only wider than the source's type.
    pub changes: Changes,
}

/// How the values of a column were carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Every value as it was, in a type that holds no others.
    Lossless,
    /// Every value as it was, in a wider type.
    Widened,
    /// Every instant as it was; offsets were dropped.
    Normalised,
    /// Some values lost a digit.
    Cut,
}

impl Carried {
    /// The word on a column by its line of the ledger.
    #[must_use]
    pub fn of(line: Option<&ColumnLosses>) -> Self {
        match line.map(|line| line.changes) {
            None => Self::Lossless,
            Some(changes) if changes.cut > 0 => Self::Cut,
            Some(changes) if changes.offsets > 0 => Self::Normalised,
            Some(_) => Self::Widened,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counted_changes_are_possible(ticks in proptest::collection::vec(0_u8..10, 0..50)) {
            let mut changes = Changes::default();
            for tick in &ticks {
                changes.see_ticks(*tick);
            }
            let values = u64::try_from(ticks.len()).unwrap();
            prop_assert!(changes.are_possible(values));
            prop_assert_eq!(changes.ticks, ticks.iter().map(|t| u64::from(*t)).sum::<u64>());
            prop_assert_eq!(changes.is_empty(), ticks.iter().all(|t| *t == 0));
        }
    }

    #[test]
    fn invented_changes_are_not() {
        for (cut, ticks, ticks_max) in [
            (0, 1, 0),
            (1, 0, 0),
            (1, 10, 10),
            (2, 9, 1),
            (3, 4, 4),
            (6, 6, 1),
        ] {
            let changes = Changes {
                cut,
                ticks,
                ticks_max,
                offsets: 0,
            };
            assert!(!changes.are_possible(5), "{changes:?}");
        }
        assert!(
            !Changes {
                offsets: 6,
                ..Changes::default()
            }
            .are_possible(5)
        );
    }
}
