//! Exact control totals of the stream: rows and sums per company.
//!
//! May use Arrow and `domain`. A sum is an `i128` and a count of its carries, so the result never depends on the order
//! of rows; a sum beyond 38 digits is an error that names column and company, never another number.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, Decimal128Type, Int16Type, Int32Type, Int64Type};

use super::KernelError;
use super::conform::content_column;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::totals::{ControlTotals, GroupTotals, TotalsError};

/// Running control totals.
#[derive(Debug)]
pub struct TotalsFold {
    amounts: Vec<AmountColumn>,
    company: String,
    company_ordinal: usize,
    company_is_text: bool,
    /// Company code to its place in `groups`.
    places: BTreeMap<String, usize>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct AmountColumn {
    ordinal: usize,
    name: String,
    column_type: ColumnType,
    scale: u8,
}

#[derive(Debug)]
struct Group {
    rows: u64,
    sums: Vec<WideSum>,
}

/// `low + high × 2^128`, exact for more rows than can exist.
#[derive(Debug, Clone, Copy, Default)]
struct WideSum {
    low: i128,
    high: i64,
}

impl WideSum {
    #[inline]
    fn add(&mut self, value: i128) {
        let (low, carried) = self.low.overflowing_add(value);
        self.low = low;
        if carried {
            self.high += if value > 0 { 1 } else { -1 };
        }
    }

    fn amount(self, scale: u8) -> Result<Amount, AmountError> {
        if self.high != 0 {
            return Err(AmountError::Overflow { scale });
        }
        Amount::new(self.low, scale)
    }
}

impl TotalsFold {
    /// Begins with no rows.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let amounts = contract.columns.iter().enumerate();
        let amounts = amounts.filter(|(_, column)| column.amount);
        let amounts = amounts.filter_map(|(ordinal, column)| {
            Some(AmountColumn {
                ordinal,
                name: column.name.clone(),
                column_type: column.column_type,
                // A contract that passed `validate` has only exact numbers here.
                scale: column.column_type.scale()?,
            })
        });
        let is_company = |name: &str| name == contract.company;
        Self {
            amounts: amounts.collect(),
            company: contract.company.clone(),
            company_ordinal: contract
                .columns
                .iter()
                .position(|column| is_company(&column.name))
                .unwrap_or(contract.columns.len()),
            company_is_text: contract
                .column(&contract.company)
                .is_some_and(|column| column.column_type == ColumnType::Text),
            places: BTreeMap::new(),
            groups: Vec::new(),
        }
    }

    /// Adds the rows of one conformed batch.
    ///
    /// # Shape
    /// Company codes lose their trailing spaces; a null company stands under the empty text; null amounts add nothing.
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract, or the company is not text.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        let wrong_company = || KernelError::Company {
            column: self.company.clone(),
        };
        if !self.company_is_text {
            return Err(wrong_company());
        }
        let companies =
            content_column(batch, self.company_ordinal, &self.company, ColumnType::Text)?;
        let companies = companies.as_string_opt().ok_or_else(wrong_company)?;
        let runs = self.runs(companies);
        for (place, column) in self.amounts.iter().enumerate() {
            let array = content_column(batch, column.ordinal, &column.name, column.column_type)?;
            let groups = &mut self.groups;
            match column.column_type {
                ColumnType::Int16 => add_runs::<Int16Type>(groups, place, array, &runs),
                ColumnType::Int32 => add_runs::<Int32Type>(groups, place, array, &runs),
                ColumnType::Int64 => add_runs::<Int64Type>(groups, place, array, &runs),
                _ => add_runs::<Decimal128Type>(groups, place, array, &runs),
            }
        }
        Ok(())
    }

    /// Splits the batch into runs of one company and counts their rows. Sources deliver companies together, so a
    /// ledger has few runs; a batch that alternates costs one look-up per row.
    fn runs(&mut self, companies: &StringArray) -> Vec<(usize, Range<usize>)> {
        let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
        let mut previous = None;
        for (row, company) in companies.iter().enumerate() {
            let company = company.unwrap_or_default().trim_end_matches(' ');
            match runs.last_mut() {
                Some((_, range)) if previous == Some(company) => range.end = row + 1,
                _ => runs.push((self.place_of(company), row..row + 1)),
            }
            previous = Some(company);
        }
        for (place, range) in &runs {
            if let Some(group) = self.groups.get_mut(*place) {
                group.rows += u64::try_from(range.len()).unwrap_or(u64::MAX);
            }
        }
        runs
    }

    fn place_of(&mut self, company: &str) -> usize {
        if let Some(place) = self.places.get(company) {
            return *place;
        }
        let place = self.groups.len();
        self.groups.push(Group {
            rows: 0,
            sums: vec![WideSum::default(); self.amounts.len()],
        });
        self.places.insert(company.to_owned(), place);
        place
    }

    /// The totals of all rows added.
    ///
    /// # Errors
    /// [`TotalsError`] names the column and the company of a sum beyond 38 digits.
    pub fn finish(self) -> Result<ControlTotals, TotalsError> {
        let mut totals = ControlTotals {
            amounts: self
                .amounts
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            groups: BTreeMap::new(),
        };
        for (company, place) in self.places {
            let Some(group) = self.groups.get(place) else {
                continue;
            };
            let sums = group.sums.iter().zip(&self.amounts).map(|(sum, column)| {
                sum.amount(column.scale).map_err(|source| TotalsError {
                    column: column.name.clone(),
                    company: company.clone(),
                    source,
                })
            });
            let sums = sums.collect::<Result<_, _>>()?;
            let rows = group.rows;
            totals.groups.insert(company, GroupTotals { rows, sums });
        }
        Ok(totals)
    }
}

fn add_runs<T>(groups: &mut [Group], place: usize, array: &ArrayRef, runs: &[(usize, Range<usize>)])
where
    T: ArrowPrimitiveType,
    i128: From<T::Native>,
{
    // `content_column` has compared the type.
    let Some(array) = array.as_primitive_opt::<T>() else {
        return;
    };
    for (group, range) in runs {
        let group = groups.get_mut(*group);
        let Some(sum) = group.and_then(|group| group.sums.get_mut(place)) else {
            continue;
        };
        if array.null_count() == 0 {
            let values = array.values().get(range.clone()).unwrap_or_default();
            values.iter().for_each(|value| sum.add(i128::from(*value)));
        } else {
            let valid = range.clone().filter(|row| array.is_valid(*row));
            valid.for_each(|row| sum.add(i128::from(array.value(row))));
        }
    }
}

#[cfg(test)]
#[path = "totals_tests.rs"]
mod tests;
