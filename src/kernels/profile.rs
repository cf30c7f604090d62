//! What a column holds: nulls, distinct values, least and greatest, exact sum; a histogram; totals by a column.
//!
//! Folds over batches in flat memory. May use Arrow and `domain`; a float enters no sum and no bin.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::sketch::{Distinct, Sketch};
use super::values::{BEYOND, Item, Plain, Value, is_exact_number, ticks_of_a_day, whole_text};

/// Most groups of totals by a column.
pub const GROUPS_MAX: usize = 100_000;

/// What a fold over some rows of one column has seen.
#[derive(Debug, Clone)]
pub struct ColumnFold {
    data_type: DataType,
    /// Nulls.
    pub nulls: u64,
    least: Option<Value>,
    greatest: Option<Value>,
    /// `None` once it has left 127 bits.
    sum: Option<i128>,
    distinct: Sketch,
}

impl ColumnFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(data_type: &DataType) -> Self {
        Self {
            data_type: data_type.clone(),
            nulls: 0,
            least: None,
            greatest: None,
            sum: Some(0),
            distinct: Sketch::default(),
        }
    }

    /// Adds rows.
    pub fn fold(&mut self, array: &ArrayRef) {
        let plain = Plain::of(array);
        self.nulls += u64::try_from(plain.nulls()).unwrap_or(u64::MAX);
        for item in (0..plain.len()).filter_map(|row| plain.get(row)) {
            self.bound(item);
            self.distinct.add(item.hash());
            if let Item::Whole(value) = item {
                self.sum = self.sum.and_then(|sum| sum.checked_add(value));
            }
        }
    }

    /// Widens the bounds alone, as for the statistics of a footer.
    pub fn fold_bounds(&mut self, array: &ArrayRef) {
        let plain = Plain::of(array);
        (0..plain.len())
            .filter_map(|row| plain.get(row))
            .for_each(|item| self.bound(item));
    }

    fn bound(&mut self, item: Item<'_>) {
        let beats = |held: &Option<Value>, side: Ordering| {
            held.as_ref()
                .is_none_or(|held| item.order(held.item()) == side)
        };
        if beats(&self.least, Ordering::Less) {
            self.least = Some(item.to_value());
        }
        if beats(&self.greatest, Ordering::Greater) {
            self.greatest = Some(item.to_value());
        }
    }

    /// Least and greatest value as texts.
    #[must_use]
    pub fn bounds(&self) -> [Option<String>; 2] {
        [&self.least, &self.greatest]
            .map(|value| Some(value.as_ref()?.item().text(&self.data_type)))
    }

    /// Least and greatest value as whole numbers, where they are.
    #[must_use]
    pub fn whole_bounds(&self) -> Option<(i128, i128)> {
        match (&self.least, &self.greatest) {
            (Some(Value::Whole(least)), Some(Value::Whole(greatest))) => Some((*least, *greatest)),
            _ => None,
        }
    }

    /// Exact sum as text; `None` for a column that is no exact number.
    #[must_use]
    pub fn sum(&self) -> Option<String> {
        is_exact_number(&self.data_type).then(|| sum_text(self.sum, &self.data_type))
    }

    /// Distinct values.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        self.distinct.clone().distinct()
    }
}

fn sum_text(sum: Option<i128>, data_type: &DataType) -> String {
    sum.map_or_else(|| BEYOND.to_owned(), |sum| whole_text(sum, data_type))
}

/// Rows by bins of equal width over the whole numbers of a column.
#[derive(Debug, Clone)]
pub struct Histogram {
    data_type: DataType,
    start: i128,
    width: i128,
    /// Rows by bin.
    counts: Vec<u64>,
    /// Rows without a value.
    pub nulls: u64,
}

/// One bin: from `from` up to and without `to`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bin {
    /// First value.
    pub from: String,
    /// First value of the next bin.
    pub to: String,
    /// Rows.
    pub rows: u64,
}

impl Histogram {
    /// At most `bins` + 1 bins from `least` to `greatest`, with round bounds: 1, 2 or 5 and zeros, of days for dates.
    #[must_use]
    pub fn new(data_type: &DataType, (least, greatest): (i128, i128), bins: u32) -> Self {
        let unit = ticks_of_a_day(data_type).unwrap_or(1);
        let span = greatest.abs_diff(least) / unit.unsigned_abs();
        let wanted = i128::try_from(span / u128::from(bins.max(1))).unwrap_or(i128::MAX);
        let mut round = 1_i128;
        let mut steps = [2, 5, 10].into_iter().cycle();
        let mut decade = 1_i128;
        while round <= wanted {
            let step = steps.next().unwrap_or(10);
            // Bounded by the 38 digits of the values: the last decade is never left.
            round = decade.saturating_mul(step);
            if step == 10 {
                decade = round;
            }
        }
        let width = round.saturating_mul(unit);
        let start = least.div_euclid(width).saturating_mul(width);
        let last = greatest.abs_diff(start) / width.unsigned_abs();
        Self {
            data_type: data_type.clone(),
            start,
            width,
            counts: vec![0; usize::try_from(last).unwrap_or(0).saturating_add(1)],
            nulls: 0,
        }
    }

    /// Adds rows; all values lie within the bounds that were given.
    pub fn fold(&mut self, array: &ArrayRef) {
        let plain = Plain::of(array);
        self.nulls += u64::try_from(plain.nulls()).unwrap_or(u64::MAX);
        for item in (0..plain.len()).filter_map(|row| plain.get(row)) {
            let Item::Whole(value) = item else { continue };
            let place = value.abs_diff(self.start) / self.width.unsigned_abs();
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            if let Some(count) = self.counts.get_mut(place) {
                *count += 1;
            }
        }
    }

    /// The bins in order.
    #[must_use]
    pub fn bins(&self) -> Vec<Bin> {
        let at = |place: usize| {
            let steps = i128::try_from(place).unwrap_or(0);
            let value = self.width.saturating_mul(steps).saturating_add(self.start);
            whole_text(value, &self.data_type)
        };
        let counts = self.counts.iter().enumerate();
        counts
            .map(|(place, rows)| Bin {
                from: at(place),
                to: at(place + 1),
                rows: *rows,
            })
            .collect()
    }
}

/// Rows and exact sums of some columns, by the values of another.
#[derive(Debug)]
pub struct GroupFold {
    by: DataType,
    amounts: Vec<DataType>,
    groups: HashMap<Option<u128>, Group>,
}

#[derive(Debug)]
struct Group {
    value: Option<Value>,
    rows: u64,
    /// A sum is `None` once it has left 127 bits.
    sums: Vec<Option<i128>>,
}

/// Totals of one value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupLine {
    /// The value; `None` for null.
    pub value: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Exact sums, in the order of the amounts.
    pub sums: Vec<String>,
}

/// More than [`GROUPS_MAX`] values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the column has more than {GROUPS_MAX} values")]
pub struct TooManyGroups;

impl GroupFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(by: &DataType, amounts: Vec<DataType>) -> Self {
        Self {
            by: by.clone(),
            amounts,
            groups: HashMap::new(),
        }
    }

    /// Adds rows of the grouping column and the amounts, in their order.
    ///
    /// # Errors
    /// [`TooManyGroups`].
    pub fn fold(&mut self, by: &ArrayRef, amounts: &[ArrayRef]) -> Result<(), TooManyGroups> {
        let by = Plain::of(by);
        let amounts: Vec<Plain> = amounts.iter().map(Plain::of).collect();
        for row in 0..by.len() {
            let item = by.get(row);
            let group = self
                .groups
                .entry(item.map(Item::wide_hash))
                .or_insert_with(|| Group {
                    value: item.map(Item::to_value),
                    rows: 0,
                    sums: vec![Some(0); amounts.len()],
                });
            group.rows += 1;
            for (sum, amount) in group.sums.iter_mut().zip(&amounts) {
                if let Some(Item::Whole(value)) = amount.get(row) {
                    *sum = sum.and_then(|sum| sum.checked_add(value));
                }
            }
            if self.groups.len() > GROUPS_MAX {
                return Err(TooManyGroups);
            }
        }
        Ok(())
    }

    /// One line a value, in their order, null first.
    #[must_use]
    pub fn lines(self) -> Vec<GroupLine> {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by(|a, b| match (&a.value, &b.value) {
            (Some(a), Some(b)) => a.item().order(b.item()),
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
        let line = |group: Group| {
            let sums = group.sums.iter().zip(&self.amounts);
            GroupLine {
                value: group.value.map(|value| value.item().text(&self.by)),
                rows: group.rows,
                sums: sums.map(|(sum, kind)| sum_text(*sum, kind)).collect(),
            }
        };
        groups.into_iter().map(line).collect()
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
